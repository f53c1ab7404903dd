"""Order and places, on the device and on the CPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from cases import case, run
from compare import FLOATS, INTEGERS, check, views


@case(*FLOATS, *INTEGERS)
def sorting(dtype: str) -> None:
    for x in views(dtype):
        for dim in range(-x.dim(), x.dim()):
            for down in (False, True):
                check(lambda x: torch.sort(x, dim=dim, descending=down, stable=True), x)
                check(lambda x: torch.topk(x, min(2, x.shape[dim]), dim, largest=down)[0], x)
            if x.shape[dim] > 0:
                check(lambda x: x.kthvalue(1, dim)[0], x)
                check(lambda x: x.median(dim, keepdim=True)[0], x)
        if x.numel():
            check(torch.median, x)


@case(*FLOATS, *INTEGERS, "bool")
def running_extremes(dtype: str) -> None:
    for x in views(dtype):
        for dim in range(-x.dim(), x.dim()):
            check(lambda x: x.cummax(dim)[0], x)
            check(lambda x: x.cummin(dim)[0], x)


@case(*FLOATS, *INTEGERS, "bool")
def places(dtype: str) -> None:
    for x in views(dtype):
        check(torch.nonzero, x)
        check(lambda x: torch.nonzero(x, as_tuple=True), x)
        check(lambda x: x[x > 0], x)


@case(*INTEGERS, "bool")
def unique(dtype: str) -> None:
    for x in views(dtype):
        check(lambda x: torch.unique(x, return_inverse=True, return_counts=True), x)
        check(torch.unique, x)


@case()
def indices_of_the_order() -> None:
    x = torch.randperm(60).reshape(3, 4, 5).float()
    check(lambda x: x.topk(3, 1), x)
    check(lambda x: x.topk(2, largest=False), x)
    check(lambda x: x.argsort(-1), x)
    check(lambda x: x.kthvalue(2), x)
    check(lambda x: x.median(1), x)
    check(lambda x: x.cummax(2), x)
    check(lambda x: x.msort(), x)
    check(lambda x: torch.topk(x, 0), x)
    check(lambda x: x.sort(), torch.tensor([1.0, float("nan"), -1, float("nan"), 0]))


@case()
def counts() -> None:
    i = torch.randint(0, 7, (50,))
    check(torch.bincount, i)
    check(lambda i: torch.bincount(i, minlength=20), i)
    check(lambda i: torch.bincount(i, i / 2), i, exact=False)
    check(F.one_hot, i.reshape(5, 10))
    check(lambda i: F.one_hot(i, 9), i)


@case()
def rolls_and_pads() -> None:
    x = torch.randperm(60).reshape(3, 4, 5).float()
    check(lambda x: torch.where(x > 30), x)
    check(lambda x: x.roll(2, 1), x)
    check(lambda x: x.roll((1, -2), (0, 2)), x)
    check(lambda x: x.t().roll(3), x[0])
    check(lambda x: F.pad(x, (1, 2)), x)
    check(lambda x: F.pad(x, (-1, 2, 0, 0, 1, -1), value=7.5), x)
    check(lambda x: F.pad(x.t(), (2, 0)), x[1])
    check(lambda x: x.repeat_interleave(3, 1), x)
    check(lambda x: x.repeat_interleave(2), x)
    check(lambda x: x.clone().tril_(), x)
    check(lambda x: x.clone().triu_(1), x)


@case()
def made_of_others() -> None:
    """torch_npu makes these of others if ours are absent: nothing may stand in their place."""
    x, i = torch.randperm(60).reshape(3, 4, 5).float(), torch.randint(0, 7, (50,))
    check(lambda x: torch.addr(x, x[:, 0], x[0]), x[0], exact=False)
    check(torch.sinc, x, exact=False)
    check(lambda x: x.nanmedian(1), x)
    check(torch.gcd, i, i + 1)
    check(lambda x, i: x.index_copy(0, i, x[:1]), x, i[:1] * 0)
    check(lambda i: torch.isin(i, 2), i)


if __name__ == "__main__":
    run()
