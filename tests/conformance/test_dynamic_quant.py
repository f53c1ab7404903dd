"""Rows 1 to 56: aclnnDynamicQuant, V2, V3, V4 and the asymmetric function on top."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from helpers.abi import (
    Argument,
    Host,
    Operand,
    assert_950_not_supported,
    bf16,
    bits32,
    f16,
    f32,
    i8,
    i32,
    out,
)
from helpers.compare import assert_same_bits
from reference import Spec
from reference.dynamic_quant import aclnn_dynamic_quant_v2

import aclquant as aq
from aclquant._ffi.library import Library

V1, V2, V3, V4 = (f"aclnnDynamicQuant{version}" for version in ("", "V2", "V3", "V4"))
NAN, INF = np.nan, np.inf
EPSILON = 0x2B8CBCCC
TINY = 2.0**-24

newer = pytest.mark.parametrize("function", [V3, V4])


def dq(
    x: Any,
    smooth: Any = None,
    group: Any = None,
    *,
    to: str = "int8",
    dst: int = 2,
    y: Operand | None = None,
    scale: Operand | None = None,
    offset: Operand | str | None = "asymmetric",
) -> tuple[Argument, ...]:
    """Arguments of V2; outputs of the right shapes unless given, offset None is symmetric."""
    if y is None:
        shape = (*x.shape[:-1], x.shape[-1] // 8) if to == "int32" else x.shape
        y = out(shape, to)
    if scale is None:
        scale = out(x.shape[:-1], "float32")
    if offset == "asymmetric":
        offset = out(x.shape[:-1], "float32")
    return x, smooth, group, dst, y, scale, offset


def dq_newer(
    function: str,
    x: Any,
    smooth: Any = None,
    group: Any = None,
    *,
    symmetric: bool = False,
    mode: str = "pertoken",
    shape: tuple[int, ...] | None = None,
    offset: bool = True,
    dst_max: float = 0.0,
) -> tuple[Argument, ...]:
    """Arguments of V3 or V4."""
    parameter = x.shape[:-1] if shape is None else shape
    outputs = out(x.shape, "int8"), out(parameter, "float32")
    last = out(parameter, "float32") if offset else None
    extra = (dst_max,) if function == V4 else ()
    return x, smooth, group, 2, symmetric, mode, *extra, *outputs, last


def check(found: Any, y: Any, scale: Any, offset: Any = None) -> None:
    """Integers, and the bits of scale and offset."""
    assert found[0].tolist() == y
    for name, array, words in zip(("scale", "offset"), found[1:], (scale, offset), strict=False):
        assert_same_bits(array, bits32(*words).reshape(array.shape), name)


@pytest.fixture
def strict(host: Host) -> Iterator[Host]:
    """A host that refuses V3 and V4 as CANN's sources do."""
    assert host.c.aclquantSetStrictSoc(1) == 0
    try:
        yield host
    finally:
        assert host.c.aclquantSetStrictSoc(0) == 0


ROW = f16([[0.5, -1, 0.25, 2, -0.125, 1.5, 0, -0.75]])
ROW_INT8 = [0, -128, -22, 127, -54, 84, -43, -107]


def test_row_01_worked_row(host: Host) -> None:
    check(host.ok(V2, *dq(ROW)), [ROW_INT8], [0x3C40C0C1], [0xC22C0000])


def test_row_02_worked_row_int4(host: Host) -> None:
    found = host.ok(V2, *dq(ROW, to="int4"))
    check(found, [[0, -8, -2, 7, -4, 4, -3, -7]], [0x3E4CCCCD], [0xC0400000])


def test_row_02_worked_row_packed(host: Host) -> None:
    found = host.ok(V2, *dq(ROW, to="int32"))
    assert found[0].shape == (1, 1)
    assert int(found[0].view(np.uint32)[0, 0]) == 0x9D4C7E80
    check(found, [[-1655931264]], [0x3E4CCCCD], [0xC0400000])


@pytest.mark.parametrize("function", [V1, V2])
@pytest.mark.parametrize(
    ("to", "y", "scale"),
    [
        ("int8", [32, -64, 16, 127, -8, 95, 0, -48], 0x3C810204),
        ("int4", [2, -4, 1, 7, 0, 5, 0, -3], 0x3E924925),
        ("int32", [-800034366], 0x3E924925),
    ],
)
def test_row_03_worked_row_symmetric(
    host: Host, function: str, to: str, y: list[int], scale: int
) -> None:
    arguments = dq(ROW, to=to, offset=None)
    if function == V1:
        x, smooth, _, _, result, parameter, _ = arguments
        arguments = x, smooth, result, parameter
    check(host.ok(function, *arguments), [y], [scale])


