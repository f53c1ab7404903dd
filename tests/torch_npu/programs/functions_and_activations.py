"""Functions and activations, on the device and on the CPU."""

from __future__ import annotations

import operator

import torch
import torch.nn.functional as F
from cases import case, run
from compare import FLOATS, check, same, views


def gelu(x: torch.Tensor) -> torch.Tensor:
    """torch_npu calls aclnnGelu for either approximation: CANN's goes through tanh."""
    return F.gelu(x, approximate="none" if x.device.type == "npu" else "tanh")


EXACT = (
    torch.frac,
    torch.signbit,
    torch.isposinf,
    torch.isneginf,
    F.relu6,
    F.hardtanh,
    lambda x: F.threshold(x, 0.5, 0.25),
    lambda x: x.nan_to_num(1, 2, -2),
    lambda x: x.nan_to_num(),
)
NEAR = (
    torch.log2,
    torch.log10,
    torch.exp2,
    torch.tan,
    torch.asin,
    torch.acos,
    torch.atan,
    torch.sinh,
    torch.cosh,
    torch.asinh,
    torch.acosh,
    torch.atanh,
    torch.erfc,
    gelu,
    F.mish,
    F.hardswish,
    F.hardsigmoid,
    F.softplus,
    F.leaky_relu,
    F.elu,
    F.selu,
    lambda x: torch.atan2(x, x + 1),
)
IN_PLACE = (
    "log2_ log10_ exp2_ tan_ asin_ acos_ atan_ sinh_ cosh_ asinh_ acosh_ atanh_ erf_ erfc_ expm1_"
    " log1p_ abs_ neg_ round_ trunc_ frac_ nan_to_num_"
)
WITH_ANOTHER = "eq_ ne_ gt_ ge_ lt_ le_ remainder_ fmod_ floor_divide_ pow_"


@case(*FLOATS)
def exact(dtype: str) -> None:
    for x in views(dtype):
        for f in EXACT:
            check(f, x)


@case(*FLOATS)
def near(dtype: str) -> None:
    """torch rounds halves on the way; the results here are those of double precision."""
    for x in views(dtype):
        for f in NEAR:
            same(f(x.npu()), f(x.double()).to(x.dtype), exact=False)


@case()
def bits_of_integers() -> None:
    for x in views("int32"):
        for f in (torch.signbit, torch.isposinf, torch.nan_to_num):
            check(f, x)
        for f in (lambda x: x << 2, lambda x: x >> 1, lambda x: x >> 40):
            check(f, x)
        check(lambda x: x << x.abs(), x)
        check(lambda x: x >> x.abs(), x)


@case()
def in_place() -> None:
    x = torch.randn(3, 4)
    for name in IN_PLACE.split():
        check(lambda x: getattr(x.clone(), name)(), x, exact=False)
    for f in (F.mish, F.hardswish, F.hardsigmoid, F.leaky_relu, F.elu, F.hardtanh, F.relu6):
        check(lambda x: f(x.clone(), inplace=True), x, exact=False)


@case()
def in_place_with_another() -> None:
    x, y = torch.randn(3, 4), torch.randn(4)
    for name in WITH_ANOTHER.split():
        check(lambda x: getattr(x.clone(), name)(2.5), x, exact=False)
        check(lambda x, y: getattr(x.clone(), name)(y), x, y, exact=False)
    for mode in ("floor", "trunc"):
        check(lambda x: x.clone().div_(2.5, rounding_mode=mode), x)
        check(lambda x, y: x.clone().div_(y, rounding_mode=mode), x, y)
    check(lambda x, y: x.clone().atan2_(y), x, y, exact=False)


@case()
def bits_and_truth() -> None:
    i, b = torch.randint(-9, 9, (3, 4)), torch.randn(3, 4) > 0
    for f in (operator.iand, operator.ior, operator.ixor):
        check(lambda i: f(i.clone(), 3), i)
        check(lambda i: f(i.clone(), i[:1]), i)
        check(lambda b: f(b.clone(), b[:1]), b)
    check(lambda b: b.clone().logical_and_(b[:1]), b)
    check(lambda b: b.clone().logical_or_(b[:1]), b)
    check(lambda i: torch.remainder(7, i), i.abs() + 1)


@case()
def limits() -> None:
    x, y = torch.randn(3, 4), torch.randn(4)
    check(lambda x, y: x.clamp(y - 1, y), x, y)
    check(lambda x, y: x.clamp(min=y), x, y)
    check(lambda x, y: x.clamp(max=y), x, y)
    check(torch.clamp_min, x, y)
    check(torch.clamp_max, x, y)
    check(lambda x, y: x.clone().clamp_min_(y).clamp_max_(y + 1), x, y)
    check(lambda x: x.clone().clamp_(0, 1), x)
    check(lambda x: x.clone().clamp_max_(0), x)


@case()
def three_operands() -> None:
    x, y, i = torch.randn(3, 4), torch.randn(4), torch.randint(-9, 9, (3, 4))
    for f in (torch.addcmul, torch.addcdiv, torch.Tensor.addcmul_, torch.Tensor.addcdiv_):
        check(lambda x, y: f(x.clone(), x, y, value=2), x, y, exact=False)
    check(lambda i: torch.addcmul(i, i, i, value=2), i)
    for f in (torch.lerp, torch.Tensor.lerp_):
        check(lambda x, y: f(x.clone(), y.expand(3, 4), 0.25), x, y, exact=False)
        check(lambda x, y: f(x.clone(), y.expand(3, 4), x), x, y, exact=False)


if __name__ == "__main__":
    run()
