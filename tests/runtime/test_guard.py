"""Mistakes with device memory: touched by the CPU, freed too early, read before it was written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.native import (
    NULL,
    SANITIZED,
    Buffer,
    address,
    ffi,
    host,
    job,
    memory_mode,
    ok,
    pointer,
    refused,
    stalled,
    stream,
)
from helpers.processes import run_python

H2D, D2H, D2D = 1, 2, 3
FRESH, FREED = 0xCD, 0xDD


@pytest.mark.skipif(SANITIZED, reason="the sanitizer handles the signal itself")
@pytest.mark.parametrize(
    "access", ["view[0]", "view[999]", "view[0] = 1", "memory.free(), view[0]"]
)
def test_touching_guarded_memory_ends_the_process(access: str) -> None:
    run_python(
        f"""
from helpers.native import *
ok(host.aclrtSetDevice(0))
ok(host.aclquantSetMemoryMode(b"guarded"))
memory = Buffer(np.zeros(1000, np.uint8))
assert memory.read("uint8").sum() == 0
view = ffi.cast("unsigned char *", memory.pointer)
{access}
""",
        status=-signal.SIGSEGV,
    )


def test_plain_memory_can_be_touched() -> None:
    with memory_mode("plain"):
        memory = Buffer(np.arange(4, dtype=np.uint8))
    assert list(ffi.cast("unsigned char *", memory.pointer)[0:4]) == [0, 1, 2, 3]
    memory.free()
    for wrong in (b"", b"Guarded", NULL):
        refused(host.aclquantSetMemoryMode(wrong), 100000, "'mode'", "guarded, strict, plain")


@pytest.mark.parametrize("mode", ["guarded", "plain"])
def test_kernels_and_copies_work_in_both_modes(mode: str) -> None:
    """Also with the operands of one kernel in memory of both kinds."""
    with memory_mode(mode), job() as work:
        with memory_mode("plain" if mode == "guarded" else "guarded"):
            other = Buffer(np.zeros(4, np.int8))
        ok(host.aclSetRawTensorAddr(work.ty, other.pointer))
        ok(work.run(NULL))
        ok(host.aclrtSynchronizeStream(NULL))
        assert list(other.read("int8")) == work.EXPECTED
        ok(host.aclrtMemcpy(work.y.pointer, 4, other.pointer, 4, D2D))
        assert work.result() == work.EXPECTED
        other.free()


def test_addresses_are_not_used_again_soon() -> None:
    with memory_mode("guarded"):
        seen = set()
        for _ in range(2000):
            memory = Buffer(100)
            assert address(memory.pointer) not in seen
            seen.add(address(memory.pointer))
            memory.free()


@pytest.mark.skipif(SANITIZED, reason="the sanitizer needs the addresses itself")
def test_addresses_given_back_serve_again() -> None:
    """Where the process may have few addresses, they go round."""
    run_python(
        """
import resource
from helpers.native import *
ok(host.aclrtSetDevice(0))
used = address_space()
resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30), resource.RLIM_INFINITY))
ok(host.aclquantSetMemoryMode(b"guarded"))
ok(host.aclquantSetPoison(0))
result = ffi.new("void **")
for size in (64, 5000, 100 << 20):
    for _ in range(2000):
        ok(host.aclrtMalloc(result, size, 0))
        ok(host.aclrtFree(result[0]))
kept = [create(host.aclrtMalloc, 70 << 20, 0) for _ in range(4)]
for block in kept[::2]:
    ok(host.aclrtFree(block))