@pytest.mark.parametrize(
    ("to", "y", "scale", "offset"),
    [
        ("int8", [77, -128, 44, 127], 0x3CA52525, 0x41DE527C),
        ("int4", [4, -8, 2, 7], 0x3EAF7777, 0x3F950254),
    ],
)
def test_row_04_bfloat16(host: Host, to: str, y: list[int], scale: int, offset: int) -> None:
    x = bf16([[1, -3.140625, 0.33203125, 2]])
    check(host.ok(V2, *dq(x, to=to)), [y], [scale], [offset])


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize(
    ("to", "y", "offset"),
    [
        ("int8", [127] * 8, 0x42FE0000),
        ("int4", [7] * 8, 0x40E00000),
        ("int32", [0x77777777], 0x40E00000),
    ],
)
def test_row_05_zero_row(host: Host, zero: float, to: str, y: list[int], offset: int) -> None:
    x = np.full((1, 8), zero, np.float16)
    check(host.ok(V2, *dq(x, to=to)), [y], [EPSILON], [offset])


@pytest.mark.parametrize("to", ["int8", "int4"])
def test_row_06_zero_row_symmetric(host: Host, to: str) -> None:
    x = np.zeros((1, 8), np.float16)
    check(host.ok(V2, *dq(x, to=to, offset=None)), [[0] * 8], [0x00000000])


CONSTANTS = [  # value, offset and y for int8, offset and y for int4
    (1.0, 0xD368D4A5, 0, 0xD368D4A5, 0),
    (-1.0, 0x5368D4A5, 0, 0x5368D4A5, 0),
    (0.5, 0xD2E8D4A5, 0, 0xD2E8D4A5, 0),
    (3.0, 0xD42E9F7C, 0, 0xD42E9F7C, 0),
    (2.5, 0xD41184E7, 0, 0xD41184E7, 0),
    (0.1, 0xD1BA3813, 0, 0xD1BA3813, 0),
    (0.001, 0xCE6E83D4, 127, 0xCE6E83D6, 0),
    (-0.001, 0x4E6E83D8, 127, 0x4E6E83D6, 0),
    (0.0001, 0xCCBEC42A, 127, 0xCCBEC439, 7),
    (0.00001, 0xCB18CB0D, 127, 0xCB18CB85, 7),
    (TINY, 0xC76855A5, 127, 0xC768CDA5, 7),
    (65504.0, 0xDB68B78B, -128, 0xDB68B78B, -8),
    (-65504.0, 0x5B68B78B, 127, 0x5B68B78B, 7),
]


@pytest.mark.parametrize("constant", CONSTANTS, ids=lambda row: str(row[0]))
def test_row_07_constant_row(host: Host, constant: tuple[float, int, int, int, int]) -> None:
    value, offset8, y8, offset4, y4 = constant
    x = np.full((1, 16), value, np.float16)
    check(host.ok(V2, *dq(x)), [[y8] * 16], [EPSILON], [offset8])
    check(host.ok(V2, *dq(x, to="int4")), [[y4] * 16], [EPSILON], [offset4])


def test_row_08_one_element_rows(host: Host) -> None:
    found = host.ok(V2, *dq(f16([[2.5], [0], [-1], [65504], [0.001]])))
    offsets = [0xD41184E7, 0x42FE0000, 0x5368D4A5, 0xDB68B78B, 0xCE6E83D4]
    check(found, [[0], [127], [0], [-128], [127]], [EPSILON] * 5, offsets)


@pytest.mark.parametrize("to", ["int8", "int4"])
@pytest.mark.parametrize("position", [0, 3, 7])
def test_row_09_nan(host: Host, to: str, position: int) -> None:
    """NaN goes through the reductions, which is our choice: scale epsilon, offset NaN, y 0."""
    x = ROW.copy()
    x[0, position] = NAN
    y, scale, offset = host.ok(V2, *dq(x, to=to))
    assert y.tolist() == [[0] * 8]
    assert scale.view(np.uint32).tolist() == [EPSILON]
    assert np.isnan(offset).all()


