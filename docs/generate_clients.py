"""Write the table of docs/clients.md, and the README's, from the recorded results of the clients.

Run it after a result was recorded anew: ``python docs/generate_clients.py``. A result is a file
``tests/clients/results/<client>.json`` that the client's test writes (see
``tests/clients/harness.py``): a list of rows with the fields of `Row`. To add a client, add its
test, record its result, run this file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "clients.md"
README = ROOT / "README.md"
RESULTS = ROOT / "tests" / "clients" / "results"
BEGIN, END = "<!-- python docs/generate_clients.py -->\n", "<!-- end -->\n"


@dataclass
class Row:
    """One run of a client."""

    client: str
    """Its name on PyPI."""
    version: str
    ran: str
    """What was run, in a few words; no two rows of a client have the same."""
    command: str
    """The command that runs it again, from a clone of this repository."""
    passed: int
    failed: int
    """Wrong values, crashes, errors that should not be."""
    missing: int
    """Cases that need a function which the host device refuses by name."""
    left: dict[str, list[str]]
    """``"failed: <cause>"`` or ``"missing: <cause>"`` to the cases, for all that did not pass."""


def rows() -> list[Row]:
    """Return the recorded results, in the order of their files' names."""
    return [
        Row(**row)
        for path in sorted(RESULTS.glob("*.json"))
        for row in json.loads(path.read_text("utf-8"))
    ]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def table(found: list[Row]) -> str:
    """Return the table of the page: a line for each run, and the causes of what is left."""
    lines = [
        "| client | version | what was run | passed | failed | missing | command |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {_cell(r.client)} | {r.version} | {_cell(r.ran)} | {r.passed} | {r.failed} | "
        f"{r.missing} | `{_cell(r.command)}` |"
        for r in found
    ]
    left = [
        f"| {_cell(r.client)} | {_cell(cause)} | {', '.join(map(_cell, cases))} |"
        for r in found
        for cause, cases in r.left.items()
    ]
    if left:
        lines += ["", "What did not pass, and why:", "", "| client | cause | cases |"]
        lines += ["|---|---|---|", *left]
    return "\n".join(lines) + "\n"


def short_table(found: list[Row]) -> str:
    """Return the table of the README: a line for each client."""
    lines = ["| client | passed | failed | missing a function |", "|---|---|---|---|"]
    for client, version in dict.fromkeys((r.client, r.version) for r in found):
        own = [r for r in found if r.client == client]
        sums = [sum(getattr(r, n) for r in own) for n in ("passed", "failed", "missing")]
        lines.append(f"| {client} {version} | {' | '.join(map(str, sums))} |")
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Return both pages as they should be."""
    found = rows()
    made = {}
    for path, text in ((PAGE, table(found)), (README, short_table(found))):
        before, rest = path.read_text("utf-8").split(BEGIN)
        made[path] = f"{before}{BEGIN}{text}{END}{rest.split(END)[1]}"
    return made


if __name__ == "__main__":
    for target, content in pages().items():
        target.write_text(content, "utf-8")
