"""C programs of these tests, compiled once, and the command in separate processes."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.programs import EXAMPLES, aclquant

PROGRAMS = Path(__file__).parent / "programs"

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | Path], Path]:
    """Return a function that compiles a C file once and gives the program."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("programs")

    def compile(source: str | Path) -> Path:
        path = source if isinstance(source, Path) else PROGRAMS / f"{source}.c"
        program = folder / path.stem
        if not program.exists():
            flags = shlex.split(f"{aclquant('cflags')} {aclquant('libs', '--rpath')}")
            flags = [] if path.stem == "looked_up" else flags  # it opens the libraries itself
            command = ["cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", str(path), *flags]
            command += ["-ldl", "-lpthread", "-lm", "-o", str(program)]
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        return program

    return compile


@pytest.fixture(scope="session")
def client(compiled: Callable[[str | Path], Path]) -> Path:
    """The example in C: quantises eight floats."""
    return compiled(EXAMPLES / "c" / "quantize.c")


@pytest.fixture
def run(tmp_path: Path) -> Command:
    """Return a function that runs ``aclquant ARGUMENTS`` in an empty directory."""

    def start(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(path for path in sys.path if path)
        return subprocess.run(
            [sys.executable, "-m", "aclquant", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=300,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path, **environment},
        )

    return start
