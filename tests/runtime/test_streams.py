"""Streams: orders, questions, failures."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.native import (
    NULL,
    Buffer,
    Job,
    counters,
    create,
    ffi,
    host,
    job,
    message,
    ok,
    pointer,
    refused,
    stalled,
    stream,
)

DEADLINE = 30.0


def idle(on: Any) -> bool:
    status = ffi.new("aclrtStreamStatus *")
    ok(host.aclrtStreamQuery(on, status))
    return int(status[0]) == 0


class Gate:
    """A host function that holds its stream until it is opened."""

    def __init__(self) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()
        self.function = ffi.callback("void (void *)", self._run)

    def _run(self, _: Any) -> None:
        self.entered.set()
        self.opened.wait(DEADLINE)


def test_query_tells_the_truth_while_the_last_task_runs() -> None:
    """Peers' bug 8: "done" is said only when it is."""
    with stream() as on:
        assert idle(on)
        gate = Gate()
        ok(host.aclrtLaunchHostFunc(on, gate.function, NULL))
        assert gate.entered.wait(DEADLINE)
        assert not idle(on)  # the queue is empty, the task is not over
        refused(host.aclrtSynchronizeStreamWithTimeout(on, 20), 507046, "20 ms")
        gate.opened.set()
        ok(host.aclrtSynchronizeStream(on))
        assert idle(on)


def test_stalled_work_waits() -> None:
    with job() as work, stream() as on:
        with stalled(on):
            assert idle(on)
            ok(work.run(on))
            assert not idle(on)
            assert counters()["queuedTasks"] == 1
            assert work.result() == [0, 0, 0, 0]  # a plain copy does not wait for other streams
            refused(host.aclrtSynchronizeStreamWithTimeout(on, 5), 507046)
        ok(host.aclrtSynchronizeStreamWithTimeout(on, 10000))
        assert idle(on) and counters()["queuedTasks"] == 0
        assert work.result() == Job.EXPECTED


def test_tasks_run_in_order() -> None:
    order = []
    pinned = create(host.aclrtMallocHost, 64)
    view = ffi.cast("unsigned char *", pinned)

    @ffi.callback("void (void *)")  # type: ignore[untyped-decorator]
    def note(argument: Any) -> None:
        order.append((int(ffi.cast("uintptr_t", argument)), int(view[0])))

    with stream() as on:
        for number in range(100):
            ok(host.aclrtMemsetAsync(pinned, 64, number, 64, on))
            ok(host.aclrtLaunchHostFunc(on, note, pointer(number)))
        ok(host.aclrtSynchronizeStream(on))
    assert order == [(number, number) for number in range(100)]
    ok(host.aclrtFreeHost(pinned))


def test_null_is_the_default_stream() -> None:
    default = create(host.aclrtCtxGetCurrentDefaultStream)
    ids = [ffi.new("int32_t *"), ffi.new("int32_t *")]
    ok(host.aclrtStreamGetId(NULL, ids[0]))
    ok(host.aclrtStreamGetId(default, ids[1]))
    assert ids[0][0] == ids[1][0] >= 0
    with job() as work:
        with stalled(NULL):
            ok(work.run(NULL))
            assert not idle(default)
        ok(host.aclrtSynchronizeStream(default))
        assert work.result() == Job.EXPECTED
    refused(host.aclrtDestroyStream(NULL), 100000)
    refused(host.aclrtDestroyStreamForce(NULL), 100000)


def test_timeouts() -> None:
    for timeout in (0, -2, -(2**31)):
        refused(host.aclrtSynchronizeStreamWithTimeout(NULL, timeout), 107000, "'timeout'")
        refused(host.aclrtSynchronizeDeviceWithTimeout(timeout), 107000, "'timeout'")
    for timeout in (-1, 1, 2**31 - 1):
        ok(host.aclrtSynchronizeStreamWithTimeout(NULL, timeout))
        ok(host.aclrtSynchronizeDeviceWithTimeout(timeout))
    with stream() as on, job() as work, stalled(on):
        ok(work.run(on))
        refused(host.aclrtSynchronizeDeviceWithTimeout(5), 507046)


