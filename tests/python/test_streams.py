"""Streams, events, and the life of memory that they use."""

from __future__ import annotations

import gc
import threading
import warnings
from collections.abc import Iterator

import numpy as np
import pytest
from helpers.native import counters

import aclquant as aq
from aclquant._ffi.library import load


@pytest.fixture
def stalled() -> Iterator[aq.Stream]:
    """Yield a stream whose work waits until it is resumed."""
    with_stall = aq.Stream()
    library = load("host")
    assert library.aclquantStallStream(with_stall.handle) == 0
    yield with_stall
    if not with_stall.closed:
        library.aclquantResumeStream(with_stall.handle)
        with_stall.close()


def _resume(stream: aq.Stream) -> None:
    assert load("host").aclquantResumeStream(stream.handle) == 0


def test_tensor_calls_are_asynchronous(stalled: aq.Stream) -> None:
    x = aq.asarray(np.float32([1, 2, 3]))
    y = aq.quantize(x, 1.0, stream=stalled)
    assert not stalled.done()
    _resume(stalled)
    assert y.numpy().tolist() == [1, 2, 3]
    assert stalled.done()


def test_with_stream_makes_it_current(stalled: aq.Stream) -> None:
    assert aq.current_stream() is not stalled
    with stalled:
        assert aq.current_stream() is stalled
        aq.quantize(aq.asarray(np.float32([1])), 1.0)
    assert aq.current_stream() is not stalled
    assert not stalled.done()
    _resume(stalled)
    stalled.synchronize()


def test_result_used_on_another_stream_waits_for_the_first(stalled: aq.Stream) -> None:
    x = aq.asarray(np.float32([4]))
    with aq.Stream() as other:
        pass
    y = aq.quantize(x, 0.5, stream=stalled)
    z = aq.anti_quant(y, 0.5, stream=other)
    assert not other.done()
    _resume(stalled)
    assert z.numpy() == 4
    other.close()


def test_dropped_memory_is_freed_after_its_work(stalled: aq.Stream) -> None:
    gc.collect()
    aq.Buffer(1).close()  # frees what earlier tests left
    before = counters()["deviceBuffers"]
    x = aq.asarray(np.arange(1000, dtype=np.float32))
    y = aq.quantize(x, 10.0, stream=stalled)
    assert counters()["deviceBuffers"] >= before + 3
    del x
    gc.collect()
    _resume(stalled)
    np.testing.assert_array_equal(y.numpy(), np.minimum(np.rint(np.arange(1000) / 10), 127))
    stalled.synchronize()
    y.close()
    stalled.close()
    aq.Buffer(1).close()  # frees what waited
    assert counters()["deviceBuffers"] == before


def test_closing_memory_does_not_wait(stalled: aq.Stream) -> None:
    x = aq.asarray(np.float32([1]))
    y = aq.quantize(x, 1.0, stream=stalled)
    x.close()  # waiting for the stalled stream would not end
    y.close()
    with pytest.raises(aq.ResourceError, match="closed"):
        y.numpy()
    _resume(stalled)
    stalled.synchronize()


def test_event_marks_and_measures(stalled: aq.Stream) -> None:
    with aq.Event() as start, aq.Event() as end:
        assert start.done()
        start.record(stalled)
        aq.quantize(aq.asarray(np.zeros(1 << 20, np.float32)), 1.0, stream=stalled)
        assert stalled.record(end) is end
        assert not end.done()
        _resume(stalled)
        end.synchronize()
        assert end.done() and start.done()
        assert start.elapsed_ms(end) > 0
        with pytest.raises(aq.AclError, match=r"10700[67]"):
            end.elapsed_ms(start)


def test_event_without_timing_has_no_time() -> None:
    with aq.Event(timing=False) as start, aq.Event() as end:
        start.record()
        end.record()
        end.synchronize()
        with pytest.raises(aq.AclError, match="107006"):
            start.elapsed_ms(end)


def test_closing_is_idempotent_and_final() -> None:
    for thing in (aq.Stream(), aq.Event(), aq.Buffer(1), aq.HostBuffer(1)):
        thing.close()
        thing.close()
        assert "closed" in repr(thing)
        with pytest.raises(aq.ResourceError, match="closed"), thing:
            pass


def test_closed_stream_is_refused() -> None:
    stream = aq.Stream()
    stream.close()
    for use in (
        stream.synchronize,
        stream.done,
        stream.record,
        lambda: aq.quantize(np.float32([1]), 1.0, stream=stream),
    ):
        with pytest.raises(aq.ResourceError):
            use()


@pytest.mark.parametrize("kind", [aq.Stream, aq.Event])
def test_forgotten_object_warns_and_is_released(kind: type[aq.Stream] | type[aq.Event]) -> None:
    before = counters()
    thing = kind()
    with pytest.warns(ResourceWarning, match="unclosed"):
        del thing
        gc.collect()
    after = counters()
    assert all(after[kind] == before[kind] for kind in ("streams", "events"))


def test_dropping_memory_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tensor = aq.asarray(np.float32([1]))
        del tensor
        gc.collect()


def test_threads_have_streams_of_their_own() -> None:
    streams: list[aq.Stream] = []
    results: list[object] = []

    def work(number: int) -> None:
        streams.append(aq.current_stream())
        x = np.full(1000, number, np.float32)
        for _ in range(50):
            if not (aq.quantize(x, 1.0) == number).all():
                results.append(number)
                return
        results.append(True)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 8
    assert len({id(stream) for stream in streams}) == 8


def test_stream_of_an_ended_thread_goes_away() -> None:
    aq.current_stream()
    before = counters()["streams"]
    thread = threading.Thread(target=lambda: aq.quantize(np.float32([1]), 1.0))
    thread.start()
    thread.join()
    gc.collect()
    assert counters()["streams"] == before


def test_one_stream_shared_by_threads() -> None:
    with aq.Stream() as stream:
        pass
    x = aq.asarray(np.arange(100, dtype=np.float32))
    results: list[bool] = []

    def work() -> None:
        ys = [aq.quantize(x, 1.0, stream=stream) for _ in range(50)]
        results.append(all((y.numpy() == np.arange(100)).all() for y in ys))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stream.close()
    assert results == [True] * 4


def test_array_call_waits_for_its_stream_only(stalled: aq.Stream) -> None:
    aq.quantize(aq.asarray(np.float32([1])), 1.0, stream=stalled)
    assert aq.quantize(np.float32([7]), 1.0) == 7
    assert not stalled.done()
    _resume(stalled)
    stalled.synchronize()


def test_device_error_is_reported_by_synchronize_and_does_not_poison() -> None:
    """A kernel whose memory was freed under it, through the C interface."""
    library = load("host")
    stream = aq.Stream()
    x, y = aq.asarray(np.float32([1])), aq.empty(1, "int8")
    assert library.aclquantStallStream(stream.handle) == 0
    aq.quantize(x, 1.0, out=y, stream=stream)
    assert library.aclrtFree(x.buffer.pointer) == 0
    _resume(stream)
    with pytest.raises(aq.DeviceError, match="507015") as caught:
        stream.synchronize()
    assert caught.value.stage == "reported by the device after launch"
    x.buffer.closed = True
    assert aq.quantize(aq.asarray(np.float32([2])), 1.0, stream=stream).numpy() == 2
    stream.close()
