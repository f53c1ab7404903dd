"""The programs in examples/ run and print what they promise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .markdown import ROOT

EXAMPLES = ROOT / "examples"


def _run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_numpy_arrays(tmp_path: Path) -> None:
    text = _run(sys.executable, "-W", "error", EXAMPLES / "numpy_arrays.py", folder=tmp_path)
    ratios = [float(value) for value in re.findall(r"SNR +([\d.]+) dB", text)]
    assert len(ratios) == 4
    assert min(ratios) > 10
    assert "bytes" in text


def test_own_stream_and_buffers(tmp_path: Path) -> None:
    text = _run(
        sys.executable, "-W", "error", EXAMPLES / "own_stream_and_buffers.py", folder=tmp_path
    )
    assert "8 rounds" in text
    assert "equal to the one call on arrays: True" in text


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
def test_c(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "c", tmp_path / "c", ignore=shutil.ignore_patterns("quantize"))
    aclquant = f"ACLQUANT={sys.executable} -m aclquant"
    text = _run("make", "run", aclquant, folder=tmp_path / "c")
    assert text.splitlines()[-2:] == [
        "Ascend910B1, CANN 9.1.0",
        "y = 0 2 2 0 -2 -2 127 -128",
    ]


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
def test_c_shows_the_sentence_of_a_refusal(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "c", tmp_path / "c", ignore=shutil.ignore_patterns("quantize"))
    aclquant = f"ACLQUANT={sys.executable} -m aclquant"
    _run("make", aclquant, folder=tmp_path / "c")
    done = subprocess.run(
        ["./quantize"],
        cwd=tmp_path / "c",
        env={**os.environ, "ACLQUANT_HOST_SOC": "Ascend950PR_9599"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "aclInit failed with 500000" in done.stderr
    assert "Ascend950PR_9599" in done.stderr
