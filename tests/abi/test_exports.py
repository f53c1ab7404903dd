"""What the libraries export: the functions of exported_functions.txt, all declared; no more."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import aclquant
from aclquant._ffi.declarations import functions

LIST = Path(__file__).with_name("exported_functions.txt")
INTENDED = LIST.read_text(encoding="utf-8").split()
LIBRARIES = Path(aclquant.__file__).parent / "_lib"
HOST = "libaclquant_host.so"
PHASE_1 = "GetWorkspaceSize"
FILTERS = ["libacl_op_compiler.so", "libacl_rt.so", "libacl_tdt_channel.so", "libascendcl.so",
           "libge_runner.so", "libgraph.so", "libhccl.so", "libnnopbase.so", "libopapi.so",
           "libopapi_math.so", "libopapi_nn.so"]  # fmt: skip

# Clients look these up and take their presence as a promise: absent until really there.
PROBED = [
    "InitHugeMemThreadLocal", "UnInitHugeMemThreadLocal", "ReleaseHugeMem", "CanUsePTACache",
    "InitPTACacheThreadLocal", "UnInitPTACacheThreadLocal", "SetPTAHashKey", "SetPTACacheHashKey",
    "PTAGetExecCache", "PTAFindExecCache", "AddTensorAddrToCachedList", "ResetCacheThreadLocal",
    "aclnnReselectStaticKernel", "aclmdlRICaptureBegin", "aclrtCreateStreamV2",
    "aclrtSetStreamAttribute",
]  # fmt: skip


def tool(name: str, *arguments: str) -> str:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return subprocess.run([name, *arguments], capture_output=True, text=True, check=True).stdout


def exported(library: str) -> list[tuple[str, str]]:
    """Kind and name of each defined dynamic symbol."""
    lines = tool("nm", "-D", "--defined-only", str(LIBRARIES / library)).splitlines()
    return [(line.split()[-2], line.split()[-1]) for line in lines]


def test_the_list_is_sorted_and_says_everything_once() -> None:
    assert sorted(set(INTENDED)) == INTENDED


def test_listed_functions_are_declared() -> None:
    assert not set(INTENDED) - set(functions)


def test_controls_and_operators_are_complete() -> None:
    """Of these families, everything that is declared is there."""
    families = ("aclquant", "aclnn", "aclCreate", "aclDestroy")
    assert {name for name in functions if name.startswith(families)} <= set(INTENDED)


@pytest.mark.parametrize("library", [HOST, *FILTERS])
def test_exactly_the_listed_functions_are_exported(library: str) -> None:
    symbols = exported(library)
    names = [name for _, name in symbols]
    assert sorted(names) == INTENDED
    assert {kind for kind, _ in symbols} == {"T"}  # functions; no data, nothing weak


@pytest.mark.parametrize("name", PROBED)
def test_optional_names_are_absent(name: str) -> None:
    assert name not in INTENDED


@pytest.mark.parametrize("library", [HOST, *FILTERS])
def test_sonames(library: str) -> None:
    dynamic = tool("readelf", "-d", "-W", str(LIBRARIES / library))
    assert re.findall(r"SONAME.*\[(.*)\]", dynamic) == [library]
    filters = re.findall(r"[Ff]ilter library: \[(.*)\]", dynamic)
    assert filters == ([] if library == HOST else [HOST])


def test_needed_libraries() -> None:
    """A wheel runs where only the C library is: the C++ runtime is inside."""
    needed = re.findall(r"NEEDED.*\[(.*)\]", tool("readelf", "-d", "-W", str(LIBRARIES / HOST)))
    assert set(needed) <= {"libc.so.6", "libm.so.6", "libpthread.so.0", "ld-linux-x86-64.so.2",
                           "ld-linux-aarch64.so.1"}  # fmt: skip


MISSING = "libaclnn_ops_infer.so"


def test_missing_operators_are_refused_by_name() -> None:
    """None of them is there under another name, and each function says which it is."""
    names = [name for kind, name in exported(MISSING) if kind == "T"]
    assert len(names) > 300
    assert not set(names) & set(INTENDED)
    assert set(names) == {n + s for n in names if not n.endswith("Size") for s in ("", PHASE_1)}
    assert "aclnnLinalgQr" in names
    host = ctypes.CDLL(str(LIBRARIES / HOST))
    host.aclGetRecentErrMsg.restype = ctypes.c_char_p
    missing = ctypes.CDLL(str(LIBRARIES / MISSING))
    for name in names:
        assert getattr(missing, name)() == 200001
        assert f"got '{name.removesuffix(PHASE_1)}'" in host.aclGetRecentErrMsg().decode()
