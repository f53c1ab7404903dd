"""Programs run in separate processes: torch_npu takes its libraries when it is imported."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import aclquant

WHEEL = "2.13.0"
Run = Callable[..., str]


def _missing() -> str:
    for name in ("torch", "torch_npu"):
        try:
            found = importlib.metadata.version(name).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            return f"{name} is not installed"
        if found != WHEEL:
            return f"{name} is {found}, not {WHEEL}"
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    reason = _missing()
    for item in items:
        if reason and here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


def clean_environment() -> dict[str, str]:
    """Return the environment without what would lead to other libraries."""
    names = ("ACL", "ASCEND", "LD_LIBRARY_PATH", "TASK_QUEUE", "TORCH")
    found = {name: text for name, text in os.environ.items() if not name.startswith(names)}
    found["PYTHONPATH"] = str(Path(aclquant.__file__).parent.parent)
    return found


@pytest.fixture
def run() -> Run:
    """Run a program text under ``aclquant run`` and return what it prints; it must end well."""

    def start(program: str, *, launcher: bool = True, errors: bool = False, **settings: str) -> str:
        command = [sys.executable, "-c", textwrap.dedent(program)]
        if launcher:
            command = [sys.executable, "-m", "aclquant", "run", "--", *command]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=300,
            env=clean_environment() | settings,
            check=False,
        )
        assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stderr if errors else done.stdout

    return start


@pytest.fixture
def run_file() -> Run:
    """Run a file of ``programs`` under ``aclquant run`` and return what it prints."""

    def start(name: str) -> str:
        path = Path(__file__).parent / "programs" / f"{name}.py"
        done = subprocess.run(
            [sys.executable, "-m", "aclquant", "run", "--", sys.executable, str(path)],
            capture_output=True,
            text=True,
            timeout=300,
            env=clean_environment(),
            check=False,
        )
        assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    return start
