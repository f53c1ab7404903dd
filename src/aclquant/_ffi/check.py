"""From a status to an exception."""

from __future__ import annotations

import re
from typing import NoReturn

from .. import errors
from ..codes import code_name, explain
from . import ffi
from .library import Library

__all__ = ["error_text", "raise_for_status"]

_LINE = re.compile(r"\[(\d+)[^]]*\] (?:(\w+): )?(.*)")  # the name may be several words, or none
_ARGUMENT = re.compile(r"argument '([^']*)': got (.*); allowed: (.*)")

_WAITED = "reported by the device for this call"
"""The tracer says so when it made a launch wait (sync mode)."""
_ASYNCHRONOUS = re.compile(r"aclrt(Synchronize|StreamQuery|Query|Memcpy|EventElapsed)")


def error_text(library: Library) -> str:
    """Return, and thereby clear, what the library says about this thread's last errors."""
    text = library.aclGetRecentErrMsg()
    return ffi.string(text).decode(errors="replace").strip() if text else ""


def raise_for_status(library: Library, function: str, status: int) -> NoReturn:
    """Raise the exception for a non-zero `status` of `function`, called in this thread."""
    raise make_error(function, status, error_text(library))


def make_error(function: str, status: int, text: str) -> errors.AclError:
    """Build the exception from the status and the library's text.

    A line of the form ``[code NAME] function: argument 'x': got ...; allowed: ...`` gives the
    fields; anything else is kept as it is.
    """
    called, message, argument, got, allowed = function, "", "", "", ""
    rest = text.splitlines()
    for number, line in enumerate(rest):
        match = _LINE.match(line)
        if match is None or int(match[1]) != status:
            continue
        function = match[2] or function
        blamed = _ARGUMENT.match(match[3])
        if blamed is not None:
            argument, got, allowed = blamed.groups()
        else:
            message = match[3]
        del rest[number]
        break
    kind = errors.DeviceError if _WAITED in text else _kind(called, status, got)
    return kind(
        message,
        function=function,
        code=status,
        code_name=code_name(status),
        argument=argument,
        got=got,
        allowed=allowed,
        detail="\n".join([explain(status), *rest]),
        stage=errors.REPORTED if _WAITED in text else _stage(called, status),
    )


def _stage(function: str, status: int) -> str:
    if status // 1000 in (507, 207) and _ASYNCHRONOUS.match(function):
        return errors.REPORTED
    return errors.REFUSED


_KINDS: dict[int, type[errors.AclError]] = {
    100000: errors.ParameterError,
    107000: errors.ParameterError,
    107001: errors.ParameterError,
    107003: errors.ResourceError,
    107008: errors.ParameterError,
    107017: errors.ResourceError,
    161001: errors.NullError,
    161002: errors.ParameterError,
    200000: errors.OutOfMemoryError,
    200001: errors.NotSupportedError,
    200005: errors.ResourceError,
    200006: errors.NotSupportedError,
    207000: errors.NotSupportedError,
    207001: errors.OutOfMemoryError,
    207018: errors.OutOfMemoryError,
}


def _kind(function: str, status: int, got: str) -> type[errors.AclError]:
    if _stage(function, status) == errors.REPORTED and status != 207018:
        return errors.DeviceError
    if status in (100000, 161002) and got.startswith("dtype "):
        return errors.DtypeError
    if status == 100000 and got == "null":
        return errors.NullError
    if status in _KINDS:
        return _KINDS[status]
    if status // 100000 == 5 or status == 361001:
        return errors.InternalError
    return errors.AclError
