"""Rows 1 to 62: aclnnQuantize, aclnnAscendQuant, aclnnAscendQuantV3 and the function on top."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.abi import (
    FRACTAL_NZ,
    NCDHW,
    NCHW,
    NCL,
    Argument,
    Host,
    Operand,
    assert_950_not_supported,
    bf16,
    f16,
    f32,
    given,
    i8,
    i32,
    out,
    unpacked,
)
from helpers.compare import assert_same_bits

import aclquant as aq

V1, V3, DIVIDE = "aclnnAscendQuant", "aclnnAscendQuantV3", "aclnnQuantize"
INT8, INT32, UINT8, INT4 = 2, 3, 4, 29
NAN, INF = np.nan, np.inf
ONE = f32(1)
X23 = f32([[1, 2, 3], [4, 5, 6]])


def v3(
    x: Any,
    scale: Any,
    offset: Any = None,
    *,
    mode: str | None = "round",
    axis: int = -1,
    dst: int = INT8,
    y: Operand | None = None,
    sqrt: bool = False,
) -> tuple[Argument, ...]:
    """Arguments of V3; y is int8 of x's shape unless given."""
    result = out(x.shape, "int8") if y is None else y
    return x, scale, offset, sqrt, mode, dst, axis, result


def divide(
    x: Any, scales: Any, zero: Any = None, dtype: str = "int8", axis: int = 0
) -> tuple[Argument, ...]:
    code = {"int8": INT8, "uint8": UINT8, "int32": INT32}[dtype]
    return x, scales, zero, code, axis, out(x.shape, dtype)


def test_row_01_ties_to_even(host: Host) -> None:
    y = host.ok(V3, *v3(f32(0.5, 1.5, 2.5, -0.5, -1.5, -2.5), ONE))
    assert y.tolist() == [0, 2, 2, 0, -2, -2]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("floor", [1, -2, 2, -3, 0, -1]),
        ("ceil", [2, -1, 3, -2, 1, 0]),
        ("trunc", [1, -1, 2, -2, 0, 0]),
    ],
)
def test_row_02_floor_ceil_trunc(host: Host, mode: str, expected: list[int]) -> None:
    y = host.ok(V3, *v3(f32(1.5, -1.5, 2.5, -2.5, 0.1, -0.1), ONE, mode=mode))
    assert y.tolist() == expected


def test_row_03_saturates(host: Host) -> None:
    y = host.ok(V3, *v3(f32(126.4, 126.6, 127.4, 127.6, 1e10, -128.4, -128.6, -1e10), ONE))
    assert y.tolist() == [126, 127, 127, 127, 127, -128, -128, -128]


def test_row_04_nan_and_infinities(host: Host) -> None:
    assert host.ok(V3, *v3(f32(NAN, INF, -INF), ONE)).tolist() == [0, 127, -128]


def test_row_05_infinite_scale(host: Host) -> None:
    assert host.ok(V3, *v3(f32(0, 1, -1), f32(INF))).tolist() == [0, 127, -128]


def test_row_06_zero_scale_with_offset(host: Host) -> None:
    assert host.ok(V3, *v3(f32(5, -5, INF, NAN), f32(0), f32(3))).tolist() == [3, 3, 0, 0]


def test_row_07_product_overflows(host: Host) -> None:
    assert host.ok(V3, *v3(f32(3e38, -3e38), f32(10), f32(-1e38))).tolist() == [127, -128]


def test_row_08_infinity_minus_infinity(host: Host) -> None:
    assert host.ok(V3, *v3(f32(3e38), f32(10), f32(-INF))).tolist() == [0]


def test_row_09_subnormal_x(host: Host) -> None:
    assert host.ok(V3, *v3(f32(1.5 * 2.0**-127), f32(2.0**127))).tolist() == [2]


def test_row_10_no_fused_multiply_add(host: Host) -> None:
    y = host.ok(V3, *v3(f32(1.000244140625), f32(1.000244140625), f32(-0.50048828125)))
    assert y.tolist() == [0]


def test_row_11_half_is_multiplied_in_single(host: Host) -> None:
    assert host.ok(V3, *v3(f16(11.828125, 14.171875), f16(3))).tolist() == [35, 43]


