"""What the pages show is run: sessions print what stands there, commands too, links lead somewhere.

A fenced block marked ``python`` runs; all blocks of a page run in order and share their names.
A block marked ``console`` is a command (``$ ...``, continued by ``> ...``) and what it prints.
A block that begins with a comment of one file name, ``/* name.c */`` or ``# name.py``, is that file
for the commands that follow.
Blocks marked ``sh`` are not run: they install software, or speak of the reader's files.
"""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .markdown import PAGES, ROOT, Block, anchors, blocks, file_of, links, name_of

LANGUAGES = {"python", "console", "sh", "c", "cmake", "make", "text"}
_OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# The command without matplotlib, whose presence changes what it prints.
_COMMAND = """import sys
sys.modules['matplotlib'] = None
from aclquant.cli import main
sys.exit(main())"""


def _with(language: str) -> list[Any]:
    return [
        pytest.param(page, id=name_of(page))
        for page in PAGES
        if any(block.language == language for block in blocks(page))
    ]


@pytest.mark.parametrize("page", _with("python"))
def test_python(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.language != "python":
            continue
        if file_of(block):
            continue
        if block.is_session:
            _run_session(page, block, names)
        else:
            # Empty lines in front make line numbers of tracebacks those of the page.
            exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), names)


def _run_session(page: Path, block: Block, names: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(
        block.text, names, name_of(page), str(page), block.line - 1
    )
    output: list[str] = []
    runner = doctest.DocTestRunner(optionflags=_OPTIONS)
    runner.run(test, out=output.append, clear_globs=False)
    assert runner.failures == 0, "".join(output)
    names.update(test.globs)


@pytest.mark.parametrize("page", _with("console"))
def test_console(page: Path, tmp_path: Path) -> None:
    shell = tmp_path / "bin"
    shell.mkdir()
    _script(shell / "aclquant", f'exec "{sys.executable}" -c "{_COMMAND}" "$@"')
    _script(shell / "python", f'exec "{sys.executable}" "$@"')
    folder = tmp_path / "work"
    folder.mkdir()
    environment = {**os.environ, "PATH": f"{shell}{os.pathsep}{os.environ['PATH']}"}
    for block in blocks(page):
        if file_of(block):
            (folder / file_of(block)).write_text(block.text, encoding="utf-8")
        if block.language != "console":
            continue
        lines = block.text.splitlines(keepends=True)
        more = 1
        while more < len(lines) and lines[more].startswith(">"):
            more += 1
        command = lines[0].removeprefix("$ ") + "".join(line[2:] for line in lines[1:more])
        expected = "".join(lines[more:])
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        matches = doctest.OutputChecker().check_output(expected, done.stdout, doctest.ELLIPSIS)
        assert matches, f"{name_of(page)}: $ {command}\n{done.stdout}"


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links(page: Path) -> None:
    for link in links(page):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name_of(page)} links to {link}, which is not there"
        assert target.is_relative_to(ROOT), f"{link} leads out of the repository"
        if anchor:
            assert anchor in anchors(target), f"{name_of(target)} has no heading #{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_what_it_is(page: Path) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{name_of(page)}:{block.line}: '{block.language}'"


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    missing = [name_of(p) for p in (ROOT / "docs").rglob("*.md") if p != index and p not in linked]
    assert not missing
