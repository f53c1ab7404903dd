"""Rows 1 to 19: aclnnQuantMatmulV3, V4, V5 and the function on top."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.abi import (
    FRACTAL_NZ,
    NCHW,
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
)
from helpers.compare import assert_same_bits
from reference import quant_matmul as reference

import aclquant as aq

V3, V4, V5 = (f"aclnnQuantMatmul{version}" for version in ("V3", "V4", "V5"))
WORDS = {"float32": np.uint32, "float16": np.uint16, "bfloat16": np.uint16}

every = pytest.mark.parametrize("function", [V3, V4, V5])
newer = pytest.mark.parametrize("function", [V4, V5])
older = pytest.mark.parametrize("function", [V3, V4])

X1, X2 = i8([[1, -2, 3], [4, 5, -6]]), i8([[7, -8], [9, 10], [-11, 12]])
BIAS = i32(100, -50)
PACKED = np.array([70507240095744, 140463659024384])  # 0.5 and 1, 0.25 and -2
SCALE = f32(0.5, 0.25)


def mm(
    function: str,
    x1: Any,
    x2: Any,
    scale: Any,
    y: Operand,
    *,
    offset: Any = None,
    pertoken: Any = None,
    bias: Any = None,
    turn: tuple[bool, bool] = (False, False),
) -> tuple[Argument, ...]:
    """Arguments of one version."""
    if function == V3:
        assert pertoken is None
        return x1, x2, scale, offset, bias, *turn, y
    if function == V4:
        return x1, x2, scale, offset, pertoken, bias, *turn, y
    return x1, x2, pertoken, scale, None, None, offset, None, bias, *turn, 0, y


def multiply(host: Host, function: str, x1: Any, x2: Any, scale: Any, to: Any, **rest: Any) -> Any:
    """A call that succeeds, with a result of the usual shape."""
    rows = x1.shape[-1] if rest.get("turn", (0, 0))[0] else x1.shape[-2]
    columns = x2.shape[-2] if rest.get("turn", (0, 0))[1] else x2.shape[-1]
    batch = np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    y = out((*batch, rows, columns), to)
    return host.ok(function, *mm(function, x1, x2, scale, y, **rest))


def sums(*values: int) -> dict[str, Any]:
    """x1, x2 and bias with these sums: a part of each comes from the product."""
    total = np.array(values, np.int64)
    x2 = (total % 120 - 60).astype(np.int8)
    bias = (total - 2 * x2.astype(np.int64)).astype(np.int32)
    return {"x1": i8([[2]]), "x2": x2[np.newaxis], "bias": bias}


def word(scale: float, offset: int = 0, signed: bool = True) -> int:
    bits = int(np.float32(scale).view(np.uint32)) & 0xFFFFE000
    return bits | (offset & 0x1FF) << 37 | int(signed) << 46


def requantised(host: Host, packed: int, *values: int) -> list[int]:
    """int8 results of these sums, by every version."""
    arguments = sums(*values)
    found = [
        multiply(host, function, scale=np.array([packed]), to="int8", **arguments)
        for function in (V3, V4, V5)
    ]
    assert found[0].tolist() == found[1].tolist() == found[2].tolist()
    result: list[int] = found[0][0].tolist()
    return result


# -- 1: the tiny case --------------------------------------------------------------------------


@every
@pytest.mark.parametrize(
    ("scale", "to", "expected"),
    [
        (PACKED, "int8", [[29, -12], [121, -28]]),
        (PACKED.astype(np.uint64), "int8", [[29, -12], [121, -28]]),
        (PACKED, "float16", [[28, -10.5], [119.5, -26]]),
        (SCALE, "bfloat16", [[28, -10.5], [119.5, -26]]),
        (SCALE, "int32", [[56, -42], [239, -104]]),
    ],
    ids=["int8", "uint64", "float16", "bfloat16", "int32"],
)
def test_row_01_tiny_case(
    host: Host, function: str, scale: Any, to: str, expected: list[list[float]]
) -> None:
    assert multiply(host, function, X1, X2, scale, to, bias=BIAS).tolist() == expected


@newer
@pytest.mark.parametrize("to", ["bfloat16", "float16"])
def test_row_01_tiny_case_per_token(host: Host, function: str, to: str) -> None:
    token = f32(0.1, 2.0)
    y = multiply(host, function, X1, X2, SCALE, to, bias=BIAS, pertoken=token)
    expected = f32([[2.8, -1.05], [239, -52]])
    assert_same_bits(y, expected.astype(y.dtype))


def test_row_01_tiny_case_python() -> None:
    y = aq.quant_matmul(X1, X2, SCALE, offset=f32(1, -2), bias=BIAS)
    assert y.tolist() == [[29, -12], [121, -28]]
    assert aq.trans_quant_param(SCALE, f32(1, -2)).tolist() == PACKED.tolist()


@pytest.mark.inference_series
@pytest.mark.parametrize("to", ["int8", "float16"])
def test_row_01_tiny_case_inference_series(host: Host, to: str) -> None:
    expected = [[29, -12], [121, -28]] if to == "int8" else [[28, -10.5], [119.5, -26]]
    for function in (V3, V4, V5):
        assert multiply(host, function, X1, X2, PACKED, to, bias=BIAS).tolist() == expected


# -- 2: int8 results ---------------------------------------------------------------------------


def test_row_02_scale_and_offset(host: Host) -> None:
    found = requantised(host, 70507239088128, 0, 1, 100, 127, 128, 175, -300, 600, 10000)
    assert found == [1, 1, 48, 61, 61, 83, -128, 127, 127]


def test_row_02_ties_and_saturation(host: Host) -> None:
    found = requantised(host, word(0.5), 1, 3, 5, -1, -3, 255, 257, -257)
    assert found == [0, 2, 2, 0, -2, 127, 127, -128]


def test_row_02_saturation_comes_before_the_offset(host: Host) -> None:
    assert requantised(host, word(1, -200), 300, 255, 200, -100) == [55, 55, 0, -128]
    assert requantised(host, word(1, 200), -300, -256, -100) == [-56, -56, 100]


def test_row_02_ends_of_the_offset(host: Host) -> None:
    """0.1 with -300 and -0.3 with 300, whose offsets are -256 and 255."""
    assert requantised(host, 105554153095168, 4000, 2500, 0) == [-1, -6, -128]
    assert requantised(host, 105418875043840, 1000, 500, 0) == [-1, 105, 127]


def test_row_02_without_the_sign_bit(host: Host) -> None:
    found = requantised(host, word(1, signed=False), -5, 0, 200, 300)
    assert i8(found).view(np.uint8).tolist() == [0, 0, 200, 255]


# -- 3: float16 results ------------------------------------------------------------------------


@every
@pytest.mark.parametrize(
    ("scale", "total", "bits"),
    [
        (0.47, 128, 0x5385),
        (0.1, 12345, 0x64D2),
        (1.0, 65519, 0x7BFF),
        (1.0, 65520, 0x7BFF),
        (-1.0, 200000, 0xFBFF),
        (2.0**-24, 1, 0x0001),
        (2.0**-25, 1, 0x0000),
        (2.0**-25, 3, 0x0002),
    ],
)
def test_row_03_float16(host: Host, function: str, scale: float, total: int, bits: int) -> None:
    """The word as loaders write it, zero- or sign-extended, and as the operator packs it."""
    raw = np.array([scale], np.float32).view(np.int32).astype(np.int64)
    for packed in (raw, raw & 0xFFFFFFFF, np.array([word(scale, 77)])):
        y = multiply(host, function, scale=packed, to="float16", **sums(total))
        assert y.view(np.uint16).tolist() == [[bits]]


def test_row_03_truncation_is_visible(host: Host) -> None:
    y = multiply(host, V4, scale=np.array([1011451376]), to="float16", **sums(7))
    assert y[0, 0] == np.float16(np.float32(7) * bits32(0x3C498000)[0])
    assert y[0, 0] != np.float16(np.float32(7) * np.float32(0.0123))


# -- 4: one scale or many ----------------------------------------------------------------------


@every
@pytest.mark.parametrize("to", ["int8", "float16", "bfloat16", "int32"])
def test_row_04_one_scale_or_many(host: Host, function: str, to: str) -> None:
    one = PACKED[:1] if to in ("int8", "float16") else SCALE[:1]
    many = np.repeat(one, 2)
    found = [multiply(host, function, X1, X2, scale, to, bias=BIAS) for scale in (one, many)]
    assert_same_bits(*found)


# -- 5: where the bias goes --------------------------------------------------------------------


@every
def test_row_05_integer_bias_before_the_scale(host: Host, function: str) -> None:
    y = multiply(host, function, i8([[1]]), i8([[3]]), f32(0.5), "bfloat16", bias=i32(1))
    assert y.tolist() == [[2]]
    y = multiply(host, function, i8([[1]]), i8([[3]]), np.array([word(0.5)]), "int8", bias=i32(4))
    assert y.tolist() == [[4]]  # 3.5, to even


@every
@pytest.mark.parametrize("bias", [f32(1.0), bf16(1.0)], ids=["float32", "bfloat16"])
def test_row_05_float_bias_after_the_scale(host: Host, function: str, bias: Any) -> None:
    y = multiply(host, function, i8([[1]]), i8([[3]]), f32(0.5), "bfloat16", bias=bias)
    assert y.tolist() == [[2.5]]


@newer
def test_row_05_half_bias_after_both_scales(host: Host, function: str) -> None:
    arguments = {"pertoken": f32(4), "bias": f16(1)}
    y = multiply(host, function, i8([[1]]), i8([[3]]), f32(0.5), "float16", **arguments)
    assert y.tolist() == [[7]]


# -- 6: bfloat16 scales ------------------------------------------------------------------------


@every
def test_row_06_bfloat16_scale(host: Host, function: str) -> None:
    scale = bf16(0.0123, -3.7)
    found = [
        multiply(host, function, X1, X2, values, "bfloat16", bias=BIAS)
        for values in (scale, scale.astype(np.float32))
    ]
    assert_same_bits(*found)


# -- 7: overflow -------------------------------------------------------------------------------


@newer
def test_row_07_overflow(host: Host, function: str) -> None:
    arguments = sums(65520, -70000)
    y = multiply(host, function, scale=f32(1), to="float16", pertoken=f32(1), **arguments)
    assert y.tolist() == [[np.inf, -np.inf]]
    y = multiply(host, function, scale=np.array([word(1)]), to="float16", **arguments)
    assert y.tolist() == [[65504, -65504]]


# -- 8: the order of two scales, and the vector numbers -----------------------------------------


@newer
def test_row_08_order_of_the_scales(host: Host, function: str) -> None:
    scales = {"scale": bits32(0x3BE627DE), "pertoken": bits32(0x3D1657DC)}
    y = multiply(host, function, to="bfloat16", **scales, **sums(60486))
    assert y.view(np.uint16).tolist() == [[0x417A]]  # the other order gives 0x4179


@newer
@pytest.mark.parametrize(
    ("to", "pertoken", "bias", "bits"),
    [
        ("bfloat16", None, None, 0x4318),
        ("bfloat16", 0.037, None, 0x40B4),
        ("float16", 0.037, None, None),
        ("bfloat16", 0.037, 1.5, 0x40E4),
    ],
)
def test_row_08_worked_numbers(
    host: Host, function: str, to: str, pertoken: float | None, bias: float | None, bits: int | None
) -> None:
    x1, x2 = i8([[127] * 97 + [26]]), i8([[1]] * 98)
    assert (x1.astype(int) @ x2.astype(int)).tolist() == [[12345]]
    y = multiply(
        *(host, function, x1, x2, f32(0.0123), to),
        pertoken=None if pertoken is None else f32(pertoken),
        bias=None if bias is None else f32(bias),
    )
    expected = np.float16(5.6182094).view(np.uint16) if bits is None else bits
    assert y.view(np.uint16).tolist() == [[expected]]


# -- 9: batches --------------------------------------------------------------------------------


@every
def test_row_09_batches(host: Host, function: str) -> None:
    generator = np.random.default_rng(9)
    x1 = generator.integers(-128, 128, (2, 1, 3, 4)).astype(np.int8)
    x2 = generator.integers(-128, 128, (5, 4, 6)).astype(np.int8)
    y = multiply(host, function, x1, x2, f32(1), "int32")
    assert y.shape == (2, 5, 3, 6)
    assert y.tolist() == (x1.astype(int) @ x2.astype(int)).tolist()


@every
def test_row_09_batches_do_not_fit(host: Host, function: str) -> None:
    x1, x2 = np.ones((2, 3, 4), np.int8), np.ones((5, 4, 6), np.int8)
    arguments = mm(function, x1, x2, f32(1), out((5, 3, 6), "int32"))
    host.refused(function, *arguments, argument="x2")


@every
def test_row_09_out_with_one_row_to_a_batch(host: Host, function: str) -> None:
    y = host.ok(function, *mm(function, X1, X2, SCALE, out((2, 1, 2), "int32"), bias=BIAS))
    assert y.tolist() == [[[56, -42]], [[239, -104]]]


# -- 10: strides -------------------------------------------------------------------------------


@every
def test_row_10_transposed(host: Host, function: str) -> None:
    stored1, stored2 = np.ascontiguousarray(X1.T), np.ascontiguousarray(X2.T)
    expected = [[56, -42], [239, -104]]
    for x1, x2, turn in [
        (X1, stored2, (False, True)),
        (X1, stored2.T, (False, False)),
        (stored1.T, X2, (False, False)),
        (stored1, X2, (True, False)),
        (stored1, stored2, (True, True)),
        (stored1.T, stored2.T, (False, False)),
        (X1.T, X2.T, (True, True)),
    ]:
        y = multiply(host, function, x1, x2, SCALE, "int32", bias=BIAS, turn=turn)
        assert y.tolist() == expected


@every
def test_row_10_other_strides(host: Host, function: str) -> None:
    wide = np.repeat(X2, 2, axis=1)
    wide[:, 1::2] = 99
    y = multiply(host, function, X1[:, ::-1][:, ::-1], wide[:, ::2], SCALE, "int32", bias=BIAS)
    assert y.tolist() == [[56, -42], [239, -104]]


@every
@pytest.mark.parametrize("to", ["int8", "float16", "bfloat16", "int32"])
def test_row_10_strided_result(host: Host, function: str, to: str) -> None:
    scale = PACKED if to in ("int8", "float16") else SCALE
    dense = multiply(host, function, X1, X2, scale, to, bias=BIAS)
    y = out((2, 2), to, strides=(1, 5), offset=3)
    assert_same_bits(host.ok(function, *mm(function, X1, X2, scale, y, bias=BIAS)), dense)


# -- 11: a bias for each batch -----------------------------------------------------------------


@every
def test_row_11_bias_of_a_batch(host: Host, function: str) -> None:
    x1 = np.stack([X1, X1])
    bias = i32([[[100, -50]], [[0, 1]]])
    y = multiply(host, function, x1, X2, SCALE, "int32", bias=bias)
    assert y.tolist() == [[[56, -42], [239, -104]], [[-44, 9], [139, -53]]]


@every
def test_row_11_bias_of_two_batches(host: Host, function: str) -> None:
    x1 = np.stack([X1, X1])[np.newaxis]
    arguments = mm(function, x1, X2, SCALE, out((1, 2, 2, 2), "int32"), bias=i32([[[1, 2]]] * 2))
    host.refused(function, *arguments, argument="bias")


# -- 12: refusals ------------------------------------------------------------------------------


def refused(
    host: Host, function: str, argument: str, *, status: Any = 161002, **changes: Any
) -> None:
    """The tiny case with something else in it."""
    to = changes.pop("to", "int8")
    shape = changes.pop("shape", (2, 2))
    parts: dict[str, Any] = {"x1": X1, "x2": X2, "scale": PACKED, "y": out(shape, to), **changes}
    if function == V5:
        names = {"scale": "x2Scale", "offset": "x2Offset", "pertokenScaleOptional": "x1Scale"}
        argument = names.get(argument, argument)
    host.refused(function, *mm(function, **parts), argument=argument, status=status)


@every
def test_row_12_plain_scale_for_int8(host: Host, function: str) -> None:
    refused(host, function, "scale", scale=SCALE)


@older
def test_row_12_offset_for_float16(host: Host, function: str) -> None:
    refused(host, function, "offset", to="float16", offset=f32(1))


@pytest.mark.parametrize("to", ["float16", "bfloat16"])
def test_row_12_f5_offset_for_halves(host: Host, to: str) -> None:
    """V5 finds it with the types, and answers 161002."""
    scale = PACKED if to == "float16" else SCALE
    refused(host, V5, "offset", to=to, scale=scale, offset=f32(1))


@pytest.mark.parametrize("offset", [f32(1), f32(1, 2), f16(1)])
@pytest.mark.parametrize("to", ["float16", "bfloat16", "int32"])
def test_row_12_f5_offset_that_is_accepted(host: Host, to: str, offset: Any) -> None:
    """With x1Scale, and for int32 results, V5 does not look at the offset's type."""
    pertoken = None if to == "int32" else f32(1, 2)
    plain = multiply(host, V5, X1, X2, SCALE, to, pertoken=pertoken)
    with_offset = multiply(host, V5, X1, X2, SCALE, to, pertoken=pertoken, offset=offset)
    assert_same_bits(with_offset, plain)


