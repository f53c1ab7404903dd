"""Traces: reading JSON lines, and writing them as text, Chrome trace JSON, or a summary."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import errors
from ..files import write_all

__all__ = ["Call", "Execution", "Trace", "read_trace"]

_SHORT = {"FLOAT": "f32", "FLOAT16": "f16", "DOUBLE": "f64", "BF16": "bf16", "BOOL": "bool"}
_BITS = {"FLOAT": 32, "DOUBLE": 64, "BOOL": 8, "BF16": 16, "COMPLEX64": 64, "COMPLEX128": 128}


@dataclass
class Call:
    """One call of a C function.

    Attributes
    ----------
    number : int
        Counts the calls of the process.
    function : str
        The C function.
    arguments : dict
        Name to value; tensors are dictionaries with dtype, shape, strides, address, place.
    status : int or None
        What it returned, for functions that return a status.
    status_name : str
        The name of the status.
    result : object
        What functions of other types returned.
    error : str
        The library's sentence on a failure.
    start, duration : float
        Microseconds: of the monotonic clock, and how long the call took.
    pid, tid : int
        Process and thread.
    stream : str
        The stream it was given, as an address; empty for other functions.
    phase1 : int or None
        Number of the call of phase 1 that prepared this phase 2.
    launches : bool
        Whether it puts work on a stream.
    """

    number: int
    function: str
    arguments: dict[str, Any]
    status: int | None
    status_name: str
    result: Any
    error: str
    start: float
    duration: float
    pid: int
    tid: int
    stream: str = ""
    phase1: int | None = None
    launches: bool = False

    @property
    def failed(self) -> bool:
        """Whether it returned a status other than 0."""
        return bool(self.status)

    @property
    def nbytes(self) -> int:
        """Bytes of the tensors it was given, or of the memory it copies or allocates."""
        tensors = [a for a in self.arguments.values() if isinstance(a, dict) and "shape" in a]
        if tensors:
            return sum(_nbytes(tensor) for tensor in tensors)
        for name in ("count", "size"):
            value = self.arguments.get(name)
            if isinstance(value, int):
                return value
        return 0

    def __str__(self) -> str:
        inside = ", ".join(f"{k}={_short(v)}" for k, v in self.arguments.items())
        end = "" if self.status is None else f" = {self.status}"
        end = f"{end} {self.status_name}" if self.failed else end
        end = f" = {_short(self.result)}" if self.result is not None else end
        lines = [f"{self.pid}/{self.tid} {self.function}({inside}){end}  {self.duration:.2f} us"]
        lines += [f"    {line}" for line in self.error.splitlines()]
        return "\n".join(lines)


@dataclass
class Execution:
    """When the device ran the work of a call: microseconds of the device's own clock."""

    number: int
    pid: int
    stream: str
    begin: float
    end: float


