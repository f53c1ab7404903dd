"""Writing to places, on the device and on the CPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from cases import case, run
from compare import FLOATS, INTEGERS, check


def put(x, i, v, **how):
    x = x.clone()
    x.index_put_(tuple(i), v, **how)
    return x


def set_to(x, where, value):
    x = x.clone()
    x[where] = value
    return x


def tensor(dtype: str) -> torch.Tensor:
    return torch.randint(0, 9, (4, 5, 6)).to(getattr(torch, dtype))


@case(*FLOATS, *INTEGERS)
def index_put(dtype: str) -> None:
    x, i, j = tensor(dtype), torch.tensor([2, 0, -1]), torch.tensor([[1], [4]])
    for y in (x, x.transpose(0, 2).contiguous().transpose(0, 2), x.flip(1)):
        check(lambda y, i: set_to(y, i, 3), y, i)
        check(lambda y, i: set_to(y, (slice(None), i), 2.0), y, i)
        check(lambda y, i: set_to(y, (i, slice(1, 4), i), y[0, 1:4, 0]), y, i)
        check(lambda y, i, j: set_to(y, (i, j), y[0, 0]), y, i, j)
        check(lambda y: set_to(y, y > 4, 0), y)
        check(lambda y: set_to(y, y > 4, y[y > 4].flip(0)), y)
        check(lambda y, m: set_to(y, m, 7), y, torch.tensor([True, False, True, False]))
        check(lambda y, i: set_to(y, i[:0], 7), y, i)
        twice = torch.tensor([1, 1, 3])
        check(lambda y, t: put(y, [t], y[:3], accumulate=True), y, twice)


@case(*FLOATS, *INTEGERS)
def scatter(dtype: str) -> None:
    x, index = tensor(dtype), torch.randint(0, 4, (3, 5, 6))
    once = torch.stack([torch.randperm(4)[:3] for _ in range(30)]).reshape(5, 6, 3).permute(2, 0, 1)
    check(lambda x, k: x.scatter(0, k, x), x, once)
    check(lambda x, k: x.scatter(0, k, 5), x, index)
    check(lambda x, k: x.clone().scatter_(0, k, x), x, once)
    check(lambda x, k: x.clone().scatter_(0, k, 5), x, index)
    check(lambda x, k: x.scatter_add(0, k, x), x, index)
    check(lambda x, k: x.clone().scatter_add_(0, k, x), x, index)


@case()
def scatter_products() -> None:
    x, index = torch.rand(4, 3), torch.randint(0, 4, (2, 3))
    check(lambda x, k: x.scatter(0, k, x, reduce="multiply"), x, index)


@case(*FLOATS, *INTEGERS)
def along_an_index(dtype: str) -> None:
    x, i = tensor(dtype), torch.tensor([2, 0, -1])
    check(lambda x, i: x.index_fill(1, i, 7), x, i)
    check(lambda x, i: x.clone().index_fill_(0, i, 7), x, i)
    check(lambda x, i: x.index_add(1, i, x[:, :3], alpha=2), x, torch.tensor([1, 1, 4]))
    check(lambda w, i: F.embedding(i, w), x[:, :, 0], torch.randint(0, 4, (2, 3)))
    check(lambda w, i: F.embedding(i, w), x[0], i[:0])


if __name__ == "__main__":
    run()
