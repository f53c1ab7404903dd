"""What the operators share: operands in, outputs out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from .. import errors
from ..arrays import as_host_array, convert, has_type, native
from ..device import Device
from ..stream import Stream
from ..tensor import Tensor, asarray, empty

if TYPE_CHECKING:
    import numpy.typing as npt

Array: TypeAlias = "npt.NDArray[Any] | Tensor"
Place: TypeAlias = "Device | int | None"

_NUMBERS = "biufV"
"""Kinds of dtypes: bool, integers, floats, and those of ml_dtypes."""


def operand(function: str, argument: str, value: Any, default: npt.DTypeLike | None) -> Array:
    """Return the main input: a Tensor as it is, anything else as an ndarray.

    `default` is the type for Python numbers.
    """
    if isinstance(value, Tensor):
        return value
    array = as_host_array(value, function, argument)
    if array.dtype.kind not in _NUMBERS:
        raise errors.DtypeError(
            function=function,
            argument=argument,
            got=f"{type(value).__name__} of dtype {array.dtype}",
            allowed="real numbers",
        )
    if default is None or has_type(value):
        return array
    return convert(array, np.dtype(default), function, argument)


def parameter(
    function: str, argument: str, value: Any, like: Array, default: npt.DTypeLike
) -> Array | None:
    """Return a scale or the like.

    Python numbers and lists get the type `default`, numbers the shape ``(1,)``; beside a Tensor
    they become Tensors, so that the call stays asynchronous.
    """
    if type(value) is np.ndarray:
        return native(value)
    if value is None or isinstance(value, Tensor):
        return value
    array = operand(function, argument, value, None)
    assert isinstance(array, np.ndarray)
    if isinstance(value, np.ndarray):
        return array
    # float64 and int64 scalars are what NumPy makes of Python numbers: nobody chose these types.
    free = not has_type(value) or isinstance(value, (np.float64, np.int64))
    if free and not _loses(array, np.dtype(default)):
        array = convert(array, np.dtype(default), function, argument)
    if np.isscalar(value):
        array = array.reshape(1)
    return asarray(array, device=like.device) if isinstance(like, Tensor) else array


def output(
    function: str,
    out: Any,
    like: Array,
    shape: Sequence[int],
    dtype: npt.DTypeLike,
    name: str = "out",
) -> Array:
    """Return where a result goes: `out`, checked, or something new of the kind of `like`."""
    if out is None:
        if isinstance(like, Tensor):
            return empty(shape, np.dtype(dtype), device=like.device)
        # Nothing is written for an empty input, not even into outputs that have elements.
        return np.empty(shape, dtype) if like.size else np.zeros(shape, dtype)
    if not isinstance(out, (Tensor, np.ndarray)):
        raise errors.ParameterError(
            function=function,
            argument=name,
            got=f"{type(out).__module__}.{type(out).__qualname__}",
            allowed="numpy.ndarray or aclquant.Tensor",
        )
    if out.dtype.newbyteorder("=") != dtype:  # the call copies to another byte order
        raise errors.DtypeError(
            function=function,
            argument=name,
            got=f"dtype {out.dtype.name}",
            allowed=np.dtype(dtype).name,
        )
    if out.shape != tuple(shape):
        raise errors.ParameterError(
            function=function, argument=name, got=f"shape {out.shape}", allowed=f"{tuple(shape)}"
        )
    return cast("Array", out)


def apart(value: Array | None, *outputs: Array) -> Array | None:
    """Return the input, or a copy of it if an output shares its memory."""
    if isinstance(value, np.ndarray):
        for out in outputs:
            if isinstance(out, np.ndarray) and np.may_share_memory(value, out):
                return np.array(value)
    return value


def packed_shape(function: str, x: Array) -> tuple[int, ...]:
    """Return the shape of `x` with eight int4 in each int32 of the last dimension."""
    if x.shape and x.shape[-1] % 8:
        raise errors.ParameterError(
            function=function,
            argument="x",
            got=f"shape {x.shape}",
            allowed="a last dimension that is a multiple of 8, for packed int4",
        )
    return (*x.shape[:-1], x.shape[-1] // 8) if x.shape else ()


def _loses(array: npt.NDArray[Any], dtype: np.dtype[Any]) -> bool:
    """Tell whether an integer type would cut numbers: fractions, or values out of its range."""
    if dtype.kind not in "iu":
        return False
    if array.dtype.kind not in "biu":
        return array.size > 0
    info = np.iinfo(dtype)
    return bool(array.size) and bool(array.min() < info.min or array.max() > info.max)


__all__ = ["Array", "Place", "Stream", "apart", "operand", "output", "packed_shape", "parameter"]
