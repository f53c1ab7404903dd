"""Write the tables of docs/ops/everyday.md: what each operator does, and the types it takes.

Run it after a change of headers or of the operators' types: ``python docs/generate_everyday.py``.
The sentences are those of the headers, the types the rows of the host device's ``types.inc``. What
stands above the mark in the page is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "ops" / "everyday.md"
TYPES = ROOT / "ascend_kernels" / "host" / "ops" / "everyday" / "types.inc"
MARK = "<!-- From here on: python docs/generate_everyday.py -->\n"
PHASE_1 = "GetWorkspaceSize"
# Operators with pages of their own.
OTHERS = re.compile(r"(?<!Weight)Quant")
SEVERAL = "Several operators, which CANN declares in one header."

GROUPS = {
    "I": "INT8 to INT64, UINT8",
    "U": "UINT16 to UINT64",
    "F": "FLOAT, FLOAT16, BF16",
    "C": "COMPLEX64, COMPLEX128",
}


def sentences() -> dict[str, list[str]]:
    """Return what operators do, as the headers say it, to the names of those that do it."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "include" / "aclnnop").glob("*.h")):
        text = path.read_text("utf-8")
        first = re.search(r"SPDX[^\n]*\n \*\n((?: \* [^\n]*\n)+?) \* An independent", text)
        assert first, path.name
        sentence = _joined(first[1])
        body = text[first.end() :]
        pattern = r"/\*(?P<comment>.*?)\*/|aclnnStatus (?P<name>aclnn\w+)" + PHASE_1 + r"\("
        for item in re.finditer(pattern, body, re.DOTALL):
            if item["comment"]:
                sentence = _joined(item["comment"])
            elif not OTHERS.search(item["name"]):
                assert sentence != SEVERAL, f"{path.name}: {item['name']} has no sentence"
                found.setdefault(sentence, []).append(item["name"])
    return found


def _joined(comment: str) -> str:
    return " ".join(line.strip(" *\n") for line in comment.splitlines()).strip()


def types() -> dict[str, list[tuple[str, str]]]:
    """Return operator to its arguments and their types."""
    found: dict[str, list[tuple[str, str]]] = {}
    for kind, operator, argument, rest in re.findall(
        r"^(TYPES|SAME)\((\w+), (\w+), ([^)]*)\)$", TYPES.read_text("utf-8"), re.MULTILINE
    ):
        names = ", ".join(GROUPS.get(word, word) for word in rest.split(" | "))
        text = f"that of `{rest}`" if kind == "SAME" else names
        found.setdefault(operator, []).append((argument, text))
    return found


def tables() -> str:
    """Return what follows the mark in the page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "\n## What each does\n"
    yield "The functions of phase 1 have `GetWorkspaceSize` behind the name.\n"
    yield "| what | functions |\n|---|---|"
    for sentence, names in sentences().items():
        yield f"| {sentence.replace('|', '&#124;')} | {', '.join(f'`{name}`' for name in names)} |"
    yield "\n## The types they take\n"
    yield (
        "On Atlas A2 and A3, as CANN's documents and sources have it; other types are 161002. "
        "An argument without\na row may be any float, integer or BOOL.\n"
    )
    yield "| operator | argument: types |\n|---|---|"
    for operator, rows in types().items():
        cells: dict[str, list[str]] = {}
        for argument, text in rows:
            cells.setdefault(text, []).append(f"`{argument}`")
        yield (
            f"| `{operator}` | "
            + "; ".join(f"{', '.join(names)}: {text}" for text, names in cells.items())
            + " |"
        )


def page() -> str:
    """Return the text of the page: what is written by hand, and the tables."""
    return PAGE.read_text("utf-8").partition(MARK)[0] + MARK + tables()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