def test_row_12_bfloat16(host: Host) -> None:
    y = host.ok(V3, *v3(bf16(10, 12.5, -12.5, 1270, 2000), bf16(0.1)))
    assert y.tolist() == [1, 1, -1, 127, 127]


def test_row_13_sqrt_mode_multiplies_twice(host: Host) -> None:
    y = host.ok(V3, *v3(f32(84.25), f32(1.053466796875), sqrt=True))
    assert y.tolist() == [94]


def test_row_13_sqrt_mode_950_is_not_supported() -> None:
    """The row's 93 belongs to the 950 family, which the host device does not pose as."""
    assert_950_not_supported()


def test_row_14_scale_per_row(host: Host) -> None:
    scale, offset = f32([[10], [1]]), f32([[0.5], [-0.5]])
    y = host.ok(V3, *v3(X23, scale, offset, axis=-2))
    assert y.tolist() == [[10, 20, 30], [4, 4, 6]]


@pytest.mark.parametrize("axis", [-1, 1])
def test_row_15_scale_per_column(host: Host, axis: int) -> None:
    y = host.ok(V3, *v3(X23, f32(10, 1, 2), axis=axis))
    assert y.tolist() == [[10, 2, 6], [40, 5, 12]]


def test_row_16_scale_of_the_other_axis(host: Host) -> None:
    host.refused(V3, *v3(X23, f32(10, 1, 2), axis=-2), argument="scale")


@pytest.mark.parametrize("axis", [0, -3])
def test_row_17_only_the_last_two_axes(host: Host, axis: int) -> None:
    host.refused(V3, *v3(np.ones((2, 3, 4), np.float32), ONE, axis=axis), argument="axis")


@pytest.mark.parametrize("axis", [-2, 1])
def test_row_18_axis_out_of_range(host: Host, axis: int) -> None:
    host.refused(V3, *v3(np.ones(5, np.float32), ONE, axis=axis), argument="axis")


def test_row_19_eight_dimensions(host: Host) -> None:
    x = np.ones((1, 2, 1, 2, 1, 2, 1, 2), np.float32)
    assert_same_bits(host.ok(V3, *v3(x, ONE)), np.ones(x.shape, np.int8))


def test_row_19_nine_dimensions(host: Host) -> None:
    x = np.ones((1, 2, 1, 2, 1, 2, 1, 2, 1), np.float32)
    host.refused(V3, *v3(x, ONE), argument="x")


@pytest.mark.parametrize("axis", [-1, 0])
@pytest.mark.parametrize(("dtype", "dst"), [("int8", INT8), ("int32", INT32), ("int4", INT4)])
def test_row_20_no_dimensions(host: Host, axis: int, dtype: str, dst: int) -> None:
    x = np.array(3, np.float32)
    host.refused(V3, *v3(x, ONE, axis=axis, dst=dst, y=out((), dtype)), argument="x")


def test_row_20_no_dimensions_in_v1(host: Host) -> None:
    x = np.array(3.5, np.float32)
    y = host.ok(V1, x, ONE, None, False, "round", INT8, out((), "int8"))
    assert y.shape == ()
    assert y.tolist() == 4


def test_row_21_empty_x(host: Host) -> None:
    y = out((0, 4), "int8", strides=(4, 1))
    host.nothing(V3, *v3(np.zeros((0, 4), np.float32), f32(1, 2, 3, 4), y=y))


INT4_X = f32([[1, 2, 3, 4, 5, 6, 7, 8], [-1, -2, -3, -4, -8, -9, 0.5, 1.5]])


def test_row_22_packed_int4(host: Host) -> None:
    y = host.ok(V3, *v3(INT4_X, ONE, dst=INT32, y=out((2, 1), "int32")))
    assert y.tolist() == [[2003125025], [545836527]]


def test_row_22_third_vector_with_specials(host: Host) -> None:
    x = f32([[NAN, INF, -INF, 7.5, 7.4, -8.5, -8.6, 6.5]])
    y = host.ok(V3, *v3(x, ONE, dst=INT32, y=out((1, 1), "int32")))
    assert y.tolist() == [[1753708656]]


def test_row_23_int4(host: Host) -> None:
    y = out((2, 8), "int4")
    assert y.storage.size == 8
    values = host.ok(V3, *v3(INT4_X, ONE, dst=INT4, y=y))
    assert values.tolist() == [[1, 2, 3, 4, 5, 6, 7, 7], [-1, -2, -3, -4, -8, -8, 0, 2]]
    assert np.array_equal(unpacked(i32(2003125025, 545836527)).reshape(2, 8), values)


