"""Devices and the current one."""

from __future__ import annotations

import pytest
from helpers.processes import run_python

import aclquant as aq


def test_device() -> None:
    device = aq.Device(0)
    assert device == aq.current_device() == aq.devices()[0]
    assert hash(device) == hash(aq.Device(0))
    assert device.name == aq.backend().soc
    assert device.capability("host_memory")
    device.synchronize()


@pytest.mark.parametrize("number", [-1, 1000])
def test_no_such_device(number: int) -> None:
    with pytest.raises(aq.ParameterError, match=f"got {number}; allowed: 0 to "):
        aq.Device(number)


def test_unknown_capability() -> None:
    with pytest.raises(aq.ParameterError, match="host_memory"):
        aq.Device(0).capability("flying")


def test_several_devices() -> None:
    run_python(
        """
        import numpy as np, aclquant as aq
        assert len(aq.devices()) == 2
        x = np.float32([1, 2])
        with aq.Device(1) as second:
            assert aq.current_device() == second
            t = aq.asarray(x)
            assert t.device == second
            assert aq.quantize(x, 1.0).tolist() == [1, 2]
            with aq.Device(0):
                u = aq.asarray(x)
            assert u.device.number == 0
        assert aq.current_device().number == 0
        assert aq.quantize(t, 1.0).device.number == 1
        assert aq.quantize(t, 1.0).numpy().tolist() == [1, 2]
        assert aq.asarray(t, device=0).device.number == 0
        assert aq.quantize(x, 1.0, device=1).tolist() == [1, 2]
        try:
            aq.aclnn.aclnnQuantize(t, aq.asarray([1.0], "float32"), None, "int8", 0, u)
        except aq.ParameterError as error:
            assert "Device(1)" in str(error), error
        else:
            raise AssertionError
        with aq.Stream(1) as stream:
            try:
                aq.quantize(x, 1.0, stream=stream, device=0)
            except aq.ParameterError as error:
                assert "stream" in str(error)
            else:
                raise AssertionError
        stream.close()
        """,
        ACLQUANT_HOST_DEVICES="2",
    )
