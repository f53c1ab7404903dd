"""Rows 1 to 50: aclnnTransQuantParam on the host, V2 and V3 on the device, and the function."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest
from helpers.abi import (
    FRACTAL_NZ,
    Argument,
    Host,
    Operand,
    assert_950_not_supported,
    bits32,
    f16,
    f32,
    given,
    i32,
    out,
)
from helpers.native import message
from reference.trans_quant_param import aclnn_trans_quant_param_v2

import aclquant as aq
from aclquant._ffi import ffi
from aclquant._ffi.library import Library, load

V2, V3 = "aclnnTransQuantParamV2", "aclnnTransQuantParamV3"
FLAG = 1 << 46
UNIT = 0x40003F800000  # scale 1.0, no offset
INF, NAN = np.inf, np.nan

#: result, offset, scale (19-bit float) of the printed example
PRINTED = [
    (70507248869376, 1, 1.0458984375),
    (70509369614336, 1, -0.11614990234375),
    (70507209793536, 1, 0.043365478515625),
    (140463653937152, -2, 0.1741943359375),
    (140603250524160, -1, -0.40087890625),
    (140603257561088, -1, -0.72119140625),
    (140603230814208, -1, -0.078369140625),
    (70369813069824, 0, 1.421875),
    (70369794605056, 0, 0.30517578125),
    (140463675252736, -2, 0.96728515625),
    (70784266256384, 3, -0.5458984375),
    (70507233009664, 1, 0.288818359375),
    (140601114345472, -1, 0.9755859375),
    (70371966238720, 0, -2.19921875),
    (140603258257408, -1, -0.7626953125),
    (140603254505472, -1, -0.5390625),
]
PRINTED_WORDS = [word for word, _, _ in PRINTED]
PRINTED_SCALE = f32([scale for _, _, scale in PRINTED])
PRINTED_OFFSET = f32([offset for _, offset, _ in PRINTED])

device_functions = pytest.mark.parametrize("function", [V2, V3])


def pack(
    function: str, scale: Any, offset: Any = None, mode: int = 0, result: Operand | None = None
) -> tuple[Argument, ...]:
    """Function and arguments; out is UINT64 and just long enough unless given."""
    if result is None:
        count = max(scale.size, 0 if offset is None else offset.size)
        result = out((count,), "uint64")
    if function == V2:
        assert mode == 0
        return scale, offset, result
    return scale, offset, mode, result


def words(host: Host, scale: Any, offset: Any = None, mode: int | None = None) -> list[int]:
    """V3, and for mode 0 V2 as well, which must agree."""
    found: list[int] = host.ok(V3, *pack(V3, scale, offset, mode or 0)).tolist()
    if not mode:
        assert host.ok(V2, *pack(V2, scale, offset)).tolist() == found
    return found


def fields(found: list[int]) -> list[int]:
    """The nine offset bits; everything else must be a plain 1.0 with the flag."""
    assert all(word & ~(0x1FF << 37) == UNIT for word in found)
    return [word >> 37 & 0x1FF for word in found]


def test_row_01_printed_example(host: Host) -> None:
    assert words(host, PRINTED_SCALE, PRINTED_OFFSET) == PRINTED_WORDS


FIVE = f32(1.1, 2.2, 3.3, 4.4, 5.5)


def test_row_02_five_scales_truncated(host: Host) -> None:
    assert words(host, FIVE) == [
        70369810366464,
        70369818755072,
        70369823367168,
        70369827143680,
        70369829453824,
    ]


def test_row_03_five_scales_rounded(host: Host) -> None:
    assert words(host, FIVE, mode=1) == [
        70369810366464,
        70369818755072,
        70369823375360,
        70369827143680,
        70369829453824,
    ]


def test_row_04_ties(host: Host) -> None:
    scale = bits32(0x3F801000, 0x3F803000, 0x3F801001, 0xBF801001)
    rounded = [0x40003F800000, 0x40003F804000, 0x40003F802000, 0x4000BF802000]
    assert words(host, scale, mode=1) == rounded
    cut = [0x40003F800000, 0x40003F802000, 0x40003F800000, 0x4000BF800000]
    assert words(host, scale, mode=0) == cut


def test_row_04_mantissa_carry(host: Host) -> None:
    scale = bits32(0x3F7FEFFF, 0x3F7FF000)
    assert words(host, scale, mode=1) == [0x40003F7FE000, 0x40003F800000]
    assert words(host, scale, mode=0) == [0x40003F7FE000, 0x40003F7FE000]


def test_row_05_one_scale_many_offsets(host: Host) -> None:
    negative = [0x1F8, 0x1F9, 0x1FA, 0x1FB, 0x1FC, 0x1FD, 0x1FE, 0x1FF]
    found = words(host, f32(1), np.arange(-8, 8, dtype=np.float32))
    assert fields(found) == [*negative, 0, 1, 2, 3, 4, 5, 6, 7]


def test_row_06_many_scales_one_offset(host: Host) -> None:
    scale = np.random.default_rng(6).standard_normal(16).astype(np.float32)
    found = words(host, scale, f32(3))
    assert [word >> 37 for word in found] == [0x203] * 16
    assert [word & 0xFFFFFFFF for word in found] == [
        int(bits) & 0xFFFFE000 for bits in scale.view(np.uint32)
    ]


def test_row_07_one_and_one(host: Host) -> None:
    assert words(host, f32(1), f32(1)) == [70507248484352]


def test_row_08_offset_ties(host: Host) -> None:
    found = words(host, f32(1), f32(0.5, 1.5, 2.5, -0.5, -1.5, -2.5))
    assert found == [
        0x40003F800000,
        0x40403F800000,
        0x40403F800000,
        0x40003F800000,
        0x7FC03F800000,
        0x7FC03F800000,
    ]


def test_row_09_offset_upper_limit(host: Host) -> None:
    assert fields(words(host, f32(1), f32(255.4, 255.6, 300, 1e20, INF))) == [0x0FF] * 5


def test_row_10_offset_lower_limit(host: Host) -> None:
    assert fields(words(host, f32(1), f32(-256.4, -256.6, -300, -1e20, -INF))) == [0x100] * 5


def test_row_11_offset_nan(host: Host) -> None:
    assert fields(words(host, f32(1), f32(NAN))) == [0]


def test_row_12_zero_scales(host: Host) -> None:
    assert words(host, f32(0.0, -0.0)) == [0x400000000000, 0x400080000000]


SUBNORMALS = bits32(0x00000001, 0x007FFFFF, 0x00400000, 0x80002001)


def test_row_13_subnormals_truncated(host: Host) -> None:
    assert words(host, SUBNORMALS) == [
        0x400000000000,
        0x4000007FE000,
        0x400000400000,
        0x400080002000,
    ]


def test_row_13_subnormals_rounded(host: Host) -> None:
    flushed = [0x400000000000, 0x400000000000, 0x400000000000, 0x400080000000]
    assert words(host, SUBNORMALS, mode=1) == flushed


@pytest.mark.parametrize("mode", [0, 1])
def test_row_14_infinities_and_nans(host: Host, mode: int) -> None:
    scale = bits32(0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001)
    assert words(host, scale, mode=mode) == [
        0x40007F800000,
        0x4000FF800000,
        0x40007FC00000,
        0x40007F800000,
    ]


@pytest.mark.parametrize(("mode", "word"), [(0, 0x40007F7FE000), (1, 0x40007F800000)])
def test_row_15_largest_float(host: Host, mode: int, word: int) -> None:
    assert words(host, bits32(0x7F7FFFFF), mode=mode) == [word]


@device_functions
def test_row_16_every_19_bit_pattern(host: Host, function: str) -> None:
    upper = np.arange(2**19, dtype=np.uint32) << 13
    lower = np.random.default_rng(16).integers(0, 2**13, 2**19, np.uint32)
    found = host.ok(function, *pack(function, (upper | lower).view(np.float32)))
    assert np.array_equal(found, upper.astype(np.uint64) + np.uint64(FLAG))


@device_functions
def test_row_17_across_the_block_border(host: Host, function: str) -> None:
    random = np.random.default_rng(17)
    scale = random.standard_normal(8193).astype(np.float32)
    offset = random.uniform(-300, 300, 8193).astype(np.float32)
    result = out((8193,), "uint64")
    expected = aclnn_trans_quant_param_v2(scale, offset, _spec(result))
    found = host.ok(function, *pack(function, scale, offset, result=result))
    assert np.array_equal(found, expected)


def _spec(operand: Operand) -> Any:
    from reference import Spec

    return Spec(operand.dtype, operand.shape)


@device_functions
def test_row_18_rows(host: Host, function: str) -> None:
    scale, offset = PRINTED_SCALE.reshape(1, 16), PRINTED_OFFSET.reshape(1, 16)
    result = out((1, 16), "uint64")
    found = host.ok(function, *pack(function, scale, offset, result=result))
    assert found.tolist() == [PRINTED_WORDS]


@device_functions
def test_row_19_row_and_vector(host: Host, function: str) -> None:
    result = out((1, 16), "uint64")
    arguments = pack(function, PRINTED_SCALE.reshape(1, 16), PRINTED_OFFSET, result=result)
    assert host.ok(function, *arguments).tolist() == [PRINTED_WORDS]


@device_functions
def test_row_20_lengths_differ(host: Host, function: str) -> None:
    arguments = pack(function, f32(1, 2, 3), f32(1, 2, 3, 4, 5))
    host.refused(function, *arguments, argument="offset")


def _matrix(host: Host, function: str) -> None:
    """D1: several rows without an offset are packed; with an offset they are refused."""
    for shape in ((2, 8), (3, 1)):
        scale = np.arange(1, 1 + np.prod(shape), dtype=np.float32).reshape(shape)
        found = host.ok(function, *pack(function, scale, result=out(shape, "uint64")))
        row = host.ok(function, *pack(function, scale.reshape(-1)))
        assert found.tolist() == row.reshape(shape).tolist()
    arguments = pack(function, np.ones((2, 8), np.float32), f32(1), result=out((2, 8), "uint64"))
    host.refused(function, *arguments, argument="scale")
    empty = pack(function, np.ones((2, 0), np.float32), result=out((2, 0), "uint64"))
    host.refused(function, *empty, argument="scale")


@device_functions
def test_row_21_matrix(host: Host, function: str) -> None:
    _matrix(host, function)


@pytest.mark.inference_series
@device_functions
def test_row_21_matrix_inference_series(host: Host, function: str) -> None:
    _matrix(host, function)


@device_functions
def test_row_21_matrix_is_refused_when_strict(host: Host, function: str) -> None:
    """As CANN's sources check."""
    assert host.c.aclquantSetStrictSoc(1) == 0
    try:
        for shape in ((2, 8), (3, 1)):
            arguments = pack(function, np.ones(shape, np.float32), result=out(shape, "uint64"))
            host.refused(function, *arguments, argument="scale")
        host.ok(function, *pack(function, np.ones((1, 8), np.float32)))
    finally:
        assert host.c.aclquantSetStrictSoc(0) == 0


