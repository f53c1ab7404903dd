"""Every environment variable the code reads is in docs/environment.md, and the reverse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from aclquant import settings

from .markdown import ROOT

_LITERAL = re.compile(r"\"((?:ACLQUANT|ASCEND)_[A-Z_]+)\"")
_CONSTANT = re.compile(r"(ACLQUANT_[A-Z_]+)(?: =|[ ]+\(?-?\d)")
_ROW = re.compile(r"^\| `((?:ACLQUANT|ASCEND)_[A-Z_]+)`", re.MULTILINE)


def _sources() -> Iterator[Path]:
    for folder, suffixes in (
        ("src/aclquant", {".py"}),
        ("ascend_kernels", {".cpp", ".h"}),
        ("tests/ops", {".py"}),
    ):
        for path in (ROOT / folder).rglob("*"):
            if path.name == "settings.py":
                continue  # the table of names, which reads none of them
            if path.suffix in suffixes and not path.name.startswith(("_types", "_functions")):
                yield path


def _read_by_the_code() -> set[str]:
    found: set[str] = set()
    for path in _sources():
        found.update(_LITERAL.findall(path.read_text(encoding="utf-8")))
    headers = "".join(path.read_text("utf-8") for path in (ROOT / "include/aclquant").glob("*.h"))
    return found - set(_CONSTANT.findall(headers))


def test_documented_variables_are_those_of_the_code() -> None:
    documented = set(_ROW.findall((ROOT / "docs" / "environment.md").read_text(encoding="utf-8")))
    assert documented == _read_by_the_code()


def test_the_table_of_python_has_the_same_variables() -> None:
    """What is not in it is reported as unknown, see `aclquant info`."""
    documented = set(_ROW.findall((ROOT / "docs" / "environment.md").read_text(encoding="utf-8")))
    ours = {name for name in documented if name.startswith("ACLQUANT_")}
    assert set(settings.VARIABLES) == ours
