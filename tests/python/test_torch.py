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


class _Subclass(torch.Tensor):  # type: ignore[misc]
    pass


@pytest.mark.parametrize("name", ["bfloat16", "float16", "float8_e4m3fn", "float8_e5m2", "uint16"])
@pytest.mark.parametrize("kind", [torch.Tensor, _Subclass])
def test_types_that_numpy_does_not_know(name: str, kind: Any) -> None:
    """faults.md C4."""
    x = torch.tensor([[1, 2, 3], [4, 0, 0.5 if "float" in name else 7]]).to(getattr(torch, name))
    tensor = aq.asarray(x.T.as_subclass(kind))
    assert tensor.dtype == aq.as_dtype(name).numpy
    assert tensor.tolist() == x.T.tolist()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_plans_are_made_for_tensors(dtype: Any) -> None:
    like = torch.tensor(X, dtype=dtype, requires_grad=True)
    array = like.detach().float().numpy().astype(aq.as_dtype(dtype).numpy)
    with aq.plan(aq.quantize, like, 0.5) as rows:
        assert (rows(array) == aq.quantize(array, 0.5)).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_takes_part_in_gradients_is_read(dtype: Any) -> None:
    """faults.md C4: parameters, and subclasses that ask for a gradient."""
    x = torch.from_numpy(X).to(dtype)
    expected = aq.quantize(x, 0.5)
    for one in (x.clone().requires_grad_(), torch.nn.Parameter(x)):
        np.testing.assert_array_equal(aq.quantize(one, 0.5), expected)
        np.testing.assert_array_equal(aq.quantize(one.as_subclass(_Subclass), 0.5), expected)


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda x: x.to("meta"), "it is on meta"),
        (lambda x: x.to_sparse(), "to_dense"),
        (lambda x: torch.complex(x, x).conj(), "resolve_conj"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(make: Any, advice: str) -> None:
    with pytest.raises(aq.ParameterError, match=f"argument 'x'.*{advice}"):
        aq.quantize(make(torch.from_numpy(X)), 0.5)
    with pytest.raises(aq.ParameterError, match=f"argument 'value'.*{advice}"):
        aq.asarray(make(torch.from_numpy(X)))


def test_an_output_of_torch_is_refused_by_its_full_name() -> None:
    with pytest.raises(aq.ParameterError, match=r"got torch\.Tensor; allowed: .*aclquant"):
        aq.quantize(X, 1.0, out=torch.zeros(1, 8, dtype=torch.int8))


def test_tensors_go_to_torch_by_a_copy() -> None:
    """newcomer.md 2e; docs/memory_and_streams.md shows it."""
    tensor = aq.asarray(X)
    assert torch.from_dlpack(tensor.numpy()).tolist() == X.tolist()
    half = aq.asarray(X, "bfloat16").numpy()
    assert torch.from_numpy(half.view(np.int16)).view(torch.bfloat16).tolist() == X.tolist()
    with pytest.raises(BufferError, match=r"Tensor\.numpy\(\)"):
        torch.from_dlpack(tensor)


def test_torch_dtypes_are_equal_to_ours() -> None:
    assert torch.int8 == aq.int8 and aq.int8 == torch.int8 and aq.bfloat16 != torch.float16


def test_results_become_tensors() -> None:
    y = aq.quantize(X, 1.0)
    assert torch.from_numpy(y).dtype == torch.int8
