"""Nothing public is left undocumented: names of the package, operators, exceptions, controls."""

from __future__ import annotations

import re

import aclquant
from aclquant._ffi.declarations import functions

from .markdown import PAGES, ROOT

TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def _missing(names: list[str]) -> list[str]:
    return [name for name in names if not re.search(rf"\b{re.escape(name)}\b", TEXT)]


def test_every_public_name_is_mentioned() -> None:
    assert not _missing([name for name in aclquant.__all__ if name != "__version__"])


def test_every_function_of_our_own_headers_is_mentioned() -> None:
    ours = [name for name, f in functions.items() if f.header.startswith("aclquant/")]
    assert ours
    assert not _missing(ours)


def test_every_operator_is_on_a_page_of_an_operator() -> None:
    pages = "\n".join(page.read_text("utf-8") for page in (ROOT / "docs" / "ops").glob("*.md"))
    operators = [
        name
        for name, f in functions.items()
        if f.header.startswith("aclnnop/") and not name.endswith("GetWorkspaceSize")
    ]
    assert operators
    for name in operators:
        # A table may say "`aclnnX`, `V2`": the base name and the version.
        base = re.sub(r"V\d$", "", name)
        versioned = f"`{base}`" in pages and f"`{name[len(base) :]}`" in pages
        assert f"`{name}`" in pages or (base != name and versioned), name


def test_every_module_has_a_place_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for path in (ROOT / "src" / "aclquant").glob("*.py"):
        if path.name != "__main__.py":
            assert f"aclquant/{path.name}" in text, path.name
    for path in (ROOT / "src" / "aclquant" / "_ffi").glob("[a-z]*.py"):
        if path.name not in ("declaration.py", "declarations.py"):
            assert path.name in text, path.name


def test_packages_for_graph_mode_are_named() -> None:
    """newcomer.md F3: the page named `protobuf` only."""
    (line,) = re.findall(r"^if environment npu (.*)$", (ROOT / ".ci/run").read_text("utf-8"), re.M)
    page = (ROOT / "docs" / "torch_npu.md").read_text("utf-8")
    for package in ("pyyaml", "protobuf", "packaging"):
        assert package in line and package in page
