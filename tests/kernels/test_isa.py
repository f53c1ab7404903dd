"""Every variant of the kernels, and any number of threads, gives the same bits through Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from helpers.compare import assert_same_bits

import aclquant as aq
from aclquant._ffi import ffi
from aclquant._ffi.library import load

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
FLOATS = [np.dtype(np.float32), np.dtype(np.float16), BFLOAT16]
LIBRARY = load("host")
ISAS: list[str] = ffi.string(LIBRARY.aclquantListIsas()).decode().split(",")

Results = list[Any]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    isa = ffi.string(LIBRARY.aclquantGetIsa())
    threads = LIBRARY.aclquantGetThreadCount()
    yield
    assert LIBRARY.aclquantSetIsa(isa) == 0
    assert LIBRARY.aclquantSetThreadCount(threads) == 0


def use(isa: str) -> None:
    assert LIBRARY.aclquantSetIsa(isa.encode()) == 0
    assert ffi.string(LIBRARY.aclquantGetIsa()).decode() == isa


def values(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Ties, saturation, infinities and NaN among ordinary numbers."""
    rng = np.random.default_rng(len(shape) * 1000 + shape[-1])
    x = np.round(rng.standard_normal(shape) * 120) / 2
    special = [np.inf, -np.inf, np.nan, 1e6, -1e6, 1e-7, -0.0]
    places = rng.random(shape) < 0.1
    x[places] = rng.choice(special, int(places.sum()))
    with np.errstate(all="ignore"):
        return x.astype(dtype)


def layouts(n: int, dtype: np.dtype[Any]) -> list[Any]:
    """Three rows of n elements: contiguous, transposed, with odd and negative strides."""
    wide = values((7, 3 * n + 5), dtype)
    return [
        np.ascontiguousarray(values((3, n), dtype)),
        np.ascontiguousarray(values((n, 3), dtype)).T,
        wide[1:7:2, 3 : 3 + 3 * n : 3],
        wide[::-3, 1 : 1 + n],
    ]


def everything(n: int, dtype: np.dtype[Any]) -> Results:
    results: Results = []
    steps = np.linspace(0.25, 3.0, n).astype(np.float32)
    zeros = np.arange(n, dtype=np.int32) % 9 - 4
    for x in layouts(n, dtype):
        for target in ("qint8", "quint8", "qint32"):
            results.append(aq.quantize(x, 0.75, 3, target))
            results.append(aq.quantize(x, steps, zeros, target, axis=1))
        results.append(aq.quantize(x, [0.5, 1.0, 3.0], None, axis=0))
        same = steps.astype(dtype)
        results.append(aq.quantize(x, same, same, div_mode=False))
        if n % 2 == 0:
            results.append(aq.quantize(x, same, same, "int4", div_mode=False))
        if n % 8 == 0:
            results.append(aq.quantize(x, same, same, "quint4x2", div_mode=False))
        if dtype != np.float32:
            results += aq.dynamic_quant_asymmetric(x)
            results += aq.dynamic_quant_asymmetric(x, smooth_scales=same)
            if n % 8 == 0:
                results += aq.dynamic_quant_asymmetric(x, dst_type="quint4x2")
            mode = "perchannel"
            results += aq.dynamic_quant_asymmetric(np.nan_to_num(x), quant_mode=mode)
    for q in layouts(n, np.dtype(np.float32)):
        whole = np.nan_to_num(q).clip(-128, 127).astype(np.int8)
        for kind in (np.dtype(np.float16), BFLOAT16):
            results.append(aq.anti_quant(whole, steps, offset=steps, dst_dtype=kind))
            results.append(aq.anti_quant(whole, 0.1, dst_dtype=kind))
            if n % 8 == 0:
                words = np.arange(3 * n // 8, dtype=np.int32).reshape(3, -1) * 0x01234567
                results.append(aq.anti_quant(words, steps, dst_dtype=kind))
    results.append(aq.trans_quant_param(steps, steps * 100, 1))
    return results


def assert_equal(actual: Results, expected: Results, what: str) -> None:
    assert len(actual) == len(expected)
    for number, (got, want) in enumerate(zip(actual, expected, strict=True)):
        assert_same_bits(got, want, f"{what}, result {number}")


def everywhere(compute: Callable[[], Results], what: str) -> None:
    use("scalar")
    expected = compute()
    for isa in ISAS[1:]:
        use(isa)
        assert_equal(compute(), expected, f"{isa}, {what}")


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("first", range(1, 131, 26))
def test_lengths(first: int, dtype: np.dtype[Any]) -> None:
    for n in range(first, first + 26):
        everywhere(lambda n=n: everything(n, dtype), f"length {n}")  # type: ignore[misc]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("shape", [(1300, 4100), (4100, 1300)], ids=str)
def test_large_strided(shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
    """Long enough for results that go past the caches and for several threads."""
    x = values(shape, dtype)
    steps = np.linspace(0.25, 3.0, shape[0]).astype(np.float32)

    def compute() -> Results:
        results = [aq.quantize(x.T, steps), aq.quantize(x, steps, axis=0)]
        results.append(aq.quantize(x[:, ::3], 0.5))
        if dtype != np.float32:
            results += aq.dynamic_quant_asymmetric(x)
            results += aq.dynamic_quant_asymmetric(x.T)
        return results

    use("scalar")
    assert LIBRARY.aclquantSetThreadCount(1) == 0
    expected = compute()
    np.testing.assert_array_equal(expected[0], aq.quantize(np.ascontiguousarray(x.T), steps))
    for isa in ISAS:
        use(isa)
        for threads in (1, 2, 3):
            assert LIBRARY.aclquantSetThreadCount(threads) == 0
            assert LIBRARY.aclquantGetThreadCount() == threads
            assert_equal(compute(), expected, f"{isa}, {threads} threads")


def test_groups() -> None:
    """Rows of one group are taken together; rows behind the last group are zeros."""
    x = values((40, 128), np.dtype(np.float16))
    x[~np.isfinite(x)] = 1
    smooth = np.stack([np.linspace(0.5, 2, 128), np.linspace(2, 0.1, 128)]).astype(np.float16)
    ends = np.array([13, 31], np.int32)

    def compute() -> Results:
        return list(aq.dynamic_quant_asymmetric(x, smooth_scales=smooth, group_index=ends))

    everywhere(compute, "groups")
    y, scale, offset = compute()
    single = aq.dynamic_quant_asymmetric(x[13:31], smooth_scales=smooth[1])
    assert_equal([y[13:31], scale[13:31], offset[13:31]], list(single), "second group")
    assert not y[31:].any() and not scale[31:].any() and not offset[31:].any()


def test_list_begins_with_the_definition() -> None:
    assert ISAS[0] == "scalar"
    assert len(set(ISAS)) == len(ISAS)


def test_unknown_name_is_refused() -> None:
    before = ffi.string(LIBRARY.aclquantGetIsa())
    assert LIBRARY.aclquantSetIsa(b"sse9") != 0
    assert "sse9" in ffi.string(LIBRARY.aclGetRecentErrMsg()).decode()
    assert ffi.string(LIBRARY.aclquantGetIsa()) == before
