"""Clients from PyPI that are Python or have wheels: each in an environment made here.

A case that fails for a reason of the client's is counted as failed; `CAUSES` says what we found.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import pytest

from aclquant.stand_in import environment

from .harness import (
    PROGRAMS,
    TOOLKIT,
    Case,
    Result,
    client_environment,
    in_usr_local,
    needs_python,
    run_cases,
    settle,
)

# With NumPy 2, whose arrays have a device, candle makes tensors of them on the CPU.
CANDLE = ("candle-python==0.1.0a1", "numpy<2", "ml_dtypes<0.5", "pytest<9")
COMMAND = "pytest --nightly tests/clients/test_python_clients.py -k {}"

# (client, expression for the name of the case): why it fails.
CAUSES = {
    ("numpy-ascend", "where"): "the client's own fault: its copy of the condition is a tensor of "
    "shape (3, 4) with strides (1, 0)",
    ("numpy-ascend", "(prod|argmax|argmin) of all"): "the client's own fault: it gives a result of "
    "shape () to an operator along one axis",
    ("numpy-ascend", "lcm int32"): "the client's own fault: it divides the product by the greatest "
    "divisor of the product and the second operand, which is that operand",
    ("numpy-ascend", "dot"): "the client's own choice: the result has shape (1,), NumPy's has ()",
    ("candle-python", "test_npu_elementwise_batch2.*"): "the test's own NumPy reference warns: "
    "arcsin outside its domain",
    ("candle-python", "transpose"): "the client's own fault: contiguous() copies the bytes as they "
    "are",
    ("onnxruntime-cann", r"\w+ of a column and a row"): "the client's own fault: it frees the copy "
    "of the first operand before it makes that of the second, at the same place",
}


def explained(client: str, cases: list[Case]) -> list[Case]:
    for case in cases:
        for (whose, pattern), why in CAUSES.items():
            if case.state == "failed" and whose == client and re.fullmatch(pattern, case.name):
                case.cause = why
        if "does not run graphs" in case.cause:
            case.cause = "it builds a graph node by node, which the host device refuses"
        refused = re.search(
            r"opType': got '(\w+)'|算子\[(\w+)\]|200001.*Execute\(\"(\w+)\"|"
            r"(aclnn\w+?)(?:GetWorkspaceSize)? (?:failed: 200001|symbols|not in )",
            case.cause,
        )
        if refused:
            name = refused[1] or refused[3] or refused[4] or f"aclnn{refused[2]}"
            case.cause = f"{name} is not there"
    return cases


@pytest.mark.nightly
def test_l0n0lacl() -> None:
    """Its parser reads our headers, its NumPy arrays go through pyACL."""
    python = client_environment("l0n0lacl==2.4.0", "numpy<3") / "bin" / "python"
    cases = run_cases([python, PROGRAMS / "l0n0lacl_examples.py"])
    ran = "examples of its README, operators on NumPy arrays"
    result = Result("l0n0lacl", "2.4.0", ran, COMMAND.format("l0n0lacl"), cases)
    settle("l0n0lacl", [Result(**{**vars(result), "cases": explained("l0n0lacl", cases)})])


@pytest.mark.nightly
def test_candle() -> None:
    python = client_environment(*CANDLE) / "bin" / "python"
    cases = run_cases(in_usr_local([python, PROGRAMS / "candle_examples.py"]))
    ran = "examples of its README, operators against NumPy"
    results = [
        Result("candle-python", "0.1.0a1", ran, COMMAND.format("candle"),
               explained("candle-python", cases)),
    ]  # fmt: skip
    settle("candle-python", results)


@pytest.mark.nightly
def test_candles_own_tests(tmp_path: Path) -> None:
    """tests/npu of its repository at the release, a checkout of which CANDLE_TESTS names."""
    checkout = os.environ.get("CANDLE_TESTS")
    if not checkout:
        pytest.skip("CANDLE_TESTS names no checkout of candle-org/candle (a81596b)")
    folder = client_environment(*CANDLE)
    report = tmp_path / "report.xml"
    subprocess.run(
        in_usr_local([
            folder / "bin" / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/npu",
            "--ignore=tests/npu/test_pipeline_npu_bench_smoke.py", f"--junitxml={report}",
        ]),
        cwd=checkout, env=environment(), capture_output=True, timeout=3000,
    )  # fmt: skip
    cases = []
    for item in ElementTree.parse(report).iter("testcase"):
        bad = item.find("failure") if item.find("failure") is not None else item.find("error")
        if item.find("skipped") is not None:
            continue
        state, cause = "passed", ""
        if bad is not None:
            cause = " ".join((bad.get("message") or "").split())[:200]
            state = "missing" if re.search("symbols? not|200001|not available", cause) else "failed"
        cases.append(Case(f"{item.get('name')}", state, cause))
    explained("candle-python", cases)
    command = "CANDLE_TESTS=checkout " + COMMAND.format("candles_own")
    ran = "its own tests/npu, from the repository at the release"
    settle("candle-python-tests", [Result("candle-python", "0.1.0a1", ran, command, cases)])


@pytest.mark.nightly
def test_numpy_ascend() -> None:
    needs_python("3.11")
    python = client_environment("numpy-ascend==14.0.0a1") / "bin" / "python"
    cases = run_cases([python, PROGRAMS / "numpy_ascend.py"], CUPY_ASCEND_SKIP_VERSION_CHECK="1")
    ran = "cupy against NumPy: arithmetic, reductions, indexing, shapes"
    settle("numpy-ascend", [
        Result("numpy-ascend", "14.0.0a1", ran, COMMAND.format("numpy_ascend"),
               explained("numpy-ascend", cases)),
    ])  # fmt: skip


@pytest.mark.nightly
def test_onnxruntime() -> None:
    needs_python("3.11")
    folder = client_environment("onnxruntime-cann==1.24.4", "numpy<2", "onnx<1.17")
    cases = run_cases([folder / "bin" / "python", PROGRAMS / "onnx_models.py"])
    ran = "models operator by operator (enable_cann_graph=0), against its CPU provider"
    settle("onnxruntime-cann", [
        Result("onnxruntime-cann", "1.24.4", ran, COMMAND.format("onnxruntime"),
               explained("onnxruntime-cann", cases)),
    ])  # fmt: skip


@pytest.mark.nightly
def test_mindspore(tmp_path: Path) -> None:
    """It finds CANN by the path of aclrtMalloc's library, in which it looks for "latest"."""
    needs_python("3.11")
    python = client_environment("mindspore==2.10.0", "numpy<2") / "bin" / "python"
    tree = tmp_path / "latest"
    tree.symlink_to(TOOLKIT)
    cases = run_cases(
        [python, PROGRAMS / "mindspore_operators.py"], limit=1800,
        LD_LIBRARY_PATH=str(tree / "lib64"), ASCEND_HOME_PATH=str(tree), GLOG_v="4",
        MS_ALLOC_CONF="enable_vmm:False",
    )  # fmt: skip
    ran = "PyNative operators and gradients against NumPy"
    settle("mindspore", [
        Result("mindspore", "2.10.0", ran, COMMAND.format("mindspore"),
               explained("mindspore", cases)),
    ])  # fmt: skip