def test_row_21_matrix_python() -> None:
    scale = f32([[1.0, 2.0], [0.5, 4.0]])
    assert aq.trans_quant_param(scale).tolist() == [
        aq.trans_quant_param(row).tolist() for row in scale
    ]


def test_row_21_matrix_950_is_not_supported() -> None:
    """The row's 16 words belong to the 950 family, which the host device does not pose as."""
    assert_950_not_supported()


@device_functions
@pytest.mark.parametrize("shape", [(1, 1, 4), ()])
def test_row_22_scale_rank(host: Host, function: str, shape: tuple[int, ...]) -> None:
    host.refused(function, *pack(function, np.ones(shape, np.float32)), argument="scale")


@device_functions
def test_row_23_empty_scale(host: Host, function: str) -> None:
    host.refused(function, *pack(function, np.ones(0, np.float32)), argument="scale")


@device_functions
def test_row_24_empty_offset(host: Host, function: str) -> None:
    arguments = pack(function, f32(1), np.ones(0, np.float32))
    host.refused(function, *arguments, argument="offset")


@device_functions
def test_row_25_offset_matrix(host: Host, function: str) -> None:
    arguments = pack(function, np.ones(8, np.float32), np.ones((2, 4), np.float32))
    host.refused(function, *arguments, argument="offset")


