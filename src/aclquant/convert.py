"""From Python values to what cffi takes, as a C declaration says."""

from __future__ import annotations

import operator as _operator
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

import numpy as np

from . import errors
from ._ffi import CData, ffi
from ._ffi.declaration import Parameter
from ._ffi.library import Library
from .dtypes import CODES, as_dtype

__all__ = ["Converter", "Owner", "converter", "is_tensor"]


class Owner(Protocol):
    """The call that arguments are converted for, which owns what is made for them."""

    library: Library
    descriptors: list[tuple[str, CData]]
    temporaries: list[Any]

    def tensor(self, position: int, value: Any) -> CData:
        """Make the descriptor of a Tensor, an ndarray, or None."""

    def keep(self, destroy: str, handle: CData) -> CData:
        """Own a descriptor until the end of the call."""

    def wrong(
        self,
        position: int,
        got: str,
        allowed: str,
        kind: type[errors.ParameterError] = errors.ParameterError,
    ) -> NoReturn:
        """Refuse an argument."""
        ...


Converter = Callable[[Any, int, Any], Any]


def is_tensor(parameter: Parameter) -> bool:
    """Tell whether a parameter is a tensor or a list of them."""
    return "aclTensor" in parameter.type


def converter(function: str, parameter: Parameter) -> Converter:
    """Return the conversion for a parameter of phase 1, found by its C type."""
    kind = parameter.type.replace("const ", "").replace(" ", "")
    if kind == "aclTensor*":
        return _tensor
    if kind in _LISTS:
        return _LISTS[kind]
    if kind == "aclDataType":
        return _dtype_code
    if kind in _INTEGERS:
        is_dtype = parameter.name.lower().endswith("type")
        return _dtype_code if is_dtype else _integer_between(*_INTEGERS[kind])
    if kind in ("float", "double"):
        return _number
    if kind == "bool":
        return _boolean
    if kind == "char*":
        return _string
    raise errors.ParameterError(
        f"arguments of the C type '{parameter.type}' ('{parameter.name}') are not supported",
        function=function,
    )


def _tensor(call: Owner, position: int, value: Any) -> CData:
    return call.tensor(position, value)


def _dtype_code(call: Owner, position: int, value: Any) -> int:
    """Take a number as an ``aclDataType`` as it stands; anything else means a dtype."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(_code(call, position, value))
    return as_dtype(value).code


def _integer_between(low: int, high: int) -> Converter:
    def convert(call: Owner, position: int, value: Any) -> int:
        try:
            number: int = _operator.index(value)
        except TypeError:
            call.wrong(position, repr(value), "an integer")
        if not low <= number <= high:
            call.wrong(position, repr(value), f"{low} to {high}", errors.RangeError)
        return number

    return convert


_INTEGERS = {
    "int": (-(1 << 31), (1 << 31) - 1),
    "size_t": (0, (1 << 64) - 1),
    **{f"int{n}_t": (-(1 << (n - 1)), (1 << (n - 1)) - 1) for n in (8, 16, 32, 64)},
    **{f"uint{n}_t": (0, (1 << n) - 1) for n in (8, 16, 32, 64)},
}
"""The C integer types and their ranges."""

_code = _integer_between(*_INTEGERS["int"])


def _number(call: Owner, position: int, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        call.wrong(position, repr(value), "a number")


def _boolean(call: Owner, position: int, value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_, int)):
        call.wrong(position, repr(value), "True or False")
    return bool(value)


def _string(call: Owner, position: int, value: Any) -> CData:
    if value is None:
        return ffi.NULL
    if not isinstance(value, (str, bytes)):
        call.wrong(position, repr(value), "a string or None")
    try:
        encoded = value.encode() if isinstance(value, str) else value
    except UnicodeEncodeError:
        call.wrong(position, repr(value), "a string of valid characters, or None")
    if b"\0" in encoded:
        call.wrong(position, repr(value), "a string without null characters, or None")
    text = ffi.new("char[]", encoded)
    call.temporaries.append(text)
    return text


def _array_of(kind: str, item: str, convert: Callable[[Any], Any]) -> Callable[..., CData]:
    def make(call: Owner, position: int, value: Any) -> CData:
        if value is None:
            return ffi.NULL
        try:
            values = ffi.new(f"{item}[]", [convert(element) for element in value])
        except (TypeError, ValueError, OverflowError):
            call.wrong(position, repr(value), f"a sequence of {item} values")
        handle = getattr(call.library, f"aclCreate{kind}")(values, len(values))
        return call.keep(f"aclDestroy{kind}", handle)

    return make


def _tensor_list(call: Owner, position: int, value: Any) -> CData:
    """Make a list; it owns its tensors, which are therefore not destroyed one by one."""
    if value is None:
        return ffi.NULL
    handles = [call.tensor(position, element) for element in value]
    pointers = ffi.new("const aclTensor *[]", handles)
    handle = call.keep(
        "aclDestroyTensorList", call.library.aclCreateTensorList(pointers, len(handles))
    )
    for tensor in filter(None, handles):
        call.descriptors.remove(("aclDestroyTensor", tensor))
    return handle


def _scalar(call: Owner, position: int, value: Any) -> CData:
    """Make a scalar of the value's NumPy type; Python's are bool, int64 and double."""
    if value is None:
        return ffi.NULL
    number = np.asarray(value)
    if number.ndim or number.dtype not in CODES:
        call.wrong(position, repr(value), "a number")
    data = ffi.new("char[]", number.tobytes())
    handle = call.library.aclCreateScalar(data, CODES[number.dtype])
    return call.keep("aclDestroyScalar", handle)


def _scalar_list(call: Owner, position: int, value: Any) -> CData:
    if value is None:
        return ffi.NULL
    handles = [_scalar(call, position, element) for element in value]
    pointers = ffi.new("const aclScalar *[]", handles)
    handle = call.keep(
        "aclDestroyScalarList", call.library.aclCreateScalarList(pointers, len(handles))
    )
    for scalar in handles:
        call.descriptors.remove(("aclDestroyScalar", scalar))
    return handle


_LISTS: dict[str, Callable[..., CData]] = {
    "aclIntArray*": _array_of("IntArray", "int64_t", _operator.index),
    "aclFloatArray*": _array_of("FloatArray", "float", float),
    "aclBoolArray*": _array_of("BoolArray", "bool", bool),
    "aclTensorList*": _tensor_list,
    "aclScalar*": _scalar,
    "aclScalarList*": _scalar_list,
}
