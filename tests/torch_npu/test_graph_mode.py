"""The libraries of graph mode; what graphs compute is in programs/graph_*.py and by_name.py."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from aclquant._ffi.locate import LIBRARIES, bundled


def test_every_symbol_of_torchair_is_there() -> None:
    """Its libraries bind the engine's C++ names when they are loaded."""
    if shutil.which("nm") is None:
        pytest.skip("nm is not installed")

    def names(library: Path, *options: str) -> set[str]:
        lines = subprocess.run(
            ["nm", "-D", *options, library], capture_output=True, text=True, check=True
        ).stdout
        return {line.split()[-1] for line in lines.splitlines()}

    wheel = importlib.util.find_spec("torch_npu")
    assert wheel is not None and wheel.origin is not None
    clients = sorted((Path(wheel.origin).parent / "dynamo" / "torchair").rglob("*.so"))
    assert len(clients) == 4
    needed = set[str]().union(*(names(client, "--undefined-only") for client in clients))
    ours = names(Path(bundled(LIBRARIES)) / "libge_runner.so", "--defined-only")
    engine = re.compile(r"_ZNK?2ge|\w+_s$")
    assert {name for name in needed if engine.match(name)} <= ours