@pytest.mark.parametrize("to", ["float16", "int8"])
def test_row_12_f5_empty_offset(host: Host, to: str) -> None:
    refused(host, V5, "offset", to=to, offset=np.zeros(0, np.float32))


@every
def test_row_12_f5_format_of_the_offset(host: Host, function: str) -> None:
    """The offset is the one tensor whose format is not reset to ND."""
    refused(host, function, "offset", offset=given(f32(1), format=NCHW))
    plain = multiply(host, function, X1, X2, PACKED, "int8", bias=BIAS)
    scale, bias = given(PACKED, format=NCHW), given(BIAS, format=NCHW)
    formatted = mm(function, X1, X2, scale, out((2, 2), "int8"), bias=bias)
    assert_same_bits(host.ok(function, *formatted), plain)


@pytest.mark.parametrize(
    ("scale", "to"), [(PACKED, "float16"), (PACKED, "int8"), (bf16(1, 2), "bfloat16")]
)
def test_row_12_f5_group_size_is_not_looked_at(host: Host, scale: Any, to: str) -> None:
    arguments = list(mm(V5, X1, X2, scale, out((2, 2), to)))
    expected = host.ok(V5, *arguments)
    arguments[-2] = 5
    assert_same_bits(host.ok(V5, *arguments), expected)


