"""docs/clients.md and the README show the recorded results of the clients."""

from __future__ import annotations

import importlib.util
from types import ModuleType

from .markdown import ROOT


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("g", ROOT / "docs" / "generate_clients.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["g"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_up_to_date() -> None:
    for path, text in _generator().pages().items():
        assert path.read_text("utf-8") == text, f"run docs/generate_clients.py: {path.name}"


def test_what_did_not_pass_has_a_cause() -> None:
    for row in _generator().rows():
        counts = {"failed": 0, "missing": 0}
        for cause, cases in row.left.items():
            state, _, why = cause.partition(": ")
            assert why, (row.client, cause)
            counts[state] += len(cases)
        assert counts == {"failed": row.failed, "missing": row.missing}, row.client


def test_a_client_is_described_once_for_each_run() -> None:
    found = [(row.client, row.ran) for row in _generator().rows()]
    assert len(set(found)) == len(found)
