"""From quantised integers back to floating point."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes, errors
from ..dtypes import DTypeLike, as_dtype
from ..launch import operator
from ..plans import Arrangement, perform, replay
from .common import Array, Place, Stream, apart, operand, output, parameter

__all__ = ["anti_quant"]

_NAME = "aclquant.anti_quant"


def anti_quant(
    x: Any,
    scale: Any,
    *,
    offset: Any = None,
    dst_dtype: DTypeLike | None = None,
    src_dtype: DTypeLike | None = None,
    out: Array | None = None,
    stream: Stream | None = None,
    device: Place = None,
) -> Any:
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
    out : numpy.ndarray or Tensor, optional
        Where the result goes; it is returned.
    stream : Stream, optional
        The current stream by default.
    device : Device or int, optional
        The device of the arguments, or the current one, by default.

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
    if stream is None and device is None:
        y = replay(_arrange, (x, scale, offset), (dst_dtype, src_dtype), out)
        if y is not None:
            return y
    arrangement = _arrange(
        x, scale, offset=offset, dst_dtype=dst_dtype, src_dtype=src_dtype, out=out
    )
    return perform(arrangement, stream, device)


def _arrange(
    x: Any,
    scale: Any,
    offset: Any = None,
    dst_dtype: DTypeLike | None = None,
    src_dtype: DTypeLike | None = None,
    *,
    out: Array | None = None,
) -> Arrangement:
    x = operand(_NAME, "x", x, np.int8)
    packed = x.dtype == np.int32
    kind = (
        dtypes.float16
        if dst_dtype is None
        else as_dtype(dst_dtype, function=_NAME, argument="dst_dtype")
    )
    if src_dtype is not None:
        source = as_dtype(src_dtype, function=_NAME, argument="src_dtype")
        allowed = (dtypes.quint4x2, dtypes.int4) if packed else (as_dtype(x.dtype),)
        if source not in allowed:
            raise errors.DtypeError(
                function=_NAME,
                argument="src_dtype",
                got=source.name,
                allowed=f"{' or '.join(d.name for d in allowed)}, for x of {x.dtype.name}",
            )
    scale = parameter(_NAME, "scale", scale, x, np.float32)
    offset = parameter(_NAME, "offset", offset, x, getattr(scale, "dtype", np.float32))
    if packed and x.ndim == 0:
        raise errors.ParameterError(
            function=_NAME, argument="x", got="a 0-d int32 array", allowed="1-D or more"
        )
    y = output(_NAME, out, x, (*x.shape[:-1], x.shape[-1] * 8) if packed else x.shape, kind.numpy)
    if out is not None:
        x, scale, offset = (apart(v, y) for v in (x, scale, offset))
    op = operator("aclnnAscendAntiQuant")
    return Arrangement(op, (x, scale, offset, kind.code, False, y), (y,))


anti_quant.arrange = _arrange  # type: ignore[attr-defined]
