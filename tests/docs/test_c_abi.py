"""docs/c-abi.md is the page that the tree makes, and what it calls refused refuses."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from aclquant._ffi.declarations import functions
from aclquant._ffi.locate import LIBRARIES, bundled

from .markdown import ROOT


def _generator() -> ModuleType:
    path = ROOT / "docs" / "generate_c_abi.py"
    spec = importlib.util.spec_from_file_location("generate_c_abi", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = _generator()
HOST = Path(bundled(LIBRARIES)) / "libaclquant_host.so"
CALL_WITH_ZEROS = """import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
library.aclGetRecentErrMsg.restype = ctypes.c_char_p
status = library[sys.argv[2]](*[ctypes.c_void_p()] * int(sys.argv[3]))
print(status, library.aclGetRecentErrMsg().decode())"""


def test_the_page_is_what_the_tree_makes() -> None:
    made = GENERATOR.page()
    written = (ROOT / "docs" / "c-abi.md").read_text(encoding="utf-8")
    assert made == written, "run: python docs/generate_c_abi.py"


def test_the_generator_reads_the_headers_as_the_binding_does() -> None:
    # The page has no row for the tracer's own functions, which are in another library.
    declared = {n: f.header for n, f in functions.items() if f.header != "aclquant/trace.h"}
    assert GENERATOR.declared() == declared


def test_what_torch_npu_cannot_be_loaded_without_is_there() -> None:
    assert GENERATOR.clients()["R"] <= GENERATOR.exported()


def test_something_is_refused() -> None:
    assert {"aclopStartDumpArgs", "rtKernelLaunch"} < GENERATOR.refused()


@pytest.mark.parametrize("name", sorted(GENERATOR.refused()))
def test_what_is_refused_gives_an_error_and_a_reason(name: str) -> None:
    """A function that has no status to answer with answers null, 0 or an unknown type."""
    count = len(functions[name].parameters)
    done = subprocess.run(
        [sys.executable, "-c", CALL_WITH_ZEROS, str(HOST), name, str(count)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    status, _, reason = done.stdout.partition(" ")
    if functions[name].result in ("aclError", "int", "int32_t", "aclnnStatus"):
        assert int(status) != 0
    else:
        assert int(status) == (-1 if functions[name].result == "aclDataType" else 0)
    assert name in reason and len(reason) > len(name) + 20
