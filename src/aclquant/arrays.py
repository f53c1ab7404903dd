"""Arrays on the host, made of anything that holds numbers, and their conversion to other types.

Two rules hold wherever numbers come in. What has a type (arrays, scalars and buffers, such as
``array.array``) keeps it. And a conversion may round to a float, but never changes an integer:
numbers that an integer type does not hold are refused.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np

from . import errors
from .dtypes import CODES
from .float_errors import quietly

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    *("as_host_array", "convert", "has_mask", "has_type", "native", "overlaps_itself"),
    "type_name",
]

_INT4 = np.dtype(ml_dtypes.int4)


def as_host_array(value: Any, function: str, argument: str) -> npt.NDArray[Any]:
    """Make an ndarray in the machine's byte order; arrays in it are returned as they are.

    Parameters
    ----------
    value : object
        An array, a scalar, Python numbers or lists of them, a buffer, or an object with
        ``__dlpack__`` on the CPU or ``__array__``: arrays of torch and JAX, for instance.
    function, argument : str
        Whom the error names.

    Raises
    ------
    ParameterError
        When it is something else, or has masked elements.
    """
    try:
        return native(_as_array(value))
    except errors.AclError:
        raise  # from the copy of a Tensor
    except (TypeError, ValueError, OverflowError, BufferError, RuntimeError) as error:
        raise errors.ParameterError(
            function=function,
            argument=argument,
            got=f"{type_name(value)} that cannot be read as an array ({error})",
            allowed="an array in host memory, an aclquant.Tensor or numbers",
        ) from error


def _as_array(value: Any) -> npt.NDArray[Any]:
    if isinstance(value, (np.ndarray, np.generic)):
        if has_mask(value):
            raise ValueError("it has masked elements: fill them first")
        return np.asarray(value)
    if _is_from_torch(value):
        return _from_torch(value)
    return _exported(value) if hasattr(value, "__dlpack__") else np.asarray(value)


def _exported(value: Any) -> npt.NDArray[Any]:
    """Read an object with ``__dlpack__``; with ``__array__`` if NumPy cannot import its type."""
    try:
        array: npt.NDArray[Any] = np.from_dlpack(value)
    except (TypeError, ValueError, BufferError, RuntimeError):
        if not hasattr(value, "__array__"):
            raise
        return np.asarray(value)
    return array


def _is_from_torch(value: Any) -> bool:
    """Tell whether it is a torch.Tensor or a subclass; torch is not imported for it."""
    return "torch" in sys.modules and any(
        kind.__name__ == "Tensor" and kind.__module__.partition(".")[0] == "torch"
        for kind in type(value).__mro__
    )


def _from_torch(tensor: Any) -> npt.NDArray[Any]:
    if tensor.device.type != "cpu":
        raise TypeError(f"it is on {tensor.device}: copy it to host memory with .cpu()")
    if tensor.is_quantized:
        raise TypeError(f"it is {tensor.dtype}: give the integers, .int_repr()")
    tensor = tensor.detach()
    name = str(tensor.dtype).removeprefix("torch.")
    kind = getattr(ml_dtypes, name, None)
    if kind is None:
        return _exported(tensor)
    # NumPy knows these types under ml_dtypes' names only: the bits are read as integers.
    torch = sys.modules["torch"]
    bits = tensor.view(torch.int16 if np.dtype(kind).itemsize == 2 else torch.uint8)
    return _exported(bits).view(kind)


def type_name(value: Any) -> str:
    """Name the type of a value: two libraries have a Tensor."""
    kind = type(value)
    module = kind.__module__.partition(".")[0]
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def has_type(value: Any) -> bool:
    """Tell whether a value brings a type along; Python numbers and lists of them do not."""
    if hasattr(value, "dtype") or hasattr(value, "__array__") or hasattr(value, "__dlpack__"):
        return True
    try:
        memoryview(value)
    except TypeError:
        return False
    return True


def has_mask(value: Any) -> bool:
    """Tell whether any elements are masked, which no device knows."""
    if type(value) is np.ndarray:
        return False
    masked = sys.modules.get("numpy.ma")
    return masked is not None and bool(masked.is_masked(value))


def overlaps_itself(shape: Sequence[int], strides: Sequence[int], itemsize: int = 1) -> bool:
    """Tell whether elements of an array may share memory: each step has to pass all smaller ones.

    Slices and permutations of an array never do; `numpy.lib.stride_tricks.as_strided` makes such
    arrays.

    Parameters
    ----------
    shape, strides : sequence of int
    itemsize : int
        Length of an element in the unit of `strides`.
    """
    reach = itemsize - 1
    pairs = zip(shape, strides, strict=True)
    for step, length in sorted((abs(step), n) for n, step in pairs if n > 1):
        if step <= reach:
            return 0 not in shape
        reach += step * (length - 1)
    return False


def native(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array, or a copy of it if its byte order is not the machine's."""
    if array.dtype.isnative:
        return array
    return array.astype(array.dtype.newbyteorder("="))


