"""Cases of a program: functions that run one after another, each reported on its own.

A program is a file with functions decorated by ``@case()``; it ends with ``run()``. pytest finds
the cases by reading the file (``conftest.py``) and runs all that are selected in one process::

    python PROGRAM [REPORT [CASE...]]

The report is a file of JSON lines, by default standard output.

``@case("a", "b")`` makes two cases, each with its string as the argument. In the program,
``RUNS = {"name": {"VARIABLE": "value"}}`` runs it once for each entry, with these variables,
``LAUNCHER = False`` without ``aclquant run``, and ``NEEDS = ("module",)`` only where that module is
installed.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., None])
_cases: dict[str, Callable[[], None]] = {}
#: called after each case; may raise
_afterwards: list[Callable[[], None]] = []


def case(*parameters: str) -> Callable[[_Function], _Function]:
    """Make a function a case, or one for each parameter."""

    def register(function: _Function) -> _Function:
        name = function.__name__
        for parameter in parameters:
            _cases[f"{name}[{parameter}]"] = partial(function, parameter)
        if not parameters:
            _cases[name] = function
        return function

    return register


def afterwards(function: Callable[[], None]) -> Callable[[], None]:
    """Call a function after each case."""
    _afterwards.append(function)
    return function


def raises(text: str, function: Callable[..., Any], *arguments: Any) -> str:
    """Call a function that must raise a RuntimeError with this text; return its message."""
    try:
        function(*arguments)
    except RuntimeError as error:
        assert text in str(error), error
        return str(error)
    raise AssertionError("nothing was raised")


def run() -> None:
    """Run the cases that the command line names, or all of them."""
    report, *names = sys.argv[1:] or ["/dev/stdout"]
    with open(report, "a") as lines:
        for name in names or _cases:
            error = _error_of(_cases[name])
            print(json.dumps({"case": name, "error": error}), file=lines, flush=True)


def _error_of(function: Callable[[], None]) -> str | None:
    found = []
    for step in (function, *_afterwards):
        try:
            step()
        except Exception:
            found.append(traceback.format_exc())
    return "\n".join(found) or None
