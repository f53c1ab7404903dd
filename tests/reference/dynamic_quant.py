"""aclnnDynamicQuant, V2, V3, V4 and the asymmetric Python function on top of them."""

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
    pack_int4,
    require,
    to_integer,
    widen,
)

F32 = np.float32
EPSILON = F32(1e-12)
_FLOATS = {A2: ("float16", "bfloat16"), "310p": ("float16",)}
_QUANTIZED = {A2: ("int8", "int4", "int32"), "310p": ("int8",)}
_MODES = ("pertoken", "pertensor", "perchannel")

#: range, top, dtype of the stored integers
_ASYMMETRIC = {"int8": (F32(255), F32(127)), "int4": (F32(15), F32(7))}
_SYMMETRIC = {"int8": F32(127), "int4": F32(7)}

Outputs = tuple[Array, Array, Array | None]


def scale_shape(shape: tuple[int, ...], mode: str = "pertoken") -> tuple[int, ...]:
    """Shape of scale and offset for an x of ``shape``."""
    if mode == "pertensor":
        return (1,)
    if mode == "perchannel":
        return (*shape[:-2], shape[-1])
    return shape[:-1]


def smooth_row_of_rows(group_index: Array, rows: int) -> list[int | None]:
    """Which smooth row belongs to which row of x; None where no group covers the row."""
    ends = [int(end) for end in group_index]
    return [
        next((i for i, end in enumerate(ends) if end >= row), None) for row in range(1, rows + 1)
    ]


def _check(
    x: Array,
    smooth: Array | None,
    groups: Array | None,
    mode: str,
    y: Spec,
    scale: Spec,
    offset: Spec | None,
    family: Family,
) -> None:
    require(mode in _MODES, "quantMode")
    require(not (mode == "perchannel" and groups is not None), "perchannel has no groups")
    require(x.dtype.name in _FLOATS[family], "dtype of x")
    if smooth is not None:
        require(smooth.dtype == x.dtype, "smooth scales have the dtype of x")
        require(groups is None or groups.dtype.name in ("int32", "int64"), "dtype of groups")
    require(y.dtype in _QUANTIZED[family], "dtype of y")
    require(scale.dtype == "float32", "dtype of scale")
    require(offset is None or offset.dtype == "float32", "dtype of offset")
    require(2 <= x.ndim <= 8, "2 to 8 dimensions")
    if smooth is not None:
        if groups is not None:
            require(groups.ndim == 1, "groups are one-dimensional")
        else:
            length = x.shape[-2] if mode == "perchannel" else x.shape[-1]
            require(smooth.shape == (length,), "one smooth scale per element")
    if y.dtype == "int32":
        require(len(y.shape) == x.ndim and y.shape[:-1] == x.shape[:-1], "leading dims of y")
        require(8 * y.shape[-1] == x.shape[-1], "eight elements of x in one of y")
    else:
        require(y.shape == x.shape, "y has the shape of x")
    require(y.dtype != "int4" or x.shape[-1] % 2 == 0, "an even last dimension")
    require(scale.shape == scale_shape(x.shape, mode), "shape of scale")
    require(offset is None or offset.shape == scale.shape, "shape of offset")


def _check_tiling(x: Array, smooth: Array | None, groups: Array | None, family: Family) -> None:
    if family != A2:
        require(x.shape[-1] % 32 == 0, "a multiple of 32", INNER_NULLPTR)
        return
    if smooth is not None and groups is not None:
        experts = groups.size
        require(1 <= experts <= 1024, "1 to 1024 groups", INNER_NULLPTR)
        require(smooth.shape == (experts, x.shape[-1]), "shape of smooth", INNER_NULLPTR)
        require(groups.dtype == np.int32, "groups are INT32", INNER_NULLPTR)


def _smoothed(x: Array, smooth: Array | None, groups: Array | None, mode: str) -> Array:
    """float32 values after smoothing, one rounding; uncovered rows are left alone."""
    v = widen(x)
    if smooth is None:
        return v
    if groups is None:
        factors = widen(smooth)
        return v * (factors[:, np.newaxis] if mode == "perchannel" else factors)
    rows = v.reshape(-1, x.shape[-1]).copy()
    for row, index in enumerate(smooth_row_of_rows(groups, len(rows))):
        if index is not None:
            rows[row] = rows[row] * widen(smooth[index])
    return np.reshape(rows, x.shape)


def _store(t: Array, y: Spec) -> Array:
    if y.dtype == "int32":
        return pack_int4(to_integer(t, "int4"))
    return to_integer(t, y.dtype)


def _asymmetric(v: Array, axes: tuple[int, ...], width: str) -> tuple[Array, Array, Array]:
    """Unrounded y, scale and offset of the A2 family; reduced axes are kept."""
    span, top = _ASYMMETRIC[width]
    largest, smallest = np.max(v, axes, keepdims=True), np.min(v, axes, keepdims=True)
    scale = (largest - smallest) / span
    scale = np.where(scale > EPSILON, scale, EPSILON)  # a NaN becomes epsilon too
    offset = top - largest / scale
    back = F32(1) / scale
    return v * back + offset, scale, offset


def _multiplies(x: Array, smooth: Array | None, groups: Array | None) -> bool:
    """Whether the kernel for this shape stores amax * (1/D) rather than 1 / (D / amax)."""
    if smooth is not None and groups is not None:
        return False
    length = x.shape[-1]
    aligned = (length + 15) // 16 * 16
    if length % 8 == 0 and 128 <= length <= (16320 if smooth is None else 12736):
        return True
    return bool(aligned <= (15024 if smooth is None else 10272))


