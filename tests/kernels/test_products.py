"""The integer products of every instruction set against a plain loop, in C++; see products.cpp."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
HOST = HERE.parents[1] / "ascend_kernels" / "host"
# As in ascend_kernels/host/CMakeLists.txt.
FLAGS = ["-std=c++20", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
AVX512 = ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512vnni"]
X86 = {"matmul_avx2": ["-mavx2"], "matmul_avx512vnni": ["-mavx2", *AVX512]}
X86["matmul_amx"] = ["-mamx-tile", "-mamx-int8"]
ARM: dict[str, list[str]] = {"matmul_neon": []}

needs_sources = pytest.mark.skipif(not HOST.is_dir(), reason="needs the source tree")


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def build(compiler: str, directory: Path) -> Path:
    machine = run(compiler, "-dumpmachine")
    sources: dict[str, list[str]] = {
        "matmul": [],
        **(X86 if machine.startswith("x86_64") else ARM),
    }
    objects = []
    for name, flags in sources.items():
        objects.append(directory / f"{name}.o")
        source = HOST / "simd" / f"{name}.cpp"
        run(compiler, *FLAGS, *flags, "-c", source, "-I", HOST, "-o", objects[-1])
    program = directory / "products"
    warnings = ["-Wall", "-Wextra", "-Werror"]
    source = HERE / "products.cpp"
    run(compiler, *FLAGS, *warnings, "-I", HOST, source, *objects, "-static", "-o", program)
    return program


@needs_sources
def test_products_of_this_processor(tmp_path: Path) -> None:
    compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++")
    if not compiler or not shutil.which(compiler):
        pytest.skip("needs a C++ compiler")
    lines = run(build(compiler, tmp_path)).splitlines()
    assert lines[0].startswith("scalar: ")
    assert all(line.endswith("sums equal those of a plain loop") for line in lines)


@needs_sources
def test_neon_products_under_emulation(tmp_path: Path) -> None:
    if not (shutil.which("aarch64-linux-gnu-g++") and shutil.which("qemu-aarch64")):
        pytest.skip("needs aarch64-linux-gnu-g++ and qemu-aarch64: tests/kernels/aarch64.sh")
    lines = run("qemu-aarch64", build("aarch64-linux-gnu-g++", tmp_path)).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["scalar", "neon"]