again = [create(host.aclrtMalloc, 70 << 20, 0) for _ in range(2)]
assert len({address(block) for block in (*again, *kept[1::2])}) == 4
"""
    )


@pytest.mark.parametrize(
    "use",
    ["source", "target", "asynchronous source", "asynchronous target", "fill", "queued fill", "2d"],
)
def test_freed_memory_is_refused_by_name(use: str) -> None:
    """Not taken for host memory, as an address that the device does not know would be."""
    own = ffi.new("char[64]")
    with memory_mode("guarded"):
        memory = Buffer(64)
        memory.free()
        gone = memory.pointer + 3
        calls: dict[str, tuple[str, Callable[[], int]]] = {
            "source": ("'src'", lambda: host.aclrtMemcpy(own, 64, gone, 8, D2H)),
            "target": ("'dst'", lambda: host.aclrtMemcpy(gone, 64, own, 8, H2D)),
            "asynchronous source": (
                "'src'", lambda: host.aclrtMemcpyAsync(own, 64, gone, 8, D2H, NULL)),
            "asynchronous target": (
                "'dst'", lambda: host.aclrtMemcpyAsync(gone, 64, own, 8, H2D, NULL)),
            "fill": ("'devPtr'", lambda: host.aclrtMemset(gone, 64, 0, 8)),
            "queued fill": ("'devPtr'", lambda: host.aclrtMemsetAsync(gone, 64, 0, 8, NULL)),
            "2d": ("'src'", lambda: host.aclrtMemcpy2d(own, 4, gone, 4, 4, 2, D2H)),
        }  # fmt: skip
        argument, call = calls[use]
        refused(call(), 107000, argument, "no live device memory", "freed")


def test_addresses_beyond_an_allocation_are_no_host_memory() -> None:
    own = ffi.new("char[64]")
    with memory_mode("strict"):
        memory = Buffer(64)
        refused(host.aclrtMemcpy(own, 64, memory.pointer + 64, 8, D2H), 107000, "'src'")
        refused(host.aclquantHostRegister(memory.pointer, 64), 100000, "device memory")
        result = ffi.new("void **")
        refused(host.aclrtHostRegister(memory.pointer, 64, 0, result), 107000, "device memory")
        memory.free()


def test_a_kernel_on_freed_memory() -> None:
    with memory_mode("guarded"), job() as work, stream() as on:
        gone = Buffer(16)
        gone.free()
        ok(host.aclSetRawTensorAddr(work.tx, gone.pointer))
        ok(work.run(on))
        refused(host.aclrtSynchronizeStream(on), 507015, "'x'", "no live device memory")
        ok(host.aclSetRawTensorAddr(work.tx, work.x.pointer))


@pytest.mark.parametrize("mode", ["guarded", "plain"])
def test_the_report_of_memory_freed_too_early_names_the_allocation(mode: str) -> None:
    with memory_mode(mode), job() as work, stream() as on:
        with stalled(on):
            size, executor = work.prepare()
            ok(work.launch(size, executor, on))
            where = f"device memory {hex(address(work.x.pointer))} of 16 bytes"
            work.x.free()
        refused(host.aclrtSynchronizeStream(on), 507015, "'x'", where, "freed after the call")
        work.x = Buffer(work.values)
        ok(host.aclSetRawTensorAddr(work.tx, work.x.pointer))


@pytest.mark.parametrize("what", ["kernel", "copy"])
def test_memory_freed_while_it_is_worked_on(what: str) -> None:
    """The work ends unharmed, and the error says so; tried until the free falls into the work."""
    values = np.full(1 << 22, 3, np.float32)
    for attempt in range(200):
        with job(values) as work, stream() as on:
            target = Buffer(values.nbytes)
            if what == "kernel":
                ok(work.run(on))
            else:
                ok(host.aclrtMemcpyAsync(target.pointer, values.nbytes, work.x.pointer,
                                         values.nbytes, D2D, on))  # fmt: skip
            time.sleep(attempt % 20 * 1e-4)
            work.x.free()
            status = host.aclrtSynchronizeStream(on)
            text = "" if status == 0 else ffi.string(host.aclGetRecentErrMsg()).decode()
            work.x = Buffer(4)
            target.free()
        assert status in (0, 507015)
        if "freed while" in text:
            assert ("'x'" if what == "kernel" else "'src'") in text
            return
    pytest.fail("never freed while the work ran")


@pytest.mark.parametrize("mode", ["guarded", "plain"])
@pytest.mark.parametrize("size", [1, 64, 100_000, 3 << 20])
def test_fresh_memory_is_full_of_a_pattern(mode: str, size: int) -> None:
    ok(host.aclquantSetPoison(1))
    with memory_mode(mode):
        memory = Buffer(size)
        assert set(memory.read("uint8")) == {FRESH}
        memory.free()


@pytest.mark.skipif(SANITIZED, reason="reads freed memory")
def test_freed_plain_memory_is_full_of_another_pattern() -> None:
    with memory_mode("plain"):
        memory = Buffer(np.zeros(1000, np.uint8))
        memory.free()
        # The C library writes into the first and last words of what it got back.
        assert set(bytes(ffi.buffer(memory.pointer, 900))[64:]) == {FREED}


def test_the_pattern_can_be_left_out() -> None:
    """Memory handed out again then holds what it held."""
    ok(host.aclquantSetPoison(0))
    try:
        with memory_mode("plain"):
            found = set()
            for _ in range(50):
                memory = Buffer(1000)
                found |= set(memory.read("uint8")[64:900])
                memory.write(np.full(1000, 7, np.uint8))
                memory.free()
        assert 7 in found or SANITIZED
    finally:
        ok(host.aclquantSetPoison(1))


def test_settings_from_the_environment() -> None:
    """Plain and without the pattern: the CPU reads what the memory held before."""
    run_python(
        """
