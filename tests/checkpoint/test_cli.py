"""``aclquant checkpoint``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from cli.support import Command

from .models import everything, tensors, write_model
from .test_quantize import ranges


@pytest.fixture
def cli(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    write_model(tmp_path / "model", tensors())
    return Command(tmp_path, capsys)


def test_quantize_check_diff_report(cli: Command) -> None:
    assert cli("checkpoint", "quantize", "model", "q", "--scheme", "w8a8-dynamic") == 0
    assert "quantised  14 weights; " in cli.out and "saved      q" in cli.out
    assert cli("checkpoint", "check", "q", "--full") == 0 and cli.out == "0 errors\n"
    assert cli("checkpoint", "diff", "model", "q", "--top", 3) == 0
    assert len(cli.out.splitlines()) == 4 and "W8A8_DYNAMIC" in cli.out
    assert cli("checkpoint", "diff", "model", "q", "--min-snr", 99) == 3
    assert cli("checkpoint", "report", "q", "r.html", "--against", "model") == 0
    assert "is there already; --force" in cli.says("checkpoint", "report", "q", "r.html")


def test_json(cli: Command) -> None:
    command = ("checkpoint", "quantize", "model", "q", "--scheme", "w8a16", "--json")
    assert cli(*command) == 0
    about = json.loads(cli.out)
    assert about["layers"] == 14 and about["folder"] == "q" and about["findings"] == []
    (cli.path("q") / "quant_model_description.json").write_text('{"group_size": 0}')
    assert cli("checkpoint", "check", "q", "--json") == 3
    findings = json.loads(cli.out)["findings"]
    assert {f["rule"] for f in findings} == {"K04"}
    assert findings[0]["section"].startswith("docs/checkpoints.md#k04-")
    assert cli("checkpoint", "diff", "model", "nothing", "--json") == 1
    assert "No such file" in json.loads(cli.out)["error"]["message"]


def test_errors_are_one_line(cli: Command) -> None:
    quantize = ("checkpoint", "quantize")
    assert "No such file" in cli.says(*quantize, "none", "q", "--scheme", "w8a16")
    cli.says(*quantize, "model", "q", "--scheme", "w1a1", status=2)
    cli.says(*quantize, "model", "q", status=2)
    assert "apart" in cli.says(*quantize, "model", "model/q", "--scheme", "w8a16")
    assert "calibration" in cli.says(*quantize, "model", "q", "--scheme", "w8a8")
    cli.path("full").mkdir()
    (cli.path("full") / "x").touch()
    error = cli.says(*quantize, "model", "full", "--scheme", "w8a16")
    assert error == "aclquant: DST: full is not empty\n"
    arguments = (
        *quantize,
        "model",
        "q",
        "--scheme",
        "w8a16",
        "--dask",
        "tcp://127.0.0.1:9",
        "--workers",
        2,
    )
    assert "exclude each other" in cli.says(*arguments)


def test_calibration_file(cli: Command) -> None:
    cli.path("r.json").write_text(json.dumps(ranges(tensors())))
    command = (
        "checkpoint",
        "quantize",
        "model",
        "q",
        "--scheme",
        "w8a8",
        "--calibration",
        "r.json",
    )
    assert cli(*command) == 0
    assert cli("checkpoint", "check", "q") == 0 and "notes" in cli.out


@pytest.mark.nightly
def test_workers_give_the_same_bytes(cli: Command) -> None:
    command = ("checkpoint", "quantize", "model", "--scheme", "w8a8-dynamic", "--part-size", 1)
    assert cli(*command[:3], "a", *command[3:]) == 0
    assert cli(*command[:3], "b", *command[3:], "--workers", 2) == 0
    assert everything(cli.path("a")) == everything(cli.path("b"))


def test_progress_is_shown_on_a_terminal(capsys: Any) -> None:
    from aclquant.cli.progress import progress

    with progress("quantising", 1000, show=True) as advance:
        advance(500)
    with progress("quantising", 1000) as advance:
        advance(500)
    assert np.isfinite(len(capsys.readouterr().err))