def test_row_24_packed_width(host: Host) -> None:
    x = np.ones((2, 12), np.float32)
    host.refused(V3, *v3(x, ONE, dst=INT32, y=out((2, 1), "int32")), argument="y")


def test_row_25_odd_int4(host: Host) -> None:
    x = np.ones((2, 7), np.float32)
    host.refused(V3, *v3(x, ONE, dst=INT4, y=out((2, 7), "int4")), argument="y")


@pytest.mark.parametrize(
    ("dst", "y"), [(INT32, out((8,), "int8")), (INT8, out((1,), "int32"))], ids=["int8", "int32"]
)
def test_row_26_dst_type_contradicts_y(host: Host, dst: int, y: Operand) -> None:
    host.refused(V3, *v3(np.ones(8, np.float32), ONE, dst=dst, y=y), argument="dstType")


@pytest.mark.parametrize(
    ("x", "scale", "offset", "argument"),
    [
        (f16(1), f32(1), None, "scale"),
        (bf16(1), f16(1), None, "scale"),
        (f16(1), f16(1), f32(1), "offset"),
    ],
    ids=["half-single", "bfloat-half", "offset"],
)
def test_row_27_mixed_dtypes(host: Host, x: Any, scale: Any, offset: Any, argument: str) -> None:
    host.refused(V3, *v3(x, scale, offset), argument=argument)


def test_row_28_single_x_half_scale(host: Host) -> None:
    """The products are 0.4998779296875, 2.4993896484375 and, past the tie, 3.5001220703125."""
    scale = f16(0.1)
    assert float(scale[0]) == 0.0999755859375
    x = f32(5, 25, 35.009765625)
    assert host.ok(V3, *v3(x, scale)).tolist() == [0, 2, 4]


@pytest.mark.parametrize("argument", ["x", "scale", "y"])
def test_row_29_null_tensor(host: Host, argument: str) -> None:
    position = {"x": 0, "scale": 1, "y": 7}[argument]
    arguments: list[Argument] = list(v3(X23, ONE))
    arguments[position] = None
    host.refused(V3, *arguments, argument=argument, status=161001)


@pytest.mark.parametrize("argument", ["executor", "workspaceSize"])
def test_row_29_null_result(host: Host, argument: str) -> None:
    host.refused(V3, *v3(X23, ONE), argument=argument, status=161001, null=argument)


@pytest.mark.parametrize("mode", [None, "Round", "rint", "hybrid"])
def test_row_30_round_mode(host: Host, mode: str | None) -> None:
    host.refused(V3, *v3(X23, ONE, mode=mode), argument="roundMode")


def test_row_31_transposed_x(host: Host) -> None:
    y = host.ok(V3, *v3(X23.T, f32(10, 1)))
    assert y.tolist() == [[10, 4], [20, 5], [30, 6]]


def test_row_31_expanded_x(host: Host) -> None:
    x = np.broadcast_to(f32([[1], [2]]), (2, 3))
    assert x.strides[1] == 0
    assert host.ok(V3, *v3(x, f32(10, 1, 2))).tolist() == [[10, 1, 2], [20, 2, 4]]


@pytest.mark.parametrize(("strides", "offset"), [((8, 2), 1), ((1, 5), 2), ((3, 1), 4)])
def test_row_31_strided_y(host: Host, strides: tuple[int, int], offset: int) -> None:
    """``Host.ok`` compares the gaps and everything around."""
    y = host.ok(V3, *v3(X23, f32(10, 1, 2), y=out((2, 3), "int8", strides, offset)))
    assert y.tolist() == [[10, 2, 6], [40, 5, 12]]


def test_row_31_strided_packed_y(host: Host) -> None:
    y = out((2, 1), "int32", strides=(3, 1), offset=1)
    assert host.ok(V3, *v3(INT4_X, ONE, dst=INT32, y=y)).tolist() == [[2003125025], [545836527]]


