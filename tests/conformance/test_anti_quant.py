"""Rows 1 to 43: aclnnAscendAntiQuant and the function on top."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from helpers.abi import (
    BFLOAT16,
    Argument,
    Host,
    Operand,
    assert_950_not_supported,
    bf16,
    bits32,
    f16,
    f32,
    given,
    i8,
    i32,
    int4,
    out,
    unpacked,
)
from helpers.compare import assert_same_bits

import aclquant as aq

ANTI, V3 = "aclnnAscendAntiQuant", "aclnnAscendQuantV3"
FLOAT16, BF16 = 1, 27
NAN, INF = np.nan, np.inf
ONE = f32(1)
SATURATION, INF_NAN = 0, 1


def anti(
    x: Any,
    scale: Any,
    offset: Any = None,
    *,
    to: str = "float16",
    sqrt: bool = False,
    dst: int | None = None,
    y: Operand | None = None,
) -> tuple[Argument, ...]:
    """Arguments; y has x's shape, eight times as wide for int32, unless given."""
    shape = (*x.shape[:-1], 8 * x.shape[-1]) if x.dtype == np.int32 else x.shape
    code = {"float16": FLOAT16, "bfloat16": BF16}[to] if dst is None else dst
    return x, scale, offset, code, sqrt, out(shape, to) if y is None else y


@contextmanager
def saturating(host: Host) -> Iterator[Host]:
    """A stream made in saturation mode: the mode counts when a stream is made."""
    assert host.c.aclrtSetDeviceSatMode(SATURATION) == 0
    try:
        other = Host()
    finally:
        assert host.c.aclrtSetDeviceSatMode(INF_NAN) == 0
    try:
        yield other
    finally:
        other.close()


def test_row_01_printed_example(host: Host) -> None:
    y = host.ok(ANTI, *anti(i8(1, 2, 3, 4), f32(2), f32(2)))
    assert_same_bits(y, f16(6, 8, 10, 12))


X02 = i8(-128, -1, 0, 1, 127)


def test_row_02_half_result(host: Host) -> None:
    y = host.ok(ANTI, *anti(X02, f32(0.1), f32(0.1)))
    expected = [-12.7890625, -0.09002685546875, 0.01000213623046875, 0.1099853515625, 12.7109375]
    assert_same_bits(y, f16(expected))


def test_row_03_bfloat16_result(host: Host) -> None:
    y = host.ok(ANTI, *anti(X02, f32(0.1), f32(0.1), to="bfloat16"))
    assert_same_bits(y, bf16(-12.8125, -0.08984375, 0.010009765625, 0.10986328125, 12.6875))


@pytest.mark.parametrize(("to", "expected"), [("bfloat16", bf16(39.25)), ("float16", f16(39.1875))])
def test_row_04_bfloat16_parameters(host: Host, to: str, expected: Any) -> None:
    assert_same_bits(host.ok(ANTI, *anti(i8(127), bf16(0.3), bf16(3.3), to=to)), expected)


def test_row_05_scale_per_column(host: Host) -> None:
    x = i8([[1, 2, 3], [4, 5, 6]])
    y = host.ok(ANTI, *anti(x, f32(1, 10, 0.5), f32(0, -1, 0.25)))
    assert_same_bits(y, f16([[1, 10, 1.625], [4, 40, 3.125]]))


def test_row_06_overflow(host: Host) -> None:
    y = host.ok(ANTI, *anti(i8(127, -128, 100), f32(600)))
    assert_same_bits(y, f16(INF, -INF, 60000))


def test_row_06_overflow_in_saturation_mode(host: Host) -> None:
    with saturating(host) as other:
        y = other.ok(ANTI, *anti(i8(127, -128, 100), f32(600)))
    assert_same_bits(y, f16(65504, -65504, 60000))


@pytest.mark.inference_series
def test_row_06_overflow_inference_series(host: Host) -> None:
    y = host.ok(ANTI, *anti(i8(127, -128, 100), f32(600)))
    assert_same_bits(y, f16(65504, -65504, 60000))


