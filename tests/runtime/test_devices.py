"""Devices and contexts: counted, per thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from helpers.native import (
    NULL,
    Buffer,
    counters,
    create,
    ffi,
    host,
    job,
    message,
    ok,
    pointer,
    refused,
)
from helpers.processes import run_python

START = "from helpers.native import *\n"


def in_thread(work: Callable[[], None]) -> None:
    """Run in a fresh thread, which has no context, and pass its failure on."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    if failures:
        raise failures[0]


def current_device() -> int:
    number = ffi.new("int32_t *")
    ok(host.aclrtGetDevice(number))
    return int(number[0])


def current_context() -> Any:
    context = ffi.new("void **")
    ok(host.aclrtGetCurrentContext(context))
    return context[0]


def test_a_fresh_thread_has_no_context() -> None:
    """Demand E4: the text says what is missing."""

    def work() -> None:
        call: Callable[[], int]
        for call in (
            lambda: host.aclrtGetDevice(ffi.new("int32_t *")),
            lambda: host.aclrtGetCurrentContext(ffi.new("void **")),
            lambda: host.aclrtMalloc(ffi.new("void **"), 8, 0),
            lambda: host.aclrtMallocHost(ffi.new("void **"), 8),
            lambda: host.aclrtCreateStream(ffi.new("void **")),
            lambda: host.aclrtCreateEvent(ffi.new("void **")),
            lambda: host.aclrtSynchronizeDevice(),
            lambda: host.aclrtSynchronizeStream(NULL),
            lambda: host.aclrtGetMemInfo(1, ffi.new("size_t *"), ffi.new("size_t *")),
            lambda: host.aclrtMemcpy(own, 8, memory.pointer, 8, 2),
            lambda: host.aclrtMemcpyAsync(own, 8, memory.pointer, 8, 2, NULL),
            lambda: host.aclrtMemset(memory.pointer, 8, 0, 8),
            lambda: host.aclrtMemsetAsync(memory.pointer, 8, 0, 8, NULL),
            lambda: host.aclrtRecordEvent(event, NULL),
            lambda: host.aclrtStreamWaitEvent(NULL, event),
        ):
            refused(call(), 107002, "aclrtSetDevice", "thread")
        assert work_of.launch(size, executor, NULL) == 361001  # phase 2
        assert "aclrtSetDevice" in message()

    own, memory, event = ffi.new("char[8]"), Buffer(8), create(host.aclrtCreateEvent)
    with job() as work_of:
        size, executor = work_of.prepare()
        work_of.workspace = Buffer(size)
        in_thread(work)
    ok(host.aclrtDestroyEvent(event))
    memory.free()


def test_threads_share_the_primary_context() -> None:
    mine = current_context()

    def work() -> None:
        ok(host.aclrtSetDevice(0))
        assert current_context() == mine
        ok(host.aclrtResetDevice(0))
        assert current_context() == mine  # the other thread still holds it

    in_thread(work)


def test_reset_counts() -> None:
    run_python(
        START
        + """
for _ in range(3):
    ok(host.aclrtSetDevice(0))
active, flags = ffi.new("int32_t *"), ffi.new("uint32_t *")
for expected in (1, 1, 0):
    ok(host.aclrtResetDevice(0))
    ok(host.aclrtGetPrimaryCtxState(0, flags, active))
    assert active[0] == expected
refused(host.aclrtResetDevice(0), 507007)
refused(host.aclrtGetDevice(ffi.new("int32_t *")), 107002)
ok(host.aclrtSetDevice(0)); ok(host.aclrtSetDevice(0)); ok(host.aclrtResetDevice(0))
ok(host.aclrtResetDeviceForce(0))
refused(host.aclrtResetDeviceForce(0), 507007)
ok(host.aclrtSetDevice(0)); ok(host.aclrtSetDevice(0)); ok(host.aclrtResetDeviceForce(0))
refused(host.aclrtResetDevice(0), 507007)
assert all(value == 0 for value in counters().values()), counters()
"""
    )


