"""Two inputs, on the device and on the CPU."""

from __future__ import annotations

import itertools
import operator

import torch
from compare import FLOATS, INTEGERS, check, refused, report, views

TAKEN_BY_REMAINDER = (*FLOATS, torch.int32, torch.int64)
COMPARISONS = (operator.eq, operator.ne, operator.gt, operator.ge, operator.lt, operator.le)
for dtype in (*FLOATS, *INTEGERS):
    for x in views(dtype):
        others = [
            x.flip(0) if x.dim() else x,
            x[..., :1] if x.dim() else x,
            torch.tensor(3).to(dtype),
            3,
        ]
        for y in others:
            for f in (operator.add, operator.sub, operator.mul, *COMPARISONS):
                check(f, x, y)
            if isinstance(y, torch.Tensor):
                check(torch.maximum, x, y)
                check(torch.minimum, x, y)
                check(torch.logical_and, x, y)
                check(torch.logical_xor, x, y)
                check(torch.isclose, x, y)
        check(operator.truediv, x, 4)
        check(operator.floordiv, x, 3)
        (check if dtype in TAKEN_BY_REMAINDER else refused)(operator.mod, x, 3)
        (refused if dtype == torch.int16 else check)(torch.fmod, x, 3)
        check(lambda x: 5 - x, x)
        if dtype.is_floating_point:
            check(operator.gt, x, 0.1)
            check(operator.mul, x, 0.1)
            check(operator.truediv, x, x)
            check(operator.pow, x, 2)
            check(operator.pow, x.abs(), 0.5, exact=False)
        else:
            check(operator.and_, x, 3)
            check(operator.or_, x, x)
            check(operator.xor, x, x)
            check(operator.gt, x, 1.5)
            check(operator.add, x, 1.5)
for a, b in itertools.product((*FLOATS, *INTEGERS, torch.bool), repeat=2):
    check(operator.add, torch.tensor([1, 0, 1]).to(a), torch.tensor([[1], [0]]).to(b))
    check(operator.mul, torch.tensor([1, 0, 1]).to(a), torch.tensor([[1], [0]]).to(b))
    check(operator.eq, torch.tensor([1, 0, 1]).to(a), torch.tensor([[1], [0]]).to(b))
for f in (torch.Tensor.add_, torch.Tensor.sub_, torch.Tensor.mul_, torch.Tensor.div_):
    x = torch.randn(3, 4)
    check(lambda x: f(x.clone(), 1.5), x)
    check(lambda x: f(x.clone(), x[:1]), x)
check(lambda x: torch.add(x, x, alpha=3), torch.randn(5))
for mode in ("floor", "trunc", None):
    check(lambda x: torch.div(x, -3, rounding_mode=mode), torch.arange(-9, 9))
    check(lambda x: torch.div(x, -0.75, rounding_mode=mode), torch.randn(50))

report()
