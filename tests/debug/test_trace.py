"""Traces of C programs and of Python: what is seen, in which form, and what it does not change."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import aclquant as aq
from aclquant._ffi.declarations import functions
from aclquant._ffi.locate import LIBRARIES, bundled
from aclquant.debug.events import Trace, read_trace

from .conftest import Command

TRACER = Path(bundled(LIBRARIES)) / "libaclquant_trace.so"
OWN = {name for name, f in functions.items() if f.header == "aclquant/trace.h"}


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not installed")
def test_every_function_of_the_headers_has_a_wrapper() -> None:
    listed = subprocess.run(
        ["nm", "-D", "--defined-only", str(TRACER)], capture_output=True, text=True, check=True
    )
    exported = {line.split()[-1] for line in listed.stdout.splitlines()}
    assert set(functions) <= exported
    assert exported - set(functions) == {"dlsym"}
    assert len(OWN) == 4


def test_c_program_as_text(client: Path, run: Command) -> None:
    done = run("trace", "--", client)
    assert done.returncode == 0, done.stderr
    assert "y = 0 2 2 0 -2 -2 127 -128" in done.stdout
    lines = done.stderr.splitlines()
    assert all(line.startswith("aclquant ") for line in lines)
    names = [re.search(r" (\w+)\(", line)[1] for line in lines]  # type: ignore[index]
    assert names[0] == "aclInit" and names[-1] == "aclFinalize"
    phase_one = next(line for line in lines if "V3GetWorkspaceSize(" in line)
    assert "x=f32[8]{1}@dev, scale=f32[1]{1}@dev, offset=null, sqrtMode=false" in phase_one
    assert 'roundMode="round"' in phase_one and "workspaceSize=&1024" in phase_one
    assert " = 0  " in phase_one and phase_one.endswith(" us")
    phase_two = next(line for line in lines if "aclnnAscendQuantV3(" in line)
    assert re.search(r"executor=0x\w+#\d+, stream=0x\w+\) = 0", phase_two)


def test_c_program_as_json_lines(client: Path, run: Command, tmp_path: Path) -> None:
    done = run("trace", "-o", "calls.jsonl", "-f", "^aclnn|Memcpy", "--summary", "--", client)
    assert done.returncode == 0, done.stderr
    trace = read_trace(tmp_path / "calls.jsonl")
    assert [call.function for call in trace] == [
        *["aclrtMemcpy"] * 2,
        *("aclnnAscendQuantV3GetWorkspaceSize", "aclnnAscendQuantV3", "aclrtMemcpy"),
    ]
    one, two = trace.calls[2:4]
    assert one.arguments["x"]["shape"] == [8] and one.arguments["x"]["place"] == "dev"
    assert one.arguments["axis"] == -1 and one.nbytes == 32 + 4 + 8
    assert two.phase1 == one.number and two.launches and two.stream.startswith("0x")
    assert [run.number for run in trace.executions] == [two.number]
    assert re.search(r"aclrtMemcpy +3 +0 +44 ", done.stdout)


def test_a_refusal_is_explained_in_its_line(compiled: Callable[[str], Path], run: Command) -> None:
    plain, traced = (
        run(*words, "--", compiled("refused")) for words in (["run"], ["trace", "-f", "aclnn"])
    )
    assert traced.returncode == plain.returncode == 1
    assert traced.stdout == plain.stdout  # the program still gets the text itself
    first, second = traced.stderr.splitlines()
    assert "= 161002 ACLNN_ERR_PARAM_INVALID" in first and "scales=i32[8]{1}@dev" in first
    assert "argument 'scales': got dtype INT32; allowed: FLOAT, FLOAT16, BF16" in second


def test_names_looked_up_at_run_time_and_threads(
    compiled: Callable[[str], Path], run: Command, tmp_path: Path
) -> None:
    done = run("trace", "-o", "t.jsonl", "--", compiled("looked_up"))
    assert done.returncode == 0, done.stderr
    trace = read_trace(tmp_path / "t.jsonl")
    calls = [call for call in trace if call.function == "aclrtMalloc"]
    assert len(calls) == 100 and len({call.tid for call in calls}) == 2
    assert len({call.number for call in trace}) == len(trace)


def test_a_killed_program_leaves_whole_lines(
    compiled: Callable[[str], Path], run: Command, tmp_path: Path
) -> None:
    done = run("trace", "-o", "t.jsonl", "--", compiled("looked_up"), "kill")
    assert done.returncode == 128 + 9
    assert len(read_trace(tmp_path / "t.jsonl")) == 203


def test_sync_lets_the_guilty_call_answer(compiled: Callable[[str], Path], run: Command) -> None:
    program = compiled("overrun")
    late = run("run", "--", program)
    assert late.returncode == 1 and "aclrtSynchronizeStream(stream): 507015" in late.stderr
    at_once = run("trace", "--sync", "-f", "^aclnnQuantize$", "--", program)
    assert "aclnnQuantize(workspace, size, executor, stream): 507015" in at_once.stderr
    assert (
        "reported by the device for this call: aclnnQuantize(x=f32[4096]{1}@dev" in at_once.stderr
    )
    assert "argument 'x'" in at_once.stderr


def test_a_program_that_does_not_exist(run: Command) -> None:
    done = run("trace", "--", "no-such-program")
    assert done.returncode == 127 and "no such program" in done.stderr
    assert run("trace").returncode == 2


@pytest.mark.parametrize("command", [["trace"], ["record", "-o", "r"], ["run"]])
def test_a_program_that_cannot_be_executed(
    command: list[str], run: Command, tmp_path: Path
) -> None:
    """Issue 11: ``/etc/passwd`` was "no such program"."""
    script = tmp_path / "script"
    script.write_text("no first line\n")
    for program, why in ((tmp_path, "is a directory"), (script, "is not executable: chmod +x")):
        done = run(*command, "--", program)
        assert done.returncode == 126 and f"{program} {why}" in done.stderr
    script.chmod(0o755)
    done = run(*command, "--", script)
    assert done.returncode == 126 and f"{script}: Exec format error" in done.stderr
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("name", ["x.json", "x.jsonl", "x.txt"])
def test_an_output_that_cannot_be_written_is_named(name: str, run: Command) -> None:
    """Issue 11: for x.json the error named x.jsonl."""
    done = run("trace", "-o", f"/nowhere/{name}", "--", "true")
    assert done.returncode == 1
    assert done.stderr == f"aclquant: /nowhere/{name}: No such file or directory\n"


def test_json_beside_json_lines(client: Path, run: Command, tmp_path: Path) -> None:
    """The scratch file of calls.json was calls.jsonl, which was overwritten and removed."""
    assert run("trace", "-o", "calls.jsonl", "--", client).returncode == 0
    kept = (tmp_path / "calls.jsonl").read_bytes()
    assert run("trace", "-o", "calls.json", "--", client).returncode == 0
    assert (tmp_path / "calls.jsonl").read_bytes() == kept
    assert {path.name for path in tmp_path.iterdir()} == {"calls.json", "calls.jsonl"}
    assert json.loads((tmp_path / "calls.json").read_text())["traceEvents"]


def test_a_bad_filter_is_refused_before_the_program_runs(client: Path, run: Command) -> None:
    done = run("trace", "-f", "(", "--", client)
    assert done.returncode == 1 and "is not a regular expression" in done.stderr
    assert "y =" not in done.stdout


def test_a_full_disk_ends_the_trace_not_the_program(client: Path, run: Command) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    done = run("run", "--", client, LD_PRELOAD=str(TRACER), ACLQUANT_TRACE="/dev/full")
    assert done.returncode == 0 and "y = 0 2 2" in done.stdout
    assert done.stderr.count("No space left on device; the trace ends here") == 1


# ---- Python ----


def quantize() -> None:
    aq.quantize(np.array([[1, 2]], np.float32), 0.5)


def test_python_calls_are_seen_only_inside_the_block() -> None:
    quantize()
    with aq.trace("^aclnn") as trace:
        assert len(trace) == 0
        quantize()
        quantize()
    quantize()
    assert [call.function for call in trace].count("aclnnQuantize") == 2
    assert trace.calls[0].arguments["x"]["shape"] == [1, 2]
    assert not trace.errors


def test_nothing_is_wrapped_when_no_trace_runs() -> None:
    library = aq.backend().library
    before = int(library_address(library, "aclrtMalloc"))
    with aq.trace():
        assert int(library_address(library, "aclrtMalloc")) != before
    assert int(library_address(library, "aclrtMalloc")) == before


def library_address(library: object, name: str) -> int:
    from aclquant._ffi import ffi

    return int(ffi.cast("uintptr_t", getattr(library, name)))


def test_python_errors_have_their_sentence() -> None:
    with aq.trace() as trace, pytest.raises(aq.ParameterError, match="scales") as caught:
        aq.quantize(np.zeros((1, 2), np.float32), [1.0, 2.0, 3.0])
    (call,) = trace.errors
    assert call.status == 161002 == caught.value.code
    assert "argument 'scales': got shape (3,)" in call.error
    assert "161002 ACLNN_ERR_PARAM_INVALID" in str(call)


def test_two_traces_at_once_and_a_wrong_filter() -> None:
    with aq.trace("aclnnQuantize$") as inner, aq.trace() as outer:
        quantize()
    assert len(inner) == 1 and len(outer) > 5
    with pytest.raises(aq.ParameterError, match="regular expression"), aq.trace("["):
        pass
    with pytest.raises(aq.ParameterError, match="cannot open"), aq.trace(file="/nonexistent/x"):
        pass


def test_sync_mode_in_python() -> None:
    library = aq.backend().library
    aq.debug(sync=True)
    try:
        x = aq.asarray(np.ones(4, np.float32))
        y = aq.quantize(x, 1.0)
        library.aclrtFree(x.buffer.pointer)  # behind aclquant's back
        with pytest.raises(aq.DeviceError, match="reported by the device for this call") as caught:
            aq.quantize(x, 1.0, out=y)
        assert "x=f32[4]{1}" in str(caught.value) and caught.value.code == 507015
    finally:
        aq.debug(sync=False)
        x.buffer.closed = True


def saved(tmp_path: Path) -> tuple[Trace, dict[str, object]]:
    with aq.trace() as trace:
        quantize()
        stream = aq.Stream()
        aq.quantize(aq.asarray(np.ones(4, np.float32)), 1.0, stream=stream)
        stream.synchronize()
        stream.close()
    path = tmp_path / "trace.json"
    trace.save(path)
    return trace, json.loads(path.read_text())


def test_chrome_form(tmp_path: Path) -> None:
    trace, chrome = saved(tmp_path)
    events = chrome["traceEvents"]
    assert isinstance(events, list)
    host = [e for e in events if e["ph"] == "X" and e["cat"] == "host"]
    device = [e for e in events if e["ph"] == "X" and e["cat"] == "device"]
    assert len(host) == len(trace)
    assert len(device) == len(trace.executions) >= 2
    names = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert {names[e["pid"], e["tid"]].split()[0] for e in device} == {"stream"}
    for row in {e["tid"] for e in device}:  # streams are serial: no overlap
        spans = sorted((e["ts"], e["ts"] + e["dur"]) for e in device if e["tid"] == row)
        assert all(a[1] <= b[0] + 1e-6 for a, b in itertools.pairwise(spans))
    starts = {e["id"]: e for e in events if e["ph"] == "s"}
    ends = {e["id"]: e for e in events if e["ph"] == "f"}
    assert starts.keys() == ends.keys() == {run.number for run in trace.executions}
    for number, start in starts.items():  # arrows lead from the call to a span on its stream
        assert any(e["ts"] == start["ts"] and e["args"]["number"] == number for e in host)
        assert any(
            e["ts"] == ends[number]["ts"] and e["tid"] == ends[number]["tid"] for e in device
        )
        assert start["ts"] <= ends[number]["ts"]


def test_other_forms_hold_the_same(tmp_path: Path) -> None:
    trace, _ = saved(tmp_path)
    trace.save(tmp_path)
    assert (tmp_path / "trace_view.json").exists()
    trace.save(tmp_path / "t.txt")
    assert len((tmp_path / "t.txt").read_text().splitlines()) == len(trace)
    rows = trace.summary()
    assert sum(row["calls"] for row in rows) == len(trace)
    assert [row["us"] for row in rows] == sorted((row["us"] for row in rows), reverse=True)


def test_a_foreign_parser_reads_the_chrome_form(tmp_path: Path) -> None:
    chrometrace = pytest.importorskip("chrometrace", reason="chrometrace is not installed")
    trace, chrome = saved(tmp_path)
    events = [e for e in chrome["traceEvents"] if e["ph"] in "XM"]  # type: ignore[attr-defined]
    parsed = [chrometrace.TraceEvent.from_dict(event) for event in events]
    complete = [e for e in parsed if e.event_type == chrometrace.TraceEventType.COMPLETE]
    assert len(complete) == len(trace) + len(trace.executions)


@pytest.mark.nightly
def test_a_model_builder_for_chrome_traces_reads_it(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    package = "@tracerbench/trace-model@8.0.0"
    got = subprocess.run(["npm", "install", "--silent", package], cwd=tmp_path, timeout=300)
    if got.returncode:
        pytest.skip(f"{package} cannot be installed")
    trace, _ = saved(tmp_path)
    script = """
    const {buildModel} = require('@tracerbench/trace-model');
    const read = JSON.parse(require('fs').readFileSync('trace.json'));
    let count = 0;
    for (const p of buildModel(read.traceEvents).processes)
      for (const t of p.threads) count += t.events.filter(e => e.ph === 'X').length;
    console.log(count);
    """
    done = subprocess.run(
        ["node", "-e", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == len(trace) + len(trace.executions)


def test_the_environment_traces_python(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    program = "import numpy as np, aclquant as aq; aq.quantize(np.zeros(2, np.float32), 1.0)"
    environment = {**os.environ, "ACLQUANT_TRACE": str(path), "ACLQUANT_TRACE_FILTER": "aclnn|Init"}
    environment["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=120)
    text = path.read_text()
    assert "aclInit(" in text and "aclnnQuantize(" in text


def test_a_forked_child_is_traced_under_its_own_number(tmp_path: Path) -> None:
    program = """
    import os, numpy as np, aclquant as aq
    aq.quantize(np.zeros(2, np.float32), 1.0)
    child = os.fork()
    if not child:
        aq.quantize(np.zeros(3, np.float32), 1.0)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    """
    path = tmp_path / "t.jsonl"
    environment = {**os.environ, "ACLQUANT_TRACE": str(path), "ACLQUANT_TRACE_FILTER": "aclnn"}
    environment["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)]
    subprocess.run(command, env=environment, check=True, timeout=120)
    sizes = {
        call.pid: call.arguments["x"]["shape"] for call in read_trace(path) if "x" in call.arguments
    }
    assert sorted(sizes.values()) == [[2], [3]]
