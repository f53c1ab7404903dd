"""MindSpore's PyNative operators and gradients on the Ascend device, against NumPy."""

import math

import mindspore as ms
import numpy as np
from cases import case, done
from mindspore import Tensor, mint, ops

RNG = np.random.default_rng(3)
ms.set_device("Ascend", 0)
ms.set_context(mode=ms.PYNATIVE_MODE)
F = mint.nn.functional


def floats(*shape, low=-2.0, high=2.0, dtype="f4"):
    return RNG.uniform(low, high, shape).astype(dtype)


def check(name, operator, reference, *arrays, tolerance=1e-5):
    @case(name)
    def _():
        found = operator(*(Tensor(a) for a in arrays))
        expected = np.asarray(reference(*arrays))
        found = found.asnumpy()
        assert found.shape == expected.shape, f"shape {found.shape}, not {expected.shape}"
        if found.dtype.kind == "f":
            limit = 2e-3 if found.dtype == np.float16 else tolerance
            np.testing.assert_allclose(found, expected, limit, limit)
        else:
            assert (found == expected).all(), f"{found}, not {expected}"


def named(name):
    """Return an operator that is looked up in the case which calls it."""
    return lambda *arrays: getattr(mint if hasattr(mint, name) else F, name)(*arrays)


A, B, P = floats(3, 4), floats(3, 4), floats(3, 4, low=0.1)
N, J = RNG.integers(-9, 9, (3, 4)).astype("i4"), RNG.integers(1, 9, (3, 4)).astype("i4")

for name, reference in (
    ("abs", np.abs),
    ("neg", np.negative),
    ("exp", np.exp),
    ("sin", np.sin),
    ("cos", np.cos),
    ("tan", np.tan),
    ("tanh", np.tanh),
    ("floor", np.floor),
    ("ceil", np.ceil),
    ("round", np.round),
    ("sign", np.sign),
    ("square", np.square),
    ("trunc", np.trunc),
    ("sigmoid", lambda x: 1 / (1 + np.exp(-x))),
    ("relu", lambda x: np.maximum(x, 0)),
    ("erf", np.vectorize(math.erf)),
    ("erfc", np.vectorize(math.erfc)),
    ("exp2", np.exp2),
    ("expm1", np.expm1),
    ("sinh", np.sinh),
    ("cosh", np.cosh),
    ("atan", np.arctan),
    ("asinh", np.arcsinh),
    ("isfinite", np.isfinite),
    ("isinf", np.isinf),
    ("sinc", np.sinc),
):
    check(f"mint.{name}", named(name), reference, A)
for name, reference in (
    ("sqrt", np.sqrt),
    ("rsqrt", lambda x: 1 / np.sqrt(x)),
    ("log", np.log),
    ("log2", np.log2),
    ("log10", np.log10),
    ("log1p", np.log1p),
    ("reciprocal", np.reciprocal),
):
    check(f"mint.{name}", named(name), reference, P)
for name, reference in (
    ("add", np.add),
    ("sub", np.subtract),
    ("mul", np.multiply),
    ("div", np.divide),
    ("maximum", np.maximum),
    ("minimum", np.minimum),
    ("greater", np.greater),
    ("less", np.less),
    ("eq", np.equal),
    ("ne", np.not_equal),
    ("atan2", np.arctan2),
    ("logaddexp", np.logaddexp),
):
    check(f"mint.{name}", named(name), reference, A, B)
check("mint.add float16", named("add"), np.add, A.astype("f2"), B.astype("f2"))
check("mint.add broadcast", named("add"), np.add, A, B[0])
check("mint.add int32", named("add"), np.add, N, J)
check("mint.mul int32", named("mul"), np.multiply, N, J)
check("mint.floor_divide int32", named("floor_divide"), np.floor_divide, N, J)
check("mint.remainder int32", named("remainder"), np.remainder, N, J)
check("mint.bitwise_and", named("bitwise_and"), np.bitwise_and, N, J)
check("mint.pow", named("pow"), np.power, P, B)
check("mint.where", lambda x, y: mint.where(x > 0, x, y), lambda x, y: np.where(x > 0, x, y), A, B)
check("mint.clamp", lambda x: mint.clamp(x, -1, 1), lambda x: np.clip(x, -1, 1), A)
for name, reference in (
    ("sum", np.sum),
    ("mean", np.mean),
    ("prod", np.prod),
    ("argmax", np.argmax),
    ("argmin", np.argmin),
    ("max", np.max),
    ("min", np.min),
    ("all", np.all),
    ("any", np.any),
):
    data = A if name not in ("all", "any") else A > 0
    check(f"mint.{name} of all", named(name), reference, data)