@newer
def test_row_12_pertoken_for_int8(host: Host, function: str) -> None:
    refused(host, function, "out", pertoken=f32(1, 1))


@every
@pytest.mark.parametrize("count", [0, 3])
def test_row_12_length_of_scale(host: Host, function: str, count: int) -> None:
    refused(host, function, "scale", scale=np.resize(PACKED, count))


@every
@pytest.mark.parametrize("missing", ["x1", "x2", "scale", "out"])
def test_row_12_null(host: Host, function: str, missing: str) -> None:
    changes: dict[str, Any] = {"y" if missing == "out" else missing: None}
    refused(host, function, missing, status=161001, **changes)


@every
@pytest.mark.parametrize("result", ["workspaceSize", "executor"])
def test_row_12_null_result(host: Host, function: str, result: str) -> None:
    arguments = mm(function, None, None, None, out((1,), "int8"))
    host.refused(function, *arguments, argument=result, status=161001, null=result)


@every
def test_row_12_k(host: Host, function: str) -> None:
    refused(host, function, "x2", x2=i8([[1, 2], [3, 4]]))


@every
@pytest.mark.parametrize(("rows", "k", "name"), [(0, 3, "x1"), (2, 0, "x1")])
def test_row_12_empty(host: Host, function: str, rows: int, k: int, name: str) -> None:
    x1, x2 = np.zeros((rows, k), np.int8), np.zeros((k, 2), np.int8)
    refused(host, function, name, x1=x1, x2=x2, shape=(rows, 2))


