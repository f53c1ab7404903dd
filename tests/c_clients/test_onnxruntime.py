"""The ONNX Runtime example: the operators torch_npu exports, computed through the C interface.

The headers of ONNX Runtime are not in its wheel. ``ONNXRUNTIME_INCLUDE_DIR`` names a directory that
has them; a system's package (libonnxruntime-dev) is found without it.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from helpers.programs import EXAMPLES, aclquant, needed, output, require, run_paths

HERE = Path(__file__).parent
CASES = ["quantize", "multiply", "anti_quant", "shapes", "threads", "refusals"]


def headers() -> Path:
    named = os.environ.get("ONNXRUNTIME_INCLUDE_DIR")
    places = [Path(named)] if named else [Path("/usr/include/onnxruntime")]
    for place in places:
        if (place / "onnxruntime_cxx_api.h").exists():
            return place
    pytest.skip("ONNX Runtime's headers are not in ONNXRUNTIME_INCLUDE_DIR nor in the system")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for module in ("onnx", "onnxruntime"):
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    require("cmake", "c++")
    build = tmp_path_factory.mktemp("npu_ops")
    places = [f"-Daclquant_DIR={aclquant('cmakedir')}", f"-DONNXRUNTIME_INCLUDE_DIR={headers()}"]
    source = EXAMPLES / "onnxruntime"
    output("cmake", "-S", source, "-B", build, "-DCMAKE_CXX_FLAGS=-Werror", *places)
    output("cmake", "--build", build)
    return build / "libnpu_ops.so"


def python(*arguments: str | Path, **environment: str) -> str:
    path = os.pathsep.join([str(EXAMPLES / "onnxruntime"), *(p for p in sys.path if p)])
    return output(sys.executable, *arguments, PYTHONPATH=path, **environment)


def test_the_example(library: Path) -> None:
    text = python(EXAMPLES / "onnxruntime" / "run_model.py", library)
    assert text.count("equal to aclquant: True") == 2 and "False" not in text


def test_the_library_needs_only_the_names_of_cann(library: Path) -> None:
    assert needed(library) == {"libascendcl.so", "libnnopbase.so", "libopapi.so"}
    assert run_paths(library) == []


@pytest.mark.parametrize("case", CASES)
def test_sessions(library: Path, case: str) -> None:
    text = python(HERE / "onnx_sessions.py", library, case, LD_LIBRARY_PATH=aclquant("libdir"))
    assert text == ""
