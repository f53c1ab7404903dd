"""Moving and making, on the device and on the CPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from cases import case, run
from compare import FLOATS, INTEGERS, check, same, views


@case(*FLOATS, *INTEGERS, "bool")
def conversions(source: str) -> None:
    for target in (*FLOATS, *INTEGERS, "bool"):
        for x in views(source):
            x = x.nan_to_num(1, 2, -2)
            if x.is_floating_point() and target == "uint8":
                x = x.abs()
            check(lambda x: x.to(getattr(torch, target)), x)
            check(lambda x: x.contiguous(), x)


@case()
def joins_and_copies() -> None:
    x = torch.randn(3, 4, 5)
    check(lambda x: torch.cat([x, x[:1], x], 0), x)
    check(lambda x: torch.cat([x, x], -1), x)
    check(lambda x: torch.stack([x, x, x], 1), x)
    check(lambda x: torch.stack([x.t()], 2), x[0])
    check(lambda x: x.flip(0, 2), x)
    check(lambda x: x.repeat(2, 1, 3), x)
    check(torch.tril, x)
    check(lambda x: torch.triu(x, 1), x)


@case()
def masks_and_limits() -> None:
    x = torch.randn(3, 4, 5)
    check(torch.masked_select, x, x > 0)
    check(torch.masked_select, x, x[0] > 0)
    check(lambda x, m: x.masked_fill(m, 2.5), x, x > 0)
    check(torch.where, x > 0, x, -x)
    check(lambda x: x.clamp(-0.5, 0.5), x)
    check(lambda x: x.clamp(min=0), x)


@case()
def indices() -> None:
    x, i = torch.randn(3, 4, 5), torch.tensor([2, 0, -1])
    check(lambda x, i: x[i], x, i)
    check(lambda x, i: x[:, i], x, i)
    check(lambda x, i: x[i, :, i], x, i)
    check(lambda x, i: x[i, i], x, i)
    check(lambda x, i: x[:, i, i], x, i)
    check(lambda x, i: x[i[:, None], i], x, i)
    check(lambda x, i: x.index_select(1, i), x, i.abs())
    check(lambda x, i: x.gather(0, i), x, torch.randint(0, 3, (2, 4, 5)))


@case()
def products() -> None:
    x = torch.randn(3, 4, 5)
    check(torch.matmul, x, x.transpose(1, 2).contiguous(), exact=False)
    check(torch.matmul, x[0], x[0, 0], exact=False)
    check(torch.matmul, x[0], x[0].t(), exact=False)
    check(F.linear, x, x[0], exact=False)
    check(torch.bmm, x, x.transpose(1, 2), exact=False)


def made_on(device: str) -> list[torch.Tensor]:
    made = [
        torch.zeros(3, device=device),
        torch.ones(2, 3, dtype=torch.int8, device=device),
        torch.full((2,), 2.5, device=device),
        torch.arange(5, device=device),
        torch.arange(1, 2, 0.25, device=device),
        torch.linspace(0, 1, 7, device=device),
        torch.eye(3, device=device),
        torch.zeros(2, 3, device=device),
    ]
    made[-1][:, 1] = 7
    made[-1][1] = torch.arange(3, device=device)
    return made


@case()
def making() -> None:
    for one, other in zip(made_on("npu"), made_on("cpu"), strict=True):
        same(one, other, exact=one.shape != (7,))  # torch rounds the steps of linspace


@case()
def random_numbers() -> None:
    torch.npu.manual_seed(5)
    x = torch.randn(100000, device="npu").cpu()
    same(bool(abs(x.mean()) < 0.02 and abs(x.std() - 1) < 0.02), True)
    torch.npu.manual_seed(5)
    same(torch.randn(100000, device="npu"), x)
    x = torch.rand(100000, device="npu", dtype=torch.float16).cpu()
    same(bool(x.min() >= 0 and x.max() < 1 and abs(x.float().mean() - 0.5) < 0.01), True)
    x = torch.randint(-3, 4, (10000,), device="npu").cpu()
    same(set(x.tolist()), set(range(-3, 4)))


if __name__ == "__main__":
    run()
