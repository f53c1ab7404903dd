"""Fixtures of the everyday operators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from helpers.native import Buffer, host, ok


@pytest.fixture(scope="module")
def room() -> Iterator[Any]:
    """Device memory, where it does not matter which."""
    ok(host.aclrtSetDevice(0))
    with Buffer(4096) as made:
        yield made.pointer
