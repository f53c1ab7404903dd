"""torch_npu's captured graphs, on the functions of the host device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]

PROGRAM = Path(__file__).with_name("npu_graphs.py")
CHECKS = [
    "replays_read_memory_anew",
    "begin_and_end_by_hand",
    "quantisation_in_a_graph",
    "graphs_share_a_pool",
    "waiting_in_a_capture_is_refused_with_its_reason",
]


def _program(*checks: str) -> str:
    return f"""
        import runpy, sys
        sys.argv[1:] = {list(checks)!r}
        runpy.run_path({str(PROGRAM)!r}, run_name="__main__")
    """


def test_graphs(run: Run) -> None:
    assert run(_program(*CHECKS)).split() == CHECKS


@pytest.mark.nightly
@pytest.mark.parametrize("check", CHECKS)
def test_each_alone(run: Run, check: str) -> None:
    assert run(_program(check)).split() == [check]