@pytest.mark.nightly
def test_torch_npu_2_14(tmp_path: Path) -> None:
    """Its symbols only: on PyPI, torch 2.14 comes with gigabytes of CUDA."""
    got = subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--python-version", "3.11",
         "--only-binary", ":all:", "-d", tmp_path, "torch-npu==2.14.0"],
        capture_output=True, text=True,
    )  # fmt: skip
    if got.returncode:
        pytest.skip(f"not downloaded: {got.stderr.strip()[-200:]}")
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = [name for name in wheel.namelist() if name.endswith(".so")]
        wheel.extractall(tmp_path, names)

    def symbols(path: Path, kind: str) -> set[str]:
        done = subprocess.run(["nm", "-D", kind, path], capture_output=True, text=True)
        return {line.split()[-1].split("@")[0] for line in done.stdout.splitlines()}

    ours: set[str] = set()
    for path in (TOOLKIT / "lib64").glob("lib*.so"):
        ours |= symbols(path, "--defined-only")
    wanted: set[str] = set()
    for name in names:
        wanted |= symbols(tmp_path / name, "--undefined-only")
    cann = re.compile(r"acl[A-Z]|acl(rt|mdl|nn|op|prof|tdt)[A-Z]|Hccl|Msprof|rt[A-Z]|_ZNK?2ge")
    cases = [
        Case(name, *(("passed", "") if name in ours else ("missing", "it is not there")))
        for name in sorted(wanted)
        if cann.match(name)
    ]
    assert len(cases) > 100
    ran = "CANN's symbols that its libraries need to be loaded"
    settle("torch-npu", [Result("torch-npu", "2.14.0", ran, COMMAND.format("torch_npu"), cases)])


def test_the_tree_is_where_candle_looks() -> None:
    done = subprocess.run(
        in_usr_local(["readlink", "/usr/local/Ascend/ascend-toolkit/latest"]),
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == str(TOOLKIT)
    assert not Path("/usr/local/Ascend/ascend-toolkit/latest").is_symlink()