from helpers.native import *
ok(host.aclrtSetDevice(0))
found = set()
for _ in range(50):
    memory = Buffer(1000)
    view = ffi.cast("unsigned char *", memory.pointer)
    found |= set(view[64:900])
    view[64:900] = bytes([7]) * 836
    memory.free()
assert 7 in found or SANITIZED
""",
        ACLQUANT_HOST_MEMORY="plain",
        ACLQUANT_HOST_POISON="0",
    )


def test_a_forked_child_knows_the_parents_memory_as_such() -> None:
    run_python(
        """
from helpers.native import *
ok(host.aclrtSetDevice(0))
ok(host.aclquantSetMemoryMode(b"guarded"))
memory = Buffer(np.full(64, 5, np.uint8))
child = os.fork()
own = ffi.new("unsigned char[64]")
if child == 0:
    ok(host.aclrtSetDevice(0))
    ok(host.aclquantSetMemoryMode(b"guarded"))
    mine = Buffer(np.full(64, 6, np.uint8))
    assert address(mine.pointer) != address(memory.pointer)
    refused(host.aclrtMemcpy(own, 64, memory.pointer, 64, 2), 107000, "forked from")
    refused(host.aclrtFree(memory.pointer), 207002)
    assert set(mine.read("uint8")) == {6}
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert set(memory.read("uint8")) == {5}
"""
    )


def test_delayed_work_waits_however_small() -> None:
    """The memory is read before the kernel has run: what a missing synchronise looks like."""
    with job() as work, stream() as on:
        ok(host.aclquantDelayStream(on, 60_000_000))
        ok(work.run(on))
        assert work.result() == [0, 0, 0, 0]
        ok(host.aclquantDelayStream(on, 0))  # also ends the present wait
        ok(host.aclrtSynchronizeStream(on))
        assert work.result() == work.EXPECTED
        refused(host.aclquantDelayStream(on, 60_000_001), 100000, "'microseconds'")
        refused(host.aclquantDelayStream(pointer(8), 1), 107017, "'stream'")


def test_a_delay_from_the_environment_and_its_end() -> None:
    run_python(
        """
from helpers.native import *
ok(host.aclrtSetDevice(0))
on = create(host.aclrtCreateStream)
with job() as work:
    ok(work.run(on))
    assert work.result() == [0, 0, 0, 0]
    ok(host.aclrtDestroyStreamForce(on))  # drops what waits
    assert work.result() == [0, 0, 0, 0]
    ok(host.aclquantDelayStream(NULL, 0))
    ok(work.run(NULL))
    ok(host.aclrtSynchronizeStream(NULL))
    assert work.result() == work.EXPECTED
""",
        ACLQUANT_HOST_DELAY="60000000",
        timeout=30,
    )


@pytest.mark.skipif(SANITIZED, reason="the mode makes no difference to what it finds")
def test_the_other_tests_pass_on_plain_memory() -> None:
    files = [str(Path(__file__).parent / name) for name in ("test_memory.py", "test_executors.py")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
        env={**os.environ, "ACLQUANT_HOST_MEMORY": "plain",
             "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
