"""What programs/quantisation.py and refused_calls.py cannot show: a message on standard error."""

from __future__ import annotations

from collections.abc import Callable

Run = Callable[..., str]


def test_a_refused_call_surfaces_at_level_2_too(run: Run) -> None:
    """There torch_npu raises when it next waits, names the operator, and prints our sentence."""
    said = run("refused_late", TASK_QUEUE_ENABLE="2", errors=True)
    assert "raised: True" in said
    assert "argument 'scales': got shape (3,)" in said
