"""One input, on the device and on the CPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from cases import case, run
from compare import FLOATS, INTEGERS, check, refused, same, views

EXACT = (
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
)
NEAR = (
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
)


@case(*FLOATS)
def exact(dtype: str) -> None:
    for x in views(dtype):
        for f in EXACT:
            check(f, x)


@case(*FLOATS)
def near(dtype: str) -> None:
    for x in views(dtype):
        for f in NEAR:
            check(f, x, exact=False)


@case(*FLOATS)
def correctly_rounded(dtype: str) -> None:
    """Which torch's own square root of floats is not on every processor."""
    for x in views(dtype):
        for f in (torch.sqrt, torch.reciprocal):
            same(f(x.npu()), f(x.double()).to(x.dtype))


@case(*INTEGERS, "bool")
def whole_numbers(dtype: str) -> None:
    for x in views(dtype):
        check(torch.bitwise_not, x)
        check(torch.logical_not, x)
        if dtype not in ("bool", "uint8"):
            check(torch.abs, x)
            (refused if dtype == "int16" else check)(torch.neg, x)
            (check if dtype in ("int32", "int64") else refused)(torch.sign, x)
        same(torch.sqrt(x.npu()), torch.sqrt(x.double()).float())


@case()
def in_place() -> None:
    for f in (torch.Tensor.exp_, torch.Tensor.sqrt_, torch.Tensor.relu_, torch.Tensor.ceil_):
        check(lambda x: f(x.clone()), torch.randn(5, 5), exact=False)


if __name__ == "__main__":
    run()
