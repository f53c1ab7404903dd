"""The toolkit tree, as the readers of an installation of CANN look at it."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import subprocess
from pathlib import Path

import pytest

from aclquant import __version__
from aclquant._ffi import locate
from aclquant._ffi.declarations import functions
from aclquant.stand_in import environment

from .harness import TOOLKIT

PHASE_1 = "GetWorkspaceSize"
ROOT = Path(__file__).resolve().parents[2]
VERSION = re.search(r"\d+\.\d+\.\d+", (TOOLKIT / "runtime" / "version.info").read_text())


def test_the_places_that_readers_of_an_installation_need() -> None:
    for name in (
        "include/acl/acl.h", "include/aclnn/aclnn_base.h", "include/aclnnop/aclnn_add.h",
        "lib64/libascendcl.so", "lib64/libnnopbase.so", "lib64/libopapi.so",
        "lib64/libacl_op_compiler.so", "lib64/libopapi_nn.so", "lib64/libruntime.so",
        "lib64/libgraph.so", "lib64/libop_common.so", "lib64/libfmk_onnx_parser.so",
        "python/site-packages/acl.py", "set_env.sh", "opp/version.info", "runtime/version.info",
        "compiler/version.info", "toolkit/version.info",
    ):  # fmt: skip
        assert (TOOLKIT / name).is_file(), name
    # l0n0lacl lists the folder; whatever is no folder in it is not a vendor.
    assert not [path for path in (TOOLKIT / "opp" / "vendors").iterdir() if path.is_dir()]


def test_a_walk_finds_one_installation_and_its_version() -> None:
    """As torch_npu's collect_env looks for it."""
    found = sorted(TOOLKIT.rglob("ascend_*_install.info"))
    assert found == [TOOLKIT / f"{platform.machine()}-linux" / "ascend_toolkit_install.info"]
    lines = [line for line in found[0].read_text().splitlines() if "version" in line]
    assert VERSION is not None
    assert lines[0] == f"version={VERSION[0]}" and f"innerversion={__version__}" in lines


def test_nothing_in_the_tree_leads_out_of_it_or_in_a_circle() -> None:
    for folder, _, names in os.walk(TOOLKIT, followlinks=True):
        for name in names:
            assert Path(folder, name).resolve().is_relative_to(TOOLKIT.resolve())


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_set_env_sets_what_the_launcher_sets(shell: str) -> None:
    before = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": "/x", "PYTHONPATH": "/y"}
    script = f'. "{TOOLKIT}/set_env.sh" && env'
    try:
        done = subprocess.run([shell, "-c", script], env=before, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip(f"{shell} is not installed")
    assert done.returncode == 0, done.stderr
    after = dict(line.split("=", 1) for line in done.stdout.splitlines())
    for name in ("_", "PWD", "SHLVL", "OLDPWD"):
        after.pop(name, None)
    assert after == environment(before)


def test_a_shell_that_does_not_tell_where_the_file_is() -> None:
    done = (
        subprocess.run(
            ["dash", "-c", f'. "{TOOLKIT}/set_env.sh"'], capture_output=True, text=True, env={}
        )
        if Path("/bin/dash").exists()
        else pytest.skip("dash is not installed")
    )
    assert done.returncode == 1 and "source it from bash or zsh" in done.stderr


def test_twice_is_as_once() -> None:
    once = environment({"PYTHONPATH": "/y"})
    assert environment(once) == once


def test_symbols_end_their_line_as_parsers_of_nm_expect() -> None:
    """l0n0lacl takes an operator if both lines end so: no version, nothing undefined."""
    done = subprocess.run(
        ["nm", "-D", TOOLKIT / "lib64" / "libopapi.so"], capture_output=True, text=True
    )
    lines = done.stdout.splitlines()
    for name in ("aclnnAdd", "aclnnAddGetWorkspaceSize"):
        assert sum(line.endswith(f" T {name}") for line in lines) == 1


# The types that l0n0lacl knows; any other pointer is one too.
KNOWN = {
    "aclDataType", "int", "float", "double", "bool", "unsigned int",
    *(f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)),
}  # fmt: skip


