"""The everyday operators through their C functions, against NumPy."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from helpers.processes import run_python

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
    """Bits are the same, the sign of zero included; one NaN is as good as another."""
    expected = np.asarray(expected)
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    differ = np.frombuffer(got.tobytes(), f"V{got.itemsize}") != np.frombuffer(
        expected.tobytes(), f"V{got.itemsize}"
    )
    if got.dtype.kind not in "biu":
        differ &= ~(np.isnan(got) & np.isnan(expected)).reshape(-1)
    assert not differ.any(), (
        f"got {got.reshape(-1)[differ]}, expected {expected.reshape(-1)[differ]}"
    )


def test_same_sees_bits() -> None:
    same(np.float32([np.nan, 0.0]), np.float32([-np.nan, 0.0]))
    for got, expected in (
        (np.int64([2**53 + 1]), np.int64([2**53])),
        (np.float32([0.0]), np.float32([-0.0])),
        (np.float32([1]), np.float64([1])),
        (np.float32([[1]]), np.float32([1])),
    ):
        with pytest.raises(AssertionError):
            same(got, expected)


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


# Quotients of integers are computed in FLOAT, which rounds the operands and the quotient to 24
# bits, and then cast: cut off, with infinities at the ends of the range.
QUOTIENTS = [
    (7, 2, 3),
    (-7, 2, -3),
    (7, -2, -3),
    (-7, -2, 3),
    (16777217, 1, 16777216),
    (2**31 - 1, 1, 2**31 - 1),  # 2**31 in FLOAT, which does not fit
    (33554431, 2, 16777216),
    (5, 0, 2**31 - 1),
    (-5, 0, -(2**31)),
    (0, 0, 0),
]


def test_integer_quotients_as_integers() -> None:
    x, y, expected = np.int32(QUOTIENTS).T.copy()
    out = np.empty(len(x), np.int32)
    same(aclnn.Div(x, y, out), expected)
    same(aclnn.DivMod(x, y, 0, out), expected)
    same(aclnn.InplaceDiv(x.copy(), y), expected)
    same(aclnn.InplaceDivMod(x.copy(), y, 0), expected)
    same(aclnn.Div(x[::2], y[::2], np.empty(10, np.int32)[::2]), expected[::2])
    halves = np.int32([3, -3, 3, -3, 8388608, 2**30, 16777216, 2, -2, 0])
    for by in (2, 2.0):  # the type of a number does not count
        same(aclnn.Divs(x, by, out), halves)
        same(aclnn.DivMods(x, by, 0, out), halves)
        same(aclnn.InplaceDivs(x.copy(), by), halves)
        same(aclnn.InplaceDivMods(x.copy(), by, 0), halves)
    same(aclnn.DivMods(x[:4], 2.0, 1, out[:4]), np.int32([3, -3, 3, -3]))
    same(aclnn.DivMods(x[:4], 2.0, 2, out[:4]), np.int32([3, -4, 3, -4]))
    wide = np.int64([2**40 + 1, -(2**62), 5])
    same(aclnn.Div(wide, np.int64([1, 3, 0]), np.empty(3, np.int64)), np.int64(
        [2**40, int(np.float32(-(2**62)) / np.float32(3)), 2**63 - 1]
    ))  # fmt: skip
    for dtype in (np.int8, np.int16, np.uint8):
        a, b = np.array([7, 9, 5], dtype), np.array([2, 5, 0], dtype)
        same(aclnn.Div(a, b, np.empty(3, dtype)), np.array([3, 1, np.iinfo(dtype).max], dtype))
    truths = np.array([True, False, False])  # 0 / 0 is NaN, which is not 0
    same(aclnn.Div(truths, truths[::-1], np.empty(3, bool)), np.array([True, True, False]))


def test_quotients_of_integers_are_those_of_float() -> None:
    x, y = np.int32([1, 16777217, 100000]), np.int32([3, 1, 50000])
    quotients = x.astype(np.float32) / y.astype(np.float32)
    for dtype in (np.float64, np.float32, np.float16, np.complex64, np.complex128):
        with np.errstate(over="ignore"):
            expected = quotients.astype(dtype)
        same(aclnn.Div(x, y, np.empty(3, dtype)), expected)
        if np.dtype(dtype).kind == "f":
            same(aclnn.DivMod(x, y, 0, np.empty(3, dtype)), expected)
    # Sums and the like do not round the operands to the type of the result either.
    same(aclnn.Sub(x, x, 1, np.empty(3, np.float16)), np.zeros(3, np.float16))
    # The number is complex: the quotient is, of which the real part is kept.
    same(
        aclnn.Divs(np.float32([4, 2]), 1j + 1, np.empty(2, np.float32)), np.float32([2, 1])
    )  # fmt: skip


def test_floors_and_angles_may_have_any_type() -> None:
    x, y = np.float32([7.5, -7.5, 1]), np.float32([2, 2, 0])
    same(aclnn.FloorDivide(x, y, np.empty(3, np.int32)), np.int32([3, -4, 2**31 - 1]))
    same(aclnn.FloorDivides(np.int32([7, -7]), 2.5, np.empty(2, np.int32)), np.int32([2, -3]))
    same(aclnn.InplaceFloorDivides(np.int32([7, -7]), 2.5), np.int32([2, -3]))
    same(aclnn.Atan2(x, y, np.empty(3, np.int32)), np.int32([1, -1, 1]))
    same(aclnn.InplaceAtan2(np.int32([0, -9]), np.int32([-1, 1])), np.int32([3, -1]))


def test_other_functions_of_floats_refuse_integers_as_results() -> None:
    x = np.float32([1, 2])
    for call in (
        lambda out: aclnn.Div(x, x, out),
        lambda out: aclnn.Divs(x, 2, out),
        lambda out: aclnn.DivMods(x, 2, 1, out),
        lambda out: aclnn.PowTensorScalar(x, 2.0, out),
        lambda out: aclnn.LogAddExp(x, x, out),
        lambda out: aclnn.XLogYTensor(x, x, out),
        lambda out: aclnn.Heaviside(x, x, out),
    ):
        with pytest.raises(Exception, match="'out'"):
            call(np.empty(2, np.int32))


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
    a, b = x[:, :200], x[:200]
    product = aclnn.Matmul(a, b, np.empty((500, 700), np.float32), 0)
    np.testing.assert_allclose(product, a @ b, rtol=1e-5, atol=1e-4)


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


def test_take_counts_all_elements() -> None:
    """Also of a view with gaps; an index that leads nowhere gives 0, as with IndexSelect."""
    whole = np.arange(48, dtype=np.float32).reshape(4, 12)
    for x in (whole, whole[::2, ::3], whole.T, whole[::-1, ::-1]):
        flat = x.ravel()
        index = np.int64([[0, 5, 2], [flat.size - 1, -1, -flat.size]])
        same(aclnn.Take(x, index, np.empty((2, 3), np.float32)), flat[index])
        wide = np.int32([7, 0])
        same(aclnn.Take(x, wide, np.empty(4, np.float32)[::2]), flat[wide])
    outside = np.int64([1, 48, -49])
    same(aclnn.Take(whole, outside, np.empty(3, np.float32)), np.float32([1, 0, 0]))
    one = aclnn.Take(whole, np.array(3), np.empty((), np.float32))
    same(one, np.float32(3))
    values = whole.astype(np.complex64) * 1j
    same(aclnn.Take(values, wide, np.empty(2, np.complex64)), values.ravel()[wide])
    for dtype in (np.int8, np.uint16, np.float16, np.bool_, np.float64):
        x = whole.astype(dtype)
        same(aclnn.Take(x, wide, np.empty(2, dtype)), x.ravel()[wide])
    assert aclnn.Take(whole, np.empty(0, np.int64), np.empty(0, np.float32)).shape == (0,)


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


@pytest.mark.parametrize("dtype", [*FLOATS[:2], FLOATS[3], *INTEGERS])
def test_order(dtype: Any) -> None:
    """From reversed and strided views into strided results."""
    x = RANDOM.permutation(60).reshape(3, 4, 5).astype(dtype)[::-1, :, ::-1]
    for dim in (0, 1, -1):
        best, where = np.empty((3, 4, 10), dtype)[..., ::2], np.empty((3, 4, 5), np.int64)
        aclnn.Sort(x, True, dim, False, best, where)
        same(best, np.sort(x, dim))
        same(where, np.argsort(x, dim))
        same(aclnn.Argsort(x, dim, True, where), np.flip(np.argsort(x, dim), dim))
        small = [3, 4, 5]
        small[dim] = 2
        best, where = aclnn.Topk(
            x, 2, dim, False, True, np.empty(small, dtype), np.empty(small, np.int64)
        )
        same(best, np.take(np.sort(x, dim), [0, 1], dim))
        running, where = aclnn.Cummax(
            x, dim, np.empty((3, 4, 5), dtype), np.empty((3, 4, 5), np.int64)
        )
        same(running, np.maximum.accumulate(x, dim))
        same(np.take_along_axis(x, where, dim), running)
        middle = np.empty_like(x.max(dim))
        middle, where = aclnn.MedianDim(x, dim, False, middle, np.empty(middle.shape, np.int64))
        same(middle, np.take(np.sort(x, dim), (x.shape[dim] - 1) // 2, dim))
    same(aclnn.Median(x, np.empty((), dtype)), np.asarray(np.sort(x, None)[29]))
    empty = np.empty((0, 3), dtype)
    aclnn.Sort(empty, False, 0, True, empty, np.empty((0, 3), np.int64))


def test_order_of_equal_elements_and_nan() -> None:
    x = np.float32([np.nan, 1, -0.0, np.nan, 0.0, -np.inf, 1])
    _, where = aclnn.Sort(x, True, 0, False, np.empty(7, np.float32), np.empty(7, np.int64))
    same(where, np.int64([5, 2, 4, 1, 6, 0, 3]))
    same(aclnn.Argsort(x, 0, True, np.empty(7, np.int64)), np.int64([0, 3, 1, 6, 2, 4, 5]))
    assert np.isnan(aclnn.Median(x, np.empty((), np.float32)))
    wide = np.int64([2**53 + 1, 2**53, 2**63 - 1])
    same(aclnn.Argsort(wide, 0, False, np.empty(3, np.int64)), np.int64([1, 0, 2]))


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, np.bool_])
def test_places_and_shapes_known_at_the_end(dtype: Any) -> None:
    """Results lie at the beginning of the room that is given."""
    x = values(dtype, 3, 4, 5)
    found = np.stack(np.nonzero(x), 1)
    room = np.full((60, 3), -1)
    aclnn.Nonzero(x, room)
    same(room[: len(found)], found)
    room = np.full((3, 60), -1)
    aclnn.NonzeroV2(x, room)
    same(room.reshape(-1)[: found.size].reshape(3, -1), found.T)
    kept = np.zeros(60, dtype)
    aclnn.MaskedSelect(x[::-1], x[:, ::-1] != 0, kept)
    same(kept[: len(found)], x[::-1][x[:, ::-1] != 0])
    if dtype in INTEGERS:
        whole, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
        room, back, times = (
            np.zeros(60, dtype),
            np.zeros((3, 4, 5), np.int64),
            np.zeros(60, np.int64),
        )
        aclnn.Unique2(x, True, True, True, room, back, times)
        same(room[: len(whole)], whole)
        same(back, inverse.reshape(3, 4, 5))
        same(times[: len(whole)], counts)


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
def test_writing_to_places(dtype: Any) -> None:
    x, index = values(dtype, 4, 5), RANDOM.integers(0, 4, (3, 5))
    source = values(dtype, 3, 5)
    expected = x.copy()
    for row in range(3):
        for column in range(5):
            expected[index[row, column], column] = source[row, column]
    same(aclnn.Scatter(x, 0, index, source, 0, np.empty((4, 5), dtype)), expected)
    total = x.astype(np.float64)
    np.add.at(total, (index, np.arange(5)), source.astype(np.float64))
    same(aclnn.ScatterAdd(x, 0, index, source, np.empty((4, 5), dtype)), total.astype(dtype))
    target = x.copy()[::-1]
    rows = np.int64([2, 0, 2])
    expected = target.copy()
    np.add.at(expected, rows, source)
    aclnn.IndexPutImpl(target, [rows], source, True, False)
    same(target, expected)
    aclnn.IndexPutImpl(target, [rows, np.int64([1, 2, 3])], np.ones(1, dtype), False, False)
    expected[rows, [1, 2, 3]] = 1
    same(target, expected)
    aclnn.IndexPutImpl(target, [np.int64([99])], np.ones(1, dtype), False, False)
    same(target, expected)
    weight = values(dtype, 4, 6)
    same(aclnn.Embedding(weight, index, np.empty((3, 5, 6), dtype)), weight[index])
    counts = aclnn.Bincount(index.reshape(-1), None, 0, np.empty(4, np.int64))
    same(counts, np.bincount(index.reshape(-1), minlength=4))


@pytest.mark.parametrize("dtype", [*FLOATS[:2], FLOATS[3]])
def test_figures(dtype: Any) -> None:
    x = values(dtype, 3, 4, 5)
    exact = x.astype(np.float64)
    for dims in ([0], [1, 2], []):
        axes = tuple(dims) or None
        shape = exact.sum(axes).shape
        close = {"rtol": 2**-6 if dtype is FLOATS[3] else 2**-9, "atol": 1e-3}
        for got, expected in (
            (aclnn.Std(x, dims, 1, False, np.empty(shape, dtype)), exact.std(axes, ddof=1)),
            (aclnn.VarCorrection(x, dims, 0, False, np.empty(shape, dtype)), exact.var(axes)),
            (aclnn.Norm(x, 2, dims, False, np.empty(shape, dtype)), np.sqrt((exact**2).sum(axes))),
            (
                aclnn.LogSumExp(x, dims, False, np.empty(shape, dtype)),
                np.log(np.exp(exact).sum(axes)),
            ),
        ):
            np.testing.assert_allclose(got.astype(np.float64), expected, **close)
    rows = np.empty((3, 4, 1), np.float32)
    y, mean, scale = aclnn.LayerNorm(
        x, [5], None, None, 1e-5, np.empty((3, 4, 5), dtype), rows, rows.copy()
    )
    np.testing.assert_allclose(mean[..., 0], exact.mean(-1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(scale[..., 0], 1 / np.sqrt(exact.var(-1) + 1e-5), rtol=1e-5)
    normal = (exact - exact.mean(-1, keepdims=True)) / np.sqrt(exact.var(-1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(y.astype(np.float64), normal, rtol=2**-6, atol=1e-2)


def test_remainders_of_a_number_are_rounded_down() -> None:
    """Row W3: a name outside its namespace found libc's remainder, which rounds to the nearest."""
    got = aclnn.RemainderScalarTensor(
        np.float32(5), np.float32([[-1, -2], [-3, -4]]), np.empty((2, 2), np.float32)
    )
    same(got, np.float32([[0, -1], [-1, -3]]))
    got = aclnn.RemainderScalarTensor(np.float64(7), np.float64([4]), np.empty(1))
    same(got, np.float64([3]))


