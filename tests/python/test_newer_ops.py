"""The Python surface of dynamic_quant and quant_matmul."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import aclquant as aq
from aclquant._ffi.library import Library
from aclquant.thread_state import this_thread

from .support import plain_signature

BF16 = np.dtype(ml_dtypes.bfloat16)
ROW = np.float16([[0.5, -1, 0.25, 2, -0.125, 1.5, 0, -0.75]])
ROW_Y = [[32, -64, 16, 127, -8, 95, 0, -48]]
X1 = np.int8([[1, -2, 3], [4, 5, -6]])
X2 = np.int8([[7, -8], [9, 10], [-11, 12]])
BIAS = np.int32([100, -50])
WORDS = np.array([70507240095744, 140463659024384])
RESULT = [[29, -12], [121, -28]]
SUMS = [[56, -42], [239, -104]]
WHERE = "out=None, stream=None, device=None"
DYNAMIC = "smooth_scales=None, group_index=None, dst_type=None, quant_mode='pertoken', "
MATMUL = (
    "offset=None, pertoken_scale=None, bias=None, output_dtype=None, x1_dtype=None, x2_dtype=None, "
    "pertoken_scale_dtype=None, scale_dtype=None, group_sizes=None, y_scale=None"
)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (aq.dynamic_quant, f"x, *, {DYNAMIC}dst_type_max=0.0, {WHERE}"),
        (aq.torch_npu.npu_dynamic_quant, f"input, *, {DYNAMIC}dst_type_max=0.0"),
        (aq.quant_matmul, f"x1, x2, scale, *, {MATMUL}, {WHERE}"),
        (aq.torch_npu.npu_quant_matmul, f"x1, x2, scale, *, {MATMUL}"),
    ],
)
def test_signatures(function: Callable[..., Any], text: str) -> None:
    assert plain_signature(function) == f"({text})"


class Lacking(Library):
    """A library without some entry points."""

    missing: tuple[str, ...] = ()

    def _address(self, name: str) -> Any:
        return None if name.startswith(self.missing) else super()._address(name)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def use(*missing: str) -> None:
        active = aq.backend()
        library = Lacking("lacking", list(active.library.files))
        library.missing = missing
        monkeypatch.setattr(active, "library", library)

    return use


# -- dynamic_quant ----------------------------------------------------------------------------


def test_dynamic_quant() -> None:
    y, scale = aq.dynamic_quant(ROW)
    assert (y.tolist(), y.dtype, scale.dtype, scale.shape) == (ROW_Y, np.int8, np.float32, (1,))
    assert scale.view(np.uint32).tolist() == [0x3C810204]
    y, scale = aq.dynamic_quant(ROW, dst_type="quint4x2")
    assert y.tolist() == [[-800034366]]
    y, scale = aq.dynamic_quant(ROW.tolist())
    assert y.tolist() == ROW_Y
    assert aq.torch_npu.npu_dynamic_quant(ROW)[0].tolist() == ROW_Y


def test_dynamic_quant_groups() -> None:
    smooth = np.float16([[1] * 8, [2] * 8])
    y, scale = aq.dynamic_quant(np.vstack([ROW] * 3), smooth_scales=smooth, group_index=[1, 3])
    assert y.tolist() == ROW_Y * 3
    assert (scale[1:] == 2 * scale[0]).all()
    with pytest.raises(aq.ParameterError, match="together with group_index"):
        aq.dynamic_quant(ROW, smooth_scales=smooth, group_index=[1, 1], quant_mode="pertensor")


@pytest.mark.parametrize(
    ("mode", "shape"), [("pertoken", (2,)), ("pertensor", (1,)), ("perchannel", (8,))]
)
def test_dynamic_quant_modes(mode: str, shape: tuple[int, ...]) -> None:
    x = np.vstack([ROW, ROW * 2])
    y, scale = aq.dynamic_quant(x, quant_mode=mode)
    assert scale.shape == shape
    along = {"pertoken": scale[:, None], "perchannel": scale, "pertensor": scale}[mode]
    assert (np.abs(y * along - x) <= along / 2 + 1e-6).all()


def test_dynamic_quant_tensors_and_outputs() -> None:
    x = aq.asarray(ROW)
    y, scale = aq.dynamic_quant(x)
    assert isinstance(y, aq.Tensor) and isinstance(scale, aq.Tensor)
    assert y.numpy().tolist() == ROW_Y
    place = np.zeros((1, 8), np.int8)
    found, scale = aq.dynamic_quant(ROW, out=(place, None))
    assert found is place and place.tolist() == ROW_Y
    for wrong in (place, (place,), (place, None, None)):
        with pytest.raises(aq.ParameterError, match="a tuple of two"):
            aq.dynamic_quant(ROW, out=wrong)  # type: ignore[arg-type]
    with closing(aq.Stream()) as stream:
        assert aq.dynamic_quant(ROW, stream=stream)[0].tolist() == ROW_Y


def test_dynamic_quant_refusals() -> None:
    with pytest.raises(aq.ParameterError, match="2 dimensions"):
        aq.dynamic_quant(ROW[0])
    with pytest.raises(aq.ParameterError, match="multiple of 8"):
        aq.dynamic_quant(ROW[:, :7], dst_type="quint4x2")
    with pytest.raises(aq.DtypeError, match="argument 'x'"):
        aq.dynamic_quant(ROW.astype(np.float32))
    with pytest.raises(aq.ParameterError, match="quant_mode"):
        aq.dynamic_quant(ROW, quant_mode="row")
    with pytest.raises(aq.InternalError, match="dst_type_max"):
        aq.dynamic_quant(ROW, dst_type_max=40000.0)
    assert aq.dynamic_quant(ROW, dst_type_max=16.0)[0].tolist() == ROW_Y


def test_dynamic_quant_of_an_older_library(without: Callable[..., None]) -> None:
    without("aclnnDynamicQuantV3", "aclnnDynamicQuantV4")
    assert aq.dynamic_quant(ROW)[0].tolist() == ROW_Y
    assert aq.dynamic_quant(ROW, quant_mode="pertensor")[0].tolist() == ROW_Y  # a single row
    with pytest.raises(aq.ParameterError, match="161002"):
        aq.dynamic_quant(np.vstack([ROW, ROW]), quant_mode="pertensor")
    with pytest.raises(aq.NotSupportedError, match="perchannel"):
        aq.dynamic_quant(ROW, quant_mode="perchannel")
    with pytest.raises(aq.NotSupportedError, match="dst_type_max"):
        aq.dynamic_quant(ROW, dst_type_max=1.0)


def test_dynamic_quant_with_the_fourth_version_missing(without: Callable[..., None]) -> None:
    without("aclnnDynamicQuantV4")
    assert aq.dynamic_quant(ROW, quant_mode="pertensor")[0].tolist() == ROW_Y


def test_dynamic_quant_of_the_oldest_library(without: Callable[..., None]) -> None:
    without("aclnnDynamicQuantV")
    assert aq.dynamic_quant(ROW)[0].tolist() == ROW_Y
    smooth = np.ones((1, 8), np.float16)
    with pytest.raises(aq.NotSupportedError, match="group_index"):
        aq.dynamic_quant(ROW, smooth_scales=smooth, group_index=[1])


# -- quant_matmul -----------------------------------------------------------------------------


def test_quant_matmul_numbers() -> None:
    y = aq.quant_matmul(X1.tolist(), X2.tolist(), [0.5, 0.25], offset=[1, -2], bias=[100, -50])
    assert (y.tolist(), y.dtype) == (RESULT, np.int8)
    y = aq.quant_matmul(X1, X2, 1.0, bias=[100, -50], output_dtype="int32")
    assert (y.tolist(), y.dtype) == (SUMS, np.int32)
    y = aq.quant_matmul(X1, X2, 0.5, bias=[0.5, -0.5], output_dtype="bfloat16")
    assert (y.tolist(), y.dtype) == ([[-21.5, 3.5], [70, -27.5]], BF16)
    npu = aq.torch_npu.npu_quant_matmul
    assert npu(X1, X2, WORDS, bias=BIAS, output_dtype="torch.int8").tolist() == RESULT


def test_a_bias_that_is_no_array_is_refused_by_name() -> None:
    ragged: Any = [[1, 2], [3]]
    with pytest.raises(aq.ParameterError, match=r"aclquant\.quant_matmul: argument 'bias'"):
        aq.quant_matmul(X1, X2, 1.0, bias=ragged)


def test_one_array_for_two_results_is_refused() -> None:
    """Beside a result that is left to the call as well."""
    x, one = np.ones((4, 8), np.float16), np.empty(4, np.float32)
    for values, out in ((x, one), (aq.asarray(x), aq.asarray(one))):
        with pytest.raises(aq.ParameterError, match=r"'out\[2\]': got memory of out\[1\]"):
            aq.dynamic_quant_asymmetric(values, out=(None, out, out))


def test_quant_matmul_int8_is_the_default() -> None:
    assert aq.quant_matmul(X1, X2, WORDS, bias=BIAS).tolist() == RESULT
    assert aq.quant_matmul(X1, X2, WORDS, bias=BIAS, output_dtype=1).tolist() == RESULT


def test_quant_matmul_tensors() -> None:
    x1, x2 = aq.asarray(X1), aq.asarray(np.ascontiguousarray(X2.T)).T
    scale, offset = aq.asarray([0.5, 0.25], "float32"), aq.asarray([1, -2], "float32")
    y = aq.quant_matmul(x1, x2, scale, offset=offset, bias=BIAS)
    assert isinstance(y, aq.Tensor) and y.numpy().tolist() == RESULT
    y = aq.quant_matmul(x1, X2, [0.5, 0.25], offset=[1.0, -2.0], bias=[100, -50])
    assert isinstance(y, aq.Tensor) and y.numpy().tolist() == RESULT
    with closing(aq.Stream()) as stream:
        y = aq.quant_matmul(x1, x2, scale, offset=offset, bias=BIAS, stream=stream)
        assert y.numpy().tolist() == RESULT


def test_quant_matmul_out() -> None:
    room = np.zeros((2, 4), np.int8)
    y = aq.quant_matmul(X1, X2, WORDS, bias=BIAS, out=room[:, ::2])
    assert y.base is room and room.tolist() == [[29, 0, -12, 0], [121, 0, -28, 0]]
    square = np.int8([[1, 2], [3, 4]])
    aq.quant_matmul(square, square, WORDS[:1], out=square)  # 0.5 and 1
    assert square.tolist() == [[5, 6], [9, 12]]
    with pytest.raises(aq.ParameterError, match="out"):
        aq.quant_matmul(X1, X2, WORDS, out=room)


CALLS: dict[str, dict[str, Any]] = {
    "words": {"scale": WORDS, "bias": BIAS},
    "per token": {
        **{"scale": np.float32([0.5, 0.25]), "pertoken_scale": np.float32([0.1, 2])},
        **{"bias": np.float32([1, 2]), "output_dtype": "bfloat16"},
    },
    "sums": {"scale": np.float32([1]), "output_dtype": "int32"},
}


@pytest.mark.parametrize("named", CALLS.values(), ids=CALLS)
def test_quant_matmul_replayed(named: dict[str, Any]) -> None:
    aq.forget_plans()
    with closing(aq.Stream()) as stream:  # never replayed
        expected = aq.quant_matmul(X1, X2, **named, stream=stream)
        other = aq.quant_matmul(-X1, X2, **named, stream=stream)
    for x1, y in ((X1, expected), (X1, expected), (X1, expected), (-X1, other)):
        assert aq.quant_matmul(x1, X2, **named).tobytes() == y.tobytes()
    assert sum(entry is not None for entry in this_thread().prepared.values()) == 1
    with aq.plan(aq.quant_matmul, X1, X2, **named) as product:
        assert product(X1).tobytes() == expected.tobytes()
        assert product(-X1).tobytes() == other.tobytes()


def test_quant_matmul_plan_packs_scales_once() -> None:
    named = {"offset": np.float32([1, -2]), "bias": BIAS}
    with aq.plan(aq.quant_matmul, X1, X2, np.float32([0.5, 0.25]), **named) as product:
        assert product(X1).tolist() == RESULT


def test_quant_matmul_with_the_fifth_version_missing(without: Callable[..., None]) -> None:
    without("aclnnQuantMatmulV5")
    assert aq.quant_matmul(X1, X2, [0.5, 0.25], offset=[1.0, -2.0], bias=BIAS).tolist() == RESULT
    y = aq.quant_matmul(X1, X2, 0.5, pertoken_scale=[2.0, 1.0], output_dtype="float16")
    assert y.tolist() == [[-44, 8], [69.5, -27]]
    with pytest.raises(aq.NotSupportedError, match="aclnnQuantMatmulV5"):
        aq.quant_matmul(X1, X2, WORDS, y_scale=[1.0])
    with pytest.raises(aq.NotSupportedError, match="aclnnQuantMatmulV5"):
        aq.quant_matmul(X1, X2, WORDS, group_sizes=[0, 0, 128])


@pytest.mark.parametrize("sizes", [[1, 128], [1, 1, 65536], [-1, 0, 0]])
def test_quant_matmul_group_sizes(sizes: list[int]) -> None:
    with pytest.raises(aq.ParameterError, match="three numbers"):
        aq.quant_matmul(X1, X2, WORDS, group_sizes=sizes)


def test_quant_matmul_groups_reach_the_operator() -> None:
    x1, x2 = np.ones((2, 512), np.int8), np.ones((256, 512), np.int8).T
    rows, blocks = np.ones((2, 4), np.float32), np.ones((2, 4), np.float32)
    with pytest.raises(aq.ParameterError, match=r"'group_sizes': got \[1, 2, 3\];"):
        aq.quant_matmul(
            *(x1, x2, blocks),
            pertoken_scale=rows,
            output_dtype="bfloat16",
            group_sizes=[1, 2, 3],
        )


@pytest.mark.parametrize("name", ["x1", "x2", "scale", "pertoken_scale"])
def test_quant_matmul_declared_types(name: str) -> None:
    values = {"scale": np.float32([1]), "pertoken_scale": np.float32([1, 1])}
    kind = "int8" if name in ("x1", "x2") else "float32"
    named = {**values, "output_dtype": "bfloat16"}
    aq.quant_matmul(X1, X2, **named, **{f"{name}_dtype": kind})
    with pytest.raises(aq.DtypeError, match=f"argument '{name}_dtype'"):
        aq.quant_matmul(X1, X2, **named, **{f"{name}_dtype": "float16"})


def test_quant_matmul_refusals() -> None:
    with pytest.raises(aq.ParameterError, match="2 dimensions"):
        aq.quant_matmul(X1[0], X2, WORDS)
    with pytest.raises(aq.ParameterError, match="batch dimensions"):
        aq.quant_matmul(np.stack([X1] * 2), np.stack([X2] * 3), WORDS)
    with pytest.raises(aq.DtypeError, match="argument 'x1'"):
        aq.quant_matmul(X1.astype(np.uint8), X2, WORDS)
    with pytest.raises(aq.ParameterError, match="'pertoken_scale': got null"):  # int8 by int4
        aq.quant_matmul(X1, np.zeros((3, 1), np.int32), WORDS, output_dtype="float16")


def test_quant_matmul_packed_int4() -> None:
    a = np.arange(-8, 8).reshape(2, 8).astype(np.int8)
    b = np.arange(-32, 32).reshape(8, 8).astype(np.int8) // 4
    expected = a.astype(int) @ b
    x1, x2 = aq.pack_int4(a), aq.pack_int4(b)
    named = {"scale": 1.0, "output_dtype": "float16"}
    assert (aq.quant_matmul(x1, x2, **named, x1_dtype="int4") == expected).all()
    wide = np.concatenate([a, a], axis=1), np.concatenate([b, b])
    x1, turned = aq.pack_int4(wide[0]), aq.pack_int4(np.ascontiguousarray(wide[1].T)).T
    assert (aq.quant_matmul(x1, turned, **named) == 2 * expected).all()