def test_another_contexts_stream_is_refused() -> None:
    context = ffi.new("void **")
    ok(host.aclrtGetCurrentContext(context))
    with stream() as on, job() as work:
        made = create(host.aclrtCreateContext, 0)
        call: Callable[[], int]
        for call in (
            lambda: host.aclrtSynchronizeStream(on),
            lambda: host.aclrtStreamQuery(on, ffi.new("aclrtStreamStatus *")),
            lambda: host.aclrtDestroyStream(on),
            lambda: host.aclrtMemsetAsync(work.x.pointer, 4, 0, 4, on),
        ):
            refused(call(), 107003, "current context")
        assert work.run(on) == 361001
        assert "107003" in message()
        ok(host.aclrtDestroyContext(made))
        ok(host.aclrtSetCurrentContext(context[0]))


def test_destroyed_and_foreign_handles() -> None:
    made = create(host.aclrtCreateStream)
    ok(host.aclrtDestroyStream(made))
    event = create(host.aclrtCreateEvent)
    for handle in (made, event, pointer(1), pointer(2**64 - 1), made + 8):
        call: Callable[[], int]
        for call in (
            lambda h=handle: host.aclrtSynchronizeStream(h),
            lambda h=handle: host.aclrtDestroyStream(h),
            lambda h=handle: host.aclrtDestroyStreamForce(h),
            lambda h=handle: host.aclrtStreamAbort(h),
            lambda h=handle: host.aclrtRecordEvent(event, h),
            lambda h=handle: host.aclrtStreamWaitEvent(h, event),
            lambda h=handle: host.aclquantStallStream(h),
        ):
            refused(call(), 107017, "'stream'")
    ok(host.aclrtDestroyEvent(event))


def test_destroy_waits_and_force_drops() -> None:
    with job() as work:
        made = create(host.aclrtCreateStream)
        ok(host.aclquantStallStream(made))
        ok(work.run(made))
        ok(host.aclrtDestroyStream(made))
        assert work.result() == Job.EXPECTED
    with job() as work:
        made = create(host.aclrtCreateStream)
        ok(host.aclquantStallStream(made))
        ok(work.run(made))
        ok(host.aclrtDestroyStreamForce(made))
        assert work.result() == [0, 0, 0, 0]


def test_abort_discards_and_wakes_those_who_wait() -> None:
    context = ffi.new("void **")
    ok(host.aclrtGetCurrentContext(context))
    statuses: list[int] = []
    with job() as work, stream() as on:
        with stalled(on):
            ok(work.run(on))

            def wait() -> None:
                ok(host.aclrtSetCurrentContext(context[0]))
                statuses.append(host.aclrtSynchronizeStream(on))

            waiter = threading.Thread(target=wait)
            waiter.start()
            time.sleep(0.05)
            ok(host.aclrtStreamAbort(on))
            waiter.join(DEADLINE)
            assert statuses == [107023]
        ok(host.aclrtSynchronizeStream(on))
        assert work.result() == [0, 0, 0, 0]
        ok(work.run(on))  # it goes on working
        ok(host.aclrtSynchronizeStream(on))
        assert work.result() == Job.EXPECTED


@pytest.mark.parametrize("stop", [False, True])
def test_failure_modes(stop: bool) -> None:
    memory = Buffer(np.zeros(8, np.uint8))
    with job() as work, stream() as on:
        if stop:
            ok(host.aclrtSetStreamFailureMode(on, 1))
        size, executor = work.prepare()
        ok(host.aclSetInputTensorAddr(executor, 0, work.tx, pointer(64)))  # memory without an owner
        with stalled(on):
            ok(work.launch(size, executor, on))
            ok(host.aclrtMemsetAsync(memory.pointer, 8, 7, 8, on))
        deadline = time.monotonic() + DEADLINE
        while not idle(on) and time.monotonic() < deadline:
            time.sleep(0.001)
        refused_now = host.aclrtMemsetAsync(memory.pointer, 8, 9, 1, on)
        assert refused_now == (107023 if stop else 0)
        message()
        refused(host.aclrtSynchronizeStream(on), 507015, "aclnnAscendQuantV3", "'x'")
        assert list(memory.read("uint8")) == [0] * 8 if stop else [9] + [7] * 7
        ok(host.aclrtSynchronizeStream(on))  # reported once
        ok(host.aclrtMemsetAsync(memory.pointer, 8, 3, 8, on))
        ok(host.aclrtSynchronizeStream(on))
        assert list(memory.read("uint8")) == [3] * 8
        ok(host.aclSetRawTensorAddr(work.tx, work.x.pointer))
    memory.free()


