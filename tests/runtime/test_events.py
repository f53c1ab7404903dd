"""Events: both kinds, waits between streams, times."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from helpers.native import (
    NULL,
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

SYNC, TIME_LINE = 1, 8


def query(event: Any) -> int:
    """1 is complete: aclrtQueryEventStatus."""
    status = ffi.new("aclrtEventRecordedStatus *")
    ok(host.aclrtQueryEventStatus(event, status))
    return int(status[0])


def query_classic(event: Any) -> int:
    """0 is complete: aclrtQueryEvent."""
    status = ffi.new("aclrtEventStatus *")
    ok(host.aclrtQueryEvent(event, status))
    return int(status[0])


def query_wait(event: Any) -> int:
    status = ffi.new("aclrtEventWaitStatus *")
    ok(host.aclrtQueryEventWaitStatus(event, status))
    return int(status[0])


def test_before_the_first_record() -> None:
    """The two kinds, and the two functions, answer opposite numbers."""
    classic, again = create(host.aclrtCreateEvent), create(host.aclrtCreateEventExWithFlag, SYNC)
    assert query(classic) == 0 and query_classic(classic) == 1
    assert query(again) == 1
    assert host.aclrtQueryEvent(again, ffi.new("aclrtEventStatus *")) != 0
    assert host.aclrtQueryEventWaitStatus(again, ffi.new("aclrtEventWaitStatus *")) != 0
    assert message()
    for event in (classic, again):
        ok(host.aclrtDestroyEvent(event))


@pytest.mark.parametrize("again", [False, True])
def test_recorded_when_the_stream_has_passed(again: bool) -> None:
    creator = host.aclrtCreateEventExWithFlag if again else host.aclrtCreateEventWithFlag
    event = create(creator, SYNC)
    with stream() as on, job() as work:
        with stalled(on):
            ok(work.run(on))
            ok(host.aclrtRecordEvent(event, on))
            assert query(event) == 0
            if not again:
                assert query_classic(event) == 1
            refused(host.aclrtSynchronizeEventWithTimeout(event, 10), 507047, "10 ms")
        ok(host.aclrtSynchronizeEvent(event))
        assert work.result() == Job.EXPECTED
        assert query(event) == 1
        if not again:
            assert query_classic(event) == 0
    ok(host.aclrtDestroyEvent(event))


def test_another_stream_waits() -> None:
    event = create(host.aclrtCreateEventWithFlag, SYNC)
    with stream() as first, stream() as second, job() as work, job() as after:
        with stalled(first):
            ok(work.run(first))
            ok(host.aclrtRecordEvent(event, first))
            ok(host.aclrtStreamWaitEvent(second, event))
            ok(after.run(second))
            assert query_wait(event) == 1  # not ready
            refused(host.aclrtSynchronizeStreamWithTimeout(second, 30), 507046)
            assert after.result() == [0] * 4
        ok(host.aclrtSynchronizeStream(second))
        assert work.result() == after.result() == Job.EXPECTED
        assert query_wait(event) == 0
        ok(host.aclrtResetEvent(event, second))
        assert query(event) == 0
    ok(host.aclrtDestroyEvent(event))


def test_waits_keep_the_recording_they_saw() -> None:
    """A re-recordable event: a later record does not prolong an earlier wait."""
    event = create(host.aclrtCreateEventExWithFlag, SYNC)
    with stream() as first, stream() as held, stream() as waiting:
        ok(host.aclrtRecordEvent(event, first))
        ok(host.aclrtSynchronizeStream(first))
        with stalled(held):
            ok(host.aclrtStreamWaitEvent(waiting, event))
            ok(host.aclrtRecordEvent(event, held))
            assert query(event) == 0
            ok(host.aclrtSynchronizeStreamWithTimeout(waiting, 5000))
        ok(host.aclrtSynchronizeEvent(event))
    ok(host.aclrtDestroyEvent(event))


def test_waiting_for_nothing() -> None:
    event = create(host.aclrtCreateEventExWithFlag, SYNC)
    ok(host.aclrtStreamWaitEvent(NULL, event))
    ok(host.aclrtSynchronizeEvent(event))
    ok(host.aclrtSynchronizeStream(NULL))
    ok(host.aclrtDestroyEvent(event))


def test_flags_are_needed() -> None:
    timed = create(host.aclrtCreateEventExWithFlag, TIME_LINE)
    plain = create(host.aclrtCreateEventExWithFlag, SYNC)
    for event in (timed, plain):
        ok(host.aclrtRecordEvent(event, NULL))
        ok(host.aclrtSynchronizeEvent(event))
    assert host.aclrtStreamWaitEvent(NULL, timed) != 0
    assert "SYNC" in message()
    stamp, ms = ffi.new("uint64_t *"), ffi.new("float *")
    ok(host.aclrtEventGetTimestamp(timed, stamp))
    refused(host.aclrtEventGetTimestamp(plain, stamp), 107006)
    refused(host.aclrtEventElapsedTime(ms, timed, plain), 107006)
    assert host.aclrtResetEvent(plain, NULL) != 0
    message()
    for event in (timed, plain):
        ok(host.aclrtDestroyEvent(event))
    for flag in (0, 0x80, 0xFFFFFFFF):
        assert host.aclrtCreateEventWithFlag(ffi.new("void **"), flag) != 0
        assert "'flag'" in message()


def test_elapsed_time() -> None:
    events = [create(host.aclrtCreateEvent) for _ in range(2)]
    ms, stamps = ffi.new("float *"), [ffi.new("uint64_t *") for _ in events]
    refused(host.aclrtEventElapsedTime(ms, *events), 107006)

    @ffi.callback("void (void *)")  # type: ignore[untyped-decorator]
    def sleep(_: Any) -> None:
        time.sleep(0.03)

    with stream() as on:
        ok(host.aclrtRecordEvent(events[0], on))
        ok(host.aclrtLaunchHostFunc(on, sleep, NULL))
        ok(host.aclrtRecordEvent(events[1], on))
        ok(host.aclrtSynchronizeStream(on))
    ok(host.aclrtEventElapsedTime(ms, *events))
    assert 30 <= ms[0] < 5000
    for event, stamp in zip(events, stamps, strict=True):
        ok(host.aclrtEventGetTimestamp(event, stamp))
    assert abs((stamps[1][0] - stamps[0][0]) / 1000 - ms[0]) < 0.01  # microseconds
    refused(host.aclrtEventElapsedTime(ms, *events[::-1]), 107007)
    for event in events:
        ok(host.aclrtDestroyEvent(event))


def test_a_queued_wait_can_time_out() -> None:
    event = create(host.aclrtCreateEventExWithFlag, SYNC)
    with stream() as held, stream() as waiting:
        with stalled(held):
            ok(host.aclrtRecordEvent(event, held))
            ok(host.aclrtStreamWaitEventWithTimeout(waiting, event, 10))
            assert host.aclrtSynchronizeStream(waiting) == 507047
            assert "10 ms" in message()
            for timeout in (0, -2):
                assert host.aclrtStreamWaitEventWithTimeout(waiting, event, timeout) == 107000
                assert host.aclrtSynchronizeEventWithTimeout(event, timeout) == 107000
            ok(host.aclrtSetOpWaitTimeout(1))
            ok(host.aclrtStreamWaitEvent(waiting, event))
            ok(host.aclrtSetOpWaitTimeout(0))
            assert host.aclrtSynchronizeStream(waiting) == 507047
            assert "1000 ms" in message()
        ok(host.aclrtSynchronizeStream(held))
    ok(host.aclrtDestroyEvent(event))


def test_destroyed_while_recorded_work_is_queued() -> None:
    """aclrtDestroyEvent does not wait, and those who wait for the event are not stuck."""
    event = create(host.aclrtCreateEventExWithFlag, SYNC)
    before = counters()["events"]
    with stream() as held, stream() as waiting:
        with stalled(held):
            ok(host.aclrtRecordEvent(event, held))
            ok(host.aclrtStreamWaitEvent(waiting, event))
            ok(host.aclrtDestroyEvent(event))
            assert counters()["events"] == before - 1
        ok(host.aclrtSynchronizeStream(waiting))
    refused(host.aclrtDestroyEvent(event), 107017)
    refused(host.aclrtRecordEvent(event, NULL), 107017)


def test_wrong_handles() -> None:
    made = create(host.aclrtCreateStream)
    for handle, code in ((NULL, 100000), (pointer(7), 107017), (made, 107017)):
        call: Callable[[], int]
        for call in (
            lambda h=handle: host.aclrtDestroyEvent(h),
            lambda h=handle: host.aclrtRecordEvent(h, NULL),
            lambda h=handle: host.aclrtResetEvent(h, NULL),
            lambda h=handle: host.aclrtStreamWaitEvent(NULL, h),
            lambda h=handle: host.aclrtSynchronizeEvent(h),
            lambda h=handle: host.aclrtQueryEventStatus(h, ffi.new("aclrtEventRecordedStatus *")),
            lambda h=handle: host.aclrtQueryEvent(h, ffi.new("aclrtEventStatus *")),
            lambda h=handle: host.aclrtEventGetTimestamp(h, ffi.new("uint64_t *")),
            lambda h=handle: host.aclrtEventElapsedTime(ffi.new("float *"), h, h),
            lambda h=handle: host.aclrtGetEventId(h, ffi.new("uint32_t *")),
        ):
            refused(call(), code, "'event'")
    refused(host.aclrtCreateEvent(NULL), 100000)
    ok(host.aclrtDestroyStream(made))


def test_an_abort_frees_those_who_wait_for_an_event() -> None:
    event = create(host.aclrtCreateEventExWithFlag, SYNC)
    with stream() as held, stream() as waiting, job() as work:
        with stalled(held):
            ok(host.aclrtRecordEvent(event, held))
            ok(host.aclrtStreamWaitEvent(waiting, event))
            ok(work.run(waiting))
            time.sleep(0.02)  # the wait runs
            ok(host.aclrtStreamAbort(waiting))
            ok(host.aclrtSynchronizeStreamWithTimeout(waiting, 5000))
            assert work.result() == [0] * 4
            ok(host.aclrtStreamAbort(held))
        ok(host.aclrtSynchronizeEvent(event))  # nothing waits for ever
    ok(host.aclrtDestroyEvent(event))


def test_event_count_returns_to_the_baseline() -> None:
    """Peers' bug 4: an event per free, never destroyed."""
    before = counters()["events"]
    with stream() as on:
        for _ in range(2000):
            event = create(host.aclrtCreateEventExWithFlag, SYNC)
            ok(host.aclrtRecordEvent(event, on))
            ok(host.aclrtDestroyEvent(event))
        ok(host.aclrtSynchronizeStream(on))
    assert counters()["events"] == before


def test_reset_of_a_device_whose_streams_wait_for_a_stalled_one() -> None:
    context = create(host.aclrtCreateContext, 0)
    held, waiting = create(host.aclrtCreateStream), create(host.aclrtCreateStream)
    event = create(host.aclrtCreateEventExWithFlag, SYNC)
    ok(host.aclquantStallStream(held))
    ok(host.aclrtRecordEvent(event, held))
    ok(host.aclrtStreamWaitEvent(waiting, event))
    ok(host.aclrtDestroyEvent(event))
    thread = threading.Thread(target=lambda: host.aclrtDestroyContext(context), daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    ok(host.aclrtSetDevice(0))
    ok(host.aclrtResetDevice(0))
