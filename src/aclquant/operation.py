"""Operations: the public functions over operators, each declared once.

`operation` turns a function that describes a call into the one that makes it: it adds ``out``,
``stream`` and ``device`` with their documentation, repeats prepared calls, and names the function
and its parameters in errors.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import errors
from .invocation import First, Invocation
from .kept import again, forget_plans
from .launch import call
from .prepared import extension
from .thread_state import this_thread

__all__ = ["Operation", "operation", "operation_of", "perform", "torch_npu_function"]

_ARRAY_TYPES = ("Operand", "Factor", "Factor | None")
"""Annotations of parameters that are arrays, or numbers that become arrays."""

_SHARED = inspect.Parameter.KEYWORD_ONLY
_REQUIRED = inspect.Parameter.empty
_ADDED = ("out", "stream", "device")
_PLACES = """stream : Stream, optional
    The current stream by default.
device : Device or int, optional
    The device of the arguments, or the current one, by default.
"""
_OUT = """out : numpy.ndarray or Tensor, optional
    Where the result goes; it is returned.
"""
_OUTS = """out : tuple of {count}, optional
    Where {names} go; None makes a new one.
"""
_WORDS = {2: "two", 3: "three"}


class Operation:
    """A declared operation: what its function says, and how its calls are made.

    Attributes
    ----------
    name : str
        With the package, as in ``aclquant.quantize``.
    parameters : tuple of str
        In order, without ``out``, ``stream`` and ``device``.
    arrays : frozenset of int
        Which of them are arrays, or numbers that become arrays.
    results : tuple of str
        Names of the results.
    signature : inspect.Signature
        Of the public function.
    aliases : dict
        torch_npu's names of parameters that it calls otherwise.
    required : tuple of str
        Parameters without a default in torch_npu.
    """

    def __init__(
        self,
        function: Callable[..., Invocation | First],
        results: tuple[str, ...],
        aliases: Mapping[str, str],
        required: tuple[str, ...],
    ) -> None:
        self.name = f"aclquant.{function.__name__}"
        self.results, self.aliases, self.required = results, dict(aliases), required
        self._function = function
        described = inspect.signature(function)
        given = tuple(described.parameters.values())
        self.parameters = tuple(p.name for p in given)
        self.arrays = frozenset(i for i, p in enumerate(given) if p.annotation in _ARRAY_TYPES)
        self.signature = described.replace(
            parameters=[*given, *(inspect.Parameter(n, _SHARED, default=None) for n in _ADDED)],
            return_annotation=inspect.Signature.empty,
        )
        self._positional = sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in given)

    @property
    def torch_npu_signature(self) -> inspect.Signature:
        """Signature of torch_npu's function."""
        parameters = [
            p.replace(
                name=self.aliases.get(p.name, p.name),
                default=_REQUIRED if p.name in self.required else p.default,
            )
            for p in self.signature.parameters.values()
            if p.name not in _ADDED
        ]
        return self.signature.replace(parameters=parameters)

    def bind(self, arguments: Sequence[Any], named: Mapping[str, Any]) -> list[Any]:
        """Return the values of `parameters`, then those of ``out``, ``stream`` and ``device``.

        Raises
        ------
        TypeError
            As for any Python function.
        """
        try:
            bound = self.signature.bind(*arguments, **named)
        except TypeError as error:
            raise TypeError(f"{self.name}(): {error}") from None
        bound.apply_defaults()
        return list(bound.arguments.values())

    def invoke(self, values: Sequence[Any]) -> Invocation | First:
        """Return the call for the values of `parameters`, or what has to run first."""
        positional = self._positional
        if positional == len(values):
            return self._function(*values)
        named = dict(zip(self.parameters[positional:], values[positional:], strict=True))
        return self._function(*values[:positional], **named)

    def replaced(self, values: Sequence[Any], first: First, **place: Any) -> list[Any]:
        """Run what has to run first, and return the values with its result among them."""
        changed = list(values)
        changed[self.parameters.index(first.parameter)] = first.function(*first.arguments, **place)
        return changed

    def run(self, values: Sequence[Any], out: Any, stream: Any, device: Any) -> Any:
        """Make the call with the values of `parameters`, or repeat one that was prepared."""
        invocation: Invocation | None = None
        try:
            repeats = stream is None and device is None
            while invocation is None:
                if repeats and (found := again(self, values, out)) is not None:
                    return found
                described = self.invoke(values)
                if isinstance(described, First):
                    values = self.replaced(values, described, stream=stream, device=device)
                else:
                    invocation = described
            results = perform(invocation, self.results, out, stream, device)
        except errors.AclError as error:
            self.blame(error, invocation, values, out)
            raise
        return results[0] if len(results) == 1 else results

    def blame(
        self,
        error: errors.AclError,
        invocation: Invocation | None,
        values: Sequence[Any],
        out: Any = None,
    ) -> None:
        """Name this function and its own parameter in an error of a call."""
        argument, got, allowed = error.argument, error.got, error.allowed
        from_c = bool(error.function) and not error.function.startswith("aclquant.")
        if from_c and invocation is not None and argument:
            result = invocation.result_number(argument)
            if error.stage == errors.BEFORE_CALL and result is not None:
                argument = self._blamed_output(result, out)
            else:
                argument = invocation.parameter(argument)
        if from_c and argument in self.parameters:
            position = self.parameters.index(argument)
            is_array = position in self.arrays
            if not is_array and values[position] is not None:
                got = repr(values[position])
            allowed += _cure(argument, is_array, error)
        if error.function:
            who = {"caller": self.name} if from_c else {}
        else:
            who = {"function": self.name}
        error.amend(argument=argument, got=got, allowed=allowed, **who)

    def _blamed_output(self, number: int, out: Any) -> str:
        """Name the output that was given; a new one is of the first parameter's kind."""
        one = len(self.results) == 1
        given = out if one or out is None else out[number]
        if given is None:
            return self.parameters[0]
        return "out" if one else f"out[{number}]"