def test_elements_become_the_result_type_before_they_are_reduced() -> None:
    """Row W4, as CANN's operators cast their input."""
    x = np.float32([[2.5, 2.5], [-1.5, 3.9]])
    same(aclnn.ProdDim(x, 1, False, "int32", np.empty(2, np.int32)), np.int32([4, -3]))
    same(aclnn.Prod(x, "int32", np.empty((), np.int32)), np.int32(-12))
    same(aclnn.ReduceSum(x, [1], False, "int32", np.empty(2, np.int32)), np.int32([4, 2]))
    same(aclnn.Cumsum(x, 1, "int32", np.empty((2, 2), np.int32)), np.int32([[2, 4], [-1, 2]]))
    same(aclnn.Cumprod(x, 1, "int32", np.empty((2, 2), np.int32)), np.int32([[2, 4], [-1, -3]]))
    twos = np.full(64, 2, np.int16)
    same(aclnn.Prod(twos, "bool", np.empty((), bool)), np.asarray(True))
    same(aclnn.Prod(twos, "int8", np.empty((), np.int8)), np.int8(0))
    many = np.full(3, 2**31 - 1, np.int32)
    same(aclnn.ReduceSum(many, [], False, "int32", np.empty((), np.int32)), np.int32(2**31 - 3))
    halves = np.float32([1 + 2**-11] * 2)  # 1 in float16
    same(aclnn.ReduceSum(halves, [0], False, "float16", np.empty((), np.float16)), np.float16(2))
    same(aclnn.Mean(halves, [0], False, "float16", np.empty((), np.float16)), np.float16(1))
    norm = aclnn.LinalgVectorNorm(halves, 1, [0], False, "float16", np.empty((), np.float16))
    same(norm, np.float16(2))


