"""Settings from environment variables: what does not fit is reported, once; the default holds."""

from __future__ import annotations

import os
import sys

import pytest
from helpers.processes import start

from aclquant import settings

PROGRAM = """
import os, sys
from helpers.native import *
ok(host.aclInit(NULL))
ok(host.aclrtSetDevice(0))
count = ffi.new("uint32_t *")
ok(host.aclrtGetDeviceCount(count))
free, total = ffi.new("size_t *"), ffi.new("size_t *")
ok(host.aclrtGetMemInfo(0, free, total))
with job() as work:
    size, executor = work.prepare()
    ok(work.launch(size, executor, NULL))
print(count[0], host.aclquantGetThreadCount(), size, total[0])
if len(sys.argv) > 1 and os.fork() == 0:  # a child reads its environment again
    ok(host.aclrtSetDevice(0))
    os._exit(0)
elif len(sys.argv) > 1:
    os.wait()
"""


def run(*arguments: str, **environment: str) -> tuple[str, str]:
    done = start([sys.executable, "-c", PROGRAM, *arguments], environment)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def defaults() -> str:
    stdout, stderr = run(ACLQUANT_HOST_THREADS="2")
    assert stderr == ""
    return stdout


@pytest.mark.parametrize(
    "bad",
    [
        {"DEVICES": "1e3", "WORKSPACE": "1G", "MEMORY_LIMIT": "-1", "POISON": "yes"},
        {"DEVICES": "65", "DELAY": "60000001", "MEMORY": "Plain", "REPORT": "2"},
        {"DEVICES": "0", "WORKSPACE": " 7", "MEMORY_LIMIT": "99999999999999999999", "ISA": "mmx"},
        {"STRICT_SOC": "true", "DELAY": "0x10", "WORKSPACE": "+5", "THREAD": "4"},
    ],
)
def test_values_that_do_not_fit_are_reported(bad: dict[str, str], defaults: str) -> None:
    """Faults 1: `ACLQUANT_HOST_THREADS=1e3` meant 1."""
    named = {f"ACLQUANT_HOST_{name}": value for name, value in bad.items()}
    stdout, stderr = run("fork", ACLQUANT_HOST_THREADS="2", **named)
    assert stdout == defaults
    lines = stderr.splitlines()
    assert len(lines) == len(bad), stderr  # each once, also with the forked child
    for name, value in named.items():
        (line,) = [line for line in lines if line.startswith(f"aclquant: {name} ")]
        assert f"is '{value}'; allowed: " in line or "is not a variable" in line


def test_documented_variables_are_known(defaults: str) -> None:
    """BLAS was reported as unknown."""
    names = [name for name in settings.VARIABLES if name.startswith("ACLQUANT_HOST_")]
    stdout, stderr = run(**dict.fromkeys(names, "") | {"ACLQUANT_HOST_THREADS": "2"})
    assert (stdout, stderr) == (defaults, "")


@pytest.mark.parametrize("value", ["1e3", "-3", "0", "257", "two", "2.0"])
def test_threads(value: str) -> None:
    stdout, stderr = run(ACLQUANT_HOST_THREADS=value)
    assert f"aclquant: ACLQUANT_HOST_THREADS is '{value}'; allowed: a whole number" in stderr
    threads = int(stdout.split()[1])
    assert threads == min(len(os.sched_getaffinity(0)), 256)
    assert f"{threads} holds" in stderr


PRODUCT = """
import numpy as np
from aclquant import aclnn
x = np.eye(3, dtype=np.float32)
assert (aclnn.Matmul(x, x, x.copy(), 0) == x).all()
"""


@pytest.mark.parametrize(("value", "reports"), [("own", 0), ("numpy", 0), ("", 0), ("OWN", 1)])
def test_the_library_for_products(value: str, reports: int) -> None:
    """It is looked for with the first product."""
    done = start([sys.executable, "-W", "ignore", "-c", PRODUCT], {"ACLQUANT_HOST_BLAS": value})
    expected = f"aclquant: ACLQUANT_HOST_BLAS is '{value}'; allowed: numpy, own. "
    expected += "It is not used: numpy holds\n"
    assert (done.returncode, done.stderr) == (0, expected * reports)


def test_values_that_fit_are_taken() -> None:
    stdout, stderr = run(
        ACLQUANT_HOST_THREADS="3", ACLQUANT_HOST_DEVICES="4", ACLQUANT_HOST_WORKSPACE="77",
        ACLQUANT_HOST_MEMORY_LIMIT="1000000", ACLQUANT_HOST_MEMORY="strict",
        ACLQUANT_HOST_ISA="scalar", ACLQUANT_HOST_SOC="", ACLQUANT_HOST_LIBRARY="",
    )  # fmt: skip
    assert (stdout.split(), stderr) == (["4", "3", "77", "1000000"], "")


def test_the_package_and_the_host_device_know_the_same_variables() -> None:
    """An empty value holds the default, but the name is looked at."""
    names = [name for name in settings.VARIABLES if name.startswith("ACLQUANT_HOST_")]
    assert len(names) > 10
    assert run(**dict.fromkeys(names, ""))[1] == ""
