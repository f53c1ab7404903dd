"""Buffers in device memory and in page-locked host memory."""

from __future__ import annotations

import os

import numpy as np
import pytest
from helpers.native import counters
from helpers.processes import run_python

import aclquant as aq


def test_write_and_read() -> None:
    with aq.Buffer(10) as buffer:
        buffer.write(np.arange(10, dtype=np.uint8))
        buffer.write(np.array([500], np.uint16), offset=4)
        assert buffer.read().tolist() == [0, 1, 2, 3, 500 % 256, 500 // 256, 6, 7, 8, 9]
        assert buffer.read(2, 8).tolist() == [8, 9]
        assert buffer.address % 64 == 0


@pytest.mark.parametrize("arguments", [(11, 0), (1, 10), (2, 9), (1, -1)])
def test_outside_is_refused(arguments: tuple[int, int]) -> None:
    nbytes, offset = arguments
    with aq.Buffer(10) as buffer:
        with pytest.raises(aq.ParameterError):
            buffer.read(nbytes, offset)
        with pytest.raises(aq.ParameterError):
            buffer.write(np.zeros(nbytes, np.uint8), offset)


def test_empty_and_negative() -> None:
    with aq.Buffer(0) as buffer:
        assert buffer.read().size == 0
    with pytest.raises(aq.ParameterError, match="nbytes"):
        aq.Buffer(-1)


def test_out_of_memory_is_a_memory_error_and_recovers() -> None:
    run_python(
        """
        import aclquant as aq
        first = aq.Buffer(600_000)
        try:
            aq.Buffer(600_000)
        except MemoryError as error:
            assert isinstance(error, aq.OutOfMemoryError) and "aclrtMalloc: 207001" in str(error)
        else:
            raise AssertionError
        first.close()
        aq.Buffer(600_000).close()
        """,
        ACLQUANT_HOST_MEMORY_LIMIT="1000000",
    )


def test_allocation_waits_for_memory_that_is_about_to_be_freed() -> None:
    run_python(
        """
        import threading, time
        import numpy as np, aclquant as aq
        library = aq.backend().library
        stream = aq.Stream()
        x = aq.empty(100_000, "float32")
        assert library.aclquantStallStream(stream.handle) == 0
        y = aq.quantize(x, 1.0, stream=stream)
        x.close()
        def resume():
            stream.device.enter()
            library.aclquantResumeStream(stream.handle)
        threading.Timer(0.2, resume).start()
        aq.Buffer(500_000).close()
        y.close()
        stream.close()
        """,
        ACLQUANT_HOST_MEMORY_LIMIT="800000",
    )


def test_arrays_keep_host_memory_alive() -> None:
    before = counters()["hostBuffers"]
    with aq.HostBuffer(64) as buffer:
        array = buffer.array(np.float32, (4, 4))
        array[:] = 3
    assert counters()["hostBuffers"] == before + 1
    assert array.sum() == 48
    del array
    assert counters()["hostBuffers"] == before


def test_device_memory_is_reported() -> None:
    free, total = aq.Device(0).memory
    assert 0 < free <= total
    with aq.Buffer(1 << 20):
        assert aq.Device(0).memory[0] <= free - (1 << 20)


@pytest.mark.parametrize("nbytes", [-1, 1.5, "8", None, 2**63])
def test_odd_sizes_are_refused(nbytes: object) -> None:
    for kind in (aq.Buffer, aq.HostBuffer):
        with pytest.raises(aq.ParameterError, match="argument 'nbytes'"):
            kind(nbytes)  # type: ignore[arg-type]


def test_odd_arguments_of_host_buffers_are_refused() -> None:
    with aq.HostBuffer(8) as buffer:
        for shape in (-1, (3,), "ab", (1.5,), (2, 2)):
            with pytest.raises(aq.ParameterError, match="argument 'shape'"):
                buffer.array(np.float32, shape)
        with pytest.raises(aq.DtypeError, match="argument 'dtype'"):
            buffer.array("no type")
        assert buffer.array(np.float32).shape == (2,)
        assert buffer.array(np.int16, (2, 2)).shape == (2, 2)


def test_odd_arguments_of_buffers_are_refused() -> None:
    with aq.Buffer(8) as buffer:
        with pytest.raises(aq.ParameterError, match="argument 'array'"):
            buffer.write([1, 2])  # type: ignore[arg-type]
        with pytest.raises(aq.ParameterError, match="argument 'offset'"):
            buffer.read(1, 0.5)  # type: ignore[arg-type]


CALLS = {
    "quantize": "aq.quantize(x, 0.5)",
    "quantize per channel": "aq.quantize(x, np.ones(1000, np.float32), axis=1)",
    "quantize to int4": "aq.quantize(x, np.float32([0.5]), None, 'quint4x2', -1, False)",
    "anti_quant": "aq.anti_quant(q, np.float32([0.5]))",
    "trans_quant_param": "aq.trans_quant_param(x.reshape(-1), x.reshape(-1))",
    "dynamic_quant_asymmetric": "aq.dynamic_quant_asymmetric(h)",
    "dynamic_quant_asymmetric, smooth": (
        "aq.dynamic_quant_asymmetric(h, smooth_scales=np.ones(1000, np.float16))"
    ),
}


@pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK), reason="the system forgets no peak"
)
@pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="a sanitizer needs memory itself")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_call_takes_no_more_memory_than_its_results(call: str) -> None:
    """Peak memory of calls on contiguous arrays, the first and a prepared one."""
    run_python(
        f"""
        from pathlib import Path
        import numpy as np
        import aclquant as aq

        def memory(what):
            lines = Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) << 10 for line in lines if line.startswith(what))

        x = np.ones((10_000, 1000), np.float32)
        h, q = x.astype(np.float16), x.astype(np.int8)
        aq.quantize(x, 0.5)  # starts the thread of the pool
        for _ in range(3):
            Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
            before = memory("VmRSS")
            results = {call}
            peak = memory("VmHWM") - before
            size = sum(y.nbytes for y in (results if isinstance(results, tuple) else [results]))
            assert size > 4 << 20 and peak < size + (2 << 20), (peak, size)
            del results
    """,
        ACLQUANT_HOST_THREADS="2",
    )


