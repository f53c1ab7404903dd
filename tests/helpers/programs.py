"""Programs that tests build: tools, what ``aclquant`` prints for them, what they need to run."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_SYSTEM = re.compile(r"lib(c|m|dl|pthread|stdc\+\+|gcc_s)\.so|ld-linux")


def require(*tools: str) -> None:
    """Skip the test where a tool is missing."""
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


def installed(distribution: str) -> bool:
    """Tell whether a distribution is installed; a folder of tests may have its module's name."""
    try:
        return bool(metadata.version(distribution))
    except metadata.PackageNotFoundError:
        return False


def output(*command: str | Path, **environment: str) -> str:
    """Run a command that must succeed and return what it prints."""
    done = subprocess.run(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=300, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


@functools.cache
def aclquant(*arguments: str) -> str:
    """What ``aclquant ARGUMENTS`` prints."""
    path = os.pathsep.join(path for path in sys.path if path)
    return output(sys.executable, "-m", "aclquant", *arguments, PYTHONPATH=path).strip()


def needed(program: Path) -> set[str]:
    """Libraries that a program needs, without the system's."""
    found = re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "-d", "-W", program))
    return {name for name in found if not _SYSTEM.match(name)}


def run_paths(program: Path) -> list[str]:
    """Directories that a program searches by itself."""
    return re.findall(r"(?:RPATH|RUNPATH).*\[(.*)\]", output("readelf", "-d", "-W", program))
