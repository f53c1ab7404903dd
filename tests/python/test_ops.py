"""The Python surface of the four operators; their arithmetic is tested in tests/ops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest

import aclquant as aq
from aclquant._ffi.library import Library

from .support import plain_signature

BF16 = ml_dtypes.bfloat16
X = np.float32([[1, -2, 3, 300], [0.5, 1.5, -2.5, -300]])


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (aq.quantize, "x, scales, zero_points=None, dtype='qint8', axis=1, div_mode=True, *, "),
        (aq.anti_quant, "x, scale, *, offset=None, dst_dtype=None, src_dtype=None, "),
        (aq.trans_quant_param, "scale, offset=None, round_mode=0, *, "),
        (
            aq.dynamic_quant_asymmetric,
            "x, *, smooth_scales=None, group_index=None, dst_type=None, quant_mode='pertoken', ",
        ),
        (
            aq.torch_npu.npu_quantize,
            "input, scales, zero_points, dtype, axis=1, div_mode=True",
        ),
        (aq.torch_npu.npu_anti_quant, "x, scale, *, offset=None, dst_dtype=None, src_dtype=None"),
        (aq.torch_npu.npu_trans_quant_param, "scale, offset=None, round_mode=0"),
        (
            aq.torch_npu.npu_dynamic_quant_asymmetric,
            "input, *, smooth_scales=None, group_index=None, dst_type=None, quant_mode='pertoken'",
        ),
    ],
)
def test_signatures(function: Callable[..., Any], text: str) -> None:
    tail = "out=None, stream=None, device=None" if text.endswith(", ") else ""
    assert plain_signature(function) == f"({text}{tail})"


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        *[("qint8", np.int8), (np.int8, np.int8), ("quint8", np.uint8), (aq.uint8, np.uint8)],
        *[("torch.qint32", np.int32), (3, np.int32)],
    ],
)
def test_quantize_divides(dtype: Any, expected: npt.DTypeLike) -> None:
    y = aq.quantize(X, [0.5], [3], dtype)
    assert y.dtype == expected
    info = np.iinfo(expected)
    np.testing.assert_array_equal(y, np.clip(np.rint(X / 0.5 + 3), info.min, info.max))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "quint4x2", "int4", "int64"])
def test_quantize_divides_into_some_types_only(dtype: str) -> None:
    with pytest.raises(aq.DtypeError, match="argument 'dtype': got " + dtype):
        aq.quantize(X, 1.0, dtype=dtype)


def test_axis_of_multiplication_is_the_last_one_unless_below_minus_one() -> None:
    scales = np.float32([1, 2, 3, 4])
    results = [aq.quantize(X, scales, axis=a, div_mode=False) for a in (0, 1, -1, 5)]
    for result in results:
        np.testing.assert_array_equal(result, results[0])
    rows = aq.quantize(X, [1.0, 2.0], axis=-2, div_mode=False)
    assert rows[1].tolist() == [1, 3, -5, -128]
    with pytest.raises(aq.ParameterError, match="argument 'axis'"):
        aq.quantize(X, 1.0, axis=-3, div_mode=False)


@pytest.mark.parametrize("dtype", ["quint4x2", "int32", "torch.int32", 3])
def test_multiplication_packs_int4(dtype: Any) -> None:
    x = np.float32([[1, 2, 3, 4, 5, 6, 7, 8], [-1, -2, -3, -4, -8, -9, 0.5, 1.5]])
    y = aq.quantize(x, 1.0, dtype=dtype, div_mode=False)
    assert y.dtype == np.int32
    assert y.ravel().tolist() == [2003125025, 545836527]
    with pytest.raises(aq.ParameterError, match="multiple of 8"):
        aq.quantize(x[:, :7], 1.0, dtype=dtype, div_mode=False)


@pytest.mark.parametrize("dtype", ["quint8", "qint32"])
def test_multiplication_has_no_such_type(dtype: str) -> None:
    with pytest.raises(aq.DtypeError, match="argument 'dtype'"):
        aq.quantize(X, 1.0, dtype=dtype, div_mode=False)


@pytest.mark.parametrize("dtype", ["uint8", "float16", "hifloat8"])
def test_multiplication_leaves_other_types_to_the_device(dtype: str) -> None:
    with pytest.raises(aq.DtypeError, match="161002"):
        aq.quantize(X, 1.0, dtype=dtype, div_mode=False)


def test_int4_is_an_extension_for_arrays_and_tensors() -> None:
    x = np.float32([[1, 2, 3, 4, 5, 6, 7, 8], [-1, -2, -3, -4, -8, -9, 0.5, 1.5]])
    y = aq.quantize(x, 1.0, dtype="int4", div_mode=False)
    assert y.dtype == ml_dtypes.int4
    packed = aq.quantize(x, 1.0, dtype="quint4x2", div_mode=False)
    np.testing.assert_array_equal(aq.pack_int4(y), packed)
    t = aq.quantize(aq.asarray(x), 1.0, dtype="int4", div_mode=False)
    assert (t.shape, t.nbytes) == ((2, 8), 8)
    np.testing.assert_array_equal(t.numpy().astype(int), y.astype(int))
    for q in (y, t, packed):
        back = np.asarray(aq.anti_quant(q, 1.0))
        np.testing.assert_array_equal(back, y.astype(np.float16))


def test_python_numbers_take_the_fitting_type() -> None:
    for dtype in (np.float16, BF16, np.float32):
        x = np.array([1, 2], dtype)
        assert aq.quantize(x, 2, div_mode=False).tolist() == [2, 4]
        assert aq.quantize(x, [2.0], [1], div_mode=False).tolist() == [3, 5]
        assert aq.quantize(x, 0.5, axis=0).tolist() == [2, 4]
        assert aq.quantize(x, [0.5], 3, axis=0).tolist() == [5, 7]
    assert aq.quantize([1.0, 2.0], 1.0).tolist() == [1, 2]
    assert aq.anti_quant([1, 2], 2).tolist() == [2, 4]
    assert aq.trans_quant_param([1.0, 1.0], 0).shape == (2,)
    assert aq.dynamic_quant_asymmetric([[0, 255]])[0].tolist() == [[-128, 127]]


def test_fractional_zero_points_are_not_cut() -> None:
    with pytest.raises(aq.DtypeError, match="argument 'zero_points'"):
        aq.quantize(X, 1.0, 0.5)
    assert aq.quantize(np.float32([1, 2, 3]), 1.0, 0.5, div_mode=False).tolist() == [2, 2, 4]


def test_wrong_types_are_refused_by_phase_one() -> None:
    with pytest.raises(TypeError, match=r"argument 'x': got dtype DOUBLE.*refused before anything"):
        aq.quantize(X.astype(np.float64), 1.0)
    with pytest.raises(ValueError, match="argument 'scale'"):
        aq.anti_quant(np.int8([1]), np.float16([1]))
    with pytest.raises(aq.DtypeError, match="argument 'x'"):
        aq.dynamic_quant_asymmetric(X)
    with pytest.raises(aq.DtypeError, match="argument 'scale'"):
        aq.trans_quant_param(np.float16([1]))
    with pytest.raises(aq.DtypeError, match="argument 'x'"):
        aq.anti_quant(X, 1.0)


def test_anti_quant() -> None:
    x = np.int8([[1, 2, 3, 4]])
    assert aq.anti_quant(x, [2.0], offset=[2.0]).tolist() == [[6, 8, 10, 12]]
    assert aq.anti_quant(x, 2.0).dtype == np.float16
    y = aq.anti_quant(x, np.array([2], BF16), dst_dtype="torch.bfloat16", src_dtype="int8")
    assert y.dtype == BF16
    packed = np.int32([[0x76543210, -1]])
    for source in (None, "quint4x2", "int4", 16, 285):
        got = aq.anti_quant(packed, 1.0, src_dtype=source)
        assert got.tolist() == [[0, 1, 2, 3, 4, 5, 6, 7] + [-1] * 8]
    for array, source in ((packed, "int32"), (packed, "int8"), (x, "qint8"), (x, "quint4x2")):
        with pytest.raises(aq.DtypeError, match="argument 'src_dtype'"):
            aq.anti_quant(array, 1.0, src_dtype=source)
    with pytest.raises(aq.ParameterError, match="0-d"):
        aq.anti_quant(np.array(1, np.int32), 1.0)
    with pytest.raises(aq.AclError, match="161002"):
        aq.anti_quant(x, 1.0, dst_dtype="float32")
    with pytest.raises(aq.DtypeError):
        aq.anti_quant(x, 1.0, dst_dtype=-10)


@pytest.mark.parametrize(
    ("scale", "offset", "shape"),
    [
        ((5,), None, (5,)),
        ((1, 5), None, (1, 5)),
        ((1,), (5,), (5,)),
        ((5,), (1,), (5,)),
        ((1, 5), (1, 5), (1, 5)),
        ((1, 5), (5,), (1, 5)),
        ((1,), (1, 4), (1, 4)),
    ],
)
def test_trans_quant_param_shapes(
    scale: tuple[int, ...], offset: tuple[int, ...] | None, shape: tuple[int, ...]
) -> None:
    s = np.ones(scale, np.float32)
    o = None if offset is None else np.ones(offset, np.float32)
    word = 70369809530880 if o is None else 70507248484352
    for got in (
        aq.trans_quant_param(s, o),
        aq.trans_quant_param(aq.asarray(s), None if o is None else aq.asarray(o)).numpy(),
    ):
        assert (got.dtype, got.shape) == (np.int64, shape)
        assert (got == word).all()


def test_trans_quant_param_rounds_if_asked_and_takes_strided_arrays() -> None:
    scales = np.float32([3.3, 0, 3.3, 0])
    assert aq.trans_quant_param(scales[::2]).tolist() == [70369823367168] * 2
    assert aq.trans_quant_param(scales[::2], None, 1).tolist() == [70369823375360] * 2
    with pytest.raises(aq.ParameterError, match="round_mode"):
        aq.trans_quant_param(scales, round_mode=2)
    with pytest.raises(aq.ParameterError, match="161002"):
        aq.trans_quant_param(scales[:3], np.float32([1] * 5))


def test_dynamic_quant_asymmetric() -> None:
    x = np.float16([[0.5, -1, 0.25, 2, -0.125, 1.5, 0, -0.75]])
    y, scale, offset = aq.dynamic_quant_asymmetric(x)
    assert y.tolist() == [[0, -128, -22, 127, -54, 84, -43, -107]]
    assert (y.dtype, scale.dtype, offset.dtype) == (np.int8, np.float32, np.float32)
    assert offset == -43
    y, scale, offset = aq.dynamic_quant_asymmetric(x, dst_type="quint4x2")
    assert y.tolist() == [[-1655931264]]
    z, scale, offset = aq.dynamic_quant_asymmetric(x, smooth_scales=[2.0] * 8)
    assert z.shape == x.shape
    y, scale, offset = aq.dynamic_quant_asymmetric(
        np.vstack([x] * 3), smooth_scales=np.ones((2, 8), np.float16), group_index=[1, 3]
    )
    assert y[2].tolist() == [0, -128, -22, 127, -54, 84, -43, -107]
    with pytest.raises(aq.ParameterError, match="2 dimensions"):
        aq.dynamic_quant_asymmetric(x[0])
    with pytest.raises(aq.ParameterError, match="multiple of 8"):
        aq.dynamic_quant_asymmetric(x[:, :7], dst_type="quint4x2")
    with pytest.raises(aq.DtypeError, match=r"argument 'dst_type': got 'uint8'"):
        aq.dynamic_quant_asymmetric(x, dst_type="uint8")


def test_dynamic_quant_of_the_whole_tensor() -> None:
    x = np.float16([[0, 1], [2, 255]])
    y, scale, offset = aq.dynamic_quant_asymmetric(x, quant_mode="pertensor")
    assert (scale.shape, offset.shape) == ((1,), (1,))
    assert y.tolist() == [[-128, -127], [-126, 127]]
    with pytest.raises(aq.ParameterError, match="'quant_mode': got 'sometimes'"):
        aq.dynamic_quant_asymmetric(x, quant_mode="sometimes")


def _calls() -> list[Any]:
    x8 = np.float16([[0.5, -1, 0.25, 2]])
    return [
        pytest.param(lambda v, **k: aq.quantize(v, 0.5, **k), X, id="divide"),
        pytest.param(lambda v, **k: aq.quantize(v, 0.5, div_mode=False, **k), X, id="multiply"),
        pytest.param(lambda v, **k: aq.anti_quant(v, 0.5, **k), np.int8([[1, 2]]), id="anti"),
        pytest.param(lambda v, **k: aq.trans_quant_param(v, 1.0, **k), X[0], id="trans"),
        pytest.param(lambda v, **k: aq.dynamic_quant_asymmetric(v, **k), x8, id="dynamic"),
    ]


@pytest.mark.parametrize(("call", "x"), _calls())
def test_array_in_array_out_tensor_in_tensor_out(call: Callable[..., Any], x: Any) -> None:
    array, tensor = call(x), call(aq.asarray(x))
    arrays = array if isinstance(array, tuple) else (array,)
    tensors = tensor if isinstance(tensor, tuple) else (tensor,)
    for a, t in zip(arrays, tensors, strict=True):
        assert type(a) is np.ndarray
        assert type(t) is aq.Tensor
        np.testing.assert_array_equal(a, t.numpy())
        assert a.dtype == t.dtype


@pytest.mark.parametrize(("call", "x"), _calls())
@pytest.mark.parametrize("kind", ["array", "tensor"])
def test_out_is_filled_and_returned(call: Callable[..., Any], x: Any, kind: str) -> None:
    expected = call(x)
    several = isinstance(expected, tuple)
    results = expected if several else (expected,)
    make: Any = np.empty if kind == "array" else aq.empty
    outs = tuple(make(r.shape, r.dtype) for r in results)
    got = call(x, out=outs if several else outs[0])
    for g, o, r in zip(got if several else (got,), outs, results, strict=True):
        assert g is o
        np.testing.assert_array_equal(np.asarray(o), r)
    for wrong in (make((77,), results[0].dtype), make(results[0].shape, "float64"), [1]):
        with pytest.raises(aq.ParameterError, match="argument 'out"):
            call(x, out=(wrong, None, None) if several else wrong)


def test_out_may_share_memory_with_the_input() -> None:
    x = np.arange(8, dtype=np.float32)
    out = x.view(np.int8)[:8]
    assert aq.quantize(x, 1.0, out=out).tolist() == list(range(8))


def test_one_element_tensor_of_zero_dimensions() -> None:
    y = aq.quantize(np.float32(2.6), 1.0)
    assert (y.shape, y.tolist()) == ((), 3)
    assert aq.anti_quant(np.array(3, np.int8), 2.0).tolist() == 6


def test_empty_arrays() -> None:
    assert aq.quantize(np.empty((3, 0), np.float32), 1.0).shape == (3, 0)
    assert aq.anti_quant(np.empty((0, 2), np.int32), 1.0).shape == (0, 16)
    y, scale, _ = aq.dynamic_quant_asymmetric(np.empty((0, 4), np.float16))
    assert (y.shape, scale.shape) == ((0, 4), (0,))


def test_torch_npu_names() -> None:
    npu = aq.torch_npu
    np.testing.assert_array_equal(
        npu.npu_quantize(X, np.float32([0.5]), None, "torch.qint8"), aq.quantize(X, 0.5)
    )
    assert npu.npu_trans_quant_param(np.float32([1])).tolist() == [70369809530880]
    assert npu.npu_anti_quant(np.int8([1]), np.float32([2])).tolist() == [2]
    assert npu.npu_dynamic_quant_asymmetric(np.float16([[0, 1]]))[0].tolist() == [[-128, 127]]


def test_older_libraries_serve_what_they_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library without the newer entry points: nothing silently gives another result."""

    class Older(Library):
        def _address(self, name: str) -> Any:
            newer = ("aclnnDynamicQuantV3", "aclnnDynamicQuantV4", "aclnnTransQuantParamV3")
            return None if name.startswith(newer) else super()._address(name)

    active = aq.backend()
    monkeypatch.setattr(active, "library", Older("older", list(active.library.files)))
    assert aq.trans_quant_param(np.float32([3.3])).tolist() == [70369823367168]
    with pytest.raises(NotImplementedError, match="a newer CANN"):
        aq.trans_quant_param(np.float32([3.3]), round_mode=1)
    square = np.float16([[1, 2], [3, 4]])
    assert aq.dynamic_quant_asymmetric(square)[0].tolist() == [[-128, 127]] * 2
    assert aq.dynamic_quant_asymmetric(square[:1], quant_mode="pertensor")[1].shape == (1,)
    with pytest.raises(aq.ParameterError, match="161002"):
        aq.dynamic_quant_asymmetric(square, quant_mode="pertensor")
    with pytest.raises(aq.NotSupportedError, match="perchannel"):
        aq.dynamic_quant_asymmetric(square, quant_mode="perchannel")


