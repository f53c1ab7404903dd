"""What the operators share: arrays from what they are given, types, flags, shapes.

Errors name the parameter; the operation adds the function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from .. import errors
from ..arrays import as_host_array, convert, has_type, native
from ..dtypes import DType, DTypeLike, as_dtype, int4, quint4x2
from ..invocation import Array
from ..tensor import Tensor, asarray

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    *(
        "Array",
        "Factor",
        "Host",
        "Operand",
        "check_dtype",
        "dtype",
        "flag",
        "operand",
        "packed_shape",
    ),
    "parameter",
]

_NUMBERS = "biufV"
"""Kinds of dtypes: bool, integers, floats, and those of ml_dtypes."""


class SupportsDLPack(Protocol):
    """An array of another library, such as torch.Tensor on the CPU."""

    def __dlpack__(self) -> Any:
        """Return a DLPack capsule."""


Host: TypeAlias = "npt.ArrayLike | SupportsDLPack"
"""Whatever becomes an ndarray."""
Operand: TypeAlias = "Host | Tensor"
"""The main input of an operation; its kind is that of the results."""
Factor: TypeAlias = "Host | Tensor"
"""A scale, an offset or the like: an array, or numbers that get the type the operator wants."""


def operand(name: str, value: Any, default: npt.DTypeLike | None, function: str = "") -> Array:
    """Return the main input: a Tensor as it is, anything else as an ndarray.

    `default` is the type for Python numbers.
    """
    if isinstance(value, Tensor):
        return value
    array = as_host_array(value, function, name)
    if array.dtype.kind not in _NUMBERS:
        raise errors.DtypeError(
            function=function,
            argument=name,
            got=f"{type(value).__name__} of dtype {array.dtype}",
            allowed="real numbers",
        )
    if default is None or has_type(value):
        return array
    return convert(array, np.dtype(default), function, name)


def parameter(name: str, value: Any, like: Array, default: npt.DTypeLike) -> Any:
    """Return a scale or the like: an array, a Tensor or None.

    Python numbers and lists get the type `default`, numbers the shape ``(1,)``; beside a Tensor
    they become Tensors, so that the call stays asynchronous.
    """
    if type(value) is np.ndarray:
        return native(value)
    if value is None or isinstance(value, Tensor):
        return value
    array = operand(name, value, None)
    assert isinstance(array, np.ndarray)
    if isinstance(value, np.ndarray):
        return array
    # float64 and int64 scalars are what NumPy makes of Python numbers, without a choice of theirs.
    free = not has_type(value) or isinstance(value, (np.float64, np.int64))
    if free and not _loses(array, np.dtype(default)):
        array = convert(array, np.dtype(default), "", name)
    if np.isscalar(value):
        array = array.reshape(1)
    return asarray(array, device=like.device) if isinstance(like, Tensor) else array


def dtype(name: str, value: DTypeLike | None, default: DType | None = None) -> DType:
    """Return the type that a parameter names; `default` for None."""
    if value is None and default is not None:
        return default
    named: Any = value  # None means no type
    return as_dtype(named, function="", argument=name)


def check_dtype(name: str, wanted: DTypeLike | None, value: Any) -> None:
    """Refuse a type that is not that of the array; int32 means packed int4, as in torch_npu."""
    if wanted is None or value is None:
        return
    kind = dtype(name, wanted)
    packed = value.dtype == np.int32
    allowed = (quint4x2, int4) if packed else (as_dtype(value.dtype),)
    if kind not in allowed:
        raise errors.DtypeError(
            argument=name,
            got=kind.name,
            allowed=f"{' or '.join(d.name for d in allowed)}, for {value.dtype.name}",
        )


def flag(name: str, value: Any) -> bool:
    """Return the truth of a value, which must have one."""
    try:
        return bool(value)
    except (TypeError, ValueError):
        raise errors.ParameterError(
            argument=name, got=repr(value), allowed="True or False"
        ) from None


def packed_shape(x: Array) -> tuple[int, ...]:
    """Return the shape of `x` with eight int4 in each int32 of the last dimension."""
    if x.shape and x.shape[-1] % 8:
        raise errors.ParameterError(
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
