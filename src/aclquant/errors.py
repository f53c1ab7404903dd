"""The exception tree.

Every error of aclquant is an `AclError`; most are also the built-in exception that a Python
programmer would expect (`ValueError`, `TypeError`, `MemoryError`, ...). The last line of the text
says everything: function, code and its name, argument, what it got, what is allowed, and when the
error was found. `str`, `repr` and `args` carry the whole text; its parts are attributes. All errors
can be pickled.
"""

from __future__ import annotations

__all__ = [
    "BEFORE_CALL",
    "REFUSED",
    "REPORTED",
    "AclError",
    "DeviceError",
    "DtypeError",
    "InternalError",
    "LibraryNotFoundError",
    "NotSupportedError",
    "NullError",
    "OutOfMemoryError",
    "ParameterError",
    "RangeError",
    "ResourceError",
    "SymbolNotFoundError",
]

BEFORE_CALL = "raised by aclquant before the call"
REFUSED = "refused before anything ran on the device"
REPORTED = "reported by the device after launch"


class AclError(RuntimeError):
    """Base of all errors of aclquant, and the class of those that fit no other.

    Parameters
    ----------
    message : str
        The sentence of the last line; made from `argument`, `got` and `allowed` when empty.
    function : str
        The C function that failed, or the Python function that refused.
    caller : str
        The Python function that was called, when `function` is one of C.
    code : int or None
        The status; None when no C function was called.
    code_name : str
        Its name in the headers.
    argument, got, allowed : str
        The argument to blame, what it was, and what it may be; empty when unknown.
    detail : str
        Lines that come before the last one: explanation, text of the library.
    stage : str
        When the error was found: `BEFORE_CALL`, `REFUSED` or `REPORTED`.

    Examples
    --------
    >>> error = ParameterError(function="f", code=161002, code_name="ACLNN_ERR_PARAM_INVALID",
    ...                        argument="x", got="rank 9", allowed="rank 0 to 8", stage=REFUSED)
    >>> print(error)
    f: 161002 ACLNN_ERR_PARAM_INVALID: argument 'x': got rank 9; allowed: rank 0 to 8 \
(refused before anything ran on the device)
    """

    def __init__(
        self,
        message: str = "",
        *,
        function: str = "",
        caller: str = "",
        code: int | None = None,
        code_name: str = "",
        argument: str = "",
        got: str = "",
        allowed: str = "",
        detail: str = "",
        stage: str = BEFORE_CALL,
    ) -> None:
        self.message = message
        self.function = function
        self.caller = caller
        self.code = code
        self.code_name = code_name
        self.argument = argument
        self.got = got
        self.allowed = allowed
        self.detail = detail
        self.stage = stage
        super().__init__(str(self))

    def __str__(self) -> str:
        parts = [name for name in (self.caller, self.function) if name]
        if self.code is not None:
            parts.append(f"{self.code} {self.code_name}".rstrip())
        if self.message:
            parts.append(self.message)
        elif self.argument:
            parts.append(f"argument '{self.argument}'")
            if self.got or self.allowed:
                parts.append(f"got {self.got}; allowed: {self.allowed}")
        line = f"{': '.join(parts)} ({self.stage})"
        return f"{self.detail}\n{line}" if self.detail else line

    def amend(self, **fields: str) -> None:
        """Set fields that only a caller knows, before the error leaves it."""
        for name, value in fields.items():
            setattr(self, name, value)
        self.args = (str(self),)

    def __reduce__(self) -> tuple[object, ...]:
        fields = {name: value for name, value in vars(self).items() if name in _FIELDS}
        others = {name: value for name, value in vars(self).items() if name not in _FIELDS}
        return _restore, (type(self), fields), others or None


_FIELDS = frozenset(
    [
        *("message", "function", "caller", "code", "code_name"),
        *("argument", "got", "allowed", "detail", "stage"),
    ]
)


def _restore(kind: type[AclError], fields: dict[str, object]) -> AclError:
    return kind(**fields)  # type: ignore[arg-type]


class ParameterError(AclError, ValueError):
    """An argument has a value, shape or rank that the function does not accept."""


class DtypeError(ParameterError, TypeError):
    """An argument has a data type that the function does not accept."""


class RangeError(ParameterError, OverflowError):
    """A number does not fit the type that it would have to take."""


class NullError(ParameterError):
    """A mandatory argument is missing (null)."""


class ResourceError(AclError, ValueError):
    """A closed, destroyed or foreign object was used."""


class OutOfMemoryError(AclError, MemoryError):
    """The device, or the host on its behalf, is out of memory."""


class NotSupportedError(AclError, NotImplementedError):
    """The function or feature exists but not on this device."""


class DeviceError(AclError):
    """The device reported that work it had accepted went wrong."""


class InternalError(AclError):
    """The library failed internally."""


class LibraryNotFoundError(AclError, ImportError):
    """No library was found; the text lists every place that was tried."""


class SymbolNotFoundError(AclError, AttributeError):
    """A library was found and loaded, but does not have this function."""
