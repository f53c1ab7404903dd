"""One input, on the device and on the CPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from compare import FLOATS, INTEGERS, check, refused, report, same, views

for dtype in FLOATS:
    for x in views(dtype):
        for f in (
            torch.abs,
            torch.neg,
            torch.sign,
            torch.ceil,
            torch.floor,
            torch.trunc,
            torch.round,
            torch.isfinite,
            torch.isnan,
            torch.logical_not,
            torch.relu,
        ):
            check(f, x)
        for f in (
            torch.exp,
            torch.log,
            torch.sin,
            torch.cos,
            torch.tanh,
            torch.sigmoid,
            torch.expm1,
            torch.log1p,
            torch.erf,
            F.silu,
            torch.rsqrt,
        ):
            check(f, x, exact=False)
        for f in (torch.sqrt, torch.reciprocal):
            # Correctly rounded, which torch's own square root of floats is not on every processor.
            same(f(x.npu()), f(x.double()).to(dtype))
for dtype in (*INTEGERS, torch.bool):
    for x in views(dtype):
        check(torch.bitwise_not, x)
        check(torch.logical_not, x)
        if dtype not in (torch.bool, torch.uint8):
            check(torch.abs, x)
            (refused if dtype == torch.int16 else check)(torch.neg, x)
            (check if dtype in (torch.int32, torch.int64) else refused)(torch.sign, x)
        same(torch.sqrt(x.npu()), torch.sqrt(x.double()).float())
for f in (torch.Tensor.exp_, torch.Tensor.sqrt_, torch.Tensor.relu_, torch.Tensor.ceil_):
    check(lambda x: f(x.clone()), torch.randn(5, 5), exact=False)

report()
