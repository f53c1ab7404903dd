"""The C++ programs that compare the kernels of each instruction set with the definition.

They are built with the library and link its objects (tests/kernels/CMakeLists.txt)::

    cmake -S . -B build/tests -DACLQUANT_TESTS=ON && cmake --build build/tests
    KERNEL_TESTS_BUILD=$PWD/build/tests pytest tests/kernels
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

import pytest

LINE = re.compile(r"(\w+): (\d+) (results|sums) equal those of .+")


def run(program: str, *arguments: str) -> list[str]:
    build = os.environ.get("KERNEL_TESTS_BUILD")
    if build is None:
        pytest.skip("needs a build with ACLQUANT_TESTS=ON, and KERNEL_TESTS_BUILD")
    command = [Path(build) / "tests" / "kernels" / program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout.splitlines()


def compared(lines: list[str]) -> list[str]:
    """Return the variants that were compared; each must have compared something."""
    found = [LINE.fullmatch(line) for line in lines]
    assert found and all(match is not None and int(match[2]) > 0 for match in found), lines
    return [match[1] for match in found if match is not None]


def variants_of_this_processor() -> list[str]:
    """Return what the dispatcher has to offer, read from the processor and not from it."""
    if platform.machine() == "aarch64":
        return ["scalar", "neon"]
    flags = set(re.findall(r"\w+", Path("/proc/cpuinfo").read_text()))
    found = ["scalar"]
    if {"avx2", "f16c", "fma"} <= flags:
        found.append("avx2")
        if {"avx512f", "avx512bw", "avx512vl", "avx512dq"} <= flags:
            found.append("avx512")
    return found


def test_rows_sampled() -> None:
    assert compared(run("variants", "--sparse")) == variants_of_this_processor()


@pytest.mark.nightly
def test_rows() -> None:
    assert compared(run("variants")) == variants_of_this_processor()


def test_integer_products() -> None:
    names = compared(run("products"))
    assert len(names) == len(variants_of_this_processor()), "one product for each variant"


@pytest.mark.nightly
def test_quick_division_is_exact() -> None:
    """All mantissas of 16-bit floats over all mantissas of a float, not a sample of them."""
    if "avx2" not in variants_of_this_processor():
        pytest.skip("needs a processor with AVX2, F16C and FMA")
    assert run("quotients") == ["8589934592 quotients equal the divisions"]


@pytest.mark.nightly
def test_avx512_emulated() -> None:
    """AVX-512 with its intrinsics in plain C++, as processors without it need."""
    if "avx2" not in variants_of_this_processor():
        pytest.skip("needs a processor with AVX2, F16C and FMA")
    lines = run("variants_emulated", "--sparse")
    assert compared(lines) == ["scalar", "avx2", "avx512"]
