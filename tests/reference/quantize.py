"""aclnnQuantize, aclnnAscendQuant, aclnnAscendQuantV3 and the Python function on top of them."""

from __future__ import annotations

import numpy as np

from .arithmetic import (
    A2,
    ACL_CODE,
    INNER_NULLPTR,
    PARAM_NULLPTR,
    Array,
    Family,
    Refusal,
    Spec,
    along,
    pack_int4,
    require,
    to_integer,
    widen,
)

_FLOATS = {A2: ("float32", "float16", "bfloat16"), "310p": ("float32", "float16")}
_ZERO_POINTS = {A2: ("int8", "uint8", "int32", "bfloat16"), "310p": ("int8", "uint8", "int32")}
_QUANTIZED = ("int8", "uint8", "int32")
_ASCEND_OUT = {A2: ("int8", "int32", "int4"), "310p": ("int8",)}


def aclnn_quantize(
    x: Array | None,
    scales: Array | None,
    zero_points: Array | None,
    dtype: int,
    axis: int,
    out: Spec | None,
    family: Family = A2,
) -> Array:
    """``round(x / scales + zero_points)``, saturated."""
    if x is None or scales is None or out is None:
        raise Refusal(PARAM_NULLPTR, "x, scales and out are required")
    require(x.ndim <= 8, "at most 8 dimensions")
    require(out.shape == x.shape, "out has the shape of x")
    require(scales.ndim == 1, "scales is one-dimensional")
    if zero_points is not None:
        require(zero_points.ndim == 1, "zero points are one-dimensional")
        require(zero_points.size == scales.size, "as many zero points as scales")
    if scales.size != 1:
        require(-x.ndim <= axis < x.ndim, "axis in range")
        require(scales.size == x.shape[axis], "one scale per element of the axis")

    floats = _FLOATS[family]
    require(x.dtype.name in floats, "dtype of x")
    require(scales.dtype.name in floats, "dtype of scales")
    if zero_points is not None:
        require(zero_points.dtype.name in _ZERO_POINTS[family], "dtype of zero points")
    require(dtype in [ACL_CODE[name] for name in _QUANTIZED], "the dtype argument")
    require(out.dtype in _QUANTIZED and ACL_CODE[out.dtype] == dtype, "out has that dtype")
    parameters = [p.dtype.name for p in (scales, zero_points) if p is not None]
    if "bfloat16" in parameters:
        require({x.dtype.name, *parameters} == {"bfloat16"}, "bfloat16 everywhere or nowhere")

    if x.size == 0:
        return out.empty()
    axis = axis if scales.size != 1 else -1
    with np.errstate(all="ignore"):
        v = widen(x) / along(widen(scales), x.ndim, axis)
        if zero_points is not None:
            v = v + along(widen(zero_points), x.ndim, axis)
    return to_integer(v, out.dtype)


def _check_ascend_dtypes(
    x: Array, scale: Array, offset: Array | None, dst_type: int, y: Spec, family: Family
) -> None:
    require(x.dtype.name in _FLOATS[family], "dtype of x")
    require(y.dtype in _ASCEND_OUT[family], "dtype of y")
    require(scale.dtype.name in _FLOATS[family], "dtype of scale")
    if offset is not None:
        require(offset.dtype == scale.dtype, "offset has the dtype of scale")
    require(x.dtype.name == "float32" or scale.dtype == x.dtype, "scale has the dtype of x")
    require(dst_type == ACL_CODE[y.dtype], "dstType is the dtype of y")


def _check_ascend_out(x: Array, y: Spec) -> None:
    if y.dtype == "int32":
        require(x.ndim > 0 and len(y.shape) == x.ndim, "y has the rank of x")
        require(y.shape[:-1] == x.shape[:-1], "leading dimensions of y")
        require(y.shape[-1] * 8 == x.shape[-1], "eight elements of x in one of y")
    else:
        require(y.shape == x.shape, "y has the shape of x")
        if y.dtype == "int4":
            require(x.ndim > 0 and x.shape[-1] % 2 == 0, "an even last dimension")
    require(x.ndim <= 8, "at most 8 dimensions")


def _ascend_values(
    x: Array, scale: Array, offset: Array | None, sqrt_mode: bool, round_mode: str, y: Spec
) -> Array:
    """``scale`` and ``offset`` already broadcast against ``x``."""
    with np.errstate(all="ignore"):
        s = widen(scale)
        v = widen(x) * s
        if sqrt_mode:
            v = v * s
        if offset is not None:
            v = v + widen(offset)
    if y.dtype == "int32":
        return pack_int4(to_integer(v, "int4", round_mode))
    return to_integer(v, y.dtype, round_mode)