def _symmetric(v: Array, axes: tuple[int, ...], width: str, multiply: bool) -> tuple[Array, Array]:
    top = _SYMMETRIC[width]
    amax = np.max(np.abs(v), axes, keepdims=True)
    q = top / amax
    scale = amax * (F32(1) / top) if multiply else F32(1) / q
    return v * q, scale


def _inference_series(x: Array, asymmetric: bool) -> Outputs:
    """Half precision arithmetic of the 310P, ties away from zero."""
    # Which of two zeros NumPy takes for an extreme depends on its order: here a zero has no sign.
    largest = widen(np.max(x, axis=-1, keepdims=True)) + F32(0)
    smallest = widen(np.min(x, axis=-1, keepdims=True)) + F32(0)
    if asymmetric:
        span = largest - smallest
        inverse = np.where(span <= EPSILON, F32(0), F32(255) / span)
        scale = span / F32(255)
        offset = (-(largest + smallest) * inverse) * F32(0.5)
        t = x * inverse.astype(np.float16) + offset.astype(np.float16)
        return to_integer(t, "int8", "away"), scale[..., 0], offset[..., 0]
    amax = np.maximum(np.abs(largest), np.abs(smallest))
    inverse = np.where(amax <= EPSILON, F32(0), F32(127) / amax)
    t = x * inverse.astype(np.float16)
    return to_integer(t, "int8", "away"), (amax * (F32(1) / F32(127)))[..., 0], None


def aclnn_dynamic_quant_v3(
    x: Array | None,
    smooth: Array | None,
    groups: Array | None,
    dst_type: int,
    symmetrical: bool,
    mode: str,
    y: Spec | None,
    scale: Spec | None,
    offset: Spec | None,
    family: Family = A2,
    old: bool = False,
) -> Outputs:
    """All forms. ``old`` selects the symmetric scale of CANN 8.1 (1 / (D / amax) everywhere)."""
    del dst_type  # documented as ignored: the dtype of y decides
    if x is None or y is None or scale is None:
        raise Refusal(PARAM_NULLPTR, "x, y and scale are required")
    require(symmetrical == (offset is None), "an offset exactly for asymmetric results")
    _check(x, smooth, groups, mode, y, scale, offset, family)
    if 0 in (x.size, y.size, scale.size):
        return y.empty(), scale.empty(), None if offset is None else offset.empty()
    _check_tiling(x, smooth, groups, family)

    with np.errstate(all="ignore"):
        if family != A2:
            return _inference_series(x, offset is not None)
        width = "int8" if y.dtype == "int8" else "int4"
        axes = {
            "pertoken": (-1,),
            "perchannel": (-2,),
            "pertensor": tuple(range(x.ndim)),
        }[mode]
        v = _smoothed(x, smooth, groups, mode)
        if offset is not None:
            t, s, o = _asymmetric(v, axes, width)
            return _store(t, y), s.reshape(scale.shape), o.reshape(offset.shape)
        t, s = _symmetric(v, axes, width, not old and _multiplies(x, smooth, groups))
        return _store(t, y), s.reshape(scale.shape), None


def aclnn_dynamic_quant_v2(
    x: Array | None,
    smooth: Array | None,
    groups: Array | None,
    dst_type: int,
    y: Spec | None,
    scale: Spec | None,
    offset: Spec | None,
    family: Family = A2,
    old: bool = False,
) -> Outputs:
    return aclnn_dynamic_quant_v3(
        x, smooth, groups, dst_type, offset is None, "pertoken", y, scale, offset, family, old
    )


def aclnn_dynamic_quant(
    x: Array | None,
    smooth: Array | None,
    y: Spec | None,
    scale: Spec | None,
    family: Family = A2,
    old: bool = False,
) -> Outputs:
    return aclnn_dynamic_quant_v2(x, smooth, None, 2, y, scale, None, family, old)


_STORED = {
    None: "int8",
    "int8": "int8",
    "quint4x2": "int32",
    "int32": "int32*",  # an int32 y of x's shape, which the operator refuses
    "uint8": "uint8",
}


def dynamic_quant_asymmetric(
    x: Array,
    *,
    smooth_scales: Array | None = None,
    group_index: Array | None = None,
    dst_type: str | None = None,
    quant_mode: str = "pertoken",
    family: Family = A2,
) -> tuple[Array, Array, Array]:
    """The Python surface; ``dst_type`` by name."""
    require(x.ndim > 1, "at least two dimensions", None)
    require(dst_type in _STORED, "dst_type", None)
    require(quant_mode in _MODES, "quant_mode", None)
    # narrower than the C function, which takes groups with pertensor: the operator's public
    # documentation allows group_index with "pertoken" only
    require(group_index is None or quant_mode == "pertoken", "groups are pertoken only", None)
    stored = _STORED[dst_type]
    shape = x.shape
    if dst_type == "quint4x2":
        require(x.shape[-1] % 8 == 0, "last dimension divisible by 8", None)
        shape = (*x.shape[:-1], x.shape[-1] // 8)
    y = Spec(stored.rstrip("*"), shape)
    parameter = Spec("float32", scale_shape(x.shape, quant_mode))
    values, scale, offset = aclnn_dynamic_quant_v3(
        x,
        smooth_scales,
        group_index,
        ACL_CODE[y.dtype],
        False,
        quant_mode,
        y,
        parameter,
        parameter,
        family,
    )
    assert offset is not None
    return values, scale, offset
