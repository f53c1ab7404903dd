"""Recordings: written by any program, readable after a kill, never wrong when damaged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from helpers.programs import aclquant

import aclquant as aq
from aclquant.debug import session as debug
from aclquant.debug.recording import Recording, RecordingError, read_recording

from .conftest import Command


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of one call that worked and one that was refused."""
    folder = tmp_path_factory.mktemp("recording")
    with aq.record(folder, filter="Quantize"):
        aq.quantize(np.array([[1, 2, 3], [4, 5, 6]], np.float32), [0.5, 1.0, 2.0], axis=1)
        with pytest.raises(aq.ParameterError):
            aq.quantize(np.zeros((1, 2), np.float32), [1.0, 2.0, 3.0])
    return folder


def copy(small: Path, tmp_path: Path) -> tuple[Path, Path]:
    target = tmp_path / "copy"
    shutil.copytree(small, target)
    (lines,) = target.glob("calls-*.jsonl")
    return target, lines


def test_c_program(client: Path, run: Command, tmp_path: Path) -> None:
    done = run("record", "-o", "bug", "--", client)
    assert done.returncode == 0 and "y = 0 2 2 0 -2 -2 127 -128" in done.stdout
    (call,) = read_recording(tmp_path / "bug").calls
    assert call.operator == "aclnnAscendQuantV3" and call.status == 0 and call.soc == "Ascend910B1"
    names = [argument.name for argument in call.arguments]
    assert names == ["x", "scale", "offset", "sqrtMode", "roundMode", "dstType", "axis", "y"]
    assert [call.arguments[i].value for i in (2, 3, 4, 5, 6)] == [None, False, "round", 2, -1]
    assert call.after[7].value.array().tolist() == [0, 2, 2, 0, -2, -2, 127, -128]
    assert call.outputs == [7]
    again = run("replay", "bug", "--compare")
    assert again.returncode == 0 and "y: equal: all 8 elements" in again.stdout


@pytest.mark.parametrize("language", ["c", "python"])
def test_emitted_programs_run_as_they_are(
    small: Path, language: str, run: Command, tmp_path: Path
) -> None:
    for number in (1, 2):
        done = run("replay", small, "--emit", language, "--call", number)
        assert done.returncode == 0, done.stderr
        source = tmp_path / ("bug.c" if language == "c" else "bug.py")
        source.write_text(done.stdout)
        assert _run_source(source) == 0
    # A call with another outcome than the recorded one says so.
    text = done.stdout.replace("161002", "161001")
    source.write_text(text)
    assert _run_source(source) == 1


