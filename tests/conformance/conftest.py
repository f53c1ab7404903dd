"""Fixtures of the conformance tests, and the rows of other devices.

A process has one chip and one version of CANN. Tests with a mark of ``OTHERS`` run, together with
all of the same mark, in a process with these settings; each reports here under its own name.
"""

from __future__ import annotations

import os
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from helpers import abi
from helpers.processes import start

import aclquant as aq

OTHERS = {
    "inference_series": {"ACLQUANT_HOST_SOC": "Ascend310P3"},
    "cann_8_1": {"ACLQUANT_HOST_VERSION": "8.1.RC1"},
}
_HERE = Path(__file__).resolve().parent


def pytest_configure(config: pytest.Config) -> None:
    for mark, settings in OTHERS.items():
        config.addinivalue_line("markers", f"{mark}: runs in a process with {settings}")


@pytest.fixture
def host() -> Iterator[abi.Host]:
    """The C interface; leaves no tensor, executor, stream or memory behind."""
    with abi.host() as made:
        yield made


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """No test, of the Python functions neither, leaves objects of a call behind."""
    kinds = ("tensors", "executors", "scalars", "arrays", "lists", "hostBuffers", "queuedTasks")
    aq.forget_plans()  # what earlier tests of this thread have prepared
    before = abi.counters()
    yield
    aq.forget_plans()
    after = abi.counters()
    assert {kind: after[kind] for kind in kinds} == {kind: before[kind] for kind in kinds}


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    for mark, settings in OTHERS.items():
        if pyfuncitem.get_closest_marker(mark) is None or settings.items() <= os.environ.items():
            continue
        results = _results_elsewhere(mark)
        key = (pyfuncitem.path.stem, pyfuncitem.name)
        assert key in results, f"{key} did not run in the other process"
        if results[key]:
            pytest.fail(f"with {settings}:\n{results[key]}", pytrace=False)
        return True
    return None


@cache
def _results_elsewhere(mark: str) -> dict[tuple[str, str], str]:
    """Module and test name -> what went wrong there, empty if nothing."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["-m", mark, f"--junitxml={report}", str(_HERE)]
        # Long enough for an emulator.
        process = start(command, OTHERS[mark], cwd=directory, timeout=1800)
        assert process.returncode in (0, 1), process.stdout + process.stderr
        cases = ElementTree.parse(report).getroot().iter("testcase")
        return {
            (str(case.get("classname")).rpartition(".")[2], str(case.get("name"))): "".join(
                str(element.text) for element in case if element.tag in ("failure", "error")
            )
            for case in cases
        }