@pytest.mark.parametrize("scale", [0.5, np.float64(0.5), np.float32(0.5), np.float64([0.5])[0]])
def test_a_number_is_a_scale_whoever_made_it(scale: Any) -> None:
    x = np.array([1.0, 2.0, -3.0], np.float32)
    assert aq.quantize(x, scale).tolist() == [2, 4, -6]
    assert aq.quantize(x, scale, np.int64(1)).tolist() == [3, 5, -5]
    assert aq.anti_quant(x.astype(np.int8), scale).tolist() == [0.5, 1, -1.5]


def test_no_array_at_all_is_said_to_be_none() -> None:
    for x in (
        "abc",
        "1.5",
        None,
        [None, 1.0],
        2 + 5j,
        np.array(["a"]),
        np.datetime64("2026-01-01"),
    ):
        with pytest.raises(aq.DtypeError, match="argument 'x'"):
            aq.quantize(x, 1.0)
    with pytest.raises(aq.DtypeError, match="argument 'scales'"):
        aq.quantize([1.0], "1.0")
    with pytest.raises(aq.DtypeError, match="argument 'scales'"):
        aq.quantize([1.0], 10**400)
    with pytest.raises(aq.ParameterError, match="argument 'scales': got list"):
        aq.quantize([1.0], [[1.0], [1.0, 2.0]])


