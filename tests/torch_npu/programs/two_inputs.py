"""Two inputs, on the device and on the CPU."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import torch
from cases import case, run
from compare import FLOATS, INTEGERS, check, refused, views

COMPARISONS = (operator.eq, operator.ne, operator.gt, operator.ge, operator.lt, operator.le)


def pairs(dtype: str) -> Iterator[tuple[torch.Tensor, Any]]:
    """Yield tensors with another one, one that is broadcast, and numbers."""
    for x in views(dtype):
        yield x, x.flip(0) if x.dim() else x
        yield x, x[..., :1] if x.dim() else x
        yield x, torch.tensor(3).to(x.dtype)
        yield x, 3


@case(*FLOATS, *INTEGERS)
def arithmetic_and_comparisons(dtype: str) -> None:
    for x, y in pairs(dtype):
        for f in (operator.add, operator.sub, operator.mul, *COMPARISONS):
            check(f, x, y)


@case(*FLOATS, *INTEGERS)
def of_tensors_only(dtype: str) -> None:
    for x, y in pairs(dtype):
        if isinstance(y, torch.Tensor):
            check(torch.maximum, x, y)
            check(torch.minimum, x, y)
            check(torch.logical_and, x, y)
            check(torch.logical_xor, x, y)
            check(torch.isclose, x, y)


@case(*FLOATS, *INTEGERS)
def division(dtype: str) -> None:
    remainder = check if dtype in (*FLOATS, "int32", "int64") else refused
    for x in views(dtype):
        check(operator.truediv, x, 4)
        check(operator.floordiv, x, 3)
        remainder(operator.mod, x, 3)
        (refused if dtype == "int16" else check)(torch.fmod, x, 3)
        check(lambda x: 5 - x, x)


@case(*FLOATS)
def of_floats_only(dtype: str) -> None:
    for x in views(dtype):
        check(operator.gt, x, 0.1)
        check(operator.mul, x, 0.1)
        check(operator.truediv, x, x)
        check(operator.pow, x, 2)
        check(operator.pow, x.abs(), 0.5, exact=False)


@case(*INTEGERS)
def of_integers_only(dtype: str) -> None:
    for x in views(dtype):
        check(operator.and_, x, 3)
        check(operator.or_, x, x)
        check(operator.xor, x, x)
        check(operator.gt, x, 1.5)
        check(operator.add, x, 1.5)


@case(*FLOATS, *INTEGERS, "bool")
def promotion(dtype: str) -> None:
    x = torch.tensor([1, 0, 1]).to(getattr(torch, dtype))
    for other in (*FLOATS, *INTEGERS, "bool"):
        y = torch.tensor([[1], [0]]).to(getattr(torch, other))
        for f in (operator.add, operator.mul, operator.eq):
            check(f, x, y)


@case()
def in_place() -> None:
    for f in (torch.Tensor.add_, torch.Tensor.sub_, torch.Tensor.mul_, torch.Tensor.div_):
        x = torch.randn(3, 4)
        check(lambda x: f(x.clone(), 1.5), x)
        check(lambda x: f(x.clone(), x[:1]), x)
    check(lambda x: torch.add(x, x, alpha=3), torch.randn(5))


@case("floor", "trunc", "exact")
def rounded_division(mode: str) -> None:
    how = None if mode == "exact" else mode
    check(lambda x: torch.div(x, -3, rounding_mode=how), torch.arange(-9, 9))
    check(lambda x: torch.div(x, -0.75, rounding_mode=how), torch.randn(50))


if __name__ == "__main__":
    run()
