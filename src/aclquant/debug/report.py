"""One self-contained HTML page of a recording: calls, tensors, statistics, differences."""

from __future__ import annotations

import html
from typing import Any

from ..codes import code_name
from .numbers import Summary, compare, summarize
from .recording import RecordedCall, RecordedTensor, Recording

__all__ = ["report", "rows"]

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
  color: #1d2733; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 0; display: inline; }
.meta, .note { color: #5b6b7b; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; border-bottom: 2px solid #c9d3dc; padding: .25rem .6rem; }
td { border-bottom: 1px solid #e4eaef; padding: .25rem .6rem; vertical-align: top; }
td.n { text-align: right; }
details { border: 1px solid #d5dde4; border-radius: 6px; margin: .6rem 0; padding: .5rem .9rem; }
details.bad { border-color: #bc4749; } .bad .status { color: #a3262a; font-weight: 600; }
summary { cursor: pointer; } pre { white-space: pre-wrap; background: #f4f6f8; padding: .6rem; }
svg rect { fill: #4878a8; } .changed { color: #2f6d3a; }
@media (prefers-color-scheme: dark) {
  body { color: #dde5ec; background: #14191f; } pre { background: #1f262e; }
  details { border-color: #36424d; } td { border-color: #2a343d; } .changed { color: #8ccf98; }
}
"""


def rows(recording: Recording) -> list[dict[str, Any]]:
    """Return the calls and what is in their tensors as plain data."""
    found = []
    for number, call in enumerate(recording.calls, 1):
        tensors = []
        for name, before, after in _tensors(call):
            shown = after or before
            row: dict[str, Any] = {"name": name, "dtype": shown.dtype, "shape": list(shown.shape)}
            if shown.missing:
                row["missing"] = shown.missing
            else:
                row |= summarize(shown.array()).as_dict()
            row["changed"] = after is not None and after.blob != before.blob
            tensors.append(row)
        found.append(
            {
                "call": number,
                "operator": call.operator,
                "status": call.status,
                "error": call.error,
                "us": call.duration,
                "tensors": tensors,
            }
        )
    return found


def report(recording: Recording) -> str:
    """Return the page: no script, nothing from elsewhere, readable in any browser.

    Raises
    ------
    RecordingError
        When the recording is damaged.
    """
    calls = recording.calls
    failed = sum(call.status != 0 for call in calls)
    first = calls[0] if calls else None
    chip = f"{first.soc}, CANN {first.cann}" if first else "nothing recorded"
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{_text(recording.folder.name)}: {len(calls)} calls</title>",
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>Recording {_text(recording.folder.name)}</h1>",
        f"<p class='meta' id='counts'>{len(calls)} calls, {failed} failed; {_text(chip)}</p>",
    ]
    parts += [f"<p class='note'>{_text(note)}</p>" for note in recording.notes]
    parts += [_call(number, call) for number, call in enumerate(calls, 1)]
    return "\n".join([*parts, "</body></html>\n"])


def _call(number: int, call: RecordedCall) -> str:
    bad = call.status != 0
    status = "did not return" if call.status is None else f"{call.status} {code_name(call.status)}"
    head = (
        f"<details class='call{' bad' if bad else ''}'{' open' if bad else ''}>"
        f"<summary><h2>{number}. {_text(call.operator)}</h2> <span class='status'>{_text(status)}</span>"
        f" <span class='meta'>{call.duration:.1f} µs</span></summary>"
    )
    plain = [
        f"<tr><td>{_text(a.name)}</td><td>{_text(a.type)}</td><td>{_text(_value(a.value))}</td></tr>"
        for a in call.arguments
        if not a.tensors
    ]
    body = [head]
    if call.error:
        body.append(f"<pre>{_text(call.error)}</pre>")
    tensors = [_tensor(*row) for row in _tensors(call)]
    if tensors:
        titles = "".join(
            f"<th>{t}</th>"
            for t in (
                "tensor",
                "type",
                "min",
                "max",
                "mean",
                "zeros",
                "saturated",
                "histogram",
                "by the call",
            )
        )
        body.append(f"<table><tr>{titles}</tr>{''.join(tensors)}</table>")
    if plain:
        body.append(
            f"<table><tr><th>argument</th><th>type</th><th>value</th></tr>{''.join(plain)}</table>"
        )
    return "".join([*body, "</details>"])


def _tensors(call: RecordedCall) -> list[tuple[str, RecordedTensor, RecordedTensor | None]]:
    found: list[tuple[str, RecordedTensor, RecordedTensor | None]] = []
    for position, argument in enumerate(call.arguments):
        after = call.after[position].tensors if call.after else []
        for member, tensor in enumerate(argument.tensors):
            name = argument.name if len(argument.tensors) == 1 else f"{argument.name}[{member}]"
            found.append((name, tensor, after[member] if after else None))
    return found


def _tensor(name: str, before: RecordedTensor, after: RecordedTensor | None) -> str:
    shown = after or before
    shape = ", ".join(map(str, shown.shape))
    head = f"<tr><td>{_text(name)}</td><td>{_text(shown.dtype)} [{shape}]</td>"
    if shown.missing:
        return f"{head}<td colspan='7' class='note'>{_text(shown.missing)}</td></tr>"
    s = summarize(shown.array(), bins=24)
    changed = ""
    if after is not None and after.blob != before.blob and not before.missing:
        comparison = compare(before.array(), after.array())
        changed = f"<span class='changed'>wrote {comparison.size - comparison.equal} of {comparison.size}</span>"
    cells = "".join(f"<td class='n'>{value:.6g}</td>" for value in (s.least, s.most, s.mean))
    saturated = f"{s.saturated_low} / {s.saturated_high}" if "int" in s.dtype else ""
    return (
        f"{head}{cells}<td class='n'>{s.zeros}</td><td class='n'>{saturated}</td>"
        f"<td>{_histogram(s)}</td><td>{changed}</td></tr>"
    )


def _histogram(summary: Summary) -> str:
    most = max(int(summary.counts.max(initial=0)), 1)
    bars = "".join(
        f"<rect x='{5 * i}' y='{24 - round(24 * int(c) / most, 2)}' width='4' "
        f"height='{round(24 * int(c) / most, 2)}'/>"
        for i, c in enumerate(summary.counts)
    )
    return f"<svg width='120' height='24' role='img' aria-label='histogram'>{bars}</svg>"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['dtype']} {value['value']}"
    return "null" if value is None else str(value)


def _text(value: str) -> str:
    return html.escape(value)
