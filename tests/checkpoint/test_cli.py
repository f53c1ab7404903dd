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


def test_a_report_replaces_no_weights(cli: Command) -> None:
    """--force on a mistyped name once replaced a weight file by the page."""
    assert cli("checkpoint", "quantize", "model", "q", "--scheme", "w8a8-dynamic") == 0
    before = everything(cli.path("model"))
    weights = next(iter(sorted(cli.path("model").glob("*.safetensors"))))
    said = cli.says("checkpoint", "report", "q", weights, "--force")
    assert "argument 'out'" in said and "ends in .html or .htm" in said
    assert everything(cli.path("model")) == before


@pytest.mark.parametrize("option", ["--include", "--exclude"])
def test_a_pattern_that_is_not_a_regular_expression(cli: Command, option: str) -> None:
    said = cli.says("checkpoint", "quantize", "model", "q", "--scheme", "w8a16", option, "(")
    assert f"argument '{option[2:]}': got '(' (missing )" in said
    assert not cli.path("q").exists()


def test_a_loop_of_links_as_destination(cli: Command) -> None:
    cli.path("loop").symlink_to("loop")
    said = cli.says("checkpoint", "quantize", "model", "loop", "--scheme", "w8a16")
    assert said.startswith("aclquant: loop: Too many levels of symbolic links")


@pytest.mark.parametrize("found", [5, ["a"], {"a": 5}])
def test_an_index_with_a_wrong_weight_map(cli: Command, found: Any) -> None:
    index = cli.path("model") / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": found}))
    said = cli.says("checkpoint", "quantize", "model", "q", "--scheme", "w8a16")
    assert "weight_map has to give a file for each tensor" in said
    assert cli("checkpoint", "check", "model") == 3 and "weight_map" in cli.out


@pytest.mark.parametrize("found", [7, "gptq", ["a"]])
def test_a_quantization_config_that_is_not_an_object(cli: Command, found: Any) -> None:
    config = cli.path("model") / "config.json"
    config.write_text(json.dumps({"quantization_config": found}))
    assert cli("checkpoint", "check", "model") == 3
    assert "expected a JSON object" in cli.out


def test_messages_do_not_speak_of_a_call(cli: Command) -> None:
    said = cli.says("checkpoint", "report", "model", "page")
    assert "before the call" not in said
