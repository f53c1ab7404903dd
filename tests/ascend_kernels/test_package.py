"""Building, installing and finding the package, with a stand-in for CANN's toolkit."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import aclquant as aq
from aclquant import kernels
from aclquant.cli import main

from .building import KERNELS
from .conftest import HERE

TOOLKIT = HERE / "toolkit"
COMPILER = os.environ.get("CXX", "c++")

pytestmark = pytest.mark.skipif(
    shutil.which("bash") is None or shutil.which(COMPILER) is None, reason="no bash or C++ compiler"
)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    folder = tmp_path_factory.mktemp("kernels")
    lines: list[str] = []
    run = kernels.build(
        folder, toolkit=TOOLKIT, chips=("ascend910b", "ascend310p"), log=lines.append
    )
    return folder, run, lines


def test_build_has_the_toolkits_project_with_our_sources(
    built: tuple[Path, Path, list[str]],
) -> None:
    folder, run, lines = built
    assert run.name == "custom_opp_linux_test.run"
    assert [line.split()[0] for line in lines] == ["msopgen", "build.sh"]
    project = folder / "custom_op"
    for side in ("op_host", "op_kernel"):
        # CMake files are the toolkit's, everything else is ours; nothing generated is left.
        assert (project / side / "CMakeLists.txt").read_text() == "# the toolkit's\n"
        ours = {file.name: file for file in KERNELS.glob(f"*/{side}/*")}
        ours |= {
            file.name: file
            for file in KERNELS.glob("common/*.h")
            if file.name.endswith("_op.h") == (side == "op_host")
        }
        there = {file.name for file in (project / side).iterdir()} - {"CMakeLists.txt"}
        assert there == set(ours)
        assert all((project / side / n).read_bytes() == f.read_bytes() for n, f in ours.items())
    presets = json.loads((project / "CMakePresets.json").read_text())
    variables = presets["configurePresets"][0]["cacheVariables"]
    assert variables["vendor_name"]["value"] == "aclquant"
    assert variables["ASCEND_COMPUTE_UNIT"]["value"] == "ascend910b;ascend310p"
    assert variables["ASCEND_CANN_PACKAGE_PATH"]["value"] == str(TOOLKIT)
    assert variables["ENABLE_BINARY_PACKAGE"] == {"type": "BOOL", "value": "True"}  # left alone


def test_build_again_replaces_what_is_there(built: tuple[Path, Path, list[str]]) -> None:
    folder, run, _ = built
    (folder / "custom_op" / "op_host" / "left_over.cpp").write_text("nonsense\n")
    assert kernels.build(folder, toolkit=TOOLKIT) == run
    assert not (folder / "custom_op" / "op_host" / "left_over.cpp").exists()


def test_install_and_find(
    built: tuple[Path, Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, run, _ = built
    monkeypatch.setenv("ASCEND_CUSTOM_OPP_PATH", "/elsewhere")
    variables = kernels.install(run, tmp_path)
    vendor = tmp_path / "vendors" / "aclquant"
    assert variables == {"ASCEND_CUSTOM_OPP_PATH": f"{vendor}:/elsewhere"}
    assert kernels.find() == []
    monkeypatch.setenv(*variables.copy().popitem())
    (package,) = kernels.find()
    assert package.library == str(vendor / "op_api" / "lib" / "libcust_opapi.so")
    assert package.operators == kernels.OPERATORS
    assert package.how == "ASCEND_CUSTOM_OPP_PATH"
    # Again: the variable does not grow.
    assert kernels.install(run, tmp_path) == variables


def test_vendors_of_an_installation_are_found_in_their_order(
    built: tuple[Path, Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, run, _ = built
    kernels.install(run, tmp_path)
    monkeypatch.delenv("ASCEND_CUSTOM_OPP_PATH", raising=False)
    monkeypatch.setenv("ASCEND_OPP_PATH", str(tmp_path))
    assert kernels.find() == []  # no load_priority names it
    (tmp_path / "vendors" / "config.ini").write_text("load_priority=other,aclquant\n")
    assert [package.how for package in kernels.find()] == ["custom vendor"]


def test_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASCEND_HOME_PATH", str(TOOLKIT))
    monkeypatch.delenv("ASCEND_CUSTOM_OPP_PATH", raising=False)
    assert main(["kernels", "build", str(tmp_path / "build"), "--chip", "ascend310p"]) == 0
    run = capsys.readouterr().out.strip()
    assert main(["kernels", "install", run, str(tmp_path / "opp")]) == 0
    line = capsys.readouterr().out.strip()
    vendor = tmp_path / "opp" / "vendors" / "aclquant"
    assert line == f"export ASCEND_CUSTOM_OPP_PATH={vendor}"
    monkeypatch.setenv("ASCEND_CUSTOM_OPP_PATH", str(vendor))
    assert main(["kernels", "info"]) == 0
    text = capsys.readouterr().out
    assert f"toolkits   {TOOLKIT}" in text
    assert "6 of 6 operators" in text
    assert main(["kernels", "info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["packages"][0]["operators"] == list(kernels.OPERATORS)


def test_refusals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(aq.errors.ParameterError, match=r"argument 'chips'.*ascend950"):
        kernels.build(tmp_path, toolkit=TOOLKIT, chips=("ascend950",))
    with pytest.raises(aq.errors.LibraryNotFoundError, match="no CANN toolkit at /nonexistent"):
        kernels.build(tmp_path, toolkit="/nonexistent")
    with pytest.raises(aq.errors.LibraryNotFoundError, match=r"has no set_env\.sh"):
        kernels.build(tmp_path, toolkit=tmp_path)
    monkeypatch.delenv("ASCEND_HOME_PATH", raising=False)
    monkeypatch.delenv("ASCEND_TOOLKIT_HOME", raising=False)
    if not kernels.toolkits():
        assert main(["kernels", "build", str(tmp_path)]) == 1
        assert "no CANN toolkit at ASCEND_HOME_PATH" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError):
        kernels.install(tmp_path / "missing.run", tmp_path)
    bad = tmp_path / "bad.run"
    bad.write_text("echo no room >&2; exit 7\n")
    with pytest.raises(RuntimeError, match="ended with status 7: 'no room'"):
        kernels.install(bad, tmp_path)
    bad.write_text("exit 0\n")
    with pytest.raises(RuntimeError, match=r"left no op_api/lib/libcust_opapi\.so"):
        kernels.install(bad, tmp_path)


def test_a_tool_that_fails_says_where_its_output_is(tmp_path: Path) -> None:
    toolkit = tmp_path / "toolkit"
    shutil.copytree(TOOLKIT, toolkit)
    (toolkit / "bin" / "msopgen").write_text("#!/bin/sh\necho no licence; exit 5\n")
    with pytest.raises(RuntimeError, match="msopgen ended with status 5: 'no licence'") as caught:
        kernels.build(tmp_path / "out", toolkit=toolkit)
    log = re.search(r"is in (\S+)$", str(caught.value))
    assert log
    assert "no licence" in Path(log[1]).read_text()


def test_sources_are_complete() -> None:
    """Each operator has a definition and a kernel of its name, and is in the list that builds."""
    folders = {folder.name for folder in kernels.sources().iterdir() if folder.name != "common"}
    assert folders == {op.snake for op in kernels._OPS}
    for folder in folders:
        assert (kernels.sources() / folder / "op_host" / f"{folder}.cpp").is_file()
        assert (kernels.sources() / folder / "op_kernel" / f"{folder}.cpp").is_file()


CHILD = """
import json, sys
import numpy as np
import aclquant as aq
aq.use_backend(sys.argv[1])
x = (np.arange(40, dtype=np.float32).reshape(2, 20) - 7).astype(np.float16)
out = {"soc": aq.backend().soc, "instead": aq.backend().bundled_kernels}
out["repr"] = repr(aq.backend())
out["describe"] = aq.backend().describe().get("bundled_kernels")
try:
    y, scale, offset = aq.dynamic_quant_asymmetric(x)
    again, _, _ = aq.dynamic_quant_asymmetric(x)
    assert (again == y).all()
    q, s = aq.dynamic_quant(x, smooth_scales=np.ones(20, np.float16))
    words, *_ = aq.dynamic_quant_asymmetric(x[:, :16], dst_type="quint4x2")
    out |= {"y": y.tolist(), "scale": scale.tolist(), "offset": offset.tolist(), "q": q.tolist()}
    out |= {"words": words.tolist()}
