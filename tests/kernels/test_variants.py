"""The row kernels of every instruction set against the definition, in C++; see variants.cpp."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "ascend_kernels" / "host" / "simd"
NO_TOOLS = 77  # the scripts' status when a tool is missing

needs_sources = pytest.mark.skipif(not SOURCES.is_dir(), reason="needs the source tree")


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode == NO_TOOLS:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def find_compiler() -> str:
    compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++")
    if not compiler or not shutil.which(compiler):
        pytest.skip("needs a C++ compiler")
    return compiler


@needs_sources
def test_variants_of_this_processor(tmp_path: Path) -> None:
    compiler = find_compiler()
    run("bash", HERE / "compile.sh", compiler, tmp_path / "variants")
    lines = run(tmp_path / "variants").splitlines()
    assert lines[0].startswith("scalar: ")
    assert all(line.endswith("results equal those of scalar") for line in lines)


def processor_has(*names: str) -> bool:
    processor = Path("/proc/cpuinfo").read_text()
    return all(f" {name} " in processor for name in names)


def needs_avx2() -> None:
    if not processor_has("avx2", "f16c", "fma"):
        pytest.skip("needs a processor with AVX2, F16C and FMA")


@needs_sources
def test_avx512_emulated(tmp_path: Path) -> None:
    """Where the processor cannot run this variant, its intrinsics in plain C++ can."""
    needs_avx2()
    compiler = find_compiler()
    if "Free Software Foundation" not in run(compiler, "--version"):
        pytest.skip("needs GCC: other compilers have these intrinsics as macros")
    if processor_has("avx512f", "avx512bw", "avx512vl", "avx512dq"):
        pytest.skip("this processor runs them itself")
    run("bash", HERE / "compile.sh", compiler, tmp_path / "variants", "emulated")
    lines = run(tmp_path / "variants", "--sparse").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["scalar", "avx2", "avx512"]
    assert all(line.endswith("results equal those of scalar") for line in lines)


@needs_sources
def test_quick_division_is_exact(tmp_path: Path) -> None:
    """For all mantissas of 16-bit floats over all mantissas of a float: no sample."""
    needs_avx2()
    flags = ["-std=c++20", "-O3", "-mavx2", "-mf16c", "-mfma", "-ffp-contract=off"]
    program = tmp_path / "quotients"
    sources = ["-I", SOURCES.parent, HERE / "quotients.cpp", "-o", program]
    run(find_compiler(), *flags, *sources)
    assert run(program) == "8589934592 quotients equal the divisions\n"


@needs_sources
def test_neon_under_emulation() -> None:
    if not (shutil.which("aarch64-linux-gnu-g++") and shutil.which("qemu-aarch64")):
        pytest.skip("needs aarch64-linux-gnu-g++ and qemu-aarch64: tests/kernels/aarch64.sh")
    lines = run("bash", HERE / "aarch64.sh").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["scalar", "neon"]
