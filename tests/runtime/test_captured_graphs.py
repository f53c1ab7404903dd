"""Captured graphs through the C interface: what is recorded, what is refused, and replays."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    refused,
    stalled,
    stream,
    tensor,
)

GLOBAL, THREAD_LOCAL, RELAXED = 0, 1, 2
SYNC, TIME_LINE, EXTERNAL = 0x1, 0x8, 0x20
H2D, D2H, D2D = 1, 2, 3


def info(on: Any) -> tuple[int, Any]:
    status, graph = ffi.new("aclmdlRICaptureStatus *"), ffi.new("aclmdlRI *")
    ok(host.aclmdlRICaptureGetInfo(on, status, graph))
    return int(status[0]), graph[0]


def end(on: Any) -> Any:
    return create_graph(host.aclmdlRICaptureEnd, on)


def create_graph(function: Any, on: Any) -> Any:
    graph = ffi.new("aclmdlRI *")
    ok(function(on, graph))
    assert graph[0] != NULL
    return graph[0]


def end_refused(on: Any, code: int, *words: str) -> None:
    graph = ffi.new("aclmdlRI *", ffi.cast("void *", 1))
    refused(host.aclmdlRICaptureEnd(on, graph), code, *words)
    assert graph[0] == NULL
    assert info(on) == (0, NULL)


def drop(on: Any) -> None:
    """End a capture that is of no further use."""
    graph = ffi.new("aclmdlRI *")
    if host.aclmdlRICaptureEnd(on, graph) == 0:
        ok(host.aclmdlRIDestroy(graph[0]))
    message()


@contextmanager
def capture(on: Any, mode: int = GLOBAL) -> Iterator[None]:
    """Leaving the block drops the capture, if it still goes on."""
    ok(host.aclmdlRICaptureBegin(on, mode))
    try:
        yield
    finally:
        if info(on)[0]:
            drop(on)


@contextmanager
def events(*flags: int) -> Iterator[list[Any]]:
    """Events that can be recorded again."""
    made = [create(host.aclrtCreateEventExWithFlag, flag) for flag in flags]
    yield made
    for event in made:
        ok(host.aclrtDestroyEvent(event))


@contextmanager
def event(create_function: Any, *arguments: Any) -> Iterator[Any]:
    made = create(create_function, *arguments)
    yield made
    ok(host.aclrtDestroyEvent(made))


@contextmanager
def device(content: Any) -> Iterator[Buffer]:
    made = Buffer(content)
    yield made
    made.free()


def execute(graph: Any, on: Any) -> None:
    ok(host.aclmdlRIExecuteAsync(graph, on))
    ok(host.aclrtSynchronizeStream(on))


def elsewhere(call: Callable[[], Any]) -> Any:
    """The result of a call in another thread that uses the device, and its message."""
    result: list[Any] = []

    def run() -> None:
        ok(host.aclrtSetDevice(0))
        result.append(call())
        result.append(message())
        ok(host.aclrtResetDevice(0))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    return result


def default_stream() -> Any:
    return create(host.aclrtCtxGetCurrentDefaultStream)


def memcpy_sync() -> int:
    """A synchronous copy, from ordinary memory."""
    with device(8) as target:
        return int(host.aclrtMemcpy(target.pointer, 8, ffi.new("char[8]"), 8, H2D))


def test_row_1_begin_on_null_and_on_the_default_stream() -> None:
    refused(host.aclmdlRICaptureBegin(NULL, GLOBAL), 100000, "'stream'")
    refused(host.aclmdlRICaptureBegin(default_stream(), GLOBAL), 207000, "default stream")


def test_row_2_begin_with_an_unknown_mode() -> None:
    with stream() as on:
        refused(host.aclmdlRICaptureBegin(on, 3), 107000, "'mode'", "got 3")


def test_begin_on_streams_that_cannot_be_captured() -> None:
    on = create(host.aclrtCreateStreamWithConfig, 0, 0x4)
    refused(host.aclmdlRICaptureBegin(on, GLOBAL), 507000, "0x4")
    ok(host.aclrtDestroyStream(on))
    refused(host.aclmdlRICaptureBegin(ffi.cast("void *", 64), GLOBAL), 107017, "'stream'")


def test_row_3_begin_twice() -> None:
    with stream() as on, capture(on):
        refused(host.aclmdlRICaptureBegin(on, GLOBAL), 107027, "captured already", "thread")
        assert info(on)[0] == 1


def test_row_4_and_5_info() -> None:
    with stream() as on:
        assert info(on) == (0, NULL)
        refused(host.aclmdlRICaptureGetInfo(on, NULL, NULL), 100000, "'status'")
        refused(host.aclmdlRICaptureGetInfo(NULL, ffi.new("aclmdlRICaptureStatus *"), NULL), 100000)


def test_row_6_the_handle_is_the_same_from_begin_on() -> None:
    with stream() as on:
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        status, during = info(on)
        assert status == 1 and during != NULL
        refused(host.aclmdlRICaptureEnd(on, NULL), 107000, "'modelRI'")
        graph = end(on)
        assert graph == during and info(on) == (0, NULL)
        number = ffi.new("uint32_t *")
        ok(host.aclmdlRIGetId(graph, number))
        ok(host.aclmdlRIDestroy(graph))
        refused(host.aclmdlRIGetId(graph, number), 107017)


def test_row_7_end_without_begin() -> None:
    with stream() as on:
        end_refused(on, 107029, "aclmdlRICaptureBegin")
        refused(host.aclmdlRICaptureEnd(NULL, ffi.new("aclmdlRI *")), 100000)


def test_rows_8_9_43_work_is_recorded_and_replays_read_memory_anew() -> None:
    with stream() as on:
        work = Job()
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        ok(work.run(on))
        for made in (work.tx, work.ts, work.ty):
            ok(host.aclDestroyTensor(made))
        graph = end(on)
        assert work.result() == [0, 0, 0, 0]  # recorded, not run
        execute(graph, on)
        assert work.result() == Job.EXPECTED
        work.x.write(np.float32([5, 6, 7, 8]))
        execute(graph, NULL)  # on the default stream
        assert work.result() == [5, 6, 7, 8]
        work.x.write(np.float32([1, 1, 1, 1]))
        ok(host.aclmdlRIExecute(graph, -1))
        assert work.result() == [1, 1, 1, 1]
        ok(host.aclmdlRIDestroy(graph))
        for buffer in (work.x, work.scale, work.y, work.workspace):
            buffer.free()


@pytest.mark.parametrize(
    "call",
    [
        lambda on: host.aclrtSynchronizeStream(on),
        lambda on: host.aclrtSynchronizeStreamWithTimeout(on, 10),
        lambda on: host.aclrtStreamQuery(on, ffi.new("aclrtStreamStatus *")),
        lambda on: host.aclrtSynchronizeDevice(),
        lambda on: host.aclrtSynchronizeDeviceWithTimeout(10),
        lambda on: host.aclrtDestroyStream(on),
        lambda on: host.aclrtDestroyStreamForce(on),
        lambda on: host.aclrtStreamAbort(on),
        lambda on: host.aclrtSetStreamOverflowSwitch(on, 1),
        lambda on: host.aclmdlRICaptureTaskUpdateBegin(on, on),
    ],
    ids=["synchronize", "timeout", "query", "device", "device timeout", "destroy", "force", "abort",
         "overflow switch", "update"],
)  # fmt: skip
@pytest.mark.parametrize("mode", [GLOBAL, RELAXED])
def test_rows_10_11_31_41_what_the_captured_stream_refuses(call: Any, mode: int) -> None:
    """In every mode, and without harm to the capture."""
    with stream() as on, job() as work:
        ok(host.aclmdlRICaptureBegin(on, mode))
        ok(work.run(on))
        refused(call(on), 107027, "aclmdlRICaptureEnd", "thread")
        assert info(on)[0] == 1
        graph = end(on)
        execute(graph, on)
        assert work.result() == Job.EXPECTED
        ok(host.aclmdlRIDestroy(graph))


def test_other_streams_go_on() -> None:
    with stream() as on, stream() as other, job() as work, capture(on):
        ok(work.run(other))
        ok(host.aclrtSynchronizeStream(other))
        ok(host.aclrtSynchronizeStream(NULL))


@pytest.mark.parametrize(
    ("mode", "own", "others"),
    [(GLOBAL, 107030, 107030), (THREAD_LOCAL, 107030, 0), (RELAXED, 0, 0)],
)
def test_rows_12_13_14_modes(mode: int, own: int, others: int) -> None:
    with stream() as on, capture(on, mode):
        assert memcpy_sync() == own
        assert (own == 0) == (message() == "")
        status, text = elsewhere(memcpy_sync)
        assert status == others
        assert (others == 0) == (text == "")
        if others:
            assert "global mode" in text and "aclmdlRICaptureThreadExchangeMode" in text
        assert info(on)[0] == 1  # not harmed


def test_synchronous_calls_that_the_mode_refuses() -> None:
    with stream() as on, device(64) as target, capture(on):
        pointer = target.pointer
        refused(host.aclrtMemset(pointer, 64, 0, 64), 107030, "aclrtMemset")
        refused(host.aclrtMemcpy2d(pointer, 8, ffi.new("char[64]"), 8, 8, 8, H2D), 107030)
    assert memcpy_sync() == 0


def test_a_refusal_ends_with_the_strictest_capture() -> None:
    with stream() as on, stream() as other:
        ok(host.aclmdlRICaptureBegin(on, RELAXED))
        with capture(other, GLOBAL):
            assert memcpy_sync() == 107030
        assert memcpy_sync() == 0
        drop(on)


def exchange(mode: int) -> int:
    value = ffi.new("aclmdlRICaptureMode *", mode)
    ok(host.aclmdlRICaptureThreadExchangeMode(value))
    return int(value[0])


def test_rows_15_16_exchange_mode() -> None:
    refused(host.aclmdlRICaptureThreadExchangeMode(NULL), 100000)
    refused(
        host.aclmdlRICaptureThreadExchangeMode(ffi.new("aclmdlRICaptureMode *", 3)), 107000, "got 3"
    )
    with stream() as on, capture(on):
        assert exchange(RELAXED) == GLOBAL
        assert memcpy_sync() == 0
        assert exchange(GLOBAL) == RELAXED
        assert memcpy_sync() == 107030
        message()
        assert exchange(THREAD_LOCAL) == GLOBAL  # this thread captures
        assert memcpy_sync() == 107030
        message()
        assert exchange(GLOBAL) == THREAD_LOCAL

        def other() -> int:
            assert exchange(THREAD_LOCAL) == GLOBAL
            return memcpy_sync()

        assert elsewhere(other) == [0, ""]


def test_row_17_pageable_memory() -> None:
    with stream() as on, stream() as other, device(8) as target, capture(on):
        source = ffi.new("char[8]")
        refused(host.aclrtMemcpyAsync(target.pointer, 8, source, 8, H2D, on), 107000, "'src'")
        refused(host.aclrtMemcpyAsync(source, 8, target.pointer, 8, D2H, on), 107000, "'dst'")
        refused(host.aclrtMemcpyAsync(target.pointer, 8, source, 8, H2D, other), 107041)
        assert info(on)[0] == 1


def test_row_18_page_locked_memory_is_read_at_replay() -> None:
    pinned = create(host.aclrtMallocHost, 4)
    view = np.frombuffer(ffi.buffer(pinned, 4), np.uint8)
    with stream() as on, device(4) as target, device(4) as second:
        target.write(np.zeros(4, np.uint8))
        view[:] = 1
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        ok(host.aclrtMemcpyAsync(target.pointer, 4, pinned, 4, H2D, on))
        ok(host.aclrtMemcpyAsync(second.pointer, 4, target.pointer, 4, D2D, on))
        ok(host.aclrtMemsetAsync(target.pointer, 4, 9, 2, on))
        graph = end(on)
        assert target.read("uint8").tolist() == [0, 0, 0, 0]
        for value in (2, 3):
            view[:] = value
            execute(graph, on)
            assert target.read("uint8").tolist() == [9, 9, value, value]
            assert second.read("uint8").tolist() == [value] * 4
        ok(host.aclmdlRIDestroy(graph))
    ok(host.aclrtFreeHost(pinned))


def test_row_19_memory_can_be_allocated_and_freed_inside() -> None:
    with stream() as on, capture(on):
        Buffer(100).free()
        ok(host.aclrtFreeHost(create(host.aclrtMallocHost, 8)))


def test_row_20_classic_events() -> None:
    with (
        stream() as on,
        event(host.aclrtCreateEvent) as classic,
        event(host.aclrtCreateEventWithFlag, SYNC) as flagged,
        capture(on),
    ):
        for one in (classic, flagged):
            refused(host.aclrtRecordEvent(one, on), 207000, "aclrtCreateEventExWithFlag")
            refused(host.aclrtStreamWaitEvent(on, one), 207000)
            refused(host.aclrtResetEvent(one, on), 207000)
        assert info(on)[0] == 1


def test_rows_21_22_25_a_stream_joins_and_does_not_come_back() -> None:
    with stream() as on, stream() as side, events(SYNC) as (fork,):
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        ok(host.aclrtRecordEvent(fork, on))
        assert info(side)[0] == 0
        ok(host.aclrtStreamWaitEvent(side, fork))
        assert info(side) == info(on) and info(side)[0] == 1
        refused(host.aclmdlRICaptureEnd(side, ffi.new("aclmdlRI *")), 107036, "joined")
        end_refused(on, 107025, "record an event")
        assert info(side) == (0, NULL)
        ok(host.aclrtSynchronizeStream(side))


def test_rows_23_24_work_of_joined_streams_is_ordered() -> None:
    with stream() as on, stream() as side, events(SYNC, SYNC) as (fork, join), device(4) as memory:
        memory.write(np.zeros(4, np.uint8))

        def build(*, late: bool) -> None:
            ok(host.aclmdlRICaptureBegin(on, GLOBAL))
            ok(host.aclrtMemsetAsync(memory.pointer, 4, 1, 4, on))
            ok(host.aclrtRecordEvent(fork, on))
            ok(host.aclrtStreamWaitEvent(side, fork))
            ok(host.aclrtMemsetAsync(memory.pointer, 4, 2, 2, side))
            ok(host.aclrtRecordEvent(join, side))
            if late:
                ok(host.aclrtMemsetAsync(memory.pointer, 4, 4, 4, side))
            ok(host.aclrtStreamWaitEvent(on, join))
            ok(host.aclrtMemsetAsync(memory.pointer, 4, 3, 1, on))

        build(late=False)
        graph = end(on)
        execute(graph, on)
        assert memory.read("uint8").tolist() == [3, 2, 1, 1]
        ok(host.aclmdlRIDestroy(graph))
        build(late=True)
        end_refused(on, 107025, "since")


def test_streams_may_join_through_others() -> None:
    """The last record of a stream counts when the origin waits for it through another one."""
    with stream() as a, stream() as b, stream() as c, events(*[SYNC] * 4) as (e1, e2, e3, e4):
        ok(host.aclmdlRICaptureBegin(a, GLOBAL))
        ok(host.aclrtRecordEvent(e1, a))
        ok(host.aclrtStreamWaitEvent(b, e1))
        ok(host.aclrtRecordEvent(e2, b))
        ok(host.aclrtStreamWaitEvent(c, e2))
        ok(host.aclrtRecordEvent(e3, c))
        ok(host.aclrtStreamWaitEvent(b, e3))
        ok(host.aclrtRecordEvent(e4, b))
        ok(host.aclrtStreamWaitEvent(a, e4))
        ok(host.aclmdlRIDestroy(end(a)))
        # c comes back to b, but b not to a
        ok(host.aclmdlRICaptureBegin(a, GLOBAL))
        ok(host.aclrtRecordEvent(e1, a))
        ok(host.aclrtStreamWaitEvent(b, e1))
        ok(host.aclrtRecordEvent(e2, b))
        ok(host.aclrtStreamWaitEvent(c, e2))
        ok(host.aclrtRecordEvent(e3, c))
        ok(host.aclrtStreamWaitEvent(b, e3))
        end_refused(a, 107025)


def test_row_26_an_event_from_outside() -> None:
    with stream() as on, stream() as other, events(SYNC, SYNC) as (outside, never):
        ok(host.aclrtRecordEvent(outside, other))
        with capture(on):
            refused(host.aclrtStreamWaitEvent(on, outside), 107024, "outside", "ACL_EVENT_EXTERNAL")
            assert info(on)[0] == 1
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        ok(host.aclrtStreamWaitEvent(on, never))
        end_refused(on, 107024, "never records")


def test_row_27_the_default_stream_cannot_join() -> None:
    with stream() as on, events(SYNC) as (fork,), capture(on):
        ok(host.aclrtRecordEvent(fork, on))
        for default in (NULL, default_stream()):
            refused(host.aclrtStreamWaitEvent(default, fork), 107031, "default stream")
        assert info(on)[0] == 1


def test_row_28_two_captures_cannot_wait_for_each_other() -> None:
    with stream() as on, stream() as other, events(SYNC) as (fork,), job() as work:
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        ok(host.aclmdlRICaptureBegin(other, GLOBAL))
        ok(host.aclrtRecordEvent(fork, on))
        refused(host.aclrtStreamWaitEvent(other, fork), 107032, "invalid")
        assert info(on)[0] == 2 and info(other)[0] == 2
        assert work.run(on) == 361001
        assert "507903" in message()
        for one in (on, other):
            end_refused(one, 507903, "aclrtStreamWaitEvent in thread", "capture again")
        ok(work.run(on))
        ok(host.aclrtSynchronizeStream(on))


def test_row_29_asking_about_a_captured_event() -> None:
    with stream() as on, events(SYNC | TIME_LINE) as (fork,):
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        ok(host.aclrtRecordEvent(fork, on))
        status = ffi.new("aclrtEventRecordedStatus *")
        refused(host.aclrtQueryEventStatus(fork, status), 107028, "aclmdlRICaptureEnd")
        refused(host.aclrtSynchronizeEvent(fork), 107028)
        refused(host.aclrtSynchronizeEventWithTimeout(fork, 10), 107028)
        refused(host.aclrtEventElapsedTime(ffi.new("float *"), fork, fork), 107028)
        refused(host.aclrtEventGetTimestamp(fork, ffi.new("uint64_t *")), 107028)
        graph = end(on)
        ok(host.aclrtQueryEventStatus(fork, status))
        ok(host.aclrtSynchronizeEvent(fork))
        ok(host.aclrtRecordEvent(fork, on))  # an ordinary event again
        ok(host.aclrtSynchronizeEvent(fork))
        ok(host.aclmdlRIDestroy(graph))


def test_events_without_sync_record_nothing() -> None:
    with stream() as on, events(TIME_LINE) as (timed,), capture(on):
        ok(host.aclrtRecordEvent(timed, on))
        refused(host.aclrtStreamWaitEvent(on, timed), 107000, "ACL_EVENT_SYNC")


def test_row_30_end_in_another_thread() -> None:
    with stream() as on:
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        status, text = elsewhere(lambda: host.aclmdlRICaptureEnd(on, ffi.new("aclmdlRI *")))
        assert status == 107038 and "lost" in text
        assert info(on) == (0, NULL)
        ok(host.aclmdlRICaptureBegin(on, RELAXED))
        graph = ffi.new("aclmdlRI *")
        assert elsewhere(lambda: host.aclmdlRICaptureEnd(on, graph)) == [0, ""]
        ok(host.aclmdlRIDestroy(graph[0]))


def test_rows_32_33_34_graphs_and_captures() -> None:
    with stream() as on, stream() as other:
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        during = info(on)[1]
        refused(host.aclmdlRIExecuteAsync(during, other), 107026, "aclmdlRICaptureEnd")
        refused(host.aclmdlRIDestroy(during), 107026)
        graph = end(on)
        with capture(other):
            refused(host.aclmdlRIExecuteAsync(graph, other), 107027)
        refused(host.aclmdlRIExecuteAsync(NULL, on), 100000)
        refused(host.aclmdlRIExecute(graph, 0), 107000)
        refused(host.aclmdlRIDestroy(NULL), 100000)
        ok(host.aclmdlRIDestroy(graph))
        ok(host.aclmdlRIDestroy(graph))  # unknown handles are ignored
        refused(host.aclmdlRIExecuteAsync(graph, on), 107017)


def ready(on: Any) -> bool:
    status = ffi.new("aclrtStreamStatus *")
    ok(host.aclrtStreamQuery(on, status))
    return bool(status[0] == 0)


def test_row_35_external_events() -> None:
    with stream() as on, stream() as outside, device(1) as memory:
        memory.write(np.zeros(1, np.uint8))
        with event(host.aclrtCreateEventWithFlag, EXTERNAL) as gate:
            ok(host.aclmdlRICaptureBegin(on, GLOBAL))
            ok(host.aclrtStreamWaitEvent(on, gate))
            ok(host.aclrtResetEvent(gate, on))
            ok(host.aclrtMemsetAsync(memory.pointer, 1, 7, 1, on))
            graph = end(on)
            for value in (0, 1):
                memory.write(np.zeros(1, np.uint8))
                ok(host.aclmdlRIExecuteAsync(graph, on))
                time.sleep(0.02)
                assert not ready(on), value
                assert memory.read("uint8")[0] == 0
                ok(host.aclrtRecordEvent(gate, outside))
                ok(host.aclrtSynchronizeStream(on))
                assert memory.read("uint8")[0] == 7
            ok(host.aclrtRecordEvent(gate, outside))  # before the replay
            execute(graph, on)
            refused(host.aclrtSynchronizeEvent(gate), 207000, "ACL_EVENT_EXTERNAL")
            ok(host.aclmdlRIExecuteAsync(graph, on))
            ok(host.aclrtStreamAbort(on))  # ends the wait
            ok(host.aclrtSynchronizeStream(on))
            ok(host.aclmdlRIDestroy(graph))
    with pytest.raises(AssertionError, match="107000"):
        create(host.aclrtCreateEventExWithFlag, EXTERNAL)
    with pytest.raises(AssertionError, match="107000"):
        create(host.aclrtCreateEventWithFlag, EXTERNAL | SYNC)


def test_lanes_go_on_while_one_waits_outside() -> None:
    """What a lane waits for may be the work of another lane of the same graph."""
    with (
        stream() as on,
        stream() as side,
        events(SYNC, SYNC) as (fork, join),
        event(host.aclrtCreateEventWithFlag, EXTERNAL) as gate,
    ):
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        ok(host.aclrtRecordEvent(fork, on))
        ok(host.aclrtStreamWaitEvent(side, fork))
        ok(host.aclrtStreamWaitEvent(side, gate))
        ok(host.aclrtRecordEvent(join, side))
        ok(host.aclrtRecordEvent(gate, on))
        ok(host.aclrtStreamWaitEvent(on, join))
        graph = end(on)
        ok(host.aclmdlRIExecuteAsync(graph, on))
        ok(host.aclrtSynchronizeStreamWithTimeout(on, 10000))
        ok(host.aclmdlRIDestroy(graph))


def test_rows_36_37_task_groups_are_paired() -> None:
    with stream() as on, stream() as idle:
        group = ffi.new("aclrtTaskGrp *")
        refused(host.aclmdlRICaptureTaskGrpBegin(NULL), 100000)
        refused(host.aclmdlRICaptureTaskGrpBegin(idle), 107029)
        refused(host.aclmdlRICaptureTaskGrpEnd(idle, group), 107029)
        refused(host.aclmdlRICaptureTaskUpdateEnd(idle), 107033, "TaskUpdateBegin")
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        refused(host.aclmdlRICaptureTaskGrpEnd(on, group), 107033)
        ok(host.aclmdlRICaptureTaskGrpBegin(on))
        refused(host.aclmdlRICaptureTaskGrpBegin(on), 107033, "open already")
        end_refused(on, 107033, "aclmdlRICaptureTaskGrpEnd")


def test_row_38_groups_take_kernels_only() -> None:
    with stream() as on, stream() as side, device(8) as memory, events(SYNC) as (fork,):
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        ok(host.aclrtRecordEvent(fork, on))
        ok(host.aclrtStreamWaitEvent(side, fork))
        ok(host.aclmdlRICaptureTaskGrpBegin(on))
        refused(host.aclrtMemsetAsync(memory.pointer, 8, 0, 8, on), 507009, "copy")
        refused(host.aclrtMemsetAsync(memory.pointer, 8, 0, 8, side), 107034, "stream")
        refused(host.aclmdlRICaptureTaskGrpEnd(on, ffi.new("aclrtTaskGrp *")), 107034)
        drop(on)


class Scaled(Job):
    """The same quantisation, with the scale in a buffer chosen at the launch."""

    def run_with(self, scale: Buffer, on: Any) -> int:
        kept, self.ts = self.ts, tensor([1], "float32", scale.pointer)
        try:
            return self.run(on)
        finally:
            ok(host.aclDestroyTensor(self.ts))
            self.ts = kept


def test_rows_39_40_updates_replace_tasks() -> None:
    with stream() as on, stream() as updating, device(np.float32([2])) as two:
        work = Scaled()
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        ok(host.aclmdlRICaptureTaskGrpBegin(on))
        ok(work.run(on))
        handle = ffi.new("aclrtTaskGrp *")
        ok(host.aclmdlRICaptureTaskGrpEnd(on, handle))
        refused(host.aclmdlRICaptureTaskUpdateBegin(updating, handle[0]), 107026)
        graph = end(on)
        execute(graph, on)
        assert work.result() == Job.EXPECTED
        ok(host.aclmdlRICaptureTaskUpdateBegin(updating, handle[0]))
        refused(host.aclmdlRICaptureTaskUpdateBegin(updating, handle[0]), 107033)
        refused(host.aclmdlRICaptureTaskUpdateBegin(on, handle[0]), 107033, "another stream")
        assert host.aclrtMemsetAsync(two.pointer, 4, 0, 4, updating) == 507009
        message()
        ok(work.run_with(two, updating))
        assert work.run_with(two, updating) == 361001  # one more than there are
        assert "507000" in message()
        ok(host.aclmdlRICaptureTaskUpdateEnd(updating))
        ok(host.aclrtSynchronizeStream(updating))
        assert work.result() == Job.EXPECTED  # replaced, not run
        for _ in range(2):
            execute(graph, on)
            assert work.result() == [2, -5, 7, 127]
        ok(host.aclmdlRICaptureTaskUpdateBegin(updating, handle[0]))
        refused(host.aclmdlRICaptureTaskUpdateEnd(updating), 507000, "0 of the 1")
        ok(work.run(updating))  # an ordinary stream again
        ok(host.aclrtSynchronizeStream(updating))
        ok(host.aclmdlRIDestroy(graph))
        refused(host.aclmdlRICaptureTaskUpdateBegin(updating, handle[0]), 107017)
        work.close()


def test_a_waiting_graph_takes_updates() -> None:
    """What is behind the external wait is replaced while the replay waits there."""
    with stream() as on, stream() as updating, device(np.float32([2])) as two:
        work = Scaled()
        with event(host.aclrtCreateEventWithFlag, EXTERNAL) as gate:
            ok(host.aclmdlRICaptureBegin(on, GLOBAL))
            ok(host.aclrtStreamWaitEvent(on, gate))
            ok(host.aclrtResetEvent(gate, on))
            ok(host.aclmdlRICaptureTaskGrpBegin(on))
            ok(work.run(on))
            handle = ffi.new("aclrtTaskGrp *")
            ok(host.aclmdlRICaptureTaskGrpEnd(on, handle))
            graph = end(on)
            ok(host.aclmdlRIExecuteAsync(graph, on))
            time.sleep(0.01)
            ok(host.aclmdlRICaptureTaskUpdateBegin(updating, handle[0]))
            ok(work.run_with(two, updating))
            ok(host.aclmdlRICaptureTaskUpdateEnd(updating))
            ok(host.aclrtRecordEvent(gate, updating))
            ok(host.aclrtSynchronizeStream(on))
            assert work.result() == [2, -5, 7, 127]
            ok(host.aclmdlRIDestroy(graph))
        work.close()


def test_row_42_host_functions_run_once_per_replay() -> None:
    calls: list[int] = []
    function = ffi.callback("void(void *)", lambda _: calls.append(1))
    with stream() as on:
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        ok(host.aclrtLaunchHostFunc(on, function, NULL))
        graph = end(on)
        assert calls == []
        for count in (1, 2):
            execute(graph, on)
            assert len(calls) == count
        ok(host.aclmdlRIDestroy(graph))


def test_row_44_a_refusal_of_phase_1_has_no_effect() -> None:
    with stream() as on, job() as work, capture(on):
        bad = host.aclnnAscendQuantV3GetWorkspaceSize(
            work.tx, work.ts, NULL, False, b"nonsense", 2, -1, work.ty,
            ffi.new("uint64_t *"), ffi.new("aclOpExecutor **"),
        )  # fmt: skip
        assert bad == 161002
        message()
        assert info(on)[0] == 1


def test_row_45_a_thousand_replays() -> None:
    with stream() as on, stream() as other, job() as work:
        count = [0]
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        ok(work.run(on))
        graph = end(on)

        def note(_: Any) -> None:
            count[0] += 1

        function = ffi.callback("void(void *)", note)
        for _ in range(1000):
            ok(host.aclmdlRIExecuteAsync(graph, on))
            ok(host.aclmdlRIExecuteAsync(graph, other))
        ok(host.aclrtLaunchHostFunc(on, function, NULL))
        ok(host.aclrtSynchronizeStream(on))
        ok(host.aclrtSynchronizeStream(other))
        assert count == [1] and work.result() == Job.EXPECTED
        ok(host.aclmdlRIDestroy(graph))


def test_memory_freed_before_a_replay_is_reported() -> None:
    with stream() as on:
        work = Job()
        with device(4) as memory:
            ok(host.aclmdlRICaptureBegin(on, GLOBAL))
            ok(work.run(on))
            ok(host.aclrtMemsetAsync(memory.pointer, 4, 1, 4, on))
            graph = end(on)
        work.x.free()
        ok(host.aclmdlRIExecuteAsync(graph, on))
        refused(host.aclrtSynchronizeStream(on), 507015, "'x'")
        ok(host.aclmdlRIDestroy(graph))
        work.x = Buffer(16)
        work.close()


def test_repeatable_executors_are_recorded_as_they_were() -> None:
    with stream() as on, job() as work, device(np.float32([9, 9, 9, 9])) as other:
        size, executor = work.prepare()
        ok(host.aclSetAclOpExecutorRepeatable(executor))
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        ok(work.launch(size, executor, on))
        graph = end(on)
        ok(host.aclSetInputTensorAddr(executor, 0, work.tx, other.pointer))
        execute(graph, on)
        assert work.result() == Job.EXPECTED
        ok(host.aclDestroyAclOpExecutor(executor))
        ok(host.aclmdlRIDestroy(graph))


def test_a_device_that_is_reset_drops_its_captures() -> None:
    context = create(host.aclrtCreateContext, 0)
    on = create(host.aclrtCreateStream)
    ok(host.aclmdlRICaptureBegin(on, GLOBAL))
    ok(host.aclrtDestroyContext(context))
    ok(host.aclrtSetDevice(0))
    assert memcpy_sync() == 0
    ok(host.aclrtResetDevice(0))


def test_traces(tmp_path: Path) -> None:
    with stream() as on, job() as work:
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        ok(work.run(on))
        graph = end(on)
        path = tmp_path / "graph.json"
        ok(host.aclmdlRIDebugJsonPrint(graph, str(path).encode(), 1))
        (task,) = json.loads(path.read_text(encoding="utf-8"))
        assert task["name"] == "aclnnAscendQuantV3" and task["cat"] == "kernel"
        refused(host.aclmdlRIDebugJsonPrint(graph, b"/nonexistent/x.json", 0), 107010, "'path'")
        ok(host.aclmdlRIDebugPrint(graph))
        ok(host.aclmdlRIDestroy(graph))


@pytest.mark.nightly
def test_a_graph_that_runs_is_not_destroyed() -> None:
    with stream() as on, job() as work:
        ok(host.aclmdlRICaptureBegin(on, GLOBAL))
        ok(work.run(on))
        graph = end(on)
        with stalled(on):
            ok(host.aclmdlRIExecuteAsync(graph, on))
            refused(host.aclmdlRIDestroy(graph), 107037, "10 s")
        ok(host.aclrtSynchronizeStream(on))
        ok(host.aclmdlRIDestroy(graph))


def test_threads_capture_at_the_same_time() -> None:
    """Thread-local captures do not disturb each other."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            ok(host.aclrtSetDevice(0))
            with stream() as on, job() as work:
                for _ in range(50):
                    ok(host.aclmdlRICaptureBegin(on, THREAD_LOCAL))
                    ok(work.run(on))
                    graph = end(on)
                    execute(graph, on)
                    assert work.result() == Job.EXPECTED
                    ok(host.aclmdlRIDestroy(graph))
            ok(host.aclrtResetDevice(0))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