def _run_source(source: Path) -> int:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    if source.suffix == ".py":
        command = [sys.executable, str(source)]
        return subprocess.run(command, env=environment, timeout=120, capture_output=True).returncode
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    program = source.with_suffix("")
    flags = f"{aclquant('cflags')} {aclquant('libs', '--rpath')}"
    build = f"cc -Wall -Wextra -Werror {source} {flags} -o {program}"
    built = subprocess.run(build, shell=True, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return subprocess.run([str(program)], capture_output=True, timeout=120).returncode


def test_every_kind_of_argument(
    compiled: Callable[[str], Path], run: Command, tmp_path: Path
) -> None:
    done = run("record", "-o", "bug", "--", compiled("objects"))
    assert done.returncode == 0, done.stderr
    recording = read_recording(tmp_path / "bug")
    add, cat, flip = recording.calls
    assert [c.operator for c in recording.calls] == ["aclnnInplaceAdd", "aclnnCat", "aclnnFlip"]
    before, after = add.arguments[0].value, add.after[0].value
    assert before.array().tolist() == [[4, 5, 6], [12, 13, 14]]
    assert after.array().tolist() == [[4.5, 6, 7.5], [16.5, 18, 19.5]]
    assert add.arguments[2].value["value"] == 0.5
    assert len(cat.arguments[0].tensors) == 2 and cat.arguments[1].value == 0
    assert flip.arguments[1].value == [0]
    assert flip.after[2].value.array().tolist() == [[9, 10, 11], [1, 2, 3]]
    results = aq.debug.replay(recording)
    assert [r.same for r in results] == [True] * 3, "\n".join(map(str, results))
    assert [o.name for r in results for o in r.outputs] == ["selfRef", "other", "out", "out"] or [
        r.outputs[0].comparison.identical for r in results
    ] == [True] * 3
    for number in (1, 2, 3):
        for language in ("c", "python"):
            source = tmp_path / f"bug{number}.{'c' if language == 'c' else 'py'}"
            source.write_text(aq.debug.emit(recording, language, call=number))
            assert _run_source(source) == 0, (number, language)


def test_types_and_layouts_of_python(tmp_path: Path) -> None:
    x = np.arange(48, dtype=np.float32).reshape(4, 12)
    with aq.record(tmp_path / "r", filter="aclnn") as recording:
        aq.quantize(x.T, 1.0)
        aq.quantize(x[::-1, ::2], 2.0)
        aq.quantize(x.astype(ml_dtypes.bfloat16), 1.0)
        codes = aq.quantize(x[:, :8].astype(np.float16), np.ones(8, np.float16), None,
                            "quint4x2", -1, False)  # fmt: skip
        aq.anti_quant(codes, np.ones(8, np.float32), src_dtype="quint4x2")
        aq.dynamic_quant(x.astype(np.float16))
    assert len(recording.calls) == 6
    assert recording.calls[0].arguments[0].value.array().tolist() == x.T.tolist()
    assert recording.calls[1].arguments[0].value.array().tolist() == x[::-1, ::2].tolist()
    results = aq.debug.replay(recording)
    assert all(result.same and result.outputs for result in results), "\n".join(map(str, results))


def test_a_difference_is_found_and_said(small: Path, tmp_path: Path) -> None:
    target, _ = copy(small, tmp_path)
    recording = read_recording(target)
    call = recording.calls[0]
    out = call.after[-1].value
    wrong = bytearray(out.content())
    wrong[4] += 3
    forged = type(out)(**{**vars(out), "blob": "forged"})
    object.__setattr__(forged, "content", lambda: bytes(wrong))
    call.after[-1] = type(call.after[-1])("out", "aclTensor *", forged)
    (result,) = aq.debug.replay(recording, call=1)
    assert not result.same
    comparison = result.outputs[0].comparison
    assert (comparison.equal, comparison.size, comparison.largest) == (5, 6, 3)
    assert comparison.first == (1, 1) and comparison.unit == "LSB"
    assert "first at [1, 1]: 8 and 5" in str(result)


def test_a_kill_leaves_what_was_recorded(tmp_path: Path) -> None:
    program = f"""
    import numpy as np, aclquant as aq, os, signal
    with aq.record({str(tmp_path / "r")!r}):
        aq.quantize(np.zeros(4, np.float32), 1.0)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    _python(program, -9)
    recording = read_recording(tmp_path / "r")
    assert [call.finished for call in recording.calls] == [True]
    assert aq.debug.replay(recording)[0].same


def test_a_crash_within_a_call_leaves_its_inputs(
    compiled: Callable[[str], Path], tmp_path: Path
) -> None:
    """A call that does not return: its tensors were written before it began."""
    with aq.record(tmp_path / "r", filter="Quantize"):
        aq.quantize(np.array([1, 2], np.float32), 0.5)
    (lines,) = (tmp_path / "r").glob("calls-*.jsonl")
    text = lines.read_bytes().splitlines(keepends=True)
    lines.write_bytes(b"".join(text[:-1]))  # as if the process had ended within phase 2
    recording = read_recording(tmp_path / "r")
    assert not recording.calls[0].finished and recording.failing == 1
    assert "ended within call 1" in recording.notes[0]
    (result,) = aq.debug.replay(recording)
    assert result.status == 0 and "recorded: it did not return" in str(result)


def _python(program: str, expected: int) -> None:
    import textwrap

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, env=environment, timeout=120, capture_output=True, text=True)
    assert done.returncode == expected, done.stderr


def test_a_line_cut_short_is_noted(small: Path, tmp_path: Path) -> None:
    target, lines = copy(small, tmp_path)
    whole = lines.read_bytes()
    for cut in (1, 10, 200):
        lines.write_bytes(whole[:-cut])
        recording = read_recording(target)
        assert len(recording.calls) == 1 and "killed" in recording.notes[0]


def test_every_damaged_byte_of_a_line_is_found(small: Path, tmp_path: Path) -> None:
    target, lines = copy(small, tmp_path)
    whole = lines.read_bytes()
    random = np.random.default_rng(3)
    places = [*random.integers(0, len(whole) - 1, 200).tolist(), 0, whole.index(b"\n")]
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << int(random.integers(0, 7))
        lines.write_bytes(changed)
        with pytest.raises(RecordingError, match=r"damaged|begin"):
            read_recording(target)


def test_damaged_and_missing_values_are_never_used(small: Path, tmp_path: Path) -> None:
    target, _ = copy(small, tmp_path)
    tensor = read_recording(target).calls[0].arguments[0].value
    blob = target / "blobs" / tensor.blob[:2] / tensor.blob
    data = bytearray(blob.read_bytes())
    data[0] ^= 1
    blob.write_bytes(data)
    for use in (aq.debug.replay, lambda r: aq.debug.emit(r, "c", call=1), lambda r: r.verify()):
        with pytest.raises(RecordingError, match="damaged: its content does not fit its name"):
            use(read_recording(target))
    blob.write_bytes(data[:-1])
    with pytest.raises(RecordingError, match="23 bytes are there; 24 were recorded"):
        aq.debug.replay(target)
    blob.unlink()
    with pytest.raises(RecordingError, match="missing"):
        aq.debug.replay(target)


def test_other_versions_and_folders_are_refused(small: Path, tmp_path: Path) -> None:
    import zlib

    target, lines = copy(small, tmp_path)
    first, *rest = lines.read_bytes().split(b"\n")
    body = first.rpartition(b',"crc32"')[0].replace(b'"version":1', b'"version":2')
    line = body + f',"crc32":"{zlib.crc32(body):08x}"}}'.encode()
    lines.write_bytes(b"\n".join([line, *rest]))
    with pytest.raises(
        RecordingError, match="version 2 of aclquant-recording; this aclquant reads"
    ):
        read_recording(target)
    with pytest.raises(RecordingError, match="has no recording"):
        read_recording(tmp_path / "nothing")
    with pytest.raises(RecordingError, match="there is no call 9"):
        Recording(small).call(9)


def test_limits_and_filters(tmp_path: Path) -> None:
    with aq.record(tmp_path / "r", filter="Quantize", limit=8) as recording:
        aq.quantize(np.zeros(100, np.float32), 1.0)
        aq.dynamic_quant(np.zeros((2, 4), np.float16))
    (call,) = recording.calls
    assert call.arguments[0].value.missing == "larger than the limit of 8 bytes"
    (result,) = aq.debug.replay(recording)
    assert "'x' were not recorded: larger than the limit" in result.skipped and not result.same
    with pytest.raises(RecordingError, match="not recorded"):
        aq.debug.emit(recording, "c")
    with pytest.raises(aq.ParameterError, match="cannot make the directory"), aq.record("/proc/x"):
        pass


def test_equal_values_are_stored_once(tmp_path: Path) -> None:
    x = np.arange(1000, dtype=np.float32)
    with aq.record(tmp_path / "r", filter="Quantize"):
        for _ in range(5):
            aq.quantize(x, 1.0)
    blobs = list((tmp_path / "r" / "blobs").rglob("?" * 64))
    assert sum(blob.stat().st_size for blob in blobs) <= 4000 + 4 + 1000 * 6


def test_plans_and_repeated_calls_follow_their_addresses(tmp_path: Path) -> None:
    """A repeatable executor runs with other addresses each time: those are what is recorded."""
    xs = [np.full(8, value, np.float32) for value in (1, 2, 3)]
    with aq.record(tmp_path / "r", filter="Quantize") as recording:
        with aq.plan(aq.quantize, xs[0], 1.0) as planned:
            for x in xs:
                planned(x)
        for x in xs:
            aq.quantize(x, 0.5)
    inputs = [call.arguments[0].value.array()[0] for call in recording.calls]
    assert inputs == [1, 2, 3, 1, 2, 3]
    assert all(result.same for result in aq.debug.replay(recording))


def test_two_recordings_are_compared(small: Path, run: Command, tmp_path: Path) -> None:
    same = run("diff", small, small)
    assert same.returncode == 0 and "equal: all 6 elements" in same.stdout
    with aq.record(tmp_path / "other", filter="Quantize"):
        aq.quantize(np.array([[1, 2, 3], [4, 5, 7]], np.float32), [0.5, 1.0, 2.0], axis=1)
        with pytest.raises(aq.ParameterError):
            aq.quantize(np.zeros((1, 2), np.float32), [1.0, 2.0, 3.0])
    other = run("diff", small, "other", "--json")
    assert other.returncode == 3
    outputs = json.loads(other.stdout)[0]["outputs"]
    assert outputs[0]["equal"] == 5 and outputs[0]["largest"] == 1


def test_the_report_has_every_call(small: Path, run: Command, tmp_path: Path) -> None:
    kept = run("inspect", small, "--html", "report.c")
    assert kept.returncode == 2 and "expected a name in .html" in kept.stderr
    done = run("inspect", small, "--html", "report.html")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "report.html").read_text()
    assert "2 calls, 1 failed; Ascend910B1" in text
    assert text.count("<details") == 2 and "argument &#x27;scales&#x27;" in text
    assert "http" not in text.replace("http://www.w3.org", "") and "<script" not in text
    listed = run("inspect", small, "--json")
    rows = json.loads(listed.stdout)
    assert rows[0]["tensors"][-1]["changed"] and rows[1]["status"] == 161002


BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)


@pytest.mark.nightly
@pytest.mark.skipif(not BROWSER, reason="no Chromium is installed")
def test_a_browser_shows_the_report(small: Path, tmp_path: Path) -> None:
    from aclquant.debug.report import report

    page = tmp_path / "report.html"
    page.write_text(report(read_recording(small)), encoding="utf-8")
    base = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/p"]
    shown = subprocess.run(
        [*base, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120
    )
    assert "2 calls, 1 failed" in shown.stdout and shown.stdout.count("<svg") >= 3
    picture = tmp_path / "page.png"
    subprocess.run(
        [*base, f"--screenshot={picture}", page.as_uri()], capture_output=True, timeout=120
    )
    assert picture.stat().st_size > 5000


def test_a_second_recording_is_not_mixed_into_the_first(
    small: Path, client: Path, run: Command, tmp_path: Path
) -> None:
    """Issue 11: two runs into one directory became one recording, without a word."""
    folder, _ = copy(small, tmp_path)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(aq.ParameterError, match="which has a recording"), aq.record(folder):
        raise AssertionError
    done = run("record", "-o", folder, "--", client)
    assert done.returncode == 1 and "has a recording" in done.stderr and "--force" in done.stderr
    assert len(read_recording(folder).calls) == 2
    done = run("record", "--force", "-o", folder, "--", client)
    assert done.returncode == 0
    (call,) = read_recording(folder).calls
    assert call.operator == "aclnnAscendQuantV3" and (folder / "notes.txt").exists()


def test_a_process_number_that_comes_again(tmp_path: Path) -> None:
    """Calls of an earlier process of this number (in a container: 1) were lost."""
    (tmp_path / f"calls-{os.getpid()}.jsonl").write_text("somebody else's\n")
    for name in ("first", "second"):
        number = debug.begin(record=str(tmp_path))
        aq.quantize(np.array([[1, 2]], np.float32), 0.5 if name == "first" else 0.25)
        debug.end(number)
    kept = tmp_path / f"calls-{os.getpid()}.jsonl"
    assert kept.read_text() == "somebody else's\n"
    kept.unlink()
    calls = read_recording(tmp_path).calls
    assert [call.after[-1].value.array().tolist() for call in calls] == [[[2, 4]], [[4, 8]]]