@pytest.mark.parametrize("shape", [(1,), (1, 1), ()])
def test_one_element_may_have_any_shape(shape: tuple[int, ...]) -> None:
    """Row F1: CANN's reductions compare the shapes of results of one element no further."""
    x = np.float32([3, 1, 2])
    out, where = np.empty(shape, np.float32), np.empty(shape, np.int64)

    def number(value: float) -> Any:
        return np.full(shape, value, np.float32)

    same(aclnn.Max(x, out), number(3))
    same(aclnn.Min(x, out), number(1))
    same(aclnn.Median(x, out), number(2))
    same(aclnn.Prod(x, "float32", out), number(6))
    same(aclnn.ProdDim(x, 0, False, "float32", out), number(6))
    same(aclnn.ReduceSum(x, [0], True, "float32", out), number(6))
    same(aclnn.Mean(x, [0], False, "float32", out), number(2))
    same(aclnn.aclnnAny(x, [0], False, np.empty(shape, bool)), np.full(shape, True))
    same(aclnn.ArgMax(x, 0, False, where), np.full(shape, 0))
    same(aclnn.ArgMin(x, 0, False, where), np.full(shape, 1))
    for call, value, place in (
        (aclnn.MaxDim, 3, 0),
        (aclnn.MinDim, 1, 1),
        (aclnn.MedianDim, 2, 2),
    ):
        call(x, 0, False, out, where)
        same(out, number(value))
        same(where, np.full(shape, place))
    aclnn.Kthvalue(x, 2, 0, False, out, where)
    same(out, number(2))
    if shape != ():
        for call in (aclnn.Amax, aclnn.Amin):
            with pytest.raises(aq.AclError):
                call(x, [0], False, out)


