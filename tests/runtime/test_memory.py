"""Memory: what the device knows, copies, limits."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.native import (
    NULL,
    SANITIZED,
    Buffer,
    address,
    counters,
    create,
    ffi,
    host,
    job,
    memory_mode,
    message,
    ok,
    pointer,
    refused,
    stalled,
    stream,
    tensor,
)
from helpers.processes import run_python

H2H, H2D, D2H, D2D, DEFAULT, BUFFERED = range(6)
ALLOCATORS = ["aclrtMalloc", "aclrtMallocAlign32", "aclrtMallocCached"]


def location(where: Any) -> tuple[int, int]:
    found = ffi.new("aclrtPtrAttributes *")
    ok(host.aclrtPointerGetAttributes(where, found))
    return int(found.location.type), int(found.location.id)


@pytest.mark.parametrize("name", [*ALLOCATORS, "aclrtMallocWithCfg"])
@pytest.mark.parametrize("size", [1, 31, 32, 33, 4096, (1 << 21) + 1])
def test_allocation(name: str, size: int) -> None:
    more = (0, NULL) if name.endswith("Cfg") else (0,)
    before = counters()
    made = create(getattr(host, name), size, *more)
    assert address(made) % 64 == 0
    assert counters()["deviceBuffers"] == before["deviceBuffers"] + 1
    assert location(made) == location(made + size - 1) == (1, 0)
    ok(host.aclrtMemset(made, size, 0x1FF, size))  # the low byte
    back = ffi.new("unsigned char[]", size)
    ok(host.aclrtMemcpy(back, size, made, size, D2H))
    assert set(bytes(ffi.buffer(back))) == {0xFF}
    ok(host.aclrtFree(made))
    assert counters() == before
    assert location(made)[0] == 2  # unregistered


def test_nothing_to_allocate() -> None:
    result = ffi.new("void **")
    for name in ALLOCATORS:
        refused(getattr(host, name)(result, 0, 0), 100000, "'size'")
        refused(getattr(host, name)(NULL, 8, 0), 100000, "'devPtr'")
        for size in (2**64 - 1, 2**64 - 32, 2**64 - 64):
            assert getattr(host, name)(result, size, 0) in (100000, 207001)
            assert message()
        refused(getattr(host, name)(result, 2**63, 0), 207001)
    refused(host.aclrtMallocHost(result, 0), 100000)
    refused(host.aclrtMallocHost(NULL, 8), 100000)
    refused(host.aclrtMallocHost(result, 2**62), 207001)
    refused(host.aclrtFree(NULL), 100000, "'devPtr'")
    refused(host.aclrtFreeHost(NULL), 100000, "'hostPtr'")
    assert result[0] == NULL


def test_a_size_that_overflows_under_no_limit_at_all() -> None:
    """The padding of the largest sizes does not wrap into a small allocation."""
    run_python("""
from helpers.native import *
ok(host.aclquantSetMemoryLimit(2**64 - 1))
ok(host.aclrtSetDevice(0))
result = ffi.new("void **")
for size in range(2**64 - 200, 2**64):
    for name in ("aclrtMalloc", "aclrtMallocAlign32"):
        status = getattr(host, name)(result, size, 0)
        assert status in (100000, 207001), (name, 2**64 - size, status)
    assert host.aclrtMallocHost(result, size) in (100000, 207001)
