"""Measure aclquant's operators beside a copy of memory, NumPy, PyTorch and ONNX Runtime.

    python -m benchmarks [--quick] [--output FOLDER] [--rounds N] [--docs]

Everything is compared within one run, in interleaved rounds: `np.copyto` of float32 of as many
elements stands beside each operator. Peers that are not installed are named and left out
(``pip install "aclquant[bench]"``). Results: ``results.json``, ``results.md``, and pictures
(``*.svg``, with matplotlib) in the folder, ``benchmarks/results`` by default. ``--quick`` takes
less than a minute and only shows that everything runs. ``--docs`` also puts the pictures into
``docs/images`` and the tables into ``docs/performance.md``, in place of those of the last run.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from aclquant._ffi import ffi
from aclquant._ffi.library import load

from . import cases, report
from .measure import Job, interleaved
from .small import small, start

HERE = Path(__file__).parent


def machine(library: Any) -> dict[str, str]:
    text = Path("/proc/cpuinfo").read_text()
    found = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return {
        "processor": found[0] if found else platform.machine(),
        "cores": str(len(os.sched_getaffinity(0))),
        "load when started": f"{os.getloadavg()[0]:.1f}",
        "variant": ffi.string(library.aclquantGetIsa()).decode(),
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        **({"torch": cases.torch.__version__} if cases.torch else {}),
        **({"onnxruntime": cases.onnxruntime.__version__} if cases.onnxruntime else {}),
    }


def set_threads(library: Any, count: int) -> None:
    library.aclquantSetThreadCount(count)
    if cases.torch is not None:
        cases.torch.set_num_threads(count)


def measure(case: cases.Case, rounds: int, limit: Job | None = None) -> dict[str, Any]:
    source = np.ones(case.elements, np.float32)
    target = np.zeros_like(source)
    copy = partial(np.copyto, target, source)
    jobs: dict[str, Job] = {"copy": copy, **case.jobs}
    if limit is not None:
        # A large copy leaves nothing in the caches, for the limit as for the operator.
        jobs |= {"copy again": copy, "limit": limit}
    timings = interleaved(jobs, rounds, least=0.0005)
    copied = 2 * source.nbytes
    ours = timings["aclquant"].seconds

    def beside(other: str) -> float:
        """Of our time, what the other took in the same round."""
        pairs = zip(timings[other].seconds, ours, strict=True)
        return median(theirs / mine for theirs, mine in pairs)

    return {
        "name": case.name,
        "elements": case.elements,
        "nbytes": case.nbytes,
        "copied": copied,
        "target": case.target,
        "ratio": beside("copy") * case.nbytes / copied,
        "limit": beside("limit") if limit is not None else None,
        "timings": {
            name: asdict(timing) | {"best": timing.best, "median": timing.median}
            for name, timing in timings.items()
        },
    }


class Limits:
    """The loops of limits.cpp, compiled for this machine."""

    LONGEST = 16384  # row

    def __init__(self, folder: str) -> None:
        self.run: Any = None
        self.factors = np.full(self.LONGEST, 0.5, np.float32)
        compiler = shutil.which(os.environ.get("CXX", "g++"))
        if compiler is None:
            print("no C++ compiler: the limits are left out")
            return
        library = Path(folder) / "limits.so"
        flags = ["-std=c++20", "-O3", "-march=native", "-ffp-contract=off", "-pthread"]
        flags += ["-shared", "-fPIC"]
        subprocess.run([compiler, *flags, HERE / "limits.cpp", "-o", library], check=True)
        self.run = ctypes.CDLL(str(library)).runLimit

    def job(self, case: cases.Case, threads: int) -> Job | None:
        """The loop on the case's arrays, which begins where a line does.

        So there is not room for all: the longest row is left out for each thread.
        """
        if self.run is None or case.arrays is None:
            return None
        source, target = case.arrays
        length = case.elements // source.shape[0]
        elements = case.elements - threads * self.LONGEST
        parameters = np.zeros(2 * elements // length, np.float32)
        x = ctypes.c_void_p(source.ctypes.data)
        y = ctypes.c_void_p(target.ctypes.data + -target.ctypes.data % 64)
        factors, made = (ctypes.c_void_p(array.ctypes.data) for array in (self.factors, parameters))
        numbers = [ctypes.c_size_t(number) for number in (elements, length)]
        work = (case.limit.encode(), x, *numbers, factors, y, made, ctypes.c_size_t(threads))
        if not self.run(*work):
            raise ValueError(f"limits.cpp has no loop {case.limit!r}")

        def run(keep: Any = (source, target, parameters)) -> None:
            self.run(*work)

        return run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds")
    parser.add_argument("--output", type=Path, default=HERE / "results")
    parser.add_argument("--docs", action="store_true", help="renew docs/performance.md")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (15; 3 with --quick)")
    options = parser.parse_args()
    rounds = options.rounds or (3 if options.quick else 15)
    elements = 1 << (20 if options.quick else 24)
    library: Any = load("host")
    result: dict[str, Any] = {
        "machine": machine(library),
        "missing": cases.missing(),
        "elements": elements,
    }
    for name in result["missing"]:
        print(f"{name} is not installed: left out")
    result["start"] = start(rounds)
    set_threads(library, 1)
    result["small"] = small(rounds)
    last = 12 if options.quick else 26
    result["sizes"] = [
        measure(case, rounds)
        for power in range(5, last + 1, 3)
        for case in cases.all_cases(1 << power, 1, full=False)
    ]
    result["large"] = {}
    with tempfile.TemporaryDirectory() as folder:
        limits = Limits(folder)
    for threads in (1, 2):
        set_threads(library, threads)
        found = result["large"][str(threads)] = []
        for case in cases.all_cases(elements, threads, full=True):
            found.append(measure(case, rounds, limits.job(case, threads)))
            print(f"{threads} thread(s): {case.name}: {found[-1]['ratio']:.2f}", flush=True)
        found.append(
            measure(cases.transposed(1024 if options.quick else 4096), rounds) | {"target": 0}
        )
        gc.collect()
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.output / "results.md").write_text(report.markdown(result))
    made = report.plots(result, options.output)
    names = ["results.json", "results.md", *(path.name for path in made)]
    print(f"{options.output}: {', '.join(names)}")
    if options.docs:
        report.document(result, made, HERE.parent / "docs")


if __name__ == "__main__":
    main()
