"""The imports of the package: no circle, and no private name of another module."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import aclquant
from aclquant._ffi.declarations import functions
from aclquant.operators import PHASE_ONE

grimp = pytest.importorskip("grimp")

PACKAGE = Path(aclquant.__file__).parent
CORE = (
    *("aclnn", "backends", "convert", "device", "invocation", "kept", "launch", "memory"),
    *("operation", "operators", "plans", "prepared", "resource", "stream", "thread_state"),
    *("torch_npu", "ops/common", "ops/dynamic", "ops/quantize", "ops/quant_matmul"),
)


def test_imports_have_no_circle() -> None:
    graph = grimp.build_graph("aclquant", exclude_type_checking_imports=True, cache_dir=None)
    modules = graph.modules - {"aclquant"}  # it imports on demand
    assert len(modules) > 40
    imports = {m: graph.find_modules_directly_imported_by(m) & modules for m in modules}
    assert set(TopologicalSorter(imports).static_order()) == modules  # CycleError names the circle


@pytest.mark.parametrize("name", CORE)
def test_no_private_names_and_no_late_imports(name: str) -> None:
    tree = ast.parse((PACKAGE / f"{name}.py").read_text())
    top = {id(node) for node in tree.body}
    top |= {id(n) for node in tree.body if isinstance(node, (ast.If, ast.Try)) for n in node.body}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        assert id(node) in top, f"an import inside a function, line {node.lineno}"
        private = [a.name for a in node.names if a.name.startswith("_") and a.name != "_ffi"]
        assert private in ([], ["_replay"]), private


def test_no_name_in_aclnn_hides_an_operator() -> None:
    """Short names of operators, such as ``aq.aclnn.Any``, are looked up after the module's own."""
    for name in vars(aclquant.aclnn):
        assert f"aclnn{name}{PHASE_ONE}" not in functions, name
    assert aclquant.aclnn.Any.__name__ == "aclnnAny"