def test_headers_can_be_read_as_l0n0lacl_reads_them() -> None:
    """Row 20: each parameter has a type that its parser knows, and none is lost."""
    found = set()
    for path in sorted((TOOLKIT / "include" / "aclnnop").glob("aclnn_*.h")):
        text = path.read_text("utf-8")
        for match in re.finditer(rf"aclnn(\w+?){PHASE_1}\(([\s\S]+?)\)", text):
            found.add(f"aclnn{match[1]}")
            parameters = re.sub(r"\bconst\b", "", re.sub(r"//.*", "", match[2])).split(",")[:-2]
            declared = functions[f"aclnn{match[1]}{PHASE_1}"]
            assert len(parameters) == len(declared.parameters) - 2, match[1]
            for parameter in parameters:
                kind, name = re.fullmatch(r"\s*(.*?)(\w+)\s*", parameter, re.DOTALL).groups()
                kind = " ".join(kind.split())
                assert kind in KNOWN or kind.endswith("*"), (match[1], parameter)
                assert "const" not in name, (match[1], name)
    assert found == {
        name
        for name, f in functions.items()
        if f.header.startswith("aclnnop/") and f"{name}{PHASE_1}" in functions
    }


def test_a_header_is_named_after_each_operator() -> None:
    """Or the operator is in a header that CANN shares among several; then it is in one of ours."""
    folder = TOOLKIT / "include" / "aclnnop"
    assert len(list(folder.glob("aclnn_*.h"))) > 200


def test_state_is_shared_by_all_libraries() -> None:
    """Whatever names a process opens, by path or by name, and however it binds."""
    handles = [
        ctypes.CDLL(str(path), mode=os.RTLD_NOW)
        for path in sorted((TOOLKIT / "lib64").glob("lib*.so"))
        if path.name not in ("libaclquant_trace.so", "libaclnn_ops_infer.so")
    ]
    handles += [
        ctypes.CDLL(str(path)) for path in (TOOLKIT / "aarch64-linux" / "lib64").glob("*.so")
    ]
    assert len(handles) > 20
    addresses = {
        ctypes.cast(handle.aclrtMalloc, ctypes.c_void_p).value
        for handle in handles
        if hasattr(handle, "aclrtMalloc")
    }
    assert len(addresses) == 1


