"""Code blocks, links and headings of a Markdown page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?:/\* |# )([\w.]+\.(?:c|py|yml))(?: \*/)?\n")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line of its first line of text."""

    language: str
    text: str
    line: int

    @property
    def is_session(self) -> bool:
        """Whether it shows an interpreter's prompt."""
        return self.text.lstrip().startswith(">>> ")


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        yield Block(match[2], match[3], text.count("\n", 0, match.start(3)) + 1)


def file_of(block: Block) -> str:
    """Return the name of the file that a block is, or an empty text."""
    found = _FILE.match(block.text)
    return found[1] if found else ""


def links(page: Path) -> list[str]:
    """Return the targets of all links outside code."""
    prose = re.sub(r"`[^`]*`", "", _FENCE.sub("", page.read_text(encoding="utf-8")))
    return _LINK.findall(prose)


def anchors(page: Path) -> set[str]:
    """Return the names under which the headings of a page can be linked."""
    found = set()
    for heading in _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        plain = re.sub(r"[^\w\- ]", "", heading.lower())
        found.add(plain.strip().replace(" ", "-"))
    return found


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()