""")


def test_wrong_frees() -> None:
    memory, pinned = Buffer(100), create(host.aclrtMallocHost, 100)
    own = ffi.new("char[64]")
    refused(host.aclrtFree(memory.pointer + 1), 207002, "device memory", "of 100 bytes")
    refused(host.aclrtFree(memory.pointer + 64), 207002)
    refused(host.aclrtFree(pinned), 207002, "page-locked")
    refused(host.aclrtFreeHost(memory.pointer), 207002, "device memory")
    refused(host.aclrtFreeHost(pinned + 8), 207002)
    refused(host.aclrtFree(own), 207002, "foreign")
    refused(host.aclrtFree(pointer(1)), 207002)
    refused(host.aclrtFreeHost(own), 207002)
    refused(host.aclrtHostUnregister(memory.pointer), 507911)
    memory.free()
    refused(host.aclrtFree(memory.pointer), 207002, "freed twice")
    ok(host.aclrtFreeHost(pinned))
    refused(host.aclrtFreeHost(pinned), 207002, "freed twice")


def test_limit_and_recovery() -> None:
    run_python(
        """
from helpers.native import *
ok(host.aclquantSetMemoryLimit(1 << 20))
ok(host.aclrtSetDevice(0))
free, total = ffi.new("size_t *"), ffi.new("size_t *")
ok(host.aclrtGetMemInfo(1, free, total))
assert free[0] == total[0] == 1 << 20
result = ffi.new("void **")
for _ in range(3):
    refused(host.aclrtMalloc(result, 2 << 20, 0), 207001, "1048576", "2097")
    blocks = []
    while (status := host.aclrtMalloc(result, 100000, 0)) == 0:
        blocks.append(result[0])
    refused(status, 207001)
    assert 9 <= len(blocks) <= 10
    ok(host.aclrtGetMemInfo(1, free, total))
    assert free[0] <= (1 << 20) - 100000 * len(blocks)
    with stream():  # the host is not out of memory
        pass
    for block in blocks:
        ok(host.aclrtFree(block))
    ok(host.aclrtGetMemInfo(1, free, total))
    assert free[0] == total[0]
with job() as work:
    ok(work.run(NULL))
    ok(host.aclrtSynchronizeStream(NULL))
    assert work.result() == work.EXPECTED
ok(host.aclquantSetMemoryLimit(10))
refused(host.aclrtMalloc(result, 1, 0), 207001)
""",
        ACLQUANT_HOST_MEMORY_LIMIT="4096",
    )


def test_limit_from_the_environment() -> None:
    run_python(
        """