@every
@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"x1": X1.astype(np.uint8)}, "x1"),
        ({"x2": X2.astype(np.int16)}, "x2"),
        ({"scale": SCALE.astype(np.float16)}, "scale"),
        ({"bias": BIAS.astype(np.int64)}, "bias"),
        ({"to": "float32"}, "out"),
        ({"x1": X1[0]}, "x1"),
        ({"x1": np.ones((1,) * 5 + (2, 3), np.int8)}, "x1"),
        ({"shape": (2, 3)}, "out"),
        ({"bias": i32(1, 2, 3)}, "bias"),
        ({"offset": f16(1)}, "offset"),
        ({"offset": f32([[1, 2]])}, "offset"),
        ({"scale": PACKED, "to": "bfloat16"}, "scale"),
        ({"scale": PACKED, "to": "int32"}, "scale"),
        ({"scale": bf16(1), "to": "float16"}, "scale"),
        ({"bias": bf16(1, 2), "to": "float16"}, "bias"),
        ({"bias": f32(1, 2), "to": "float16"}, "bias"),
        ({"bias": f16(1, 2), "scale": SCALE, "to": "bfloat16"}, "bias"),
        ({"bias": f32(1, 2), "scale": SCALE, "to": "int32"}, "bias"),
    ],
)
def test_row_12_types_and_shapes(
    host: Host, function: str, changes: dict[str, Any], argument: str
) -> None:
    refused(host, function, argument, **changes)


@newer
@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"pertoken": f16(1, 1)}, "pertokenScaleOptional"),
        ({"pertoken": f32(1)}, "pertokenScaleOptional"),
        ({"scale": bf16(1), "to": "float16"}, "scale"),
        ({"scale": PACKED, "to": "float16"}, "scale"),
        ({"bias": f16(1, 2), "to": "bfloat16"}, "bias"),
        ({"bias": bf16(1, 2), "to": "float16"}, "bias"),
        ({"scale": SCALE, "to": "int32"}, "out"),
    ],
)
def test_row_12_per_token(
    host: Host, function: str, changes: dict[str, Any], argument: str
) -> None:
    refused(
        *(host, function, argument),
        **{"scale": SCALE, "to": "bfloat16", "pertoken": f32(1, 1), **changes},
    )


@every
@pytest.mark.parametrize("name", ["x1", "x2"])
def test_row_12_private_format(host: Host, function: str, name: str) -> None:
    array = {"x1": X1, "x2": X2}[name]
    refused(host, function, name, **{name: given(array, format=FRACTAL_NZ)})


def test_row_12_scale_with_the_dimensions_of_x2(host: Host) -> None:
    for function in (V3, V4):
        y = multiply(host, function, X1, X2, PACKED[np.newaxis], "int8", bias=BIAS)
        assert y.tolist() == [[29, -12], [121, -28]]
        refused(host, function, "scale", scale=PACKED[:, np.newaxis])
    refused(host, V5, "scale", scale=PACKED[np.newaxis])


@every
def test_row_12_longest_axis(host: Host, function: str) -> None:
    x1, x2 = np.ones((1, 65536), np.int8), np.ones((65536, 1), np.int8)
    fits = {"x1": x1, "x2": x2, "scale": f32(1), "to": "int32", "shape": (1, 1)}
    if function == V5:
        assert multiply(host, V5, x1, x2, f32(1), "int32").tolist() == [[65536]]
    else:
        refused(host, function, "x1", **fits)
    y = multiply(host, function, x1[:, 1:], x2[1:], f32(1), "int32")
    assert y.tolist() == [[65535]]