def aclnn_ascend_quant_v3(
    x: Array | None,
    scale: Array | None,
    offset: Array | None,
    sqrt_mode: bool,
    round_mode: str | None,
    dst_type: int,
    axis: int,
    y: Spec | None,
    family: Family = A2,
) -> Array:
    """``round(x * scale + offset)``, saturated; y INT32 holds eight int4."""
    if x is None or scale is None or y is None:
        raise Refusal(PARAM_NULLPTR, "x, scale and y are required")
    require(x.ndim > 0, "x has a dimension")
    _check_ascend_dtypes(x, scale, offset, dst_type, y, family)

    rank = x.ndim
    if family != A2:
        require(axis in (-1, rank - 1), "the last axis only")
    require(-rank <= axis < rank, "axis in range")
    if rank > 2:
        require(axis in (-2, -1, rank - 2, rank - 1), "one of the last two axes")

    _check_ascend_out(x, y)
    if offset is not None:
        require(offset.shape == scale.shape, "offset has the shape of scale")
    require(scale.ndim in (1, rank) and scale.ndim > 0, "rank of scale")
    length = x.shape[axis]
    if scale.ndim == 1:
        require(scale.size in (1, length), "size of scale")
    else:
        require(scale.shape[axis] in (1, length), "size of scale on the axis")
        elsewhere = list(scale.shape)
        del elsewhere[axis]
        require(all(n == 1 for n in elsewhere), "size 1 elsewhere")
    require(round_mode in ("round", "floor", "ceil", "trunc"), "roundMode")

    if x.size == 0:
        return y.empty()
    where = axis if scale.size != 1 else -1
    spread = along(scale.reshape(-1), rank, where)
    shift = None if offset is None else along(offset.reshape(-1), rank, where)
    return _ascend_values(x, spread, shift, sqrt_mode, str(round_mode), y)


def aclnn_ascend_quant(
    x: Array | None,
    scale: Array | None,
    offset: Array | None,
    sqrt_mode: bool,
    round_mode: str | None,
    dst_type: int,
    y: Spec | None,
    family: Family = A2,
) -> Array:
    """The first version: the last axis only, looser shape rules, a 0-d x is welcome."""
    if x is None or scale is None or y is None:
        raise Refusal(PARAM_NULLPTR, "x, scale and y are required")
    _check_ascend_dtypes(x, scale, offset, dst_type, y, family)
    _check_ascend_out(x, y)
    require(scale.ndim > 0, "scale has a dimension")
    last = x.shape[-1] if x.ndim else 1
    for parameter in (scale,) if offset is None else (scale, offset):
        require(parameter.ndim > 0 and parameter.shape[-1] == scale.shape[-1], "last dimension")
        require(parameter.shape[-1] in (1, last), "one value, or one per last-axis element")
        require(all(n == 1 for n in parameter.shape[:-1]), "size 1 elsewhere")
    require(round_mode in ("round", "floor", "ceil", "trunc"), "roundMode")
    if x.size == 0:
        return y.empty()
    ranks_fit = scale.ndim in (1, x.ndim) and (offset is None or offset.ndim == scale.ndim)
    require(ranks_fit, "tiling wants rank 1 or the rank of x", INNER_NULLPTR)
    spread = along(scale.reshape(-1), x.ndim, -1)
    shift = None if offset is None else along(offset.reshape(-1), x.ndim, -1)
    return _ascend_values(x, spread, shift, sqrt_mode, str(round_mode), y)


_DIVIDING = {
    "qint8": "int8",
    "int8": "int8",
    "quint8": "uint8",
    "uint8": "uint8",
    "qint32": "int32",
    "int32": "int32",
}
_MULTIPLYING = {
    "qint8": "int8",
    "int8": "int8",
    "quint4x2": "int32",
    "int32": "int32",
    "uint8": "uint8",
}


def quantize(
    x: Array,
    scales: Array,
    zero_points: Array | None = None,
    dtype: str = "qint8",
    axis: int = 1,
    div_mode: bool = True,
    family: Family = A2,
) -> Array:
    """The Python surface; ``dtype`` by name."""
    names = _DIVIDING if div_mode else _MULTIPLYING
    require(dtype in names, "dtype argument", None)
    target = names[dtype]
    if div_mode:
        out = Spec(target, x.shape)
        return aclnn_quantize(x, scales, zero_points, ACL_CODE[target], axis, out, family)
    shape = x.shape
    if target == "int32":
        require(x.ndim > 0 and x.shape[-1] % 8 == 0, "last dimension divisible by 8", None)
        shape = (*x.shape[:-1], x.shape[-1] // 8)
    axis = axis if axis <= -2 else -1
    y = Spec(target, shape)
    code = ACL_CODE[target]
    return aclnn_ascend_quant_v3(x, scales, zero_points, False, "round", code, axis, y, family)