@pytest.mark.parametrize("count", [31, 32, 33, 200])
def test_any_number_of_tensors_is_joined(count: int) -> None:
    """Row T1: a launch held 32 tensors."""
    parts = [np.full((2, 1), index, np.int32) for index in range(count)]
    same(aclnn.Cat(parts, 1, np.empty((2, count), np.int32)), np.concatenate(parts, 1))
    same(aclnn.Stack(parts, 0, np.empty((count, 2, 1), np.int32)), np.stack(parts))


def test_numbers_are_gathered_like_rows_of_one() -> None:
    """Row T2."""
    number, row = np.asarray(np.float32(4)), np.float32([4])
    zero, zeros = np.asarray(0), np.int64([0, 0])
    same(aclnn.Gather(number, 0, zero, np.empty((), np.float32)), np.float32(4))
    same(aclnn.Gather(number, -1, zeros, np.empty(2, np.float32)), np.float32([4, 4]))
    same(aclnn.Gather(row, 0, zero, np.empty((), np.float32)), np.float32(4))


def test_the_result_of_an_index_has_at_most_eight_dimensions() -> None:
    """Row R3: the kernel counted through more in arrays of eight."""
    wide = np.zeros((1,) * 8, np.float32)
    index = np.zeros((1,) * 8, np.int64)
    with pytest.raises(aq.AclError, match=r"a result of 15 dimensions; allowed: .* at most 8"):
        aclnn.IndexPutImpl(wide, [index], wide, False, False)
    same(aclnn.IndexPutImpl(wide, [index[0, 0, 0, 0, 0, 0, 0]], wide, False, False), wide)


def test_none_of_a_number_are_chosen() -> None:
    """Row R4."""
    empty, places = np.empty(0, np.float32), np.empty(0, np.int64)
    aclnn.Topk(np.float32([5, 6]), 0, 0, True, True, empty, places)
    kept, where = np.float32(7), np.int64(7)
    out, out_where = np.asarray(kept), np.asarray(where)
    aclnn.Topk(np.asarray(np.float32(5)), 0, 0, True, True, out, out_where)
    same(out, kept)
    same(out_where, where)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_numbers_are_copied(dtype: Any) -> None:
    """Row W5: the size of COMPLEX128 was not known to phase 2."""
    x = np.array([1 + 2j, -3j, np.inf], dtype)
    same(aclnn.Cast(x, np.dtype(dtype), np.empty(3, dtype)), x)
    same(aclnn.InplaceCopy(np.empty((2, 3), dtype), x), np.stack([x, x]))


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, np.bool_, np.complex64, np.complex128])
def test_places_in_rows_of_any_length(dtype: Any, dim: int) -> None:
    """Elements are read 1,024 at a time; places recur, are negative, or do not exist."""
    columns = 2500
    kind = np.dtype(dtype).kind
    if kind == "c":
        pick = RANDOM.integers(-9, 10, (2, 4, columns)).astype(np.float64)
        x = (pick[0] + 1j * pick[1]).astype(dtype)
    else:
        x = RANDOM.integers(0, 2 if kind == "b" else 120, (4, columns)).astype(dtype)
    index = RANDOM.integers(-3, 3, (4, columns))
    index[2, ::7] = columns + 5
    sources = x[::-1, ::-1]
    ways = {0: lambda old, new: new, 1: np.add, 2: np.multiply}
    for way, combine in ways.items():
        if (way == 2 and kind in "fc") or (np.dtype(dtype).itemsize == 2 and kind == "V"):
            continue  # products of thousands are infinite
        wide = {"f": np.float64, "V": np.float64, "c": np.complex128}.get(kind, dtype)
        expected = x.astype(wide)
        size = x.shape[dim]
        with np.errstate(over="ignore"):
            for row in range(4):
                for column in range(columns):
                    place = [row, column]
                    place[dim] = int(index[row, column])
                    if not -size <= place[dim] < size:
                        continue
                    at = tuple(place)
                    expected[at] = combine(expected[at], sources[row, column].astype(wide))
        got = aclnn.Scatter(x, dim, index, sources, way, np.empty_like(x))
        same(got, expected.astype(dtype))
        room = np.zeros(x.nbytes + 1, np.uint8)[1:].view(dtype).reshape(x.shape)
        room[...] = x
        same(aclnn.InplaceScatter(room, dim, index.astype(np.int32), sources, way), got)
        if way == 1:
            same(aclnn.ScatterAdd(x, dim, index, sources, np.empty_like(x)), got)


