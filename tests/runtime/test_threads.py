"""Threads, forks, and the floating-point modes of the caller."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.native import (
    NULL,
    Buffer,
    Job,
    create,
    ffi,
    host,
    job,
    message,
    ok,
    stream,
    tensor,
)
from helpers.processes import run_python


def together(*works: Callable[[], None]) -> None:
    failures: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            ok(host.aclrtSetDevice(0))
            work()
            ok(host.aclrtResetDevice(0))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


def hammer(on: Any, value: float) -> None:
    with job(np.array([value, -value, 1.5], np.float32)) as work:
        for _ in range(500):
            ok(work.run(on))
        ok(host.aclrtSynchronizeStream(on))
        assert work.result() == [round(value), -round(value), 2]


def test_threads_on_streams_of_their_own() -> None:
    def own(value: float) -> None:
        with stream() as on:
            hammer(on, value)

    together(*(lambda value=value: own(value) for value in (3, 50, 100)))


def test_threads_on_one_stream() -> None:
    with stream() as on:
        together(*(lambda value=value: hammer(on, value) for value in (3, 50, 100)))


def test_the_phases_in_different_threads() -> None:
    with job() as work, stream() as on:
        size, executor = work.prepare()
        together(lambda: ok(work.launch(size, executor, on)))
        ok(host.aclrtSynchronizeStream(on))
        assert work.result() == Job.EXPECTED


def test_messages_belong_to_threads() -> None:
    assert host.aclrtMalloc(NULL, 1, 0) == 100000

    def other() -> None:
        assert message() == ""
        assert host.aclrtPeekAtLastError(0) == 0
        assert host.aclrtSetDevice(99) == 107001

    together(other)
    text = message()
    assert "100000" in text and "107001" not in text
    assert message() == ""


def test_messages_are_the_newest_first_and_bounded() -> None:
    for number in range(100, 1100):
        assert host.aclrtSetDevice(number) == 107001
    lines = message().split("\n")
    assert "got 1099" in lines[0] and "got 1098" in lines[1]
    assert len(lines) < 100
    assert message() == ""


def test_synchronising_a_device_while_streams_come_and_go() -> None:
    def churn() -> None:
        for _ in range(300):
            with stream() as on, job() as work:
                ok(work.run(on))

    def wait() -> None:
        for _ in range(1500):
            ok(host.aclrtSynchronizeDevice())

    together(churn, wait, churn)


SETTER = """
#include <xmmintrin.h>
unsigned exchange(unsigned control) {
    unsigned before = _mm_getcsr();
    _mm_setcsr(control);
    return before;
}
"""


@pytest.mark.skipif(
    not shutil.which("cc") or platform.machine() != "x86_64",
    reason="needs a C compiler for x86-64",
)
@pytest.mark.parametrize("control", [0x9FC0, 0x1F80 | 0x6000, 0x1F80 | 0x4000])
def test_results_do_not_depend_on_the_callers_floating_point_modes(
    tmp_path: Path, control: int
) -> None:
    """Flush-to-zero, denormals-are-zero, other roundings: fast-math libraries set them."""
    (tmp_path / "setter.c").write_text(SETTER, encoding="utf-8")
    library = tmp_path / "setter.so"
    subprocess.run(["cc", "-shared", "-fPIC", tmp_path / "setter.c", "-o", library], check=True)
    exchange = ctypes.CDLL(str(library)).exchange
    exchange.argtypes, exchange.restype = [ctypes.c_uint], ctypes.c_uint
    # 1.5 * 2^-127 is subnormal; times 2^127 it is 1.5, which rounds to 2.
    with job(np.array([1.5 * 2.0**-127, 0.0], np.float32)) as work, stream() as on:
        work.scale.write(np.array([2.0**127], np.float32))
        size, executor = work.prepare()
        before = exchange(control)
        status = work.launch(size, executor, on)  # small work may run in this thread
        after = exchange(before)
        ok(status)
        assert (after ^ control) & 0xFFC0 == 0  # and the caller keeps his
        ok(host.aclrtSynchronizeStream(on))
        assert work.result() == [2, 0]
        # A worker inherits modes from the thread that makes it.
        fresh = create(host.aclrtCreateStream)
        ok(host.aclquantStallStream(fresh))
        size, executor = work.prepare()
        work.y.write(np.zeros(2, np.int8))
        before = exchange(control)
        status = work.launch(size, executor, fresh)
        exchange(before)
        ok(status)
        ok(host.aclquantResumeStream(fresh))
        ok(host.aclrtDestroyStream(fresh))
        assert work.result() == [2, 0]


def test_a_forked_child_has_a_fresh_device() -> None:
    """The parent's handles are refused there; nothing hangs, and the parent goes on."""
    run_python(
        """
        import os, signal
        from helpers.native import *
        ok(host.aclInit(NULL))
        ok(host.aclrtSetDevice(0))
        event = create(host.aclrtCreateEvent)
        on = create(host.aclrtCreateStream)
        context = create(host.aclrtGetCurrentContext)
        with job() as work:
            ok(host.aclquantStallStream(on))
            ok(work.run(on))
            size, executor = work.prepare()
            child = os.fork()
            if child == 0:
                signal.alarm(30)
                try:
                    refused(host.aclrtGetDevice(ffi.new("int32_t *")), 107002)
                    refused(host.aclrtSetCurrentContext(context), 107000)
                    ok(host.aclInit(NULL))
                    ok(host.aclrtSetDevice(0))
                    assert counters()["streams"] == 1 and counters()["tensors"] == 0
                    refused(host.aclrtSynchronizeStream(on), 107017)
                    refused(host.aclrtRecordEvent(event, NULL), 107017)
                    refused(host.aclDestroyTensor(work.tx), 161002)
                    refused(host.aclnnAscendQuantV3(NULL, 0, executor, NULL), 561103)
                    refused(host.aclrtFree(work.x.pointer), 207002)
                    with job() as own, stream() as mine:
                        with stalled(mine):
                            ok(own.run(mine))
                        ok(host.aclrtSynchronizeStream(mine))
                        assert own.result() == own.EXPECTED
                    ok(host.aclrtResetDevice(0))
                    ok(host.aclFinalize())
                    os._exit(0)
                except BaseException as error:
                    print(repr(error), flush=True)
                    os._exit(1)
            assert os.waitpid(child, 0)[1] == 0
            ok(host.aclquantResumeStream(on))
            ok(host.aclrtSynchronizeStream(on))
            assert work.result() == work.EXPECTED
            ok(work.launch(size, executor, on))
            ok(host.aclrtDestroyStream(on))
        """
    )