def test_row_12_longest_axis_with_two_scales(host: Host) -> None:
    x1, x2 = np.ones((1, 65536), np.int8), np.ones((65536, 1), np.int8)
    y = multiply(host, V4, x1, x2, f32(1), "bfloat16", pertoken=f32(1))
    assert y.tolist() == [[65536]]


def test_row_12_mixed_inputs(host: Host) -> None:
    """int8 times int4: not legal in the older versions."""
    packed = i32([[0x76543210]] * 3)
    refused(host, V3, "x2", x2=packed, shape=(2, 8))
    refused(host, V4, "x2", x2=packed, shape=(2, 8))


def test_row_12_group_size_with_a_float_scale(host: Host) -> None:
    arguments = list(mm(V5, X1, X2, SCALE, out((2, 2), "bfloat16")))
    arguments[-2] = 128
    host.refused(V5, *arguments, argument="x2Scale")
    arguments[-2] = 0
    arguments[3] = f32([[1, 2]])
    host.refused(V5, *arguments, argument="x2Scale")


def test_row_12_the_950_is_not_supported() -> None:
    assert_950_not_supported()


@pytest.mark.inference_series
def test_row_12_inference_series(host: Host) -> None:
    for function in (V3, V4):
        words = i32([[1]])
        refused(host, function, "x1", x1=words, x2=words, status=361001)
    refused(host, V5, "x1", x1=i32([[1]]))
    for function in (V3, V4, V5):
        refused(host, function, "scale", scale=SCALE)
        refused(host, function, "scale", scale=bf16(1))
        refused(host, function, "out", scale=SCALE, to="bfloat16")
        refused(host, function, "out", scale=SCALE, to="int32")
        refused(host, function, "bias", bias=f32(1, 2))
    for function in (V4, V5):
        token = f32(0.5, 2)
        arguments = {"pertoken": token, "bias": BIAS}
        y = multiply(host, function, X1, X2, SCALE, "float16", **arguments)
        sums = X1.astype(np.int32) @ X2.astype(np.int32) + BIAS
        expected = sums.astype(np.float32) * SCALE * token[:, np.newaxis]
        assert_same_bits(y, expected.astype(np.float16))
        pertoken = {"scale": SCALE, "to": "float16", "pertoken": token}
        refused(host, function, "scale", **{**pertoken, "scale": PACKED})
        refused(host, function, "out", **{**pertoken, "to": "int8"})
        refused(host, function, "pertokenScaleOptional", **{**pertoken, "pertoken": f16(1, 1)})
    mixed = split_case(1, 256, 8, "float16")
    host.refused(V5, *split_call(mixed), argument="x2", status=361001)


# -- 13: what the fifth version takes for nothing ----------------------------------------------


@pytest.mark.parametrize(("position", "name"), [(4, "yScale"), (5, "x1Offset"), (7, "yOffset")])
def test_row_13_not_allowed(host: Host, position: int, name: str) -> None:
    arguments = list(mm(V5, X1, X2, PACKED, out((2, 2), "int8"), bias=BIAS))
    arguments[position] = f32(1)
    host.refused(V5, *arguments, argument=name, status=161001)


@pytest.mark.parametrize("position", [4, 5, 7])
def test_row_13_without_elements(host: Host, position: int) -> None:
    arguments = list(mm(V5, X1, X2, PACKED, out((2, 2), "int8"), bias=BIAS))
    arguments[position] = np.zeros(0, np.int8)
    assert host.ok(V5, *arguments).tolist() == [[29, -12], [121, -28]]


def test_row_13_an_empty_scale_is_a_scale(host: Host) -> None:
    """Only the tensors that V5 has no use for may be empty."""
    pertoken = np.zeros(0, np.float32)
    refused(host, V5, "pertokenScaleOptional", scale=SCALE, to="bfloat16", pertoken=pertoken)


# -- 14: int4 ----------------------------------------------------------------------------------

NIBBLES1 = np.random.default_rng(14).integers(-8, 8, (3, 16)).astype(np.int8)
NIBBLES2 = np.random.default_rng(41).integers(-8, 8, (16, 24)).astype(np.int8)
FOUR = (NIBBLES1.astype(int) @ NIBBLES2.astype(int)).tolist()
UNIT = np.array([word(1)])


@every
def test_row_14_int4_packed(host: Host, function: str) -> None:
    x1 = aq.pack_int4(NIBBLES1)
    y = out((3, 24), "float16")
    plain = mm(function, x1, aq.pack_int4(NIBBLES2), UNIT, y)
    assert host.ok(function, *plain).tolist() == FOUR
    stored = aq.pack_int4(np.ascontiguousarray(NIBBLES2.T))
    turned = mm(function, x1, stored, UNIT, y, turn=(False, True))
    assert host.ok(function, *turned).tolist() == FOUR
    assert host.ok(function, *mm(function, x1, stored.T, UNIT, y)).tolist() == FOUR


@every
def test_row_14_int4(host: Host, function: str) -> None:
    y = out((3, 24), "float16")
    found = host.ok(function, *mm(function, int4(NIBBLES1), int4(NIBBLES2), UNIT, y))
    assert found.tolist() == FOUR


@every
def test_row_14_int4_without_a_scale_per_token(host: Host, function: str) -> None:
    """Only packed scales are taken, and their bfloat16 results are documented nowhere."""
    small = {"x1": int4(NIBBLES1), "x2": int4(NIBBLES2), "shape": (3, 24)}
    refused(host, function, "scale", **small, scale=f32(1), to="bfloat16")
    refused(host, function, "bias", **small, scale=UNIT, to="float16", bias=f32(*[1] * 24))
    halves = mm(function, small["x1"], small["x2"], UNIT, out((3, 24), "bfloat16"))
    with host.call(function, *halves) as call:
        assert call.status == (561003 if function == V5 else 161002), call.text
        call.assert_nothing_written()


