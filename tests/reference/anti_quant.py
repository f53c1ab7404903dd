"""aclnnAscendAntiQuant and the Python function on top of it."""

from __future__ import annotations

import numpy as np

from .arithmetic import (
    A2,
    ACL_CODE,
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

_INPUTS = {A2: ("int4", "int8", "int32"), "310p": ("int8",)}
_SCALES = {A2: ("float32", "bfloat16"), "310p": ("float32",)}
_OUTPUTS = {A2: ("float16", "bfloat16"), "310p": ("float16",)}


def _unpacked_shape(x: Array) -> tuple[int, ...]:
    return (*x.shape[:-1], 8 * x.shape[-1]) if x.ndim else (8,)


def aclnn_ascend_anti_quant(
    x: Array | None,
    scale: Array | None,
    offset: Array | None,
    dst_type: int,
    sqrt_mode: bool,
    y: Spec | None,
    family: Family = A2,
) -> Array:
    """``(x + offset) * scale``; x INT32 holds eight int4."""
    if x is None or scale is None or y is None:
        raise Refusal(PARAM_NULLPTR, "x, scale and y are required")
    require(x.dtype.name in _INPUTS[family], "dtype of x")
    require(y.dtype in _OUTPUTS[family], "dtype of y")
    require(scale.dtype.name in _SCALES[family], "dtype of scale")
    if offset is not None:
        require(offset.dtype == scale.dtype, "offset has the dtype of scale")
    require(ACL_CODE[y.dtype] == dst_type, "dstType is the dtype of y")

    if x.dtype.name == "int32":
        require(y.shape == _unpacked_shape(x), "y has eight elements for one of x")
    else:
        require(y.shape == x.shape, "y has the shape of x")
        if x.dtype.name == "int4":
            require(x.ndim > 0 and x.shape[-1] % 2 == 0, "an even last dimension")
    require(x.ndim <= 8, "at most 8 dimensions")
    require(scale.ndim == 1, "scale is one-dimensional")
    if offset is not None:
        require(offset.shape == scale.shape, "offset has the shape of scale")
    require(scale.size in (1, y.shape[-1] if y.shape else 1), "size of scale")
    if x.size == 0:
        return y.empty()

    values = unpack_int4(x.reshape(x.shape or (1,))) if x.dtype.name == "int32" else x
    one = scale.size == 1  # then broadcast like a scalar, so that a 0-d x stays 0-d
    with np.errstate(all="ignore"):
        s = widen(scale.reshape(()) if one else scale)
        t = widen(values)
        if offset is not None:
            t = t + widen(offset.reshape(()) if one else offset)
        v = t * s
        if sqrt_mode:
            v = v * s
    return narrow(np.asarray(v, np.float32).reshape(y.shape), y.dtype, saturate=family != A2)


def anti_quant(
    x: Array,
    scale: Array,
    *,
    offset: Array | None = None,
    dst_dtype: str | None = None,
    src_dtype: str | None = None,
    family: Family = A2,
) -> Array:
    """The Python surface; dtypes by name."""
    name = x.dtype.name
    require(name in ("int8", "int32"), "dtype of x", None)
    if name == "int32":
        require(src_dtype in (None, "quint4x2", "int4"), "int32 means packed int4", None)
        require(x.ndim > 0, "a packed scalar", None)
    else:
        require(src_dtype in (None, "int8"), "src_dtype is the dtype of x", None)
    target = dst_dtype or "float16"
    require(target in ACL_CODE, "dst_dtype", None)
    y = Spec(target, _unpacked_shape(x) if name == "int32" else x.shape)
    return aclnn_ascend_anti_quant(x, scale, offset, ACL_CODE[target], False, y, family)