@pytest.mark.parametrize(
    ("row", "offset", "y"),
    [
        ([1, INF, -2], NAN, [0, 0, 0]),
        ([1, -INF, 2], 127.0, [127, 0, 127]),
        ([INF, -INF, 1], NAN, [0, 0, 0]),
    ],
    ids=["plus", "minus", "both"],
)
def test_row_10_infinities(host: Host, row: list[float], offset: float, y: list[int]) -> None:
    found = host.ok(V2, *dq(f16([row])))
    assert found[0].tolist() == [y]
    assert_same_bits(found[1], f32(INF))
    assert_same_bits(found[2], f32(offset))


@pytest.mark.parametrize(
    ("row", "scale", "offset", "y"),
    [
        ([3e38, -3e38, 1], 0x7F800000, 0x42FE0000, [127, 127, 127]),
        ([3e38, 1, 2], 0x7B62E2E3, 0xC3000000, [127, -128, -128]),
    ],
    ids=["overflow", "huge"],
)
def test_row_11_huge_bfloat16(
    host: Host, row: list[float], scale: int, offset: int, y: list[int]
) -> None:
    check(host.ok(V2, *dq(bf16([row]))), [y], [scale], [offset])


def test_row_12_half_subnormal(host: Host) -> None:
    x = f16([[TINY, 0, 0]])
    check(host.ok(V2, *dq(x)), [[127, -128, -128]], [0x2F808081], [0xC2FFFFFE])


def test_row_13_bfloat16_subnormals(host: Host) -> None:
    x = np.array([[0x0001, 0x8001, 0x007F, 0x0040]], np.uint16).view(bf16(0).dtype)
    check(host.ok(V2, *dq(x)), [[127] * 4], [EPSILON], [0x42FE0000])


def test_row_14_multiplies_by_the_reciprocal(host: Host) -> None:
    x = f16([[-2.396484375, -2.408203125, 1.009765625, -3.091796875]])
    check(host.ok(V2, *dq(x)), [[-85, -86, 127, -128]], [0x3C83C3C4], [0x42807160])


@pytest.mark.parametrize(
    ("row", "scale", "offset"),
    [([1000, 1000.5], 0x3B008081, 0xC8F915FF), ([1, 1 + 2**-10], 0x36808081, 0xC87F1FFF)],
)
def test_row_15_cancellation(host: Host, row: list[float], scale: int, offset: int) -> None:
    check(host.ok(V2, *dq(f16([row]))), [[-128, 127]], [scale], [offset])


def test_row_15_shifted_rows(host: Host) -> None:
    x = f16([[10, 11, 12, 13], [-10, -11, -12, -13], [65504, -65504, 0, 0]])
    y = [[-128, -43, 42, 127], [127, 42, -43, -128], [127, -128, -1, -1]]
    scales, offsets = [0x3C40C0C1, 0x3C40C0C1, 0x44007070], [0xC4748000, 0x44744000, 0xBF000080]
    check(host.ok(V2, *dq(x)), y, scales, offsets)


def test_row_16_smooth_product_in_single(host: Host) -> None:
    x = [1.580078125, -1.490234375, -3.029296875, -1.41015625]
    x += [3.44921875, 2.3203125, -3.919921875, -2.41015625]
    smooth = [0.66015625, 1.8896484375, 0.8701171875, 0.449951171875]
    smooth += [1.73046875, 1.8203125, 0.669921875, 0.77001953125]
    found = host.ok(V2, *dq(f16([x]), f16(smooth)))
    y = [-16, -128, -123, -65, 127, 76, -122, -100]
    check(found, [y], [0x3D0D1B96], [0xC239084C])


def test_row_17_smooth_zero(host: Host) -> None:
    found = host.ok(V2, *dq(f16([[1, 2, -3, 4]]), f16(0, 0, 0, 0)))
    check(found, [[127] * 4], [EPSILON], [0x42FE0000])


def test_row_17_smooth_minus_one(host: Host) -> None:
    found = host.ok(V2, *dq(f16([[1, 2, -3, 4]]), f16(-1, -1, -1, -1)))
    assert found[0].tolist() == [[-19, -55, 127, -128]]


def test_row_18_product_above_half_range(host: Host) -> None:
    found = host.ok(V2, *dq(f16([[60000, -60000, 1, 0]]), f16(10, 10, 10, 10)))
    check(found, [[127, -128, 0, 0]], [0x45930F0F], [0xBF000000])