@newer
@pytest.mark.parametrize("to", ["float16", "bfloat16"])
def test_row_14_int4_per_token(host: Host, function: str, to: str) -> None:
    x1, x2 = aq.pack_int4(NIBBLES1), aq.pack_int4(NIBBLES2)
    token = f32(0.5, 1, 2)
    y = host.ok(function, *mm(function, x1, x2, f32(0.25), out((3, 24), to), pertoken=token))
    expected = (np.array(FOUR, np.float32) * np.float32(0.25)) * token[:, np.newaxis]
    assert_same_bits(y, expected.astype(y.dtype))


@every
def test_row_14_int4_refused(host: Host, function: str) -> None:
    x1, x2 = aq.pack_int4(NIBBLES1), aq.pack_int4(NIBBLES2)
    small = {"x1": x1, "x2": x2, "scale": UNIT, "to": "float16", "shape": (3, 24)}
    refused(host, function, "x2", **{**small, "x2": x2[:12]})  # k of 12
    refused(host, function, "transposeX1", **{**small, "turn": (True, False)})
    refused(host, function, "x2", **{**small, "x2": x2[np.newaxis], "shape": (1, 3, 24)})
    refused(host, function, "bias", **{**small, "bias": i32([[[1] * 24]])})
    refused(host, function, "out", **{**small, "to": "int8"})
    odd = {"scale": UNIT, "to": "float16", "shape": (1, 3)}
    left, right = int4(np.ones((1, 2))), int4(np.ones((2, 3)))
    refused(host, function, "x2", **{**odd, "x1": left, "x2": right})
    left, right = int4(np.ones((1, 3))), int4(np.ones((3, 4)))
    refused(host, function, "x1", **{**odd, "x1": left, "x2": right, "shape": (1, 4)})


# -- 15: the offset that is not read ----------------------------------------------------------


@every
@pytest.mark.parametrize("offset", [f32(100), f32(3, -7), f32(np.nan)])
def test_row_15_offset_has_no_effect(host: Host, function: str, offset: Any) -> None:
    y = multiply(host, function, X1, X2, PACKED, "int8", bias=BIAS, offset=offset)
    assert y.tolist() == [[29, -12], [121, -28]]


# -- 16: the printed example -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "offset", "packed"),
    [(0.47, 0, 70369800134656), (0.46, 2, 70644677705728), (0.50, -3, 140326228459520)],
)
def test_row_16_statistics_of_the_printed_example(scale: float, offset: int, packed: int) -> None:
    generator = np.random.default_rng(16)
    x1 = -generator.integers(0, 2, (15, 1, 512)).astype(np.int8)
    x2 = -generator.integers(0, 2, (15, 512, 128)).astype(np.int8)
    bias = -generator.integers(0, 2, (15, 1, 128)).astype(np.int32)
    words = aq.trans_quant_param(f32(scale), f32(offset))
    assert words.tolist() == [packed]
    y = aq.quant_matmul(x1, x2, words, offset=f32(offset), bias=bias)
    assert y.shape == (15, 1, 128) and y.dtype == np.int8
    assert abs(y.mean() - (scale * 127.5 + offset)) < 2
    assert 3 < y.std() < 7


# -- 17: G-B, scales for blocks (V5) -------------------------------------------------------------

BLOCKS = 1 << 32 | 128 << 16 | 128


