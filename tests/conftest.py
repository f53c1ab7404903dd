"""Shared by all tests: the host device, unless another backend is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("ACLQUANT_BACKEND", "host")
# Where torch_npu is installed, torch would load it, and that the libraries of CANN.
os.environ.setdefault("TORCH_DEVICE_BACKEND_AUTOLOAD", "0")


@pytest.fixture(scope="session", autouse=True)
def away_from_the_sources() -> Iterator[None]:
    """Processes that tests start look for packages where they are started.

    That must not be beside the package's sources, which are not what is tested.
    """
    before = Path.cwd()
    os.chdir(Path(__file__).resolve().parent)
    yield
    os.chdir(before)
