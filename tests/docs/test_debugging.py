"""The parts of docs/debugging.md and docs/ci_without_a_card.md that the other tests do not run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.programs import installed

from .markdown import ROOT, blocks

PAGE = ROOT / "docs" / "debugging.md"
_CI = ROOT / "docs" / "ci_without_a_card.md"


def test_every_thread_has_its_row() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = text[text.index("## Fifteen threads") : text.index("## Beside msprobe")]
    assert rows.count("\n| ") - 1 == 15
    assert all("aclquant" in row or "checkpoints" in row or "host device" in row
               for row in rows.splitlines() if re.match(r"\| .*#", row))  # fmt: skip


@pytest.mark.nightly
@pytest.mark.skipif(not installed("torch-npu"), reason="torch_npu is not installed")
def test_the_tutorial_with_torch_npu(tmp_path: Path) -> None:
    (text,) = (b.text for b in blocks(PAGE) if b.language == "sh" and "failing_npu" in b.text)
    (tmp_path / "aclquant").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aclquant "$@"\n')
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for name in ("aclquant", "python"):
        (tmp_path / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    environment.pop("TORCH_DEVICE_BACKEND_AUTOLOAD", None)
    done = subprocess.run(
        ["bash", "-c", text],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "161002, recorded: 161002" in done.stdout
    assert "argument 'scales'" in done.stderr and "argument 'scales'" in done.stdout


def test_the_workflow_files_can_be_read() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    files = [b.text for b in blocks(_CI) if b.text.startswith("# .git")]
    github, gitlab = map(yaml.safe_load, files)
    steps = github["jobs"]["test"]["steps"]
    assert any("pytest --acl-backend host" in step.get("run", "") for step in steps)
    assert True in github or "on" in github  # YAML 1.1 reads "on" as true
    assert any("pytest" in line for line in gitlab["ascend"]["script"])