def test_what_comes_together_is_added_exactly() -> None:
    """Row W8: sums in one place are rounded once."""
    bfloat16 = aq.bfloat16.numpy.type
    x = RANDOM.random(64).astype(bfloat16)
    expected = np.asarray([x.astype(np.float64).sum()]).astype(bfloat16)
    nothing, places = np.zeros(1, bfloat16), np.zeros(64, np.int64)
    same(aclnn.ScatterAdd(nothing, 0, places, x, np.empty(1, bfloat16)), expected)
    same(aclnn.IndexAdd(nothing, 0, places, x, 1, np.empty(1, bfloat16)), expected)
    same(aclnn.IndexPutImpl(nothing.copy(), [places], x, True, False), expected)
    powers = np.float16([1 + 2**-10] * 3)
    product = np.asarray([(1 + 2**-10) ** 3]).astype(np.float16)
    same(
        aclnn.Scatter(
            np.ones(1, np.float16), 0, np.zeros(3, np.int64), powers, 2, np.empty(1, np.float16)
        ),
        product,
    )


@pytest.mark.parametrize("shape", [(), (1,), (2, 1, 3)])
def test_one_hot_takes_the_first_element_of_its_values(shape: tuple[int, ...]) -> None:
    """Row W7: CANN checks the types of onValue and offValue only."""
    on, off = np.full(shape, 5, np.int32), np.full(shape, 2, np.int32)
    got = aclnn.OneHot(np.int64([1, 0, 7]), 3, on, off, -1, np.empty((3, 3), np.int32))
    same(got, np.int32([[2, 5, 2], [5, 2, 2], [2, 2, 2]]))


@pytest.mark.parametrize("dtype", [np.float32, aq.bfloat16.numpy.type, np.int32])
@pytest.mark.parametrize("dim", [0, 1, 2])
def test_rows_added_to_rows(dtype: Any, dim: int) -> None:
    """Rows longer than a piece, several for one place, summed exactly and rounded once."""
    shape, index = [5, 4, 2100], np.int64([2, -1, 2, 0, 9, 2, -3])
    x = RANDOM.integers(-9, 10, shape).astype(dtype)
    shape[dim] = len(index)
    source = (RANDOM.integers(-99, 99, shape) / (1 if dtype is np.int32 else 128)).astype(dtype)
    expected = np.moveaxis(x.astype(np.float64), dim, 0).copy()
    for number, place in enumerate(index):
        if place < len(expected):  # one outside adds nothing
            expected[place] += np.moveaxis(source, dim, 0)[number].astype(np.float64) * 2
    got = aclnn.IndexAdd(x, dim, index, source, 2, np.empty_like(x))
    same(got, np.moveaxis(expected, 0, dim).astype(dtype))
    turned = np.asfortranarray(x)
    same(
        aclnn.IndexAdd(turned, dim, index, np.asfortranarray(source), 2, np.asfortranarray(x)), got
    )
    filled = aclnn.IndexFill(x, dim, np.int64([1, -1]), 3, np.empty_like(x))
    expected = np.moveaxis(x.copy(), dim, 0)
    expected[[1, -1]] = 3
    same(filled, np.moveaxis(expected, 0, dim))


def test_rows_put_into_rows() -> None:
    """Whole last dimensions, with the indices before, between and after them."""
    x = RANDOM.integers(-9, 10, (6, 5, 1500)).astype(np.float32)
    i, j = np.int64([[1, 3], [-1, 1]]), np.int64([2, 0])
    for indices, where in (([i], np.s_[i]), ([i, j], np.s_[i, j]), ([x[:0], j], np.s_[:, j])):
        values = RANDOM.integers(-9, 10, x[where].shape).astype(np.float32)
        expected = x.copy()
        np.add.at(expected, where, values)
        same(aclnn.IndexPutImpl(x.copy(), indices, values, True, False), expected)
        expected = x.copy()
        expected[where] = values
        same(aclnn.IndexPutImpl(x.copy(), indices, values, False, False), expected)
    expected = x.copy()
    np.add.at(expected, np.s_[:, j], np.float32(1.5))
    got = aclnn.IndexPutImpl(x.copy(), [x[:0], j], np.float32([1.5]), True, False)
    same(got, expected)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_one_hot_along_any_axis(axis: int) -> None:
    """A neighbour of row W7: CANN takes -1 to the rank of self."""
    self = np.int64([[1, 0, 7], [2, -1, 1]])
    expected = np.moveaxis(self[..., None] == np.arange(3), -1, axis)  # -1 and 7: no class
    got = aclnn.OneHot(
        self[:, ::-1], 3, np.int32([5]), np.int32([2]), axis, np.empty(expected.shape, np.int32)
    )
    found = np.where(expected, np.int32(5), np.int32(2))
    same(got, np.flip(found, 2 if axis in (0, 1) else 1))


def test_places_may_fill_their_room_exactly() -> None:
    x = np.int32([[1, 0], [0, 4]])
    same(aclnn.Nonzero(x, np.empty((2, 2), np.int64)), np.int64([[0, 0], [1, 1]]))
    same(aclnn.NonzeroV2(x, np.empty((2, 2), np.int64)), np.int64([[0, 1], [0, 1]]))
    # What does not fit is left out.
    same(aclnn.Nonzero(x, np.empty((1, 2), np.int64)), np.int64([[0, 0]]))


