"""The command line."""

from __future__ import annotations

import json
import shlex
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("click")

from helpers.processes import run_python

import aclquant as aq
from aclquant.cli import main
from aclquant.cli.table import COMMANDS

from .support import Command, process


def _run(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> str:
    assert main([str(argument) for argument in arguments]) == status
    captured = capsys.readouterr()
    return captured.err if status else captured.out


def test_directories(capsys: pytest.CaptureFixture[str]) -> None:
    assert (Path(_run(capsys, "libdir").strip()) / "libopapi.so").exists()
    assert (Path(_run(capsys, "includedir").strip()) / "acl" / "acl.h").exists()
    assert (Path(_run(capsys, "pkgconfigdir").strip()) / "aclquant.pc").exists()
    assert (Path(_run(capsys, "cmakedir").strip()) / "aclquantConfig.cmake").exists()


def test_flags_for_c_programs(capsys: pytest.CaptureFixture[str]) -> None:
    include, lib = (_run(capsys, name).strip() for name in ("includedir", "libdir"))
    assert shlex.split(_run(capsys, "cflags")) == [f"-I{include}"]
    flags = shlex.split(_run(capsys, "libs"))
    assert flags[0] == f"-L{lib}"
    assert [f for f in flags if f.startswith("-l")] == ["-lascendcl", "-lnnopbase", "-lopapi"]
    flags = shlex.split(_run(capsys, "libs", "--rpath", "acl_rt", "opapi_nn"))
    assert f"-Wl,-rpath,{lib}" in flags and flags[-3:-1] == ["-lacl_rt", "-lopapi_nn"]
    assert main(["libs", "nonsense"]) == 1
    assert "there is no libnonsense.so" in capsys.readouterr().err


def test_info(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(_run(capsys, "info", "--json"))["soc"] == aq.backend().soc
    assert aq.backend().soc in _run(capsys, "info")


@pytest.mark.parametrize("dtype", ["qint8", "quint8", "quint4x2"])
@pytest.mark.parametrize("axis", [None, -2])
def test_quantize(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, dtype: str, axis: int | None
) -> None:
    x = np.random.default_rng(1).standard_normal((16, 64)).astype(np.float32)
    source, target = tmp_path / "x.npy", tmp_path / "y.npy"
    np.save(source, x)
    options = [] if axis is None else ["--axis", axis]
    text = _run(capsys, "quantize", source, target, "--dtype", dtype, *options)
    y = np.load(target)
    if dtype == "quint4x2":
        assert y.dtype == np.int32
        assert y.shape == (16, 8)
        values = aq.unpack_int4(y).astype(np.float32)
    else:
        values = y.astype(np.float32)
    shape = (-1, 1) if axis else (1, 1)
    scales = np.load(tmp_path / "y.scale.npy").reshape(shape)
    points = np.load(tmp_path / "y.zero_point.npy").reshape(shape)
    assert (np.abs((values - points) * scales - x) <= scales * 0.501).all()
    assert f"({16 if axis else 1})" in text
    assert np.load(tmp_path / "y.scale.npy").size == (16 if axis else 1)
    assert "SNR" in text and "max" in text and str(x.nbytes) in text


def test_scales_from_file_and_number(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.float32([[1, 2], [3, 4]]))
    np.save(tmp_path / "s.npy", np.float32([1, 0.5]))
    arguments = ["quantize", tmp_path / "x.npy", tmp_path / "y.npy", "--scale"]
    _run(capsys, *arguments, tmp_path / "s.npy", "--axis", 1)
    assert np.load(tmp_path / "y.npy").tolist() == [[1, 4], [3, 8]]
    _run(capsys, *arguments, 2, "--force")
    assert np.load(tmp_path / "y.npy").tolist() == [[0, 1], [2, 2]]


def test_complaints_are_short_and_fail(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.float32([[1, 2]]))
    np.save(tmp_path / "i.npy", np.int64([1]))
    np.save(tmp_path / "nan.npy", np.float32([np.nan]))
    (tmp_path / "empty.npy").touch()
    (tmp_path / "t.npy").write_text("not an array")
    output = tmp_path / "y.npy"
    for name, options, text in (
        ("x.npy", ["--scale", "much"], "expected a number"),
        ("i.npy", [], "expected float16, bfloat16, float32 or float64"),
        ("x.npy", ["--scale", "0"], "above 0"),
        ("nan.npy", [], "finite"),
        ("empty.npy", [], "empty.npy"),
        ("t.npy", [], "t.npy"),
        ("none.npy", [], "No such file"),
        ("x.npy", ["--dtype", "quint4x2"], "multiple of 8"),
    ):
        error = _run(capsys, "quantize", tmp_path / name, output, *options, status=1)
        assert error.startswith("aclquant: ") and text in error
    assert not output.exists()
    before = (tmp_path / "x.npy").read_bytes()
    error = _run(capsys, "quantize", tmp_path / "x.npy", tmp_path / "x.npy", status=1)
    assert "same file as INPUT" in error and (tmp_path / "x.npy").read_bytes() == before


def test_demo_runs_as_a_program(tmp_path: Path) -> None:
    output = run_python(
        f"""
        import runpy, sys
        sys.argv = ["aclquant", "demo", {str(tmp_path / "out")!r}]
        try:
            runpy.run_module("aclquant", run_name="__main__")
        except SystemExit as exit:
            assert exit.code == 0
        """
    )
    assert "SNR" in output
    assert np.load(tmp_path / "out" / "weights_qint8.npy").dtype == np.int8


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="needs matplotlib")
def test_plot(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _run(capsys, "demo", tmp_path)
    assert (tmp_path / "weights_qint8.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.skipif(find_spec("matplotlib") is not None, reason="needs matplotlib to be missing")
def test_missing_matplotlib_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.float32([1]))
    error = _run(
        capsys, "quantize", tmp_path / "x.npy", tmp_path / "y.npy", "--plot", "p.png", status=1
    )
    assert "pip install 'aclquant[plot]'" in error


def test_run_ends_as_shells_do(cli: Command) -> None:
    assert "no such program: nonsense" in cli.says("run", "nonsense", status=127)
    assert "no such program: ./none" in cli.says("run", "--", "./none", status=127)
    script = cli.path("script.py")
    script.write_text("print('hello')\n")
    assert "chmod +x ./script.py" in cli.says("run", "./script.py", status=126)
    script.chmod(0o755)
    assert "Exec format error" in cli.says("run", "./script.py", status=126)
    assert "is a directory" in cli.says("run", "./", status=126)
    assert "expected a program" in cli.says("run", status=2)
    assert process("run", "--", "sh", "-c", "exit 7").returncode == 7
    done = process("run", "sh", "-c", "echo $1 $ACLQUANT_BACKEND", "-", "--help")
    assert done.stdout == b"--help host\n"


def test_help_has_examples_and_exit_statuses(cli: Command) -> None:
    assert cli("--help") == 0
    assert "Exit status:" in cli.out and "127" in cli.out and "Examples:" in cli.out
    for name, row in COMMANDS.items():
        assert f"  {name} " in cli.out or f"  {name}\n" in cli.out
        assert row.help in cli.out
    for name in COMMANDS:
        assert cli(name, "--help") == 0
        assert cli.out.startswith(f"Usage: aclquant {name}")
    assert cli("--version") == 0 and cli.out == f"aclquant {aq.__version__}\n"
    assert "No such command" in cli.says("nonsense", status=2)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(cli: Command, shell: str) -> None:
    assert cli("completion", shell) == 0
    assert "_ACLQUANT_COMPLETE" in cli.out


def test_completion_knows_commands_and_options(cli: Command) -> None:
    from click.shell_completion import ShellComplete

    from aclquant.cli.app import app

    complete = ShellComplete(app, {}, "aclquant", "_ACLQUANT_COMPLETE")
    names = [item.value for item in complete.get_completions([], "")]
    assert set(COMMANDS) <= set(names)
    options = [item.value for item in complete.get_completions(["quantize"], "--a")]
    assert "--axis" in options


def test_help_imports_no_command() -> None:
    text = run_python(
        """
        import sys
        from aclquant.cli import main
        assert main(["--help"]) == 0
        names = {"numpy", "rich", "aclquant.cli.arrays", "aclquant.cli.basic"}
        print(not names & set(sys.modules))
        """
    )
    assert text.splitlines()[-1] == "True"


def test_without_click() -> None:
    """``pip install aclquant`` alone: facts, info and run work, others name the extra."""
    text = run_python(
        """
        import contextlib, io, sys
        sys.modules["click"] = None
        from aclquant.cli import main
        from aclquant.cli.table import COMMANDS
        from aclquant.cli.plain import DIRECTORIES
        for name in [*DIRECTORIES, "cflags", "libs", "--version", "info"]:
            assert main([name]) == 0, name
        assert main(["libs", "--rpath", "acl_rt"]) == 0 and main(["info", "--json"]) == 0
        for line in (["quantize", "a", "b"], ["--help"], [], ["run", "--help"], ["libs", "-x"]):
            with contextlib.redirect_stderr(io.StringIO()) as error:
                assert main(line) == 1
            assert "pip install 'aclquant[cli]'" in error.getvalue(), line
            assert error.getvalue().count("\\n") == 1
        with contextlib.redirect_stderr(io.StringIO()):
            assert main(["run", "nonsense"]) == 127
        main(["run", "--", "echo", "replaced"])
        """
    )
    assert text.splitlines()[-1] == "replaced"
