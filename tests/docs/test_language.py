"""The pages are written in plain English: phrases that readers stumbled over do not come back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .markdown import PAGES, name_of

# A phrase, and a better one.
BANNED = {
    r"\b(?:is|are|was|were) none\b(?! of)": "is missing, does not exist",
    r"(?<![Tt]here )\b(?:is|are) no (?!longer|more|less)[a-z]+\b": "is not a",
    r", too\b(?! )": "also, as well",
    r"\bbut for\b": "except",
    r"\bso many\b": "a number",
    r"\bbehind (?:each other|one another)\b": "consecutive",
    r"\b[Nn]obody\b": "no one, or the passive",
    r"\bof (?:its|their) own\b": "its own, separate",
    r"\bis asked for\b": "is prefetched, is requested",
    r"\bthe (?:nearest|second) cache\b": "L1, L2",
    r"\b[Ee]xtents?\b": "min and max",
    r"\bthe stroke\b": "the slash",
    r"\bsome (?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred)\b": "about",
}


def _prose(page: Path) -> str:
    """Return the text without fenced blocks, code and generated tables."""
    text = page.read_text("utf-8").partition("<!-- From here on:")[0]
    text = re.sub(r"^( *)```.*?^\1```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "`code`", text).replace("\n", " ")


def test_patterns_find_what_they_are_for() -> None:
    text = "It is no framework, too. A version that is none; so many, but for one of its own."
    assert len([pattern for pattern in BANNED if re.search(pattern, text)]) == 6
    allowed = "There is no axis. It is no longer too long. None of its rows."
    assert not [pattern for pattern in BANNED if re.search(pattern, allowed)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_plain_english(page: Path) -> None:
    text = _prose(page)
    found = [
        f"...{text[max(0, match.start() - 40) : match.end() + 30]}... (say: {better})"
        for pattern, better in BANNED.items()
        for match in re.finditer(pattern, text)
    ]
    assert not found, "\n".join(found)
