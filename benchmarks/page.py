"""Parts of pages that a benchmark writes: between its mark and the next end mark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs" / "performance"
END = "<!-- end -->"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def renew(name: str, command: str, text: str) -> None:
    """Put `text` in place of what this command wrote before."""
    page = DOCS / name
    mark = f"<!-- python benchmarks/{command} -->"
    before, found, rest = page.read_text().partition(mark)
    _, end, after = rest.partition(END)
    if not found or not end:
        raise ValueError(f"{page}: the marks {mark} and {END} are missing")
    page.write_text(f"{before}{mark}\n{text.strip()}\n{END}{after}")
    print(f"{page}: renewed")