except aq.AclError as error:
    out["error"] = str(error)
print(json.dumps(out))
"""


def run_child(backend: str, soc: str, version: str, opp: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, backend],
        capture_output=True,
        text=True,
        check=False,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith(("ACLQUANT", "ASCEND"))},
            "ACLQUANT_HOST_SOC": soc,
            "ACLQUANT_HOST_VERSION": version,
            "ASCEND_CUSTOM_OPP_PATH": opp,
        },
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="session")
def cann(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A make-believe CANN without our operators, and an installed package beside it."""
    from python import bare_cann

    folder = tmp_path_factory.mktemp("cann")
    compiler = os.environ.get("CC", "cc")
    whole = bare_cann.build(folder, compiler)
    shutil.move(whole, folder / "whole.so")
    bare = bare_cann.build(folder, compiler, without="aclnnAclquant")
    lib64 = folder / "lib64"
    lib64.mkdir()
    for name in ("libascendcl.so", "libnnopbase.so", "libopapi.so"):
        (lib64 / name).symlink_to(bare)
    vendor = folder / "vendors" / "aclquant"
    (vendor / "op_api" / "lib").mkdir(parents=True)
    (vendor / "op_api" / "include").mkdir()
    shutil.copy(folder / "whole.so", vendor / "op_api" / "lib" / "libcust_opapi.so")
    return folder, vendor