@pytest.mark.parametrize("function", [V3, V1])
def test_row_32_strided_scale(host: Host, function: str) -> None:
    """The chip's V1 reads a strided scale as if it were dense; the host device does not."""
    scale = f32(10, 99, 1, 99, 2, 99)[::2]
    arguments: list[Argument] = [X23, scale, None, False, "round", INT8]
    arguments += [out((2, 3), "int8")] if function == V1 else [-1, out((2, 3), "int8")]
    assert host.ok(function, *arguments).tolist() == [[10, 2, 6], [40, 5, 12]]


def test_row_33_no_offset_equals_zero(host: Host) -> None:
    x = f32(0.5, -0.5, 1.5, 127.5, -128.5, NAN, INF, -INF)
    without = host.ok(V3, *v3(x, ONE))
    assert without.tolist() == [0, 0, 2, 127, -128, 0, 127, -128]
    assert host.ok(V3, *v3(x, ONE, f32(0))).tolist() == without.tolist()


@pytest.mark.parametrize(("offset", "expected"), [(0.5, [2, 2, 4]), (-0.5, [0, 2, 2])])
def test_row_34_fractional_offset(host: Host, offset: float, expected: list[int]) -> None:
    assert host.ok(V3, *v3(f32(1, 2, 3), ONE, f32(offset))).tolist() == expected


def test_row_35_calls_that_differ_in_axis_only(host: Host) -> None:
    x, scale = np.ones((4, 4), np.float32), f32(1, 2, 3, 4)
    columns, rows = [[1, 2, 3, 4]] * 4, [[1] * 4, [2] * 4, [3] * 4, [4] * 4]
    for _ in range(2):
        assert host.ok(V3, *v3(x, scale, axis=-1)).tolist() == columns
        assert host.ok(V3, *v3(x, scale, axis=-2)).tolist() == rows


@pytest.mark.inference_series
def test_row_36_inference_series_second_last_axis(host: Host) -> None:
    host.refused(V3, *v3(X23, f32([[10], [1]]), axis=-2), argument="axis")


@pytest.mark.inference_series
def test_row_36_inference_series_packed_int4(host: Host) -> None:
    y = out((2, 1), "int32")
    host.refused(V3, *v3(INT4_X, ONE, dst=INT32, y=y), argument="y")


@pytest.mark.inference_series
def test_row_36_inference_series_bfloat16(host: Host) -> None:
    host.refused(V3, *v3(bf16(1), bf16(1)), argument="x")


def test_row_37_division_not_reciprocal(host: Host) -> None:
    assert host.ok(DIVIDE, *divide(f32(45.5, -45.5), f32(7))).tolist() == [6, -6]


def test_row_38_zero_point_before_rounding(host: Host) -> None:
    assert host.ok(DIVIDE, *divide(f32(0.5, 1.5), ONE, i32(1))).tolist() == [2, 2]


def test_row_39_uint8(host: Host) -> None:
    x = f32(-3, -0.5, 0.5, 1.5, 254.5, 255.4, 300)
    y = host.ok(DIVIDE, *divide(x, ONE, dtype="uint8"))
    assert y.tolist() == [0, 0, 0, 2, 254, 255, 255]


def test_row_40_uint8_zero_point(host: Host) -> None:
    zero = np.array([200], np.uint8)
    y = host.ok(DIVIDE, *divide(f32(-5, 0, 200), ONE, zero, "uint8"))
    assert y.tolist() == [195, 200, 255]


def test_row_41_int32_saturates(host: Host) -> None:
    y = host.ok(DIVIDE, *divide(f32(3e9, -3e9, 2147483520, 1e38), ONE, dtype="int32"))
    assert y.tolist() == [2147483647, -2147483648, 2147483520, 2147483647]


@pytest.mark.parametrize(("zero", "expected"), [(16777217, 16777216), (16777219, 16777220)])
def test_row_42_int32_zero_point_is_rounded(host: Host, zero: int, expected: int) -> None:
    assert host.ok(DIVIDE, *divide(f32(0), ONE, i32(zero), "int32")).tolist() == [expected]


@pytest.mark.parametrize(
    ("x", "scale", "expected"),
    [([0.0, 1, -1], 0.0, [0, 127, -128]), ([0.0, -0.0, 1, -1], -0.0, [0, 0, -128, 127])],
    ids=["plus", "minus"],
)
def test_row_43_zero_scale(host: Host, x: list[float], scale: float, expected: list[int]) -> None:
    assert host.ok(DIVIDE, *divide(f32(x), f32(scale))).tolist() == expected


