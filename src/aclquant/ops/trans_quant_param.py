"""Scale and offset, packed into the word that the matrix unit reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import errors
from ..backends import backend
from ..launch import operator
from ..plans import Arrangement, perform, replay
from .common import Array, Place, Stream, apart, operand, output, parameter

__all__ = ["trans_quant_param"]

_NAME = "aclquant.trans_quant_param"


def trans_quant_param(
    scale: Any,
    offset: Any = None,
    round_mode: int | None = 0,
    *,
    out: Array | None = None,
    stream: Stream | None = None,
    device: Place = None,
) -> Any:
    """Pack float32 scales and offsets into 64-bit words for quantised matrix products.

    Bits 13 to 31 of a word are the upper 19 bits of the scale, bits 37 to 45 the offset, rounded
    (ties to even) and clamped to -256..255 in two's complement; bit 46 is set.

    Parameters
    ----------
    scale : array_like, Tensor or float
        float32 of shape ``(n,)`` or ``(1, n)``.
    offset : array_like, Tensor, float or None
        float32, same shapes; one element serves all scales, and one scale all offsets.
    round_mode : int, optional
        0 or None: cut the scale to 19 bits; 1: round it, ties to even.
    out : numpy.ndarray or Tensor, optional
        Where the result goes; it is returned.
    stream : Stream, optional
        The current stream by default.
    device : Device or int, optional
        The device of the arguments, or the current one, by default.

    Returns
    -------
    numpy.ndarray or Tensor
        int64, of the kind of `scale`. Shape of `scale`; with 1-D scales, the longer of both.

    Raises
    ------
    DtypeError
        When a type is not float32.
    ParameterError
        When shapes do not fit, or for another `round_mode`.
    NotSupportedError
        For `round_mode` 1, when the library has no ``aclnnTransQuantParamV3``.

    Notes
    -----
    Calls ``aclnnTransQuantParamV3`` where it exists, else ``aclnnTransQuantParamV2``. The layout is
    that of the public documentation of these operators and of torch_npu's
    ``npu_trans_quant_param``. These operators take contiguous Tensors only; arrays may be strided.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> [hex(word) for word in aq.trans_quant_param(np.float32([1.0, 1.1]), [3.0])]
    ['0x40603f800000', '0x40603f8cc000']
    """
    if stream is None and device is None:
        y = replay(_arrange, (scale, offset), (round_mode,), out)
        if y is not None:
            return y
    return perform(_arrange(scale, offset, round_mode, out=out), stream, device)


def _arrange(
    scale: Any,
    offset: Any = None,
    round_mode: int | None = 0,
    *,
    out: Array | None = None,
) -> Arrangement:
    mode = 0 if round_mode is None else round_mode
    if mode not in (0, 1):
        raise errors.ParameterError(
            function=_NAME, argument="round_mode", got=repr(round_mode), allowed="0 or 1"
        )
    if np.isscalar(scale):
        scale = [scale]
    scale = _in_order(operand(_NAME, "scale", scale, np.float32))
    offset = _in_order(parameter(_NAME, "offset", offset, scale, np.float32))
    shape = scale.shape
    # torch_npu compares first dimensions only: (1,) and (1, n) give (1, n).
    if scale.ndim == 1 and offset is not None and offset.ndim and offset.shape[0] >= shape[0]:
        shape = offset.shape
    y = output(_NAME, out, scale, shape, np.int64)
    if out is not None:
        scale, offset = apart(scale, y), apart(offset, y)
    if backend().library.has("aclnnTransQuantParamV3GetWorkspaceSize"):
        op = operator("aclnnTransQuantParamV3")
        return Arrangement(op, (scale, offset, mode, y), (y,))
    if mode:
        raise errors.NotSupportedError(
            "round_mode 1 needs aclnnTransQuantParamV3, which a newer CANN has", function=_NAME
        )
    return Arrangement(operator("aclnnTransQuantParamV2"), (scale, offset, y), (y,))


trans_quant_param.arrange = _arrange  # type: ignore[attr-defined]


def _in_order(value: Any) -> Any:
    """Return an array in C order, as the device wants it; Tensors are the caller's matter."""
    if isinstance(value, np.ndarray) and not value.flags.c_contiguous:
        return np.ascontiguousarray(value)
    return value
