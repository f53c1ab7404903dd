"""Functions of FLOAT whose loops have their own series: how far they are from the exact value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from aclquant import aclnn

with np.errstate(all="ignore"):
    FUNCTIONS: dict[str, tuple[Callable[[Any], Any], float]] = {
        "Exp": (np.exp, 0.51),
        "Tanh": (np.tanh, 0.51),
        "Expm1": (np.expm1, 0.51),
        "Log": (np.log, 0.51),
        "Log2": (np.log2, 0.51),
        "Log10": (np.log10, 0.51),
        "Log1p": (np.log1p, 0.51),
        "Rsqrt": (lambda x: 1 / np.sqrt(x), 1.6),
        "Sigmoid": (lambda x: 1 / (1 + np.exp(-x)), 3.0),
        "Silu": (lambda x: x / (1 + np.exp(-x)), 4.0),
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_units_in_the_last_place(name: str) -> None:
    """Random bits: all magnitudes, subnormal numbers, infinities and NaN."""
    exact, allowed = FUNCTIONS[name]
    random = np.random.default_rng(11)
    bits = random.integers(0, 1 << 32, 400_000, np.uint32).view(np.float32)
    plain = np.concatenate([random.standard_normal(200_000) * 8, random.uniform(-80, 80, 200_000)])
    edges = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 88.7, -87.3, 103.9, -103.9, 1e-45]
    x = np.concatenate([bits, plain.astype(np.float32), np.float32(edges)])
    got = getattr(aclnn, name)(x, np.empty_like(x)).astype(np.float64)
    with np.errstate(all="ignore"):
        wide = exact(x.astype(np.float64))
        rounded = wide.astype(np.float32)
        unit = np.spacing(np.maximum(np.abs(rounded), np.float32(2**-126))).astype(np.float64)
        finite = np.isfinite(rounded)
        far = np.abs(got - wide) / unit
    assert (np.isnan(got) == np.isnan(wide)).all()
    infinite = np.isinf(rounded)
    if name in ("Sigmoid", "Silu"):  # the power of e overflows before its sum with 1 would matter
        finite &= x > -87
    assert (got[infinite] == rounded[infinite]).all()
    worst = np.nanargmax(np.where(finite, far, 0))
    assert far[worst] <= allowed, (x[worst], got[worst], wide[worst], far[worst])
