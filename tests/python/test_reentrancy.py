"""A call inside a call: whatever Python runs in between does not change the outer call's numbers.

W1 of the review of faults. Signal handlers, profile and trace functions, finalisers and the garbage
collector may run between any two steps of a call.
"""

from __future__ import annotations

import gc
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from helpers.processes import run_python

import aclquant as aq

X = np.linspace(-30, 30, 32, dtype=np.float32).reshape(4, 8)
HALF, BRAIN = X.astype(np.float16), X.astype(ml_dtypes.bfloat16)
Call = Callable[[float], Any]


def _result(call: Call, number: float) -> bytes:
    found = call(number)
    return b"".join(
        np.asarray(y).tobytes() for y in (found if isinstance(found, tuple) else (found,))
    )


CALLS: dict[str, Call] = {
    "number": lambda s: aq.quantize(X, s),
    "list": lambda s: aq.quantize(X, [s] * 8),
    "long list": lambda s: aq.quantize(np.ones((1, 400), np.float32) * 40, [s] * 400),
    "zero point": lambda s: aq.quantize(X, 0.5, int(s)),
    "float16": lambda s: aq.quantize(HALF, s, div_mode=False),
    "bfloat16, list": lambda s: aq.quantize(BRAIN, [s] * 8, div_mode=False),
    "smooth scales": lambda s: aq.dynamic_quant(HALF, smooth_scales=[s, 1, 1, s, 1, 1, 1, 1]),
    "packed scales": lambda s: aq.quant_matmul(
        np.ones((2, 8), np.int8), np.ones((8, 2), np.int8), s, output_dtype="float16"
    ),
    "Tensor": lambda s: aq.quantize(aq.asarray(X), s).numpy(),
}


def _guarded(inner: Callable[[], object]) -> Callable[..., None]:
    busy = False

    def once(*_: object) -> None:
        nonlocal busy
        if not busy:
            busy = True
            try:
                inner()
            finally:
                busy = False

    return once


@contextmanager
def alarm(inner: Callable[[], object]) -> Iterator[None]:
    delays = random.Random(0)

    def handler(*_: object) -> None:
        inner()
        if not done:
            signal.setitimer(signal.ITIMER_REAL, delays.uniform(1e-6, 3e-4))

    done = False
    old = signal.signal(signal.SIGALRM, handler)
    handler()
    try:
        yield
    finally:
        done = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


@contextmanager
def profile(inner: Callable[[], object]) -> Iterator[None]:
    old = sys.getprofile()
    sys.setprofile(_guarded(inner))
    try:
        yield
    finally:
        sys.setprofile(old)


@contextmanager
def trace(inner: Callable[[], object]) -> Iterator[None]:
    once = _guarded(inner)

    def follow(*_: object) -> Any:
        once()
        return follow

    old = sys.gettrace()
    sys.settrace(follow)
    try:
        yield
    finally:
        sys.settrace(old)


@contextmanager
def collector(inner: Callable[[], object]) -> Iterator[None]:
    once = _guarded(inner)
    before = gc.get_threshold()
    gc.callbacks.append(once)
    gc.set_threshold(1, 1, 1)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(once)


@contextmanager
def other_thread(inner: Callable[[], object]) -> Iterator[None]:
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            inner()

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        sys.setswitchinterval(before)


WAYS = {one.__name__: one for one in (alarm, profile, trace, collector, other_thread)}


def _check(name: str, way: str, rounds: int) -> None:
    call = CALLS[name]
    right = {number: _result(call, number) for number in (2.0, 4.0)}
    for _ in range(3):
        assert _result(call, 2.0) == right[2.0]
    inner: list[bool] = []
    wrong = 0
    with WAYS[way](lambda: inner.append(_result(call, 4.0) == right[4.0])):
        for _ in range(rounds):
            wrong += _result(call, 2.0) != right[2.0]
    assert inner, "nothing came in between"
    assert wrong == 0 and all(inner)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CALLS)
def test_w1_calls_inside_calls(name: str, way: str) -> None:
    _check(name, way, 4 if way in ("trace", "profile", "collector") else 100)


@pytest.mark.nightly
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CALLS)
def test_w1_calls_inside_calls_for_long(name: str, way: str) -> None:
    _check(name, way, 500 if way in ("trace", "profile", "collector") else 20000)


def test_w1_a_finaliser_that_calls() -> None:
    call = CALLS["number"]
    right = {number: _result(call, number) for number in (2.0, 4.0)}

    class Calls:
        def __del__(self) -> None:
            good.append(_result(call, 4.0) == right[4.0])

    good: list[bool] = []
    for _ in range(200):
        scales = [2.0] * 8
        garbage: list[Any] = [Calls()]
        garbage.append(garbage)
        del garbage
        assert _result(CALLS["list"], scales[0]) == right[2.0]
    gc.collect()
    assert len(good) == 200 and all(good)


PICKED = "calls_inside_calls and not long and (alarm or profile) and not Tensor and not packed"


def test_w1_without_the_extension() -> None:
    run_python(
        f"""
        import contextlib, io, sys
        sys.modules["aclquant._ffi._replay"] = None  # importing it fails
        import pytest
        with contextlib.redirect_stdout(io.StringIO()) as text:
            status = pytest.main(
                ["-q", "-p", "no:cacheprovider", {__file__!r}, "-k", {PICKED!r}]
            )
        assert status == 0, text.getvalue()
        """
    )
