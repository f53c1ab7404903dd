"""The pages are written in plain English: phrases that readers stumbled over do not come back."""

from __future__ import annotations

import re
import tokenize
from pathlib import Path

import pytest

from .markdown import PAGES, ROOT, name_of

# A phrase, and a better one.
BANNED = {
    r"(?<![Tt]here )\b(?:is|are|was|were) none\b(?! of)": "is missing, does not exist",
    r"(?<![Tt]here )\b(?:is|are) no (?!longer|more|less)[a-z]+\b": "is not a",
    r", too\b(?! )": "also, as well",
    r"\bbut for\b": "except",
    r"\b(?:with|without) sign\b": "sign-extended, unsigned",
    r"\bin vain\b": "unnecessary",
    r"\bother way round\b": "reversed",
    r"\bhalf type\b": "float16 or bfloat16",
    r"\ban own\b": "a custom, a separate",
    r"\bas it always did\b": "as in, for compatibility",
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


SOURCES = [
    path
    for folder, kinds in {
        "src": "py pyi cpp",
        "include": "h",
        "examples": "py c cpp h",
        "ascend_kernels/trace": "py cpp h",
        **{
            f"ascend_kernels/host/{part}": "cpp h inc"
            for part in ("api", "graph", "meta", "missing", "ops", "runtime")
        },
    }.items()
    for kind in kinds.split()
    for path in sorted((ROOT / folder).rglob(f"*.{kind}"))
]


def _words(source: Path) -> str:
    """Return comments, docstrings and messages; anything else of a source becomes a full stop."""
    text = source.read_text("utf-8")
    if source.suffix in (".py", ".pyi"):
        tokens = tokenize.generate_tokens(iter(text.splitlines(keepends=True)).__next__)
        kinds = (tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1))
        parts = [token.string for token in tokens if token.type in kinds]
    else:
        shapes = (r"(?://[^\n]*\n\s*)+", r"/\*.*?\*/", r'"(?:[^"\\\n]|\\.)*"')
        parts = re.findall("|".join(shapes), text, re.DOTALL)
        parts = [re.sub(r"\n\s*(?://|\*)", " ", part) for part in parts]
    return " ... ".join(re.sub(r"``[^`]*``|`[^`]*`|\s+", " ", part) for part in parts)


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
    _require_plain(_prose(page))


def test_plain_english_in_sources() -> None:
    """Comments, docstrings and messages; not those of the kernels' loops in simd/."""
    assert len(SOURCES) > 400
    for source in SOURCES:
        _require_plain(_words(source), f"{source.relative_to(ROOT)}: ")


def _require_plain(text: str, where: str = "") -> None:
    found = [
        f"{where}...{text[max(0, match.start() - 40) : match.end() + 30]}... (say: {better})"
        for pattern, better in BANNED.items()
        for match in re.finditer(pattern, text)
    ]
    assert not found, "\n".join(found)
