"""Helpers of these tests."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import aclquant
from aclquant._ffi.locate import bundled

PACKAGE = Path(aclquant.__file__).parent
INCLUDE = Path(bundled("include"))
HOST_LIBRARY = Path(bundled("_lib")) / "libaclquant_host.so"


def plain_signature(function: Callable[..., Any]) -> str:
    """Return names, order, kinds and defaults of the arguments, without annotations."""
    got = signature(function)
    empty = Parameter.empty
    plain = got.replace(
        parameters=[p.replace(annotation=empty) for p in got.parameters.values()],
        return_annotation=empty,
    )
    return str(plain)


def run_python(code: str, **environment: str | None) -> str:
    """Run a program in a fresh interpreter and return what it printed; None unsets a variable."""
    variables = dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
    for name, value in environment.items():
        variables.pop(name, None)
        if value is not None:
            variables[name] = value
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env=variables,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    assert not result.stderr, result.stderr
    return result.stdout
