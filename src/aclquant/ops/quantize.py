"""Static quantisation, per tensor or per channel."""

from __future__ import annotations

from operator import index

import numpy as np

from .. import dtypes, errors
from ..dtypes import DType, DTypeLike
from ..invocation import Invocation, Result
from ..operation import operation
from . import common
from .common import Factor, Operand, flag, operand, packed_shape, parameter

__all__ = ["quantize"]

_DIVIDE = frozenset(
    [
        *("int8", "qint8", "uint8", "quint8", "int32", "qint32"),
        *("hifloat8", "float8_e5m2", "float8_e4m3fn"),
    ]
)


@operation(aliases={"x": "input"}, required=("zero_points", "dtype"))
def quantize(
    x: Operand,
    scales: Factor,
    zero_points: Factor | None = None,
    dtype: DTypeLike = "qint8",
    axis: int = 1,
    div_mode: bool = True,
) -> Invocation:
    """Quantise with given scales: ``round(x / scales + zero_points)``, saturated.

    With ``div_mode=False`` it is ``round(x * scales + zero_points)``. Ties go to the even number;
    the zero point is added before rounding; NaN gives 0.

    Parameters
    ----------
    x : array_like or Tensor
        float32, float16 or bfloat16; up to 8 dimensions. Python numbers become float32.
    scales : array_like, Tensor or float
        1-D: one value, or one for each index of `axis`. With ``div_mode=True`` any of the three
        float types, float32 for Python numbers; with ``div_mode=False`` the type of `x` (float32
        `x`: any), which Python numbers get.
    zero_points : array_like, Tensor, number or None
        Shape of `scales`. ``div_mode=True``: int8, uint8 or int32 (bfloat16 if all are); Python
        integers become int32. ``div_mode=False``: the type of `scales`; fractions take part.
        None adds nothing.
    dtype : dtype-like
        ``div_mode=True``: qint8 or int8, quint8 or uint8, qint32 or int32. ``div_mode=False``:
        qint8 or int8; quint4x2 or int32: eight int4 in each int32 of the result, the last dimension
        divided by 8; int4 (an extension of aclquant): unpacked for arrays, packed in a Tensor.
    axis : int
        Dimension that `scales` runs along. With ``div_mode=False`` torch_npu's rule holds: every
        axis above -2 means the last one, and -2 the one before.
    div_mode : bool
        Whether to divide by the scales or to multiply.

    Returns
    -------
    numpy.ndarray or Tensor
        Of the kind of `x`: int8, uint8 or int32.

    Raises
    ------
    DtypeError
        When a type is not accepted.
    ParameterError
        When a shape, the axis or the last dimension (packed int4) is not accepted.

    Notes
    -----
    Calls ``aclnnQuantize`` or, with ``div_mode=False``, ``aclnnAscendQuantV3`` with rounding mode
    "round". Formula and types are those of these operators' public documentation and of
    torch_npu's ``npu_quantize``, whose newest version is followed.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> x = np.float32([[0.5, 1.5, 2.5], [-1, 40, 400]])
    >>> aq.quantize(x, 1.0)
    array([[  0,   2,   2],
           [ -1,  40, 127]], dtype=int8)
    >>> aq.quantize(x, [1, 10, 100], [10, 10, 10], dtype="quint8")
    array([[10, 10, 10],
           [ 9, 14, 14]], dtype=uint8)
    >>> aq.quantize(np.float32([1, 2, 3, 4, 5, 6, 7, 8]), 1.0, dtype="quint4x2", div_mode=False)
    array([2003125025], dtype=int32)
    """
    kind = common.dtype("dtype", dtype)
    x = operand("x", x, np.float32)
    if flag("div_mode", div_mode):
        scales = parameter("scales", scales, x, np.float32)
        zero_points = parameter("zero_points", zero_points, x, np.int32)
        if kind.name not in _DIVIDE:
            raise _unknown(
                kind,
                "qint8, quint8, qint32, int8, uint8 or int32; 8-bit floats on the 950 family only",
            )
        return Invocation(
            "aclnnQuantize",
            {"out": "dtype"},
            x=x,
            scales=scales,
            zeroPoints=zero_points,
            dtype=kind.code,
            axis=axis,
            out=Result(x, x.shape, kind.numpy),
        )
    scales = parameter("scales", scales, x, x.dtype)
    zero_points = parameter("zero_points", zero_points, x, getattr(scales, "dtype", x.dtype))
    if kind in (dtypes.quint8, dtypes.qint32):
        raise _unknown(kind, "qint8, int8, quint4x2, int32 (packed int4) or int4")
    shape = packed_shape(x) if kind.code == dtypes.int32.code else x.shape
    try:
        along = index(axis) if index(axis) < -1 else -1
    except TypeError:
        raise errors.ParameterError(argument="axis", got=repr(axis), allowed="an integer") from None
    return Invocation(
        "aclnnAscendQuantV3",
        {"scale": "scales", "offset": "zero_points", "dstType": "dtype", "y": "dtype"},
        x=x,
        scale=scales,
        offset=zero_points,
        sqrtMode=False,
        roundMode="round",
        dstType=kind.code,
        axis=along,
        y=Result(x, shape, kind.numpy),
    )


def _unknown(kind: DType, allowed: str) -> errors.DtypeError:
    return errors.DtypeError(argument="dtype", got=kind.name, allowed=allowed)
