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
CODES_PAGE = ROOT / "docs" / "ops" / "everyday_codes.md"
DEVIATIONS = ROOT / "tests" / "ops" / "everyday_deviations.txt"
REASONS = {
    "layout": "The layout of private formats is not public, so tensors in them are refused.",
    "rank": "Kernels here walk at most eight dimensions.",
    "null": "A null argument gives 161001 in every operator.",
    "empty": "Shapes are checked in the same way when there are no elements.",
    "format": "The format of a plain tensor says nothing about its memory, and is not compared.",
    "type": "Types without arithmetic here.",
    "narrow": "CANN takes fewer types or shapes; these have a clear result.",
    "wide": "CANN takes a call whose result is not clear, or whose arguments do not fit.",
}
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


def _argument(text: str, name: str) -> str:
    """Say what a word of a row stands for."""
    tensor = re.fullmatch(r"(\w+)\(([\d,]*)\)(?:@(\w+))?", text)
    if tensor:
        dims = ", ".join(tensor[2].split(",")) + ("," if tensor[2] and "," not in tensor[2] else "")
        layout = f" in {tensor[3]}" if tensor[3] else ""
        return f"`{name}` {tensor[1]} ({dims}){layout}"
    if text.startswith("["):
        parts = re.findall(r"\w+\([^)]*\)(?:@\w+)?", text)
        return f"`{name}` a list of " + ", ".join(_argument(part, "")[3:] for part in parts)
    return f"`{name}` {text.replace('=', ' ')}"


def _parameters(operator: str) -> list[str]:
    for path in (ROOT / "include" / "aclnnop").glob("*.h"):
        found = re.search(operator + PHASE_1 + r"\(([^)]*)\)", path.read_text("utf-8"))
        if found:
            return [one.split()[-1].lstrip("*") for one in found[1].split(",")][:-2]
    raise KeyError(operator)


def deviations() -> str:
    """Return the table of calls that CANN answers with another code."""
    lines = ["| operator | arguments | CANN | here | why |", "|---|---|---|---|---|"]
    for row in DEVIATIONS.read_text("utf-8").splitlines():
        if row.startswith("#"):
            continue
        operator, arguments, cann, here, reason, sentence = row.split(": ")
        words = re.findall(r"\[[^\]]*\]|\S+", arguments)
        told = [_argument(*pair) for pair in zip(words, _parameters(operator), strict=True)]
        assert reason in REASONS, row
        lines.append(
            f"| `{operator}` | {'; '.join(told)} | {cann} | {here} | {reason}: {sentence} |"
        )
    return "\n".join(lines) + "\n"


def codes_page() -> str:
    """Return the text of the page of codes."""
    reasons = "\n".join(f"* **{name}**: {text}" for name, text in REASONS.items())
    written = CODES_PAGE.read_text("utf-8").partition(MARK)[0]
    return f"{written}{MARK}\n{reasons}\n\n{deviations()}"


def page() -> str:
    """Return the text of the page: what is written by hand, and the tables."""
    return PAGE.read_text("utf-8").partition(MARK)[0] + MARK + tables()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    CODES_PAGE.write_text(codes_page(), encoding="utf-8")