def test_row_07_rounding_to_half(host: Host) -> None:
    scale = f32(1 + 2**-11, 1 + 3 * 2**-11, 65519.996, 65520)
    assert int(scale.view(np.uint32)[2]) == 0x477FEFFF
    y = host.ok(ANTI, *anti(i8(1, 1, 1, 1), scale))
    assert_same_bits(y, f16(1, 1.001953125, 65504, INF))


def test_row_08_rounding_to_bfloat16(host: Host) -> None:
    y = host.ok(ANTI, *anti(i8(1, 1), f32(1 + 2**-8, 1 + 3 * 2**-8), to="bfloat16"))
    assert_same_bits(y, bf16(1, 1.015625))


def test_row_09_half_subnormals(host: Host) -> None:
    y = host.ok(ANTI, *anti(i8(1, 1, 3), f32(2.0**-24, 2.0**-25, 2.0**-25)))
    assert y.view(np.uint16).tolist() == [0x0001, 0x0000, 0x0002]


X10, SCALE10 = i8(0, 1, -1, 1), f32(INF, INF, INF, NAN)


def test_row_10_nan_and_infinities(host: Host) -> None:
    assert_same_bits(host.ok(ANTI, *anti(X10, SCALE10)), f16(NAN, INF, -INF, NAN))


def test_row_10_nan_and_infinities_in_saturation_mode(host: Host) -> None:
    with saturating(host) as other:
        y = other.ok(ANTI, *anti(X10, SCALE10))
    assert_same_bits(y, f16(0, 65504, -65504, 0))


@pytest.mark.inference_series
def test_row_10_nan_and_infinities_inference_series(host: Host) -> None:
    assert_same_bits(host.ok(ANTI, *anti(X10, SCALE10)), f16(0, 65504, -65504, 0))


@pytest.mark.parametrize(("scale", "offset"), [(1, INF), (-1, -INF)])
def test_row_11_infinite_offset(host: Host, scale: float, offset: float) -> None:
    assert_same_bits(host.ok(ANTI, *anti(i8(1), f32(scale), f32(offset))), f16(INF))


def test_row_12_negative_zero(host: Host) -> None:
    y = host.ok(ANTI, *anti(i8(0, -1), f32(-1, 0)))
    assert y.view(np.uint16).tolist() == [0x8000, 0x8000]


def test_row_13_positive_zero(host: Host) -> None:
    y = host.ok(ANTI, *anti(i8(5), f32(0), f32(-5)))
    assert y.view(np.uint16).tolist() == [0x0000]


def test_row_14_single_precision_product(host: Host) -> None:
    y = host.ok(ANTI, *anti(i8(-38), bits32(0x3FC27613), bits32(0xBFDD79F5)))
    assert_same_bits(y, f16(-60.375))


def test_row_15_sqrt_mode_multiplies_twice(host: Host) -> None:
    scale = f32(0.6485595703125, 0.7073974609375)
    y = host.ok(ANTI, *anti(i8(69, -57), scale, sqrt=True))
    assert_same_bits(y, f16(29.03125, -28.53125))


def test_row_15_sqrt_mode_950_is_not_supported() -> None:
    """The row's other numbers belong to the 950 family, which the host device does not pose as."""
    assert_950_not_supported()


def test_row_16_packed_int4(host: Host) -> None:
    y = host.ok(ANTI, *anti(i32(0x76543210), f32(2), f32(2), y=out((8,), "float16")))
    assert_same_bits(y, f16(4, 6, 8, 10, 12, 14, 16, 18))


def test_row_17_packed_negative(host: Host) -> None:
    y = host.ok(ANTI, *anti(i32(0x89ABCDEF), f32(0.5)))
    assert_same_bits(y, f16(-0.5, -1, -1.5, -2, -2.5, -3, -3.5, -4))


def test_row_18_packed_rows(host: Host) -> None:
    y = host.ok(ANTI, *anti(i32([[0x76543210, 0xFFFFFFFF], [0x80000000, 15]]), ONE))
    zeros = [0] * 7
    assert_same_bits(y, f16([[*range(8), *[-1] * 8], [*zeros, -8, -1, *zeros]]))