def test_the_package_is_used_where_the_chip_lacks_the_operator(cann: tuple[Path, Path]) -> None:
    root, vendor = cann
    with_package = run_child(str(root), "Ascend310P3", "8.1.RC1", str(vendor))
    assert with_package["instead"] == {
        "dynamic_quant": "aclnnAclquantDynamicQuant",
        "dynamic_quant_asymmetric": "aclnnAclquantDynamicQuantAsymmetric",
    }
    assert with_package["describe"] == with_package["instead"]
    assert "bundled kernels: dynamic_quant, dynamic_quant_asymmetric" in str(with_package["repr"])
    # 20 columns, smooth scales and int4: no operator of CANN does that on this chip.
    atlas = run_child(str(root), "Ascend910B1", "8.1.RC1", str(vendor))
    assert atlas["instead"] == {}
    for result in ("y", "scale", "offset", "q", "words"):
        assert with_package[result] == atlas[result], result


def test_without_the_package_the_call_fails_as_the_chip_does(cann: tuple[Path, Path]) -> None:
    root, _ = cann
    plain = run_child(str(root), "Ascend310P3", "8.1.RC1", "")
    assert plain["instead"] == {}
    assert "561103" in str(plain["error"])  # 20 is not a multiple of 32


def test_a_newer_cann_has_its_own(cann: tuple[Path, Path]) -> None:
    root, vendor = cann
    assert run_child(str(root), "Ascend310P3", "9.1.0", str(vendor))["instead"] == {}


# ---- The host side, against the stand-in's headers ----

NAMES = {"float32": 0, "float16": 1, "int8": 2, "int32": 3, "uint8": 4, "bfloat16": 27, "int4": 29}


