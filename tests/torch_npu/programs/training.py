"""Losses and gradients, then a few steps of a small model: the same course as on the CPU."""

from __future__ import annotations

import operator

import torch
import torch.nn.functional as F
from cases import case, run
from compare import check, same


def gradients(function, *arguments):
    """Compare the result and the gradient of each argument."""

    def wrapped(*arguments):
        arguments = [a.detach().clone().requires_grad_(a.is_floating_point()) for a in arguments]
        result = function(*arguments)
        weights = torch.arange(1.0, 1 + result.numel(), device=result.device)
        (result * weights.reshape(result.shape)).sum().backward()
        found = [a.grad for a in arguments if a.is_floating_point() and a.grad is not None]
        return (result.detach(), *found)

    check(wrapped, *arguments, exact=False)


def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.randn(4, 6), torch.randn(6), torch.randn(6), torch.randint(0, 6, (4,))


ACTIVATIONS = (
    torch.relu,
    torch.sigmoid,
    torch.tanh,
    F.silu,
    F.leaky_relu,
    F.elu,
    F.softplus,
    torch.exp,
    torch.abs,
    F.relu6,
)
ALONG_A_DIMENSION = (
    torch.softmax,
    torch.log_softmax,
    torch.sum,
    torch.mean,
    torch.cumsum,
    torch.logsumexp,
    torch.std,
    torch.amax,
)


@case()
def of_activations() -> None:
    x, *_ = inputs()
    for f in ACTIVATIONS:
        gradients(f, x)
    for f in (torch.sqrt, torch.rsqrt):
        gradients(f, x.abs() + 0.1)
    gradients(lambda x: x**3, x)
    gradients(lambda x: x.clamp(-0.5, 0.5), x)


@case()
def of_gelu() -> None:
    x, *_ = inputs()
    gradients(lambda x: F.gelu(x, approximate="tanh"), x)
    gradients(lambda x: F.gelu(x, approximate="tanh"), x[:0])
    gradients(lambda x: F.gelu(x, approximate="none" if x.device.type == "npu" else "tanh"), x)


@case()
def of_reductions() -> None:
    x, *_ = inputs()
    for f in ALONG_A_DIMENSION:
        gradients(lambda x: f(x, 1), x)
        gradients(lambda x: f(x, 0), x.t())
    gradients(lambda x: x.norm(), x)
    gradients(torch.prod, x[0])


@case()
def of_products() -> None:
    x, w, *_ = inputs()
    for f in (operator.mul, operator.truediv, operator.sub, torch.minimum):
        gradients(f, x, w)
    gradients(torch.matmul, x, x.t().contiguous())
    gradients(F.linear, x, x, x[:, 0])
    gradients(torch.bmm, x[None], x.t()[None])


@case()
def of_selections() -> None:
    x, _, _, i = inputs()
    gradients(lambda x: torch.cat([x, x * 2], 1), x)
    gradients(lambda x: x[:, 1:3], x)
    gradients(lambda x, i: x[i % 4], x, i)
    gradients(lambda x, i: x.gather(1, i[:, None]), x, i)
    gradients(lambda x: x[x > 0], x)
    gradients(lambda x: torch.where(x > 0, x, 0.0), x)
    gradients(lambda x: x.max(1)[0], x)
    gradients(lambda x: x.sort(1)[0], x)
    gradients(lambda x: x.topk(2)[0], x)


@case()
def of_layers() -> None:
    x, w, b, _ = inputs()
    gradients(lambda x, w, b: F.layer_norm(x, (6,), w, b), x, w, b)
    gradients(lambda x: F.layer_norm(x, (4, 6)), x[None])
    gradients(lambda x, w, b: F.group_norm(x, 1, w, b), x.reshape(2, 6, 2), w, b)
    gradients(lambda x: F.group_norm(x, 3), x.reshape(2, 3, 4))
    once, twice = [[1, 1], [0, 3]], [1, 1, 2]
    gradients(lambda x, w: F.embedding(torch.tensor(once, device=x.device), x, padding_idx=3), x, w)
    gradients(
        lambda x: F.embedding(torch.tensor(twice, device=x.device), x, scale_grad_by_freq=True), x
    )
    q = x[None, None]
    gradients(F.scaled_dot_product_attention, q / 4, q / 4 + 1, q / 4 - 1)


@case("none", "mean", "sum")
def of_losses(how: str) -> None:
    x, w, _, i = inputs()
    for f in (F.mse_loss, F.l1_loss, F.smooth_l1_loss):
        gradients(lambda x: f(x, x.detach().flip(0), reduction=how), x)
    gradients(lambda x: F.smooth_l1_loss(x, x.detach() * 2, beta=0.3, reduction=how), x)
    gradients(lambda x, i: F.cross_entropy(x, i, reduction=how, ignore_index=2), x, i)
    gradients(lambda x, i, w: F.nll_loss(x, i, w.detach().abs(), reduction=how), x, i, w)


@case("SGD", "Adam", "AdamW")
def steps_of_a_model(optimizer: str) -> None:
    x, _, _, i = inputs()
    courses = []
    for device in ("cpu", "npu"):
        torch.manual_seed(2)
        model = torch.nn.Sequential(
            torch.nn.Linear(6, 8), torch.nn.LayerNorm(8), torch.nn.GELU(), torch.nn.Linear(8, 6)
        ).to(device)
        steps = getattr(torch.optim, optimizer)(model.parameters(), lr=0.05, foreach=False)
        course = []
        for _ in range(5):
            loss = F.cross_entropy(model(x.to(device)), i.to(device))
            steps.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            steps.step()
            course.append(loss.item())
        courses.append(torch.tensor(course))
    torch.testing.assert_close(courses[1], courses[0], rtol=1e-4, atol=1e-4)
    same(bool(courses[0][-1] < courses[0][0]), True)


if __name__ == "__main__":
    run()
