"""Measure aclquant's operators beside a copy of memory, NumPy, PyTorch and ONNX Runtime.

    python benchmarks/run.py [--quick] [--output FOLDER] [--rounds N] [--docs]

Everything is compared within one run, in interleaved rounds: `np.copyto` of float32 of as many
elements stands beside each operator. Peers that are not installed are named and left out
(``pip install "aclquant[bench]"``). Results: ``results.json``, ``results.md``, and pictures
(``*.svg``, with matplotlib) in the folder, ``benchmarks/results`` by default. ``--quick`` takes
less than a minute and only shows that everything runs. ``--docs`` also puts the pictures into
``docs/images`` and the tables into ``docs/performance/runs.md``, in place of those of the last run
with the same variant of the kernels.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import tempfile
from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import cases
import numpy as np
import report
from limits import Limits
from measure import Job, interleaved
from small import small, start

from aclquant._ffi import ffi
from aclquant._ffi.library import load

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


def measure(
    case: cases.Case, rounds: int, limits: Limits | None = None, threads: int = 1
) -> dict[str, Any]:
    source = np.ones(case.elements, np.float32)
    target = np.zeros_like(source)
    copy = partial(np.copyto, target, source)
    jobs: dict[str, Job] = {"copy": copy, **case.jobs}
    limit = limits.job(case, threads) if limits is not None else None
    stream = limits.copy(source, target, threads) if limits is not None else None
    if limit is not None:
        # A large copy leaves nothing in the caches, for the limit as for the operator.
        jobs |= {"copy again": copy, "limit": limit}
    if stream is not None:
        jobs["stream"] = stream[0]
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
        "stream": beside("stream") * case.nbytes / stream[1] if stream is not None else None,
        "timings": {
            name: asdict(timing) | {"best": timing.best, "median": timing.median}
            for name, timing in timings.items()
        },
    }


def measure_in_cache(case: cases.Case, rounds: int, limits: Limits) -> dict[str, Any]:
    """The operator, a copy of as many bytes, and the loop, each again and again on its arrays."""
    source = np.ones(case.nbytes // 2, np.uint8)
    jobs: dict[str, Job] = {
        "copy": partial(np.copyto, np.zeros_like(source), source),
        "aclquant": case.jobs["aclquant"],
    }
    limit = limits.job(case, 1)
    if limit is not None:
        jobs["limit"] = limit
    timings = interleaved(jobs, rounds, least=0.0005)
    ours = timings["aclquant"].best
    rows = case.arrays[0].shape[0] if case.arrays is not None else 1
    return {
        "name": case.name,
        "elements": case.elements,
        "seconds": ours,
        "copy": timings["copy"].best / ours,
        "limit": timings["limit"].best / ours * rows / (rows - 1) if limit is not None else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds")
    parser.add_argument("--output", type=Path, default=HERE / "results")
    parser.add_argument("--docs", action="store_true", help="renew docs/performance/runs.md")
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
    result["large"], result["cached"] = {}, []
    with tempfile.TemporaryDirectory() as folder:
        limits = Limits(folder)
        in_cache = Limits(folder, in_cache=True)
    set_threads(library, 1)
    for power in (16, 20) if options.quick else (16, 18, 20):
        for case in cases.all_cases(1 << power, 1, full=True):
            result["cached"].append(measure_in_cache(case, rounds, in_cache))
    for threads in (1, 2):
        set_threads(library, threads)
        found = result["large"][str(threads)] = []
        for case in cases.all_cases(elements, threads, full=True):
            found.append(measure(case, rounds, limits, threads))
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