from helpers.native import *
ok(host.aclrtSetDevice(0))
result = ffi.new("void **")
refused(host.aclrtMalloc(result, 4097, 0), 207001)
ok(host.aclrtMalloc(result, 4000, 0))
""",
        ACLQUANT_HOST_MEMORY_LIMIT="4096",
    )


def test_memory_info() -> None:
    free, total = ffi.new("size_t *"), ffi.new("size_t *")
    memory = Buffer(1000)
    for attribute in (0, 1, 5, 17):
        ok(host.aclrtGetMemInfo(attribute, free, total))
        assert 0 < free[0] <= total[0] - 1000
    for attribute in (18, 2**31 - 1):
        code = ffi.cast("aclrtMemAttr", attribute)
        refused(host.aclrtGetMemInfo(code, free, total), 100000)
    refused(host.aclrtGetMemInfo(1, NULL, total), 100000)
    refused(host.aclrtGetMemInfo(1, free, NULL), 100000)
    memory.free()


def test_where_pointers_point() -> None:
    memory, pinned = Buffer(100), create(host.aclrtMallocHost, 100)
    own = ffi.new("char[64]")
    assert [location(memory.pointer + n)[0] for n in (0, 50, 99)] == [1, 1, 1]
    assert [location(pinned + n)[0] for n in (0, 50, 99)] == [0, 0, 0]
    assert location(memory.pointer + 159)[0] == 1  # its padding
    assert location(own)[0] == location(memory.pointer + 160)[0] == 2
    assert location(pointer(1))[0] == location(pointer(2**64 - 1))[0] == 2
    refused(host.aclrtPointerGetAttributes(NULL, ffi.new("aclrtPtrAttributes *")), 100000)
    refused(host.aclrtPointerGetAttributes(own, NULL), 100000)
    memory.free()
    ok(host.aclrtFreeHost(pinned))


def pages(count: int) -> tuple[mmap.mmap, Any]:
    area = mmap.mmap(-1, count * mmap.PAGESIZE)
    return area, ffi.cast("void *", ffi.from_buffer(area))


def test_registering_host_memory() -> None:
    _area, start = pages(3)
    result = ffi.new("void **")
    refused(host.aclrtHostRegister(start + 8, 100, 0, result), 107000, "4096")
    refused(host.aclrtHostRegister(NULL, 100, 0, result), 100000)
    refused(host.aclrtHostRegister(start, 0, 0, result), 100000)
    refused(host.aclrtHostRegister(start, 100, 0, NULL), 100000)
    ok(host.aclrtHostRegister(start, 2 * 4096, 0, result))
    assert location(start)[0] == location(start + 8191)[0] == 0
    assert location(start + 8192)[0] == 2
    refused(host.aclrtHostRegister(start, 4096, 0, result), 507910)
    refused(host.aclrtHostRegister(start + 4096, 4096, 0, result), 507910)
    ok(host.aclrtHostGetDevicePointer(start, result, 0))
    refused(host.aclrtHostGetDevicePointer(start + 8192, result, 0), 107000)
    refused(host.aclrtHostUnregister(start + 4096), 507911)
    refused(host.aclrtHostUnregister(NULL), 100000)
    ok(host.aclrtHostUnregister(start))
    refused(host.aclrtHostUnregister(start), 507911)
    ok(host.aclrtHostRegisterV2(start, 4096, 2))
    refused(host.aclrtHostRegisterV2(start + 4096, 4096, 0), 107000, "'flag'")
    ok(host.aclrtHostUnregister(start))
    del start
    result[0] = NULL


def test_lending_host_memory() -> None:
    """Any alignment; overlapping and repeated ranges are counted."""
    own = ffi.new("char[64]")
    ok(host.aclquantHostRegister(own + 1, 20))
    ok(host.aclquantHostRegister(own + 1, 20))
    ok(host.aclquantHostRegister(own + 3, 30))
    refused(host.aclquantHostUnregister(own + 1, 21), 507911)
    ok(host.aclquantHostUnregister(own + 1, 20))
    ok(host.aclquantHostUnregister(own + 1, 20))
    refused(host.aclquantHostUnregister(own + 1, 20), 507911)
    ok(host.aclquantHostUnregister(own + 3, 30))
    refused(host.aclquantHostRegister(NULL, 8), 100000)


def test_order_of_the_checks_of_a_copy() -> None:
    memory, own = Buffer(64), ffi.new("char[64]")
    for kind in (-1, 6, 7, 2**31 - 1):
        wrong = ffi.cast("aclrtMemcpyKind", kind)
        ok(host.aclrtMemcpy(NULL, 0, NULL, 0, wrong))  # nothing to do comes first
        refused(host.aclrtMemcpy(memory.pointer, 0, own, 8, wrong), 100000, "'kind'")
        refused(host.aclrtMemcpyAsync(memory.pointer, 0, own, 8, wrong, NULL), 100000, "'kind'")
    refused(host.aclrtMemcpy(NULL, 0, own, 8, 7), 100000, "'dst'")
    refused(host.aclrtMemcpy(memory.pointer, 64, NULL, 8, H2D), 100000, "'src'")
    refused(host.aclrtMemcpy(memory.pointer, 7, own, 8, H2D), 107000, "destMax")
    ok(host.aclrtMemcpy(own, 64, own, 64, H2H))
    refused(host.aclrtMemcpy(memory.pointer, 100, own, 97, H2D), 107000, "'dst'", "of 64 bytes")
    refused(host.aclrtMemcpy(own, 64, memory.pointer + 92, 5, D2H), 107000, "'src'")
    memory.free()


@pytest.mark.parametrize("kind", range(6))
def test_a_plain_copy_in_plain_mode_takes_its_direction_from_the_addresses(kind: int) -> None:
    with memory_mode("plain"):
        memory = Buffer(np.arange(16, dtype=np.uint8))
        own = ffi.new("unsigned char[16]")
        ok(host.aclrtMemcpy(own, 16, memory.pointer, 16, kind))
        assert list(own) == list(range(16))
        ok(host.aclrtMemcpy(memory.pointer + 4, 12, memory.pointer, 12, kind))  # overlapping
        assert list(memory.read("uint8")) == [0, 1, 2, 3, *range(12)]
        memory.free()


@pytest.mark.parametrize("kind", range(6))
@pytest.mark.parametrize(("src", "dst"), [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_plain_copy_in_guarded_mode_says_its_direction_rightly(
    src: int, dst: int, kind: int
) -> None:
    right = {(0, 0): {H2H, DEFAULT}, (0, 1): {H2D, DEFAULT, BUFFERED}, (1, 0): {D2H, DEFAULT},
             (1, 1): {D2D, DEFAULT}}  # fmt: skip
    with memory_mode("guarded"):
        first, second = Buffer(np.arange(8, dtype=np.uint8)), Buffer(np.zeros(8, np.uint8))
        own, other = ffi.new("char[8]"), ffi.new("char[8]")
        source, target = (first.pointer if src else own), (second.pointer if dst else other)
        status = host.aclrtMemcpy(target, 8, source, 8, kind)
        if kind in right[src, dst]:
            ok(status)
        else:
            refused(status, 107000, f"src loc type={src}, dst loc type={dst}, kind={kind}")
            assert not second.read("uint8").any() and bytes(ffi.buffer(other)) == bytes(8)
        first.free()
        second.free()


@pytest.mark.parametrize(
    ("src", "dst", "kind"),
    [(0, 0, H2D), (0, 0, D2D), (0, 1, D2H), (0, 1, D2D), (1, 0, H2D), (1, 0, D2D),
     (1, 1, H2D), (1, 1, D2H), (1, 1, BUFFERED), (1, 0, H2H)],
)  # fmt: skip
def test_direction_of_an_asynchronous_copy(src: int, dst: int, kind: int) -> None:
    """Demand E1: the text that CANN's users search for."""
    first, second, own, other = Buffer(8), Buffer(8), ffi.new("char[8]"), ffi.new("char[8]")
    source, target = (first.pointer if src else own), (second.pointer if dst else other)
    refused(
        host.aclrtMemcpyAsync(target, 8, source, 8, kind, NULL), 107000,
        f"src loc type={src}, dst loc type={dst}, kind={kind} is invalid",
    )  # fmt: skip
    first.free()
    second.free()


