"""Dynamic quantisation: the scale comes from the data."""

from __future__ import annotations

from ..dtypes import DTypeLike
from ..invocation import Invocation
from ..operation import operation
from .common import Factor, Operand
from .dynamic import dynamic

__all__ = ["dynamic_quant"]


@operation(results=("y", "scale"), aliases={"x": "input"})
def dynamic_quant(
    x: Operand,
    *,
    smooth_scales: Factor | None = None,
    group_index: Factor | None = None,
    dst_type: DTypeLike | None = None,
    quant_mode: str = "pertoken",
    dst_type_max: float = 0.0,
) -> Invocation:
    """Quantise each row by its own largest magnitude.

    ``scale = max(abs(x)) / 127``, ``y = round(x * (127 / max(abs(x))))``, in float32, ties to even;
    7 for int4. The row is recovered as ``y * scale``.

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
    dst_type_max : float, optional
        Largest value of an 8-bit float type of the 950 family; 0 to 32768, without effect here.

    Returns
    -------
    y : numpy.ndarray or Tensor
        int8 or int32, of the kind of `x`.
    scale : numpy.ndarray or Tensor
        float32; shape of `x` without its last dimension, or ``(1,)`` per tensor.

    Raises
    ------
    DtypeError
        When a type is not accepted.
    ParameterError
        When a shape or mode is not accepted.
    NotSupportedError
        When the library lacks the function that a mode, `group_index` or `dst_type_max` needs.

    Notes
    -----
    Calls ``aclnnDynamicQuantV2`` per token, or ``aclnnDynamicQuant`` where that is missing; per
    tensor and per channel ``aclnnDynamicQuantV4``, or V3. Names and defaults are those of
    torch_npu's ``npu_dynamic_quant``.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> aq.dynamic_quant(np.float16([[1, -2, 0.5, 4]]))
    (array([[ 32, -64,  16, 127]], dtype=int8), array([0.03149606], dtype=float32))
    """
    return dynamic(True, x, smooth_scales, group_index, dst_type, quant_mode, dst_type_max)