def test_wrong_number_of_outputs() -> None:
    x = np.ones((2, 8), np.float16)
    for out in ((None, None), np.empty((2, 8), np.int8)):
        with pytest.raises(aq.ParameterError, match="argument 'out'"):
            aq.dynamic_quant_asymmetric(x, out=out)  # type: ignore[arg-type]


def test_results_of_an_empty_input_are_defined() -> None:
    if not aq.backend().host_memory:
        pytest.skip("copies come from unwritten device memory")
    for _ in range(3):
        y, scale, offset = aq.dynamic_quant_asymmetric(np.empty((3, 0), np.float16))
        assert y.shape == (3, 0) and scale.tolist() == offset.tolist() == [0, 0, 0]


def test_wrong_attributes_are_named() -> None:
    x = np.ones((2, 3), np.float32)
    for axis in (2**31, 2**70):
        with pytest.raises(aq.ParameterError):
            aq.quantize(x, 1.0, axis=axis)
    for axis in (None, "1", 1.0):
        with pytest.raises(aq.ParameterError, match="axis"):
            aq.quantize(x, 1.0, axis=axis, div_mode=False)  # type: ignore[arg-type]
    with pytest.raises(aq.ParameterError, match="argument 'stream'"):
        aq.quantize(x, 1.0, stream=1)  # type: ignore[arg-type]
    with pytest.raises(aq.ParameterError, match="argument 'device'"):
        aq.quantize(x, 1.0, device="0")  # type: ignore[arg-type]
    assert aq.empty(np.int64(3), "int8").shape == (3,)


def test_a_type_without_a_code_is_blamed_on_its_argument() -> None:
    with pytest.raises(aq.DtypeError, match="argument 'x': got dtype float128"):
        aq.quantize(np.ones((2, 2), np.longdouble), 1.0)
