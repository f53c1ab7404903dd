"""Operators on lists of tensors, against NumPy: the same function for the tensors at each place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from ops.test_everyday import same, values

import aclquant as aq
from aclquant import aclnn

SHAPES = [(3, 4), (), (5,), (0, 2), (2, 3, 2)]
HALF = aq.bfloat16.numpy.type


def lists(dtype: Any, count: int) -> list[list[Any]]:
    def one(shape: tuple[int, ...]) -> Any:
        return values(dtype, *shape) if shape else np.asarray(values(dtype, 1)[0])

    return [[one(shape) for shape in SHAPES] for _ in range(count)]


def empty(dtype: Any) -> list[Any]:
    return [np.full(shape, 99).astype(dtype) for shape in SHAPES]


def check(name: str, arguments: list[Any], expected: list[Any]) -> None:
    """Compare each tensor of the list of results."""
    lead = next(argument for argument in arguments if isinstance(argument, list))
    out = empty(lead[0].dtype)
    getattr(aclnn, name)(*arguments, out)
    for got, right in zip(out, expected, strict=True):
        same(got, np.asarray(right, got.dtype))


UNARY = {
    "Abs": np.abs, "Cos": np.cos, "Cosh": np.cosh, "Exp": np.exp, "Expm1": np.expm1, "Log": np.log,
    "Log1p": np.log1p, "Neg": np.negative, "Reciprocal": np.reciprocal, "Sign": np.sign,
    "Sin": np.sin, "Sinh": np.sinh, "Sqrt": np.sqrt, "Tan": np.tan, "Tanh": np.tanh,
    "Erf": np.vectorize(math.erf, otypes=[float]), "Erfc": np.vectorize(math.erfc, otypes=[float]),
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)), "Acos": np.arccos, "Asin": np.arcsin,
    "Atan": np.arctan, "Log2": np.log2, "Log10": np.log10,
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float16, HALF])
def test_one_list(dtype: Any) -> None:
    (x,) = lists(dtype, 1)
    with np.errstate(all="ignore"):
        for name, f in UNARY.items():
            check("Foreach" + name, [x], [f(one.astype(np.float64)) for one in x])


@pytest.mark.parametrize("dtype", [np.float32, np.float16, HALF, np.int32])
def test_two_lists_and_numbers(dtype: Any) -> None:
    x, y = lists(dtype, 2)
    integers = dtype == np.int32
    wide = np.int64 if integers else np.float64
    number = 3 if integers else 2.5
    on_device = np.array([number], np.int32 if integers else np.float32)
    numbers = [number + place for place in range(len(SHAPES))]
    for name, f in (
        ("Mul", np.multiply),
        ("Maximum", np.maximum),
        ("Minimum", np.minimum),
        ("Add", np.add),
        ("Sub", np.subtract),
    ):
        if name in ("Add", "Sub"):
            expected = [
                f(a.astype(wide), number * b.astype(wide)) for a, b in zip(x, y, strict=True)
            ]
            check(f"Foreach{name}List", [x, y, on_device], expected)
            check(f"Foreach{name}ListV2", [x, y, number], expected)
        else:
            check(f"Foreach{name}List", [x, y], [f(a, b) for a, b in zip(x, y, strict=True)])
        expected = [f(a.astype(wide), wide(number)) for a in x]
        check(f"Foreach{name}Scalar", [x, on_device], expected)
        check(f"Foreach{name}ScalarV2", [x, number], expected)
        expected = [f(a.astype(wide), wide(b)) for a, b in zip(x, numbers, strict=True)]
        check(f"Foreach{name}ScalarList", [x, numbers], expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_quotients_powers_and_products(dtype: Any) -> None:
    x, y, z = lists(dtype, 3)
    wide = [[one.astype(np.float64) for one in part] for part in (x, y, z)]
    factor, factors = np.float32([0.5]), np.float32([0.5, 1, 2, 4, -8])
    with np.errstate(all="ignore"):
        check("ForeachDivList", [x, y], [a / b for a, b in zip(*wide[:2], strict=True)])
        check("ForeachDivScalarV2", [x, 4.0], [a / 4 for a in wide[0]])
        check("ForeachPowScalarV2", [x, 2.0], [a**2 for a in wide[0]])
        for name, f in (
            ("Addcmul", lambda a, b, c, s: a + s * (b * c)),
            ("Addcdiv", lambda a, b, c, s: a + s * (b / c)),
        ):
            expected = [f(a, b, c, 0.5) for a, b, c in zip(*wide, strict=True)]
            check(f"Foreach{name}Scalar", [x, y, z, factor], expected)
            check(f"Foreach{name}ScalarV2", [x, y, z, 0.5], expected)
            expected = [f(a, b, c, float(s)) for a, b, c, s in zip(*wide, factors, strict=True)]
            check(f"Foreach{name}ScalarList", [x, y, z, factors], expected)
            check(f"Foreach{name}List", [x, y, z, factors], expected)


def test_places_between() -> None:
    x, y = lists(np.float32, 2)
    weight = [np.full(shape, 0.25, np.float32) for shape in SHAPES]
    expected = [a + 0.25 * (b - a) for a, b in zip(x, y, strict=True)]
    check("ForeachLerpList", [x, y, weight], expected)
    check("ForeachLerpScalar", [x, y, np.float32(0.25)], expected)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (1, [2, -2, 2, -4, 1]),
        (2, [1, -2, 2, -4, 0]),
        (3, [2, -1, 3, -3, 1]),
        (4, [2, -2, 3, -4, 1]),
        (5, [1, -1, 2, -3, 0]),
        (6, [1, -1, 3, -3, 1]),
        (7, [0.5, -0.5, 0.5, -0.5, 0.75]),
    ],
)
def test_ways_of_rounding(mode: int, expected: list[float]) -> None:
    x = np.float32([1.5, -1.5, 2.5, -3.5, 0.75])
    out = [np.empty(5, np.float32)]
    aclnn.ForeachRoundOffNumberV2([x], mode, out)
    np.testing.assert_array_equal(out[0], np.float32(expected))
    aclnn.ForeachRoundOffNumber([x], np.int8([mode]), out)
    np.testing.assert_array_equal(out[0], np.float32(expected))


def test_norms_copies_and_zeros() -> None:
    x = [np.float32([[3, -4]]), np.float32([1, -2, 2]), np.zeros((0,), np.float32)]
    for order, expected in ((2.0, [5, 3, 0]), (1.0, [7, 5, 0]), (np.inf, [4, 2, 0])):
        out = [np.empty((), np.float32) for _ in x]
        aclnn.ForeachNorm(x, order, out)
        assert [float(one) for one in out] == expected
    whole = [np.empty((1, 2), np.int32), np.empty(3, np.int64), np.empty(0, np.int8)]
    aclnn.ForeachCopy([x[0], x[1], x[2]], whole)
    assert whole[0].tolist() == [[3, -4]]
    assert whole[1].tolist() == [1, -2, 2]
    aclnn.ForeachZeroInplace(x)
    assert not any(one.any() for one in x)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, None])
def test_gradients_are_unscaled(wrong: float | None) -> None:
    grads = [np.float32([2, 4]), np.float32([[8]])]
    if wrong is not None:
        grads[1][0, 0] = wrong
    found = np.zeros(1, np.float32)
    aclnn.ForeachNonFiniteCheckAndUnscale(grads, found, np.float32([0.5]))
    assert grads[0].tolist() == [1, 2]
    assert found[0] == (0 if wrong is None else 1)


def test_lists_that_do_not_fit() -> None:
    one, two = [np.ones(3, np.float32)], [np.ones(3, np.float32)] * 2
    for arguments, words in (
        ((one, two, one), "argument 'x2': got 2 tensors"),
        ((one, [np.ones(2, np.float32)], one), "argument 'x2': got shape"),
        ((one, [np.ones(3, np.float16)], one), "argument 'x2': got dtype"),
        (([np.ones(3)], one, one), "argument 'x1': got dtype DOUBLE"),
    ):
        with pytest.raises(aq.ParameterError, match="161002") as caught:
            aclnn.ForeachMulList(*arguments)
        assert words in str(caught.value)
    with pytest.raises(aq.ParameterError, match="beside tensors of FLOAT"):
        aclnn.ForeachMulScalarV2(one, 3, one)
