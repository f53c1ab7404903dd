"""Two-phase operators: their C names and prototypes."""

from __future__ import annotations

import re
from functools import cached_property

from . import errors
from ._ffi import ffi
from ._ffi.declaration import Function, Parameter, parse
from ._ffi.declarations import functions
from ._ffi.library import Library
from .convert import Converter, converter, is_tensor

__all__ = ["PHASE_ONE", "Operator", "declare", "operator"]

PHASE_ONE = "GetWorkspaceSize"
"""What the name of a phase 1 ends with."""

_RESULTS = ("uint64_t *", "aclOpExecutor **")
_PHASE_TWO_TYPE = (
    Parameter("void *", "workspace"),
    Parameter("uint64_t", "workspaceSize"),
    Parameter("aclOpExecutor *", "executor"),
    Parameter("aclrtStream", "stream"),
)
# gradOut is the gradient that comes in.
_OUTPUT = re.compile(r"out|y|gradInput|(?!gradOut$)\w+Out(Optional)?")


class Operator:
    """A two-phase operator: its name and the declaration of its phase 1."""

    def __init__(self, name: str, phase_one: Function) -> None:
        self.name = name
        self.phase_one = phase_one

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the caller gives: everything but the two results of phase 1."""
        return self.phase_one.parameters[:-2]

    @cached_property
    def phase_two(self) -> Function:
        """Phase 2, which has the same form for every operator."""
        return Function(self.name, "aclnnStatus", _PHASE_TWO_TYPE)

    @cached_property
    def outputs(self) -> frozenset[int]:
        """Positions of the outputs.

        CANN's headers do not tell inputs and outputs apart by const alone, so names come first: an
        operator in place writes ``...Ref``, others write ``out``, ``y``, ``gradInput`` or
        ``...Out``. Without such a name they are the tensors that are not const, else those after
        the last attribute.
        """
        tensors = {i: p for i, p in enumerate(self.parameters) if is_tensor(p)}
        references = {i for i, p in tensors.items() if p.name.endswith("Ref")}
        if references:
            return frozenset(references)
        written = {i for i, p in tensors.items() if not p.type.startswith("const")}
        named = {i for i, p in tensors.items() if _OUTPUT.fullmatch(p.name)}
        if written or named:
            return frozenset(written | named)
        others = [i for i in range(len(self.parameters)) if i not in tensors]
        return frozenset(i for i in tensors if others and i > others[-1])

    def is_in(self, library: Library) -> bool:
        """Tell whether a library has this operator."""
        return library.has(self.phase_one.name)

    @cached_property
    def converters(self) -> tuple[Converter, ...]:
        """One function per parameter, from a Python value to what cffi takes."""
        return tuple(converter(self.name, p) for p in self.parameters)


_known: dict[str, Operator] = {}
# gradOut is the gradient that comes in.
_OUTPUT = re.compile(r"out|y|gradInput|(?!gradOut$)\w+Out(Optional)?")


def operator(name: str) -> Operator:
    """Return the declared operator of this name.

    Raises
    ------
    KeyError
        When no header declares it.
    """
    found = _known.get(name)
    if found is None:
        found = _known[name] = Operator(name, functions[name + PHASE_ONE])
    return found


def declare(declaration: str) -> Operator:
    """Make an operator from the C prototype of its phase 1."""
    try:
        function = parse(declaration)
        ffi.typeof(function.pointer_type)
    except (ValueError, ffi.error) as error:
        raise errors.ParameterError(str(error), function="aclquant.aclnn.declare") from error
    last = tuple(parameter.type for parameter in function.parameters[-2:])
    if not function.name.endswith(PHASE_ONE) or last != _RESULTS:
        raise errors.ParameterError(
            function="aclquant.aclnn.declare",
            argument="declaration",
            got=str(function),
            allowed=f"aclnnStatus <name>{PHASE_ONE}(..., uint64_t *workspaceSize, "
            "aclOpExecutor **executor)",
        )
    return Operator(function.name.removesuffix(PHASE_ONE), function)
