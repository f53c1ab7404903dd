"""candle: the examples of its documentation, and operators of tensors on the NPU, against NumPy."""

import candle as torch
import candle.nn as nn
import candle.nn.functional as F
import numpy as np
from cases import case, done

RNG = np.random.default_rng(1)
X = RNG.uniform(0.1, 0.9, (3, 4)).astype(np.float32)
Y = RNG.uniform(0.1, 0.9, (3, 4)).astype(np.float32)


def check(name, function, expected, *arrays, tolerance=1e-5):
    @case(name)
    def _():
        tensors = [torch.tensor(a).to("npu") for a in arrays]
        found = function(*tensors)
        assert found.device.type == "npu"
        wanted = np.asarray(expected(*arrays))
        found = found.cpu().numpy()
        assert found.shape == wanted.shape, (found.shape, wanted.shape)
        np.testing.assert_allclose(found, wanted, tolerance, tolerance)


@case("README: a model, its gradient")
def _():
    model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10)).to("npu")
    x = torch.randn(2, 784).to("npu").requires_grad_()
    out = model(x)
    out.sum().backward()
    assert tuple(x.grad.shape) == (2, 784)
    w0, b0 = (p.detach().cpu().numpy() for p in model[0].parameters())
    w1, b1 = (p.detach().cpu().numpy() for p in model[2].parameters())
    hidden = x.detach().cpu().numpy() @ w0.T + b0
    np.testing.assert_allclose(
        out.detach().cpu().numpy(), np.maximum(hidden, 0) @ w1.T + b1, 1e-3, 1e-3
    )
    slope = ((hidden > 0) * w1.sum(0)) @ w0
    np.testing.assert_allclose(x.grad.cpu().numpy(), slope, 1e-3, 1e-3)


@case("README: F.relu")
def _():
    x = RNG.normal(size=(3, 4)).astype(np.float32)
    found = F.relu(torch.tensor(x).to("npu")).cpu().numpy()
    assert (found == np.maximum(x, 0)).all()


for name in (
    "abs", "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "floor", "ceil", "round", "sign",
    "reciprocal", "square", "sinh", "cosh", "log2", "log10", "exp2", "expm1", "log1p", "trunc",
):  # fmt: skip
    expected = {"round": np.rint}.get(name) or getattr(np, name)
    check(name, getattr(torch, name), expected, X)
for name, numpy_name in (("asin", "arcsin"), ("acos", "arccos"), ("atan", "arctan")):
    check(name, getattr(torch, name), getattr(np, numpy_name), X)
check("neg", torch.neg, np.negative, X)
check("rsqrt", torch.rsqrt, lambda x: 1 / np.sqrt(x), X)
check("sigmoid", torch.sigmoid, lambda x: 1 / (1 + np.exp(-x)), X)
check("silu", F.silu, lambda x: x / (1 + np.exp(-x)), X)
check("softmax", lambda x: F.softmax(x, 1),
      lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True), X)  # fmt: skip

for name in ("add", "mul", "sub", "div", "maximum", "minimum", "pow", "fmod"):
    function = {"sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.power}
    check(name, getattr(torch, name), function.get(name) or getattr(np, name), X, Y)
check("atan2", torch.atan2, np.arctan2, X, Y)
check("logaddexp", torch.logaddexp, np.logaddexp, X, Y)
check("a number on the right", lambda x: x * 2.5 + 1, lambda x: x * np.float32(2.5) + 1, X)
check("a number on the left", lambda x: 1 - x, lambda x: 1 - x, X)
for name in ("lt", "le", "gt", "ge", "eq", "ne"):
    operator = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal",
                "eq": "equal", "ne": "not_equal"}  # fmt: skip
    check(name, getattr(torch, name), getattr(np, operator[name]), X, Y)

check("matmul", torch.matmul, np.matmul, X, Y.T.copy(), tolerance=1e-3)
check(
    "bmm", torch.bmm, np.matmul, np.stack([X, X]), np.stack([Y, Y]).reshape(2, 4, 3), tolerance=1e-3
)
check("sum", torch.sum, np.sum, X)
check("sum dim", lambda x: torch.sum(x, dim=1), lambda x: x.sum(1), X)
check("mean dim", lambda x: torch.mean(x, dim=1), lambda x: x.mean(1), X)
check("prod dim", lambda x: torch.prod(x, dim=1), lambda x: x.prod(1), X)
check("amax", lambda x: torch.amax(x, dim=1), lambda x: x.max(1), X)
check("amin", lambda x: torch.amin(x, dim=1), lambda x: x.min(1), X)
check("argmax", lambda x: torch.argmax(x, dim=1), lambda x: x.argmax(1), X)
check("var", lambda x: torch.var(x, dim=1), lambda x: x.var(1, ddof=1), X)
check("std", lambda x: torch.std(x, dim=1), lambda x: x.std(1, ddof=1), X)
check("cumsum", lambda x: torch.cumsum(x, 1), lambda x: x.cumsum(1), X)
check("cat", lambda x, y: torch.cat([x, y], 0), lambda x, y: np.concatenate([x, y]), X, Y)
check("stack", lambda x, y: torch.stack([x, y]), lambda x, y: np.stack([x, y]), X, Y)
check("where", lambda x, y: torch.where(x > 0.5, x, y), lambda x, y: np.where(x > 0.5, x, y), X, Y)
check("clamp", lambda x: torch.clamp(x, 0.2, 0.6), lambda x: np.clip(x, 0.2, 0.6), X)
check("tril", torch.tril, np.tril, X)
check("triu", torch.triu, np.triu, X)
check("flip", lambda x: torch.flip(x, [1]), lambda x: np.flip(x, 1), X)
check("sort", lambda x: torch.sort(x, 1)[0], lambda x: np.sort(x, 1), X)
check("transpose", lambda x: x.transpose(0, 1).contiguous(), np.transpose, X)
check("layer_norm", lambda x: F.layer_norm(x, (4,)),
      lambda x: (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5), X,
      tolerance=1e-4)  # fmt: skip
ROWS = torch.tensor([0, 2], dtype=torch.int64).to("npu")
check("index_select", lambda x: torch.index_select(x, 0, ROWS),
      lambda x: x[[0, 2]], X)  # fmt: skip
check("gelu", F.gelu, lambda x: np.asarray(
    [[v * 0.5 * (1 + __import__("math").erf(v / 2**0.5)) for v in row] for row in x], "f"), X,
    tolerance=1e-3)  # fmt: skip

done()
