"""From quantised integers back to floating point."""

from __future__ import annotations

import numpy as np

from .. import dtypes, errors
from ..dtypes import DTypeLike
from ..invocation import Invocation, Result
from ..operation import operation
from .common import Factor, Operand, check_dtype, dtype, operand, parameter

__all__ = ["anti_quant"]


@operation()
def anti_quant(
    x: Operand,
    scale: Factor,
    *,
    offset: Factor | None = None,
    dst_dtype: DTypeLike | None = None,
    src_dtype: DTypeLike | None = None,
) -> Invocation:
    """Compute ``(x + offset) * scale`` in float32 and round it to half precision.

    The offset is added before scaling: ``q = quantize(x, s, z, div_mode=False)`` is undone by the
    scale ``1 / s`` and the offset ``-z``.

    Parameters
    ----------
    x : array_like or Tensor
        int8; or int32, which always means eight packed int4. Up to 8 dimensions. Python numbers
        become int8. An int4 Tensor or ml_dtypes.int4 array is an extension of aclquant.
    scale : array_like, Tensor or float
        float32 or bfloat16, 1-D: one value, or one for each element of the last dimension of the
        result. Python numbers become float32.
    offset : array_like, Tensor, float or None
        Shape and type of `scale`.
    dst_dtype : dtype-like, optional
        float16 (the default) or bfloat16.
    src_dtype : dtype-like, optional
        Only a check: int8 for int8, quint4x2 or int4 for int32.

    Returns
    -------
    numpy.ndarray or Tensor
        Of the kind of `x`; shape of `x`, or its last dimension times 8 for packed int4.

    Raises
    ------
    DtypeError
        When a type is not accepted.
    ParameterError
        When a shape is not accepted.

    Notes
    -----
    Calls ``aclnnAscendAntiQuant`` with ``sqrtMode`` false. Formula and types are those of its
    public documentation and of torch_npu's ``npu_anti_quant``.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> aq.anti_quant(np.int8([1, 2, 3, 4]), 2.0, offset=2.0)
    array([ 6.,  8., 10., 12.], dtype=float16)
    >>> aq.anti_quant(np.int32([0x76543210]), 0.5).tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    """
    x = operand("x", x, np.int8)
    packed = x.dtype == np.int32
    kind = dtype("dst_dtype", dst_dtype, dtypes.float16)
    check_dtype("src_dtype", src_dtype, x)
    scale = parameter("scale", scale, x, np.float32)
    offset = parameter("offset", offset, x, getattr(scale, "dtype", np.float32))
    if packed and x.ndim == 0:
        raise errors.ParameterError(argument="x", got="a 0-d int32 array", allowed="1-D or more")
    shape = (*x.shape[:-1], x.shape[-1] * 8) if packed else x.shape
    return Invocation(
        "aclnnAscendAntiQuant",
        {"dstType": "dst_dtype", "y": "dst_dtype"},
        x=x,
        scale=scale,
        offset=offset,
        dstType=kind.code,
        sqrtMode=False,
        y=Result(x, shape, kind.numpy),
    )
