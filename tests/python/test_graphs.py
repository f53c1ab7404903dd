"""Captured graphs from Python."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest

import aclquant as aq

X = np.linspace(-3, 3, 24, dtype=np.float32).reshape(4, 6)


def expected(x: np.ndarray, scale: float) -> np.ndarray:
    return np.asarray(aq.quantize(x, scale))


def test_a_graph_replays_a_sequence() -> None:
    x = aq.asarray(X)
    with aq.capture() as graph:
        q = aq.quantize(x, 0.05)
        y = aq.anti_quant(q, [0.05])
        d, scale = aq.dynamic_quant(y)
    for values in (X, -2 * X, X[::-1].copy()):
        x.write(values)
        graph.replay()
        q_now = expected(values, 0.05)
        y_now = np.asarray(aq.anti_quant(q_now, [0.05]))
        assert (q.numpy() == q_now).all()
        assert (y.numpy() == y_now).all()
        for got, right in zip((d, scale), aq.dynamic_quant(y_now), strict=True):
            assert (got.numpy() == right).all()
    graph.close()


def test_many_replays_in_order_on_several_streams() -> None:
    x = aq.asarray(X)
    with aq.capture() as graph:
        y = aq.quantize(x, 0.1)
    streams = aq.Stream(), aq.Stream()
    for number in range(300):
        graph.replay(streams[number % 2])
    assert (y.numpy() == expected(X, 0.1)).all()
    graph.close()
    for stream in streams:
        stream.close()


def free_memory() -> int:
    gc.collect()
    aq.Device().synchronize()
    aq.Buffer(1).close()  # frees what was deferred
    return aq.Device().memory[0]


def test_memory_lives_as_long_as_the_graph() -> None:
    expected(X, 0.1), aq.quantize(aq.asarray(X), 0.1).numpy()  # the stream's own workspace
    before = free_memory()
    x = aq.asarray(X)
    with aq.capture() as graph:
        middle = aq.quantize(x, 0.1)
        y = aq.anti_quant(middle, [0.1])
        closed = aq.quantize(x, 0.2)
        closed.close()
        del middle
    del x
    gc.collect()
    filler = [aq.asarray(np.full(24, 99, np.float32)) for _ in range(8)]
    graph.replay()
    assert (y.numpy() == np.asarray(aq.anti_quant(expected(X, 0.1), [0.1]))).all()
    graph.close()
    del y, filler
    assert free_memory() == before


def test_a_large_graph_in_a_worker() -> None:
    x = aq.asarray(np.ones((512, 1024), np.float32))
    with aq.capture() as graph:
        y = aq.quantize(x, 0.5)
    graph.replay()
    assert (y.numpy() == 2).all()
    graph.close()


def test_what_a_capture_refuses() -> None:
    x = aq.asarray(X)
    with aq.capture() as graph:
        with pytest.raises(aq.AclError, match="capture"):
            aq.quantize(X, 0.1)  # an array's result cannot wait
        with pytest.raises(aq.AclError, match="107027"):
            aq.quantize(x, 0.1).numpy()
        with pytest.raises(aq.AclError, match="107027"):
            x.write(X)
        with pytest.raises(aq.ResourceError, match="after the block"):
            graph.replay()
    graph.close()
    with pytest.raises(aq.ResourceError):
        graph.replay()
    with pytest.raises(aq.ParameterError, match="thread_local"), aq.capture(mode="local"):
        pass


def test_a_capture_refuses_a_plan() -> None:
    """A plan has its own stream: the graph would not hold its work."""
    x = aq.asarray(X)
    with aq.plan(aq.quantize, x, 0.1) as rows:
        with aq.capture() as graph:
            with pytest.raises(aq.NotSupportedError, match=r"call aclquant\.quantize instead"):
                rows(x)
            y = aq.quantize(x, 0.1)
            with pytest.raises(aq.NotSupportedError, match="does not record"):
                rows(x, out=y)
        assert (rows(x).numpy() == expected(X, 0.1)).all()
        graph.replay()
        assert (y.numpy() == expected(X, 0.1)).all()
    graph.close()


def test_a_block_that_raises_leaves_an_ordinary_stream() -> None:
    x = aq.asarray(X)
    stream = aq.Stream()
    with pytest.raises(KeyError), aq.capture(stream):
        aq.quantize(x, 0.1)
        raise KeyError
    with stream:
        assert (aq.quantize(x, 0.1).numpy() == expected(X, 0.1)).all()
    stream.close()


def test_a_capture_that_ends_badly_is_an_error() -> None:
    side = aq.Stream()
    event = aq.Event()
    with pytest.raises(aq.AclError, match="107025"), aq.capture() as graph:
        aq.current_stream().record(event)
        side.wait(event)
    assert graph.closed
    side.close()
    event.close()


def test_side_streams_join() -> None:
    x = aq.asarray(X)
    side = aq.Stream()
    with aq.Event() as fork, aq.Event() as join:
        with aq.capture() as graph:
            main = aq.current_stream()
            main.record(fork)
            side.wait(fork)
            one = aq.quantize(x, 0.1)
            two = aq.quantize(x, 0.2, stream=side)
            side.record(join)
            main.wait(join)
        graph.replay()
        assert (one.numpy() == expected(X, 0.1)).all()
        assert (two.numpy() == expected(X, 0.2)).all()
        graph.close()
    side.close()


def test_other_threads_go_on() -> None:
    x = aq.asarray(X)
    results = []
    with aq.capture() as graph:
        y = aq.quantize(x, 0.1)
        thread = threading.Thread(target=lambda: results.append(expected(X, 0.3)))
        thread.start()
        thread.join()
    assert (results[0] == expected(X, 0.3)).all()
    graph.replay()
    assert (y.numpy() == expected(X, 0.1)).all()
    graph.close()


def test_an_unclosed_graph_is_said() -> None:
    x = aq.asarray(X)
    with aq.capture() as graph:
        aq.quantize(x, 0.1)
    with pytest.warns(ResourceWarning, match="unclosed <Graph"):
        del graph
        gc.collect()


def test_an_array_among_the_arguments_is_named() -> None:
    """Issue 11: `out`, which was not given, was to blame."""
    with aq.capture() as graph:
        with pytest.raises(
            aq.ParameterError, match="argument 'x': got an array; allowed: a Tensor"
        ):
            aq.quantize(X, 0.1)
        with pytest.raises(aq.ParameterError, match="argument 'x': got an array"):
            aq.dynamic_quant(X.astype(np.float16))
        with pytest.raises(aq.ParameterError, match="argument 'out': got an array"):
            aq.quantize(aq.asarray(X), 0.1, out=np.empty(X.shape, np.int8))
        with pytest.raises(aq.ParameterError, match=r"argument 'out\[1\]': got an array"):
            aq.dynamic_quant(aq.asarray(X.astype(np.float16)), out=(None, np.empty(4, np.float32)))
    graph.close()


def test_work_before_the_capture_need_not_be_done() -> None:
    """Issue 11: 107024 when a Tensor was still in use by a replay or a call on another stream."""
    library = aq.backend().library
    stalled = aq.Stream()
    assert library.aclquantStallStream(stalled.handle) == 0
    x = aq.asarray(X)
    with aq.capture() as graph:
        y = aq.quantize(x, 0.1)
    graph.replay(stalled)
    early = aq.quantize(x, 0.2, stream=stalled)
    with aq.capture() as second:
        z = aq.anti_quant(y, [0.1])
        w = aq.quantize(early, 1.0) if early.dtype == np.float32 else aq.anti_quant(early, [0.2])
    second.replay()  # on another stream: waits for both
    x.buffer.use_on(aq.current_stream())  # what comes in between does not forget the stalled work
    assert y.buffer.busy
    assert library.aclquantResumeStream(stalled.handle) == 0
    assert (z.numpy() == np.asarray(aq.anti_quant(expected(X, 0.1), [0.1]))).all()
    assert (w.numpy() == np.asarray(aq.anti_quant(expected(X, 0.2), [0.2]))).all()
    graph.close()
    second.close()
    stalled.close()


def test_a_tensor_of_the_capture_cannot_be_read_inside() -> None:
    x = aq.asarray(X)
    with aq.capture() as graph:
        y = aq.quantize(x, 0.1)
        with pytest.raises(aq.AclError, match="107027"):
            y.numpy()
    graph.replay()
    assert (y.numpy() == expected(X, 0.1)).all()
    graph.close()


def test_a_graph_is_freed_without_the_garbage_collector() -> None:
    gc.disable()
    try:
        with aq.capture() as graph:
            aq.quantize(aq.asarray(X), 0.1)
        gone = weakref.ref(graph)
        graph.close()
        del graph
        assert gone() is None
    finally:
        gc.enable()