def test_a_fork_while_other_threads_work() -> None:
    """The locks they hold at that moment stay behind in the parent."""
    run_python(
        """
        import os, signal, threading
        from helpers.native import *
        ok(host.aclrtSetDevice(0))
        stop = threading.Event()
        def hammer():
            ok(host.aclrtSetDevice(0))
            with job() as work, stream() as on:
                while not stop.is_set():
                    ok(work.run(on))
        threads = [threading.Thread(target=hammer) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            child = os.fork()
            if child == 0:
                signal.alarm(20)
                ok(host.aclrtSetDevice(0))
                with job() as work:
                    ok(work.run(NULL))
                    ok(host.aclrtSynchronizeStream(NULL))
                    os._exit(0 if work.result() == work.EXPECTED else 1)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        for thread in threads:
            thread.join()
        """
    )


def test_a_tensor_without_dimensions() -> None:
    """A 0-d tensor is one element."""
    x, y = Buffer(np.array([2.5], np.float32)), Buffer(np.zeros(1, np.int8))
    scale = Buffer(np.ones(1, np.float32))
    made = [tensor([], "float32", x.pointer), tensor([1], "float32", scale.pointer),
            tensor([], "int8", y.pointer)]  # fmt: skip
    size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
    ok(host.aclnnQuantizeGetWorkspaceSize(*made[:2], NULL, 2, 0, made[2], size, executor))
    workspace = Buffer(int(size[0]))
    ok(host.aclnnQuantize(workspace.pointer, size[0], executor[0], NULL))
    ok(host.aclrtSynchronizeStream(NULL))
    assert list(y.read("int8")) == [2]
    for handle in made:
        ok(host.aclDestroyTensor(handle))
    for buffer in (x, y, scale, workspace):
        buffer.free()


@pytest.mark.nightly  # it depends on the system's scheduler
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor")
@pytest.mark.skipif(not Path("/proc/self/sched").exists(), reason="the system counts no moves")
def test_threads_of_the_pool_keep_off_the_processor_of_the_kernel() -> None:
    """They may use any processor of the kernel's thread (here, the waiting one) except its own."""
    run_python("""
import os
from pathlib import Path
import numpy as np
import aclquant as aq
from helpers.native import host
host.aclquantSetThreadCount(2)
x = np.ones((1024, 1024), np.float32)

def tasks(name):
    every = Path("/proc/self/task").iterdir()
    return [int(task.name) for task in every if (task / "comm").read_text().strip() == name]

def processors():
    aq.quantize(x, 0.5, 0)
    (pool,) = tasks("aclquant pool")
    return os.sched_getaffinity(pool)

def moves(task):
    lines = Path(f"/proc/self/task/{task}/sched").read_text().splitlines()
    return next(int(line.split()[-1]) for line in lines if "nr_migrations" in line)

everywhere = os.sched_getaffinity(0)
for _ in range(3):  # prepared calls wait at once, so that no worker comes first
    processors()
kept_off = []
for _ in range(50):
    for processor in everywhere:
        os.sched_setaffinity(0, {processor})
        assert processors() == {processor}  # there is no other one
        before = moves(os.getpid())
        os.sched_setaffinity(0, everywhere)
        (missing,) = everywhere - processors()
        if moves(os.getpid()) == before:  # this thread stayed there all the time
            kept_off.append(missing == processor)
assert kept_off and all(kept_off), kept_off
""")


@pytest.mark.nightly  # likewise
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system counts no wakings")
@pytest.mark.parametrize("delay", [0, 1000])
def test_who_waits_does_the_work(delay: int) -> None:
    """A prepared call wakes no worker, unless the stream holds its work back."""
    program = """
from pathlib import Path
import sys
import numpy as np
import aclquant as aq
from helpers.native import host, ok
host.aclquantSetThreadCount(1)
x = np.ones((1024, 1024), np.float32)
for _ in range(3):
    assert np.all(aq.quantize(x, 0.5, 0).view(np.int8) == 2)  # the third call is a prepared one
(worker,) = [
    task for task in Path("/proc/self/task").iterdir()
    if (task / "comm").read_text().strip() == "aclquant stream"
]

def wakings():
    lines = (worker / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary"))

def call(number):
    assert np.all(aq.quantize(x + number, 0.5, 0).view(np.int8) == 2 + 2 * number)

before = wakings()
for number in range(20):
    call(number)
woken = wakings() - before  # it may still have been on its way to sleep
assert woken >= 20 if sys.argv[1] != "0" else woken < 10, woken
"""
    run_python(program, str(delay), ACLQUANT_HOST_DELAY=str(delay))
