"""The cost of a call: 4x8 float32, beside PyTorch's on the same data in the same run.

    python benchmarks/small.py [--rounds N] [--profile]

Interleaved rounds; the ratio is that of the medians. ``--profile`` says where the time of a call
goes, ``start`` what a process pays once.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import cases
import numpy as np
from measure import Job, Timing, interleaved

import aclquant as aq
from aclquant._ffi.library import load
from aclquant.prepared import extension

HERE = Path(__file__).parent  # where there is no package that is not built
PEER = "torch.quantize_per_channel"
X = np.random.default_rng(0).standard_normal((4, 8), np.float32)
SCALES = np.linspace(0.5, 2, 8).astype(np.float32)
POINTS = np.zeros(8, np.int32)


def _jobs() -> dict[str, Job]:
    y = np.empty((4, 8), np.int8)
    half, scales, points = X.astype(np.float16), SCALES.tolist(), POINTS.tolist()
    plan = aq.plan(aq.quantize, X, SCALES, POINTS)
    jobs: dict[str, Job] = {
        "aq.quantize": lambda: aq.quantize(X, SCALES, POINTS, dtype="qint8", axis=1),
        "aq.quantize, out=": lambda: aq.quantize(X, SCALES, POINTS, dtype="qint8", axis=1, out=y),
        "aq.quantize, numbers": lambda: aq.quantize(X, 0.5, 3),
        "aq.quantize, lists": lambda: aq.quantize(X, scales, points),
        "aq.dynamic_quant": lambda: aq.dynamic_quant(half),
        "aq.plan(...)(x)": lambda: plan(X),
        "aq.plan(...)(x, out=)": lambda: plan(X, out=y),
        "NumPy formula": lambda: np.clip(np.rint(X / SCALES), -128, 127).astype(np.int8),
    }
    if (torch := cases.torch) is not None:
        t, s, z = (
            torch.from_numpy(X),
            torch.from_numpy(SCALES),
            torch.zeros(8, dtype=torch.long),
        )
        jobs[PEER] = lambda: torch.quantize_per_channel(t, s, z, 1, torch.qint8)
        jobs["torch.quantize_per_tensor"] = lambda: torch.quantize_per_tensor(
            t, 0.5, 3, torch.qint8
        )
    return jobs


def _medians(timings: Mapping[str, Timing]) -> dict[str, float]:
    return {name: timing.median for name, timing in timings.items()}


def small(rounds: int) -> dict[str, float]:
    """Median seconds per call."""
    return _medians(interleaved(_jobs(), max(rounds, 25), least=0.002, budget=20))


def start(rounds: int) -> dict[str, float]:
    """Median seconds to import, and for the first call, in separate processes."""
    code = (
        "import time, numpy as np; a = time.perf_counter(); import aclquant as aq; "
        "b = time.perf_counter(); aq.quantize(np.ones((4, 8), np.float32), 0.5); "
        "c = time.perf_counter(); print(b - a, c - b)"
    )
    found = []
    for _ in range(rounds):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HERE
        )
        found.append([float(number) for number in done.stdout.split()])
    return {
        "import aclquant, after NumPy": median(x for x, _ in found),
        "first call": median(x for _, x in found),
    }


def profile(rounds: int) -> dict[str, float]:
    """Seconds of the parts of ``plan(x, out=y)`` and ``aq.quantize(...)``, by taking them away."""
    plan, y = aq.plan(aq.quantize, X, SCALES, POINTS), np.empty((4, 8), np.int8)

    def function(x: Any, scales: Any, points: Any, dtype: Any, axis: Any, out: Any = None) -> None:
        pass

    class Callable:
        def __call__(self, x: Any, *, out: Any = None) -> None:
            pass

    called, short = Callable(), plan._run
    if extension is None:
        sys.exit("the profile is that of the extension module, which is missing")
    jobs: dict[str, Job] = {
        "loop": lambda: None,
        "function": lambda: function(X, SCALES, POINTS, dtype="qint8", axis=1),
        "object": lambda: called(X, out=y),
        "plan, out=": lambda: plan(X, out=y),
        "quantize": lambda: aq.quantize(X, SCALES, POINTS, dtype="qint8", axis=1),
        "no match": lambda: short(y, y),
        "extension, out=": lambda: short(X, y),
        "extension": lambda: short(X, None),
    }
    for _ in range(3):
        jobs["quantize"]()
    t = {name: timing.best for name, timing in interleaved(jobs, rounds, 0.002, 20).items()}
    t = {name: seconds - t["loop"] for name, seconds in t.items()}
    plan.close()
    return {
        "plan(x, out=y)": t["plan, out="],
        "  calling an object with a method in Python": t["object"],
        "  the method: asking the extension": t["plan, out="] - t["object"] - t["extension, out="],
        "  the extension: looking at the arguments": t["no match"],
        "  the extension: lock of the interpreter, record, kernel": (
            t["extension, out="] - t["no match"]
        ),
        "aq.quantize(x, scales, zero_points, dtype=, axis=)": t["quantize"],
        "  calling a function in Python": t["function"],
        "  the function: finding the call before": t["quantize"] - t["function"] - t["extension"],
        "  the extension: allocating the result": t["extension"] - t["extension, out="],
        "  the extension: the rest, as above": t["extension, out="],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    load("host").aclquantSetThreadCount(1)
    if cases.torch is not None:
        cases.torch.set_num_threads(1)
    plan = aq.plan(aq.quantize, X, SCALES)
    print("extension module:", "missing" if extension is None else "there")
    plan.close()
    found = small(options.rounds)
    for name, seconds in found.items():
        ratio = f"  {seconds / found[PEER]:.2f} of {PEER}" if PEER in found else ""
        print(f"{name:28} {seconds * 1e6:6.2f} us{ratio}")
    for name, seconds in start(7).items():
        print(f"{name:28} {seconds * 1e3:6.1f} ms")
    if options.profile:
        for name, seconds in profile(options.rounds).items():
            print(f"{name:70} {seconds * 1e9:6.0f} ns")


if __name__ == "__main__":
    main()
