"""Reductions, on the device and on the CPU."""

from __future__ import annotations

import torch
from cases import case, run
from compare import FLOATS, INTEGERS, check, refused, same, views


def finite(dtype: str) -> list[torch.Tensor]:
    return [x.nan_to_num(1, 2, -2) for x in views(dtype)]


@case(*FLOATS, *INTEGERS)
def sums(dtype: str) -> None:
    for x in finite(dtype):
        whole = not x.is_floating_point()
        check(torch.sum, x, exact=whole)
        if x.numel():
            for dim in range(-x.dim(), x.dim()):
                for keep in (False, True):
                    check(lambda x: x.sum(dim, keepdim=keep), x, exact=whole)


@case(*FLOATS, *INTEGERS)
def extremes(dtype: str) -> None:
    extreme = refused if dtype in ("int8", "uint8", "int16", "int32") else check
    for x in finite(dtype):
        if not x.numel():
            continue
        check(torch.max, x)
        check(torch.min, x)
        for dim in range(-x.dim(), x.dim()):
            for keep in (False, True):
                check(lambda x: x.amax(dim, keepdim=keep), x)
                extreme(lambda x: x.max(dim, keepdim=keep)[0], x)
                extreme(lambda x: x.min(dim, keepdim=keep)[0], x)


@case(*FLOATS, *INTEGERS)
def truth(dtype: str) -> None:
    for x in finite(dtype):
        for dim in range(-x.dim(), x.dim()) if x.numel() else ():
            for keep in (False, True):
                check(lambda x: x.any(dim, keepdim=keep), x)
                check(lambda x: x.all(dim, keepdim=keep), x)


@case(*FLOATS)
def means_and_softmax(dtype: str) -> None:
    for x in finite(dtype):
        for dim in range(-x.dim(), x.dim()) if x.numel() else ():
            check(lambda x: x.mean(dim), x, exact=False)
            # torch rounds on the way; the results here are those of double precision.
            for f in (torch.softmax, torch.log_softmax):
                same(f(x.npu(), dim), f(x.double(), dim).to(x.dtype), exact=False)


@case(*FLOATS, *INTEGERS)
def running_sums(dtype: str) -> None:
    for x in finite(dtype):
        for dim in range(-x.dim(), x.dim()) if x.numel() else ():
            if x.is_floating_point():
                # torch's own running sums round at every step.
                same(x.npu().cumsum(dim), x.double().cumsum(dim).to(x.dtype))
            else:
                check(lambda x: x.cumsum(dim), x)


@case()
def places_of_extremes() -> None:
    x = torch.randperm(60).reshape(3, 4, 5).float()
    for dim in (0, 1, -1):
        check(lambda x: x.argmax(dim), x)
        check(lambda x: x.max(dim), x)
        check(lambda x: x.min(dim), x)
    check(lambda x: x.max(), torch.tensor([1, float("nan"), 3]))


@case()
def several_dimensions() -> None:
    x, large = torch.randperm(60).reshape(3, 4, 5).float(), torch.randn(300, 700)
    check(lambda x: x.sum((0, 2)), x)
    check(lambda x: x.mean((0, 2)), x)
    check(torch.prod, x[0, :2] / 9, exact=False)
    check(lambda x: x.sum(0), large, exact=False)
    check(lambda x: x.t().amax(1), large)


@case()
def equality() -> None:
    x = torch.randperm(60).reshape(3, 4, 5).float()
    check(torch.equal, x, x)
    check(torch.equal, x, x + 1)
    check(torch.equal, x, x[0])
    check(torch.allclose, x, x + 1e-6)


if __name__ == "__main__":
    run()
