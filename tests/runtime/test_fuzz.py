"""Nothing crashes, whatever the arguments: seeded, each run in a new process."""

from __future__ import annotations

import re

import pytest
from helpers.processes import run_python

PROGRAM = "import sys\nfrom runtime.fuzz import main\nsys.exit(main())"


@pytest.mark.parametrize("soc", ["Ascend910B1", "Ascend310P3"])
def test_operators(soc: str) -> None:
    printed = run_python(PROGRAM, "operators", "2026", "20000", ACLQUANT_HOST_SOC=soc)
    assert re.match(r"20000 calls, \d{3,} accepted", printed)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_handles(seed: str) -> None:
    # Objects that live at the end of the process are named on standard error.
    assert "20000 calls" in run_python(PROGRAM, "handles", seed, "20000", quiet=False)


def test_missing_dead_and_wrong_arguments() -> None:
    """Each argument of each operator in turn: null, destroyed, of another kind, unknown."""
    program = PROGRAM.replace("fuzz", "missing_arguments")
    assert re.match(r"\d{5} calls of \d{3} operators", run_python(program))
