"""The emulation notices: a small wrong kernel for each of its checks."""

from __future__ import annotations

import re

import numpy as np
import pytest

from .building import EMULATION
from .conftest import HERE
from .emulation import Emulation, Options, Plan, Report

KERNELS = re.findall(r"^KERNEL\((\w+)\)", (HERE / "wrong_kernels.cpp").read_text("utf-8"), re.M)

ABSENT = {  # on the inference series: the check that says so
    "right_shift": 15,
    "right_pad": 14,
    "right_rint": 15,
    "right_int4": 15,
    "right_float_to_float": 15,
    "right_fill_with_padding": 14,
    "fill_of_a_block_6": 14,
}


def run(emulation: Emulation, kernel: str, options: Options) -> Report:
    x = np.arange(1024, dtype=np.float32)
    y = np.zeros(1024, np.float32)
    blocks = 2 if kernel.endswith("_13") or kernel == "right_bytes_apart" else 1
    report = emulation.run(kernel, [x], [y], Plan(b"", 0, blocks), options)
    if report.check == 0 and kernel == "right":
        assert np.array_equal(y, x + 1)
    return report


@pytest.mark.parametrize("schedule", [0, 5])
@pytest.mark.parametrize("kernel", KERNELS)
def test_each_mistake_is_noticed_where_it_is(
    emulation: Emulation, kernel: str, schedule: int
) -> None:
    report = run(emulation, kernel, Options(schedule=schedule))
    number = re.search(r"_(\d+)$", kernel)
    expected = int(number[1]) if number else 0
    if emulation.inference:
        expected = ABSENT.get(kernel, expected)
    assert report.check == expected, report
    if expected and kernel != "output_not_written_12" and kernel != "output_from_uninitialised_12":
        # In the kernel itself: between its own KERNEL(...) and the next.
        text = (HERE / "wrong_kernels.cpp").read_text("utf-8").splitlines()
        place = re.match(r"wrong_kernels.cpp:(\d+) ", report.place)
        assert place, report
        begin = text.index(f"KERNEL({kernel}) {{") + 1
        shared = (begin, text.index("}", begin) + 1) if begin else (0, 0)
        helper = int(place[1]) < text.index("KERNEL(right) {")
        assert shared[0] <= int(place[1]) <= shared[1] or helper, report


def test_every_check_has_a_wrong_kernel() -> None:
    """Checks are numbered in the emulation's sources; none is without a kernel that meets it."""
    raised = set()
    for name in ("machine.cpp", "instructions.cpp", "kernel_operator.h", "run.cpp"):
        text = (EMULATION / name).read_text("utf-8")
        raised |= {int(n) for n in re.findall(r"\bfail\([^,]+, (\d+),", text)}
        raised |= {int(n) for n in re.findall(r"\bfail\(\{[^}]*\}, (\d+),", text)}
    tried = {int(m[1]) for name in KERNELS if (m := re.search(r"_(\d+)$", name))}
    assert raised == tried


def test_reports_say_what_is_missing(emulation: Emulation) -> None:
    report = run(emulation, "no_barrier_read_10", Options())
    assert "PipeBarrier<PIPE_V> is missing" in report.text
    report = run(emulation, "scalar_reads_too_early_10", Options())
    assert "event V_S is missing" in report.text
    report = run(emulation, "store_of_scalars_10", Options())
    assert "event S_MTE3 is missing" in report.text
