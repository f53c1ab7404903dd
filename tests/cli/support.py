"""Runs of the command in this process and in others."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from aclquant.cli import main


class Command:
    """``aclquant`` in a folder, called in this process; remembers what it printed."""

    def __init__(self, folder: Path, capsys: Any) -> None:
        self.folder, self._capsys = folder, capsys
        self.out = self.err = ""

    def __call__(self, *arguments: object) -> int:
        self._capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        self.out, self.err = self._capsys.readouterr()
        return status

    def says(self, *arguments: object, status: int = 1) -> str:
        """Run it, expect a failure told in one line, and return that line."""
        got = self(*arguments)
        assert got == status, self.out + self.err
        assert self.err.startswith("aclquant: ") and self.err.count("\n") == 1, self.err
        assert not self.out
        return self.err

    def path(self, name: str) -> Path:
        return self.folder / name

    def save(self, name: str, array: Any) -> Path:
        np.save(self.folder / name, array)
        return self.folder / name

    def files(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


def process(*arguments: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process, with its stdin and stdout."""
    command = [sys.executable, "-m", "aclquant", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.run(command, timeout=120, **{**pipes, **options})


def start(*arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    """Start the command in a process."""
    command = [sys.executable, "-m", "aclquant", *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, env=dict(os.environ), **options)
