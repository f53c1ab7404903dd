"""The call behind both dynamic quantisations, with and without an offset."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes, errors
from ..backends import backend
from ..dtypes import DTypeLike
from ..invocation import Invocation, Result
from ..operators import operator
from .common import Factor, Operand, dtype, operand, packed_shape, parameter

__all__ = ["dynamic"]


def dynamic(
    symmetric: bool,
    x: Operand,
    smooth_scales: Factor | None,
    group_index: Factor | None,
    dst_type: DTypeLike | None,
    quant_mode: str,
    dst_type_max: float,
) -> Invocation:
    """Return the call of a dynamic quantisation."""
    x = operand("x", x, np.float16)
    if x.ndim < 2:
        raise errors.ParameterError(
            argument="x", got=f"shape {x.shape}", allowed="2 dimensions or more"
        )
    if group_index is not None and quant_mode != "pertoken":
        # The C operators take groups per tensor as well; the documented functions do not.
        raise errors.ParameterError(
            argument="quant_mode",
            got=repr(quant_mode),
            allowed="'pertoken' together with group_index",
        )
    kind = dtype("dst_type", dst_type, dtypes.int8)
    name = _choose(symmetric, quant_mode, dst_type_max, group_index is not None)
    shape = _scale_shape(x.shape, quant_mode)
    arguments: dict[str, Any] = {
        "x": x,
        "smoothScalesOptional": parameter("smooth_scales", smooth_scales, x, x.dtype),
        "groupIndexOptional": parameter("group_index", group_index, x, np.int32),
        "dstType": kind.code,
        "isSymmetrical": symmetric,
        "quantMode": quant_mode,
        "dstTypeMax": dst_type_max,
        "yOut": Result(x, packed_shape(x) if kind is dtypes.quint4x2 else x.shape, kind.numpy),
        "scaleOut": Result(x, shape, np.float32),
        "offsetOut": None if symmetric else Result(x, shape, np.float32),
    }
    taken = {p.name: arguments[p.name] for p in operator(name).parameters}
    return Invocation(name, {"yOut": "dst_type"}, **taken)


def _scale_shape(shape: tuple[int, ...], quant_mode: str) -> tuple[int, ...]:
    if quant_mode == "pertensor":
        return (1,)
    if quant_mode == "perchannel":
        return (*shape[:-2], shape[-1])
    return shape[:-1]  # another mode is for phase 1 to refuse


def _choose(symmetric: bool, quant_mode: str, dst_type_max: float, grouped: bool) -> str:
    """Return the C function, as torch_npu chooses it, or that of the bundled kernels."""
    bundled = backend().bundled_kernels
    function = "dynamic_quant" if symmetric else "dynamic_quant_asymmetric"
    if function in bundled and quant_mode == "pertoken" and not dst_type_max:
        return bundled[function]
    library = backend().library
    has = {n: operator(f"aclnnDynamicQuantV{n}").is_in(library) for n in (2, 3, 4)}
    if has[4] and (dst_type_max or quant_mode != "pertoken"):
        return "aclnnDynamicQuantV4"
    if dst_type_max:
        raise _needs("dst_type_max needs aclnnDynamicQuantV4")
    if has[3] and quant_mode != "pertoken":
        return "aclnnDynamicQuantV3"
    if quant_mode not in ("pertoken", "pertensor"):
        raise _needs(f"quant_mode '{quant_mode}' needs aclnnDynamicQuantV3 or V4")
    # Per tensor as torch_npu: right for a single row, and refused for more by the scale's shape.
    if has[2] or not symmetric:
        return "aclnnDynamicQuantV2"
    if grouped:
        raise _needs("group_index needs aclnnDynamicQuantV2")
    return "aclnnDynamicQuant"


def _needs(reason: str) -> errors.NotSupportedError:
    return errors.NotSupportedError(f"{reason}, which a newer CANN has")