def test_the_tree_is_not_taken_for_a_cann(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASCEND_HOME_PATH", str(TOOLKIT))
    monkeypatch.setenv("ASCEND_TOOLKIT_HOME", str(TOOLKIT))
    assert not [p for p in locate.places("cann") if p.path.startswith(str(TOOLKIT))]


def test_c_programs_link_with_the_names_of_ggml(tmp_path: Path) -> None:
    source, program = tmp_path / "program.c", tmp_path / "program"
    source.write_text(
        '#include "acl/acl.h"\n#include "aclnnop/aclnn_add.h"\n'
        "int main(void) { return aclInit(0) || aclnnAddGetWorkspaceSize(0, 0, 0, 0, 0, 0) == 0; }\n"
    )
    names = ["-lascendcl", "-lnnopbase", "-lopapi", "-lacl_op_compiler"]
    try:
        subprocess.run(
            ["cc", source, "-o", program, f"-I{TOOLKIT}/include", f"-L{TOOLKIT}/lib64", *names],
            check=True,
        )
    except FileNotFoundError:
        pytest.skip("cc is not installed")
    assert subprocess.run([program], env=environment({})).returncode == 0


def test_members_of_the_classes_of_cann() -> None:
    """C++ programs such as numpy-ascend call them; here by their names, with the object first."""
    library = ctypes.CDLL(str(TOOLKIT / "lib64" / "libnnopbase.so"))
    graph = ctypes.CDLL(str(TOOLKIT / "lib64" / "libgraph.so"))
    for create in ("aclCreateScalar", "aclCreateIntArray", "aclCreateTensor"):
        getattr(library, create).restype = ctypes.c_void_p
    for value, code, kind in (
        (ctypes.c_float(1.5), 0, 0), (ctypes.c_int64(-7), 9, 9), (ctypes.c_bool(True), 12, 12),
        (ctypes.c_uint16(0x3E00), 1, 1), (ctypes.c_double(0.25), 11, 11),
    ):  # fmt: skip
        scalar = ctypes.c_void_p(library.aclCreateScalar(ctypes.byref(value), code))
        number = library["_ZNK9aclScalar7ToFloatEv"]
        number.restype = ctypes.c_float
        expected = 1.5 if code == 1 else float(value.value)
        assert number(scalar) == expected
        assert library["_ZNK9aclScalar11GetDataTypeEv"](scalar) == kind
        data = library["_ZNK9aclScalar7GetDataEv"]
        data.restype = ctypes.c_void_p
        size = ctypes.sizeof(value)
        assert ctypes.string_at(data(scalar), size) == bytes(value)
        # The text is returned in memory of the caller: a shared pointer to a string.
        text = (ctypes.c_void_p * 2)()
        graph["_ZNK9aclScalar8ToStringEv"](ctypes.byref(text), scalar)
        read = graph["_ZNK2ge12AscendString9GetStringEv"]
        read.restype = ctypes.c_char_p
        assert float(read(ctypes.byref(text))) == expected
        library.aclDestroyScalar(scalar)
    numbers = (ctypes.c_int64 * 3)(3, -1, 2**40)
    array = ctypes.c_void_p(library.aclCreateIntArray(numbers, ctypes.c_uint64(3)))
    data = library["_ZNK8aclArrayIlE7GetDataEv"]
    data.restype = ctypes.POINTER(ctypes.c_int64)
    assert data(array)[:3] == numbers[:]
    library.aclDestroyIntArray(array)
    dims = (ctypes.c_int64 * 1)(4)
    storage = (ctypes.c_int64 * 1)(8)
    tensor = library.aclCreateTensor(
        dims, ctypes.c_uint64(1), 0, None, ctypes.c_int64(2), 2, storage, ctypes.c_uint64(1),
        ctypes.c_void_p(0x1000),
    )  # fmt: skip
    address = library["_ZNK9aclTensor7GetDataEv"]
    address.restype = ctypes.c_void_p
    assert address(ctypes.c_void_p(tensor)) == 0x1000 + 2 * 4
    library.aclDestroyTensor(ctypes.c_void_p(tensor))


def test_members_of_the_graph_engine_are_refused_by_name() -> None:
    """MindSpore needs them to load. They throw, as some have no status; here as C++ sees it."""
    libraries = TOOLKIT / "lib64"
    for name in ("c_sec", "platform", "ascend_hal", "msprofiler", "runtime", "graph"):
        ctypes.CDLL(str(libraries / f"lib{name}.so"), mode=os.RTLD_NOW)
    graph = ctypes.CDLL(str(libraries / "libgraph.so"), mode=os.RTLD_NOW)
    file = ROOT / "ascend_kernels" / "host" / "missing" / "ge_members.inc"
    members = re.findall(r"^MEMBER\((\w+)\)", file.read_text(), re.MULTILINE)
    assert len(members) > 130 and all(hasattr(graph, member) for member in members)


def test_a_member_of_the_graph_engine_throws(tmp_path: Path) -> None:
    source, program = tmp_path / "program.cpp", tmp_path / "program"
    source.write_text("""
#include <cstdio>
#include <exception>
extern "C" void _ZN2ge8Operator7SetAttrEPKcb();
int main() {
    try {
        _ZN2ge8Operator7SetAttrEPKcb();
    } catch (const std::exception& error) {
        std::puts(error.what());
    }
}
""")
    try:
        subprocess.run(
            ["c++", source, "-o", program, f"-L{TOOLKIT}/lib64", "-lge_runner"], check=True
        )
    except FileNotFoundError:
        pytest.skip("c++ is not installed")
    done = subprocess.run([program], env=environment({}), capture_output=True, text=True)
    assert done.stdout.startswith("ge::Operator::SetAttr(char const*, bool): the host device does")


def test_offline_models_are_refused_by_name() -> None:
    library = ctypes.CDLL(str(TOOLKIT / "lib64" / "libascendcl.so"))
    library.aclGetRecentErrMsg.restype = ctypes.c_char_p
    refused = [name for name in functions if functions[name].header == "acl/acl_mdl.h"]
    assert len(refused) == 18
    for name in refused:
        call = getattr(library, name)
        call.restype = ctypes.c_uint64
        status = call(*[ctypes.c_void_p()] * len(functions[name].parameters))
        wanted = 207000 if functions[name].result == "aclError" else 0
        assert status & 0xFFFFFFFF == wanted, name
        said = library.aclGetRecentErrMsg().decode()
        assert f"{name}: the host device has no way to run models" in said