@pytest.fixture(scope="session")
def host_side(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("host_side")
    for side in ("op_host", "op_kernel"):
        (folder / side).mkdir()
        (folder / side / "CMakeLists.txt").touch()
    kernels._replace_sources(folder)
    program = folder / "host_side"
    # All definitions in one program, as in CANN's libraries; each brings its own unnamed namespace.
    sources = [str(file) for file in sorted((folder / "op_host").glob("*.cpp"))]
    command = [
        COMPILER,
        "-std=c++11",
        "-O0",
        "-Wall",
        "-Wextra",
        "-Werror",
        f"-I{TOOLKIT / 'include'}",
    ]
    subprocess.run(
        [*command, *sources, str(HERE / "host_side.cpp"), "-o", str(program)], check=True
    )
    return program


def test_definitions_have_the_types_that_the_emulation_runs(host_side: Path) -> None:
    from .building import variants

    done = subprocess.run([host_side, "columns"], capture_output=True, text=True, check=True)
    columns: dict[tuple[str, str], set[tuple[str, str]]] = {}
    names = {code: name for name, code in NAMES.items()} | {9: "int64", 10: "uint64"}
    for line in done.stdout.splitlines():
        op, chip, inputs, outputs = line.split()
        x = names[int(inputs.split(",")[0].rsplit(":", 1)[1])]
        y = names[int(outputs.split(",")[0].rsplit(":", 1)[1])]
        columns.setdefault((op, chip), set()).add((x, y))
    assert {op for op, _ in columns} == set(kernels.OPERATORS)
    assert {chip for _, chip in columns} == set(kernels.CHIPS)
    for (op, chip), pairs in columns.items():
        snake = next(entry.snake for entry in kernels._OPS if entry.name == op)
        emulated = set(variants("Ascend310P3" if chip == "ascend310p" else "Ascend910B1")[snake])
        # An INT32 that stands for eight int4 is the kernel of int4; uint64 is that of int64.
        packs = op not in ("AclquantQuantize", "AclquantTransQuantParam")
        same = {"int32": "int4"} if packs else {}
        same |= {"uint64": "int64"}
        assert {(same.get(x, x), same.get(y, y)) for x, y in pairs} == emulated, (op, chip)


@pytest.mark.parametrize(
    ("op", "tile", "inputs", "attributes", "numbers"),
    [
        (
            "AclquantDynamicQuantAsymmetric",
            "dynamic_quant",
            "1:7,5000;-;-;->;2",
            "",
            [35000 // 5000, 5000, 0, 0, 0],
        ),
        (
            "AclquantDynamicQuant",
            "dynamic_quant",
            "1:3,40,64;1:5,64;3:5;->;3",
            "",
            [120, 64, 1, 1, 5],
        ),
        (
            "AclquantQuantize",
            "elementwise",
            "0:6,10,4;0:10;3:10;->;4",
            "0=1",
            [6, 10, 4, 10, 32, 8, 1, 0, 1, 0, 3],
        ),
        (
            "AclquantQuantize",
            "elementwise",
            "1:6,10;1:1;-;->;3",
            "0=7",
            [1, 1, 60, 1, 16, 32, 0, 0, 1, 1, 0],
        ),
        (
            "AclquantAscendQuant",
            "elementwise",
            "0:6,64;1:6;1:6;->;29",
            "0=1,1=ceil,2=-2",
            [1, 6, 64, 6, 32, 4, 1, 1, 3, 1, 1],
        ),
        (
            "AclquantAntiQuant",
            "elementwise",
            "3:6,8;0:64;-;->;1",
            "0=0",
            [6, 64, 1, 64, 4, 16, 0, 0, 1, 0, 0],
        ),
        ("AclquantTransQuantParam", "trans_quant_param", "0:5000;0:1;->;10", "0=1", [5000, 1, 1]),
    ],
)
def test_the_host_side_tiles_as_the_emulation_does(
    host_side: Path,
    emulation: object,
    op: str,
    tile: str,
    inputs: str,
    attributes: str,
    numbers: list[int],
) -> None:
    from .emulation import Emulation

    assert isinstance(emulation, Emulation)
    chip, cores, local = (
        ("ascend310p", 8, 262144) if emulation.inference else ("ascend910b", 48, 196608)
    )
    done = subprocess.run(
        [host_side, "tile", op, chip, str(cores), str(local), inputs, attributes],
        capture_output=True,
        text=True,
        check=True,
    )
    key, blocks, workspace, tiling = done.stdout.split()
    plan = emulation.tile(tile, [0, *numbers], cores)
    assert plan
    assert (int(key), int(blocks)) == (plan.key, plan.blocks)
    assert bytes.fromhex(tiling) == plan.tiling
    assert int(workspace) == (2 << 20 if emulation.inference else 16 << 20)


@pytest.mark.parametrize(
    ("op", "inputs", "attributes"),
    [
        ("AclquantDynamicQuant", "1:4,0;-;-;->;2", ""),
        ("AclquantDynamicQuant", "1:4,7;-;-;->;29", ""),
        ("AclquantDynamicQuant", "1:4,8;1:1025,8;3:1025;->;2", ""),
        ("AclquantQuantize", "0:6,10;0:3;-;->;2", "0=1"),
        ("AclquantQuantize", "0:6,10;0:10;-;->;2", "0=2"),
        ("AclquantAscendQuant", "0:6,10;0:10;-;->;2", "0=0,1=Round,2=1"),
        ("AclquantTransQuantParam", "0:5;0:3;->;10", "0=0"),
        ("AclquantTransQuantParam", "0:5;-;->;10", "0=2"),
    ],
)
def test_the_host_side_refuses(host_side: Path, op: str, inputs: str, attributes: str) -> None:
    done = subprocess.run(
        [host_side, "tile", op, "ascend910b", "48", "196608", inputs, attributes],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "refused\n"
