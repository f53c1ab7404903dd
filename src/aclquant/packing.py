"""int4 values, two to a byte and eight to an int32.

Element 0 of a pair, or of a group of eight along the last axis, is in the lowest four bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np

from . import errors
from .arrays import as_host_array
from .dtypes import DTypeLike, as_dtype

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["pack_int4", "unpack_int4"]

_INT4 = np.dtype(ml_dtypes.int4)


def pack_int4(x: Any) -> npt.NDArray[np.int32]:
    """Pack eight int4 values into each int32.

    Parameters
    ----------
    x : array_like or Tensor
        Values -8 to 7; int8, ml_dtypes.int4 or any other integer type; the last dimension is a
        multiple of 8.

    Returns
    -------
    numpy.ndarray
        int32, the last dimension divided by 8.

    Raises
    ------
    ParameterError
        When a value is out of range or the last dimension does not fit.
    DtypeError
        When `x` does not hold integers.

    See Also
    --------
    unpack_int4 : the exact inverse

    Notes
    -----
    Element k of a group occupies bits 4k to 4k+3, in two's complement: the layout that
    ``aclnnAscendQuantV3`` writes and ``aclnnAscendAntiQuant`` reads.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> aq.pack_int4(np.int8([1, -2, 3, -4, 5, -6, 7, -8]))
    array([-2019179551], dtype=int32)
    """
    array = _integers(x, "aclquant.pack_int4")
    if array.ndim == 0 or array.shape[-1] % 8:
        raise errors.ParameterError(
            function="aclquant.pack_int4",
            argument="x",
            got=f"shape {array.shape}",
            allowed="a last dimension that is a multiple of 8",
        )
    shape = (*array.shape[:-1], array.shape[-1] // 8)
    if array.size == 0:
        return np.empty(shape, np.int32)
    return pack_bytes(array).view("<i4").astype(np.int32, copy=False).reshape(shape)


def unpack_int4(x: Any, dtype: DTypeLike = np.int8) -> npt.NDArray[Any]:
    """Unpack the eight int4 values of each int32.

    Parameters
    ----------
    x : array_like or Tensor
        int32, at least 1-D.
    dtype : dtype-like, optional
        int8 (default), int4, or any other type that holds -8 to 7.

    Returns
    -------
    numpy.ndarray
        Values -8 to 7, the last dimension times 8.

    Raises
    ------
    DtypeError
        When `x` is not int32, or `dtype` does not hold negative numbers.
    ParameterError
        When `x` is 0-d.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> aq.unpack_int4(np.int32([0x76543210, -1])).tolist()
    [0, 1, 2, 3, 4, 5, 6, 7, -1, -1, -1, -1, -1, -1, -1, -1]
    """
    array = as_host_array(x, "aclquant.unpack_int4", "x")
    wanted = as_dtype(dtype, function="aclquant.unpack_int4")
    if wanted.numpy.kind in "bu":
        raise errors.DtypeError(
            function="aclquant.unpack_int4",
            argument="dtype",
            got=wanted.name,
            allowed="int8, int4 or another type that holds -8 to 7",
        )
    if array.dtype != np.int32:
        raise errors.DtypeError(
            function="aclquant.unpack_int4",
            argument="x",
            got=f"dtype {array.dtype}",
            allowed="int32",
        )
    if array.ndim == 0:
        raise errors.ParameterError(
            function="aclquant.unpack_int4", argument="x", got="a 0-d array", allowed="1-D or more"
        )
    shape = (*array.shape[:-1], array.shape[-1] * 8)
    data = np.ascontiguousarray(array.astype("<i4", copy=False)).reshape(-1).view(np.uint8)
    return unpack_bytes(data, array.size * 8).reshape(shape).astype(wanted.numpy, copy=False)


def pack_bytes(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Pack checked int8 values two to a byte, in C order; an odd last one stands alone."""
    values = np.ascontiguousarray(array).reshape(-1).view(np.uint8) & np.uint8(0xF)
    if values.size % 2:
        values = np.append(values, np.uint8(0))
    packed: npt.NDArray[np.uint8] = values[::2] | (values[1::2] << np.uint8(4))
    return packed


def unpack_bytes(data: npt.NDArray[np.uint8], count: int) -> npt.NDArray[np.int8]:
    """Unpack `count` int8 values from bytes that hold two each."""
    nibbles = np.empty(data.size * 2, np.int8)
    # Shifting the nibble to the top and back copies its sign.
    nibbles[::2] = (data << 4).view(np.int8) >> 4
    nibbles[1::2] = data.view(np.int8) >> 4
    return nibbles[:count]


def _integers(x: Any, function: str) -> npt.NDArray[np.int8]:
    array = as_host_array(x, function, "x")
    if array.dtype == _INT4:
        return np.ascontiguousarray(array).astype(np.int8)
    if array.dtype.kind not in "iu":
        raise errors.DtypeError(
            function=function, argument="x", got=f"dtype {array.dtype}", allowed="integers, int4"
        )
    if array.size and (array.min() < -8 or array.max() > 7):
        raise errors.ParameterError(
            function=function,
            argument="x",
            got=f"values {array.min()} to {array.max()}",
            allowed="-8 to 7",
        )
    return np.ascontiguousarray(array).astype(np.int8)