WORDS = np.random.default_rng(19).integers(-(2**31), 2**31, (3, 5)).astype(np.int32)


def test_row_19_packed_scale_per_column(host: Host) -> None:
    y = host.ok(ANTI, *anti(WORDS, np.arange(1, 41, dtype=np.float32)))
    values = unpacked(WORDS).reshape(3, 40)
    assert y.shape == (3, 40)
    for j in range(40):
        product = values[:, j] * np.float32(j + 1)
        assert_same_bits(y[:, j], product.astype(np.float16), f"column {j}")


def test_row_20_scale_counts_unpacked_elements(host: Host) -> None:
    host.refused(ANTI, *anti(WORDS, f32(1, 2, 3, 4, 5)), argument="scale")


@pytest.mark.parametrize("shape", [(3, 5), (3, 39), (15, 8)])
def test_row_21_packed_width(host: Host, shape: tuple[int, ...]) -> None:
    host.refused(ANTI, *anti(WORDS, ONE, y=out(shape, "float16")), argument="y")


WORD = np.array(0x76543210, np.int32)


def test_row_22_packed_without_dimensions(host: Host) -> None:
    y = host.ok(ANTI, WORD, ONE, None, FLOAT16, False, out((8,), "float16"))
    assert_same_bits(y, f16(*range(8)))


def test_row_22_packed_without_dimensions_needs_eight(host: Host) -> None:
    host.refused(ANTI, WORD, ONE, None, FLOAT16, False, out((), "float16"), argument="y")


def test_row_22_packed_without_dimensions_python() -> None:
    with pytest.raises(RuntimeError, match="argument 'x'"):
        aq.anti_quant(WORD, 1.0)


def test_row_23_int4(host: Host) -> None:
    values = i8([[-8, -7, 0, 7], [1, 2, 3, 4], [-1, -2, -3, -4]])
    scale, offset = f32(0.1), f32(0.3)
    y = host.ok(ANTI, int4(values), scale, offset, FLOAT16, False, out((3, 4), "float16"))
    assert_same_bits(y, host.ok(ANTI, *anti(values, scale, offset)))
    whole = host.ok(ANTI, int4(values), ONE, None, FLOAT16, False, out((3, 4), "float16"))
    assert whole.tolist() == [[-8, -7, 0, 7], [1, 2, 3, 4], [-1, -2, -3, -4]]


def test_row_24_odd_int4(host: Host) -> None:
    x = int4(np.zeros((3, 5), np.int8))
    host.refused(ANTI, x, ONE, None, FLOAT16, False, out((3, 5), "float16"), argument="x")


def test_row_24_transposed_int4(host: Host) -> None:
    dense = int4(np.zeros((2, 4), np.int8))
    x = Operand("int4", (4, 2), dense.storage, strides=(1, 4), storage_shape=(2, 4))
    host.refused(ANTI, x, ONE, None, FLOAT16, False, out((4, 2), "float16"), argument="x")


def test_row_24_empty_transposed_int4_is_nothing(host: Host) -> None:
    """The test for emptiness comes before the one for contiguity."""
    dense = int4(np.zeros((2, 4), np.int8))
    x = Operand("int4", (0, 2), dense.storage, strides=(1, 4), storage_shape=(2, 4))
    host.nothing(ANTI, x, ONE, None, FLOAT16, False, out((0, 2), "float16"))


HOLDER = i8([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (HOLDER.T, [[1, 5, 9], [2, 6, 10], [3, 7, 11], [4, 8, 12]]),
        (np.broadcast_to(HOLDER[:, :1], (3, 2)), [[1, 1], [5, 5], [9, 9]]),
        (HOLDER[1:, 1::2], [[6, 8], [10, 12]]),
    ],
    ids=["transposed", "expanded", "sliced"],
)
@pytest.mark.parametrize("strided", [False, True], ids=["dense", "strided"])
def test_row_25_views(host: Host, x: Any, expected: list[list[int]], strided: bool) -> None:
    """``Host.ok`` compares the gaps and everything around."""
    assert given(x).strides is not None
    rows, columns = x.shape
    y = out(x.shape, "float16", (1, rows + 1), 2) if strided else out(x.shape, "float16")
    assert_same_bits(host.ok(ANTI, *anti(x, ONE, y=y)), f16(expected))
    assert columns == len(expected[0])


