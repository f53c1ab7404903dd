"""Every kernel, under the emulation of both chip families, gives the host device's bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .cases import FAMILIES, Call
from .conftest import Host
from .emulation import Array, Emulation, Options

# Blocks ascending, descending, mixed; instructions when issued, and at random legal moments.
RUNS = (
    Options(),
    Options(order=1, schedule=1, poison=0x00),
    Options(order=9, schedule=2, poison=0x7E),
)


def bits(array: Array) -> Array:
    """Return an array's bits; all NaN are one."""
    if array.dtype.kind == "f" or array.dtype.name == "bfloat16":
        array = np.where(np.isnan(array.astype(np.float32)), array.dtype.type(np.nan), array)
    return np.ascontiguousarray(array).view(np.uint8).reshape(-1)


def expected(host: Host, call: Call) -> list[Array]:
    results = host(call.function, *call.arguments)
    return list(results) if isinstance(results, tuple) else [results]


def check(emulation: Emulation, host: Host, call: Call, runs: tuple[Options, ...]) -> None:
    wanted = expected(host, call)
    for options in runs:
        report, results = call.case.run(emulation, options, call.cores)
        assert report.check == 0, f"{call.label}, {options}: {report}"
        for number, (result, want) in enumerate(zip(results, wanted, strict=True)):
            different = np.flatnonzero(bits(result) != bits(want))
            assert different.size == 0, (
                f"{call.label}, {options}: output {number} differs in {different.size} bytes, "
                f"the first at {different[0]}"
            )


@pytest.mark.parametrize("family", FAMILIES)
def test_kernels_equal_the_host_device(emulation: Emulation, host: Host, family: str) -> None:
    for call in FAMILIES[family](emulation.inference):
        check(emulation, host, call, RUNS)


@pytest.mark.nightly
@pytest.mark.parametrize("family", FAMILIES)
def test_kernels_equal_the_host_device_at_their_real_sizes(
    emulation: Emulation, host: Host, family: str
) -> None:
    for call in FAMILIES[family](emulation.inference, large=True):
        check(emulation, host, call, RUNS[:2])


def test_ignoring_nan_changes_only_rows_with_nan(emulation: Emulation) -> None:
    """What Max and Min do with NaN is not documented; other rows do not depend on it."""
    for call in FAMILIES["dynamic"](emulation.inference):
        x: Any = call.case.inputs[0]
        smooth: Any = call.case.inputs[1]
        plain = ~np.isnan(x.astype(np.float32)).any(axis=-1)
        if smooth is not None and np.isnan(smooth.astype(np.float32)).any():
            continue
        # inf * 0 of a smoothed row also makes a NaN.
        plain &= np.isfinite(x.astype(np.float32)).all(axis=-1)
        _, one = call.case.run(emulation, Options(), call.cores)
        _, other = call.case.run(emulation, Options(nan_wins=False), call.cores)
        for a, b in zip(one, other, strict=True):
            assert np.array_equal(bits(a[plain]), bits(b[plain])), call.label
