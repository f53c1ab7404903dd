"""Real torch dtypes and tensors; torch is never required."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import aclquant as aq

torch: Any = pytest.importorskip("torch", reason="torch is not installed")

X = np.array([[0.5, -1.5, 2.5, 300.0, -300.0, 0.0, 1.0, -2.0]], np.float32)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("qint8", {}),
        ("quint8", {}),
        ("qint32", {}),
        ("int8", {}),
        ("quint4x2", {"div_mode": False}),
    ],
)
def test_dtypes_are_recognised(name: str, arguments: dict[str, Any]) -> None:
    given = aq.quantize(X, 1.0, dtype=getattr(torch, name), **arguments)
    named = aq.quantize(X, 1.0, dtype=name, **arguments)
    assert given.dtype == named.dtype and given.tolist() == named.tolist()


def test_float_dtypes_are_recognised() -> None:
    x = np.int8([1, 2, 3])
    assert aq.anti_quant(x, 0.5, dst_dtype=torch.float16).dtype == np.float16
    assert aq.anti_quant(x, 0.5, dst_dtype=torch.bfloat16).dtype == ml_dtypes.bfloat16


def test_tensors_on_the_cpu_are_read() -> None:
    x = torch.from_numpy(X)
    assert aq.quantize(x, torch.tensor([0.5])).tolist() == aq.quantize(X, 0.5).tolist()
    assert aq.quantize(x.T, 0.5).tolist() == aq.quantize(X.T, 0.5).tolist()


def test_bfloat16_and_half_tensors_are_read() -> None:
    for kind, numpy_kind in ((torch.bfloat16, ml_dtypes.bfloat16), (torch.float16, np.float16)):
        given = aq.dynamic_quant_asymmetric(torch.from_numpy(X).to(kind))
        expected = aq.dynamic_quant_asymmetric(X.astype(numpy_kind))
        for a, b in zip(given, expected, strict=True):
            assert a.tobytes() == b.tobytes()


def test_documented_calls_run_with_torch_arguments() -> None:
    x = torch.tensor([1, 2, 3, 4], dtype=torch.int8)
    scale, offset = torch.tensor([2.0]), torch.tensor([2.0])
    y = aq.torch_npu.npu_anti_quant(x, scale, offset=offset, dst_dtype=torch.float16)
    assert y.dtype == np.float16 and y.tolist() == [6, 8, 10, 12]
    words = aq.torch_npu.npu_trans_quant_param(torch.tensor([1.1]))
    assert words.tolist() == [70369810366464]


def test_results_become_tensors() -> None:
    y = aq.quantize(X, 1.0)
    assert torch.from_numpy(y).dtype == torch.int8
