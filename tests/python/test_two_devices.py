"""Programs on two devices: releasing what belongs to one leaves a thread on the other."""

from __future__ import annotations

from helpers.processes import run_python

TWO = {"ACLQUANT_HOST_DEVICES": "2"}


def test_a_deferred_free_does_not_change_the_current_device() -> None:
    """R1: a Tensor of device 1 is closed while work on its stream is queued."""
    run_python(
        """
        import numpy as np, aclquant as aq
        from aclquant._ffi import ffi
        library = aq.backend().library
        def current():
            number = ffi.new("int32_t *")
            assert library.aclrtGetDevice(number) == 0
            return number[0]
        one = aq.Stream(1)
        with aq.Device(1), one:
            x = aq.asarray(np.ones(8, np.float32))
            library.aclquantStallStream(one.handle)
            y = aq.quantize(x, 0.5)
            y.close()
        aq.Device(0).enter()
        aq.Buffer(16, 0).close()
        assert current() == 0
        library.aclquantResumeStream(one.handle)
        one.synchronize()
        aq.Device(0).enter()
        kept = aq.Buffer(1 << 20, 0)  # what was deferred is freed before this allocation
        assert not aq.backend().deferred
        attributes = ffi.new("aclrtPtrAttributes *")
        assert library.aclrtPointerGetAttributes(kept.pointer, attributes) == 0
        assert attributes.location.id == 0, attributes.location.id
        assert current() == 0
        kept.close(); x.close(); one.close()
        """,
        **TWO,
    )


def test_releasing_leaves_the_current_device() -> None:
    """R1: any object of the other device, closed or collected at any moment."""
    run_python(
        """
        import gc, aclquant as aq
        from aclquant._ffi import ffi
        def current():
            number = ffi.new("int32_t *")
            assert aq.backend().library.aclrtGetDevice(number) == 0
            return number[0]
        for make in (lambda: aq.Buffer(8, 1), lambda: aq.Event(1), lambda: aq.Stream(1),
                     lambda: aq.HostBuffer(8, 1)):
            made = make()
            aq.Device(0).enter()
            made.close()
            assert current() == 0, make
        made = aq.Buffer(8, 1)
        aq.Device(0).enter()
        del made
        gc.collect()
        assert current() == 0
        """,
        **TWO,
    )


def test_an_ordinary_program_on_two_devices() -> None:
    """R1: calls on both in one thread, with memory that goes from stream to stream."""
    run_python(
        """
        import numpy as np, aclquant as aq
        values = np.arange(1000, dtype=np.float32)
        streams = {n: [aq.Stream(n), aq.Stream(n)] for n in (0, 1)}
        for round in range(60):
            for n in (0, 1):
                with aq.Device(n):
                    assert (aq.quantize(values, 10.0) == np.rint(values / 10).clip(-128, 127)).all()
                    with streams[n][round % 2]:
                        x = aq.asarray(values)
                    with streams[n][1 - round % 2]:
                        y = aq.quantize(x, 10.0)
                    del x
                    assert y.device.number == n
                    assert (y.numpy() == np.rint(values / 10).clip(-128, 127)).all()
        for pair in streams.values():
            for stream in pair:
                stream.close()
        """,
        **TWO,
    )