def test_row_44_infinite_scale(host: Host) -> None:
    assert host.ok(DIVIDE, *divide(f32(INF, -INF, 5), f32(INF))).tolist() == [0, 0, 0]


def test_row_45_quotient_overflows(host: Host) -> None:
    assert host.ok(DIVIDE, *divide(f32(1e38, -1e38), f32(1e-5))).tolist() == [127, -128]


def test_row_46_sample(host: Host) -> None:
    x = f32([[0.3382, -0.0919], [0.7564, 0.0234], [3.1024, 1.0761], [0.4228, 1.4621]])
    y = host.ok(DIVIDE, *divide(x, f32(1, -3), i32(2, 10), "int32", 1))
    assert y.reshape(-1).tolist() == [2, 10, 3, 10, 5, 10, 2, 10]


def test_row_47_bfloat16_zero_point(host: Host) -> None:
    assert host.ok(DIVIDE, *divide(bf16(10), bf16(4), bf16(0.5))).tolist() == [3]


def test_row_48_half_scale(host: Host) -> None:
    assert host.ok(DIVIDE, *divide(f32(1, 2), f16(0.1))).tolist() == [10, 20]


@pytest.mark.parametrize(
    ("x", "scale", "zero", "argument"),
    [
        (bf16(1), bf16(1), i32(1), "zeroPoints"),
        (bf16(1), f32(1), bf16(1), "scales"),
        (f16(1), bf16(1), None, "x"),
    ],
    ids=["int-zero", "single-scale", "half-x"],
)
def test_row_49_bfloat16_rules(host: Host, x: Any, scale: Any, zero: Any, argument: str) -> None:
    host.refused(DIVIDE, *divide(x, scale, zero), argument=argument)


def test_row_50_bfloat16_x_single_scale(host: Host) -> None:
    assert host.ok(DIVIDE, *divide(bf16(10, -3), f32(4), i32(1))).tolist() == [4, 0]


def test_row_51_single_zero_point(host: Host) -> None:
    host.refused(DIVIDE, *divide(f32(1), ONE, f32(1)), argument="zeroPoints")


def test_row_51_single_zero_point_950_is_not_supported() -> None:
    """The row's success belongs to the 950 family, which the host device does not pose as."""
    assert_950_not_supported()


@pytest.mark.parametrize(
    ("scale", "zero", "argument"),
    [
        (f32([[1]]), None, "scales"),
        (f32(1), i32([[1]]), "zeroPoints"),
        (f32(1), i32(1, 2), "zeroPoints"),
    ],
    ids=["scale-2d", "zero-2d", "zero-size"],
)
def test_row_52_parameter_shapes(host: Host, scale: Any, zero: Any, argument: str) -> None:
    host.refused(DIVIDE, *divide(X23, scale, zero), argument=argument)


@pytest.mark.parametrize("axis", [2, -3])
def test_row_53_axis_out_of_range(host: Host, axis: int) -> None:
    host.refused(DIVIDE, *divide(X23, f32(1, 2, 3), axis=axis), argument="axis")


@pytest.mark.parametrize("axis", [2, -3])
def test_row_53_axis_ignored_per_tensor(host: Host, axis: int) -> None:
    assert host.ok(DIVIDE, *divide(X23, f32(2), axis=axis)).tolist() == [[0, 1, 2], [2, 2, 3]]


@pytest.mark.parametrize(
    ("x", "code", "y", "argument"),
    [
        (X23, INT8, out((2, 3), "int32"), "out"),
        (X23, INT8, out((3, 2), "int8"), "out"),
        (X23, INT4, out((2, 3), "int8"), "dtype"),
        (given(X23, format=FRACTAL_NZ), INT8, out((2, 3), "int8"), "x"),
    ],
    ids=["dtype", "shape", "int4", "format"],
)
def test_row_54_out_dtype_format(
    host: Host, x: Argument, code: int, y: Operand, argument: str
) -> None:
    host.refused(DIVIDE, x, ONE, None, code, 0, y, argument=argument)


def test_row_55_empty_x(host: Host) -> None:
    host.nothing(DIVIDE, *divide(np.zeros((3, 0), np.float32), ONE))


