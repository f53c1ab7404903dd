"""Figures and norms, on the device and on the CPU."""

from __future__ import annotations

import torch
import torch.nn.functional as F
import torch_npu
from compare import FLOATS, check, report, same, views

for dtype in FLOATS:
    for x in views(dtype):
        x = x.nan_to_num(1, 2, -2)
        if not x.numel():
            continue
        wide = lambda f: same(f(x.npu()), f(x.double()).to(dtype), exact=False)
        if x.dim():
            wide(torch.std)
            wide(torch.var)
            wide(lambda x: x.norm())
            wide(lambda x: x.norm(1))
        for dim in range(-x.dim(), x.dim()):
            for keep in (False, True):
                wide(lambda x: x.std(dim, keepdim=keep))
                wide(lambda x: x.var(dim, correction=0, keepdim=keep))
                wide(lambda x: x.logsumexp(dim, keepdim=keep))
                for order in (0, 1, 2, 3, 0.5, float("inf"), -float("inf")):
                    wide(lambda x: torch.linalg.vector_norm(x, order, dim, keepdim=keep))
            same(torch.var_mean(x.npu(), dim)[1], x.double().mean(dim).to(dtype), exact=False)
            same(torch.std_mean(x.npu(), dim)[0], x.double().std(dim).to(dtype), exact=False)
            wide(lambda x: x.cumprod(dim))
for x in views(torch.int32):
    for dim in range(x.dim()):
        check(lambda x: x.cumprod(dim), x)
x, w, b = torch.randn(2, 3, 4, 5), torch.randn(4, 5), torch.randn(4, 5)
for y in (x, x.transpose(0, 1)):
    check(lambda x, w, b: F.layer_norm(x, (4, 5), w, b), y, w, b, exact=False)
    check(lambda x: F.layer_norm(x, (5,)), y, exact=False)
    check(
        lambda x: F.layer_norm(x, (3, 4, 5) if x.shape[1] == 3 else (2, 4, 5), eps=0.1),
        y,
        exact=False,
    )
    check(lambda x, w: F.rms_norm(x, (5,), w), y, w[0], exact=False)
    got, scale = torch_npu.npu_rms_norm(y.npu(), w[0].npu(), 1e-6)
    same(got, F.rms_norm(y, (5,), w[0], 1e-6), exact=False)
check(lambda x: F.cosine_similarity(x, x[:1]), x, exact=False)
check(lambda x: F.normalize(x), x, exact=False)
check(lambda x: x.std((0, 2)), x, exact=False)
a, b, c = torch.randn(4, 6), torch.randn(6, 5), torch.randn(5)
for beta, alpha in ((1, 1), (0.5, 2), (0, 3)):
    check(lambda c, a, b: torch.addmm(c, a, b, beta=beta, alpha=alpha), c, a, b, exact=False)
    check(
        lambda c, a, b: torch.baddbmm(c, a, b, beta=beta, alpha=alpha),
        c,
        a[None].repeat(3, 1, 1),
        b[None].repeat(3, 1, 1),
        exact=False,
    )
    check(
        lambda c, a, b: torch.addmv(c, a, b, beta=beta, alpha=alpha),
        a[:, 0],
        a,
        b[:, 0],
        exact=False,
    )
check(F.linear, a, b.t(), c, exact=False)
check(torch.mv, a, b[:, 1], exact=False)
check(torch.dot, c, c, exact=False)
check(lambda c, a, b: c.clone().addmm_(a, b), torch.randn(4, 5), a, b, exact=False)
check(torch.outer, c, c)
check(lambda a, b: torch.einsum("ij,jk->ki", a, b), a, b, exact=False)
check(lambda i: torch.addmm(i, i, i), torch.randint(-3, 4, (4, 4)).float())
torch.npu.manual_seed(3)
draws = torch.full((20000,), 0.25, device="npu").bernoulli().cpu()
assert set(draws.tolist()) == {0, 1} and abs(draws.mean() - 0.25) < 0.02
assert abs(torch.empty(20000, device="npu").bernoulli_(0.75).cpu().mean() - 0.75) < 0.02
kept = F.dropout(torch.ones(20001, device="npu"), 0.25).cpu()
assert torch.equal(kept.unique(), torch.tensor([0, 1 / 0.75])) and abs(kept.mean() - 1) < 0.02
shuffled = torch.randperm(1000, device="npu").cpu()
assert torch.equal(shuffled.sort()[0], torch.arange(1000)) and not torch.equal(
    shuffled, torch.arange(1000)
)

report()