def test_asynchronous_copies_stay_in_order() -> None:
    """Page-locked memory is read when its turn comes, ordinary memory before the call ends."""
    memory, pinned = Buffer(4), create(host.aclrtMallocHost, 4)
    view = ffi.cast("unsigned char *", pinned)
    with stream() as on:
        with stalled(on):
            view[0] = 1
            ok(host.aclrtMemcpyAsync(memory.pointer, 4, pinned, 4, H2D, on))
            view[0] = 2
        ok(host.aclrtSynchronizeStream(on))
        assert memory.read("uint8")[0] == 2
        own = ffi.new("unsigned char[4]", [3, 0, 0, 0])
        with stalled(on):
            ok(host.aclrtMemcpyAsync(memory.pointer, 4, own, 4, BUFFERED, on))
            own[0] = 4
        ok(host.aclrtSynchronizeStream(on))
        assert memory.read("uint8")[0] == 3
        ok(host.aclrtMemcpyAsync(memory.pointer, 4, own, 4, H2D, on))
        assert memory.read("uint8")[0] == 4
        back = ffi.new("unsigned char[4]")
        ok(host.aclrtMemsetAsync(memory.pointer, 4, 9, 4, on))
        ok(host.aclrtMemcpyAsync(back, 4, memory.pointer, 4, D2H, on))
        assert list(back) == [9] * 4
        refused(host.aclrtMemcpyAsync(back, 4, own, 4, H2H, on), 207000)
    memory.free()
    ok(host.aclrtFreeHost(pinned))


