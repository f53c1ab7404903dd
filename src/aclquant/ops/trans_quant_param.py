"""Scale and offset, packed into the 64-bit format that the matrix unit reads."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import errors
from ..backends import backend
from ..invocation import Invocation, Result
from ..operation import operation
from ..operators import operator
from .common import Factor, Operand, operand, parameter

__all__ = ["trans_quant_param"]


@operation()
def trans_quant_param(
    scale: Operand, offset: Factor | None = None, round_mode: int | None = 0
) -> Invocation:
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
    mode = 0 if round_mode is None else round_mode
    if not isinstance(mode, (int, np.integer)) or mode not in (0, 1):
        raise errors.ParameterError(argument="round_mode", got=repr(round_mode), allowed="0 or 1")
    first = _in_order(operand("scale", [scale] if np.isscalar(scale) else scale, np.float32))
    second: Any = _in_order(parameter("offset", offset, first, np.float32))
    shape = first.shape
    # torch_npu compares first dimensions only: (1,) and (1, n) give (1, n).
    if first.ndim == 1 and second is not None and second.ndim and second.shape[0] >= shape[0]:
        shape = second.shape
    arguments = {"scale": first, "offset": second, "out": Result(first, shape, np.int64)}
    if operator("aclnnTransQuantParamV3").is_in(backend().library):
        return Invocation("aclnnTransQuantParamV3", None, roundMode=int(mode), **arguments)
    if mode:
        raise errors.NotSupportedError(
            "round_mode 1 needs aclnnTransQuantParamV3, which a newer CANN has"
        )
    return Invocation("aclnnTransQuantParamV2", None, **arguments)


def _in_order(value: Any) -> Any:
    """Return an array in C order, as the operator wants it; Tensors are taken as they are."""
    if isinstance(value, np.ndarray) and not value.flags.c_contiguous:
        return np.ascontiguousarray(value)
    return value