def test_reset_waits_and_takes_streams_along() -> None:
    run_python(
        START
        + """
import time
ok(host.aclrtSetDevice(0))
done = []
@ffi.callback("void (void *)")
def slow(_):
    time.sleep(0.1)
    done.append(1)
made = create(host.aclrtCreateStream)
ok(host.aclrtLaunchHostFunc(made, slow, NULL))
ok(host.aclrtResetDevice(0))
assert done and counters()["streams"] == 0
ok(host.aclrtSetDevice(0))
refused(host.aclrtSynchronizeStream(made), 107017)
"""
    )


@pytest.mark.parametrize("number", [-1, 1, 2**31 - 1, -(2**31)])
def test_wrong_device_numbers(number: int) -> None:
    call: Callable[[], int]
    for call in (
        lambda: host.aclrtSetDevice(number),
        lambda: host.aclrtResetDevice(number),
        lambda: host.aclrtResetDeviceForce(number),
        lambda: host.aclrtCreateContext(ffi.new("void **"), number),
        lambda: host.aclrtQueryDeviceStatus(number, ffi.new("aclrtDeviceStatus *")),
        lambda: host.aclrtGetPrimaryCtxState(number, NULL, ffi.new("int32_t *")),
    ):
        refused(call(), 107001, str(number), "0 to 0")
    assert current_device() == 0


def test_several_devices() -> None:
    run_python(
        START
        + """
number = ffi.new("uint32_t *")
ok(host.aclrtGetDeviceCount(number))
assert number[0] == 3
peer = ffi.new("int32_t *")
ok(host.aclrtDeviceCanAccessPeer(peer, 0, 2))
assert peer[0] == 1
refused(host.aclrtDeviceCanAccessPeer(peer, 1, 1), 100000)
refused(host.aclrtDeviceCanAccessPeer(peer, 0, 3), 107001)
ok(host.aclrtSetDevice(1))
ok(host.aclrtDeviceEnablePeerAccess(0, 0))
refused(host.aclrtDeviceEnablePeerAccess(0, 1), 200006)
refused(host.aclrtDeviceEnablePeerAccess(1, 0), 100000)
ok(host.aclrtDeviceDisablePeerAccess(0))
first = create(host.aclrtCreateStream)
memory = Buffer(100)
ok(host.aclrtSetDevice(2))
refused(host.aclrtSynchronizeStream(first), 107003, "device 1")
refused(host.aclrtDestroyStream(first), 107003)
place = ffi.new("aclrtPtrAttributes *")
ok(host.aclrtPointerGetAttributes(memory.pointer + 99, place))
assert (place.location.type, place.location.id) == (1, 1)
free, total = ffi.new("size_t *"), ffi.new("size_t *")
ok(host.aclrtGetMemInfo(1, free, total))
assert free[0] == total[0]  # what device 1 uses does not count here
memory.free()  # from another device's context
with job() as work:
    ok(work.run(NULL))
    ok(host.aclrtSynchronizeStream(NULL))
    assert work.result() == work.EXPECTED
""",
        ACLQUANT_HOST_DEVICES="3",
    )


def test_explicit_contexts() -> None:
    primary = current_context()
    before = counters()["contexts"]
    made = create(host.aclrtCreateContext, 0)
    assert current_context() == made != primary
    assert counters()["contexts"] == before + 1
    ok(host.aclrtSetCurrentContext(primary))
    ok(host.aclrtSetCurrentContext(made))
    ok(host.aclrtSetDevice(0))
    assert current_context() == primary  # the last one wins
    ok(host.aclrtResetDevice(0))

    def work() -> None:
        ok(host.aclrtSetCurrentContext(made))
        assert current_device() == 0

    in_thread(work)
    ok(host.aclrtSetCurrentContext(made))
    ok(host.aclrtDestroyContext(made))
    refused(host.aclrtGetDevice(ffi.new("int32_t *")), 107002)  # it was current
    refused(host.aclrtDestroyContext(made), 107002)
    refused(host.aclrtSetCurrentContext(made), 107000)
    refused(host.aclrtDestroyContext(primary), 107002)
    refused(host.aclrtDestroyContext(NULL), 100000)
    refused(host.aclrtSetCurrentContext(NULL), 100000)
    refused(host.aclrtSetCurrentContext(pointer(12345)), 107000)
    ok(host.aclrtSetCurrentContext(primary))


