"""Quantisation with scales and offsets computed from the data."""

from __future__ import annotations

from ..dtypes import DTypeLike
from ..invocation import Invocation
from ..operation import operation
from .common import Factor, Operand
from .dynamic import dynamic

__all__ = ["dynamic_quant_asymmetric"]


@operation(results=("y", "scale", "offset"), aliases={"x": "input"})
def dynamic_quant_asymmetric(
    x: Operand,
    *,
    smooth_scales: Factor | None = None,
    group_index: Factor | None = None,
    dst_type: DTypeLike | None = None,
    quant_mode: str = "pertoken",
) -> Invocation:
    """Quantise each row between its own minimum and maximum.

    ``scale = (max - min) / 255`` (at least 1e-12), ``offset = 127 - max / scale``,
    ``y = round(x * (1 / scale) + offset)``, in float32, ties to even; 15 and 7 for int4. The row is
    recovered as ``(y - offset) * scale``.

    Parameters
    ----------
    x : array_like or Tensor
        float16 or bfloat16, 2 to 8 dimensions; the last one is the row. Python numbers become
        float16.
    smooth_scales : array_like, Tensor or None
        Type of `x`; multiplied with each row first. ``(row,)``, or ``(groups, row)`` together with
        `group_index`.
    group_index : array_like, Tensor or None
        int32, ``(groups,)``, not decreasing: the row number after the last row of each group.
    dst_type : dtype-like, optional
        int8 (the default), or quint4x2: eight int4 in each int32, the last dimension divided by 8.
    quant_mode : str, optional
        "pertoken": one scale for each row; "pertensor": one for all; "perchannel": one for each
        position in the last two dimensions but the row number.

    Returns
    -------
    y : numpy.ndarray or Tensor
        int8 or int32, of the kind of `x`.
    scale, offset : numpy.ndarray or Tensor
        float32; shape of `x` without its last dimension, or ``(1,)`` per tensor.

    Raises
    ------
    DtypeError
        When a type is not accepted.
    ParameterError
        When a shape or mode is not accepted.
    NotSupportedError
        For "perchannel", when the library has neither ``aclnnDynamicQuantV3`` nor V4.

    Notes
    -----
    Calls ``aclnnDynamicQuantV2`` per token; per tensor and per channel ``aclnnDynamicQuantV4``, or
    V3 where that is missing. The formula is that of the operator's public documentation and of
    torch_npu's ``npu_dynamic_quant_asymmetric``; the order of its roundings is the device's. Per
    tensor on A2/A3 is documented but refused by CANN's own operator there; aclquant's host device
    computes it. Where CANN has no such operator on the chip and the bundled kernel package is
    installed, ``aclnnAclquantDynamicQuantAsymmetric`` is called; `Backend.bundled_kernels` says so.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> y, scale, offset = aq.dynamic_quant_asymmetric(np.float16([[10, 11, 12, 13]]))
    >>> y, scale, offset
    (array([[-128,  -43,   42,  127]], dtype=int8), array([0.01176471], dtype=float32), \
array([-978.], dtype=float32))
    """
    return dynamic(False, x, smooth_scales, group_index, dst_type, quant_mode, 0.0)