def test_row_26_sliced_words(host: Host) -> None:
    x = i32(0x76543210, 0x55555555, 0x89ABCDEF, 0x55555555)[::2]
    y = host.ok(ANTI, *anti(x, ONE))
    assert_same_bits(y, f16(*range(8), *range(-1, -9, -1)))


def test_row_27_strided_parameters(host: Host) -> None:
    scale, offset = f32(1, 99, 10, 99, 0.5, 99)[::2], f32(0.25, -1, 0)[::-1]
    y = host.ok(ANTI, *anti(i8([[1, 2, 3], [4, 5, 6]]), scale, offset))
    assert_same_bits(y, f16([[1, 10, 1.625], [4, 40, 3.125]]))


def test_row_28_no_dimensions(host: Host) -> None:
    y = host.ok(ANTI, *anti(np.array(3, np.int8), f32(2)))
    assert_same_bits(y, np.array(6, np.float16))


def test_row_29_eight_dimensions(host: Host) -> None:
    x = np.ones((1, 2, 1, 2, 1, 2, 1, 2), np.int8)
    assert_same_bits(host.ok(ANTI, *anti(x, f32(3))), np.full(x.shape, 3, np.float16))


def test_row_29_nine_dimensions(host: Host) -> None:
    host.refused(ANTI, *anti(np.ones((1, 2, 1, 2, 1, 2, 1, 2, 1), np.int8), ONE), argument="x")


@pytest.mark.parametrize("count", [1, 0])
def test_row_30_empty_x(host: Host, count: int) -> None:
    host.nothing(ANTI, *anti(np.zeros((3, 0), np.int8), np.ones(count, np.float32)))


def test_row_30_empty_scale(host: Host) -> None:
    x = np.zeros((3, 4), np.int8)
    host.refused(ANTI, *anti(x, np.zeros(0, np.float32)), argument="scale")


@pytest.mark.parametrize("shape", [(2,), (1, 5), (), (3,)])
def test_row_31_scale_shape(host: Host, shape: tuple[int, ...]) -> None:
    x = np.zeros((3, 5), np.int8)
    host.refused(ANTI, *anti(x, np.ones(shape, np.float32)), argument="scale")


@pytest.mark.parametrize(
    ("scale", "offset"),
    [(f32(1, 2, 3, 4, 5), ONE), (ONE, f32(1, 2, 3, 4, 5)), (ONE, f32([[1]])), (ONE, bf16(1))],
    ids=["one", "many", "2d", "dtype"],
)
def test_row_32_offset(host: Host, scale: Any, offset: Any) -> None:
    host.refused(ANTI, *anti(np.zeros((3, 5), np.int8), scale, offset), argument="offset")


@pytest.mark.parametrize(
    ("x", "scale", "y", "dst", "argument"),
    [
        (i8(1), f16(1), out((1,), "float16"), FLOAT16, "scale"),
        (np.array([1], np.uint8), ONE, out((1,), "float16"), FLOAT16, "x"),
        (i8(1), ONE, out((1,), "float32"), 0, "y"),
        (f16(1), ONE, out((1,), "float16"), FLOAT16, "x"),
    ],
    ids=["half-scale", "uint8-x", "single-y", "half-x"],
)
def test_row_33_dtypes(host: Host, x: Any, scale: Any, y: Operand, dst: int, argument: str) -> None:
    host.refused(ANTI, *anti(x, scale, y=y, dst=dst), argument=argument)


@pytest.mark.parametrize(
    ("dst", "to"),
    [(FLOAT16, "bfloat16"), (BF16, "float16"), (0, "float16"), (99, "float16")],
)
def test_row_34_dst_type_contradicts_y(host: Host, dst: int, to: str) -> None:
    host.refused(ANTI, *anti(i8(1), ONE, to=to, dst=dst), argument="dstType")


