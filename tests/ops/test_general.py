"""The everyday operators through their C functions, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import aclquant as aq
from aclquant import aclnn

FLOATS = [np.float32, np.float16, np.float64, aq.bfloat16.numpy.type]
INTEGERS = [np.int8, np.uint8, np.int16, np.int32, np.int64]
RANDOM = np.random.default_rng(7)


def values(dtype: Any, *shape: int) -> Any:
    """Return numbers of a type, in an array whose strides are not the plain ones."""
    wide = RANDOM.integers(0 if dtype in (np.uint8, np.bool_) else -9, 10, (*shape, 2))
    found = wide.astype(np.float64) / 4 if dtype in FLOATS else wide
    return found.astype(dtype)[..., 1].swapaxes(0, -1)[::-1].swapaxes(0, -1)


def same(got: Any, expected: Any) -> None:
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got.astype(np.float64), np.asarray(expected, np.float64))


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
def test_arithmetic_repeats_and_rounds_once(dtype: Any) -> None:
    x, y = values(dtype, 3, 4, 5), values(dtype, 4, 1)
    for name, f in (("Mul", np.multiply), ("Maximum", np.maximum), ("Minimum", np.minimum)):
        same(getattr(aclnn, name)(x, y, np.empty((3, 4, 5), dtype)), f(x, y).astype(dtype))
    out = np.empty((3, 4, 5), dtype)
    same(aclnn.Add(x, y, 2, out), (x + 2 * y).astype(dtype))
    same(aclnn.Subs(x, 3, 1, out), (x - dtype(3)).astype(dtype))
    same(aclnn.Rsubs(x, 3, 1, out), (dtype(3) - x).astype(dtype))
    for name, f in (
        ("Eq", np.equal),
        ("Ne", np.not_equal),
        ("Gt", np.greater),
        ("Le", np.less_equal),
    ):
        same(getattr(aclnn, name + "Tensor")(x, y, np.empty((3, 4, 5), bool)), f(x, y))
        same(getattr(aclnn, name + "Scalar")(x, 2, np.empty((3, 4, 5), bool)), f(x, dtype(2)))
    same(aclnn.InplaceMuls(x.copy(), 3), (x * dtype(3)).astype(dtype))


def test_integer_division_and_overflow() -> None:
    x, y = np.int32([7, -7, 7, -7, 5]), np.int32([2, 2, -2, -2, 0])
    same(aclnn.DivMod(x, y, 2, np.empty(5, np.int32)), np.int32([3, -4, -4, 3, 0]))
    same(aclnn.DivMod(x, y, 1, np.empty(5, np.int32)), np.int32([3, -3, -3, 3, 0]))
    same(aclnn.RemainderTensorTensor(x, y, np.empty(5, np.int32)), np.int32([1, 1, -1, -1, 0]))
    same(aclnn.FmodTensor(x, y, np.empty(5, np.int32)), np.int32([1, -1, 1, -1, 0]))
    least = np.full(2, np.iinfo(np.int64).min)
    minus = np.int64([-1, 1])
    same(aclnn.DivMod(least, minus, 1, np.empty(2, np.int64)), least)
    same(aclnn.Add(least, minus, 1, np.empty(2, np.int64)), np.int64([2**63 - 1, -(2**63) + 1]))
    same(aclnn.PowTensorScalar(np.int32([-3, 2]), 3, np.empty(2, np.int32)), np.int32([-27, 8]))


@pytest.mark.parametrize("source", [*FLOATS, *INTEGERS, np.bool_])
@pytest.mark.parametrize("target", [*FLOATS, *INTEGERS, np.bool_])
def test_conversions(source: Any, target: Any) -> None:
    x = values(source, 3, 4)
    if source in FLOATS and target == np.uint8:
        x = np.abs(x)
    same(aclnn.Cast(x, np.dtype(target), np.empty((3, 4), target)), x.astype(target))
    same(
        aclnn.InplaceCopy(np.empty((2, 3, 4), target), x),
        np.broadcast_to(x, (2, 3, 4)).astype(target),
    )


def test_floats_saturate_as_integers() -> None:
    x = np.float32([np.nan, np.inf, -np.inf, 300, -300, 1.9, -1.9])
    same(aclnn.Cast(x, "int8", np.empty(7, np.int8)), np.int8([0, 127, -128, 127, -128, 1, -1]))
    same(aclnn.Cast(x, "int64", np.empty(7, np.int64))[1:3], np.int64([2**63 - 1, -(2**63)]))


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
@pytest.mark.parametrize("dims", [(0,), (1, -1), (0, 1, 2), ()])
def test_reductions(dtype: Any, dims: tuple[int, ...]) -> None:
    x = values(dtype, 3, 4, 5)
    axes = tuple(d % 3 for d in dims) or (0, 1, 2)
    kind = dtype if dtype in FLOATS else np.int64
    exact = x.astype(np.float64)
    for keep in (False, True):
        expected = exact.sum(axes, keepdims=keep)
        shape = expected.shape
        same(
            aclnn.ReduceSum(x, dims, keep, np.dtype(kind), np.empty(shape, kind)),
            np.asarray(expected).astype(kind),
        )
        same(
            aclnn.Amax(x, dims, keep, np.empty(shape, dtype)),
            np.asarray(exact.max(axes, keepdims=keep)).astype(dtype),
        )
        same(
            aclnn.aclnnAny(x, dims, keep, np.empty(shape, bool)),
            np.asarray(x.astype(bool).any(axes, keepdims=keep)),
        )
        same(
            aclnn.All(x, dims, keep, np.empty(shape, bool)),
            np.asarray(x.astype(bool).all(axes, keepdims=keep)),
        )


def test_extremes_and_where_they_are() -> None:
    x = RANDOM.permutation(60).reshape(3, 4, 5).astype(np.float32)
    for dim in (0, 1, -1):
        best, where = aclnn.MaxDim(
            x, dim, False, np.empty_like(x.max(dim)), np.empty(x.max(dim).shape, np.int64)
        )
        same(best, x.max(dim))
        same(where, x.argmax(dim))
    x[1, 1, 1] = np.nan
    assert np.isnan(aclnn.Max(x, np.empty((), np.float32)))
    same(aclnn.ArgMax(x[1, 1], 0, False, np.empty((), np.int64)), np.asarray(np.int64(1)))


def test_large_tensors_in_several_threads() -> None:
    x = RANDOM.standard_normal((500, 700)).astype(np.float32)
    same(aclnn.Add(x.T, x.T, 1, np.empty((700, 500), np.float32)), 2 * x.T)
    same(aclnn.Amax(x.T, [0], False, np.empty(500, np.float32)), x.max(1))
    assert aclnn.Equal(x, x, np.empty((), bool))
    other = x.copy()
    other[499, 699] += 1
    assert not aclnn.Equal(x, other, np.empty((), bool))
    a, b = x[:, :200].astype(np.float64), x[:200].astype(np.float64)
    np.testing.assert_allclose(aclnn.Matmul(a, b, np.empty((500, 700)), 0), a @ b, rtol=1e-12)


def test_moving() -> None:
    x = RANDOM.standard_normal((3, 4, 5)).astype(np.float32)
    same(
        aclnn.Cat([x, x[:, :1]], 1, np.empty((3, 5, 5), np.float32)),
        np.concatenate([x, x[:, :1]], 1),
    )
    same(aclnn.Stack([x] * 9, -1, np.empty((3, 4, 5, 9), np.float32)), np.stack([x] * 9, -1))
    same(aclnn.Flip(x, [0, 2], np.empty_like(x)), x[::-1, :, ::-1])
    same(
        aclnn.Repeat(x, [2, 1, 2, 1], np.empty((2, 3, 8, 5), np.float32)), np.tile(x, (2, 1, 2, 1))
    )
    same(aclnn.Tril(x, 1, np.empty_like(x)), np.tril(x, 1))
    where = np.int64([2, 0, -1])
    same(aclnn.IndexSelect(x, 1, where, np.empty((3, 3, 5), np.float32)), x[:, where])
    same(aclnn.Index(x, [where, where], np.empty((3, 5), np.float32)), x[where, where])
    same(aclnn.SWhere(x > 0, x, -x, np.empty_like(x)), np.abs(x))
    same(aclnn.Clamp(x, -0.5, None, np.empty_like(x)), np.maximum(x, np.float32(-0.5)))
    outside = np.int64([1, 99])
    picked = aclnn.IndexSelect(x, 0, outside, np.empty((2, 4, 5), np.float32))
    same(picked, np.stack([x[1], np.zeros_like(x[1])]))


def test_moving_from_reversed_views() -> None:
    """Their offsets are negative, which must not be taken for an index that leads nowhere."""
    x = np.arange(12, dtype=np.float32).reshape(3, 4)[::-1, ::-1]
    y, index = np.empty((3, 4), np.float32), np.int64([2, 0, 1])
    aclnn.aclnnFlip(x, [0], y)
    same(y, x[::-1].copy())
    aclnn.aclnnTril(x, 0, y)
    same(y, np.tril(x))
    aclnn.aclnnIndexSelect(x, 0, index, y)
    same(y, x[index])
    aclnn.aclnnGather(x, 0, np.tile(index[:, None], 4), y)
    same(y, x[index])
    aclnn.aclnnIndex(x, [index], y)
    same(y, x[index])
    aclnn.aclnnRepeat(x, [1, 1], y)
    same(y, x.copy())


def test_making() -> None:
    same(aclnn.Arange(1, 9, 2, np.empty(4, np.int64)), np.arange(1, 9, 2))
    same(
        aclnn.InplaceFillScalar(np.empty((2, 3), np.float16), 2.5), np.full((2, 3), 2.5, np.float16)
    )
    same(aclnn.Eye(2, 3, np.empty((2, 3), np.float32)), np.eye(2, 3, dtype=np.float32))
    first = aclnn.InplaceNormal(np.empty(100_000, np.float32), 1.0, 2.0, 5, 0)
    assert abs(first.mean() - 1) < 0.03
    assert abs(first.std() - 2) < 0.03
    same(aclnn.InplaceNormal(np.empty(100_000, np.float32), 1.0, 2.0, 5, 0), first)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda x: aclnn.Add(x, x[:2], 1, x), "argument 'other': got shape (2,)"),
        (lambda x: aclnn.Add(x, x, 1, x[:2]), "argument 'out': got shape (2,)"),
        (lambda x: aclnn.Mul(x, None, x), "argument 'other': got null"),
        (lambda x: aclnn.ReduceSum(x, [1], False, "float32", x), "argument 'dims': got 1"),
        (lambda x: aclnn.BitwiseNot(x, x), "argument 'self': got dtype FLOAT"),
        (lambda x: aclnn.DivMod(x, x, 3, x), "argument 'mode': got 3"),
        (lambda x: aclnn.Cat([x] * 99, 0, x), "argument 'tensors': got 99 tensors"),
        (lambda x: aclnn.Softmax(x, 2, x), "argument 'dim': got 2"),
    ],
)
def test_refusals_name_the_argument(call: Any, sentence: str) -> None:
    with pytest.raises(aq.AclError) as caught:
        call(np.zeros(3, np.float32))
    assert sentence in str(caught.value)
