"""What the two dynamic quantisations share: everything but whether there is an offset."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes, errors
from ..backends import backend
from ..dtypes import DTypeLike, as_dtype
from ..launch import Operator, operator
from ..plans import Arrangement
from .common import apart, operand, output, packed_shape, parameter

__all__ = ["arrange"]

_RESULTS = ("y", "scale", "offset")
_NUMBERS = {2: "two", 3: "three"}


def arrange(
    name: str,
    symmetric: bool,
    x: Any,
    smooth_scales: Any,
    group_index: Any,
    dst_type: DTypeLike | None,
    quant_mode: str,
    dst_type_max: float,
    out: Any,
) -> Arrangement:
    """Return the call of a dynamic quantisation; `name` is for errors."""
    x = operand(name, "x", x, np.float16)
    if x.ndim < 2:
        raise errors.ParameterError(
            function=name, argument="x", got=f"shape {x.shape}", allowed="2 dimensions or more"
        )
    if group_index is not None and quant_mode != "pertoken":
        # The C operators take groups per tensor, too; the documented functions do not.
        raise errors.ParameterError(
            function=name,
            argument="quant_mode",
            got=repr(quant_mode),
            allowed="'pertoken' together with group_index",
        )
    kind = (
        dtypes.int8 if dst_type is None else as_dtype(dst_type, function=name, argument="dst_type")
    )
    smooth = parameter(name, "smooth_scales", smooth_scales, x, x.dtype)
    groups = parameter(name, "group_index", group_index, x, np.int32)
    results = _results(name, 2 if symmetric else 3, x, kind, quant_mode, out)
    if out is not None:
        x, smooth, groups = (apart(v, *results) for v in (x, smooth, groups))
    op = _choose(name, symmetric, quant_mode, dst_type_max, groups is not None)
    if op.name == "aclnnDynamicQuant":
        return Arrangement(op, (x, smooth, *results), results)
    attributes: tuple[Any, ...] = {
        "aclnnDynamicQuantV3": (symmetric, quant_mode),
        "aclnnDynamicQuantV4": (symmetric, quant_mode, dst_type_max),
    }.get(op.name, ())
    nothing = (None,) if symmetric else ()
    return Arrangement(op, (x, smooth, groups, kind.code, *attributes, *results, *nothing), results)


def _results(
    name: str, count: int, x: Any, kind: dtypes.DType, quant_mode: str, out: Any
) -> tuple[Any, ...]:
    if out is not None and (not isinstance(out, tuple) or len(out) != count):
        got = f"a tuple of {len(out)}" if isinstance(out, tuple) else type(out).__name__
        allowed = f"a tuple of {_NUMBERS[count]}: {', '.join(_RESULTS[:count])}"
        raise errors.ParameterError(function=name, argument="out", got=got, allowed=allowed)
    given = (None,) * count if out is None else out
    packs = kind is dtypes.quint4x2
    y_shape = packed_shape(name, x) if packs else x.shape
    y = output(name, given[0], x, y_shape, kind.numpy, "out[0]")
    shape = _parameter_shape(x.shape, quant_mode)
    rest = (
        output(name, given[index], x, shape, np.float32, f"out[{index}]")
        for index in range(1, count)
    )
    return (y, *rest)


def _parameter_shape(shape: tuple[int, ...], quant_mode: str) -> tuple[int, ...]:
    if quant_mode == "pertensor":
        return (1,)
    if quant_mode == "perchannel":
        return (*shape[:-2], shape[-1])
    return shape[:-1]  # another mode is for phase 1 to refuse


def _choose(
    name: str, symmetric: bool, quant_mode: str, dst_type_max: float, grouped: bool
) -> Operator:
    """Return the C function, as torch_npu chooses it."""
    has = {n: backend().library.has(f"aclnnDynamicQuantV{n}GetWorkspaceSize") for n in (2, 3, 4)}
    if has[4] and (dst_type_max or quant_mode != "pertoken"):
        return operator("aclnnDynamicQuantV4")
    if dst_type_max:
        raise _needs(name, "dst_type_max needs aclnnDynamicQuantV4")
    if has[3] and quant_mode != "pertoken":
        return operator("aclnnDynamicQuantV3")
    if quant_mode not in ("pertoken", "pertensor"):
        raise _needs(name, f"quant_mode '{quant_mode}' needs aclnnDynamicQuantV3 or V4")
    # Per tensor as torch_npu: right for a single row, and refused for more by the scale's shape.
    if has[2] or not symmetric:
        return operator("aclnnDynamicQuantV2")
    if grouped:
        raise _needs(name, "group_index needs aclnnDynamicQuantV2")
    return operator("aclnnDynamicQuant")


def _needs(name: str, what: str) -> errors.NotSupportedError:
    return errors.NotSupportedError(f"{what}, which a newer CANN has", function=name)