def test_contexts_have_default_streams_of_their_own() -> None:
    primary = current_context()
    first = create(host.aclrtCtxGetCurrentDefaultStream)
    made = create(host.aclrtCreateContext, 0)
    second = create(host.aclrtCtxGetCurrentDefaultStream)
    assert first != second
    refused(host.aclrtSynchronizeStream(first), 107003, "current context")
    ok(host.aclrtSynchronizeStream(second))
    refused(host.aclrtDestroyStream(second), 107017)
    ok(host.aclrtDestroyContext(made))
    ok(host.aclrtSetCurrentContext(primary))


def test_system_parameters() -> None:
    value = ffi.new("int64_t *")
    made = create(host.aclrtCreateContext, 0)
    refused(host.aclrtCtxGetSysParamOpt(0, value), 107021)
    ok(host.aclrtCtxSetSysParamOpt(0, 1))
    ok(host.aclrtCtxGetSysParamOpt(0, value))
    assert value[0] == 1
    refused(host.aclrtCtxSetSysParamOpt(3, 1), 100000)
    ok(host.aclrtGetSysParamOpt(3, value))
    assert value[0] == 0
    ok(host.aclrtSetSysParamOpt(3, 5))
    ok(host.aclrtGetSysParamOpt(3, value))
    assert value[0] == 5
    ok(host.aclrtSetSysParamOpt(3, 0))
    for option in (4, 2**31 - 1):
        refused(host.aclrtSetSysParamOpt(ffi.cast("aclSysParamOpt", option), 1), 100000)
    refused(host.aclrtGetSysParamOpt(0, NULL), 100000)
    ok(host.aclrtDestroyContext(made))
    ok(host.aclrtSetDevice(0))
    ok(host.aclrtResetDevice(0))


def test_null_results() -> None:
    call: Callable[[], int]
    for call in (
        lambda: host.aclrtGetDevice(NULL),
        lambda: host.aclrtGetDeviceCount(NULL),
        lambda: host.aclrtGetRunMode(NULL),
        lambda: host.aclrtCreateContext(NULL, 0),
        lambda: host.aclrtGetCurrentContext(NULL),
        lambda: host.aclrtQueryDeviceStatus(0, NULL),
        lambda: host.aclrtGetDeviceSatMode(NULL),
        lambda: host.aclrtDeviceCanAccessPeer(NULL, 0, 1),
        lambda: host.aclrtGetPrimaryCtxState(0, NULL, NULL),
        lambda: host.aclquantGetCounters(NULL),
    ):
        refused(call(), 100000, "null")


def test_run_mode_is_host() -> None:
    mode = ffi.new("aclrtRunMode *")
    ok(host.aclrtGetRunMode(mode))
    assert mode[0] == 1
    ok(host.aclrtSetTsDevice(0))
    refused(host.aclrtSetTsDevice(2), 100000)


def test_overflow_mode() -> None:
    mode = ffi.new("aclrtFloatOverflowMode *")
    ok(host.aclrtGetDeviceSatMode(mode))
    assert mode[0] == 1
    ok(host.aclrtSetDeviceSatMode(0))
    ok(host.aclrtGetDeviceSatMode(mode))
    assert mode[0] == 0
    ok(host.aclrtSetDeviceSatMode(1))
    refused(host.aclrtSetDeviceSatMode(2), 100000)
    assert message() == ""


def test_the_overflow_mode_without_a_device() -> None:
    """clients 6.2: MindSpore sets it before a device; it is what devices begin with."""
    run_python(
        """
        from helpers.native import *
        ok(host.aclInit(NULL))
        mode = ffi.new("aclrtFloatOverflowMode *")
        for wanted in (0, 1):
            ok(host.aclrtSetDeviceSatMode(wanted))
            assert host.aclrtGetDeviceSatMode(mode) == 107002
            ok(host.aclrtSetDevice(0))
            ok(host.aclrtGetDeviceSatMode(mode))
            assert mode[0] == wanted
            ok(host.aclrtResetDevice(0))
        refused(host.aclrtSetDeviceSatMode(2), 100000, "'mode'")
        """
    )
