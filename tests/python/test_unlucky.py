"""Programs without luck: no thread to be had, and arrays that several threads use at once."""

from __future__ import annotations

import gc
import random
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.processes import run_python

import aclquant as aq

X = np.ones((2, 8), np.float32)


def test_no_thread_to_be_had() -> None:
    """R6: calls on arrays run in their thread; work that would wait is refused, and nothing hangs.

    The limit on memory stops the stack of a thread; root is not bound by the number of processes.
    """
    run_python(
        """
        import contextlib, resource
        from pathlib import Path
        import numpy as np, aclquant as aq
        values = np.arange(1 << 20, dtype=np.float32) / 8192
        right = np.rint(values / 2).astype(np.int8)
        x = aq.asarray(values)
        y, event, small = aq.empty(x.shape, "int8"), aq.Event(), aq.empty(8, "int8")
        out = np.empty(values.shape, np.int8)
        stream, other = aq.Stream(), aq.Stream()
        aq.quantize(values[:8], 2.0)
        library = aq.backend().library
        limits = resource.getrlimit(resource.RLIMIT_AS)

        @contextlib.contextmanager
        def no_threads():
            pages = int(Path('/proc/self/statm').read_text().split()[0])
            room = 2 << 20  # for small objects; a stack needs more
            resource.setrlimit(
                resource.RLIMIT_AS, (pages * resource.getpagesize() + room, limits[1])
            )
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_AS, limits)

        with no_threads():
            for _ in range(3):
                aq.quantize(values, 2.0, out=out, stream=other)
        assert (out == right).all()
        library.aclquantStallStream(stream.handle)
        refused = None
        with no_threads():
            try:
                event.record(stream)
            except aq.AclError as error:
                refused = error
        assert refused is not None and refused.code == 207005, refused
        assert "thread" in str(refused), refused
        library.aclquantResumeStream(stream.handle)
        with no_threads():
            aq.quantize(x, 2.0, out=y, stream=stream)
        assert (y.numpy() == right).all()
        aq.quantize(x, 2.0, out=y, stream=stream)  # there are threads again
        event.record(stream)
        event.synchronize()
        assert (y.numpy() == right).all()
        event.close(); stream.close(); other.close()
        """
    )


def _captured() -> None:
    tensor = aq.asarray(X)
    with aq.capture() as graph:
        aq.quantize(tensor, 0.5)
    graph.close()


OBJECTS: dict[str, Callable[[], object]] = {
    "Stream": aq.Stream,
    "Event": aq.Event,
    "Buffer": lambda: aq.Buffer(8),
    "HostBuffer": lambda: aq.HostBuffer(8),
    "Plan": lambda: aq.plan(aq.quantize, X, 0.5),
    "Prepared": lambda: aq.plan(aq.quantize, X, 0.5),
    "Graph": _captured,
}


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_an_object_that_was_made_by_half_goes_quietly(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RecursionError and KeyboardInterrupt may come anywhere, in constructors as well.

    Finalisers saw a `Prepared` without its executor.
    """
    late: list[object] = []
    live = aq.backend().live

    class Full:
        def add(self, made: object) -> None:
            if type(made).__name__ == name:
                raise RecursionError("maximum recursion depth exceeded")
            live.add(made)

    monkeypatch.setattr(sys, "unraisablehook", lambda found: late.append(found.exc_value))
    with monkeypatch.context() as patch:
        patch.setattr(aq.backend(), "live", Full())
        with pytest.raises(RecursionError):
            OBJECTS[name]()
    gc.collect()
    assert late == []
    OBJECTS[name]()


def _windows(seed: int, rounds: int) -> list[str]:
    """Quantise windows of one array, which overlap, into slices of another, which do not."""
    base = np.arange(-6000, 6000, dtype=np.float32) / 16
    wrong: list[str] = []
    threads = 4
    shared = np.zeros((threads, 64 * 64), np.int8)
    begin = threading.Barrier(threads)

    def work(number: int) -> None:
        pick = random.Random(seed * threads + number)
        begin.wait()
        for _ in range(rounds):
            first, rows, columns = pick.randrange(900), pick.randrange(1, 65), pick.randrange(1, 65)
            step = pick.choice((1, 1, 1, -1, 2))
            window: Any = base[first : first + rows * columns * abs(step)][::step]
            window = window.reshape(rows, columns)
            target = shared[number, : rows * columns].reshape(rows, columns)
            scale = pick.choice((2.0, 4.0, 16.0))
            expected = np.rint(window / np.float32(scale)).clip(-128, 127)
            given = pick.choice((None, target))
            for _ in range(pick.choice((1, 4))):
                if not (aq.quantize(window, scale, out=given) == expected).all():
                    wrong.append(f"{number}: {first}, {rows} x {columns}, step {step}, {scale}")

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return wrong


@pytest.mark.parametrize("seed", range(2))
def test_threads_share_overlapping_arrays(seed: int) -> None:
    assert _windows(seed, 40) == []


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 10))
def test_threads_share_overlapping_arrays_for_long(seed: int) -> None:
    assert _windows(seed, 2000) == []
