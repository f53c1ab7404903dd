"""What type checkers say about programs: results have types, and mistakes are found."""

from __future__ import annotations

import importlib.util
import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import aclquant as aq
from aclquant import ops, torch_npu
from aclquant.operation import operation_of

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import numpy as np
import numpy.typing as npt
import aclquant as aq
from aclquant import torch_npu

x = np.ones((2, 8), np.float32)
t = aq.asarray(x)
"""
FINE = [
    "y: npt.NDArray[np.int8] = aq.quantize(x, 0.5)",
    "y = aq.quantize([[1.0, 2.0]], [0.5, 1], zero_points=[1, 2], dtype=np.int8, out=x); y.shape",
    "z: aq.Tensor = aq.quantize(t, np.array([0.5]), dtype=aq.qint8, stream=aq.Stream())",
    "y, s = aq.dynamic_quant(x, out=(None, x)); y.shape; s.shape",
    "q, u, v = aq.dynamic_quant_asymmetric(t, device=0); q.numpy(); v.numpy()",
    "aq.quant_matmul(x, t, 1.0, output_dtype='float16', group_sizes=[1, 2, 3]).astype(np.float32)",
    "w: aq.Tensor = torch_npu.npu_quantize(input=t, scales=x, zero_points=None, dtype='qint8')",
    "aq.plan(aq.quantize, x, 0.5)(x)",
]
# What mypy says, and what pyright says.
WRONG = {
    "aq.quantise(x, 0.5)": ('has no attribute "quantise"', '"quantise" is not a known attribute'),
    "aq.quantize(x, 0.5, dtype=3.5)": ("No overload variant", 'to parameter "dtype"'),
    "aq.quantize(x)": ("No overload variant", "No overloads"),
    "aq.quantize(x, 0.5, zero_point=3)": ("No overload variant", "No overloads"),
    "aq.quantize(x, 0.5, axis='rows')": ("No overload variant", 'to parameter "axis"'),
    "s: str = aq.quantize(x, 0.5)": ("Incompatible types in assignment", 'to declared type "str"'),
    "aq.quantize(x, 0.5).numpy()": ('has no attribute "numpy"', 'attribute "numpy"'),
    "aq.quantize(t, 0.5).astype(np.int8)": ('has no attribute "astype"', 'attribute "astype"'),
    "y, s, o = aq.dynamic_quant(x)": ("Need more than 2 values", "expected 3 but received 2"),
    "aq.anti_quant(x, 2.0, out=t)": ("No overload variant", 'to parameter "out"'),
    "aq.anti_quant(x, 2.0, dst_dtype=1.5)": ("No overload variant", 'to parameter "dst_dtype"'),
    "torch_npu.npu_quantize(x, 0.5)": ("No overload variant", "No overloads"),
    "torch_npu.npu_quantize(x=x, scales=x, zero_points=None, dtype='qint8')": (
        "No overload variant",
        "No overloads",
    ),
}


LINES = PROGRAM.splitlines()
LINES += [f"def f{n}() -> None: {line}" for n, line in enumerate([*FINE, *WRONG])]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """All programs in one file: one run of a checker."""
    path = tmp_path / "program.py"
    path.write_text("\n".join(LINES) + "\n")
    return path


def assert_only_wrong_lines(found: dict[int, str], column: int) -> None:
    """Each wrong line has its error, and no other line has one."""
    for number, line in enumerate(LINES, 1):
        line = line.partition(" -> None: ")[2]
        if line in WRONG:
            assert WRONG[line][column] in found.pop(number, "nothing"), line
    assert not found


def test_mypy(program: Path) -> None:
    api = pytest.importorskip("mypy.api")
    text, complaints, _ = api.run(
        ["--strict", "--config-file=", f"--cache-dir={program.parent}", "--no-pretty", str(program)]
    )
    assert not complaints
    found: dict[int, str] = {}
    for line in text.splitlines():
        if line.startswith(str(program)) and ": error: " in line:
            number = int(line.removeprefix(f"{program}:").partition(":")[0])
            found[number] = found.get(number, "") + line
    assert_only_wrong_lines(found, 0)


@pytest.mark.nightly
def test_pyright(program: Path) -> None:
    """As in an editor. PyPI's pyright loads its program from npm when it first runs."""
    pyright = shutil.which("pyright")
    if pyright is None:
        pytest.skip("pyright is not installed")
    sources = str(Path(str(aq.__file__)).parents[1])
    settings = {"typeCheckingMode": "standard", "extraPaths": [sources]}
    (program.parent / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [pyright, "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(command, cwd=program.parent, capture_output=True, text=True, timeout=300)
    if not done.stdout.startswith("{"):
        pytest.skip(f"pyright does not run: {done.stderr[-300:]}")
    found: dict[int, str] = {}
    for each in json.loads(done.stdout)["generalDiagnostics"]:
        number = each["range"]["start"]["line"] + 1
        found[number] = found.get(number, "") + each["message"]
    assert_only_wrong_lines(found, 1)


def test_stubs_are_those_of_the_declarations() -> None:
    """The argument lists stand once: docs/generate_stubs.py derives the stubs."""
    if not (ROOT / "src").exists():
        pytest.skip("the sources are not here")
    spec = importlib.util.spec_from_file_location("stubs", ROOT / "docs" / "generate_stubs.py")
    assert spec is not None and spec.loader is not None
    stubs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(stubs)
    for path, text in stubs.FILES.items():
        assert path.read_text() == text, f"run docs/generate_stubs.py for {path.name}"


@pytest.mark.parametrize("name", ops.__all__)
def test_a_function_shows_its_own_parameters(name: str) -> None:
    function = getattr(aq, name)
    declared = operation_of(function)
    assert declared is not None
    parameters = tuple(inspect.signature(function).parameters)
    assert parameters == (*declared.parameters, "out", "stream", "device")
    assert function.__name__ == name and function.__module__ == f"aclquant.ops.{name}"
    text = inspect.getdoc(function) or ""
    places = [
        text.index(f"\n{parameter} : ") for parameter in parameters if "_dtype" not in parameter
    ]
    assert places == sorted(places)
    alias = getattr(torch_npu, f"npu_{name}")
    renamed = [declared.aliases.get(p, p) for p in declared.parameters]
    assert list(inspect.signature(alias).parameters) == renamed


def test_wrong_arguments_are_refused_as_by_any_function() -> None:
    for call, message in (
        (
            lambda: aq.quantize(),
            r"quantize\(\) missing 2 required",
        ),  # type: ignore[call-overload]
        (lambda: aq.quantize(1, 2, zero_point=3), "unexpected keyword argument 'zero_point'"),  # type: ignore[call-overload]
        (lambda: aq.quantize(1, 2, x=3), "multiple values for argument 'x'"),  # type: ignore[call-overload]
        (
            lambda: aq.quantize(1, 2, 3, "qint8", 1, True, 7),
            "takes from 2 to 6 positional",
        ),  # type: ignore[call-overload]
        (lambda: torch_npu.npu_quantize(1, 2), r"npu_quantize\(\) missing 2 required"),  # type: ignore[call-overload]
        (
            lambda: torch_npu.npu_quantize(x=1, scales=2, zero_points=3, dtype=4),
            "unexpected keyword argument 'x'",
        ),  # type: ignore[call-overload]
    ):
        with pytest.raises(TypeError, match=message):
            call()