def block_case(m: int, k: int, n: int) -> dict[str, Any]:
    generator = np.random.default_rng(17)
    return {
        "x1": generator.integers(-128, 128, (m, k)).astype(np.int8),
        "x2": generator.integers(-128, 128, (n, k)).astype(np.int8),
        "x1Scale": (generator.random((m, k // 128)) / 64).astype(np.float32),
        "x2Scale": (generator.random((n // 128, k // 128)) - 0.5).astype(np.float32),
        "x2Offset": None,
        "bias": generator.standard_normal(n).astype(np.float32),
        "turn": (False, True),
        "groupSize": BLOCKS,
        "out": out((m, n), "bfloat16"),
    }


def block_call(case: dict[str, Any]) -> tuple[Argument, ...]:
    first = case["x1"], case["x2"], case["x1Scale"], case["x2Scale"], None, None
    offsets = case["x2Offset"], case.get("yOffset")
    return *first, *offsets, case["bias"], *case["turn"], case["groupSize"], case["out"]


@pytest.mark.parametrize("shape", [(1, 512, 256), (5, 1024, 512), (130, 512, 256)])
def test_row_17_blocks(host: Host, shape: tuple[int, int, int]) -> None:
    case = block_case(*shape)
    b, scale = case["x2"].T, case["x2Scale"].T
    for bias in (case["bias"], None):
        found = host.ok(V5, *block_call({**case, "bias": bias}))
        assert_same_bits(found, reference.blocks(case["x1"], b, case["x1Scale"], scale, bias))
    views = {**case, "x2": b, "x2Scale": scale, "turn": (False, False)}
    assert_same_bits(host.ok(V5, *block_call(views)), host.ok(V5, *block_call(case)))


def test_row_17_blocks_by_hand(host: Host) -> None:
    """Each block has its own scale, the bias comes first, and every step is rounded."""
    case = block_case(1, 512, 256)
    case |= {"x1": np.ones((1, 512), np.int8), "x2": np.ones((256, 512), np.int8)}
    case["x1Scale"] = f32([[1, 2, 3, 4]])
    case["x2Scale"] = f32([[1, 1, 1, 1], [0.5, 0.5, 0.5, -1]])
    case["bias"] = np.full(256, 16, np.float32)
    found = host.ok(V5, *block_call(case)).astype(np.float32)
    assert found[0, :128].tolist() == [16 + 128 * 10] * 128
    assert found[0, 128:].tolist() == [16 + 64 * 6 - 128 * 4] * 128


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"groupSize": 0}, "groupSize"),
        ({"groupSize": 1 << 32 | 128 << 16 | 256}, "groupSize"),
        ({"x1Scale": np.ones((2, 3), np.float32)}, "x1Scale"),
        ({"x1Scale": np.ones((2, 2), np.float32)}, "x1Scale"),
        ({"x1Scale": np.ones((2, 4, 1), np.float32)}, "x1Scale"),
        ({"x2Scale": np.ones((2, 2), np.float32)}, "x2Scale"),
        ({"x2Scale": np.ones((1, 4), np.float32)}, "x2Scale"),
        ({"x2Scale": np.ones((2, 4), np.float16)}, "x2Scale"),
        ({"x1Scale": np.ones((2, 4), np.float16)}, "x1Scale"),
        ({"bias": np.ones(256, np.int32)}, "bias"),
        ({"bias": np.ones(255, np.float32)}, "bias"),
        ({"out": out((2, 256), "float16")}, "out"),
        ({"out": out((2, 255), "bfloat16")}, "out"),
        ({"turn": (False, False)}, "x2"),
    ],
)
def test_row_17_refused(host: Host, changes: dict[str, Any], argument: str) -> None:
    case = block_case(2, 512, 256)
    changed = block_call({**case, **changes})
    with host.call(V5, *changed) as call:
        assert call.status == 161002, call.text
        assert f"argument '{argument}'" in call.text
        call.assert_nothing_written()


def test_row_17_sizes_the_tiling_refuses(host: Host) -> None:
    short_k = block_case(2, 256, 256)
    host.refused(V5, *block_call(short_k), argument="x1")
    short_n = block_case(2, 512, 128)
    host.refused(V5, *block_call(short_n), argument="x2")


# -- 18: K-G, int4 with scales and offsets for groups of k (V5) ----------------------------------


def group_case(m: int, k: int, n: int, to: str) -> dict[str, Any]:
    generator = np.random.default_rng(18)
    return {
        "x1": generator.integers(-8, 8, (m, k)).astype(np.int8),
        "x2": generator.integers(-8, 8, (n, k)).astype(np.int8),
        "x1Scale": (generator.random((m, 1)) / 16).astype(np.float32),
        "x2Scale": (generator.random((k // 256, n)) - 0.5).astype(np.float32),
        "x2Offset": (generator.standard_normal((k // 256, n)) * 3).astype(np.float16),
        "bias": None,
        "turn": (False, True),
        "groupSize": 1 << 32 | 1 << 16 | 256,
        "out": out((m, n), to),
    }


def packed_sides(case: dict[str, Any]) -> tuple[Argument, ...]:
    sides = {name: aq.pack_int4(case[name]) for name in ("x1", "x2") if case[name].dtype == np.int8}
    return block_call({**case, **sides})


@pytest.mark.parametrize("to", ["float16", "bfloat16"])
@pytest.mark.parametrize("shape", [(1, 1024, 256), (9, 2048, 512)])
def test_row_18_groups(host: Host, shape: tuple[int, int, int], to: str) -> None:
    case = group_case(*shape, to)
    scales = case["x1Scale"], case["x2Scale"], case["x2Offset"]
    expected = reference.groups(case["x1"], case["x2"].T, *scales, to)
    assert_same_bits(host.ok(V5, *packed_sides(case)), expected)
    plain = {**case, "x1": int4(case["x1"]), "x2": int4(case["x2"])}
    assert_same_bits(host.ok(V5, *block_call(plain)), expected)
    view = aq.pack_int4(case["x2"]).T
    turned = {**case, "x1": aq.pack_int4(case["x1"]), "x2": view, "turn": (False, False)}
    assert_same_bits(host.ok(V5, *block_call(turned)), expected)


def test_row_18_groups_by_hand(host: Host) -> None:
    """(products - offset * sum of x1) * scale, added up over the groups, times x1Scale."""
    case = group_case(1, 1024, 256, "float16")
    case |= {"x1": np.full((1, 1024), 2, np.int8), "x2": np.full((256, 1024), 3, np.int8)}
    case["x2Scale"] = np.repeat(f32([[1], [0.5], [0.25], [0]]), 256, axis=1)
    case["x2Offset"] = np.repeat(f16([[1], [2], [-1], [5]]), 256, axis=1)
    case["x1Scale"] = f32([[0.5]])
    parts = [(1536 - 1 * 512) * 1, (1536 - 2 * 512) * 0.5, (1536 + 512) * 0.25]
    found = host.ok(V5, *packed_sides(case))
    assert found.tolist() == [[sum(parts) * 0.5] * 256]


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"groupSize": 0}, "x1Scale"),
        ({"groupSize": 128}, "x1Scale"),
        ({"x2Offset": None}, "x1Scale"),
        ({"x2Offset": np.zeros((4, 256), np.float32)}, "x1Scale"),
        ({"bias": np.zeros(256, np.float32)}, "x1Scale"),
        ({"x1Scale": np.ones((1, 1), np.float16)}, "x1Scale"),
        ({"out": out((1, 256), "int8")}, "out"),
    ],
)
def test_row_18_refused(host: Host, changes: dict[str, Any], argument: str) -> None:
    case = {**group_case(1, 1024, 256, "float16"), **changes}
    with host.call(V5, *packed_sides(case)) as call:
        assert call.status == 161002, call.text
        assert f"argument '{argument}'" in call.text
        call.assert_nothing_written()


def test_row_18_x2_must_be_transposed(host: Host) -> None:
    case = group_case(1, 1024, 256, "float16")
    turned = {**case, "x2": np.ascontiguousarray(case["x2"].T), "turn": (False, False)}
    host.refused(V5, *packed_sides(turned), argument="transposeX2")


# -- 19: A8W4, int8 times int4 (V5) --------------------------------------------------------------


def split_case(m: int, k: int, n: int, to: str, grouped: bool = True) -> dict[str, Any]:
    generator = np.random.default_rng(19)
    rows = k // 256 if grouped else 1
    scale = generator.random((rows, n)).astype(np.float32) / 256
    words = scale.view(np.uint32).astype(np.uint64)
    return {
        "x1": generator.integers(-128, 128, (m, k)).astype(np.int8),
        "x2": generator.integers(-8, 8, (k, n)).astype(np.int8),
        "x1Scale": (generator.random((m, 1) if grouped else m) / 16).astype(np.float32),
        "x2Scale": words if grouped else words[0],
        "x2Offset": None,
        "yOffset": generator.standard_normal(n).astype(np.float32),
        "bias": None,
        "turn": (False, False),
        "groupSize": 256 if grouped else 0,
        "out": out((m, n), to),
    }


def split_call(case: dict[str, Any]) -> tuple[Argument, ...]:
    x2 = case["x2"]
    return block_call({**case, "x2": aq.pack_int4(x2) if x2.dtype == np.int8 else x2})


@pytest.mark.parametrize("to", ["float16", "bfloat16"])
@pytest.mark.parametrize("grouped", [True, False], ids=["groups", "channels"])
@pytest.mark.parametrize("shape", [(1, 256, 8), (7, 1024, 264), (70, 512, 16)])
def test_row_19_int8_times_int4(
    host: Host, shape: tuple[int, int, int], grouped: bool, to: str
) -> None:
    case = split_case(*shape, to, grouped)
    words = np.atleast_2d(case["x2Scale"])
    arguments = case["x1"], case["x2"], case["x1Scale"], words, case["yOffset"], to
    expected = reference.split(*arguments)
    assert_same_bits(host.ok(V5, *split_call(case)), expected)
    signed = {**case, "x2Scale": case["x2Scale"].astype(np.int64)}
    assert_same_bits(host.ok(V5, *split_call(signed)), expected)
    if not grouped:
        stored = aq.pack_int4(np.ascontiguousarray(case["x2"].T))
        for x2, turn in ((stored, (False, True)), (stored.T, (False, False))):
            assert_same_bits(host.ok(V5, *split_call({**case, "x2": x2, "turn": turn})), expected)


def test_row_19_by_hand(host: Host) -> None:
    """x1 = 16 * high + low + 8; the 8 comes back through yOffset, 8 * scale * sum of x2."""
    case = split_case(1, 8, 8, "float16", grouped=False)
    case["x1"] = i8([[127, -128, 0, -1, 8, 16, -16, 100]])
    case["x2"] = np.tile(i8([[1], [2], [-3], [4], [-5], [6], [7], [-8]]), (1, 8))
    case["x2Scale"] = np.full(8, np.float32(0.25).view(np.uint32), np.uint64)
    case["yOffset"] = np.full(8, 8 * 0.25 * 4, np.float32)
    case["x1Scale"] = f32(2)
    product = int((case["x1"].astype(int) @ case["x2"].astype(int))[0, 0])
    assert host.ok(V5, *split_call(case)).tolist() == [[product * 0.25 * 2] * 8]


@pytest.mark.parametrize(
    ("changes", "argument", "status"),
    [
        ({"turn": (True, False)}, "transposeX1", 161002),
        ({"groupSize": 0}, "groupSize", 161002),
        ({"x2Offset": f16(1)}, "x2Offset", 161001),
        ({"x2Offset": np.zeros(0, np.float32)}, "x2Offset", 161001),
        ({"yOffset": None}, "yOffset", 161002),
        ({"yOffset": np.zeros(0, np.float32)}, "yOffset", 161002),
        ({"yOffset": np.zeros(9, np.float32)}, "yOffset", 161002),
        ({"yOffset": np.zeros(8, np.float16)}, "yOffset", 161002),
        ({"yOffset": given(np.zeros(8, np.float32), format=NCHW)}, "yOffset", 161002),
        ({"x1Scale": None}, "x1Scale", 161002),
        ({"x1Scale": f32(1)}, "x1Scale", 161002),
        ({"x1Scale": f32([[1, 2]])}, "x1Scale", 161002),
        ({"x1Scale": np.ones((1, 1), np.uint64)}, "x1Scale", 161002),
        ({"x2Scale": np.ones((2, 8), np.float32)}, "x2Scale", 161002),
        ({"x2Scale": np.ones((1, 8), np.uint64)}, "x2Scale", 161002),
        ({"x2Scale": np.ones((2, 9), np.uint64)}, "x2Scale", 161002),
        ({"bias": np.ones((1, 8), np.float16)}, "bias", 161002),
        ({"bias": np.ones(8, np.float16)}, "bias", 161002),
        ({"x1": np.ones((1, 511), np.int8)}, "x2", 161002),
        ({"x1": np.ones((1, 1, 512), np.int8)}, "x1", 161002),
        ({"out": out((1, 8), "float32")}, "out", 161002),
        ({"out": out((1, 9), "bfloat16")}, "out", 161002),
        ({"out": out((2, 8), "bfloat16")}, "out", 161002),
    ],
)
def test_row_19_f5_refused(host: Host, changes: dict[str, Any], argument: str, status: int) -> None:
    case = {**split_case(1, 512, 8, "bfloat16"), **changes}
    host.refused(V5, *split_call(case), argument=argument, status=status)


def test_row_19_f5_more_refused(host: Host) -> None:
    """yScale; sizes; and transposed weights with groups, which CANN's tiling refuses."""
    case = split_case(1, 512, 8, "float16")
    arguments = list(split_call(case))
    arguments[4] = np.ones((1, 8), np.uint64)
    host.refused(V5, *arguments, argument="yScale")
    stored = aq.pack_int4(np.ascontiguousarray(case["x2"].T))
    turned = {**case, "x2": stored, "turn": (False, True)}
    host.refused(V5, *split_call(turned), argument="transposeX2")
    long = split_case(1, 29578, 8, "float16", grouped=False)
    host.refused(V5, *split_call(long), argument="x1")
    odd = split_case(1, 257, 8, "float16", grouped=False)
    host.refused(V5, *split_call(odd), argument="x1")