def convert(
    array: npt.NDArray[Any], dtype: np.dtype[Any], function: str, argument: str
) -> npt.NDArray[Any]:
    """Return the array as another type: rounded to floats, and unchanged as integers.

    A number that is too large for a float type becomes an infinity, as on any device.

    Raises
    ------
    RangeError
        When `dtype` is an integer type that does not hold one of the numbers.
    DtypeError
        When the elements are not numbers, or complex and `dtype` is not.
    """
    if array.dtype == dtype:
        return array
    whole = _bounds(dtype)
    if array.dtype == object and array.size and all(type(n) is int for n in array.flat):
        # Integers beyond 64 bits.
        if whole is None:
            array = array.astype(np.float64)
        else:
            raise _misfit(max(array.flat, key=abs), dtype, whole, function, argument)
    kind = array.dtype.kind
    if (kind not in "biuf" and array.dtype not in CODES) or (kind == "c" != dtype.kind):
        raise errors.DtypeError(
            function=function,
            argument=argument,
            got=f"dtype {array.dtype}",
            allowed=f"numbers that can become {dtype.name}",
        )
    if whole is not None:
        misfits = _misfits(array, whole)
        if misfits.any():
            raise _misfit(array[misfits].flat[0], dtype, whole, function, argument)
    return quietly(array.astype, dtype)


def _bounds(dtype: np.dtype[Any]) -> tuple[int, int] | None:
    """Return the least and the greatest number of an integer type, None for others."""
    if dtype.kind not in "iu" and dtype != _INT4:
        return None
    info: Any = np.iinfo(dtype) if dtype.kind in "iu" else ml_dtypes.iinfo(dtype)  # type: ignore[no-untyped-call]
    return int(info.min), int(info.max)


def _misfits(array: npt.NDArray[Any], bounds: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Mark the numbers that are not whole or not between the bounds."""
    low, high = bounds
    own = _bounds(array.dtype)
    if array.dtype.kind == "b" or (own is not None and low <= own[0] and own[1] <= high):
        return np.zeros(array.shape, np.bool_)
    if own is not None:
        wide = array.astype(np.int8) if array.dtype == _INT4 else array
        # Bounds that the type does not have are met by all of its numbers.
        return (wide < max(low, own[0])) | (wide > min(high, own[1]))
    values = array if array.dtype.kind == "f" and array.itemsize > 4 else array.astype(np.float64)
    # high + 1 is a power of two, which float64 has, unlike high.
    fits: npt.NDArray[np.bool_] = quietly(
        lambda: (values >= low) & (values < high + 1.0) & (np.rint(values) == values)
    )
    return ~fits


def _misfit(
    number: Any, dtype: np.dtype[Any], bounds: tuple[int, int], function: str, argument: str
) -> errors.RangeError:
    return errors.RangeError(
        function=function,
        argument=argument,
        got=str(number),
        allowed=f"whole numbers from {bounds[0]} to {bounds[1]} ({dtype.name})",
    )