for name, reference in (("sum", np.sum), ("mean", np.mean), ("argmax", np.argmax)):
    check(
        f"mint.{name} of a dimension",
        lambda x, f=name: getattr(mint, f)(x, dim=1),
        lambda x, f=reference: f(x, 1),
        A,
    )
check("mint.var", lambda x: mint.var(x, 1), lambda x: x.var(1, ddof=1), A)
check("mint.std", lambda x: mint.std(x, 1), lambda x: x.std(1, ddof=1), A)
check("mint.logsumexp", lambda x: mint.logsumexp(x, 1), lambda x: np.log(np.exp(x).sum(1)), A)
check("mint.cumsum", lambda x: mint.cumsum(x, 1), lambda x: x.cumsum(1), A)
check("mint.sort", lambda x: mint.sort(x, dim=1)[0], lambda x: np.sort(x, 1), A)
check("mint.topk", lambda x: mint.topk(x, 2)[0], lambda x: -np.sort(-x, 1)[:, :2], A)
check("mint.matmul", named("matmul"), np.matmul, A, B.T.copy())
check("mint.matmul float16", named("matmul"), np.matmul, A.astype("f2"), B.T.astype("f2").copy())
check("mint.bmm", named("bmm"), np.matmul, floats(2, 3, 4), floats(2, 4, 5))
check("mint.cat", lambda x, y: mint.cat((x, y), 1), lambda x, y: np.concatenate((x, y), 1), A, B)
check("mint.stack", lambda x, y: mint.stack((x, y)), lambda x, y: np.stack((x, y)), A, B)
check("mint.permute", lambda x: mint.permute(x, (1, 0)).contiguous(), np.transpose, A)
check("mint.reshape", lambda x: mint.reshape(x, (4, 3)), lambda x: x.reshape(4, 3), A)
check("mint.flip", lambda x: mint.flip(x, (1,)), lambda x: x[:, ::-1], A)
check("mint.tile", lambda x: mint.tile(x, (2, 3)), lambda x: np.tile(x, (2, 3)), A)
check("mint.tril", named("tril"), np.tril, A)
check(
    "mint.gather",
    lambda x, i: mint.gather(x, 1, i),
    lambda x, i: np.take_along_axis(x, i, 1),
    A,
    RNG.integers(0, 4, (3, 2)),
)
check(
    "mint.index_select", lambda x: mint.index_select(x, 0, Tensor([0, 2])), lambda x: x[[0, 2]], A
)
check("slices", lambda x: x[1:, ::2].contiguous(), lambda x: x[1:, ::2], A)
check("mint.unique", lambda x: mint.unique(x), np.unique, J.ravel())
check("casts", lambda x: x.astype(ms.int32), lambda x: x.astype("i4"), A * 3)


