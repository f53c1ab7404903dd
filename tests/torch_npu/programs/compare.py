"""What the programs of this folder share: the same call on the device and on the CPU, compared.

A case makes many comparisons. Those that fail are collected, so that the first hides no other.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch_npu  # noqa: F401  (brings the device)
from cases import afterwards

# Names of types, which the cases have as parameters.
FLOATS = ("float32", "float16", "bfloat16")
INTEGERS = ("int8", "uint8", "int16", "int32", "int64")

torch.manual_seed(0)
_failures: list[str] = []
_count = 0


def views(name: str) -> Iterator[torch.Tensor]:
    """Yield tensors of a type: plain, transposed, stepped, a number, empty."""
    dtype = getattr(torch, name)
    if dtype.is_floating_point:
        x = torch.randn(4, 5, 6) * 3
        x[0, 0, :4] = torch.tensor([float("nan"), float("inf"), -float("inf"), -0.0])
    else:
        x = torch.randint(-9, 10, (4, 5, 6))
        x = x.abs() if dtype in (torch.uint8, torch.bool) else x
    x = x.to(dtype)
    yield x
    yield x.transpose(0, 2)
    yield x[:, 1:4, ::2]
    yield x[0, 0, 0]
    yield x[:0]


def same(got: Any, expected: Any, exact: bool = True) -> None:
    """Compare a result of the device with one of the CPU."""
    _attempt(lambda: _compare(got, expected, exact))


def check(function: Callable[..., Any], *arguments: Any, exact: bool = True) -> None:
    """Call a function with tensors of the device and of the CPU, and compare the results."""
    _attempt(lambda: _check(function, arguments, exact))


def refused(function: Callable[..., Any], *arguments: Any) -> None:
    """Call a function whose types CANN does not take: the device says so, with its code."""
    _attempt(lambda: _refused(function, arguments))


@afterwards
def _report() -> None:
    """Fail with all that the case has collected, or if it has compared nothing."""
    global _count
    torch.manual_seed(0)
    failures, count, _count = "\n".join(_failures), _count, 0
    _failures.clear()
    assert not failures, failures
    assert count, "nothing was compared"


def _attempt(comparison: Callable[[], None]) -> None:
    global _count
    _count += 1
    try:
        comparison()
    except Exception as error:
        frames = [f for f in traceback.extract_stack() if f.filename != __file__]
        text = " ".join(str(error).split())[:600]
        _failures.append(f"line {frames[-1].lineno}: {type(error).__name__}: {text}")


def _compare(got: Any, expected: Any, exact: bool) -> None:
    got = got.cpu() if isinstance(got, torch.Tensor) else got
    if not isinstance(expected, torch.Tensor):
        assert got == expected, (got, expected)
        return
    assert got.dtype == expected.dtype, (got, expected)
    assert got.shape == expected.shape, (got, expected)
    if exact:
        assert torch.equal(torch.isnan(got), torch.isnan(expected)), (got, expected)
        equal = (got == expected) | torch.isnan(expected)
        assert equal.all(), (got[~equal], expected[~equal])
    else:
        torch.testing.assert_close(got, expected, equal_nan=True)


def _refused(function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    there = [a.npu() if isinstance(a, torch.Tensor) else a for a in arguments]
    try:
        function(*there)
        torch.npu.synchronize()
    except RuntimeError as error:
        assert "161002" in str(error), error
        return
    raise AssertionError(f"{[a.dtype for a in there if isinstance(a, torch.Tensor)]} accepted")


def _check(function: Callable[..., Any], arguments: tuple[Any, ...], exact: bool) -> None:
    there = [a.npu() if isinstance(a, torch.Tensor) else a for a in arguments]
    # .npu() keeps no strides of slices: make the view over again on the device.
    for index, a in enumerate(arguments):
        if isinstance(a, torch.Tensor) and a.numel() and not a.is_contiguous():
            base = torch.empty_strided(a.size(), a.stride(), dtype=a.dtype, device="npu")
            there[index] = base.copy_(a.npu())
    expected = function(*arguments)
    got = function(*there)
    many = isinstance(expected, tuple)
    for one, other in zip(got if many else [got], expected if many else [expected], strict=True):
        _compare(one, other, exact)
