"""Operators that several clients name and that are a few lines each, against NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from ops.test_everyday import same, values

import aclquant as aq
from aclquant import aclnn

RANDOM = np.random.default_rng(11)


def close(got: Any, expected: Any) -> None:
    np.testing.assert_allclose(got, np.asarray(expected), rtol=3e-7, atol=1e-30)


def one(name: str, x: Any, *numbers: Any) -> Any:
    return getattr(aclnn, name)(x, *numbers, np.empty(x.shape, np.float32))


X = np.float32([-np.inf, -4, -3, -0.5, -0.0, 0.25, 0.5, 3, 5, np.inf, np.nan])


def test_activations_and_their_gradients() -> None:
    x = X[1:-2].astype(np.float64)
    single, grad = X[1:-2], np.float32(np.arange(1, len(x) + 1))
    sigmoid = 1 / (1 + np.exp(-x))
    close(one("FastGelu", single), x / (1 + np.exp(-1.702 * x)))
    close(one("Softshrink", single, 0.5), np.sign(x) * np.maximum(np.abs(x) - 0.5, 0))
    close(one("Hardshrink", single, 0.5), np.where(np.abs(x) > 0.5, x, 0))
    close(one("Celu", single, 2.0), np.where(x > 0, x, 2 * np.expm1(x / 2)))
    selu = 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))
    close(one("Selu", single), selu)
    out = np.empty_like(single)
    close(aclnn.LogSigmoidForward(single, out, np.empty(0, np.float32))[0], np.log(sigmoid))
    close(aclnn.LogSigmoidBackward(grad, single, single, out), grad * (1 - sigmoid))
    close(aclnn.HardsigmoidBackward(grad, single, out), np.where((x > -3) & (x < 3), grad / 6, 0))
    for name, number, inside in (
        ("Softshrink", 0.5, np.abs(x) <= 0.5),
        ("Hardshrink", 0.5, np.abs(x) <= 0.5),
    ):
        got = getattr(aclnn, name + "Backward")(grad, single, number, out)
        close(got, np.where(inside, 0, grad))

    def slope(f: Any) -> Any:
        return (f(x + 1e-6) - f(x - 1e-6)) / 2e-6

    for name, f in (
        ("Mish", lambda v: v * np.tanh(np.log1p(np.exp(v)))),
        ("FastGelu", lambda v: v / (1 + np.exp(-1.702 * v))),
    ):
        got = getattr(aclnn, name + "Backward")(grad, single, out)
        np.testing.assert_allclose(got, grad * slope(f), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        aclnn.SeluBackward(grad, np.float32(selu), out),
        grad * np.where(selu > 0, 1.0507009873554805, selu + 1.7580993408473766),
        rtol=1e-6,
    )
    with pytest.raises(aq.ParameterError, match="'lambd'"):
        aclnn.Softshrink(single, -1.0, out)


def test_prelu_and_glu() -> None:
    x = values(np.float32, 2, 3, 4)
    weight = np.float32([0.25, 0.5, 2])
    spread = weight[None, :, None]
    same(aclnn.Prelu(x, weight, np.empty_like(x)), np.where(x > 0, x, x * spread))
    same(aclnn.Prelu(x, weight[:1], np.empty_like(x)), np.where(x > 0, x, x * weight[0]))
    grad = values(np.float32, 2, 3, 4)
    got, got_weight = aclnn.PreluBackward(grad, x, weight, np.empty_like(x), np.empty_like(weight))
    same(got, np.where(x > 0, grad, grad * spread))
    same(got_weight, np.where(x > 0, 0, grad * x).sum((0, 2)).astype(np.float32))
    a, b = (part.astype(np.float64) for part in np.split(x, 2, -1))
    gate = 1 / (1 + np.exp(-b))
    close(aclnn.Glu(x, -1, np.empty((2, 3, 2), np.float32)), a * gate)
    grad = values(np.float32, 2, 3, 2)
    expected = np.concatenate([grad * gate, grad * a * gate * (1 - gate)], -1)
    got = aclnn.GluBackward(grad, x, 2, np.empty_like(x))
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)
    with pytest.raises(aq.ParameterError, match="even size"):
        aclnn.Glu(x, 1, np.empty((2, 1, 4), np.float32))


@pytest.mark.parametrize("reduction", [0, 1, 2])
def test_losses(reduction: int) -> None:
    x = np.float32([[0.1, 0.9], [0.5, 0.25]])
    y = np.float32([[0, 1], [1, 0.5]])
    w = np.float32([1, 3])
    wide, target = x.astype(np.float64), y.astype(np.float64)
    out = np.empty(() if reduction else (2, 2), np.float32)
    grad = np.full((), 2, np.float32) if reduction else np.float32([[1, 2], [3, 4]])
    share = 1 / 4 if reduction == 1 else 1

    def total(each: Any) -> Any:
        return (each, each.mean(), each.sum())[reduction]

    each = -w * (target * np.log(wide) + (1 - target) * np.log1p(-wide))
    close(aclnn.BinaryCrossEntropy(x, y, w, reduction, out), total(each))
    slope = grad * share * w * (wide - target) / (wide * (1 - wide))
    close(aclnn.BinaryCrossEntropyBackward(grad, x, y, w, reduction, np.empty_like(x)), slope)
    sigmoid = 1 / (1 + np.exp(-wide))
    each = -(w * target * np.log(sigmoid) + (1 - target) * np.log1p(-sigmoid))
    got = aclnn.BinaryCrossEntropyWithLogits(x, y, None, w, reduction, out)
    close(got, total(each))
    slope = grad * share * ((w * target + 1 - target) * sigmoid - w * target)
    got = aclnn.BinaryCrossEntropyWithLogitsBackward(
        grad, x, y, None, w, reduction, np.empty_like(x)
    )
    np.testing.assert_allclose(got, slope, rtol=1e-6)
    each = np.log1p(np.exp(-wide * target))
    close(aclnn.SoftMarginLoss(x, y, reduction, out), total(each))
    slope = grad * share * -target / (1 + np.exp(wide * target))
    close(aclnn.SoftMarginLossBackward(grad, x, y, reduction, np.empty_like(x)), slope)
    with np.errstate(all="ignore"):
        each = np.where(target > 0, target * (np.log(target) - wide), 0)
    close(aclnn.KlDiv(x, y, reduction, False, out), total(each))
    close(
        aclnn.KlDivBackward(grad, x, y, reduction, False, np.empty_like(x)), -grad * target * share
    )
    close(aclnn.KlDiv(x, y, reduction, True, out), total(np.exp(target) * (target - wide)))


def test_one_and_two_elements() -> None:
    with np.errstate(all="ignore"):
        same(aclnn.IsInf(X, np.empty(11, bool)), np.isinf(X))
        y = np.linspace(-1, 1, 41)
        x = aclnn.Erfinv(y.astype(np.float32), np.empty(41, np.float32))
        assert x[0] == -np.inf
        assert x[-1] == np.inf
        np.testing.assert_allclose(
            [math.erf(v) for v in x.astype(float)], y.astype(np.float32), rtol=1e-6, atol=1e-7
        )
        tiny = np.float32([1e-30, -1e-30, 0.0, 2, 0.9999999])
        got = aclnn.Erfinv(tiny, np.empty(5, np.float32))
        close(got[:2], tiny[:2] * (math.sqrt(math.pi) / 2))
        assert got[2] == 0
        assert np.isnan(got[3])
        np.testing.assert_allclose(math.erfc(float(got[4])), 1 - float(tiny[4]), rtol=2e-6)
        a, b = X, X[::-1].copy()
        close(aclnn.LogAddExp(a, b, np.empty_like(a)), np.logaddexp(a.astype(float), b))
        close(aclnn.LogAddExp2(a, b, np.empty_like(a)), np.logaddexp2(a.astype(float), b))
        same(aclnn.Heaviside(a, b, np.empty_like(a)), np.heaviside(a, b))
        expected = np.where(np.isnan(b), b, np.where(a == 0, 0, a * np.log(b.astype(float))))
        close(aclnn.XLogYTensor(a, b, np.empty_like(a)), expected)
        close(aclnn.XLogYScalarOther(a, 2.0, np.empty_like(a)), a * np.log(2.0))
        close(aclnn.XLogYScalarSelf(2.0, b, np.empty_like(b)), 2 * np.log(b.astype(float)))
        same(aclnn.AddRelu(a, b, 2.0, np.empty_like(a)), np.maximum(a + 2 * b, 0))
    m, n = np.int32([12, -12, 0, 7, 0]), np.int32([18, 18, 5, 13, 0])
    same(aclnn.Gcd(m, n, np.empty_like(m)), np.gcd(m, n))
    z = np.complex64([1 + 2j, -3j])
    same(aclnn.Real(z, np.empty(2, np.float32)), z.real)
    same(aclnn.Complex(z.real.copy(), z.imag.copy(), np.empty(2, np.complex64)), z)
    got = aclnn.Polar(np.float32([2, 1]), np.float32([0, np.pi]), np.empty(2, np.complex64))
    np.testing.assert_allclose(got, [2, -1], atol=1e-7)
    x = np.float32([1.005, 2.5, -1234.5678, np.inf])
    same(aclnn.RoundDecimals(x, 2, np.empty_like(x)), np.float32([1, 2.5, -1234.57, np.inf]))
    same(aclnn.RoundDecimals(x, -2, np.empty_like(x)), np.float32([0, 0, -1200, np.inf]))
    same(aclnn.InplaceRoundDecimals(np.int32([151, -149]), -1), np.int32([150, -150]))


def test_reductions() -> None:
    x = values(np.float32, 3, 4, 2)
    x[0, 1] = np.nan
    out = np.empty((3, 2), np.float32)
    same(aclnn.ReduceNansum(x, [1], False, "float32", out), np.nansum(x, 1))
    low, high = aclnn.AminmaxDim(x, 1, False, np.empty_like(out), np.empty_like(out))
    same(low, x.min(1))
    same(high, x.max(1))
    low, high = aclnn.AminmaxAll(x[1:], np.empty((), np.float32), np.empty((), np.float32))
    assert (low, high) == (x[1:].min(), x[1:].max())
    low, high = aclnn.Aminmax(x, [0, -1], True, *np.empty((2, 1, 4, 1), np.float32))
    same(low, x.min((0, 2), keepdims=True))
    m = values(np.int32, 3, 5)
    assert aclnn.Trace(m, np.empty((), np.int64)) == np.trace(m)


def test_parts_and_places() -> None:
    x = values(np.float32, 4, 6)
    parts = [np.empty((4, n), np.float32) for n in (1, 3, 2)]
    aclnn.SplitWithSize(x, [1, 3, 2], 1, parts)
    for got, expected in zip(parts, np.split(x, [1, 4], 1), strict=True):
        same(got, expected)
    parts = [np.empty((n, 6), np.float32) for n in (3, 1)]
    aclnn.SplitTensor(x, 3, 0, parts)
    same(parts[1], x[3:])
    same(
        aclnn.Expand(x[:1], [2, 3, -1], np.empty((2, 3, 6), np.float32)), np.tile(x[:1], (2, 3, 1))
    )
    whole = values(np.int16, 2, 3, 4)
    for axis, shape in ((0, (1, 24)), (1, (2, 12)), (-1, (6, 4))):
        same(aclnn.Flatten(whole, axis, np.empty(shape, np.int16)), whole.reshape(shape))
    index = np.int64([[0, -1], [7, 23]])
    same(aclnn.Take(whole, index, np.empty((2, 2), np.int16)), np.take(whole, index))
    for accumulate, expected in ((False, [2, 0, 4]), (True, [4, 0, 4])):
        y = np.float32([1, 0, 0])
        aclnn.InplacePut(y, np.int64([0, 0, -1]), np.float32([1, 2, 4]), accumulate)
        assert y.tolist() == expected
    where = np.int64([[1, 2], [-1, 0]])
    nd = whole.astype(np.int32)
    same(aclnn.GatherNd(nd, where, True, np.empty((2, 4), np.int32)), nd[[1, -1], [2, 0]])
    mask = np.array([[True], [False], [True], [True]])
    y = x.copy()
    aclnn.InplaceMaskedScatter(y, mask, np.float32(range(18)))
    expected = x.copy()
    expected[[0, 2, 3]] = np.arange(18).reshape(3, 6)
    same(y, expected)
    repeats = np.int64([2, 0, 1, 3])
    got = aclnn.RepeatInterleaveWithDim(x, repeats, 0, 6, np.empty((6, 6), np.float32))
    same(got, np.repeat(x, repeats, 0))
    got = aclnn.RepeatInterleave(x[0], np.int64([2]), 12, np.empty(12, np.float32))
    same(got, np.repeat(x[0], 2))


@pytest.mark.parametrize("shape", [(7, 3), (3, 7), (4, 4, 4)])
@pytest.mark.parametrize("wrap", [False, True])
def test_diagonals(shape: tuple[int, ...], wrap: bool) -> None:
    x, expected = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    np.fill_diagonal(expected, 5, wrap=wrap)
    same(aclnn.InplaceFillDiagonal(x, 5, wrap), expected)


@pytest.mark.parametrize("right", [False, True])
def test_searches(right: bool) -> None:
    row = np.float32([1, 2, 2, 4, np.nan])
    x = np.float32([[0, 1, 2, 3], [4, 5, np.nan, 2]])
    expected = np.searchsorted(row, x, "right" if right else "left")
    same(aclnn.SearchSorted(row, x, False, right, None, np.empty((2, 4), np.int64)), expected)
    got = aclnn.Bucketize(x, row, True, right, np.empty((2, 4), np.int32))
    same(got, expected.astype(np.int32))
    assert aclnn.SearchSorteds(row, 2.0, False, right, None, np.empty((), np.int64)) == (
        3 if right else 1
    )
    rows = np.sort(values(np.int64, 2, 6), 1)
    order = np.argsort(rows[:, ::-1], 1, kind="stable")
    wanted = values(np.int64, 2, 3)
    got = aclnn.SearchSorted(
        rows[:, ::-1].copy(), wanted, False, right, order, np.empty((2, 3), np.int64)
    )
    same(
        got,
        np.stack(
            [
                np.searchsorted(*pair, "right" if right else "left")
                for pair in zip(rows, wanted, strict=True)
            ]
        ),
    )


def test_norms_and_distances() -> None:
    x = values(np.float32, 3, 4, 5)
    wide = x.astype(np.float64)
    norms = np.sqrt((wide**2).sum((0, 2), keepdims=True))
    expected = np.where(norms > 2, wide * 2 / (norms + 1e-7), wide)
    close(aclnn.Renorm(x, 2.0, 1, 2.0, np.empty_like(x)), expected)
    table = values(np.float32, 4, 6)
    expected = table.astype(np.float64)
    for row in (1, 3):
        size = np.abs(expected[row]).sum()
        expected[row] *= min(1, 1.5 / (size + 1e-7))
    close(aclnn.EmbeddingRenorm(table, np.int64([3, 1, 3]), 1.5, 1.0), expected)
    a, b = values(np.float32, 2, 3, 4), values(np.float32, 5, 4)
    apart = np.abs(a[:, :, None].astype(np.float64) - b[None, None])
    for p, distance in (
        (2.0, np.sqrt((apart**2).sum(-1))),
        (1.0, apart.sum(-1)),
        (np.inf, apart.max(-1)),
        (0.0, (apart != 0).sum(-1)),
        (3.0, (apart**3).sum(-1) ** (1 / 3)),
    ):
        close(aclnn.Cdist(a, b, p, 2 if p == 2 else 0, np.empty((2, 3, 5), np.float32)), distance)


def test_matrices() -> None:
    x = RANDOM.standard_normal((2, 4, 4)).astype(np.float32)
    wide = x.astype(np.float64)
    got = aclnn.Inverse(x, np.empty_like(x))
    np.testing.assert_allclose(got, np.linalg.inv(wide), rtol=1e-6)
    sign, logarithm = aclnn.Slogdet(x, *np.empty((2, 2), np.float32))
    np.testing.assert_allclose((sign, logarithm), np.linalg.slogdet(wide), rtol=1e-6)
    flat = np.zeros((3, 3), np.float32)
    singular = aclnn.Slogdet(flat, np.empty((), np.float32), np.empty((), np.float32))
    assert [float(v) for v in singular] == [0, -np.inf]
    a, b = values(np.int32, 4, 3), values(np.int32, 1, 3)
    same(aclnn.LinalgCross(a, b, 1, np.empty((4, 3), np.int32)), np.cross(a, b))
    same(
        aclnn.Sum([x, x[:1], np.full((), 3, np.float32)], np.empty_like(x)),
        (wide + wide[:1] + 3).astype(np.float32),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 4, 4)])
@pytest.mark.parametrize("mode", ["reduced", "complete", "r"])
def test_decompositions(dtype: Any, shape: tuple[int, ...], mode: str) -> None:
    x = RANDOM.standard_normal(shape).astype(dtype)
    if dtype == np.complex128:
        x += 1j * RANDOM.standard_normal(shape)
    expected = np.linalg.qr(x.astype(np.complex128 if dtype == np.complex128 else np.float64), mode)
    r = expected if mode == "r" else expected[1]
    q = np.empty(0, dtype) if mode == "r" else np.empty(expected[0].shape, dtype)
    number = ["reduced", "complete", "r"].index(mode)
    got_q, got_r = aclnn.LinalgQr(x, number, q, np.empty(r.shape, dtype))
    np.testing.assert_allclose(got_r, r, rtol=1e-5, atol=1e-6)
    if mode != "r":
        np.testing.assert_allclose(got_q, expected[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("bij, bjk -> bik", [(2, 2, 3), (2, 3, 4)]),
        ("ii->i", [(3, 3)]),
        ("ij", [(2, 3)]),
        ("ba", [(2, 3)]),
        ("i,j,ij->", [(2,), (3,), (2, 3)]),
    ],
)
def test_sums_over_letters(equation: str, shapes: list[tuple[int, ...]]) -> None:
    tensors = [values(np.int32, *shape) for shape in shapes]
    expected = np.einsum(equation, *tensors)
    same(aclnn.Einsum(tensors, equation, np.empty(expected.shape, np.int32)), expected)
    with pytest.raises(aq.ParameterError, match="'equation'"):
        aclnn.Einsum(tensors, equation + "?", np.empty(expected.shape, np.int32))


def test_runs() -> None:
    x = np.int32([[1, 1], [1, 1], [2, 2], [1, 1]])
    value, inverse, counts = (
        np.empty(8, np.int32),
        np.empty((4, 2), np.int64),
        np.empty(8, np.int64),
    )
    aclnn.UniqueConsecutive(x, True, True, 1000, value, inverse, counts)
    assert value[:3].tolist() == [1, 2, 1]
    assert counts[:3].tolist() == [4, 2, 2]
    assert inverse.tolist() == [[0, 0], [0, 0], [1, 1], [2, 2]]
    value, inverse, counts = (
        np.empty((4, 2), np.int32),
        np.empty(4, np.int64),
        np.empty(4, np.int64),
    )
    aclnn.UniqueConsecutive(x, True, True, 0, value, inverse, counts)
    assert value.reshape(-1)[:6].tolist() == [1, 1, 2, 2, 1, 1]
    assert inverse.tolist() == [0, 0, 1, 2]
    assert counts[:3].tolist() == [2, 1, 1]


def test_unique_consecutive_into_more_room() -> None:
    """The inverse may be longer than it needs to be; the elements behind it stay as they are."""
    x = aq.asarray(np.array([2, 2, 5, 5], np.float32))
    value, counts = aq.empty((4,), "float32"), aq.empty((4,), "int64")
    inverse = aq.asarray(np.full(6, 9, np.int64))
    aclnn.UniqueConsecutive(x, True, True, 1000, value, inverse, counts)
    np.testing.assert_array_equal(inverse.numpy(), [0, 0, 1, 1, 9, 9])


def test_random_numbers_with_seeds_on_the_device() -> None:
    """The numbers are those of the operators that take seed and offset from the host."""
    seed, offset = np.int64([5]), np.int64([8])
    for name, numbers in (("Normal", (1.0, 2.0)), ("Uniform", (-1.0, 3.0)), ("Random", (0, 100))):
        first = getattr(aclnn, "Inplace" + name)(np.empty(9, np.float32), *numbers, 5, 11)
        second = getattr(aclnn, f"Inplace{name}Tensor")(
            np.empty(9, np.float32), *numbers, seed, offset, 3
        )
        same(second, first)
    first = aclnn.DropoutGenMaskV2([100], 0.5, 5, 11, "float32", np.empty(16, np.uint8))
    second = aclnn.DropoutGenMaskV2Tensor(
        [100], 0.5, seed, offset, 3, "float32", np.empty(16, np.uint8)
    )
    same(second, first)
    normal = aclnn.NormalFloatFloat(1.0, 2.0, 5, 11, np.empty(9, np.float32))
    same(normal, aclnn.InplaceNormal(np.empty(9, np.float32), 1.0, 2.0, 5, 11))
    mean, deviation = np.full(9, 1, np.float32), np.full((9,), 2, np.float32)
    for name, numbers in (
        ("FloatTensor", (1.0, deviation)),
        ("TensorFloat", (mean, 2.0)),
        ("TensorTensor", (mean, deviation)),
    ):
        same(getattr(aclnn, "Normal" + name)(*numbers, 5, 11, np.empty(9, np.float32)), normal)


@pytest.mark.parametrize("replacement", [False, True])
def test_multinomial_draws(replacement: bool) -> None:
    weights = np.float32([[0, 1, 3, 0], [1, 0, 0, 1]])
    if not replacement:
        got = aclnn.Multinomial(weights, 2, False, 3, 0, np.empty((2, 2), np.int64))
        assert sorted(got[0]) == [1, 2]
        assert sorted(got[1]) == [0, 3]
        return
    got = aclnn.Multinomial(weights, 4000, True, 3, 0, np.empty((2, 4000), np.int64))
    share = np.bincount(got[0], minlength=4) / 4000
    np.testing.assert_allclose(share, [0, 0.25, 0.75, 0], atol=0.03)
    # With seed and offset on the device, to which a number is added.
    later = aclnn.MultinomialTensor(
        weights, 4000, True, np.int64([3]), np.int64([-2]), 2, np.empty_like(got)
    )
    same(later, got)