def test_row_55_empty_scale(host: Host) -> None:
    x, scale = np.ones((3, 4), np.float32), np.zeros(0, np.float32)
    host.refused(DIVIDE, *divide(x, scale), argument="scales")


@pytest.mark.parametrize("axis", [0, 5, -9])
def test_row_56_no_dimensions(host: Host, axis: int) -> None:
    y = host.ok(DIVIDE, *divide(np.array(7.0, np.float32), f32(2), axis=axis))
    assert y.shape == ()
    assert y.tolist() == 4


@pytest.mark.parametrize(("rank", "form"), [(3, NCL), (4, NCHW), (5, NCDHW)])
def test_row_57_formats_by_rank(host: Host, rank: int, form: int) -> None:
    x = np.ones((1,) * (rank - 1) + (4,), np.float32)
    y = out(x.shape, "int8", format=form, storage_shape=(4,))
    arguments = (given(x, format=form, storage_shape=(4,)), ONE, None, INT8, 0, y)
    assert host.ok(DIVIDE, *arguments).reshape(-1).tolist() == [1, 1, 1, 1]


def test_row_58_python_packed_width() -> None:
    with pytest.raises(RuntimeError, match=r"argument 'x'.*multiple of 8"):
        aq.quantize(np.ones((2, 12), np.float32), 1.0, None, "quint4x2", div_mode=False)


def test_row_59_python_axis_above_minus_two_is_the_last() -> None:
    scale = f32(10, 1, 2)
    for axis in (0, 1, -1):
        y = aq.quantize(X23, scale, None, "qint8", axis, div_mode=False)
        assert y.tolist() == [[10, 2, 6], [40, 5, 12]]


def test_row_60_python_int32_is_packed_int4() -> None:
    y = aq.torch_npu.npu_quantize(INT4_X, ONE, None, "torch.int32", -1, False)
    assert y.dtype == np.int32
    assert y.tolist() == [[2003125025], [545836527]]


def test_row_61_python_dtype_that_is_none() -> None:
    with pytest.raises(RuntimeError, match="argument 'dtype'"):
        aq.torch_npu.npu_quantize(X23, ONE, None, "torch.float16", 1, True)


PRINTED = {
    "printed example bf16": [0] * 12,
    "printed example fp32": [
        *(-2, -3, -3, 4, -4, -8, -1, 8, 1, -6, -1, -3, -3, 0, -2, -1, 0, -1, 0, -2, 2, -1, -4, -1),
        *(0, 0, -3, -3, 0, 3, 0, 4, 3, -1, 0, -2, 4, -1, -1, -3, 1, 2, 3, 2, 3, -5, 2, -4),
        *(1, 3, -4, 3, -1, 2, -3, 2, 9, -2, -3, 1, -4, 5, 0, -5, 4, 0, 3, -5, 1, 1, 7, 4),
    ],
    "printed example fp16 graph mode": [
        *(1, 2, 2, 3, 2, 2, 5, -1, 2, -3, -2, -2, -1, 1, 0, 0, 1, -2, 2, -1, 5, 4, -1, 5),
        *(-2, 2, 1, 3, -4, -2, 2, -2, 2, -6, -3, -4, -5, -4, -2, 5, 6, -7, -2, -2, 2, -1, 4, 1),
        *(2, -3, -3, 3, -2, 0, 1, -2, 1, 4, -5, 3, -1, -1, -3, 2, 4, 1, -3, 2, -1, 3, 3, 0),
    ],
}


@pytest.mark.parametrize("name", PRINTED)
def test_row_62_printed_examples(host: Host, name: str) -> None:
    """The inputs stand in ``tests/vectors``; the 156 results are here once more."""
    from helpers.vectors import inputs, load

    (vector,) = [v for v in load() if v["name"] == name]
    x, scale, offset = inputs(vector)
    assert offset is None
    assert host.ok(V3, *v3(x, scale)).reshape(-1).tolist() == PRINTED[name]
    assert (
        aq.quantize(x, scale, None, "qint8", 1, div_mode=False).reshape(-1).tolist()
        == (PRINTED[name])
    )
    assert sum(map(len, PRINTED.values())) == 156


def test_row_01_int8_input_is_no_float(host: Host) -> None:
    """The table's inputs are floating point; integers are refused by name."""
    host.refused(V3, *v3(i8(1), ONE), argument="x")
