"""Calls that each thread keeps prepared, for loops over arrays of equal shapes.

The second call with the same types, shapes and attributes is prepared, the ones after it only
launched. No array of the caller's is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from . import backends as _backends
from . import errors
from .invocation import First, Invocation
from .prepared import Form, Prepared, extension, has_fractions, launcher, look, typed
from .stream import current_stream
from .thread_state import local, this_thread

__all__ = ["Operation", "again", "forget_plans", "host_arrays_in_place", "input_forms"]

LIMIT = 64
"""Prepared calls that a thread keeps; the oldest makes room."""

_PYTHON_NUMBERS = frozenset([float, int])
_SCALARS = _PYTHON_NUMBERS | {np.float64, np.float32}
_NEVER = "cannot be kept"

if extension is not None:
    extension.install(local)


class Operation(Protocol):
    """What is known here of an operation: its parameters, and the call they make."""

    parameters: tuple[str, ...]
    arrays: frozenset[int]
    results: tuple[str, ...]

    def invoke(self, values: Sequence[Any]) -> Invocation | First:
        """Return the call for these arguments."""
        ...


class _Entry(NamedTuple):
    prepared: Prepared
    launcher: Any


def again(operation: Operation, values: Sequence[Any], out: Any) -> Any:
    """Launch a call that was prepared before; None if the long way has to be taken."""
    kept, backend = this_thread(), _backends.active_backend()
    if kept.blocks or backend is None or not _may_be_kept(values[0]):
        return None
    if kept.backend is not backend:
        kept.prepared, kept.replays, kept.backend = {}, [], backend
    arrays = operation.arrays
    try:
        key = (operation, *[_form(v) if i in arrays else typed(v) for i, v in enumerate(values)])
        entry = kept.prepared[key]
    except KeyError:
        if len(kept.prepared) >= LIMIT:
            _drop_oldest()
        kept.prepared[key] = None  # seen once
        return None
    except (AttributeError, TypeError):  # not an array, or an attribute that cannot be a key
        return None
    if entry is None:
        entry = _prepare(operation, key, values)
    return entry.launcher.run(*values, out) if isinstance(entry, _Entry) else None


def forget_plans() -> None:
    """Give up the calls that this thread has prepared for itself.

    They are few and small; tests that count live objects want them gone.

    Examples
    --------
    >>> import aclquant as aq
    >>> aq.forget_plans()
    """
    while this_thread().prepared:
        _drop_oldest()


def _may_be_kept(x: Any) -> bool:
    """Tell at a glance that no call on `x` is kept: Tensors, strides, other libraries' arrays."""
    kind = type(x)
    if kind is np.ndarray:
        return bool(x.flags.c_contiguous)
    return kind in _SCALARS or kind is list or kind is tuple


def _form(value: Any) -> Any:
    """Make a key of an array, or of numbers that become one: values are not part of it."""
    kind = type(value)
    if kind is np.ndarray:
        return look(value)
    if value is None:
        return None
    if kind in _SCALARS:
        return kind
    if kind is list or kind is tuple:
        kinds = frozenset(map(type, value))
        if not kinds or not kinds <= _PYTHON_NUMBERS:
            raise TypeError
        return kind, len(value), float in kinds
    return look(value)


def _prepare(operation: Operation, key: Any, values: Sequence[Any]) -> _Entry | None:
    """Prepare the call if it can be launched again."""
    for position in operation.arrays:
        value = values[position]
        if value is None or type(value) in _SCALARS or type(value) in (list, tuple):
            continue
        if type(value) is not np.ndarray or not value.flags.c_contiguous:
            return None
        if value.size == 0 or value.ndim == 0:
            return None
    kept = this_thread()
    if not _backends.backend().host_memory:
        return None
    invocation = operation.invoke(values)
    if isinstance(invocation, First):
        kept.prepared[key] = _NEVER
        return None
    arguments, results = invocation.arrange(None, operation.results)
    if not host_arrays_in_place(arguments):
        return None
    tensors = input_forms(operation, invocation, arguments)
    forms: list[Form] = []
    for position, (name, value) in enumerate(zip(operation.parameters, values, strict=True)):
        if position not in operation.arrays or value is None:
            forms.append(("same", value))
            continue
        where, array = tensors.pop(name, (-1, None))
        if array is None:
            return None
        if type(value) is np.ndarray:
            if array is not value:
                return None
            forms.append(("array", where, array.shape, array.dtype))
        elif array.shape == (np.size(value),) and array.flags.carray:
            fractions, kind = has_fractions(value), array.dtype.name
            forms.append(("numbers", where, type(value), fractions, kind, array.size))
        else:
            return None
    if tensors:
        return None
    try:
        prepared = Prepared(invocation.operator, arguments, current_stream(), wait=True)
    except errors.AclError as error:
        if isinstance(error, errors.OutOfMemoryError):
            forget_plans()
        return None  # the long way meets the same error, and explains it
    launch = launcher(prepared, operation, tuple(forms), result_forms(arguments, results))
    entry = kept.prepared[key] = _Entry(prepared, launch)
    if extension is not None and isinstance(launch, extension.Replay):
        kept.replays.append(launch)
    return entry


def input_forms(
    operation: Operation, invocation: Invocation, arguments: Sequence[Any]
) -> dict[str, tuple[int, Any]]:
    """Return the input arrays of a call by parameter, with their places among its tensors."""
    found, place = {}, 0
    for parameter, value in zip(invocation.operator.parameters, arguments, strict=True):
        if isinstance(value, np.ndarray):
            if invocation.result_number(parameter.name) is None:
                found[invocation.parameter(parameter.name)] = place, value
            place += 1
    return found


def result_forms(arguments: Sequence[Any], results: Sequence[Any]) -> tuple[Form, ...]:
    """Return the forms of the results of a call on arrays."""
    arrays = [value for value in arguments if isinstance(value, np.ndarray)]
    places = ([a is y for a in arrays].index(True) for y in results)
    return tuple(
        ("array", place, y.shape, y.dtype) for place, y in zip(places, results, strict=True)
    )


def host_arrays_in_place(arguments: Sequence[Any]) -> bool:
    """Tell whether all arrays are used as they are: others are copied, and int4 is packed."""
    arrays = [value for value in arguments if isinstance(value, np.ndarray)]
    return all(a.dtype.isnative and a.dtype.name != "int4" for a in arrays)


def _drop_oldest() -> None:
    kept = this_thread()
    entry = kept.prepared.pop(next(iter(kept.prepared)), None)
    if isinstance(entry, _Entry):
        if entry.launcher in kept.replays:
            kept.replays.remove(entry.launcher)
        entry.prepared.close()
