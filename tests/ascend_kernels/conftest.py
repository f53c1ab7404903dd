"""The emulation of each chip family, and the host device as each of them."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .building import CHIPS, build
from .emulation import Emulation

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def libraries() -> dict[str, Path]:
    if shutil.which(os.environ.get("CXX", "c++")) is None:
        pytest.skip("no C++ compiler on this machine")
    return build(HERE / "wrong_kernels.cpp")


@pytest.fixture(scope="session", params=CHIPS)
def emulation(request: pytest.FixtureRequest, libraries: dict[str, Path]) -> Emulation:
    return Emulation(libraries[request.param])


class Host:
    """The host device as one chip, in a process that stays: a process has one chip."""

    def __init__(self, chip: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ascend_kernels.host_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                "ACLQUANT_BACKEND": "host",
                "ACLQUANT_HOST_SOC": chip,
                "PYTHONPATH": str(HERE.parent),
            },
        )

    def __call__(self, function: str, *arguments: Any) -> Any:
        """Run a two-phase operator; give back the arrays with the results in them."""
        assert self._process.stdin
        assert self._process.stdout
        pickle.dump((function, arguments), self._process.stdin)
        self._process.stdin.flush()
        result = pickle.load(self._process.stdout)
        if isinstance(result, Exception):
            raise result
        return result

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture(scope="session")
def host(emulation: Emulation) -> Iterator[Host]:
    device = Host(emulation.chip)
    yield device
    device.close()
