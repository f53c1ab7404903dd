"""Timing in interleaved rounds, so that what disturbs a machine disturbs all that is compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

Job = Callable[[], object]


@dataclass
class Timing:
    """Seconds per call, one number for each round."""

    seconds: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return median(self.seconds)


def repetitions(job: Job, least: float) -> int:
    """Number of calls that take at least this many seconds."""
    count = 1
    while True:
        begin = time.perf_counter()
        for _ in range(count):
            job()
        seconds = time.perf_counter() - begin
        if seconds >= least:
            return count
        count = max(count * 2, int(count * least / max(seconds, 1e-9)))


def interleaved(
    jobs: Mapping[str, Job], rounds: int, least: float = 0.002, budget: float = 2.0
) -> dict[str, Timing]:
    """Time every job once in each round.

    Parameters
    ----------
    jobs : mapping of str to callable
    rounds : int
        Fewer where one round of all jobs takes long, but three at least.
    least : float
        Seconds that a job is repeated for in a round.
    budget : float
        Seconds for all rounds.
    """
    counts = {name: repetitions(job, least) for name, job in jobs.items()}
    timings = {name: Timing() for name in jobs}
    begin = time.perf_counter()
    for number in range(rounds):
        if number >= 3 and time.perf_counter() - begin > budget:
            break
        for name, job in jobs.items():
            count = counts[name]
            start = time.perf_counter()
            for _ in range(count):
                job()
            timings[name].seconds.append((time.perf_counter() - start) / count)
    return timings
