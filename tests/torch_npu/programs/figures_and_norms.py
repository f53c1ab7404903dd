"""Figures and norms, on the device and on the CPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
import torch_npu
from cases import case, run
from compare import FLOATS, check, same, views


def finite(dtype: str) -> list[torch.Tensor]:
    return [x.nan_to_num(1, 2, -2) for x in views(dtype) if x.numel()]


def wide(f, x: torch.Tensor) -> None:
    """Compare with double precision, rounded once."""
    same(f(x.npu()), f(x.double()).to(x.dtype), exact=False)


@case(*FLOATS)
def of_all_elements(dtype: str) -> None:
    for x in finite(dtype):
        if x.dim():
            for f in (torch.std, torch.var, torch.Tensor.norm, lambda x: x.norm(1)):
                wide(f, x)


@case(*FLOATS)
def along_a_dimension(dtype: str) -> None:
    for x in finite(dtype):
        for dim in range(-x.dim(), x.dim()):
            for keep in (False, True):
                wide(lambda x: x.std(dim, keepdim=keep), x)
                wide(lambda x: x.var(dim, correction=0, keepdim=keep), x)
                wide(lambda x: x.logsumexp(dim, keepdim=keep), x)
            same(torch.var_mean(x.npu(), dim)[1], x.double().mean(dim).to(x.dtype), exact=False)
            same(torch.std_mean(x.npu(), dim)[0], x.double().std(dim).to(x.dtype), exact=False)


@case(*FLOATS)
def norms_of_vectors(dtype: str) -> None:
    for x in finite(dtype):
        for dim in range(-x.dim(), x.dim()):
            for keep in (False, True):
                for order in (0, 1, 2, 3, 0.5, float("inf"), -float("inf")):
                    wide(lambda x: torch.linalg.vector_norm(x, order, dim, keepdim=keep), x)


@case(*FLOATS)
def running_products(dtype: str) -> None:
    for x in finite(dtype):
        for dim in range(-x.dim(), x.dim()):
            wide(lambda x: x.cumprod(dim), x)


@case()
def running_products_of_integers() -> None:
    for x in views("int32"):
        for dim in range(x.dim()):
            check(lambda x: x.cumprod(dim), x)


@case()
def normalisation() -> None:
    x, w, b = torch.randn(2, 3, 4, 5), torch.randn(4, 5), torch.randn(4, 5)
    for y in (x, x.transpose(0, 1)):
        check(lambda x, w, b: F.layer_norm(x, (4, 5), w, b), y, w, b, exact=False)
        check(lambda x: F.layer_norm(x, (5,)), y, exact=False)
        shape = tuple(y.shape[1:])
        check(lambda x: F.layer_norm(x, shape, eps=0.1), y, exact=False)
        check(lambda x, w: F.rms_norm(x, (5,), w), y, w[0], exact=False)
        got, _ = torch_npu.npu_rms_norm(y.npu(), w[0].npu(), 1e-6)
        same(got, F.rms_norm(y, (5,), w[0], 1e-6), exact=False)
    check(lambda x: F.cosine_similarity(x, x[:1]), x, exact=False)
    check(lambda x: F.normalize(x), x, exact=False)
    check(lambda x: x.std((0, 2)), x, exact=False)


@case()
def products_with_a_sum() -> None:
    a, b, c = torch.randn(4, 6), torch.randn(6, 5), torch.randn(5)
    many = [x[None].repeat(3, 1, 1) for x in (a, b)]
    for beta, alpha in ((1, 1), (0.5, 2), (0, 3)):
        how = {"beta": beta, "alpha": alpha}
        check(lambda c, a, b: torch.addmm(c, a, b, **how), c, a, b, exact=False)
        check(lambda c, a, b: torch.baddbmm(c, a, b, **how), c, *many, exact=False)
        check(lambda c, a, b: torch.addmv(c, a, b, **how), a[:, 0], a, b[:, 0], exact=False)
    check(F.linear, a, b.t(), c, exact=False)
    check(lambda c, a, b: c.clone().addmm_(a, b), torch.randn(4, 5), a, b, exact=False)
    check(lambda i: torch.addmm(i, i, i), torch.randint(-3, 4, (4, 4)).float())


@case()
def products() -> None:
    a, b, c = torch.randn(4, 6), torch.randn(6, 5), torch.randn(5)
    check(torch.mv, a, b[:, 1], exact=False)
    check(torch.dot, c, c, exact=False)
    check(torch.outer, c, c)
    check(lambda a, b: torch.einsum("ij,jk->ki", a, b), a, b, exact=False)


@case()
def draws() -> None:
    torch.npu.manual_seed(3)
    drawn = torch.full((20000,), 0.25, device="npu").bernoulli().cpu()
    same(sorted(set(drawn.tolist())), [0, 1])
    same(abs(drawn.mean().item() - 0.25) < 0.02, True)
    drawn = torch.empty(20000, device="npu").bernoulli_(0.75).cpu()
    same(abs(drawn.mean().item() - 0.75) < 0.02, True)
    kept = F.dropout(torch.ones(20001, device="npu"), 0.25).cpu()
    same(kept.unique(), torch.tensor([0, 1 / 0.75]))
    same(abs(kept.mean().item() - 1) < 0.02, True)
    shuffled = torch.randperm(1000, device="npu").cpu()
    same(shuffled.sort()[0], torch.arange(1000))
    same(torch.equal(shuffled, torch.arange(1000)), False)


if __name__ == "__main__":
    run()