def test_a_shape_beyond_memory_is_named() -> None:
    """Issue 11: `aclquant.Buffer` and its 'nbytes' were to blame."""
    for shape in ((1 << 40, 1 << 40), 1 << 61):
        with pytest.raises(aq.ParameterError, match=r"aclquant.empty: argument 'shape'.*2\*\*63"):
            aq.empty(shape)
    with pytest.raises(aq.ParameterError, match=r"aclquant.empty: argument 'shape': got \(-1,\)"):
        aq.empty(-1)
    with pytest.raises(aq.ParameterError, match=r"aclquant.empty: argument 'shape': .*integers"):
        aq.empty((2.5,))  # type: ignore[arg-type]


def test_dir_shows_what_users_have() -> None:
    """newcomer.md 2e: abandon, lose, require_open and the like were among it."""
    objects = [aq.asarray([1.0]), aq.Buffer(1), aq.HostBuffer(1), aq.Device(0), aq.backend()]
    with aq.Stream() as stream, aq.Event() as event, aq.capture() as graph:
        shown = {name for one in (*objects, stream, event, graph) for name in dir(one)}
        stream.synchronize()
    stream.close()
    event.close()
    graph.close()
    internal = {"abandon", "lose", "require_open", "internal", "enter", "code", "describe_array"}
    internal |= {"use_on", "used_on", "interruptions", "deferred", "submitted", "scratch"}
    assert not shown & internal
    assert {"numpy", "close", "closed", "synchronize", "address", "replay", "elapsed_ms"} <= shown
