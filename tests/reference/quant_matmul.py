"""aclnnQuantMatmulV3, V4, V5 and the Python function on top of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arithmetic import (
    A2,
    PARAM_INVALID,
    PARAM_NULLPTR,
    Array,
    Family,
    Refusal,
    Spec,
    narrow,
    require,
    unpack_int4,
    widen,
)

RUNTIME_ERROR = 361001
FIND_KERNEL = 561003
F32 = np.float32
_WORDS = ("int64", "uint64")


def _transposed_view(x: Array) -> bool:
    """The last two dimensions of a contiguous array, swapped by strides alone."""
    if x.flags.c_contiguous or x.shape[-2:] == (1, 1):
        return False
    steps = [stride // x.itemsize for stride in x.strides]
    if steps[-2] != 1 or steps[-1] != x.shape[-2]:
        return False
    expected = x.shape[-1] * x.shape[-2]
    for size, step in zip(x.shape[-3::-1], steps[-3::-1], strict=True):
        if step != expected:
            return False
        expected *= size
    return True


def _stored(x: Array, transpose: bool) -> tuple[Array, bool]:
    """The array as it is stored, int4 unpacked, and whether it is to be transposed."""
    if _transposed_view(x):
        x, transpose = x.swapaxes(-1, -2), not transpose
    return (unpack_int4(x) if x.dtype == np.int32 else x), transpose


def _element(x: Array) -> str:
    return "int4" if x.dtype.name in ("int32", "int4") else str(x.dtype.name)


def _check_dtypes(
    x1: Array,
    x2: Array,
    scale: Array,
    offset: Array | None,
    pertoken: Array | None,
    bias: Array | None,
    out: str,
    family: Family,
    fifth: bool,
) -> None:
    kind, b = scale.dtype.name, None if bias is None else bias.dtype.name
    a2 = family == A2
    inputs = ("int8", "int4") if a2 else ("int8",)
    require(_element(x1) in inputs and _element(x2) in inputs, "dtype of x1 or x2")
    require(kind in (*_WORDS, "float32", *(["bfloat16"] if a2 else [])), "dtype of scale")
    biases = ("int32", "bfloat16", "float16", "float32") if a2 else ("int32",)
    require(b is None or b in biases, "dtype of bias")
    require(out in ("int8", "float16", *(["bfloat16", "int32"] if a2 else [])), "dtype of out")
    require(_element(x1) == _element(x2), "one dtype for x1 and x2")
    int4 = _element(x1) == "int4"
    if offset is not None:
        # V5 looks at the offset in some branches only
        anything = fifth and a2 and (pertoken is not None or int4 or out == "int32")
        require(anything or (offset.dtype == F32 and out == "int8"), "offset goes with int8")
    require(not int4 or out in ("float16", "bfloat16"), "int4 gives halves")
    if pertoken is not None:
        require(pertoken.dtype == F32, "dtype of the scale per token")
        require(out in (("float16", "bfloat16") if a2 else ("float16",)), "per token gives halves")
        require(kind not in _WORDS, "per token needs plain scales")
        require(out != "float16" or kind == "float32", "float16 per token needs float32 scales")
        require(b is None or b in ("int32", "float32", out), "bias of the other half")
        return
    if int4:
        require(kind in _WORDS and b in (None, "int32"), "int4 without a scale per token")
        require(fifth or out == "float16", "words give float16")
        return
    require((kind in _WORDS) == (out in ("int8", "float16")), "words give int8 and float16")
    of_bfloat16 = out == "bfloat16" and b in ("float32", "bfloat16")
    require(b in (None, "int32") or of_bfloat16, "dtype of bias")


def _is_parameter(v: Array, n: int) -> bool:
    return v.shape[-1] in (1, n) and v.size == v.shape[-1]


def aclnn_quant_matmul_v4(
    x1: Array | None,
    x2: Array | None,
    scale: Array | None,
    offset: Array | None,
    pertoken: Array | None,
    bias: Array | None,
    transpose_x1: bool,
    transpose_x2: bool,
    out: Spec | None,
    family: Family = A2,
    fifth: bool = False,
) -> Array:
    """V4, and what V5 has in common with it."""
    if x1 is None or x2 is None or scale is None or out is None:
        raise Refusal(PARAM_NULLPTR, "x1, x2, scale and out are required")
    require(2 <= x1.ndim <= 6 and 2 <= x2.ndim <= 6, "2 to 6 dimensions")
    require(2 <= len(out.shape) <= 6, "2 to 6 dimensions of out")
    require(scale.ndim == 1 or (not fifth and scale.ndim == x2.ndim), "dimensions of scale")
    if family != A2 and not fifth:
        fits = "int4" not in (_element(x1), _element(x2))
        require(fits, "no int4 in the inference series", RUNTIME_ERROR)
    _check_dtypes(x1, x2, scale, offset, pertoken, bias, out.dtype, family, fifth)

    stored1, turn1 = _stored(x1, transpose_x1)
    stored2, turn2 = _stored(x2, transpose_x2)
    a = stored1.swapaxes(-1, -2) if turn1 else stored1
    b = stored2.swapaxes(-1, -2) if turn2 else stored2
    (m, k), n = a.shape[-2:], b.shape[-1]
    if _element(x1) == "int4":
        require(bias is None or bias.ndim == 1, "int4: a bias of one dimension")
        require(b.ndim == 2, "int4: x2 has 2 dimensions")
        require(not turn1, "int4: x1 is not transposed")
        require(k % 2 == 0 and (turn2 or n % 2 == 0), "int4: even lengths")
    require(k == b.shape[-2], "one k")
    exempt = (
        *(family == A2, _element(x1) == "int8", scale.dtype.name not in _WORDS),
        *(scale.ndim == 1, pertoken is not None and pertoken.ndim == 1),
    )
    if not fifth and not all(exempt):
        require(max(stored1.shape[-1], stored2.shape[-1]) <= 65535, "the longest axis")
    require(_is_parameter(scale, n), "size of scale")
    if offset is not None:
        require(offset.ndim == 1 and _is_parameter(offset, n), "size of offset")
    require(pertoken is None or pertoken.shape == (m,), "a scale for each row")
    try:
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    except ValueError:
        raise Refusal(PARAM_INVALID, "batch dimensions") from None
    if bias is not None:
        whole = len(batch) == 1 and bias.shape == (*batch, 1, n)
        require(bias.shape == (n,) or whole, "shape of bias")
    special = x1.ndim == x2.ndim == 2 and out.shape == (m, 1, n)
    require(special or out.shape == (*batch, m, n), "shape of out")
    require(x1.size > 0 and x2.size > 0, "nothing to multiply")
    if _element(x1) == "int4" and out.dtype == "bfloat16" and pertoken is None:
        raise Refusal(FIND_KERNEL, "our choice: undocumented results")
    found = _values(a, b, scale, pertoken, bias, out)
    return found.reshape(out.shape)


@np.errstate(all="ignore")
def _values(
    a: Array, b: Array, scale: Array, pertoken: Array | None, bias: Array | None, out: Spec
) -> Array:
    acc = a.astype(np.int64) @ b.astype(np.int64)
    if bias is not None and bias.dtype == np.int32:
        acc = acc + bias
    sums = acc.astype(np.uint64).astype(np.uint32).view(np.int32)  # wraps around
    if out.dtype == "int32":
        return sums
    f = widen(sums)
    if scale.dtype.name not in _WORDS:
        t = f * widen(scale).reshape(-1)
        if pertoken is not None:
            t = t * pertoken[:, np.newaxis]
        if bias is not None and bias.dtype != np.int32:
            t = t + widen(bias)
        return narrow(t, out.dtype, saturate=False)
    words = [int(word) & (2**64 - 1) for word in scale.reshape(-1)]
    m1 = np.array([word & 0xFFFFE000 for word in words], np.uint32).view(F32)
    t = f * m1
    if out.dtype == "float16":
        return narrow(t, "float16", saturate=True)
    offsets = np.array([(word >> 37) % 512 for word in words])
    offsets = np.where(offsets < 256, offsets, offsets - 512)
    signed = np.array([bool(word & 1 << 46) for word in words])
    nine = np.rint(np.clip(np.where(np.isnan(t), 0, t.astype(np.float64)), -256, 255))
    moved = nine.astype(np.int64) + offsets
    eight = np.where(signed, np.clip(moved, -128, 127), np.clip(moved, 0, 255))
    result: Array = eight.astype(np.uint8).view(np.int8)
    return result


def aclnn_quant_matmul_v3(
    x1: Array | None,
    x2: Array | None,
    scale: Array | None,
    offset: Array | None,
    bias: Array | None,
    transpose_x1: bool,
    transpose_x2: bool,
    out: Spec | None,
    family: Family = A2,
) -> Array:
    return aclnn_quant_matmul_v4(
        x1, x2, scale, offset, None, bias, transpose_x1, transpose_x2, out, family
    )


def aclnn_quant_matmul_v5(
    x1: Array | None,
    x2: Array | None,
    x1_scale: Array | None,
    x2_scale: Array | None,
    y_scale: Array | None,
    x1_offset: Array | None,
    x2_offset: Array | None,
    y_offset: Array | None,
    bias: Array | None,
    transpose_x1: bool,
    transpose_x2: bool,
    group_size: int,
    out: Spec | None,
    family: Family = A2,
) -> Array:
    """The fifth version."""
    if x1 is None or x2 is None or x2_scale is None or out is None:
        raise Refusal(PARAM_NULLPTR, "x1, x2, x2Scale and out are required")
    split = x1.dtype == np.int8 and x2.dtype == np.int32
    absent = [x1_offset, *([] if split else [y_scale, y_offset])]
    for optional in absent:
        require(optional is None or not optional.size, "not allowed here", PARAM_NULLPTR)
    require(not split or x2_offset is None, "not allowed here", PARAM_NULLPTR)
    if split:
        require(family == A2, "A2 and A3 only", RUNTIME_ERROR)
        flags = transpose_x1, transpose_x2, group_size
        return _split(x1, x2, x1_scale, x2_scale, y_scale, y_offset, bias, *flags, out)
    require(
        out.dtype != "bfloat16"
        or not group_size
        or x1_scale is not None
        or x2_scale.dtype.name == "bfloat16",
        "groupSize with a bfloat16 result needs a bfloat16 scale",
    )
    return aclnn_quant_matmul_v4(
        *(x1, x2, x2_scale, x2_offset, x1_scale, bias, transpose_x1, transpose_x2, out),
        *(family, True),
    )


# -- the modes of the fifth version: values of calls that are legal -------------------------------


@np.errstate(all="ignore")
def blocks(
    a: Array, b: Array, a_scale: Array, b_scale: Array, bias: Array | None, size: int = 128
) -> Array:
    """a (m, k), b (k, n), scales (m, k/128) and (k/128, n/128): float sums over the blocks of k."""
    total = np.zeros((a.shape[0], b.shape[1]), F32)
    total = total if bias is None else total + bias
    for number, k in enumerate(range(0, a.shape[1], size)):
        part = widen(a[:, k : k + size].astype(np.int32) @ b[k : k + size].astype(np.int32))
        both = a_scale[:, number, np.newaxis] * np.repeat(b_scale[number], size)[np.newaxis]
        total = part * both + total
    return narrow(total, "bfloat16", saturate=False)


@np.errstate(all="ignore")
def groups(
    a: Array, b: Array, a_scale: Array, b_scale: Array, b_offset: Array, kind: str, size: int = 256
) -> Array:
    """a (m, k), b (k, n) of int4, scales (m, 1) and (k/256, n), offsets (k/256, n)."""
    total = np.zeros((a.shape[0], b.shape[1]), F32)
    for number, k in enumerate(range(0, a.shape[1], size)):
        left = a[:, k : k + size].astype(np.int32)
        part = widen(left @ b[k : k + size].astype(np.int32))
        rows = widen(left.sum(axis=1))[:, np.newaxis]
        part = part - widen(b_offset[number]) * rows
        total = part * b_scale[number] + total
    return narrow(total * a_scale, kind, saturate=False)


def _half_of_words(sums: Array, words: Array) -> Array:
    bits = np.array([int(word) & 0xFFFFE000 for word in words], np.uint32)
    return narrow(widen(sums) * bits.view(F32), "float16", saturate=True)


@np.errstate(all="ignore")
def split(a: Array, b: Array, a_scale: Array, words: Array, y_offset: Array, kind: str) -> Array:
    """a (m, k) of int8, b (k, n) of int4, words (k/256, n), or (1, n) for all of k."""
    high = a.astype(np.int32) // 16
    low = a.astype(np.int32) - 16 * high - 8
    size = a.shape[1] // len(words)
    sums = []
    for part in (high, low):
        half: Array | None = None
        for number, row in enumerate(words):
            k = slice(number * size, (number + 1) * size)
            found = _half_of_words(part[:, k] @ b[k].astype(np.int32), row)
            half = found if half is None else half + found  # rounded to float16
        assert half is not None
        sums.append(widen(half))
    total = (sums[1] + sums[0] * F32(16)) + y_offset
    return narrow(total * a_scale.reshape(-1, 1), kind, saturate=False)


def _split(
    x1: Array,
    x2: Array,
    x1_scale: Array | None,
    x2_scale: Array,
    y_scale: Array | None,
    y_offset: Array | None,
    bias: Array | None,
    transpose_x1: bool,
    transpose_x2: bool,
    group_size: int,
    out: Spec,
) -> Array:
    require(x1.ndim == x2.ndim == len(out.shape) == 2, "two dimensions")
    stored1, turn1 = _stored(x1, transpose_x1)
    stored2, turn2 = _stored(x2, transpose_x2)
    b = stored2.T if turn2 else stored2
    (m, k), n = x1.shape, b.shape[1]
    grouped = x2_scale.ndim == 2
    require(not turn1 and x2_scale.ndim in (1, 2), "layout")
    require(group_size == (256 if grouped else 0), "groupSize")
    require(bias is None and y_scale is None, "no bias, no yScale")
    given = x1_scale is not None and y_offset is not None and x1_scale.size and y_offset.size
    require(bool(given) and x2_scale.size > 0, "scales and yOffset are required")
    assert x1_scale is not None and y_offset is not None
    require(x1_scale.dtype == y_offset.dtype == F32, "dtypes")
    require(x2_scale.dtype.name in _WORDS and out.dtype in ("float16", "bfloat16"), "dtypes")
    require(m > 0 and n > 0 and 0 < k <= 29576 and k == b.shape[0], "sizes")
    require(k % (256 if grouped else 2) == 0, "k")
    require(x1_scale.shape == ((m, 1) if grouped else (m,)), "shape of x1Scale")
    require(x2_scale.shape == ((k // 256, n) if grouped else (n,)), "shape of x2Scale")
    require(y_offset.shape == (n,) and out.shape == (m, n), "shape of yOffset or out")
    require(not grouped or not turn2, "our choice: refused by CANN's tiling")
    return split(stored1, b, x1_scale, np.atleast_2d(x2_scale), y_offset, out.dtype)


def quant_matmul(
    x1: Array,
    x2: Array,
    scale: Array,
    *,
    offset: Array | None = None,
    pertoken_scale: Array | None = None,
    bias: Array | None = None,
    output_dtype: str | None = None,
    family: Family = A2,
) -> Array:
    """The Python surface, on arrays."""
    from .trans_quant_param import trans_quant_param

    kind = output_dtype or "int8"
    require(x1.ndim > 1 and x2.ndim > 1, "at least two dimensions", None)
    require(kind in ("int8", "float16", "bfloat16", "int32"), "output_dtype", None)
    words: Any = scale
    if scale.dtype == F32 and pertoken_scale is None and kind in ("int8", "float16"):
        words = trans_quant_param(scale, offset, family=family)
    turned = x1.dtype == np.int32 and x1.shape[-1] == x2.shape[-2]
    n = x2.shape[-1] * (8 if x1.dtype == x2.dtype == np.int32 and not turned else 1)
    try:
        batch = np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    except ValueError:
        batch = x1.shape[:-2]
    out = Spec(kind, (*batch, x1.shape[-2], n))
    return aclnn_quant_matmul_v5(
        *(x1, x2, pertoken_scale, words, None, None, offset, None, bias, False, False, 0),
        *(out, family),
    )
