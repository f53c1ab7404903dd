"""Every vector, on the reference, on the C functions and on the Python functions."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest
from helpers import vectors
from helpers.vectors import DEFAULT_SOC, DEFAULT_VERSION, Vector
from reference.arithmetic import narrow, to_integer

ALL = vectors.load()
HERE = [v for v in ALL if vectors.belongs(v, DEFAULT_SOC, DEFAULT_VERSION)]
PYTHON = [v for v in HERE if "python" in v]


def test_names_are_unique() -> None:
    names = [vectors.identity(vector) for vector in ALL]
    assert len(names) == len(set(names))


def test_all_operators_have_vectors() -> None:
    operators = {vector["operator"] for vector in ALL}
    expected = {"quantize", "anti_quant", "trans_quant_param", "dynamic_quant", "quant_matmul"}
    assert operators == expected


@pytest.mark.parametrize("vector", ALL, ids=vectors.identity)
def test_reference(vector: Vector) -> None:
    vectors.check(vector, vectors.reference_results(vector))


@pytest.mark.parametrize("vector", HERE, ids=vectors.identity)
def test_c_function(vector: Vector) -> None:
    vectors.check(vector, vectors.c_results(vector))


@pytest.mark.parametrize("vector", PYTHON, ids=vectors.identity)
def test_python_function(vector: Vector) -> None:
    vectors.check(vector, vectors.python_results(vector))


@pytest.mark.parametrize(
    ("soc", "version"), [("Ascend310P3", DEFAULT_VERSION), (DEFAULT_SOC, "8.1.RC1")]
)
def test_other_device(soc: str, version: str) -> None:
    """A process has one SoC and one version, so these run in a separate process."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "ACLQUANT_BACKEND": "host",
        "ACLQUANT_HOST_SOC": soc,
        "ACLQUANT_HOST_VERSION": version,
    }
    command = [sys.executable, "-m", "helpers.vectors"]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"{soc}, CANN {version}: [1-9]\d* runs, 0 failures", done.stdout)


# -- the primitives of the reference itself ---------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_narrowing_rounds_to_nearest_even(dtype: str) -> None:
    """At, just below and just above the middle of every pair of neighbouring finite values."""
    target = np.dtype(ml_dtypes.bfloat16) if dtype == "bfloat16" else np.dtype(dtype)
    patterns = np.arange(0x7C00 if dtype == "float16" else 0x7F80, dtype=np.uint16)
    lower, upper = patterns[:-1], patterns[1:]
    a, b = lower.view(target).astype(np.float64), upper.view(target).astype(np.float64)
    middle = ((a + b) / 2).astype(np.float32)  # exact: one bit more than the narrow type has
    assert np.array_equal(middle.astype(np.float64), (a + b) / 2)
    even = np.where(lower % 2 == 0, lower, upper)
    for sign in (1, -1):
        flag = np.uint16(0x8000 if sign < 0 else 0)
        for at, expected in (
            (middle, even),
            (np.nextafter(middle, np.float32(-np.inf)), lower),
            (np.nextafter(middle, np.float32(np.inf)), upper),
        ):
            got = narrow(np.float32(sign) * at, dtype, saturate=False).view(np.uint16)
            assert np.array_equal(got, expected | flag)


def test_narrowing_overflow() -> None:
    v = np.array([65519.996, 65520, -65520, np.inf, -np.inf, np.nan], np.float32)
    plain, saturated = narrow(v, "float16", saturate=False), narrow(v, "float16", saturate=True)
    assert plain[:5].tolist() == [65504, np.inf, -np.inf, np.inf, -np.inf]
    assert np.isnan(plain[5])
    assert saturated.tolist() == [65504, 65504, -65504, 65504, -65504, 0]


@pytest.mark.parametrize("mode", ["round", "floor", "ceil", "trunc"])
@pytest.mark.parametrize("dtype", ["int8", "int4"])
def test_closed_form_equals_the_chain_of_conversions(mode: str, dtype: str) -> None:
    """float32 -> int32 -> float16 -> int8/int4, step by step, as the hardware does it."""
    patterns = np.random.default_rng(20240801).integers(0, 2**32, 200_000, dtype=np.uint32)
    edges = np.arange(-300, 300, dtype=np.float32) / 2
    v = np.concatenate([patterns.view(np.float32), edges, np.nextafter(edges, np.float32(1e9))])
    with np.errstate(all="ignore"):
        half = to_integer(v, "int32", mode).astype(np.float32).astype(np.float16)
    chain = to_integer(half, dtype, "trunc")
    assert np.array_equal(chain.astype(np.int8), to_integer(v, dtype, mode).astype(np.int8))
