"""Domains small enough to be tried completely."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from helpers.compare import assert_same_bits
from reference import Spec
from reference import anti_quant as ref_anti_quant
from reference import dynamic_quant as ref_dynamic_quant
from reference import quantize as ref_quantize
from reference import trans_quant_param as ref_trans_quant_param
from reference.arithmetic import unpack_int4

import aclquant as aq

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
HALVES = [np.dtype(np.float16), BFLOAT16]
PATTERNS = np.arange(65536, dtype=np.uint32).astype(np.uint16)
SCALES = [1.0, 3.0, 0.1, -0.7, 2.0**-10, 2.0**20, 0.0, -0.0, np.inf, np.nan]


@np.errstate(all="ignore")
def finite(dtype: np.dtype[Any]) -> Any:
    values = PATTERNS.view(dtype)
    return values[np.isfinite(values)]


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("scale", SCALES)
def test_quantize_every_half(dtype: np.dtype[Any], scale: float) -> None:
    """All 65,536 patterns of both half types, both functions, every output type."""
    x = PATTERNS.view(dtype)
    wide, same = single(scale, np.dtype(np.float32)), single(scale, dtype)
    for target in ("qint8", "quint8", "qint32"):
        expected = ref_quantize.quantize(x, wide, None, target, 0)
        assert_same_bits(aq.quantize(x, wide, None, target, 0), expected, target)
    for target in ("qint8", "quint4x2"):
        expected = ref_quantize.quantize(x, same, None, target, -1, False)
        actual = aq.quantize(x, same, None, target, -1, div_mode=False)
        assert_same_bits(actual, expected, target)


@pytest.mark.parametrize("offset", [None, 0.5, -1.5, 100.25])
def test_quantize_every_half_with_offset(offset: float | None) -> None:
    for dtype in HALVES:
        x, scale = PATTERNS.view(dtype), np.array([0.75], dtype)
        shift = None if offset is None else np.array([offset], dtype)
        expected = ref_quantize.quantize(x, scale, shift, "qint8", -1, False)
        assert_same_bits(aq.quantize(x, scale, shift, "qint8", -1, div_mode=False), expected)


@pytest.mark.parametrize("target", ["float16", "bfloat16"])
@pytest.mark.parametrize("parameter", [np.dtype(np.float32), BFLOAT16], ids=str)
def test_anti_quant_every_int8(target: str, parameter: np.dtype[Any]) -> None:
    x = np.arange(-128, 128, dtype=np.int16).astype(np.int8)
    words = np.arange(65536, dtype=np.int32)  # every pair of nibbles in the low half
    for scale in (*SCALES, 600.0, 3e38, 1e-7, 2.0**-24, 2.0**-130):
        for offset in (None, 0.1, -3.0, np.inf):
            s = single(scale, parameter)
            o = None if offset is None else single(offset, parameter)
            for values in (x, words):
                expected = ref_anti_quant.anti_quant(values, s, offset=o, dst_dtype=target)
                actual = aq.anti_quant(values, s, offset=o, dst_dtype=target)
                assert_same_bits(actual, expected, f"scale {scale}, offset {offset}")


@pytest.mark.parametrize("round_mode", [0, 1])
def test_trans_quant_param_every_m1(round_mode: int) -> None:
    """Every sign, exponent and kept mantissa, with random bits below."""
    high = np.arange(2**19, dtype=np.uint32) << np.uint32(13)
    low = np.random.default_rng(19).integers(0, 2**13, 2**19, dtype=np.uint32)
    for below in (low, np.uint32(0x1000), np.uint32(0x0FFF), np.uint32(0)):
        scale = (high | below).view(np.float32)
        words = aq.trans_quant_param(scale, round_mode=round_mode)
        assert_same_bits(
            words, ref_trans_quant_param.trans_quant_param(scale, round_mode=round_mode)
        )
        if round_mode == 0:
            assert np.array_equal(words, high.astype(np.int64) | 1 << 46)


@np.errstate(all="ignore")
def single(value: float, dtype: np.dtype[Any]) -> Any:
    return np.array([value], np.float32).astype(dtype)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("target", ["int8", "quint4x2"])
def test_dynamic_quant_every_constant_row(dtype: np.dtype[Any], target: str) -> None:
    """All patterns as constant rows, infinities and NaN included."""
    rows = np.repeat(PATTERNS.view(dtype)[:, np.newaxis], 8, axis=1)
    expected = ref_dynamic_quant.dynamic_quant_asymmetric(rows, dst_type=target)
    actual = aq.dynamic_quant_asymmetric(rows, dst_type=target)
    for name, got, want in zip(("y", "scale", "offset"), actual, expected, strict=True):
        assert_same_bits(got, want, name)


@pytest.mark.parametrize("length", [15, 16, 17, 127, 128, 4096, 10272, 10288, 15040, 17760, 40000])
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_dynamic_quant_row_lengths(dtype: np.dtype[Any], length: int) -> None:
    """Lengths on both sides of the limits between kernel variants."""
    x = np.random.default_rng(length).normal(0, 3, (3, length)).astype(np.float32).astype(dtype)
    expected = ref_dynamic_quant.dynamic_quant_asymmetric(x)
    for name, got, want in zip(
        ("y", "scale", "offset"), aq.dynamic_quant_asymmetric(x), expected, strict=True
    ):
        assert_same_bits(got, want, name)


@pytest.mark.parametrize("multiplier", [1, 7, 13, 113, 4096])
def test_trans_quant_param_long(multiplier: int) -> None:
    """Across the kernel's blocks of 8192."""
    generator = np.random.default_rng(multiplier)
    scale = generator.normal(size=8193).astype(np.float32)
    offset = (generator.normal(size=8193) * multiplier).astype(np.float32)
    assert_same_bits(
        aq.trans_quant_param(scale, offset), ref_trans_quant_param.trans_quant_param(scale, offset)
    )


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_symmetric_constant_rows(name: str) -> None:
    dtype = BFLOAT16 if name == "bfloat16" else np.dtype(name)
    x = finite(dtype)[:, np.newaxis]
    y, scale = np.zeros(x.shape, np.int8), np.zeros(len(x), np.float32)
    aq.aclnn.aclnnDynamicQuant(x, None, y, scale)
    want = ref_dynamic_quant.aclnn_dynamic_quant(
        x, None, Spec("int8", x.shape), Spec("float32", (len(x),))
    )
    assert_same_bits(y, want[0], "y")
    assert_same_bits(scale, want[1], "scale")


def test_packing_every_word_of_two_values() -> None:
    """All pairs of neighbours in every position, and a word written out."""
    example = np.array([1, -2, 3, -4, 5, -6, 7, -8], np.int8)
    assert aq.pack_int4(example).view(np.uint32).tolist() == [0x87A5C3E1]
    assert aq.pack_int4(example.astype(ml_dtypes.int4)).view(np.uint32).tolist() == [0x87A5C3E1]
    pairs = np.stack(np.meshgrid(np.arange(-8, 8), np.arange(-8, 8)), -1).reshape(-1, 2)
    for place in range(7):
        values = np.zeros((256, 8), np.int8)
        values[:, place : place + 2] = pairs
        words = aq.pack_int4(values)
        assert_same_bits(unpack_int4(words), values)
        assert_same_bits(aq.unpack_int4(words), values)
