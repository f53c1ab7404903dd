"""Any two-phase operator by its C name.

``aclquant.aclnn.aclnnQuantize(x, scales, zeroPoints, dtype, axis, out)`` runs an operator that a
header in ``include/aclnnop/`` declares; `declare` makes such a function from a C prototype.
Arguments are converted as the declaration says:

================================  ==================================================================
C type                            Python
================================  ==================================================================
``aclTensor *``                   Tensor, numpy.ndarray, or None for null
``aclTensorList *``               a sequence of them
``aclScalar *``                   bool, int, float or NumPy scalar; None
``aclScalarList *``               a sequence of them
``aclIntArray *`` and the like    a sequence of numbers; None
``aclDataType``, ``...Type``      dtype-like; a number is an ``aclDataType`` as it stands
``char *``                        str; None
``bool``, integers, floats        bool, int, float
================================  ==================================================================

Outputs are given by the caller and returned: one alone, several as a tuple.
"""

from __future__ import annotations

import inspect
import keyword
import typing

from . import errors
from ._ffi.declarations import functions
from .device import Device
from .launch import call
from .operators import PHASE_ONE as _PHASE_ONE
from .operators import Operator, operator
from .operators import declare as _declare
from .stream import Stream

__all__ = ["AclnnFunction", "declare"]


def _python_name(name: str, position: int) -> str:
    if not name:
        return f"arg{position}"
    return f"{name}_" if keyword.iskeyword(name) else name


class AclnnFunction:
    """A two-phase operator as a Python function; parameters have their C names.

    A C name that is a keyword of Python, such as ``lambda``, has an underscore behind it.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> print(aq.aclnn.aclnnQuantize.__signature__)
    (x, scales, zeroPoints, dtype, axis, out, *, stream=None, device=None)
    >>> out = np.empty(2, np.int8)
    >>> aq.aclnn.aclnnQuantize(np.float32([1, 2]), np.float32([0.5]), None, "int8", 0, out)
    array([2, 4], dtype=int8)
    """

    def __init__(self, op: Operator) -> None:
        self._operator = op
        self.__name__ = self.__qualname__ = op.name
        names = [_python_name(parameter.name, i) for i, parameter in enumerate(op.parameters)]
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        self.__signature__ = inspect.Signature(
            [inspect.Parameter(name, kind) for name in names]
            + [
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
                for name in ("stream", "device")
            ]
        )
        outputs = ", ".join(names[position] for position in sorted(op.outputs))
        self.__doc__ = (
            f"Run {op.name}.\n\n{op.phase_one}\n\nOutputs, given by the caller: {outputs}.\n"
            f"Declared in {op.phase_one.header or 'a declaration given as text'}."
        )

    def __call__(
        self,
        *arguments: typing.Any,
        stream: Stream | None = None,
        device: Device | int | None = None,
        **named: typing.Any,
    ) -> typing.Any:
        """Run the operator; see the class and the module."""
        try:
            values = self.__signature__.bind(*arguments, **named).args
        except TypeError as error:
            raise TypeError(f"aclquant.aclnn.{self.__name__}(): {error}") from None
        call(self._operator, *values, stream=stream, device=device)
        outputs = tuple(values[position] for position in sorted(self._operator.outputs))
        return outputs[0] if len(outputs) == 1 else outputs

    def __repr__(self) -> str:
        return f"<aclnn function {self.__name__}{self.__signature__}>"


def declare(declaration: str) -> AclnnFunction:
    """Make an operator callable from the C prototype of its phase 1.

    Parameters
    ----------
    declaration : str
        ``aclnnStatus <name>GetWorkspaceSize(..., uint64_t *workspaceSize, aclOpExecutor
        **executor)``.

    Returns
    -------
    AclnnFunction
        The symbols are looked up when it is called.

    Raises
    ------
    ParameterError
        When it is not such a prototype.

    Examples
    --------
    >>> import aclquant as aq
    >>> aq.aclnn.declare(
    ...     "aclnnStatus aclnnFooGetWorkspaceSize(const aclTensor *x, bool flag, "
    ...     "const aclTensor *y, uint64_t *workspaceSize, aclOpExecutor **executor)"
    ... )
    <aclnn function aclnnFoo(x, flag, y, *, stream=None, device=None)>
    """
    return AclnnFunction(_declare(declaration))


_made: dict[str, AclnnFunction] = {}


def __getattr__(name: str) -> AclnnFunction:
    if name.startswith("_"):
        raise AttributeError(name)
    full = name if name.startswith("aclnn") else f"aclnn{name}"
    found = _made.get(full)
    if found is None:
        if full + _PHASE_ONE not in functions:
            if full in functions:
                reason = "has one phase and works on host memory: it is not a device operator"
            else:
                reason = (
                    "is not declared in include/aclnnop/; aclquant.aclnn.declare takes its text"
                )
            raise errors.SymbolNotFoundError(reason, function=full)
        found = _made[full] = AclnnFunction(operator(full))
    return found


def __dir__() -> list[str]:
    names = [name.removesuffix(_PHASE_ONE) for name in functions if name.endswith(_PHASE_ONE)]
    return sorted([*__all__, *names])