@pytest.mark.parametrize("what", ["memset", "source", "target", "2d", "buffered"])
def test_memory_freed_under_a_queued_copy(what: str) -> None:
    memory, other, own = Buffer(64), Buffer(64), ffi.new("char[64]")
    gone, kept = memory.pointer, other.pointer
    calls: dict[str, Callable[[Any], int]] = {
        "memset": lambda on: host.aclrtMemsetAsync(gone, 64, 1, 64, on),
        "source": lambda on: host.aclrtMemcpyAsync(kept, 64, gone, 64, D2D, on),
        "target": lambda on: host.aclrtMemcpyAsync(gone, 64, kept, 64, D2D, on),
        "2d": lambda on: host.aclrtMemcpy2dAsync(gone, 8, kept, 8, 8, 8, D2D, on),
        "buffered": lambda on: host.aclrtMemcpyAsync(gone, 64, own, 64, BUFFERED, on),
    }
    with stream() as on:
        with stalled(on):
            ok(calls[what](on))
            memory.free()
            again = Buffer(np.zeros(64, np.uint8))  # often at the same address
        refused(host.aclrtSynchronizeStream(on), 507015, "freed after the call", "argument")
        ok(host.aclrtSynchronizeStream(on))
    assert not again.read("uint8").any()
    again.free()
    other.free()


def test_memset() -> None:
    memory, own = Buffer(np.zeros(64, np.uint8)), ffi.new("char[64]")
    ok(host.aclrtMemset(memory.pointer, 64, 5, 0))
    refused(host.aclrtMemset(memory.pointer, 10, 5, 11), 107000, "maxCount")
    refused(host.aclrtMemset(NULL, 10, 5, 1), 100000)
    refused(host.aclrtMemset(memory.pointer, 100, 5, 97), 107000, "of 64 bytes")
    refused(host.aclrtMemset(own, 64, 5, 64), 107000, "does not know")
    refused(host.aclrtMemsetAsync(own, 64, 5, 64, NULL), 107000, "does not know")
    assert not memory.read("uint8").any()
    pinned = create(host.aclrtMallocHost, 8)
    ok(host.aclrtMemset(pinned, 8, 6, 8))
    assert bytes(ffi.buffer(pinned, 8)) == b"\6" * 8
    ok(host.aclrtFreeHost(pinned))
    memory.free()


@pytest.mark.parametrize("asynchronous", [False, True])
def test_two_dimensional_copy(asynchronous: bool) -> None:
    def copy(*arguments: Any) -> int:
        if asynchronous:
            return int(host.aclrtMemcpy2dAsync(*arguments, NULL))
        return int(host.aclrtMemcpy2d(*arguments))

    source, target = Buffer(np.arange(20, dtype=np.uint8)), Buffer(np.zeros(24, np.uint8))
    own = ffi.new("unsigned char[64]")
    ok(copy(target.pointer, 6, source.pointer, 5, 3, 4, D2D))
    ok(host.aclrtSynchronizeStream(NULL))
    expected = np.zeros((4, 6), np.uint8)
    expected[:, :3] = np.arange(20).reshape(4, 5)[:, :3]
    assert np.array_equal(target.read("uint8", (4, 6)), expected)
    ok(copy(NULL, 1, NULL, 1, 0, 5, D2D))
    ok(copy(NULL, 1, NULL, 1, 5, 0, D2D))
    refused(copy(NULL, 6, source.pointer, 5, 3, 4, D2D), 100000)
    refused(copy(target.pointer, 2, source.pointer, 5, 3, 4, D2D), 100000, "'width'")
    refused(copy(target.pointer, 6, source.pointer, 2, 3, 4, D2D), 100000, "'width'")
    for kind in (H2H, DEFAULT, 5, 6):
        refused(copy(target.pointer, 6, source.pointer, 5, 3, 4, kind), 100000, "'kind'")
    refused(copy(target.pointer, 6, own, 6, 3, 4, D2D), 107000, "loc type")
    refused(copy(target.pointer, 6, source.pointer, 5, 3, 15, D2D), 107000)  # outside
    refused(copy(target.pointer, 2**63, source.pointer, 2**63, 3, 5, D2D), 107000)
    ok(copy(own, 6, target.pointer, 6, 6, 4, D2H))
    ok(host.aclrtSynchronizeStream(NULL))
    assert bytes(ffi.buffer(own, 24)) == expected.tobytes()
    if asynchronous:
        refused(copy(target.pointer, 2**33, source.pointer, 2**33, 5000001, 1, D2D), 107000)
    source.free()
    target.free()