GROUP_X = f16(
    [
        [1, 2, -3, 4, 0, -1, 2, 0.5],
        [-2, 1, 0.5, 3, 1, 0, -4, 2],
        [8, -8, 4, -4, 2, -2, 1, -1],
    ]
)
GROUP_SMOOTH = f16([[1] * 8, [0.5, 2, 1, 1, 0.25, 1, 1, 4]])
GROUP_Y = [
    [18, 54, -128, 127, -19, -55, 54, 0],
    [-64, 0, -32, 21, -38, -43, -128, 127],
    [127, -128, 127, 25, 82, 50, 89, 25],
]
GROUP_SCALE = [0x3CE0E0E1, 0x3D40C0C1, 0x3DA0A0A1]
GROUP_OFFSET = [0xC195B6D8, 0xC22C0000, 0x42980000]


def test_row_19_two_groups(host: Host) -> None:
    found = host.ok(V2, *dq(GROUP_X, GROUP_SMOOTH, i32(1, 3)))
    check(found, GROUP_Y, GROUP_SCALE, GROUP_OFFSET)


@pytest.mark.parametrize("row", [0, 1])
def test_row_20_one_group(host: Host, row: int) -> None:
    grouped = host.ok(V2, *dq(GROUP_X, GROUP_SMOOTH[row : row + 1], i32(3)))
    plain = host.ok(V2, *dq(GROUP_X, GROUP_SMOOTH[row].copy()))
    for one, other in zip(grouped, plain, strict=True):
        assert_same_bits(one, other)
    assert grouped[0].tolist()[row] == GROUP_Y[row]


def group_rows(found: Any) -> list[int]:
    """Which group each row of ``[1, -1]`` met: the smooth row of group i is ``[i + 1, i + 1]``."""
    scale: list[float] = found[1].tolist()
    known = {float(np.float32(2 * (i + 1)) / np.float32(255)): i for i in range(1024)}
    return [known[value] for value in scale]


def spread(rows: int, groups: int) -> tuple[Any, Any]:
    x = np.tile(f16([[1, -1]]), (rows, 1))
    return x, np.repeat(np.arange(1, groups + 1, dtype=np.float16)[:, np.newaxis], 2, axis=1)