def perform(
    invocation: Invocation, names: Sequence[str], out: Any, stream: Any, device: Any
) -> tuple[Any, ...]:
    """Make a call, after those that it contains, and return its results."""
    arguments, results = invocation.arrange(out, names)
    try:
        call(invocation.operator, *arguments, stream=stream, device=device)
    except errors.OutOfMemoryError:
        if not this_thread().prepared:
            raise
        forget_plans()  # their workspaces may be what is missing
        call(invocation.operator, *arguments, stream=stream, device=device)
    return results


def operation(
    *,
    results: tuple[str, ...] = ("y",),
    aliases: Mapping[str, str] | None = None,
    required: tuple[str, ...] = (),
) -> Callable[[Callable[..., Invocation | First]], Callable[..., Any]]:
    """Make the public function of a description.

    Parameters
    ----------
    results : tuple of str
        Names of the results.
    aliases : mapping, optional
        Names that torch_npu has for parameters, where they differ.
    required : tuple of str, optional
        Parameters that have no default in torch_npu.
    """

    def decorate(function: Callable[..., Invocation | First]) -> Callable[..., Any]:
        declared = Operation(function, results, aliases or {}, required)
        public = _function(declared, function.__name__, declared.signature)
        functools.update_wrapper(public, function)
        public.__signature__ = declared.signature  # type: ignore[attr-defined]
        public.__doc__ = _documented(function.__doc__ or "", results)
        public.operation = declared  # type: ignore[attr-defined]
        return public

    return decorate


_SOURCE = "def {name}{signature}:\n    return _run(({values},), {added})\n"
_SOURCE_WITH_EXTENSION = """def {name}{signature}:
    found = _again(_operation, {values}, {added})
    return _run(({values},), {added}) if found is None else found
"""


def _function(declared: Operation, name: str, signature: inspect.Signature) -> Callable[..., Any]:
    """Make a function with the parameters of a signature, so that Python itself binds them.

    They are those of the operation in order, perhaps under other names, and perhaps without the
    three that all operations have. Repeated calls go to the extension module first.
    """
    parameters = [p.replace(annotation=_REQUIRED) for p in signature.parameters.values()]
    names = [p.name for p in parameters]
    source = (_SOURCE if extension is None else _SOURCE_WITH_EXTENSION).format(
        name=name,
        signature=signature.replace(parameters=parameters),
        values=", ".join(n for n in names if n not in _ADDED),
        added=", ".join(n if n in names else "None" for n in _ADDED),
    )
    scope = {"_operation": declared, "_run": declared.run, "__name__": __name__}
    if extension is not None:
        scope["_again"] = extension.again
    exec(compile(source, f"<{declared.name}>", "exec"), scope)
    made: Callable[..., Any] = scope[name]  # type: ignore[assignment]
    return made


def operation_of(function: Any) -> Operation | None:
    """Return the declaration behind a public function; None for other objects."""
    found = getattr(function, "operation", None)
    return found if isinstance(found, Operation) else None


def torch_npu_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make torch_npu's function of an operation: its names of parameters, its defaults."""
    declared = operation_of(function)
    assert declared is not None
    signature = declared.torch_npu_signature
    public = _function(declared, f"npu_{function.__name__}", signature)
    public.__module__ = "aclquant.torch_npu"
    public.__signature__ = signature  # type: ignore[attr-defined]
    summary = (function.__doc__ or "").partition("\n")[0]
    public.__doc__ = f"{summary}\n\n    See `{declared.name}`, which has the same parameters.\n    "
    return public


def _documented(text: str, results: tuple[str, ...]) -> str:
    """Add the shared parameters to a docstring, before its section of returns."""
    names = f"{', '.join(results[:-1])} and {results[-1]}"
    out = _OUT if len(results) == 1 else _OUTS.format(count=_WORDS[len(results)], names=names)
    added = "".join(f"    {line}" for line in f"{out}{_PLACES}".splitlines(keepends=True))
    before, mark, after = text.partition("\n    Returns\n")
    return f"{before.rstrip()}\n{added}{mark}{after}" if mark else text


_FLOATS = {"FLOAT": "np.float32", "FLOAT16": "np.float16", "BF16": "ml_dtypes.bfloat16"}
_NAMES = {"FLOAT": "float32", "FLOAT16": "float16", "BF16": "bfloat16", "INT8": "int8"}
_NAMES |= {"INT32": "int32", "INT64": "int64", "UINT8": "uint8"}


def _cure(name: str, is_array: bool, error: errors.AclError) -> str:
    """Say how to get an accepted type, where the refusal lists the types."""
    if not isinstance(error, errors.DtypeError):
        return ""
    got = error.got.removeprefix("dtype ")
    plain = re.split(r" with | \(", error.allowed)[0]  # conditions name types as well
    listed = re.findall(r"[A-Z][A-Z0-9]+", plain)
    if not is_array:
        named = [_NAMES[one] for one in listed if one in _NAMES]
        return f"; for example {name}='{named[0]}'" if named else ""
    floats = [_FLOATS[one] for one in listed if one in _FLOATS]
    # Integers are not an approximation of floats, nor the reverse.
    return f"; for example {name}.astype({floats[0]})" if floats and got in _FROM else ""


_FROM = ("DOUBLE", *_FLOATS)
