"""What comes in: numbers, lists, buffers and foreign arrays, taken as they are or refused."""

from __future__ import annotations

import array
import importlib.util
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from helpers.processes import run_python
from hypothesis import given
from hypothesis import strategies as st

import aclquant as aq
from aclquant.arrays import convert

_INTEGERS = ["int4", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


def _swapped(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the same values in the other byte order."""
    return values.astype(values.dtype.newbyteorder())


# --- numbers ---


@given(
    values=st.lists(st.integers(-(2**64), 2**65) | st.integers(-300, 300), min_size=1, max_size=4),
    name=st.sampled_from(_INTEGERS),
)
def test_integers_are_taken_exactly_or_refused(values: list[int], name: str) -> None:
    dtype = aq.as_dtype(name).numpy
    info: Any = ml_dtypes.iinfo(dtype) if name == "int4" else np.iinfo(dtype)
    if all(int(info.min) <= value <= int(info.max) for value in values):
        assert aq.asarray(values, name).tolist() == values
    else:
        with pytest.raises(aq.RangeError, match="whole numbers from") as caught:
            aq.asarray(values, name)
        assert isinstance(caught.value, OverflowError)


@given(
    source=st.sampled_from([*_INTEGERS, "bool", "float16", "float32", "float64", "bfloat16"]),
    target=st.sampled_from(_INTEGERS),
    values=st.lists(st.integers(-9, 9) | st.sampled_from([127, 128, 255, 256]), max_size=4),
    scale=st.sampled_from([1, 1, 0.5]),
)
def test_arrays_become_integers_exactly_or_not_at_all(
    source: str, target: str, values: list[int], scale: float
) -> None:
    given_values = (np.array(values, np.float64) * scale).astype(aq.as_dtype(source).numpy)
    numbers = given_values.tolist()  # after the source's own conversion
    dtype = aq.as_dtype(target).numpy
    info: Any = ml_dtypes.iinfo(dtype) if target == "int4" else np.iinfo(dtype)
    fits = all(int(info.min) <= n <= int(info.max) and n == int(n) for n in numbers)
    if fits:
        converted = convert(given_values, dtype, "f", "x")
        assert converted.dtype == dtype
        assert converted.tolist() == numbers
    else:
        with pytest.raises(aq.RangeError, match="f: argument 'x'"):
            convert(given_values, dtype, "f", "x")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 2.0**63, -1.5])
def test_floats_that_int64_does_not_hold(value: float) -> None:
    for given_value in (value, [value], np.float64(value)):
        with pytest.raises(aq.RangeError):
            aq.asarray(given_value, "int64")
    assert aq.asarray(-(2.0**63), "int64").item() == -(2**63)


def test_floats_are_rounded_to_floats() -> None:
    assert aq.asarray([0.1], "float16").item() == float(np.float16(0.1))
    assert np.isinf(aq.asarray([1e9], "float16").item())
    with np.errstate(all="raise"):
        assert aq.asarray([1e-300, 1e300], "float32").tolist() == [0.0, float("inf")]


def test_python_numbers_have_the_types_that_operators_take() -> None:
    """newcomer.md 2e: asarray([1.5, 2]) was a float64 Tensor, which no operator takes."""
    assert aq.asarray([1.5, 2]).dtype == np.float32
    assert aq.asarray(1.5).dtype == np.float32
    assert aq.asarray([1, 2]).dtype == np.int64
    assert aq.asarray([True]).dtype == np.bool_
    assert aq.asarray(np.float64(1.5)).dtype == np.float64
    assert aq.asarray(np.array([1.5])).dtype == np.float64
    assert aq.asarray([2**63]).dtype == np.uint64
    for large in ([2**63, -1], [2**70], 2**70):
        with pytest.raises(aq.RangeError):
            aq.asarray(large)
    again = aq.quantize(aq.asarray([1.5, 2]), 1.0).numpy()
    np.testing.assert_array_equal(again, aq.quantize([1.5, 2], 1.0))


@pytest.mark.parametrize("value", [[300], [1.5], 300, float("nan"), [2**70], [-129, 0]])
def test_x_of_numbers_is_not_wrapped_or_cut(value: Any) -> None:
    """issue 11: lists as `x` of an operator that takes int8."""
    with pytest.raises(aq.ParameterError, match=r"aclquant\.anti_quant: argument 'x'"):
        aq.anti_quant(value, 1.0)


@pytest.mark.parametrize(
    "value", ["abc", ["1.5"], b"abc", None, [None], {1: 2}, 1j, [1, [2]], object(), np.void(b"ab")]
)
@pytest.mark.parametrize(
    "take",
    [
        aq.asarray,
        lambda value: aq.asarray(value, "float32"),
        lambda value: aq.asarray(value, "int8"),
        lambda value: aq.quantize(value, 1.0),
        lambda value: aq.empty((1,), "int8").write(value),
        aq.pack_int4,
    ],
)
def test_what_is_not_a_number_is_refused(take: Callable[[Any], Any], value: Any) -> None:
    if take is aq.asarray and type(value) is complex:
        assert take(value).dtype == np.complex128
        return
    with pytest.raises(aq.AclError, match=r"argument '(value|x|array)'"):
        take(value)


# --- buffers ---


@pytest.mark.parametrize(
    "value",
    [
        bytearray(b"\x01\xff"),
        memoryview(b"\x01\xff"),
        array.array("d", [1.5, -2]),
        array.array("f", [1.5, -2]),
        array.array("h", [300, -2]),
        array.array("q", [2**40, -2]),
        memoryview(np.arange(6, dtype=np.int16).reshape(2, 3))[::2],
    ],
)
def test_buffers_keep_their_type(value: Any) -> None:
    expected = np.asarray(value)
    tensor = aq.asarray(value)
    assert tensor.dtype == expected.dtype
    np.testing.assert_array_equal(tensor.numpy(), expected)


def test_buffers_as_x() -> None:
    x = array.array("f", [0.5, 1.5])
    np.testing.assert_array_equal(aq.quantize(x, 0.5), [1, 3])
    np.testing.assert_array_equal(aq.quantize([0.5, 1.5], array.array("f", [0.5])), [1, 3])
    codes = array.array("b", [1, -2])
    np.testing.assert_array_equal(aq.anti_quant(codes, 0.5), np.float16([0.5, -1]))
    for wrong in (array.array("d", [0.5]), array.array("i", [300]), bytearray(b"ab")):
        with pytest.raises(aq.DtypeError, match=r"argument 'x'"):
            aq.quantize(wrong, 0.5)
    with pytest.raises(aq.RangeError):
        aq.asarray(array.array("i", [300]), "int8")


# --- byte orders ---

_X = np.float32([[0.5, 1.5, -2.5, 3, 4, -5, 6, 7]])
_A = np.arange(-32, 32, dtype=np.int8).reshape(4, 16) % 8
_B = np.arange(128, dtype=np.int8).reshape(16, 8) % 15 - 7
_HALF = np.full(8, 0.5, np.float32)
_INTEGER_ZERO = np.full(8, 3, np.int32)

_CALLS: dict[str, Callable[[Callable[[Any], Any], Any], Any]] = {
    "quantize": lambda s, out: aq.quantize(
        s(_X), s(_HALF), s(_INTEGER_ZERO), dtype="qint32", out=out
    ),
    "quantize packed": lambda s, out: aq.quantize(
        s(_X), s(_HALF), dtype="quint4x2", div_mode=False, out=out
    ),
    "anti_quant packed": lambda s, out: aq.anti_quant(
        s(np.int32([0x76543210])), s(np.float32([0.5])), offset=s(np.float32([1])), out=out
    ),
    "anti_quant": lambda s, out: aq.anti_quant(np.int8([1, 2]), s(np.float32([0.5])), out=out),
    "trans_quant_param": lambda s, out: aq.trans_quant_param(s(_HALF), s(np.float32([2])), out=out),
    "quant_matmul": lambda s, out: aq.quant_matmul(
        _A, _B, s(_HALF), output_dtype="float16", out=out
    ),
    "quant_matmul of packed int4": lambda s, out: aq.quant_matmul(
        s(aq.pack_int4(_A)), s(aq.pack_int4(_B)), s(_HALF), output_dtype="float16", out=out
    ),
    "quant_matmul with packed scales": lambda s, out: aq.quant_matmul(
        _A, _B, s(aq.trans_quant_param(_HALF)), output_dtype="float16", out=out
    ),
    "quant_matmul with a bias": lambda s, out: aq.quant_matmul(
        _A, _B, s(_HALF), bias=s(_INTEGER_ZERO), output_dtype="float16", out=out
    ),
}


@pytest.mark.parametrize("name", _CALLS)
@pytest.mark.parametrize("repeat", [1, 3])
def test_the_other_byte_order_works_everywhere(name: str, repeat: int) -> None:
    """faults.md C3: arguments and outputs; the third call in a row may be a prepared one."""
    call = _CALLS[name]
    expected = call(lambda values: values, None)
    for _ in range(repeat):
        np.testing.assert_array_equal(call(_swapped, None), expected)
        out = np.zeros(expected.shape, expected.dtype.newbyteorder())
        assert call(_swapped, out) is out
        np.testing.assert_array_equal(out, expected)
        apart = np.zeros((*expected.shape[:-1], expected.shape[-1] * 2), out.dtype)
        assert call(_swapped, apart[..., ::2]) is not None
        np.testing.assert_array_equal(apart[..., ::2], expected)
        assert not apart[..., 1::2].any()


def test_the_other_byte_order_of_dynamic_quant() -> None:
    x = _X.astype(np.float16)
    expected = aq.dynamic_quant(x)
    out = np.zeros_like(expected[0]), np.zeros(expected[1].shape, ">f4")
    assert aq.dynamic_quant(_swapped(x), out=out)[1] is out[1]
    for got, wanted in zip(out, expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("name", ["float32", "float16", "int16", "int32", "int64", "uint64"])
def test_the_other_byte_order_of_tensors(name: str) -> None:
    values = np.arange(6).astype(name).reshape(2, 3)
    foreign = _swapped(values)
    tensor = aq.asarray(foreign)
    assert tensor.dtype == values.dtype and tensor.tolist() == values.tolist()
    assert aq.asarray(values, foreign.dtype).tolist() == values.tolist()
    assert aq.empty(3, foreign.dtype).dtype == values.dtype
    tensor.write(_swapped(values + 1))
    assert tensor.tolist() == (values + 1).tolist()
    out = np.zeros_like(foreign)
    assert tensor.numpy(out=out) is out
    assert out.tolist() == (values + 1).tolist()
    assert aq.as_dtype(foreign.dtype) is aq.as_dtype(values.dtype)


def test_the_other_byte_order_of_packing() -> None:
    packed = np.int32([0x76543210, -2])
    np.testing.assert_array_equal(aq.unpack_int4(_swapped(packed)), aq.unpack_int4(packed))
    values = aq.unpack_int4(packed).astype(np.int16)
    np.testing.assert_array_equal(aq.pack_int4(_swapped(values)), packed)


def test_plans_say_which_array_has_the_other_byte_order() -> None:
    with pytest.raises(aq.ParameterError, match=r"argument 'x'.*in the other byte order"):
        aq.plan(aq.quantize, _swapped(_X), 0.5)
    with aq.plan(aq.quantize, _X, _swapped(_HALF), dtype="qint32") as plan:
        expected = aq.quantize(_X, _HALF, dtype="qint32")
        np.testing.assert_array_equal(plan(_X), expected)
        with pytest.raises(aq.ParameterError, match=r"argument 'x'.*in foreign byte order"):
            plan(_swapped(_X))
        with pytest.raises(aq.ParameterError, match=r"argument 'out'.*in foreign byte order"):
            plan(_X, out=_swapped(expected))


# --- foreign arrays ---


class _Exporter:
    """An array of another library: by DLPack, which NumPy may refuse, and perhaps ``__array__``."""

    def __init__(self, values: npt.NDArray[Any], error: type[Exception] | None) -> None:
        self.values, self.error = values, error

    def __dlpack__(self, **options: Any) -> Any:
        if self.error is not None:
            raise self.error("not by DLPack")
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


class _WithArray(_Exporter):
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return self.values


@pytest.mark.parametrize("error", [BufferError, RuntimeError, TypeError, None])
def test_array_is_taken_where_dlpack_fails(error: type[Exception] | None) -> None:
    """faults.md C4: JAX refuses bfloat16, int4 and 8-bit floats to NumPy's DLPack."""
    values = np.float32([1, 2.5])
    assert aq.quantize(_WithArray(values, error), 0.5).tolist() == [2, 5]
    assert aq.asarray(_WithArray(values, error)).tolist() == [1, 2.5]
    if error is None:
        assert aq.quantize(_Exporter(values, error), 0.5).tolist() == [2, 5]
    else:
        with pytest.raises(aq.ParameterError, match=r"argument 'x'.*_Exporter.*cannot be read"):
            aq.quantize(_Exporter(values, error), 0.5)


_FOREIGN = ["bfloat16", "float16", "float32", "int4", "int8", "float8_e4m3fn", "float8_e5m2"]


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
def test_jax_arrays_are_read() -> None:
    """In a process apart: JAX starts threads and warns of every later fork."""
    run_python(
        f"""
        import aclquant as aq, jax.numpy as jnp
        for name in {_FOREIGN}:
            values = jnp.asarray([[1, -2, 3], [4, 0, -1]], dtype=getattr(jnp, name))
            tensor = aq.asarray(values)
            assert tensor.dtype == aq.as_dtype(name).numpy
            assert tensor.tolist() == [[1, -2, 3], [4, 0, -1]]
            assert aq.asarray(values.T).tolist() == [[1, 4], [-2, 0], [3, -1]]
            assert jnp.asarray(tensor).dtype == values.dtype
            if name in ("bfloat16", "float16", "float32"):
                assert aq.quantize(values, 0.5).tolist() == [[2, -4, 6], [8, 0, -2]]
        """
    )


@pytest.mark.parametrize("name", _FOREIGN)
def test_every_type_of_ml_dtypes_comes_back(name: str) -> None:
    """float8_e5m2 could be written but not read: NumPy has no name for it in its interface."""
    values = np.array([[1, -2, 3], [4, 0, -1]]).astype(aq.as_dtype(name).numpy)
    tensor = aq.asarray(values)
    assert tensor[:, ::2].tolist() == [[1, 3], [4, -1]]
    assert tensor.T.numpy().dtype == values.dtype
    assert "1" in str(tensor)