def test_products_added_and_masked() -> None:
    a, b = (RANDOM.standard_normal(shape).astype(np.float32) for shape in ((4, 6), (6, 5)))
    c = np.float32([np.nan, 1, 2, 3, 4])
    close = {"rtol": 1e-5, "atol": 1e-5}
    got = aclnn.Addmm(c, a.T.copy().T, b[::-1][::-1], 0, 2, np.empty((4, 5), np.float32), 0)
    np.testing.assert_allclose(got, 2 * (a @ b), **close)
    got = aclnn.Addmm(c[1:2], a, b, 3, 1, np.empty((4, 5), np.float32), 0)
    np.testing.assert_allclose(got, a @ b + 3, **close)
    x = np.float32([[1, 2, 3], [4, 5, 6]])
    same(aclnn.Roll(x, [1, -1], [0, 1], np.empty((2, 3), np.float32)), np.roll(x, (1, -1), (0, 1)))
    same(
        aclnn.ConstantPadNd(x, [1, -1, 0, 1], 7, np.empty((3, 3), np.float32)),
        np.float32([[7, 1, 2], [7, 4, 5], [7, 7, 7]]),
    )
    same(aclnn.LeftShifts(np.int8([1, -3, 100]), 2, np.empty(3, np.int8)), np.int8([4, -12, -112]))
    same(aclnn.Lerps(x, x[::-1], 1, np.empty((2, 3), np.float32)), x[::-1])
    ones = np.ones(1000, np.float32)
    mask = aclnn.DropoutGenMaskV2([1000], 0.5, 3, 0, "float32", np.empty(128, np.uint8))
    kept = aclnn.DropoutDoMask(ones, mask, 0.5, np.empty(1000, np.float32))
    same(kept, 2 * np.unpackbits(mask, bitorder="little")[:1000].astype(np.float32))
    assert 400 < np.count_nonzero(kept) < 600


def test_sequences_that_include_their_end() -> None:
    for start, end, step, dtype in (
        (0, 10, 2, np.float32), (1.5, -1, -0.5, np.float64), (-3, 3, 1, np.int32),
        (5, 5, 7, np.int64), (0, 1, 0.25, np.float16), (-1.5, 1, 1, FLOATS[3]),
    ):  # fmt: skip
        expected = start + step * np.arange(int((end - start) // step) + 1)
        memory = np.full(2 * len(expected), 77, dtype)
        aclnn.Range(start, end, step, memory[::2])
        same(memory[::2], expected.astype(dtype))
        same(memory[1::2], np.full(len(expected), 77, dtype))


def test_diagonals() -> None:
    for dtype in (np.float32, np.int8, np.complex64, np.bool_, FLOATS[3]):
        for diagonal in (0, 1, -2, 4, -3):
            line = RANDOM.integers(0, 2, 6).astype(dtype)[::2]
            size = 3 + abs(diagonal)
            out = aclnn.Diag(line, diagonal, np.empty((size, size), dtype))
            same(out, np.diag(line, diagonal))
            table = RANDOM.integers(0, 2, (4, 3)).astype(dtype).T
            expected = np.diag(table, diagonal)
            same(aclnn.Diag(table, diagonal, np.empty(expected.shape, dtype)), expected)
    one = np.array(5, np.float32)
    same(aclnn.Diag(one, -1, np.empty((2, 2), np.float32)), np.float32([[0, 0], [5, 0]]))
    nothing = np.empty(0, np.float32)
    same(aclnn.Diag(nothing, 2, np.ones((2, 2), np.float32)), np.zeros((2, 2), np.float32))


def test_variances_by_whether_they_are_unbiased() -> None:
    x = RANDOM.standard_normal((3, 5, 7)).astype(np.float32)
    for unbiased in (False, True):
        expected = x.astype(np.float64).var((0, 2), ddof=int(unbiased))
        got = aclnn.Var(x, (0, -1), unbiased, False, np.empty(5, np.float32))
        np.testing.assert_allclose(got, expected, 1e-6)
        whole = aclnn.Var(x, None, unbiased, True, np.empty((1, 1, 1), np.float32))
        np.testing.assert_allclose(
            whole[0, 0, 0], x.astype(np.float64).var(ddof=int(unbiased)), 1e-6
        )
    assert np.isnan(aclnn.Var(x[:1], (0,), True, False, np.empty((5, 7), np.float32))).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float16, FLOATS[3]])
@pytest.mark.parametrize(
    "sizes", [(1, 1, 1), (3, 5, 7), (96, 32, 256), (97, 33, 257), (200, 515, 300)]
)
@pytest.mark.parametrize("turned", [False, True])
def test_products_of_matrices(dtype: Any, sizes: tuple[int, int, int], turned: bool) -> None:
    """From plain, transposed and stepped matrices, against double precision."""
    rows, columns, depth = sizes
    a = RANDOM.standard_normal((rows, depth)).astype(dtype)
    b = RANDOM.standard_normal((depth, columns)).astype(dtype)
    a, b = (a.T.copy().T, b.T.copy().T) if turned else (a, b)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    close = {"rtol": 2 * float(ml_dtypes.finfo(dtype).eps), "atol": 1e-4 * depth**0.5}
    got = aclnn.Matmul(a, b, np.empty((rows, columns), dtype), 0)
    np.testing.assert_allclose(got.astype(np.float64), exact, **close)
    stepped = np.empty((columns, 2 * rows), dtype)[:, ::2].T
    aclnn.Mm(np.repeat(a, 2, 1)[:, ::2], b, stepped, 0)
    np.testing.assert_allclose(stepped.astype(np.float64), exact, **close)
    stack = np.stack([a, 2 * a])
    got = aclnn.BatchMatMul(stack, np.stack([b, b]), np.empty((2, rows, columns), dtype), 0)
    np.testing.assert_allclose(got.astype(np.float64), np.stack([exact, 2 * exact]), **close)
    got = aclnn.Mv(a, b[:, 0].copy(), np.empty(rows, dtype), 0)
    np.testing.assert_allclose(got.astype(np.float64), exact[:, 0], **close)


