"""Shared by all tests: the host device, unless another backend is chosen."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import tiers

os.environ.setdefault("ACLQUANT_BACKEND", "host")
# Where torch_npu is installed, torch would load it, and that the libraries of CANN.
os.environ.setdefault("TORCH_DEVICE_BACKEND_AUTOLOAD", "0")
# A shell that starts pytest in the background has it ignore Ctrl-C, which the programs of the
# tests would inherit.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch of the long tier."""
    parser.addoption("--nightly", action="store_true", help="run the long tests as well")


def pytest_configure(config: pytest.Config) -> None:
    """Let ``--nightly`` draw more random cases; without it, they are the same in every run."""
    tiers.nightly = config.getoption("--nightly")
    try:
        from hypothesis import HealthCheck, settings
    except ImportError:  # the machine without it does not run these tests
        return
    settings.register_profile(
        "gate",
        derandomize=not tiers.nightly,
        deadline=None,  # no clock decides a test
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("gate")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip tests of other tiers: long ones, and those that need a card."""
    skipped = {"device": "needs an NPU: ACLQUANT_BACKEND=cann runs it"}
    if os.environ["ACLQUANT_BACKEND"] == "cann":
        skipped.clear()
    if not config.getoption("--nightly"):
        skipped["nightly"] = "long: --nightly runs it"
    for item in items:
        for mark, reason in skipped.items():
            if item.get_closest_marker(mark):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session", autouse=True)
def away_from_the_sources() -> Iterator[None]:
    """Processes that tests start look for packages where they are started.

    That must not be beside the package's sources, which are not what is tested.
    """
    before = Path.cwd()
    os.chdir(Path(__file__).resolve().parent)
    yield
    os.chdir(before)
