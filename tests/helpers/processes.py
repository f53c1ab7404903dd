"""Programs in new Python processes, which find the packages and helpers of this one."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path


def start(
    command: list[str],
    environment: Mapping[str, str | None],
    *,
    cwd: str | None = None,
    timeout: float = 300,
) -> subprocess.CompletedProcess[str]:
    """Run a command in this environment with changes; None unsets a variable."""
    tests = str(Path(__file__).resolve().parents[1])
    variables = dict(os.environ)
    variables["PYTHONPATH"] = os.pathsep.join([tests, *(p for p in sys.path if p)])
    for name, value in environment.items():
        variables.pop(name, None)
        if value is not None:
            variables[name] = value
    return subprocess.run(
        command, env=variables, cwd=cwd, capture_output=True, text=True, timeout=timeout
    )


def run_python(
    code: str,
    *arguments: str,
    status: int = 0,
    timeout: float = 120,
    quiet: bool = True,
    **environment: str | None,
) -> str:
    """Run a program in a new interpreter and return what it prints; warnings are errors.

    ``quiet``: a program that ends with status 0 prints nothing on standard error.
    """
    command = [sys.executable, "-X", "faulthandler", "-W", "error", "-c", textwrap.dedent(code)]
    done = start([*command, *arguments], environment, timeout=timeout)
    assert done.returncode == status, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
    if quiet and not status and "LD_PRELOAD" not in os.environ:  # sanitizers may print notes
        assert not done.stderr, done.stderr
    return done.stdout