@device_functions
@pytest.mark.parametrize("argument", ["scale", "out"])
def test_row_26_null(host: Host, function: str, argument: str) -> None:
    arguments: list[Argument] = list(pack(function, f32(1)))
    arguments[0 if argument == "scale" else -1] = None
    host.refused(function, *arguments, argument=argument, status=161001)


@device_functions
@pytest.mark.parametrize(
    ("scale", "offset", "dtype", "argument"),
    [
        (f16(1), None, "uint64", "scale"),
        (f32(1), i32(1), "uint64", "offset"),
        (f32(1), None, "float32", "out"),
        (f32(1), None, "int32", "out"),
    ],
    ids=["scale", "offset", "out-single", "out-int32"],
)
def test_row_27_dtypes(
    host: Host, function: str, scale: Any, offset: Any, dtype: str, argument: str
) -> None:
    arguments = pack(function, scale, offset, result=out((1,), dtype))
    host.refused(function, *arguments, argument=argument)


@device_functions
@pytest.mark.parametrize("argument", ["scale", "offset", "out"])
def test_row_28_format(host: Host, function: str, argument: str) -> None:
    form = {name: FRACTAL_NZ if name == argument else 2 for name in ("scale", "offset", "out")}
    result = out((1,), "uint64", format=form["out"])
    scale, offset = (given(f32(1), format=form[name]) for name in ("scale", "offset"))
    host.refused(function, *pack(function, scale, offset, result=result), argument=argument)


