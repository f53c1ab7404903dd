"""numpy-ascend: CuPy on aclnn, against NumPy.

Its wheel lacks the module cupyx.scipy.fftpack, without which it cannot be imported anywhere. An
empty module stands for it here.
"""

import sys
import types

import numpy as np
from cases import case, done

_absent = types.ModuleType("cupyx.scipy.fftpack")
_absent.get_fft_plan = None
sys.modules[_absent.__name__] = _absent
import cupy as cp  # noqa: E402

RNG = np.random.default_rng(1)
FLOATS = RNG.uniform(0.1, 0.9, (3, 4)).astype(np.float32)
INTEGERS = np.arange(-6, 6, dtype=np.int32).reshape(3, 4)


def check(name, function, *arrays, tolerance=1e-5):
    """Call a function with modules cp and np, and compare."""

    @case(name)
    def _():
        found = function(cp, *map(cp.asarray, arrays))
        expected = np.asarray(function(np, *arrays))
        found = found.get() if isinstance(found, cp.ndarray) else np.asarray(found)
        assert found.shape == expected.shape, (found.shape, expected.shape)
        if expected.dtype.kind in "fc":
            np.testing.assert_allclose(found, expected, tolerance, tolerance)
        else:
            assert found.tolist() == expected.tolist(), (found.tolist(), expected.tolist())


check("there and back", lambda xp, x: x, FLOATS)
check("arange", lambda xp: xp.arange(2, 20, 3))
check("zeros", lambda xp: xp.zeros((2, 3), "f"))
check("ones", lambda xp: xp.ones((2, 3), "i"))
check("full", lambda xp: xp.full((2, 3), 7, "f"))
check("eye", lambda xp: xp.eye(3, dtype="f"))
check("linspace", lambda xp: xp.linspace(0, 1, 5))
check("tri", lambda xp: xp.tri(3))

for name in (
    "abs", "negative", "exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "sqrt", "square",
    "reciprocal", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh",
    "arcsinh", "arctanh", "floor", "ceil", "trunc", "rint", "sign", "isnan", "isinf", "isfinite",
    "cbrt", "signbit", "logical_not",
):  # fmt: skip
    check(f"{name} float32", lambda xp, x, name=name: getattr(xp, name)(x), FLOATS)
for name in ("abs", "negative", "square", "sign", "invert"):
    check(f"{name} int32", lambda xp, x, name=name: getattr(xp, name)(x), INTEGERS)

for name in (
    "add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "fmax", "fmin",
    "arctan2", "hypot", "logaddexp", "logaddexp2", "fmod", "floor_divide", "remainder", "equal",
    "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or",
    "logical_xor", "copysign", "heaviside",
):  # fmt: skip
    check(f"{name} float32", lambda xp, x, y, name=name: getattr(xp, name)(x, y),
          FLOATS, FLOATS[::-1].copy())  # fmt: skip
for name in (
    "add", "subtract", "multiply", "floor_divide", "remainder", "bitwise_and", "bitwise_or",
    "bitwise_xor", "left_shift", "right_shift", "maximum", "equal", "gcd", "lcm",
):  # fmt: skip
    check(f"{name} int32", lambda xp, x, y, name=name: getattr(xp, name)(x, y),
          np.abs(INTEGERS) + 1, np.abs(INTEGERS[::-1]) % 5 + 1)  # fmt: skip
check("broadcasting", lambda xp, x, y: x + y, FLOATS, FLOATS[0].copy())
check("a Python number on the right", lambda xp, x: x * 2.5 - 1, FLOATS)
check("a Python number on the left", lambda xp, x: 2.5 / x, FLOATS)
check("in place", lambda xp, x: x.__iadd__(x), FLOATS.copy())
check("types that mix", lambda xp, x, y: x + y, FLOATS, INTEGERS)
check("astype", lambda xp, x: x.astype("f2").astype("f4"), FLOATS)

for name in (
    "sum", "prod", "mean", "max", "min", "std", "var", "argmax", "argmin", "any", "all", "cumsum",
    "cumprod", "median", "nansum", "ptp", "count_nonzero",
):  # fmt: skip
    check(f"{name} of all", lambda xp, x, name=name: getattr(xp, name)(x), FLOATS)