def test_functions_that_are_told_of_failures() -> None:
    """In the thread that ran the task, with the numbers of stream and device; until they leave."""
    told: list[tuple[str, int, int, int, int, int]] = []

    def callback(name: str) -> Any:
        def call(info: Any) -> None:
            numbers = (
                getattr(host, f"aclrtGet{what}FromExceptionInfo")(info)
                for what in ("TaskId", "StreamId", "ThreadId", "DeviceId", "ErrorCode")
            )
            told.append((name, *numbers))

        return ffi.callback("void(aclrtExceptionInfo *)", call)

    first, second = callback("first"), callback("second")
    ok(host.aclrtSetExceptionInfoCallback(first))
    ok(host.aclrtExceptionInfoCallbackRegister(second))
    ok(host.aclrtExceptionInfoCallbackRegister(second))  # once is enough
    try:
        with job() as work, stream() as on:
            number = ffi.new("int32_t *")
            ok(host.aclrtStreamGetId(on, number))

            def fail() -> None:
                size, executor = work.prepare()
                ok(host.aclSetInputTensorAddr(executor, 0, work.tx, pointer(64)))
                ok(work.launch(size, executor, on))
                refused(host.aclrtSynchronizeStream(on), 507015, "'x'")

            fail()
            assert [name for name, *_ in told] == ["first", "second"]
            _, task, stream_id, thread, device, code = told[0]
            assert (task, stream_id, device, code) == (1, number[0], 0, 507015) and thread > 0
            ok(host.aclrtSetExceptionInfoCallback(NULL))
            fail()
            assert [name for name, *_ in told[2:]] == ["second"] and told[2][1] == 2
            ok(host.aclrtExceptionInfoCallbackUnregister(second))
            ok(host.aclrtExceptionInfoCallbackUnregister(second))
            fail()
            assert len(told) == 3
            ok(host.aclSetRawTensorAddr(work.tx, work.x.pointer))
    finally:
        ok(host.aclrtSetExceptionInfoCallback(NULL))
        ok(host.aclrtExceptionInfoCallbackUnregister(second))
    refused(host.aclrtExceptionInfoCallbackRegister(NULL), 107000, "'callback'")
    refused(host.aclrtExceptionInfoCallbackUnregister(NULL), 107000, "'callback'")
    assert host.aclrtGetTaskIdFromExceptionInfo(NULL) == 0xFFFFFFFF
    assert message()


def test_failure_mode_is_set_once() -> None:
    with stream() as on:
        refused(host.aclrtSetStreamFailureMode(on, 2), 107000)
        ok(host.aclrtSetStreamFailureMode(on, 0))
        assert host.aclrtSetStreamFailureMode(on, 1) != 0
        assert message()


def test_properties() -> None:
    made = create(host.aclrtCreateStreamWithConfig, 5, 0x3)
    number = ffi.new("uint32_t *")
    ok(host.aclrtStreamGetPriority(made, number))
    assert number[0] == 5
    ok(host.aclrtStreamGetFlags(made, number))
    assert number[0] == 3
    ok(host.aclrtGetStreamOverflowSwitch(made, number))
    assert number[0] == 0
    ok(host.aclrtSetStreamOverflowSwitch(made, 1))
    ok(host.aclrtGetStreamOverflowSwitch(made, number))
    assert number[0] == 1
    refused(host.aclrtSetStreamOverflowSwitch(made, 2), 107000)
    refused(host.aclrtStreamGetPriority(made, NULL), 100000)
    refused(host.aclrtStreamQuery(made, NULL), 100000)
    refused(host.aclrtStreamGetId(made, NULL), 100000)
    refused(host.aclrtCreateStream(NULL), 100000)
    ok(host.aclrtDestroyStream(made))


