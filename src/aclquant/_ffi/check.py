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


_KIND_OF_NAME: dict[str, type[errors.AclError]] = {
    "ACL_ERROR_INVALID_PARAM": errors.ParameterError,
    "ACL_ERROR_RT_PARAM_INVALID": errors.ParameterError,
    "ACL_ERROR_RT_INVALID_DEVICEID": errors.ParameterError,
    "ACL_ERROR_RT_STREAM_CONTEXT": errors.ResourceError,
    "ACL_ERROR_RT_ADDR_UNALIGNED": errors.ParameterError,
    "ACL_ERROR_RT_INVALID_HANDLE": errors.ResourceError,
    "ACLNN_ERR_PARAM_NULLPTR": errors.NullError,
    "ACLNN_ERR_PARAM_INVALID": errors.ParameterError,
    "ACL_ERROR_BAD_ALLOC": errors.OutOfMemoryError,
    "ACL_ERROR_API_NOT_SUPPORT": errors.NotSupportedError,
    "ACL_ERROR_INVALID_RESOURCE_HANDLE": errors.ResourceError,
    "ACL_ERROR_FEATURE_UNSUPPORTED": errors.NotSupportedError,
    "ACL_ERROR_RT_FEATURE_NOT_SUPPORT": errors.NotSupportedError,
    "ACL_ERROR_RT_MEMORY_ALLOCATION": errors.OutOfMemoryError,
    "ACL_ERROR_RT_DEVICE_OOM": errors.OutOfMemoryError,
}
_KINDS = {ffi.integer_const(name): kind for name, kind in _KIND_OF_NAME.items()}
_INVALID = ffi.integer_const("ACL_ERROR_INVALID_PARAM")
_REFUSED = (_INVALID, ffi.integer_const("ACLNN_ERR_PARAM_INVALID"))
_NO_MEMORY = ffi.integer_const("ACL_ERROR_RT_DEVICE_OOM")
_RUNTIME = ffi.integer_const("ACLNN_ERR_RUNTIME_ERROR")


def _kind(function: str, status: int, got: str) -> type[errors.AclError]:
    if _stage(function, status) == errors.REPORTED and status != _NO_MEMORY:
        return errors.DeviceError
    if status in _REFUSED and got.startswith("dtype "):
        return errors.DtypeError
    if status == _INVALID and got == "null":
        return errors.NullError
    if status in _KINDS:
        return _KINDS[status]
    if status // 100000 == 5 or status == _RUNTIME:
        return errors.InternalError
    return errors.AclError