def test_a_copy_reports_what_failed_on_the_context() -> None:
    with job() as work, stream() as on:
        size, executor = work.prepare()
        ok(host.aclSetRawTensorAddr(work.tx, pointer(64)))
        ok(work.launch(size, executor, on))
        ok(host.aclrtSynchronizeStreamWithTimeout(NULL, 5000))
        own = ffi.new("char[4]")
        status = 0
        for _ in range(1000):
            status = status or host.aclrtMemcpy(own, 4, work.y.pointer, 4, D2H)
        refused(status, 507015, "'x'")
        ok(host.aclrtSynchronizeStream(on))
        ok(host.aclSetRawTensorAddr(work.tx, work.x.pointer))


@pytest.mark.skipif(SANITIZED, reason="the sanitizer needs the addresses itself")
def test_no_memory_on_the_host() -> None:
    """Under RLIMIT_AS: refusals, no crash, and everything works again."""
    run_python("""
import resource
from helpers.native import *
ok(host.aclrtSetDevice(0))
ok(host.aclquantSetMemoryLimit(2**62))
with job() as work, stream() as on:
    ok(work.run(on))
    ok(host.aclrtSynchronizeStream(on))
    used = address_space()
    resource.setrlimit(resource.RLIMIT_AS, (used + (96 << 20), resource.RLIM_INFINITY))
    result, blocks = ffi.new("void **"), []
    for allocate, release in ((lambda n: host.aclrtMalloc(result, n, 0), host.aclrtFree),
                              (lambda n: host.aclrtMallocHost(result, n), host.aclrtFreeHost)):
        for size in (1 << 30, 1 << 20, 1 << 12):
            while (status := allocate(size)) == 0:
                blocks.append(result[0])
                assert len(blocks) < 100000
            assert status in (207001, 200000), status
            message()
        for block in blocks:
            ok(release(block))
        blocks.clear()
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    ok(work.run(on))
    ok(host.aclrtSynchronizeStream(on))
    assert work.result() == work.EXPECTED
""")


@pytest.mark.skipif(SANITIZED, reason="the sanitizer needs the addresses itself")
def test_no_memory_in_a_kernel_of_two_threads() -> None:
    """What a thread of the pool could not allocate fails the call, and the next one works."""
    run_python("""
import resource
import numpy as np
import aclquant as aq
from helpers.native import *
host.aclquantSetThreadCount(2)
columns = 1 << 22
x = np.ones((8, columns), np.float16)
out = np.empty(x.shape, np.int8), np.empty(columns, np.float32)
aq.dynamic_quant(x[:, :4096].copy(), quant_mode="perchannel")
used = address_space()
# Enough for the memory that all threads share (64 MiB), not for that of each thread (48 MiB).
resource.setrlimit(resource.RLIMIT_AS, (used + (80 << 20), resource.RLIM_INFINITY))
try:
    aq.dynamic_quant(x, quant_mode="perchannel", out=out)
    raise SystemExit("no error")
except aq.AclError as error:
    assert "bad_alloc" in str(error), error
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
y, scale = aq.dynamic_quant(x, quant_mode="perchannel", out=out)[:2]
assert (y == 127).all() and (scale == np.float32(1 / 127)).all(), (y, scale)
""")