def test_row_21_many_groups(host: Host) -> None:
    x, smooth = spread(2048, 1024)
    found = host.ok(V2, *dq(x, smooth, np.arange(2, 2049, 2, dtype=np.int32)))
    assert group_rows(found) == [row // 2 for row in range(2048)]
    assert found[0].tolist() == [[127, -128]] * 2048


def test_row_22_empty_groups(host: Host) -> None:
    x, smooth = spread(3, 4)
    assert group_rows(host.ok(V2, *dq(x, smooth, i32(0, 2, 2, 3)))) == [1, 1, 3]


def test_row_23_not_monotonic(host: Host) -> None:
    x, smooth = spread(5, 3)
    assert group_rows(host.ok(V2, *dq(x, smooth, i32(3, 1, 5)))) == [0, 0, 0, 2, 2]


@pytest.mark.parametrize("index", [[1, 2], [-1, 2], [0, 0]])
def test_row_24_rows_without_group(host: Host, index: list[int]) -> None:
    """Such rows are meaningless, the others are not, and nothing else is touched."""
    x, smooth = spread(4, 2)
    y, scale, offset = host.ok(V2, *dq(x, smooth, i32(index)))
    covered = max(index)
    expected = [next(i for i, end in enumerate(index) if end > row) for row in range(covered)]
    assert group_rows((y, scale[:covered], offset)) == expected


def test_row_25_too_many_groups(host: Host) -> None:
    x, smooth = spread(1025, 1025)
    group = np.arange(1, 1026, dtype=np.int32)
    arguments = dq(x, smooth, group)
    host.refused(V2, *arguments, argument="groupIndexOptional", status=561103)


def test_row_26_int64_index(host: Host) -> None:
    arguments = dq(GROUP_X, GROUP_SMOOTH, np.array([1, 3], np.int64))
    host.refused(V2, *arguments, argument="groupIndexOptional", status=561103)


@pytest.mark.parametrize("dtype", [np.int64, np.float32])
def test_row_27_index_without_smooth_is_ignored(host: Host, dtype: Any) -> None:
    found = host.ok(V2, *dq(ROW, None, np.array([[1], [3]], dtype)))
    check(found, [ROW_INT8], [0x3C40C0C1], [0xC22C0000])


@pytest.mark.parametrize("shape", [(8,), (3, 8), (2, 7)])
def test_row_28_smooth_shape_with_groups(host: Host, shape: tuple[int, ...]) -> None:
    arguments = dq(GROUP_X, np.ones(shape, np.float16), i32(1, 3))
    host.refused(V2, *arguments, argument="smoothScalesOptional", status=561103)


@pytest.mark.parametrize(
    ("x", "smooth"),
    [(ROW, bf16([1] * 8)), (bf16([[1] * 8]), f16([1] * 8)), (ROW, f32([1] * 8))],
    ids=["half-bfloat", "bfloat-half", "half-single"],
)
def test_row_29_smooth_dtype(host: Host, x: Any, smooth: Any) -> None:
    host.refused(V2, *dq(x, smooth), argument="smoothScalesOptional")


@pytest.mark.parametrize("shape", [(7,), (1, 8)])
def test_row_30_smooth_shape(host: Host, shape: tuple[int, ...]) -> None:
    arguments = dq(ROW, np.ones(shape, np.float16))
    host.refused(V2, *arguments, argument="smoothScalesOptional")


def test_row_31_one_dimension(host: Host) -> None:
    host.refused(V2, *dq(f16(1, 2, 3, 4)), argument="x")


def test_row_32_eight_dimensions(host: Host) -> None:
    x = np.tile(ROW.reshape((1,) * 7 + (8,)), (1, 2, 1, 2, 1, 1, 1, 1))
    y, scale, offset = host.ok(V2, *dq(x))
    assert y.reshape(-1, 8).tolist() == [ROW_INT8] * 4
    assert scale.shape == offset.shape == (1, 2, 1, 2, 1, 1, 1)
    assert scale.view(np.uint32).reshape(-1).tolist() == [0x3C40C0C1] * 4


def test_row_32_nine_dimensions(host: Host) -> None:
    host.refused(V2, *dq(ROW.reshape((1,) * 8 + (8,))), argument="x")


@pytest.mark.parametrize("x", [f32([[1, 2]]), i8([[1, 2]])], ids=["single", "int8"])
def test_row_33_x_dtype(host: Host, x: Any) -> None:
    host.refused(V2, *dq(x), argument="x")


@pytest.mark.parametrize(
    ("shape", "to"),
    [((8,), "int8"), ((1, 7), "int8"), ((2, 8), "int8"), ((1, 2), "int32"), ((1, 8), "int32")],
)
def test_row_34_y_shape(host: Host, shape: tuple[int, ...], to: str) -> None:
    host.refused(V2, *dq(ROW, y=out(shape, to)), argument="yOut")


def test_row_35_packed_width(host: Host) -> None:
    x = np.ones((1, 12), np.float16)
    host.refused(V2, *dq(x, y=out((1, 1), "int32")), argument="yOut")


def test_row_35_packed_width_python() -> None:
    with pytest.raises(RuntimeError, match=r"argument 'x'.*multiple of 8") as caught:
        aq.dynamic_quant_asymmetric(np.ones((1, 12), np.float16), dst_type="quint4x2")
    assert isinstance(caught.value, aq.AclError)
    assert caught.value.code is None  # no C function was called


def test_row_36_even_int4(host: Host) -> None:
    found = host.ok(V2, *dq(f16([[1, 1, 1, 2, 1, 1]]), to="int4"))
    check(found, [[-8, -8, -8, 7, -8, -8]], [0x3D888889], [0xC1B7FFFF])


def test_row_36_odd_int4(host: Host) -> None:
    host.refused(V2, *dq(np.ones((1, 7), np.float16), to="int4"), argument="yOut")


@pytest.mark.parametrize(
    "scale",
    [out((3, 1), "float32"), out((4,), "float32"), out((3,), "float16")],
    ids=["rank", "length", "dtype"],
)
def test_row_37_scale(host: Host, scale: Operand) -> None:
    host.refused(V2, *dq(GROUP_X, scale=scale), argument="scaleOut")


@pytest.mark.parametrize(
    "offset",
    [out((4,), "float32"), out((3, 1), "float32"), out((3,), "float16")],
    ids=["length", "rank", "dtype"],
)
def test_row_38_offset(host: Host, offset: Operand) -> None:
    host.refused(V2, *dq(GROUP_X, offset=offset), argument="offsetOut")


def test_row_39_no_rows(host: Host) -> None:
    host.nothing(V2, *dq(np.zeros((0, 8), np.float16)))


def test_row_40_empty_rows(host: Host) -> None:
    """The buffers of scale and offset have three elements and keep them."""
    arguments = dq(np.zeros((3, 0), np.float16))
    assert isinstance(arguments[5], Operand)
    assert arguments[5].storage.size == 3
    host.nothing(V2, *arguments)


WIDE = np.zeros((5, 16), np.float16)
WIDE[1:4, 0:16:2] = GROUP_X
VIEWS = {
    "transposed": np.asfortranarray(GROUP_X),
    "strided": WIDE[1:4, ::2],
    "offset": np.concatenate([f16([[9] * 8]), GROUP_X])[1:],
}


@pytest.mark.parametrize("kind", VIEWS)
@pytest.mark.parametrize("to", ["int8", "int4"])
def test_row_41_views(host: Host, kind: str, to: str) -> None:
    view, dense = VIEWS[kind], GROUP_X.copy()
    assert np.array_equal(view, dense)
    assert not view.flags.c_contiguous or view.base is not None
    of_view, of_copy = host.ok(V2, *dq(view, to=to)), host.ok(V2, *dq(dense, to=to))
    for one, other in zip(of_view, of_copy, strict=True):
        assert_same_bits(one, other)
    assert of_view[0].tolist()[0] == GROUP_Y[0] or to == "int4"
    assert of_view[1].view(np.uint32).tolist()[0] == GROUP_SCALE[0] or to == "int4"


@pytest.mark.parametrize(("strides", "offset"), [((20, 2), 3), ((1, 4), 0)])
def test_row_42_strided_outputs(host: Host, strides: tuple[int, int], offset: int) -> None:
    """``Host.ok`` compares the gaps and everything around."""
    y = out((3, 8), "int8", strides, offset)
    scale, shift = out((3,), "float32", (2,), 1), out((3,), "float32", (3,), 2)
    arguments = dq(GROUP_X, GROUP_SMOOTH, i32(1, 3), y=y, scale=scale, offset=shift)
    check(host.ok(V2, *arguments), GROUP_Y, GROUP_SCALE, GROUP_OFFSET)


def test_row_42_strided_packed_output(host: Host) -> None:
    y = out((1, 1), "int32", (7, 2), 1)
    check(host.ok(V2, *dq(ROW, y=y)), [[-1655931264]], [0x3E4CCCCD], [0xC0400000])


@pytest.mark.parametrize("argument", ["x", "yOut", "scaleOut"])
@pytest.mark.parametrize("function", [V1, V2])
def test_row_43_null(host: Host, function: str, argument: str) -> None:
    x, smooth, group, dst, y, scale, offset = dq(ROW)
    tensors = {"x": x, "yOut": y, "scaleOut": scale, argument: None}
    arguments: list[Argument] = [tensors["x"], smooth, group, dst]
    arguments += [tensors["yOut"], tensors["scaleOut"], offset]
    if function == V1:
        arguments = [tensors["x"], smooth, tensors["yOut"], tensors["scaleOut"]]
    host.refused(function, *arguments, argument=argument, status=161001)


def test_row_43_null_in_order(host: Host) -> None:
    nothing: list[Argument] = [None, None, None, 2, None, None, None]
    host.refused(V2, *nothing, argument="x", status=161001)


def test_row_44_null_offset_is_symmetric(host: Host) -> None:
    arguments = dq(GROUP_X, GROUP_SMOOTH, i32(1, 3), offset=None)
    y, scale = host.ok(V2, *arguments)
    assert y.shape == (3, 8)
    found = host.ok(V2, *dq(ROW, offset=None))
    check(found, [[32, -64, 16, 127, -8, 95, 0, -48]], [0x3C810204])
    assert scale.shape == (3,)


@newer
def test_row_45_refused_on_this_chip_when_strict(strict: Host, function: str) -> None:
    extra = (0.0,) if function == V4 else ()
    arguments = (None, None, None, 2, False, "pertoken", *extra, None, None, None)
    with strict.call(function, *arguments) as call:
        assert call.status == 561000
        assert call.text.startswith(f"[561000 ACLNN_ERR_INNER] {function}GetWorkspaceSize: ")
        assert "950" in call.text
        assert "Ascend910B1" in call.text
        call.assert_no_results()
    with strict.call(function, *dq_newer(function, ROW)) as call:
        assert call.status == 561000
        call.assert_nothing_written()


@newer
def test_row_45_null_tensors_are_null_when_not_strict(host: Host, function: str) -> None:
    """Not strict, the host device computes V3 and V4 on every chip: nulls are ordinary nulls."""
    extra = (0.0,) if function == V4 else ()
    arguments = (None, None, None, 2, False, "pertoken", *extra, None, None, None)
    host.refused(function, *arguments, argument="x", status=161001)


@newer
def test_row_45_computed_when_not_strict(host: Host, function: str) -> None:
    found = host.ok(function, *dq_newer(function, ROW))
    check(found, [ROW_INT8], [0x3C40C0C1], [0xC22C0000])


@newer
@pytest.mark.parametrize(
    ("symmetric", "offset", "mode", "argument"),
    [
        (True, True, "pertoken", "offsetOut"),
        (False, False, "pertoken", "offsetOut"),
        (False, True, "row", "quantMode"),
        (False, True, "PerToken", "quantMode"),
    ],
    ids=["symmetric", "asymmetric", "mode", "case"],
)
def test_row_46_offset_and_mode(
    host: Host, function: str, symmetric: bool, offset: bool, mode: str, argument: str
) -> None:
    """Rules of the 950; the host device applies them on every chip."""
    arguments = dq_newer(function, ROW, symmetric=symmetric, mode=mode, offset=offset)
    host.refused(function, *arguments, argument=argument)


@newer
def test_row_47_perchannel_with_groups(host: Host, function: str) -> None:
    """A rule of the 950; the host device applies it on every chip."""
    arguments = dq_newer(function, ROW, None, i32(1), mode="perchannel", shape=(8,))
    host.refused(function, *arguments, argument="groupIndexOptional")


@pytest.mark.parametrize("largest", [40000.0, -1.0])
def test_row_48_dst_type_max(host: Host, largest: float) -> None:
    """A rule of the 950; the host device applies it on every chip."""
    arguments = dq_newer(V4, ROW, dst_max=largest)
    host.refused(V4, *arguments, argument="dstTypeMax", status=561103)


def test_row_46_47_48_chip_950_is_not_supported() -> None:
    """The chip that these rows name is refused by name."""
    assert_950_not_supported()


@pytest.mark.parametrize("dst", [29, 3, 0, 99])
def test_row_49_dst_type_is_not_read(host: Host, dst: int) -> None:
    check(host.ok(V2, *dq(ROW, dst=dst)), [ROW_INT8], [0x3C40C0C1], [0xC22C0000])


@pytest.mark.parametrize("function", [V2, V3, V4])
def test_row_50_null_executor(host: Host, function: str) -> None:
    arguments = dq(ROW) if function == V2 else dq_newer(function, ROW)
    host.refused_later(
        function, *arguments, status=561000, says="argument 'executor'", executor="null"
    )


@pytest.mark.parametrize("function", [V2, V3, V4])
def test_row_50_null_workspace(host: Host, function: str) -> None:
    arguments = dq(ROW) if function == V2 else dq_newer(function, ROW)
    host.refused_later(
        function, *arguments, status=561000, says="argument 'workspace'", workspace="null"
    )


def symmetric_scale(host: Host) -> list[int]:
    x = f16([[0.91259765625, 0.25], [1.62890625, -1]])
    _, scale = host.ok(V2, *dq(x, offset=None))
    words: list[int] = scale.view(np.uint32).tolist()
    return words


def test_row_51_symmetric_scale(host: Host) -> None:
    assert symmetric_scale(host) == [0x3BEB76EE, 0x3C522449]


@pytest.mark.cann_8_1
def test_row_51_symmetric_scale_of_8_1(host: Host) -> None:
    assert symmetric_scale(host) == [0x3BEB76ED, 0x3C522448]


LENGTHS = [15, 16, 17, 127, 128, 4096, 10272, 10288, 15024, 15040, 17760, 40000]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("smoothed", [False, True], ids=["plain", "smooth"])
def test_row_52_row_lengths(host: Host, length: int, smoothed: bool) -> None:
    random = np.random.default_rng(52)
    whole = random.standard_normal((2, 40000)).astype(np.float16)
    factors = random.uniform(0.5, 2, 40000).astype(np.float16)
    x = np.ascontiguousarray(whole[:, :length])
    smooth = factors[:length].copy() if smoothed else None
    compare_with_reference(host, x, smooth)


def compare_with_reference(host: Host, x: Any, smooth: Any = None) -> None:
    parameter = Spec("float32", x.shape[:-1])
    y = Spec("int8", x.shape)
    expected = aclnn_dynamic_quant_v2(x, smooth, None, 2, y, parameter, parameter)
    for one, other in zip(host.ok(V2, *dq(x, smooth)), expected, strict=True):
        assert other is not None
        assert_same_bits(one, other)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
@pytest.mark.parametrize("seed", range(5))
def test_row_53_random_rows(host: Host, kind: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    x = (random.standard_normal((2, 4, 6)) * 10.0 ** random.integers(-3, 4)).astype(np.float32)
    compare_with_reference(host, x.astype(bf16(0).dtype if kind == "bfloat16" else kind))


def test_row_54_python_packed() -> None:
    y, scale, offset = aq.torch_npu.npu_dynamic_quant_asymmetric(ROW, dst_type="torch.quint4x2")
    assert y.dtype == np.int32
    assert y.tolist() == [[-1655931264]]
    assert scale.view(np.uint32).tolist() == [0x3E4CCCCD]
    assert offset.view(np.uint32).tolist() == [0xC0400000]


def test_row_54_python_packed_width() -> None:
    with pytest.raises(RuntimeError, match="multiple of 8"):
        x = np.ones((1, 12), np.float16)
        aq.torch_npu.npu_dynamic_quant_asymmetric(x, dst_type="torch.quint4x2")


def pertensor() -> Any:
    return aq.torch_npu.npu_dynamic_quant_asymmetric(ROW.reshape(2, 4), quant_mode="pertensor")


@pytest.mark.usefixtures("strict")
def test_row_55_python_pertensor_when_strict() -> None:
    with pytest.raises(aq.AclError, match="561000") as caught:
        pertensor()
    assert caught.value.code == 561000


def test_row_55_python_pertensor_when_not_strict() -> None:
    """The public documentation promises it for this chip: computed, as one row of section 3.1."""
    y, scale, offset = pertensor()
    assert y.reshape(-1).tolist() == ROW_INT8
    assert scale.shape == offset.shape == (1,)
    assert scale.view(np.uint32).tolist() == [0x3C40C0C1]
    assert offset.view(np.uint32).tolist() == [0xC22C0000]


class LibraryWithoutNewer(Library):
    """The host device as an older CANN: the same file, but V3 and V4 are not found in it."""

    def _address(self, name: str) -> Any:
        return None if name.startswith((V3, V4)) else super()._address(name)


@pytest.fixture
def older_library(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = aq.backend()
    older = LibraryWithoutNewer(backend.library.name, list(backend.library.files))
    monkeypatch.setattr(backend, "library", older)


@pytest.mark.usefixtures("older_library")
def test_row_55_python_pertensor_without_v3() -> None:
    """V2 is called all the same, and finds a scale of the wrong shape."""
    with pytest.raises(aq.AclError, match="argument 'scale_out'") as caught:
        pertensor()
    assert caught.value.code == 161002


@pytest.mark.usefixtures("older_library")
def test_row_55_python_one_row_without_v3() -> None:
    """With one row, per token is per tensor."""
    y, scale, _ = aq.dynamic_quant_asymmetric(ROW, quant_mode="pertensor")
    assert y.tolist() == [ROW_INT8]
    assert scale.view(np.uint32).tolist() == [0x3C40C0C1]


@pytest.mark.inference_series
def test_row_56_inference_series(host: Host) -> None:
    x = np.tile(ROW, (3, 4))
    found = host.ok(V2, *dq(x))
    y = [0, -128, -21, 127, -53, 85, -43, -106] * 4
    check(found, [y] * 3, [0x3C40C0C1] * 3, [0xC22A0000] * 3)


@pytest.mark.inference_series
def test_row_56_inference_series_width(host: Host) -> None:
    host.refused(V2, *dq(np.tile(ROW, (1, 5))), argument="x", status=561103)


@pytest.mark.inference_series
def test_row_56_inference_series_constant_row(host: Host) -> None:
    found = host.ok(V2, *dq(np.full((1, 32), 3, np.float16)))
    check(found, [[0] * 32], [0x00000000], [0x80000000])


@pytest.mark.inference_series
def test_row_56_inference_series_zeros_have_no_sign(host: Host) -> None:
    """Whatever signs a row's zeros have, and in whatever order: it is a constant row."""
    signs = ([0.0], [-0.0], [0.0, -0.0], [-0.0, 0.0])
    x = np.stack([np.resize(np.array(row, np.float16), 32) for row in signs])
    found = host.ok(V2, *dq(x))
    check(found, [[0] * 32] * 4, [0x00000000] * 4, [0x80000000] * 4)
