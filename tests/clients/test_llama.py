"""A language model through llama.cpp, built with its CANN backend from llama-cpp-python's source.

The model is tiny and has random weights; its greedy tokens must be those of the CPU backend, and
its logits near them. The build takes ten minutes on one core.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .harness import PROGRAMS, Result, built, client_environment, run_cases, settle

VERSION = "0.3.36"
OPTIONS = ("-DUSE_ACL_GRAPH=ON", "-DGGML_NATIVE=OFF", "-DLLAVA_BUILD=OFF")


@pytest.mark.nightly
def test_a_language_model(tmp_path: Path) -> None:
    kept = os.environ.get("CLIENT_ENVIRONMENTS")
    folder = Path(kept or tmp_path) / f"llama-{VERSION}"
    build = built(folder, "llama-cpp-python", VERSION, OPTIONS, ("llama", "ggml-cann"))
    needed = ("numpy", "diskcache", "jinja2", "typing-extensions", "gguf==0.19.0")
    python = client_environment(*needed) / "bin" / "python"
    cases = []
    for mode in ("off", "on"):
        cases += run_cases(
            [python, PROGRAMS / "llama_model.py", tmp_path],
            PYTHONPATH=str(folder / "installed"),
            LLAMA_CPP_LIB_PATH=str(build / "bin"),
            GGML_CANN_ACL_GRAPH=mode,
        )
    ran = "a Llama of random weights: greedy tokens and logits against the CPU backend"
    command = "pytest --nightly tests/clients/test_llama.py"
    settle("llama-cpp-python", [Result("llama-cpp-python", VERSION, ran, command, cases)])