def softmax(x, axis=-1):
    powers = np.exp(x - x.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


check("softmax", lambda x: F.softmax(x, dim=-1), softmax, A)
check("log_softmax", lambda x: F.log_softmax(x, dim=-1), lambda x: np.log(softmax(x)), A)
check("gelu", named("gelu"), lambda x: x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))), A)
check("silu", named("silu"), lambda x: x / (1 + np.exp(-x)), A)
check("softplus", named("softplus"), lambda x: np.log1p(np.exp(x)), A)
check("leaky_relu", lambda x: F.leaky_relu(x, 0.1), lambda x: np.where(x > 0, x, 0.1 * x), A)
check("elu", named("elu"), lambda x: np.where(x > 0, x, np.expm1(x)), A)
check("linear", named("linear"), lambda x, w, b: x @ w.T + b, A, floats(5, 4), floats(5))
check("embedding", lambda i, w: F.embedding(i, w), lambda i, w: w[i], np.array([[0, 2]]), A)
check(
    "layer_norm",
    lambda x: F.layer_norm(x, (4,)),
    lambda x: (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5),
    A,
    tolerance=1e-4,
)
IMAGE = floats(2, 4, 6, 6)
check(
    "group_norm",
    lambda x: F.group_norm(x, 2),
    lambda x: (
        ((y := x.reshape(2, 2, -1)) - y.mean(2, keepdims=True))
        .__truediv__(np.sqrt(y.var(2, keepdims=True) + 1e-5))
        .reshape(x.shape)
    ),
    IMAGE,
    tolerance=1e-4,
)
check(
    "batch_norm",
    lambda x: F.batch_norm(x, Tensor(np.zeros(4, "f4")), Tensor(np.ones(4, "f4")), training=True),
    lambda x: (
        (x - x.mean((0, 2, 3), keepdims=True)) / np.sqrt(x.var((0, 2, 3), keepdims=True) + 1e-5)
    ),
    IMAGE,
    tolerance=1e-4,
)
WINDOWS = IMAGE.reshape(2, 4, 3, 2, 3, 2)
check("avg_pool2d", lambda x: F.avg_pool2d(x, 2, 2), lambda x: WINDOWS.mean((3, 5)), IMAGE)
check("max_pool2d", lambda x: F.max_pool2d(x, 2, 2), lambda x: WINDOWS.max((3, 5)), IMAGE)
check(
    "adaptive_avg_pool2d",
    lambda x: F.adaptive_avg_pool2d(x, (3, 3)),
    lambda x: WINDOWS.mean((3, 5)),
    IMAGE,
)
check(
    "conv2d",
    lambda x, w: F.conv2d(x, w),
    lambda x, w: np.einsum("nchw,oc->nohw", x, w[..., 0, 0]),
    IMAGE,
    floats(3, 4, 1, 1),
)
check("mse_loss", named("mse_loss"), lambda x, y: ((x - y) ** 2).mean(), A, B)
check("ops.add", ops.add, np.add, A, B)
check("ops.mean", ops.mean, np.mean, A)
check("ops.gather", lambda x: ops.gather(x, Tensor([0, 2]), 0), lambda x: x[[0, 2]], A)
check("ops.matmul", ops.matmul, np.matmul, A, B.T.copy())
check(
    "nn.Dense",
    lambda x, w: ms.nn.Dense(4, 5, weight_init=w, has_bias=False)(x),
    lambda x, w: x @ w.T,
    A,
    floats(5, 4),
)


def gradient(name, loss, reference, *arrays, tolerance=1e-4):
    check(f"gradient of {name}", ms.grad(loss), reference, *arrays, tolerance=tolerance)


gradient("a square", lambda x: mint.sum(x * x), lambda x: 2 * x, A)
gradient("relu", lambda x: mint.sum(F.relu(x) * x), lambda x: np.where(x > 0, 2 * x, 0), A)
gradient("tanh", lambda x: mint.sum(mint.tanh(x)), lambda x: 1 - np.tanh(x) ** 2, A)
gradient(
    "exp and log", lambda x: mint.sum(mint.log(mint.exp(x) + 1)), lambda x: 1 / (1 + np.exp(-x)), A
)
gradient(
    "matmul",
    lambda x, y: mint.sum(mint.matmul(x, y)),
    lambda x, y: np.ones((3, 3)) @ y.T,
    A,
    B.T.copy(),
)
gradient(
    "softmax",
    lambda x: mint.sum(F.softmax(x, dim=-1) ** 2),
    lambda x: 2 * (s := softmax(x)) * (s - (s * s).sum(1, keepdims=True)),
    A,
)
gradient("a mean", lambda x: mint.mean(x * x), lambda x: 2 * x / x.size, A)
gradient("sqrt", lambda x: mint.sum(mint.sqrt(x)), lambda x: 0.5 / np.sqrt(x), P)
gradient(
    "silu",
    lambda x: mint.sum(F.silu(x)),
    lambda x: (s := 1 / (1 + np.exp(-x))) * (1 + x * (1 - s)),
    A,
)
gradient("mse_loss", lambda x, y: F.mse_loss(x, y), lambda x, y: 2 * (x - y) / x.size, A, B)
gradient(
    "batch_norm",
    lambda x: mint.sum(
        F.batch_norm(x, Tensor(np.zeros(4, "f4")), Tensor(np.ones(4, "f4")), training=False)
    ),
    lambda x: np.full(x.shape, 1 / math.sqrt(1 + 1e-5)),
    IMAGE,
)
done()