def test_host_functions() -> None:
    refused(host.aclrtLaunchHostFunc(NULL, NULL, NULL), 100000, "'fn'")
    seen: list[tuple[int, int]] = []

    @ffi.callback("void (void *)")  # type: ignore[untyped-decorator]
    def note(argument: Any) -> None:
        seen.append((int(ffi.cast("uintptr_t", argument)), threading.get_ident()))

    with stream() as on:
        ok(host.aclrtLaunchHostFunc(on, note, pointer(77)))
        ok(host.aclrtSynchronizeStream(on))
    assert seen[0][0] == 77
    assert seen[0][1] != threading.get_ident()  # a thread of the runtime


def test_streams_run_out_and_come_back() -> None:
    """1984 per device, the default stream included."""
    spare = 1984 - counters()["streams"]
    made = [create(host.aclrtCreateStream) for _ in range(spare)]
    refused(host.aclrtCreateStream(ffi.new("void **")), 207008)
    ok(host.aclrtDestroyStream(made.pop()))
    made.append(create(host.aclrtCreateStream))
    for handle in made:
        ok(host.aclrtDestroyStream(handle))


def test_a_stalled_streams_queue_is_finite() -> None:
    """Somebody who never resumes gets an error, not all the memory."""
    memory = Buffer(64)
    with stream() as on:
        with stalled(on):
            statuses = [host.aclrtMemsetAsync(memory.pointer, 64, 1, 64, on) for _ in range(5000)]
            assert statuses[:1000] == [0] * 1000
            assert statuses[-1] != 0 and "stalled" in message()
        ok(host.aclrtSynchronizeStream(on))
    memory.free()


def test_force_destroy_of_a_stream_that_waits_for_an_event() -> None:
    """What it waits for may never come: destroying must not wait for it too."""
    with stream() as held, job() as work:
        event = create(host.aclrtCreateEventExWithFlag, 1)
        waiting = create(host.aclrtCreateStream)
        with stalled(held):
            ok(work.run(held))
            ok(host.aclrtRecordEvent(event, held))
            ok(host.aclrtStreamWaitEvent(waiting, event))
            time.sleep(0.02)
            context, statuses = ffi.new("void **"), []
            ok(host.aclrtGetCurrentContext(context))

            def destroy() -> None:
                ok(host.aclrtSetCurrentContext(context[0]))
                statuses.append(host.aclrtDestroyStreamForce(waiting))

            thread = threading.Thread(target=destroy)
            thread.start()
            thread.join(2)
            hangs = thread.is_alive()
        thread.join(DEADLINE)
        ok(host.aclrtDestroyEvent(event))
        ok(host.aclrtSynchronizeStream(held))
        assert not hangs
        assert statuses == [0]


@pytest.mark.parametrize(
    ("attribute", "member", "values", "wrong"),
    [
        (1, "failureMode", [1], 2),
        (2, "overflowSwitch", [1, 0], 2),
        (3, "userCustomTag", [7, 2**32 - 1], None),
        (4, "cacheOpInfoSwitch", [1, 0], 2),
        (5, "streamPriority", [3], None),
    ],
)
def test_attributes(attribute: int, member: str, values: list[int], wrong: int | None) -> None:
    with stream() as on:
        value = ffi.new("aclrtStreamAttrValue *")
        for number in values:
            setattr(value, member, number)
            ok(host.aclrtSetStreamAttribute(on, attribute, value))
            read = ffi.new("aclrtStreamAttrValue *")
            ok(host.aclrtGetStreamAttribute(on, attribute, read))
            assert getattr(read, member) == number
        if wrong is not None:
            setattr(value, member, wrong)
            refused(host.aclrtSetStreamAttribute(on, attribute, value), 107000, f"got {wrong}")


def test_attributes_that_do_not_exist() -> None:
    with stream() as on:
        value = ffi.new("aclrtStreamAttrValue *")
        for function in (host.aclrtSetStreamAttribute, host.aclrtGetStreamAttribute):
            refused(function(on, 4, NULL), 100000, "'value'")
            refused(function(on, 6, value), 107000, "'stmAttrType'")
        value.failureMode = 1
        ok(host.aclrtSetStreamAttribute(on, 1, value))
        refused(host.aclrtSetStreamFailureMode(on, 0), 107000, "once")


