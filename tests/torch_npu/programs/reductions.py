"""Reductions, on the device and on the CPU."""

from __future__ import annotations

import torch
from compare import FLOATS, INTEGERS, check, refused, report, same, views

for dtype in (*FLOATS, *INTEGERS):
    for x in views(dtype):
        x = x.nan_to_num(1, 2, -2)
        check(torch.sum, x, exact=not dtype.is_floating_point)
        if not x.numel():
            continue
        check(torch.max, x)
        check(torch.min, x)
        for dim in range(-x.dim(), x.dim()):
            for keep in (False, True):
                check(lambda x: x.sum(dim, keepdim=keep), x, exact=not dtype.is_floating_point)
                check(lambda x: x.amax(dim, keepdim=keep), x)
                extreme = refused if dtype in (torch.int8, torch.uint8, torch.int16) else check
                extreme(lambda x: x.max(dim, keepdim=keep)[0], x)
                extreme(lambda x: x.min(dim, keepdim=keep)[0], x)
                check(lambda x: x.any(dim, keepdim=keep), x)
                check(lambda x: x.all(dim, keepdim=keep), x)
            if dtype.is_floating_point:
                check(lambda x: x.mean(dim), x, exact=False)
                # torch rounds on the way; the results here are those of double precision.
                for f in (torch.softmax, torch.log_softmax):
                    same(f(x.npu(), dim), f(x.double(), dim).to(dtype), exact=False)
            if dtype.is_floating_point:
                # torch's own running sums round at every step.
                same(x.npu().cumsum(dim), x.double().cumsum(dim).to(dtype))
            else:
                check(lambda x: x.cumsum(dim), x)
x = torch.randperm(60).reshape(3, 4, 5).float()
for dim in (0, 1, -1):
    check(lambda x: x.argmax(dim), x)
    check(lambda x: x.max(dim), x)
    check(lambda x: x.min(dim), x)
check(lambda x: x.sum((0, 2)), x)
check(lambda x: x.mean((0, 2)), x)
check(torch.prod, x[0, :2] / 9, exact=False)
check(lambda x: x.max(), torch.tensor([1, float("nan"), 3]))
check(torch.equal, x, x)
check(torch.equal, x, x + 1)
check(torch.equal, x, x[0])
check(torch.allclose, x, x + 1e-6)
large = torch.randn(300, 700)
check(lambda x: x.sum(0), large, exact=False)
check(lambda x: x.t().amax(1), large)

report()
