"""One call of an operator: its arguments by their C names, and the form of its results."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import numpy as np

from . import errors
from .operators import operator
from .tensor import Tensor, empty

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Array", "First", "Invocation", "Result"]

Array: TypeAlias = "npt.NDArray[Any] | Tensor"


class Result(NamedTuple):
    """A result that the caller may give as ``out=``: of the kind of `like`."""

    like: Array
    shape: tuple[int, ...]
    dtype: npt.DTypeLike


class First(NamedTuple):
    """Another operation has to run first: its result takes the place of an argument."""

    parameter: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class Invocation:
    """What an operation makes of its arguments.

    Parameters
    ----------
    name : str
        The C operator.
    names : mapping, optional
        Parameters of the Python function that C arguments come from, where it is not the same name
        in snake case.
    **arguments
        By C name, all of them. A `Result` stands for an output.
    """

    __slots__ = ("_names", "arguments", "operator")

    def __init__(
        self, name: str, names: Mapping[str, str] | None = None, /, **arguments: Any
    ) -> None:
        self.operator = operator(name)
        self._names = names or {}
        self.arguments = tuple([arguments[p.name] for p in self.operator.parameters])
        assert len(arguments) == len(self.arguments), (name, arguments)

    def parameter(self, argument: str) -> str:
        """Return the parameter of the Python function that a C argument comes from."""
        return self._names.get(argument) or _snake(argument)

    def result_number(self, argument: str) -> int | None:
        """Return which result a C argument is, None for an input."""
        pairs = zip(self.operator.parameters, self.arguments, strict=True)
        names = [p.name for p, value in pairs if isinstance(value, Result)]
        return names.index(argument) if argument in names else None

    def arrange(
        self, out: Any, result_names: Sequence[str]
    ) -> tuple[tuple[Any, ...], tuple[Array, ...]]:
        """Return the arguments of the C call, and the results among them.

        `out` is where they go: one, or a tuple with None for new ones. An input that shares memory
        with an output is copied.
        """
        count = len(result_names)
        if out is not None and count > 1 and (type(out) is not tuple or len(out) != count):
            got = f"a tuple of {len(out)}" if type(out) is tuple else type(out).__name__
            allowed = f"a tuple of {_WORDS[count]}: {', '.join(result_names)}"
            raise errors.ParameterError(argument="out", got=got, allowed=allowed)
        given = (out,) * count if count == 1 or out is None else out
        arguments, results = list(self.arguments), []
        places = [i for i, value in enumerate(arguments) if type(value) is Result]
        for number, place in enumerate(places):
            name = f"out[{number}]" if count > 1 else "out"
            arguments[place] = _output(arguments[place], given[number], name)
            results.append(arguments[place])
        if out is not None:
            if count > 1:
                _require_apart(results)
            for place, value in enumerate(arguments):
                if isinstance(value, np.ndarray) and place not in places:
                    arguments[place] = _apart(value, results)
        return tuple(arguments), tuple(results)


_WORDS = {2: "two", 3: "three"}


@lru_cache
def _snake(name: str) -> str:
    name = name.removesuffix("Optional")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _output(wanted: Result, out: Any, name: str) -> Array:
    """Return where a result goes: `out`, checked, or something new."""
    like, shape, dtype = wanted
    shape, dtype = tuple(shape), np.dtype(dtype)
    if out is None:
        if isinstance(like, Tensor):
            return empty(shape, dtype, device=like.device)
        # Nothing is written for an empty input, not even into outputs that have elements.
        return np.empty(shape, dtype) if like.size else np.zeros(shape, dtype)
    if not isinstance(out, (Tensor, np.ndarray)):
        raise errors.ParameterError(
            argument=name,
            got=f"{type(out).__module__}.{type(out).__qualname__}",
            allowed="numpy.ndarray or aclquant.Tensor",
        )
    if out.dtype.newbyteorder("=") != dtype:  # the call copies to another byte order
        raise errors.DtypeError(
            argument=name, got=f"dtype {out.dtype.name}", allowed=np.dtype(dtype).name
        )
    if out.shape != shape:
        raise errors.ParameterError(argument=name, got=f"shape {out.shape}", allowed=f"{shape}")
    return cast("Array", out)


def _require_apart(results: Sequence[Array]) -> None:
    """Refuse outputs that share memory: the later one would destroy the earlier."""
    for second, array in enumerate(results):
        for first, other in enumerate(results[:second]):
            if _share(array, other):
                raise errors.ParameterError(
                    argument=f"out[{second}]",
                    got=f"memory of out[{first}]",
                    allowed="outputs apart from each other",
                )


_WORK = 10_000
"""Steps after which arrays count as overlapping; slices of an array take a few."""


def _share(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor) and a.buffer is b.buffer:
        a, b = a.footprint(), b.footprint()
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return False
    try:
        return np.shares_memory(a, b, max_work=_WORK)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def _apart(value: npt.NDArray[Any], outputs: Sequence[Array]) -> npt.NDArray[Any]:
    """Return the input, or a copy of it if an output shares its memory."""
    for out in outputs:
        if isinstance(out, np.ndarray) and np.may_share_memory(value, out):
            return np.array(value)
    return value