@pytest.mark.parametrize("mode", [2, -1])
def test_row_29_round_mode(host: Host, mode: int) -> None:
    host.refused(V3, *pack(V3, f32(1), mode=mode), argument="roundMode")


def test_row_30_shape_before_round_mode(host: Host) -> None:
    host.refused(V3, *pack(V3, np.ones(0, np.float32), mode=2), argument="scale")


@device_functions
def test_row_31_int64_becomes_uint64(host: Host, function: str) -> None:
    dtype = ffi.new("aclDataType *")
    arguments = pack(function, f32(1), result=out((1,), "int64"))
    with host.call(function, *arguments) as call:
        assert call.status == 0, call.text
        tensor = call.placed[-1].tensor
        assert host.c.aclGetDataType(tensor, dtype) == 0
        assert int(dtype[0]) == 10
        assert call.launch() == 0, call.later_text
        assert call.results()[0].tolist() == [UNIT]


@device_functions
def test_row_32_strided_scale(host: Host, function: str) -> None:
    arguments = pack(function, np.ones(8, np.float32)[::2])
    host.refused_later(function, *arguments, status=561000, says="argument 'scale'")


@device_functions
def test_row_32_strided_offset(host: Host, function: str) -> None:
    arguments = pack(function, np.ones(4, np.float32), np.ones(8, np.float32)[::2])
    host.refused_later(function, *arguments, status=561000, says="argument 'offset'")


@device_functions
def test_row_33_stride_of_one_row(host: Host, function: str) -> None:
    scale = given(f32(1, 1.1, 2.2, 3.3), shape=(1, 4), strides=(99, 1))
    found = host.ok(function, *pack(function, scale, result=out((1, 4), "uint64")))
    assert found.tolist() == [[70369809530880, 70369810366464, 70369818755072, 70369823367168]]


