"""A captured graph beside the same calls one by one, on Tensors; each round ends with a wait.

    python benchmarks/graphs.py [--rounds N]

Interleaved rounds; the ratio is that of the medians.
"""

from __future__ import annotations

import argparse

import numpy as np
from measure import interleaved

import aclquant as aq

SHAPES = ((4, 8), (64, 256), (512, 1024))
CALLS = 8


def sequence(x: aq.Tensor) -> aq.Tensor:
    """Quantise and back, four times: eight calls that depend on each other."""
    for _ in range(CALLS // 2):
        x = aq.anti_quant(aq.quantize(x, 0.05), [0.05])
    return x


def measure(shape: tuple[int, int], rounds: int) -> dict[str, float]:
    """Median seconds of the sequence, in both ways."""
    x = aq.asarray(np.random.default_rng(0).standard_normal(shape, np.float32))
    with aq.capture() as graph:
        sequence(x)
    stream = aq.current_stream()

    def calls() -> None:
        sequence(x)
        stream.synchronize()

    def replay() -> None:
        graph.replay(stream)
        stream.synchronize()

    timings = interleaved({"calls": calls, "replay": replay}, rounds, least=0.002, budget=20)
    graph.close()
    return {name: timing.median for name, timing in timings.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    print(f"{CALLS} calls in a row, median of {rounds} rounds")
    for shape in SHAPES:
        found = measure(shape, rounds)
        calls, replay = found["calls"] * 1e6, found["replay"] * 1e6
        times = f"one by one {calls:8.1f} us, replay {replay:8.1f} us"
        print(f"{shape!s:12} {times}: {calls / replay:.1f} times")


if __name__ == "__main__":
    main()
