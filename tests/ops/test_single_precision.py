"""Functions of FLOAT whose loops have their own series: how far they are from the exact value."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from aclquant import aclnn

erf = np.vectorize(math.erf, otypes=[np.float64])
erfc = np.vectorize(math.erfc, otypes=[np.float64])
Exact = Callable[..., Any]


def sinc(x: Any) -> Any:
    return np.where(x == 0, 1, np.sin(np.pi * x) / (np.pi * x))


def softplus(x: Any) -> Any:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


FUNCTIONS: dict[str, tuple[Exact, float]] = {
    "Exp": (np.exp, 0.51),
    "Exp2": (np.exp2, 1.3),
    "Tanh": (np.tanh, 0.51),
    "Expm1": (np.expm1, 0.51),
    "Log": (np.log, 0.51),
    "Log2": (np.log2, 0.51),
    "Log10": (np.log10, 0.51),
    "Log1p": (np.log1p, 0.51),
    "Sin": (np.sin, 0.51),
    "Cos": (np.cos, 0.51),
    "Tan": (np.tan, 0.51),
    "Sinc": (sinc, 0.51),
    "Asin": (np.arcsin, 0.51),
    "Acos": (np.arccos, 0.51),
    "Atan": (np.arctan, 0.51),
    "Sinh": (np.sinh, 0.51),
    "Cosh": (np.cosh, 0.51),
    "Asinh": (np.arcsinh, 0.51),
    "Acosh": (np.arccosh, 0.51),
    "Atanh": (np.arctanh, 0.51),
    "Erf": (erf, 0.51),
    "Erfc": (erfc, 0.51),
    "Rsqrt": (lambda x: 1 / np.sqrt(x), 1.6),
    "Sigmoid": (lambda x: 1 / (1 + np.exp(-x)), 3.0),
    "Silu": (lambda x: x / (1 + np.exp(-x)), 4.0),
    "LogSigmoid": (lambda x: -softplus(-x), 0.51),
    "Mish": (lambda x: x * np.tanh(softplus(x)), 0.51),
}
PAIRS: dict[str, tuple[Exact, float]] = {
    "PowTensorTensor": (np.power, 0.51),
    "Atan2": (np.arctan2, 0.51),
    "LogAddExp": (np.logaddexp, 0.51),
    "LogAddExp2": (np.logaddexp2, 0.51),
    "XLogYTensor": (lambda x, y: np.where((x == 0) & ~np.isnan(y), 0, x * np.log(y)), 0.51),
}
# C's pow is decided by these; also powers of two, of which the results are exact.
SPECIAL = np.float32(
    [
        *(0, 1, 2, 0.5, 3, 2.5, np.inf, np.nan, 1e-45, 3.4e38, 1 << 24, (1 << 24) - 1),
        *(8388607.5, 0.9999999, 1.0000001, 1e-30, 1e10, 7, 1 / 3, 149, 127, 126.5),
    ]
)


def sample(seed: int) -> Any:
    """Return random bits: all magnitudes, subnormal numbers, infinities and NaN; and others."""
    random = np.random.default_rng(seed)
    bits = random.integers(0, 1 << 32, 120_000, np.uint32).view(np.float32)
    plain = np.concatenate([random.standard_normal(80_000) * 8, random.uniform(-90, 90, 80_000)])
    near = np.concatenate([random.uniform(-1, 1, 40_000), 1 + random.uniform(-1, 1, 20_000) / 1e3])
    turns = np.arange(-20_000, 20_000) * np.pi / 4
    edges = [0.0, -0.0, 88.7, -87.3, 103.9, -103.9, 1e-45, 1048575.9, 1 << 20, 3.4028235e38]
    parts = (bits, plain, near, turns, edges, SPECIAL, -SPECIAL)
    return np.concatenate([np.float32(part) for part in parts])


def ulps(got: Any, wide: Any) -> Any:
    """Return how far `got` is from the exact values, in units of the last place of FLOAT."""
    rounded = wide.astype(np.float32)
    unit = np.spacing(np.maximum(np.abs(rounded), np.float32(2**-126))).astype(np.float64)
    assert (np.isnan(got) == np.isnan(wide)).all()
    # The nearest FLOAT may be infinite although the exact value is not.
    infinite = np.isinf(rounded) | np.isinf(got)
    assert (got[infinite] == rounded[infinite]).all()
    zero = (rounded == 0) & (got == 0)
    assert (np.signbit(got[zero]) == np.signbit(wide[zero])).all()
    return np.where(infinite | np.isnan(wide), 0, np.abs(got.astype(np.float64) - wide) / unit)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_units_in_the_last_place(name: str) -> None:
    exact, allowed = FUNCTIONS[name]
    x = sample(11)
    if name in ("Sigmoid", "Silu"):  # the power of e overflows before its sum with 1 would matter
        x = x[(x > -87) | np.isnan(x)]
    got = getattr(aclnn, name)(x, np.empty_like(x))
    with np.errstate(all="ignore"):
        wide = exact(x.astype(np.float64))
        far = ulps(got, wide)
    worst = np.argmax(far)
    assert far[worst] <= allowed, (x[worst], got[worst], wide[worst], far[worst])


@pytest.mark.parametrize("name", PAIRS)
def test_units_in_the_last_place_of_two_arguments(name: str) -> None:
    exact, allowed = PAIRS[name]
    random = np.random.default_rng(12)
    x, y = sample(12), random.permutation(sample(13))
    table = np.concatenate([SPECIAL, -SPECIAL])
    each = [np.ravel(part) for part in np.meshgrid(table, table)]
    base = random.lognormal(size=100_000).astype(np.float32)
    small = random.uniform(-40, 40, base.size).astype(np.float32)
    whole = random.integers(-40, 40, base.size).astype(np.float32)
    x = np.concatenate([x, each[0], base, -base])
    y = np.concatenate([y, each[1], small, whole])
    if name == "PowTensorTensor":  # a square root by its own rule, that of PyTorch
        x, y = x[y != 0.5], y[y != 0.5]
    got = getattr(aclnn, name)(x, y, np.empty_like(x))
    with np.errstate(all="ignore"):
        wide = exact(x.astype(np.float64), y.astype(np.float64))
        far = ulps(got, wide)
        if name.startswith("LogAddExp"):  # where the sum of two doubles has lost digits
            far[np.abs(wide) < np.abs(np.maximum(x, y)) * 1e-4] = 0
    worst = np.argmax(far)
    assert far[worst] <= allowed, (x[worst], y[worst], got[worst], wide[worst], far[worst])


@pytest.mark.parametrize("exponent", [2, 3, 0.5, -1, 2.5, 0, np.inf, np.nan, -2])
def test_power_by_a_number(exponent: float) -> None:
    x = sample(14)
    got = aclnn.PowTensorScalar(x, exponent, np.empty_like(x))
    with np.errstate(all="ignore"):
        wide = x.astype(np.float64)
        wide = np.sqrt(wide) if exponent == 0.5 else np.power(wide, exponent)
        assert ulps(got, wide).max() <= 0.51


def test_one_angle_alone_and_beside_small_ones() -> None:
    """Angles from 2**20 on are reduced by libm; they change no neighbour."""
    x = np.float32(np.random.default_rng(15).uniform(-100, 100, 4096))
    alone = aclnn.Sin(x, np.empty_like(x))
    x[1234] = 3e38
    both = aclnn.Sin(x, np.empty_like(x))
    assert both[1234] == np.float32(np.sin(np.float64(x[1234])))
    both[1234] = alone[1234]
    assert both.tobytes() == alone.tobytes()


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_narrow_types_round_the_result_of_float(dtype: Any) -> None:
    every = np.arange(1 << 16).astype(np.uint16).view(dtype)
    for name in FUNCTIONS:
        narrow = getattr(aclnn, name)(every, np.empty_like(every))
        wide = getattr(aclnn, name)(every.astype(np.float32), np.empty(every.shape, np.float32))
        with np.errstate(all="ignore"):
            rounded = wide.astype(dtype).astype(np.float32)
        np.testing.assert_array_equal(narrow.astype(np.float32), rounded, err_msg=name)


@pytest.mark.parametrize("name", ["Erf", "Sin", "Cos", "Exp", "Log", "Tanh", "Sigmoid"])
def test_lists_of_tensors_give_the_same_numbers(name: str) -> None:
    x = sample(16)[:5000]
    one = getattr(aclnn, name)(x, np.empty_like(x))
    each = getattr(aclnn, f"Foreach{name}")([x], [np.empty_like(x)])
    assert np.asarray(each[0]).tobytes() == one.tobytes()