OWN_PRODUCTS = """
import numpy as np
from aclquant import aclnn

random = np.random.default_rng(5)
sizes = ((1, 1, 1), (3, 5, 7), (96, 32, 256), (97, 33, 257), (200, 1100, 300))
few = ((1, 1500, 333), (4, 2000, 129), (2, 3, 64))
for rows, columns, depth in sizes + few:
    a = random.standard_normal((rows, depth)).astype(np.float32)
    b = random.standard_normal((depth, columns)).astype(np.float32)
    for x, y in ((a, b), (a.T.copy().T, b), (a, b.T.copy().T), (a.T.copy().T, b.T.copy().T)):
        got = aclnn.Matmul(x, y, np.empty((rows, columns), np.float32), 0)
        np.testing.assert_allclose(got, a.astype(float) @ b, rtol=1e-5, atol=1e-4 * depth**0.5)
"""


def test_products_without_a_library() -> None:
    run_python(OWN_PRODUCTS, ACLQUANT_HOST_BLAS="own", ACLQUANT_BACKEND="host")


def test_reductions_of_rows_side_by_side() -> None:
    """Memory is walked in order; one place is reduced in parts."""
    x = RANDOM.integers(-99, 99, (7, 300, 513)).astype(np.float32)
    for axis in ((0,), (1,), (0, 1), (1, 2), (0, 1, 2), (2,)):
        shape = x.sum(axis).shape
        for dtype in (np.float32, np.int64):
            got = aclnn.ReduceSum(x, axis, False, np.dtype(dtype), np.empty(shape, dtype))
            same(got, x.sum(axis, dtype=np.float64).astype(dtype))
        same(aclnn.Amax(x, axis, False, np.empty(shape, np.float32)), x.max(axis))
        same(aclnn.Amin(x[:, ::-1], axis, False, np.empty(shape, np.float32)), x[:, ::-1].min(axis))
    assert np.isnan(
        aclnn.Amax(np.float32([[1, np.nan], [2, 3]]), [0], False, np.empty(2, np.float32))[1]
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8, np.int64, np.complex128])
def test_transposed_copies(dtype: Any) -> None:
    x = np.arange(3 * 65 * 130).reshape(3, 65, 130).astype(dtype)
    y = np.empty((3, 130, 65), dtype)
    same(aclnn.InplaceCopy(y, x.transpose(0, 2, 1)), np.ascontiguousarray(x.transpose(0, 2, 1)))


def test_sinc() -> None:
    x = np.float32([[0, 0.5, -0.5], [1.5, np.nan, np.inf]])
    with np.errstate(invalid="ignore"):
        expected = np.sinc(x.astype(np.float64))
    for dtype in FLOATS:
        given = x.astype(dtype)
        same(aclnn.Sinc(given.T, np.empty((3, 2), dtype)), expected.astype(dtype).T)
        same(aclnn.InplaceSinc(given), expected.astype(dtype))
    whole = np.int32([0, 1, -3])
    same(aclnn.Sinc(whole, np.empty(3, np.float32)), np.sinc(whole).astype(np.float32))
    with pytest.raises(aq.AclError, match="argument 'out'"):
        aclnn.Sinc(whole, np.empty(3, np.int32))


@pytest.mark.parametrize("dtype", [*FLOATS[:2], FLOATS[3]])
def test_hardswish_backward(dtype: Any) -> None:
    """CANN's formula: both edges belong to the middle piece."""
    x = np.array([-np.inf, -4, -3, -1, 0, 1, 3, 3.5, np.inf, np.nan], dtype)
    slope = np.array([2, np.inf, 1, -1, 5, 0.5, -3, 7, 2, 1], dtype)
    with np.errstate(invalid="ignore"):
        wide = x.astype(np.float64)
        middle = slope.astype(np.float64) * (wide / 3 + 0.5)
    expected = np.where(wide < -3, 0, np.where(wide > 3, slope.astype(np.float64), middle))
    expected = expected.astype(dtype)
    same(aclnn.HardswishBackward(slope, x, np.empty(10, dtype)), expected)
    turned = slope.reshape(2, 5).T, x.reshape(2, 5).T
    same(aclnn.HardswishBackward(*turned, np.empty((5, 2), dtype)), expected.reshape(2, 5).T)


def test_complex_arithmetic() -> None:
    """Row W6: what CANN's lists for the 910B take."""
    x, y = np.complex64([1 + 2j, -3j, 2]), np.complex64([2 - 1j, 4, 1j])
    out = np.empty(3, np.complex64)
    same(aclnn.Add(x, y, 2, out), x + 2 * y)
    same(aclnn.Mul(x, y, out), x * y)
    for got, expected in (
        (aclnn.Div(x, y, out.copy()), x / y),
        (aclnn.Divs(x, 2, out.copy()), x / 2),
        (aclnn.Rsqrt(x, out.copy()), 1 / np.sqrt(x)),
        (aclnn.Sigmoid(x, out.copy()), 1 / (1 + np.exp(-x))),
        (aclnn.SigmoidBackward(x, y, out.copy()), x * y * (1 - y)),
        (aclnn.PowTensorScalar(x, 2, out.copy()), x**2),
        (aclnn.ReduceSum(x, [0], False, "complex64", np.empty((), np.complex64)), x.sum()),
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-6)
    same(aclnn.Abs(x, np.empty(3, np.float32)), np.abs(x.astype(np.complex128)).astype(np.float32))
    same(aclnn.Stack([x, y], 0, np.empty((2, 3), np.complex64)), np.stack([x, y]))
    same(aclnn.IndexSelect(x, 0, np.int64([2, 0]), np.empty(2, np.complex64)), x[[2, 0]])
    same(
        aclnn.Cast(np.float32([1, 2, 3]), "complex128", np.empty(3, np.complex128)),
        np.complex128([1, 2, 3]),
    )
    same(aclnn.InplaceZero(x.copy()), np.zeros(3, np.complex64))
    same(aclnn.EqTensor(x, x, np.empty(3, bool)), np.full(3, True))
    filled = aclnn.ScatterValue(x, 0, np.int64([1]), 5, 0, out)
    same(filled, np.complex64([1 + 2j, 5, 2]))
    with pytest.raises(aq.AclError, match="argument 'out'"):
        aclnn.Add(x, y, 1, np.empty(3, np.float32))