@device_functions
def test_row_34_view_offset(host: Host, function: str) -> None:
    scale = f32(9, 9, 9, 1, 2)[3:]
    assert given(scale).offset == 3
    assert host.ok(function, *pack(function, scale)).tolist() == [UNIT, 0x400040000000]


@device_functions
def test_row_35_null_executor(host: Host, function: str) -> None:
    host.refused_later(
        function,
        *pack(function, f32(1)),
        status=161001,
        says="argument 'executor'",
        executor="null",
    )


@device_functions
def test_row_35_null_workspace(host: Host, function: str) -> None:
    host.refused_later(
        function,
        *pack(function, f32(1)),
        status=161001,
        says="argument 'workspace'",
        workspace="null",
    )


@device_functions
def test_row_35_small_workspace(host: Host, function: str) -> None:
    host.refused_later(
        function, *pack(function, f32(1)), status=161002, says="argument 'workspaceSize'", less=1
    )


@device_functions
def test_row_36_offset_row_shorter_than_scale(host: Host, function: str) -> None:
    """A chip reads past the end; the host device refuses, which its documentation says."""
    arguments = pack(function, np.ones(8, np.float32), np.ones((1, 4), np.float32))
    host.refused(function, *arguments, argument="offset")


@device_functions
def test_row_37_offset_longer_than_scale_row(host: Host, function: str) -> None:
    """A chip writes past the end; the host device refuses, which its documentation says."""
    scale, offset = np.ones((1, 4), np.float32), np.ones(8, np.float32)
    arguments = pack(function, scale, offset, result=out((4,), "uint64"))
    host.refused(function, *arguments, argument="offset")


@device_functions
def test_row_37_out_too_small(host: Host, function: str) -> None:
    arguments = pack(function, f32(1), np.ones(8, np.float32), result=out((4,), "uint64"))
    host.refused(function, *arguments, argument="out")


@device_functions
def test_row_38_empty_out(host: Host, function: str) -> None:
    host.nothing(function, *pack(function, f32(1, 2), result=out((0,), "uint64")))


# -- the host function -----------------------------------------------------------------------


def on_host(scale: Any, offset: Any = None) -> list[int]:
    """aclnnTransQuantParam: the words, released with free()."""
    found, count = ffi.new("uint64_t **"), ffi.new("uint64_t *")
    status = host_function(scale, offset, found, count)
    assert status == 0
    result = np.frombuffer(ffi.buffer(found[0], 8 * count[0]), np.uint64).tolist()
    free = ctypes.CDLL(None).free
    free.argtypes = [ctypes.c_void_p]
    free(int(ffi.cast("uintptr_t", found[0])))
    return list(result)


def host_function(scale: Any, offset: Any, found: Any, count: Any, **sizes: int) -> int:
    pointers = [ffi.NULL if a is None else ffi.from_buffer("float[]", a) for a in (scale, offset)]
    lengths = [0 if a is None else a.size for a in (scale, offset)]
    scale_size = sizes.get("scale_size", lengths[0])
    offset_size = sizes.get("offset_size", lengths[1])
    c = load("host")
    status = c.aclnnTransQuantParam(pointers[0], scale_size, pointers[1], offset_size, found, count)
    return int(status)


def test_row_39_host_five_scales() -> None:
    assert on_host(FIVE) == [
        70369810369741,
        70369818758349,
        70369823372083,
        70369827146957,
        70369829453824,
        *[0] * 11,
    ]


def test_row_40_host_with_offsets() -> None:
    assert on_host(f32(1, 1, 1), f32(1, 2, 3)) == [
        70507248484352,
        70644687437824,
        70782126391296,
        *[0] * 13,
    ]


def test_row_41_host_single() -> None:
    assert on_host(f32(1.1), f32(0)) == [70369810369741]


