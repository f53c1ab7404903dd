"""The tables of docs/ops/everyday.md are those that the tree makes."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from helpers.everyday import OPERATORS

from .markdown import ROOT


def _generator() -> ModuleType:
    path = ROOT / "docs" / "generate_everyday.py"
    spec = importlib.util.spec_from_file_location("generate_everyday", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = _generator()


def test_the_tables_are_what_the_tree_makes() -> None:
    written = (ROOT / "docs" / "ops" / "everyday.md").read_text("utf-8")
    assert GENERATOR.MARK in written
    assert GENERATOR.page() == written, "run: python docs/generate_everyday.py"


def test_the_page_of_codes_is_what_the_tree_makes() -> None:
    written = GENERATOR.CODES_PAGE.read_text("utf-8")
    assert GENERATOR.codes_page() == written, "run: python docs/generate_everyday.py"


def test_each_operator_has_one_sentence() -> None:
    named = [name for names in GENERATOR.sentences().values() for name in names]
    assert sorted(named) == OPERATORS


def test_types_are_those_of_operators_and_their_arguments() -> None:
    named = {name for name in GENERATOR.types() if not GENERATOR.OTHERS.search(name)}
    assert named <= set(OPERATORS)
