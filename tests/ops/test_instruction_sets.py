"""Everyday operators give the same bits with the vectors of every instruction set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from aclquant import aclnn
from aclquant._ffi.library import load

ISAS = (b"avx2", b"avx512", b"neon")
ONE_INPUT = (
    *("Exp", "Exp2", "Expm1", "Log", "Log2", "Log10", "Log1p", "Sin", "Cos", "Tan", "Sinc"),
    *("Asin", "Acos", "Atan", "Sinh", "Cosh", "Tanh", "Asinh", "Acosh", "Atanh", "Erf", "Erfc"),
    *("Sigmoid", "Silu", "Gelu", "Mish", "Selu", "LogSigmoid", "Sqrt", "Rsqrt", "Neg", "Sign"),
)


@pytest.fixture(scope="module", params=[np.float32, np.float16, ml_dtypes.bfloat16])
def x(request: pytest.FixtureRequest) -> Any:
    """Rows of an odd length, so that every loop has a rest; the first has extreme values."""
    x = (np.random.default_rng(7).standard_normal((3, 4099)) * 8).astype(request.param)
    x[0, :6] = [0, -0.0, np.inf, 1e-7, 300, -300]
    return x


def results(x: Any) -> Iterator[tuple[str, Any]]:
    y, name = np.empty_like(x), x.dtype.name
    for operator in ONE_INPUT:
        yield operator, getattr(aclnn, operator)(x, y.copy())
    for operator in ("PowTensorTensor", "Atan2", "LogAddExp", "XLogYTensor", "Sub", "Maximum"):
        alpha = (1,) if operator == "Sub" else ()
        yield operator, getattr(aclnn, operator)(x, x[::-1], *alpha, y.copy())
    yield "PowTensorScalar", aclnn.PowTensorScalar(x, 2.5, y.copy())
    for operator in ("LtTensor", "EqTensor", "LogicalAnd"):
        yield operator, getattr(aclnn, operator)(x, x[::-1], np.empty(x.shape, bool))
    yield "Add", aclnn.Add(x, x[::-1], 1, y.copy())
    yield "Mul", aclnn.Mul(x, x[:1], y.copy())
    yield "Div", aclnn.Div(x[1:], x[1:], y[1:].copy())
    yield "Softmax", aclnn.Softmax(x[1:], 1, y[1:].copy())
    yield "Softmax over columns", aclnn.Softmax(x[1:], 0, y[1:].copy())
    yield "LogSoftmax", aclnn.LogSoftmax(x[1:], 1, y[1:].copy())
    for dims, shape in (([0, 1], ()), ([1], (2,)), ([0], (4099,))):
        out = np.empty(shape, x.dtype)
        yield f"ReduceSum over {dims}", aclnn.ReduceSum(x[1:], dims, False, name, out)
        yield (
            f"Amax over {dims}",
            aclnn.Amax(x, dims, False, np.empty(x.max(tuple(dims)).shape, x.dtype)),
        )
    yield "Cumsum", aclnn.Cumsum(x[1:], 1, name, y[1:].copy())
    norm = aclnn.LayerNorm(x[1:], [4099], None, None, 1e-5, y[1:].copy(), None, None)
    yield "LayerNorm", norm[0] if isinstance(norm, tuple) else norm
    for kind in ("float32", "float16", "bfloat16", "int32"):
        out = np.empty(x.shape, ml_dtypes.bfloat16 if kind == "bfloat16" else kind)
        yield f"Cast to {kind}", aclnn.Cast(x, kind, out)


def test_the_same_bits_with_every_instruction_set(x: Any) -> None:
    library: Any = load("host")
    digests, used = {}, [isa for isa in ISAS if library.aclquantSetIsa(isa) == 0]
    try:
        for isa in (b"scalar", *used):
            assert library.aclquantSetIsa(isa) == 0
            digests[isa] = {name: np.asarray(array).tobytes() for name, array in results(x)}
    finally:
        library.aclquantSetIsa(b"")
    if not used:
        pytest.skip("this processor has one instruction set")
    for isa in used:
        differ = [name for name, found in digests[isa].items() if found != digests[b"scalar"][name]]
        assert not differ, f"{isa.decode()}: {differ}"