@pytest.mark.parametrize("block", [0, 1])
def test_callbacks_run_in_the_subscribed_thread(block: int) -> None:
    calls: list[int] = []
    function = ffi.callback("void(void *)", lambda _: calls.append(threading.get_ident()))
    with stream() as on:
        refused(host.aclrtLaunchCallback(function, NULL, block, on), 107015)
        ready, finish = threading.Event(), threading.Event()
        identity: list[int] = []

        def serve() -> None:
            ok(host.aclrtSetDevice(0))
            identity.append(threading.get_ident())
            refused(host.aclrtProcessReport(10), 107012)
            ready.set()
            while not finish.is_set():
                status = host.aclrtProcessReport(20)
                assert status in (0, 507012, 107012)
                message()
            ok(host.aclrtResetDevice(0))

        thread = threading.Thread(target=serve)
        thread.start()
        assert ready.wait(10)
        ok(host.aclrtSubscribeReport(identity[0], on))
        refused(host.aclrtSubscribeReport(identity[0], on), 107011)
        for _ in range(3):
            ok(host.aclrtLaunchCallback(function, NULL, block, on))
        ok(host.aclrtSynchronizeStream(on))
        if block:
            assert len(calls) == 3
        for _ in range(200):
            if len(calls) == 3:
                break
            time.sleep(0.01)
        assert calls == identity * 3
        ok(host.aclrtUnSubscribeReport(identity[0], on))
        refused(host.aclrtUnSubscribeReport(identity[0], on), 107012)
        finish.set()
        thread.join()
    refused(host.aclrtLaunchCallback(NULL, NULL, 0, NULL), 100000, "'fn'")
    refused(host.aclrtProcessReport(0), 100000, "'timeout'")


def test_values_in_memory_order_streams() -> None:
    with stream() as on, stream() as other:
        cell = Buffer(np.zeros(32, np.uint8))
        target = Buffer(np.zeros(1, np.uint8))
        ok(host.aclrtValueWait(cell.pointer, 5, 1, on))
        ok(host.aclrtMemsetAsync(target.pointer, 1, 9, 1, on))
        ok(host.aclrtValueWrite(cell.pointer, 4, 0, other))
        time.sleep(0.02)
        assert target.read("uint8")[0] == 0
        ok(host.aclrtValueWrite(cell.pointer, 5, 0, other))
        ok(host.aclrtSynchronizeStream(on))
        assert target.read("uint8")[0] == 9
        for value, condition in ((4, 0), (5, 0), (1, 2), (2, 3)):  # >=, >=, &, nor
            ok(host.aclrtValueWait(cell.pointer, value, condition, on))
        ok(host.aclrtSynchronizeStreamWithTimeout(on, 10000))
        refused(host.aclrtValueWait(cell.pointer, 1, 4, on), 107000, "'flag'")
        refused(host.aclrtValueWrite(cell.pointer, 1, 1, on), 107000, "'flag'")
        refused(host.aclrtValueWrite(cell.pointer + 4, 1, 0, on), 107000, "'devAddr'")
        refused(host.aclrtValueWait(ffi.new("char[8]"), 1, 1, on), 107000, "'devAddr'")
        ok(host.aclrtValueWait(cell.pointer, 77, 1, on))
        ok(host.aclrtStreamAbort(on))  # ends the wait
        ok(host.aclrtSynchronizeStream(on))
        for buffer in (cell, target):
            buffer.free()


def test_a_function_of_a_stream_cannot_wait_for_the_stream() -> None:
    """A task of the stream that waits for the stream or destroys it would hang: it is refused."""
    answers: list[Any] = []
    with stream() as on:

        def inside(_: Any) -> None:
            ok(host.aclrtSetDevice(0))
            for call in (
                lambda: host.aclrtSynchronizeStream(on),
                lambda: host.aclrtSynchronizeStreamWithTimeout(on, 1000),
                lambda: host.aclrtSynchronizeDevice(),
                lambda: host.aclrtDestroyStream(on),
            ):
                answers.append((call(), message()))
            ok(host.aclrtResetDevice(0))

        function = ffi.callback("void(void *)", inside)
        ok(host.aclrtLaunchHostFunc(on, function, NULL))
        ok(host.aclrtSynchronizeStream(on))
    assert [code for code, _ in answers] == [507004] * 4
    assert all("the stream runs" in text for _, text in answers)