@pytest.mark.parametrize("upper", [0x7FFFFFFF, 1, -1])
def test_row_35_upper_half_of_dst_type(host: Host, upper: int) -> None:
    y = host.ok(ANTI, *anti(i8(1, 2), f32(2), dst=(upper << 32) | 1))
    assert_same_bits(y, f16(2, 4))


@pytest.mark.parametrize("argument", ["x", "scale", "y"])
def test_row_36_null_tensor(host: Host, argument: str) -> None:
    arguments: list[Argument] = list(anti(i8(1), ONE))
    arguments[{"x": 0, "scale": 1, "y": 5}[argument]] = None
    host.refused(ANTI, *arguments, argument=argument, status=161001)


@pytest.mark.parametrize("argument", ["executor", "workspaceSize"])
def test_row_36_null_result(host: Host, argument: str) -> None:
    host.refused(ANTI, *anti(i8(1), ONE), argument=argument, status=161001, null=argument)


def test_row_36_null_offset_is_allowed(host: Host) -> None:
    assert_same_bits(host.ok(ANTI, *anti(i8(3), ONE, None)), f16(3))


@pytest.mark.parametrize("to", ["float16", "bfloat16"])
def test_row_37_no_offset_equals_zero(host: Host, to: str) -> None:
    x = np.arange(-128, 128).astype(np.int8)
    without = host.ok(ANTI, *anti(x, f32(0.37), to=to))
    assert_same_bits(host.ok(ANTI, *anti(x, f32(0.37), f32(0), to=to)), without)
    assert int(without.view(np.uint16)[128]) == 0x0000


@pytest.mark.inference_series
@pytest.mark.parametrize(
    ("x", "scale", "to", "argument"),
    [
        (i32(1), ONE, "float16", "x"),
        (i8(1), bf16(1), "float16", "scale"),
        (i8(1), ONE, "bfloat16", "y"),
    ],
    ids=["packed-x", "bfloat-scale", "bfloat-y"],
)
def test_row_38_inference_series_dtypes(
    host: Host, x: Any, scale: Any, to: str, argument: str
) -> None:
    host.refused(ANTI, *anti(x, scale, to=to), argument=argument)


def test_row_39_bfloat16_overflow(host: Host) -> None:
    y = host.ok(ANTI, *anti(i8(1, 2), f32(3e38), to="bfloat16"))
    assert y.dtype == BFLOAT16
    assert y.view(np.uint16).tolist() == [0x7F62, 0x7F80]
    assert f"{float(y[0]):.6g}" == "3.00406e+38"


def test_row_40_python_default_dtype() -> None:
    y = aq.anti_quant(i8(1, 2, 3, 4), f32(2), offset=f32(2))
    assert_same_bits(y, f16(6, 8, 10, 12))


def test_row_41_python_quint4x2_of_int32() -> None:
    y = aq.torch_npu.npu_anti_quant(i32(0x76543210), ONE, src_dtype="torch.quint4x2")
    assert_same_bits(y, f16(*range(8)))


def test_row_41_python_int8_of_int32() -> None:
    with pytest.raises(RuntimeError, match="argument 'src_dtype'"):
        aq.torch_npu.npu_anti_quant(i32(1), ONE, src_dtype="torch.int8")


def test_row_41_python_int8_of_int8() -> None:
    y = aq.torch_npu.npu_anti_quant(i8(1, 2), ONE, src_dtype="torch.int8")
    assert_same_bits(y, f16(1, 2))


def test_row_42_python_single_x() -> None:
    with pytest.raises(RuntimeError, match="argument 'x'"):
        aq.torch_npu.npu_anti_quant(f32(1, 2), ONE)


@pytest.mark.parametrize("power", [-3, 0, 2])
def test_row_43_round_trip(host: Host, power: int) -> None:
    s = np.float32(2.0**power)
    x = np.random.default_rng(43).uniform(-7, 7, (4, 16)).astype(np.float32) / s
    assert np.abs(x * s).max() <= 7
    q = host.ok(V3, x, f32(s), None, False, "round", 3, -1, out((4, 2), "int32"))
    y = host.ok(ANTI, *anti(q, f32(1 / s), to="float16"))
    assert np.array_equal(y.astype(np.float32), np.rint(x * s) / s)
