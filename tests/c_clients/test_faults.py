"""A C program that makes one mistake: how the host device tells."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable

import pytest

from .test_clients import OLD, build, run

Program = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    path = tmp_path_factory.mktemp("faults") / "faults"
    build("faults.c", "c11", OLD, path)
    return lambda mistake, **environment: run(path, mistake, **environment)


@pytest.mark.parametrize("mode", ["guarded", "plain"])
def test_no_mistake(program: Program, mode: str) -> None:
    done = program("none", ACLQUANT_HOST_MEMORY=mode, ACLQUANT_HOST_REPORT="1")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "aclquant: nothing is left at aclFinalize\n"


@pytest.mark.parametrize(
    ("mistake", "where"),
    [("read", "byte 4 of device memory 0x[0-9a-f]+ of 16 bytes"),
     ("write", "byte 8 of device memory 0x[0-9a-f]+ of 16 bytes"),
     ("read freed", r"where no live allocation is \(freed, or beyond its end\)")],
)  # fmt: skip
def test_a_touch_is_a_fault_with_a_line_that_explains_it(
    program: Program, mistake: str, where: str
) -> None:
    done = program(mistake)
    assert done.returncode == -signal.SIGSEGV
    line = f"aclquant: the CPU touched device memory at 0x[0-9a-f]+, {where}; "
    assert re.fullmatch(line + "copy it with aclrtMemcpy\n", done.stderr), done.stderr


@pytest.mark.parametrize("mistake", ["read", "write"])
def test_plain_memory_hides_the_mistake(program: Program, mistake: str) -> None:
    assert program(mistake, ACLQUANT_HOST_MEMORY="plain").returncode == 0


@pytest.mark.parametrize("mistake", ["null", "raise"])
def test_other_faults_end_the_program_as_ever(program: Program, mistake: str) -> None:
    done = program(mistake)
    assert (done.returncode, done.stderr) == (-signal.SIGSEGV, "")


def test_a_handler_of_the_program_is_left_alone(program: Program) -> None:
    done = program("own handler")
    assert (done.returncode, done.stderr) == (3, "the program's own handler\n")


@pytest.mark.parametrize(
    ("mistake", "code", "words"),
    [("free workspace early", 507015,
      ["aclnnAscendQuantV3", "'workspace'", "of 1024 bytes", "freed after the call"]),
     ("copy from freed", 107000, ["aclrtMemcpy", "'src'", "no live device memory"]),
     ("wrong kind", 107000, ["'kind'", "src loc type=1, dst loc type=0, kind=1"])],
)  # fmt: skip
def test_a_mistake_that_a_call_can_report(
    program: Program, mistake: str, code: int, words: list[str]
) -> None:
    done = program(mistake)
    assert done.returncode == 1 and done.stdout.startswith(f"{code} ")
    for word in words:
        assert word in done.stdout


def test_the_report_at_aclfinalize(program: Program) -> None:
    """Each object on a separate line, with its details."""
    done = program("leave everything", ACLQUANT_HOST_REPORT="1")
    assert done.returncode == 0
    address = "0x[0-9a-f]+"
    expected = [
        f"tensor {address} of FLOAT \\(4,\\) at {address}",
        f"tensor {address} of FLOAT \\(1,\\) at {address}",
        f"tensor {address} of INT8 \\(4,\\) at {address}",
        f"executor {address} of aclnnAscendQuantV3, workspace 1024 bytes, phase 2 not called",
        f"stream {address} \\(number [0-9]+, device 0\\), 0 tasks queued",
        "device 0, set 1 times more than reset",
        f"event {address} \\(number [0-9]+\\), never recorded",
        f"device memory {address} of 16 bytes \\(device 0\\)",
        f"device memory {address} of 4 bytes \\(device 0\\)",
        f"device memory {address} of 4 bytes \\(device 0\\)",
        f"device memory {address} of 1024 bytes \\(device 0\\)",
    ]
    lines = done.stderr.splitlines()
    assert lines[0] == f"aclquant: left at aclFinalize: {len(expected)}"
    assert len(lines) == 1 + len(expected)
    for line, pattern in zip(lines[1:], expected, strict=True):
        assert re.fullmatch(f"aclquant:   {pattern}", line), line


def test_the_report_at_the_end_of_a_program_that_does_not_finalise(program: Program) -> None:
    done = program("end without aclFinalize", ACLQUANT_HOST_REPORT="1")
    assert done.returncode == 0
    first = done.stderr.splitlines()[0]
    assert first.startswith("aclquant: left at the end of the process (aclFinalize was not called)")


@pytest.mark.parametrize("mistake", ["leave everything", "end without aclFinalize"])
def test_without_being_asked_nothing_is_reported(program: Program, mistake: str) -> None:
    assert program(mistake).stderr == ""
