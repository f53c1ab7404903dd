"""A device of CANN for any project's tests: fixtures, a marker, and a check for leaks.

pytest loads this by itself where aclquant is installed; nothing happens until something of it is
used. `docs/ci_without_a_card.md` shows it.

Fixtures
--------
acl_device
    An `aclquant.Device`. When the test ends, objects of CANN that it left behind are a failure.
acl_trace
    An `aclquant.debug.events.Trace` of the test, complete once its block has ended: use it as
    ``with acl_trace() as trace:``.
acl_backend
    The `aclquant.Backend` in use.

Options
-------
``--acl-backend NAME``
    "host" (default), "cann", "auto" or a path.
``--acl-leak-check / --no-acl-leak-check``
    Whether `acl_device` checks for leaks (default: it does).

Marker
------
``@pytest.mark.acl_card``
    Needs a card: skipped where the backend is the host device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .backends import Backend
    from .debug.events import Trace
    from .device import Device

_COUNTED = (
    "tensors",
    "executors",
    "streams",
    "events",
    "scalars",
    "arrays",
    "lists",
    "deviceBuffers",
    "hostBuffers",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("aclquant", "CANN devices")
    group.addoption(
        "--acl-backend",
        default=None,
        metavar="NAME",
        help="backend of the acl_... fixtures: host (default), cann, auto, or a path",
    )
    group.addoption(
        "--no-acl-leak-check",
        action="store_true",
        help="do not fail tests that leave objects of CANN behind",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "acl_card: needs an Ascend card")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests for a card on machines without one."""
    if item.get_closest_marker("acl_card") is None:
        return
    from . import errors

    try:
        active = _backend(item.config)
    except errors.AclError as error:
        pytest.skip(f"needs an Ascend card: {str(error).splitlines()[-1]}")
    if active.library.has("aclquantVersion"):
        pytest.skip("needs an Ascend card; the backend is the host device")


def _backend(config: pytest.Config) -> Backend:
    import os

    from . import backends

    name = config.getoption("--acl-backend")
    if name is not None:
        backends.use_backend(name)
    elif not os.environ.get("ACLQUANT_BACKEND") and backends.active_backend() is None:
        backends.use_backend("host")
    return backends.backend()


@pytest.fixture
def acl_backend(pytestconfig: pytest.Config) -> Backend:
    """Return the backend that ``--acl-backend`` names."""
    return _backend(pytestconfig)


@pytest.fixture
def acl_device(pytestconfig: pytest.Config, acl_backend: Backend) -> Iterator[Device]:
    """Make device 0 current in this thread; objects left behind fail the test."""
    from .device import Device

    device = Device(0)
    device.enter()
    before = _alive(acl_backend)
    yield device
    if pytestconfig.getoption("--no-acl-leak-check"):
        return
    device.synchronize()
    after = _alive(acl_backend)
    left = {name: after[name] - before[name] for name in before if after[name] > before[name]}
    if left:
        what = ", ".join(f"{count} {name}" for name, count in left.items())
        pytest.fail(f"the test left objects of CANN behind: {what}", pytrace=False)


@pytest.fixture
def acl_trace(acl_backend: Backend) -> Callable[..., AbstractContextManager[Trace]]:
    """Return `aclquant.trace` on the chosen backend: ``with acl_trace("aclnn") as trace:``."""
    from .debug.session import trace

    return trace


def _alive(active: Backend) -> dict[str, int]:
    """Count the live objects of the process; empty where the library does not count them."""
    import gc

    from ._ffi import ffi
    from .kept import forget_plans
    from .memory import Buffer
    from .stream import Event, Stream

    library = active.library
    if not library.has("aclquantGetCounters"):
        return {}
    gc.collect()
    forget_plans()
    counters: Any = ffi.new("aclquantCounters *")
    active.check("aclquantGetCounters", library.aclquantGetCounters(counters))
    alive = {name: int(getattr(counters, name)) for name in _COUNTED}
    # Objects that aclquant keeps, such as a thread's stream and its workspace, are not leaks.
    for resource in list(active.live):
        if resource.internal and not resource.closed:
            for kind, name in ((Stream, "streams"), (Event, "events"), (Buffer, "deviceBuffers")):
                alive[name] -= isinstance(resource, kind)
    return alive