for name in (
    "sum", "prod", "mean", "max", "min", "std", "var", "argmax", "argmin", "any", "all", "cumsum",
    "cumprod",
):  # fmt: skip
    check(f"{name} along an axis", lambda xp, x, name=name: getattr(xp, name)(x, axis=1), FLOATS)
check("sum of two axes", lambda xp, x: x.reshape(3, 2, 2).sum((0, 2)), FLOATS)
check("sum keepdims", lambda xp, x: x.sum(0, keepdims=True), FLOATS)
check("sum int32", lambda xp, x: x.sum(), INTEGERS)

check("an element", lambda xp, x: x[1, 2], FLOATS)
check("a slice", lambda xp, x: x[1:, ::2], FLOATS)
check("a negative step", lambda xp, x: x[::-1], FLOATS)
check("a new axis", lambda xp, x: x[:, None], FLOATS)
check("an ellipsis", lambda xp, x: x[..., 1], FLOATS)
check("an index array", lambda xp, x: x[xp.asarray([0, 2])], FLOATS)
check("two index arrays", lambda xp, x: x[xp.asarray([0, 2]), xp.asarray([1, 3])], FLOATS)
check("a mask", lambda xp, x: x[x > 0.5], FLOATS)
check("take", lambda xp, x: xp.take(x, xp.asarray([0, 2]), axis=1), FLOATS)
check("where", lambda xp, x: xp.where(x > 0.5, x, 0), FLOATS)
check("nonzero", lambda xp, x: xp.nonzero(x > 0.5)[0], FLOATS)


def _assign(xp, x):
    x[1, :2] = 7
    return x


def _assign_array(xp, x):
    x[:, 1] = xp.asarray([1, 2, 3], "f")
    return x


def _assign_mask(xp, x):
    x[x > 0.5] = 0
    return x


check("assignment to a slice", _assign, FLOATS.copy())
check("assignment of an array", _assign_array, FLOATS.copy())
check("assignment by a mask", _assign_mask, FLOATS.copy())

check("reshape", lambda xp, x: x.reshape(2, 6), FLOATS)
check("transpose", lambda xp, x: x.T, FLOATS)
check("transpose, made contiguous", lambda xp, x: xp.ascontiguousarray(x.T), FLOATS)
check("concatenate", lambda xp, x: xp.concatenate([x, x]), FLOATS)
check("stack", lambda xp, x: xp.stack([x, x]), FLOATS)
check("split", lambda xp, x: xp.split(x, 2, axis=1)[1], FLOATS)
check("tile", lambda xp, x: xp.tile(x, (2, 1)), FLOATS)
check("repeat", lambda xp, x: xp.repeat(x, 2, axis=0), FLOATS)
check("flip", lambda xp, x: xp.flip(x, 1), FLOATS)
check("roll", lambda xp, x: xp.roll(x, 1), FLOATS)
check("pad", lambda xp, x: xp.pad(x, 1), FLOATS)
check("tril", lambda xp, x: xp.tril(x), FLOATS)
check("diag", lambda xp, x: xp.diag(x[0]), FLOATS)
check("broadcast_to", lambda xp, x: xp.broadcast_to(x, (2, 3, 4)), FLOATS)
check("expand_dims and squeeze", lambda xp, x: xp.expand_dims(x, 1).squeeze(), FLOATS)
check("clip", lambda xp, x: xp.clip(x, 0.2, 0.6), FLOATS)
check("sort", lambda xp, x: xp.sort(x), FLOATS)
check("argsort", lambda xp, x: xp.argsort(x), FLOATS)
check("unique", lambda xp, x: xp.unique(x), np.abs(INTEGERS))
check("matmul", lambda xp, x: x @ x.T, FLOATS)
check("matmul of a batch", lambda xp, x: xp.matmul(x, x.transpose(0, 2, 1)),
      np.stack([FLOATS, FLOATS]))  # fmt: skip
check("dot", lambda xp, x: xp.dot(x[0], x[1]), FLOATS)
check("outer", lambda xp, x: xp.outer(x[0], x[1]), FLOATS)
check("einsum", lambda xp, x: xp.einsum("ij,kj->ik", x, x), FLOATS)
check("linalg.norm", lambda xp, x: xp.linalg.norm(x), FLOATS)
check("trace", lambda xp, x: xp.trace(x), FLOATS)
check("interp of a polynomial", lambda xp, x: xp.polyval(xp.asarray([1.0, 2.0], "f"), x), FLOATS)

done()
