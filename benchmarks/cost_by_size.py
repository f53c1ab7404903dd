"""Measure what a call costs from 32 elements to 1 GiB, with one thread and with two.

    aclquant run -- python benchmarks/cost_by_size.py [--most POWER] [--rounds N] [--docs]

The same work, float32 to int8 with one scale, in three ways: an ordinary call (which allocates its
result), a plan with ``out=``, and a call of torch_npu where it is installed (which is why the
script is started by ``aclquant run``). Rounds are interleaved, and the best is taken: the cost
without what else the machine does. ``--docs`` draws the picture of docs/performance/cost_by_size.md
and prints its table.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from cases import peer
from measure import Job, interleaved

import aclquant as aq
from aclquant._ffi.library import load

HERE = Path(__file__).parent
PICTURE = HERE.parent / "docs" / "images" / "cost_by_size.svg"
LEAST = 5  # the powers of two that are measured
MOST = 28
WAYS = {"call": "C0", "plan": "C1", "torch_npu": "C2"}
Costs = dict[str, dict[str, dict[str, float]]]  # threads, way, elements: seconds


def jobs(elements: int) -> Iterator[tuple[str, Job]]:
    """Yield the ways to quantise that many elements."""
    x = np.random.default_rng(0).standard_normal(elements, np.float32).reshape(-1, 32)
    scale = np.array([0.05], np.float32)
    yield "call", partial(aq.quantize, x, scale, dtype="qint8")
    y = np.empty(x.shape, np.int8)
    plan = aq.plan(aq.quantize, x, scale, dtype="qint8")
    yield "plan", partial(plan, x, out=y)
    torch, torch_npu = peer("torch"), peer("torch_npu")
    if torch_npu is None:
        return
    on_device, factor = torch.from_numpy(x).npu(), torch.from_numpy(scale).npu()
    zero = torch.zeros(1, dtype=torch.int32).npu()

    def run() -> None:
        torch_npu.npu_quantize(on_device, factor, zero, torch.qint8, 0)
        torch.npu.synchronize()

    yield "torch_npu", run


def measured(most: int, rounds: int) -> Costs:
    library: Any = load("host")
    costs: Costs = {}
    for threads in (1, 2):
        library.aclquantSetThreadCount(threads)
        for power in [*range(LEAST, most, 1), most]:
            timings = interleaved(dict(jobs(1 << power)), rounds, least=0.005, budget=2)
            for way, timing in timings.items():
                found = costs.setdefault(str(threads), {}).setdefault(way, {})
                found[str(1 << power)] = timing.best
        aq.forget_plans()
    return costs


def table(costs: Costs) -> str:
    """Return the table of the page: every fourth size."""
    columns = [(threads, way) for threads, ways in costs.items() for way in ways]
    heads = [f"{way}, {threads} thread{'s' if threads != '1' else ''}" for threads, way in columns]
    lines = [["elements", *heads], ["---"] * (len(columns) + 1)]
    sizes = [int(size) for size in costs["1"]["call"]]
    for size in sizes[:: max(1, len(sizes) // 12)]:
        cells = []
        for threads, way in columns:
            seconds = costs[threads][way][str(size)]
            cells.append(f"{seconds * 1e6:.1f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.1f} ms")
        lines.append([f"{size:,}", *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def draw(costs: Costs) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (times, each) = pyplot.subplots(1, 2, figsize=(10, 4.2))
    for threads, ways in costs.items():
        for way, found in ways.items():
            sizes = [int(size) for size in found]
            style = {"color": WAYS[way], "linestyle": "-" if threads == "1" else "--"}
            label = f"{way}, {threads} thread{'s' if threads != '1' else ''}"
            seconds = list(found.values())
            times.loglog(sizes, [1e6 * s for s in seconds], label=label, **style)
            per = [1e9 * s / n for s, n in zip(seconds, sizes, strict=True)]
            each.loglog(sizes, per, label=label, **style)
    times.set(xlabel="elements", ylabel="µs", title="Time of a call")
    each.set(xlabel="elements", ylabel="ns", title="Time for each element")
    times.legend(fontsize=7)
    for axes in (times, each):
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(PICTURE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--most", type=int, default=MOST, help="2 to this power (28: 1 GiB)")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--docs", action="store_true", help="draw the picture of the page")
    options = parser.parse_args()
    costs = measured(options.most, options.rounds)
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "cost_by_size.json").write_text(json.dumps(costs, indent=1) + "\n")
    print(table(costs))
    if options.docs:
        draw(costs)
        print(f"{PICTURE}: renewed")


if __name__ == "__main__":
    main()
