"""Each test has a device, and leaves as many objects as it found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from helpers.native import counters, host, message, ok


@pytest.fixture(autouse=True)
def device() -> Iterator[None]:
    ok(host.aclrtSetDevice(0))
    ok(host.aclrtSynchronizeDevice())
    message()
    before = counters()
    yield
    ok(host.aclrtSetDevice(0))
    ok(host.aclrtResetDevice(0))
    message()
    host.aclrtGetLastError(0)
    assert counters() == before
    ok(host.aclrtResetDevice(0))