def test_gelu_goes_through_a_hyperbolic_tangent() -> None:
    """Row 7 of the clients: a value of op-plugin's own test, which expects CANN's formula."""
    x = np.linspace(-8, 8, 999, dtype=np.float32)
    wide = x.astype(np.float64)
    inner = np.sqrt(2 / np.pi) * (wide + 0.044715 * wide**3)
    tangent = np.tanh(inner)
    slope = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * wide**2) * (1 - tangent**2)
    out, exact, grad = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    aclnn.Gelu(x, out)
    np.testing.assert_allclose(out, wide / (1 + np.exp(-2 * inner)), rtol=1e-6)
    aclnn.GeluV2(x, 1, grad)
    np.testing.assert_array_equal(grad, out)
    aclnn.GeluV2(x, 0, exact)
    assert 1e-4 < np.abs(exact - out).max() < 1e-3
    aclnn.GeluBackward(np.ones_like(x), x, grad)
    np.testing.assert_allclose(grad, (1 + tangent + wide * slope) / 2, rtol=1e-6, atol=1e-13)


@pytest.mark.parametrize("target", ["int64", "bool"])
def test_results_hold_what_is_computed(target: str) -> None:
    """Row T3: a promoted type that cannot be cast to the result is refused."""
    x = np.ones(3, target)
    with pytest.raises(aq.AclError, match="FLOAT can't be cast to the desired output type"):
        aclnn.InplaceAdd(x, np.ones(3, np.float32), 1)
    with pytest.raises(aq.AclError, match="may be cast"):
        aclnn.Mul(x, np.ones(3, np.float32), x)
    if target == "bool":
        with pytest.raises(aq.AclError, match="may be cast"):
            aclnn.Mul(x, np.ones(3, np.int32), x)


def test_random_words_are_those_of_philox() -> None:
    """Row W9: the published vectors of Philox 4x32-10, and one mask for both ways of a dropout."""
    bits = aclnn.InplaceRandom(np.empty(2, np.int64), 0, 2**62, 0, 0).view(np.uint64)
    words = np.uint64([0xE169C58D_6627E8D5, 0x9B00DBD8_BC57AC4C])  # counter 0, key 0
    same(bits, words % np.uint64(2**62))
    drawn = aclnn.InplaceUniform(np.empty(4, np.float32), 0.0, 1.0, 0, 0)
    first = np.uint32([0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8])
    same(drawn, ((first >> 8) / np.float64(2**24)).astype(np.float32))
    mask = aclnn.DropoutGenMaskV2([1000], 0.3, 7, 12, "float32", np.empty(128, np.uint8))
    kept = aclnn.InplaceBernoulli(np.empty(1000, np.float32), 0.7, 7, 12)
    same(np.unpackbits(mask, bitorder="little")[:1000], kept.astype(np.uint8))
    # The same into a result beside self, which gives the shape and the type.
    model = np.empty((10, 100), np.int32)
    kept = kept.reshape(10, 100).astype(np.int32)
    same(aclnn.Bernoulli(model, 0.7, 7, 12, np.empty_like(model)), kept)
    everywhere = np.array(0.7)
    same(aclnn.BernoulliTensor(model, everywhere, 7, 12, np.empty_like(model)), kept)
    rows = np.linspace(0, 1, 10, dtype=np.float32)[:, None]
    drawn = aclnn.InplaceBernoulliTensor(model.copy(), rows, 7, 12)
    same(aclnn.BernoulliTensor(model, rows, 7, 12, np.empty_like(model)), drawn)
    assert not drawn[0].any()
    assert drawn[9].all()
    assert 0 < drawn[4].sum() < 100


def test_a_power_of_a_half_is_a_square_root() -> None:
    x = np.float32([-np.inf, 4, np.nan, -1])
    same(
        aclnn.PowTensorScalar(x, 0.5, np.empty(4, np.float32)),
        np.float32([np.nan, 2, np.nan, np.nan]),
    )


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
        (lambda x: aclnn.Cat([], 0, x), "argument 'tensors': got none"),
        (lambda x: aclnn.Softmax(x, 2, x), "argument 'dim': got 2"),
        (lambda x: aclnn.Topk(x, 4, 0, True, True, x, x), "argument 'k': got 4"),
        (
            lambda x: aclnn.Sort(x, True, 0, False, x, np.zeros(2, int)),
            "argument 'indicesOut': got shape (2,)",
        ),
        (lambda x: aclnn.Nonzero(x, x), "argument 'out': got dtype FLOAT"),
        (lambda x: aclnn.Addcmul(x, x, x[:2], 1, x), "argument 'tensor2': got shape (2,)"),
        (lambda x: aclnn.Scatter(x, 0, x, x, 0, x), "argument 'index': got dtype FLOAT"),
        (lambda x: aclnn.IndexPutImpl(x, [], x, False, False), "argument 'indices': got 0 tensors"),
        (lambda x: aclnn.MseLoss(x, x, 3, x), "argument 'reduction': got 3"),
        (lambda x: aclnn.GeluV2(x, 2, x), "argument 'approximate': got 2"),
        (
            lambda x: aclnn.LayerNorm(x, [2], None, None, 0.0, x, None, None),
            "argument 'normalizedShape': got (2,)",
        ),
        (lambda x: aclnn.ConstantPadNd(x, [1], 0, x), "argument 'pad': got 1 numbers"),
        (lambda x: aclnn.LeftShifts(x, 1, x), "argument 'self': got dtype FLOAT"),
    ],
)
def test_refusals_name_the_argument(call: Any, sentence: str) -> None:
    with pytest.raises(aq.AclError) as caught:
        call(np.zeros(3, np.float32))
    assert sentence in str(caught.value)
