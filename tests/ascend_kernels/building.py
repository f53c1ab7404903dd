"""Compiles the kernels for the emulation: one library for each chip family."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
EMULATION = ROOT / "ascend_kernels" / "emu"
KERNELS = ROOT / "ascend_kernels" / "npu"
BUILD = Path(os.environ.get("ACLQUANT_EMULATION_BUILD", ROOT / "build" / "emulation"))

CHIPS = {"Ascend910B1": (220, 2201), "Ascend310P3": (200, 2002)}

TYPES = {
    "float16": "half",
    "bfloat16": "bfloat16_t",
    "float32": "float",
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int32": "int32_t",
    "int4": "int4b_t",
}


def variants(chip: str) -> dict[str, list[tuple[str, str]]]:
    """Return the kernels that differ: for each operator the types of x and y."""
    inference = chip.startswith("Ascend310P")
    halves = ["float16"] if inference else ["float16", "bfloat16"]
    floats = ["float32", *halves]
    return {
        "aclquant_dynamic_quant": [(x, y) for x in halves for y in ("int8", "int4")],
        "aclquant_dynamic_quant_asymmetric": [(x, y) for x in halves for y in ("int8", "int4")],
        "aclquant_quantize": [(x, y) for x in floats for y in ("int8", "uint8", "int32")],
        "aclquant_ascend_quant": [(x, y) for x in floats for y in ("int8", "int4")],
        "aclquant_anti_quant": [(x, y) for x in ("int8", "int4") for y in halves],
        "aclquant_trans_quant_param": [("float32", "int64")],
    }


ARGUMENTS = {
    "aclquant_dynamic_quant": 5,
    "aclquant_dynamic_quant_asymmetric": 6,
    "aclquant_quantize": 4,
    "aclquant_ascend_quant": 4,
    "aclquant_anti_quant": 4,
    "aclquant_trans_quant_param": 3,
}


def name_of(op: str, x: str, y: str) -> str:
    return f"{op}_{x}_{y}"


def _source(op: str, pairs: list[tuple[str, str]]) -> str:
    """Return a file with the operator's kernel once for each pair of types, as CANN compiles it."""
    arguments = ", ".join(f"a[{i}]" for i in range(ARGUMENTS[op]))
    lines = ['#include "run.h"']
    for x, y in pairs:
        name = name_of(op, x, y)
        if op != "aclquant_trans_quant_param":
            lines += [f"#define DTYPE_X {TYPES[x]}", f"#define DTYPE_Y {TYPES[y]}"]
        lines += [
            f"#define {op} {name}",
            f'#include "{op}.cpp"',
            f"#undef {op}",
            "#undef DTYPE_X",
            "#undef DTYPE_Y",
            f'static emu::Entry entry_{name}("{name}", [](uint8_t* const* a, uint8_t* tiling) {{',
            f"    {name}({arguments}, nullptr, tiling);",
            "});",
        ]
    return "\n".join(lines) + "\n"


def _includes() -> list[str]:
    folders = [EMULATION, KERNELS / "common", *KERNELS.glob("*/op_kernel")]
    return [f"-I{folder}" for folder in folders]


def _compile(source: Path, target: Path, chip: str, *options: str) -> None:
    core, arch = CHIPS[chip]
    compiler = os.environ.get("CXX", "c++")
    launcher = [shutil.which("ccache") or ""] if shutil.which("ccache") else []
    command = [
        *launcher,
        compiler,
        *options,
        *("-fPIC", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-ffp-contract=off"),
        *("-fno-strict-aliasing", f"-D__CCE_AICORE__={core}", f"-D__NPU_ARCH__={arch}"),
        *_includes(),
        *("-c", str(source), "-o", str(target)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{source.name} for {chip}:\n{done.stderr}")


def _digest(extra: list[Path]) -> str:
    files = sorted([*EMULATION.rglob("*"), *KERNELS.rglob("*"), Path(__file__), *extra])
    digest = hashlib.sha256(os.environ.get("CXX", "").encode())
    for file in files:
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def build(wrong_kernels: Path) -> dict[str, Path]:
    """Return the library of each chip; built once for each state of the sources."""
    folder = BUILD / _digest([wrong_kernels])
    libraries = {chip: folder / f"lib{chip}.so" for chip in CHIPS}
    if all(path.exists() for path in libraries.values()):
        return libraries
    folder.mkdir(parents=True, exist_ok=True)
    jobs: list[tuple[Path, Path, str, tuple[str, ...]]] = []
    for chip in CHIPS:
        for name in ("machine", "instructions", "chip", "run", "tile"):
            jobs.append(
                (
                    EMULATION / f"{name}.cpp",
                    folder / f"{chip}-{name}.o",
                    chip,
                    ("-std=c++20", "-O2"),
                )
            )
        for op, pairs in variants(chip).items():
            source = folder / f"{chip}-{op}.cpp"
            source.write_text(_source(op, pairs), encoding="utf-8")
            # The language of the device compiler.
            jobs.append((source, source.with_suffix(".o"), chip, ("-std=c++17", "-O0")))
        jobs.append((wrong_kernels, folder / f"{chip}-wrong.o", chip, ("-std=c++17", "-O0")))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda job: _compile(job[0], job[1], job[2], *job[3]), jobs))
    for chip, library in libraries.items():
        objects = [str(target) for _, target, which, _ in jobs if which == chip]
        temporary = library.with_suffix(f".{os.getpid()}")
        subprocess.run(
            [os.environ.get("CXX", "c++"), "-shared", *objects, "-o", str(temporary)], check=True
        )
        temporary.rename(library)
    return libraries