PADDED = [
    ("aclrtMalloc", 12, 64), ("aclrtMalloc", 32, 64), ("aclrtMalloc", 33, 96),
    ("aclrtMallocCached", 1, 64), ("aclrtMallocAlign32", 1, 32), ("aclrtMallocAlign32", 33, 64),
]  # fmt: skip


@pytest.mark.parametrize(("name", "asked", "legal"), PADDED)
@pytest.mark.parametrize("mode", ["guarded", "plain"])
def test_padding_may_be_touched(name: str, asked: int, legal: int, mode: str) -> None:
    """abi_and_codes F2: ALIGN_UP(size, 32) + 32 bytes, or ALIGN_UP(size, 32)."""
    with memory_mode(mode), stream() as on:
        made = create(getattr(host, name), asked, 0)
        back = ffi.new("char[]", legal + 1)
        ok(host.aclrtMemset(made, legal, 5, legal))
        ok(host.aclrtMemsetAsync(made, legal, 7, legal, on))
        ok(host.aclrtSynchronizeStream(on))
        ok(host.aclrtMemcpy(back, legal, made, legal, D2H))
        assert ffi.buffer(back, legal)[:] == b"\7" * legal
        words = f"{asked} bytes ({legal} with its padding)" if asked != legal else f"{asked} bytes"
        refused(host.aclrtMemset(made, legal + 1, 5, legal + 1), 107000, words)
        refused(host.aclrtMemcpy(back, legal + 1, made, legal + 1, D2H), 107000, words)
        ok(host.aclrtFree(made))


@pytest.mark.parametrize(("name", "asked", "legal"), PADDED)
def test_strict_memory_has_the_size_that_was_asked_for(name: str, asked: int, legal: int) -> None:
    with memory_mode("strict"):
        made = create(getattr(host, name), asked, 0)
        ok(host.aclrtMemset(made, asked, 5, asked))
        refused(host.aclrtMemset(made, legal, 5, asked + 1), 107000, f"of {asked} bytes")
        ok(host.aclrtFree(made))


@pytest.mark.parametrize(("mode", "code"), [("guarded", 0), ("strict", 507015)])
def test_trans_quant_param_writes_24_bytes_to_12(mode: str, code: int) -> None:
    """abi_and_codes F2: CANN's examples allocate 4 bytes for each of 3 numbers of 8."""
    with memory_mode(mode), stream() as on:
        scale, out = Buffer(np.float32([1, 2, 3])), create(host.aclrtMalloc, 12, 0)
        tensors = [tensor([3], "float32", scale.pointer), tensor([3], 10, out)]
        size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
        ok(
            host.aclnnTransQuantParamV2GetWorkspaceSize(
                tensors[0], NULL, tensors[1], size, executor
            )
        )
        workspace = Buffer(int(size[0]))
        ok(host.aclnnTransQuantParamV2(workspace.pointer, size[0], executor[0], on))
        status = host.aclrtSynchronizeStream(on)
        if code:
            refused(status, code, "'out'", "12 bytes")
        else:
            ok(status)
            result = np.zeros(3, np.uint64)
            ok(host.aclrtMemcpy(ffi.from_buffer(result), 24, out, 24, D2H))
            assert (result & 0xFFFFFFFF).astype(np.uint32).view(np.float32).tolist() == [1, 2, 3]
        for made in tensors:
            ok(host.aclDestroyTensor(made))
        ok(host.aclrtFree(out))
        for buffer in (scale, workspace):
            buffer.free()
