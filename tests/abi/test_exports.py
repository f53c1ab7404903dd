"""What the libraries export: the functions of exported_functions.txt, all declared; no more.

The host device exports all of them. A library under a name of CANN's shows those that CANN's
library of that name has; at run time all are found through each (tests/c_clients/loader.c).
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from aclquant._ffi import locate
from aclquant._ffi.declarations import functions

LIST = Path(__file__).with_name("exported_functions.txt")
INTENDED = LIST.read_text(encoding="utf-8").split()
LIBRARIES = Path(locate.bundled(locate.LIBRARIES))
HOST = "libaclquant_host.so"
GRAPH = "libge_runner.so"
GRAPH_LIST = Path(__file__).with_name("exported_graph_symbols.txt")
RUNTIME = r"acl/acl(_base|_rt|_mdl|_op)?\.h|aclquant/(?!kernels).*"
OPERATORS = r"aclnnop/.*"
FILTERS = {
    "libacl_op_compiler.so": r"acl/acl_(op_compiler|dump)\.h",
    "libacl_rt.so": RUNTIME,
    "libacl_tdt_channel.so": r"acl/acl_tdt\.h",
    "libascend_hal.so": r"aclquant/other_libraries\.h",
    "libascend_protobuf.so": "none",
    "libascendcl.so": RUNTIME,
    "libaclnn_math.so": "none",
    "libc_sec.so": "none",
    "libfmk_onnx_parser.so": "none",
    "libfmk_parser.so": "none",
    "libgraph.so": "none",
    "libmsprofiler.so": "none",
    "libop_common.so": "none",
    "libplatform.so": "none",
    "libruntime.so": r"aclquant/other_libraries\.h",
    "libcust_opapi.so": r"aclquant/kernels\.h",
    "libhccl.so": r"aclquant/other_libraries\.h",
    "libnnopbase.so": r"aclnn/.*",
    "libopapi.so": OPERATORS,
    "libopapi_math.so": r"aclnnop/(?!.*quant).*",
    "libopapi_nn.so": OPERATORS,
}  # and the headers whose functions they show
FILTEES = {
    "libfmk_onnx_parser.so": GRAPH,
    "libgraph.so": GRAPH,
    "libop_common.so": "libaclnn_ops_infer.so",
}  # the others lead to the host device
# Members of CANN's classes that C++ programs call (numpy-ascend).
MEMBERS = [
    "_ZNK8aclArrayIlE7GetDataEv",
    "_ZNK9aclScalar11GetDataTypeEv",
    "_ZNK9aclScalar11ToComplex64Ev",
    "_ZNK9aclScalar12ToComplex128Ev",
    "_ZNK9aclScalar7GetDataEv",
    "_ZNK9aclScalar7ToFloatEv",
    "_ZNK9aclTensor7GetDataEv",
]
PHASE_1 = "GetWorkspaceSize"

# Clients look these up and take their presence as a promise: absent until really there.
PROBED = [
    "InitHugeMemThreadLocal", "UnInitHugeMemThreadLocal", "ReleaseHugeMem", "CanUsePTACache",
    "InitPTACacheThreadLocal", "UnInitPTACacheThreadLocal", "SetPTAHashKey", "SetPTACacheHashKey",
    "PTAGetExecCache", "PTAFindExecCache", "AddTensorAddrToCachedList", "ResetCacheThreadLocal",
    "aclnnReselectStaticKernel", "aclrtCreateStreamV2",
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
    tracer = {name for name, f in functions.items() if f.header == "aclquant/trace.h"}
    found = {name for name in functions if name.startswith(families)}
    assert found - tracer <= set(INTENDED) and not tracer & set(INTENDED)


def test_exactly_the_listed_functions_are_exported() -> None:
    symbols = exported(HOST)
    assert sorted(name for _, name in symbols) == sorted([*INTENDED, *MEMBERS])
    assert {kind for kind, _ in symbols} == {"T"}  # functions; no data, nothing weak


@pytest.mark.parametrize("library", FILTERS)
def test_a_name_of_cann_shows_the_functions_of_its_headers(library: str) -> None:
    symbols = exported(library)
    headers = re.compile(FILTERS[library])
    expected = [name for name in INTENDED if headers.fullmatch(functions[name].header)]
    assert sorted(name for _, name in symbols) == expected
    assert {kind for kind, _ in symbols} <= {"T"}


def test_every_function_is_shown_by_some_name() -> None:
    assert set(INTENDED) == {name for library in FILTERS for _, name in exported(library)}


def test_the_names_are_complete() -> None:
    assert {path.name for path in LIBRARIES.glob("*.so")} == {
        HOST,
        GRAPH,
        MISSING,
        TRACER,
        *FILTERS,
    }


def test_exactly_the_listed_names_of_the_graph_engine_are_exported() -> None:
    """C++ functions by their mangled names: those that torchair and MindSpore bind, no others."""
    symbols = exported(GRAPH)
    listed = GRAPH_LIST.read_text(encoding="utf-8").split()
    assert sorted(set(listed)) == listed
    assert sorted(name for _, name in symbols) == listed
    assert {kind for kind, _ in symbols} == {"T"}


@pytest.mark.parametrize("name", PROBED)
def test_optional_names_are_absent(name: str) -> None:
    """Clients look for them; the library that they get has none."""
    assert not hasattr(ctypes.CDLL(str(LIBRARIES / HOST)), name)


@pytest.mark.parametrize("library", [HOST, GRAPH, *FILTERS])
def test_sonames(library: str) -> None:
    dynamic = tool("readelf", "-d", "-W", str(LIBRARIES / library))
    assert re.findall(r"SONAME.*\[(.*)\]", dynamic) == [library]
    filters = re.findall(r"[Ff]ilter library: \[(.*)\]", dynamic)
    assert filters == ([FILTEES.get(library, HOST)] if library in FILTERS else [])


@pytest.mark.parametrize("library", [HOST, GRAPH])
def test_needed_libraries(library: str) -> None:
    """A wheel runs where only glibc and libgcc_s (.ci/wheels) are: the C++ library is inside."""
    dynamic = tool("readelf", "-d", "-W", str(LIBRARIES / library))
    needed = set(re.findall(r"NEEDED.*\[(.*)\]", dynamic))
    assert (HOST in needed) == (library == GRAPH)
    glibc = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2"}
    linkers = {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
    assert needed - {HOST} <= glibc | linkers | {"libgcc_s.so.1"}


MISSING = "libaclnn_ops_infer.so"
TRACER = "libaclquant_trace.so"


def test_missing_operators_are_refused_by_name() -> None:
    """None of them is there under another name, and each function says which it is."""
    names = [name for kind, name in exported(MISSING) if kind == "T"]
    assert len(names) > 150
    assert not set(names) & set(INTENDED)
    assert set(names) == {n + s for n in names if not n.endswith("Size") for s in ("", PHASE_1)}
    assert "aclnnSvd" in names
    host = ctypes.CDLL(str(LIBRARIES / HOST))
    host.aclGetRecentErrMsg.restype = ctypes.c_char_p
    missing = ctypes.CDLL(str(LIBRARIES / MISSING))
    for name in names:
        assert getattr(missing, name)() == 200001
        assert f"got '{name.removesuffix(PHASE_1)}'" in host.aclGetRecentErrMsg().decode()