@dataclass
class Trace:
    """The calls of one or more processes, in the order in which they returned.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> with aq.trace() as t:
    ...     _ = aq.quantize(np.float32([[1, 2]]), 0.5)
    >>> len(t) > 5, t.errors
    (True, [])
    """

    calls: list[Call] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    commands: dict[int, str] = field(default_factory=dict)

    @property
    def errors(self) -> list[Call]:
        """The calls that failed."""
        return [call for call in self.calls if call.failed]

    def extend(self, other: Trace) -> None:
        """Add what another trace has."""
        self.calls += other.calls
        self.executions += other.executions
        self.commands |= other.commands

    def __len__(self) -> int:
        return len(self.calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(self.calls)

    def __str__(self) -> str:
        return "\n".join(map(str, self.calls))

    def summary(self) -> list[dict[str, Any]]:
        """Return calls, errors, bytes and microseconds per function, the slowest first."""
        rows: dict[str, dict[str, Any]] = {}
        for call in self.calls:
            row = rows.setdefault(
                call.function,
                {"function": call.function, "calls": 0, "errors": 0, "bytes": 0, "us": 0.0},
            )
            row["calls"] += 1
            row["errors"] += call.failed
            row["bytes"] += call.nbytes
            row["us"] += call.duration
        return sorted(rows.values(), key=lambda row: (-row["us"], row["function"]))

    def summary_text(self) -> str:
        """Return the summary as a table."""
        rows = self.summary()
        width = max([len(row["function"]) for row in rows], default=8)
        lines = [
            f"{'function':{width}} {'calls':>8} {'errors':>6} {'bytes':>14} {'us':>12}"
            f" {'us/call':>9}"
        ]
        lines += [
            f"{r['function']:{width}} {r['calls']:>8} {r['errors']:>6} {r['bytes']:>14}"
            f" {r['us']:>12.1f} {r['us'] / r['calls']:>9.2f}"
            for r in rows
        ]
        return "\n".join(lines)

    def chrome(self) -> dict[str, Any]:
        """Return the trace in Chrome's JSON format, which Perfetto and MindStudio Insight open.

        One row per host thread, one per stream; an arrow leads from each launch to its execution.
        """
        events: list[dict[str, Any]] = []
        for pid in sorted({call.pid for call in self.calls}):
            events += _process(
                pid,
                self.commands.get(pid, ""),
                [call for call in self.calls if call.pid == pid],
                [run for run in self.executions if run.pid == pid],
            )
        return {"displayTimeUnit": "ns", "traceEvents": events}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the trace: ``.json`` Chrome's format, ``.jsonl`` JSON lines, else text.

        A directory gets a ``trace_view.json``, the name that MindStudio Insight looks for.
        """
        target = Path(path)
        if target.is_dir():
            target = target / "trace_view.json"
        if target.suffix == ".json":
            text = json.dumps(self.chrome()) + "\n"
        elif target.suffix == ".jsonl":
            text = "".join(json.dumps(row) + "\n" for row in self.rows())
        else:
            text = f"{self}\n"
        write_all(target, text.encode(), replace=True)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield plain data, as JSON lines have it."""
        for call in self.calls:
            row = {"n": call.number, **vars(call)}
            del row["number"]
            yield {key: value for key, value in row.items() if value not in (None, "")}


def read_trace(path: str | os.PathLike[str]) -> Trace:
    """Read JSON lines that the tracer wrote.

    A last line that is not complete, of a process that was killed, is left out.

    Raises
    ------
    ParameterError
        When another line cannot be understood.
    """
    found = Trace()
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    lines = text.split("\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            row = json.loads(line)
            _add(found, row)
        except (ValueError, KeyError, TypeError) as error:
            raise errors.ParameterError(
                f"line {number} of {path} is not a line of a trace: {error}",
                function="aclquant.debug.read_trace",
            ) from error
    return found


def _add(found: Trace, row: dict[str, Any]) -> None:
    if "trace" in row:
        found.commands[row["pid"]] = row.get("command", "")
    elif "execution" in row:
        found.executions.append(
            Execution(
                row["execution"], row["pid"], row["stream"], float(row["begin"]), float(row["end"])
            )
        )
    else:
        found.calls.append(
            Call(
                row["n"],
                row["function"],
                row["arguments"],
                row.get("status"),
                row.get("status_name", ""),
                row.get("result"),
                row.get("error", ""),
                row["start"] / 1000,
                row["duration"] / 1000,
                row["pid"],
                row["tid"],
                row.get("stream", ""),
                row.get("phase1"),
                row.get("launches", False),
            )
        )


def _process(
    pid: int, command: str, calls: list[Call], executions: list[Execution]
) -> Iterable[dict[str, Any]]:
    yield _name("process_name", pid, 0, command or f"process {pid}")
    for tid in sorted({call.tid for call in calls}):
        yield _name("thread_name", pid, tid, f"host thread {tid}")
    streams = sorted({run.stream for run in executions})
    rows = {stream: -1 - number for number, stream in enumerate(streams)}
    for stream, row in rows.items():
        label = "default stream" if stream == "0x0" else f"stream {stream}"
        yield _name("thread_name", pid, row & 0x7FFFFFFF, label)
    launched = {call.number: call for call in calls}
    # The two clocks: no work begins before it was put on its stream.
    shift = min(
        (run.begin - launched[run.number].start for run in executions if run.number in launched),
        default=0.0,
    )
    for call in calls:
        details: dict[str, Any] = {k: _short(v) for k, v in call.arguments.items()}
        details |= {"number": call.number}
        if call.status is not None:
            details["status"] = f"{call.status} {call.status_name}"
        if call.error:
            details["error"] = call.error
        yield {
            **_span("host", call.function, pid, call.tid, call.start, call.duration),
            "args": details,
        }
    last: dict[str, float] = {}
    for run in sorted(executions, key=lambda r: (r.begin, r.end, r.number)):
        call_ = launched.get(run.number)
        if call_ is None:
            continue
        row = rows[run.stream] & 0x7FFFFFFF
        # Streams are serial; clocks of whole microseconds may say otherwise.
        begin = max(run.begin - shift, last.get(run.stream, 0.0))
        length = max(run.end - shift - begin, 0.001)
        last[run.stream] = begin + length
        yield {
            **_span("device", call_.function, pid, row, begin, length),
            "args": {"number": run.number},
        }
        flow = {"cat": "launch", "name": "launch", "pid": pid, "id": run.number}
        yield {**flow, "ph": "s", "tid": call_.tid, "ts": call_.start}
        yield {**flow, "ph": "f", "bp": "e", "tid": row, "ts": begin}


def _name(kind: str, pid: int, tid: int, name: str) -> dict[str, Any]:
    # Category and time mean nothing here, but strict readers want them.
    row = {"ph": "M", "cat": "__metadata", "ts": 0, "name": kind, "pid": pid, "tid": tid}
    return {**row, "args": {"name": name}}


def _span(cat: str, name: str, pid: int, tid: int, ts: float, dur: float) -> dict[str, Any]:
    return {"ph": "X", "cat": cat, "name": name, "pid": pid, "tid": tid, "ts": ts, "dur": dur}


def _nbytes(tensor: dict[str, Any]) -> int:
    count = 1
    for size in tensor["shape"]:
        count *= size
    return (count * bits_of(tensor["dtype"]) + 7) // 8


def bits_of(name: str) -> int:
    """Return the bits of an element of a data type, by its ACL name; 0 if unknown."""
    if name in _BITS:
        return _BITS[name]
    digits = "".join(c if c.isdigit() else " " for c in name).split()
    return int(digits[0]) if digits else 0


def _short(value: Any) -> Any:
    """Write a value as the text form of a trace does."""
    if isinstance(value, dict) and "shape" in value:
        name = value["dtype"]
        name = _SHORT.get(name, name.lower().replace("uint", "u").replace("int", "i"))
        shape = ",".join(map(str, value["shape"]))
        strides = ",".join(map(str, value["strides"]))
        return f"{name}[{shape}]{{{strides}}}@{value['place'] or value['address']}"
    if isinstance(value, dict) and "bits" in value:
        return f"{value['dtype'].lower()}({value['value']})"
    if isinstance(value, list):
        return "[" + ",".join(str(_short(v)) for v in value) + "]"
    return "null" if value is None else value
