"""Start and end of the process: other ways to the libraries, and what is printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aclquant._ffi.locate import TOOLKIT, bundled

Run = Callable[..., str]


def test_by_hand(run: Run) -> None:
    """With the variables that the document names, and no launcher."""
    toolkit = Path(bundled(TOOLKIT))
    settings = {
        "LD_LIBRARY_PATH": str(toolkit / "lib64"),
        "ASCEND_HOME_PATH": str(toolkit),
        "ASCEND_OPP_PATH": str(toolkit / "opp"),
        "ACL_OP_INIT_MODE": "1",
    }
    assert run("there_and_back", launcher=False, **settings) == "[1.5, 2.0]\n"


def test_activation_comes_too_late_after_another_cann(run: Run, tmp_path: Path) -> None:
    printed = run("too_late", str(tmp_path), launcher=False)
    assert "another libascendcl.so is loaded already" in printed


@pytest.mark.parametrize("level", ["0", "1", "2"])
def test_the_end_is_clean(run: Run, level: str) -> None:
    """Status 0, and nothing printed except for what torch_npu says of its allocator."""
    said = run("clean_end", errors=True, TASK_QUEUE_ENABLE=level)
    # torch_npu's queue uses a logger after its end (docs/torch_npu.md), which now and then lets the
    # second line out.
    known = ("32 padding size", "Dequeue: taskqueue is empty, wait for efd_read end")
    lines = [line for line in said.splitlines() if not any(text in line for text in known)]
    assert lines == []