def test_row_42_host_padding() -> None:
    assert on_host(np.ones(17, np.float32)) == [*[UNIT] * 17, *[0] * 15]


def test_row_43_host_no_broadcast() -> None:
    assert on_host(f32(1), f32(1, 2, 3, 4, 5)) == [
        70507248484352,
        2 << 37,
        3 << 37,
        4 << 37,
        5 << 37,
        *[0] * 11,
    ]


def test_row_44_host_halves_go_away_from_zero() -> None:
    found = on_host(f32(1, 1, 1), f32(0.5, -0.5, 2.5))
    assert found == [0x40203F800000, 0x7FE03F800000, 0x40603F800000, *[0] * 13]


@pytest.mark.parametrize(
    ("scale", "offset", "sizes", "argument"),
    [
        (None, None, {"scale_size": 1}, "scaleArray"),
        (f32(1), None, {"scale_size": 0}, "scaleSize"),
        (f32(1), None, {"offset_size": 3}, "offsetArray"),
        (f32(1), f32(1), {"offset_size": 0}, "offsetSize"),
    ],
    ids=["scaleArray", "scaleSize", "offsetArray", "offsetSize"],
)
def test_row_45_host_arrays(
    host: Host, scale: Any, offset: Any, sizes: dict[str, int], argument: str
) -> None:
    found, count = ffi.new("uint64_t **"), ffi.new("uint64_t *", 77)
    assert host_function(scale, offset, found, count, **sizes) == 161002
    text = message()
    assert text.startswith(
        f"[161002 ACLNN_ERR_PARAM_INVALID] aclnnTransQuantParam: argument '{argument}': got "
    )
    assert found[0] == ffi.NULL
    assert int(count[0]) == 77


@pytest.mark.parametrize("argument", ["quantParam", "quantParamSize"])
def test_row_46_host_null_results(host: Host, argument: str) -> None:
    found, count = ffi.new("uint64_t **"), ffi.new("uint64_t *", 77)
    results = {"quantParam": found, "quantParamSize": count, argument: ffi.NULL}
    assert host_function(f32(1), None, *results.values()) == 161001
    assert message().startswith(
        f"[161001 ACLNN_ERR_PARAM_NULLPTR] aclnnTransQuantParam: argument '{argument}': got null"
    )
    assert found[0] == ffi.NULL
    assert int(count[0]) == 77


# -- the Python function ---------------------------------------------------------------------


@pytest.mark.parametrize("function", [aq.trans_quant_param, aq.torch_npu.npu_trans_quant_param])
def test_row_47_python_printed_example(function: Any) -> None:
    found = function(PRINTED_SCALE, PRINTED_OFFSET)
    assert found.dtype == np.int64
    assert found.shape == (16,)
    assert found.tolist() == PRINTED_WORDS


def test_row_48_python_round_mode() -> None:
    with pytest.raises(RuntimeError, match=r"argument 'round_mode': got 2") as caught:
        aq.torch_npu.npu_trans_quant_param(f32(1), None, 2)
    assert isinstance(caught.value, aq.AclError)
    assert caught.value.code is None  # no C function was called


class LibraryWithoutV3(Library):
    """The host device as an older CANN: the same file, but V3 is not found in it."""

    def _address(self, name: str) -> Any:
        return None if name.startswith(V3) else super()._address(name)


def test_row_49_python_library_without_v3(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = aq.backend()
    older = LibraryWithoutV3(backend.library.name, list(backend.library.files))
    monkeypatch.setattr(backend, "library", older)
    with pytest.raises(RuntimeError, match="newer CANN"):
        aq.trans_quant_param(f32(3.3), None, 1)
    assert aq.trans_quant_param(f32(3.3), None, 0).tolist() == [70369823367168]  # through V2


def test_row_50_python_shapes() -> None:
    assert aq.trans_quant_param(f32(1), f32(1, 2, 3, 4)).shape == (4,)
    assert aq.trans_quant_param(f32([[1, 2, 3, 4]])).shape == (1, 4)
