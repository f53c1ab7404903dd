"""aclnnTransQuantParam (host function), V2, V3, and the Python function on top of V3."""

from __future__ import annotations

import numpy as np

from .arithmetic import (
    A2,
    INNER_ERROR,
    PARAM_INVALID,
    PARAM_NULLPTR,
    Array,
    Family,
    Refusal,
    Spec,
    require,
)

_FLAG = np.uint64(1 << 46)


def _row(shape: tuple[int, ...]) -> bool:
    """Whether the shape is ``(n,)`` or ``(1, n)`` with n >= 1."""
    return len(shape) in (1, 2) and shape[-1] >= 1 and shape[:-1] in ((), (1,))


def _contiguous(array: Array) -> bool:
    """Dimensions of size 1 do not count, nor do arrays of at most one element."""
    return array.size <= 1 or bool(array.flags.c_contiguous)


def _truncated(bits: Array) -> Array:
    kept: Array = bits & np.uint32(0xFFFFE000)
    return kept


def _rounded(bits: Array) -> Array:
    """The 19-bit float, nearest even; subnormals become signed zeros."""
    exponent = (bits >> np.uint32(23)) & np.uint32(0xFF)
    wide = bits.astype(np.uint64)
    lsb = (wide >> np.uint64(13)) & np.uint64(1)
    # adding just under half a step, plus one when the kept part is odd: nearest, ties to even;
    # a carry out of the mantissa runs into the exponent, as it should
    rounded = (wide + np.uint64(0xFFF) + lsb).astype(np.uint32) & np.uint32(0xFFFFE000)
    flushed = bits & np.uint32(0x80000000)
    rounded = np.where(exponent == 0, flushed, rounded)
    return np.where(exponent == 255, _truncated(bits), rounded)


def _offset_field(offsets: Array, away: bool) -> Array:
    """Nine bits of two's complement: rounded, then clamped; NaN gives 0."""
    with np.errstate(invalid="ignore"):  # signalling NaNs warn on being widened
        wide = offsets.astype(np.float64)
        half_away = np.copysign(np.floor(np.abs(wide) + 0.5), wide)
        whole = half_away if away else np.rint(wide)
    whole = np.where(np.isnan(whole), 0.0, whole)
    field = np.clip(whole, -256, 255).astype(np.int64) & 0x1FF
    placed: Array = field.astype(np.uint64) << np.uint64(37)
    return placed


def aclnn_trans_quant_param_v3(
    scale: Array | None,
    offset: Array | None,
    round_mode: int,
    out: Spec | None,
    family: Family = A2,
) -> Array:
    """One 64-bit word per element; the result has the dtype and shape of ``out``."""
    del family  # the same everywhere
    if scale is None or out is None:
        raise Refusal(PARAM_NULLPTR, "scale and out are required")
    require(scale.dtype == np.float32, "dtype of scale")
    require(offset is None or offset.dtype == np.float32, "dtype of offset")
    require(out.dtype in ("uint64", "int64"), "dtype of out")
    # several rows without an offset: documented, refused by the sources; computed by default
    rows = offset is None and scale.ndim == 2 and min(scale.shape) >= 1
    require(_row(scale.shape) or rows, "shape of scale")
    if offset is not None:
        require(_row(offset.shape), "shape of offset")
        if offset.ndim == 1 and scale.shape[0] > 1 and offset.shape[0] > 1:
            require(scale.shape[0] == offset.shape[0], "lengths differ")
    require(round_mode in (0, 1), "roundMode")
    count = offset.size if offset is not None else 1
    # our deviation: what the real kernel would read or write out of bounds is refused
    require(1 in (scale.size, count) or scale.size == count, "lengths differ")
    length = max(scale.size, count)
    require(out.size == 0 or out.size >= length, "out is too small")
    if out.size == 0:
        return out.empty()  # nothing is launched, phase 2 reports success
    for array in (scale, offset):
        require(array is None or _contiguous(array), "phase 2: not contiguous", INNER_ERROR)

    bits = np.ascontiguousarray(scale).reshape(-1).view(np.uint32)
    field = _truncated(bits) if round_mode == 0 else _rounded(bits)
    words = np.broadcast_to(field.astype(np.uint64) | _FLAG, (length,)).copy()
    if offset is not None:
        words |= _offset_field(offset.reshape(-1), away=False)
    result = out.empty().reshape(-1)
    result[:length] = words.astype(out.dtype)
    return result.reshape(out.shape)


def aclnn_trans_quant_param_v2(
    scale: Array | None, offset: Array | None, out: Spec | None, family: Family = A2
) -> Array:
    return aclnn_trans_quant_param_v3(scale, offset, 0, out, family)


def aclnn_trans_quant_param(
    scale: Array | None, scale_size: int, offset: Array | None, offset_size: int
) -> Array:
    """The host function: full scale bits, no broadcast, padded with zeros to 16 words."""
    require((offset is None) == (offset_size == 0), "offset and its size", PARAM_INVALID)
    require(scale is not None and scale_size > 0, "scale and its size", PARAM_INVALID)
    assert scale is not None
    longest = max(scale_size, offset_size)
    words = np.zeros(1 if longest == 1 else -(-longest // 16) * 16, np.uint64)
    bits = np.ascontiguousarray(scale[:scale_size]).view(np.uint32)
    words[:scale_size] = bits.astype(np.uint64) | _FLAG
    if offset is not None:
        field = _offset_field(offset[:offset_size], away=True)
        words[:offset_size] = (words[:offset_size] & np.uint64(0x4000FFFFFFFF)) | field
    return words


def trans_quant_param(
    scale: Array, offset: Array | None = None, round_mode: int | None = 0, family: Family = A2
) -> Array:
    """The Python surface: int64 words. Strided arrays are copied, the C functions refuse them."""
    mode = 0 if round_mode is None else round_mode
    require(mode in (0, 1), "round_mode", None)
    shape = scale.shape
    if scale.ndim == 1 and offset is not None:
        require(offset.ndim > 0, "offset without dimensions", None)
        shape = scale.shape if scale.shape[0] > offset.shape[0] else offset.shape
    scale = scale.copy(order="C")
    offset = None if offset is None else offset.copy(order="C")
    return aclnn_trans_quant_param_v3(scale, offset, mode, Spec("int64", shape), family)
