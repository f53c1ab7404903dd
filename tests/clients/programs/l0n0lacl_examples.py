"""l0n0lacl: the examples of its documentation, and other operators on NumPy arrays."""

import ctypes
import os
import sys
import tempfile

import numpy as np
from cases import case, done
from l0n0lacl import 张量, 张量格式, 标量, 算子运行器

RNG = np.random.default_rng(1)


def close(result, expected, tolerance=1e-6):
    np.testing.assert_allclose(np.asarray(result, expected.dtype), expected, tolerance, tolerance)


def values(tensor):
    return tensor.numpy()


KEPT = []


def operator(name):
    KEPT.append(算子运行器(name))  # it owns the workspace of its last call
    return KEPT[-1]


@case("README: Add")
def _():
    a, other = 张量(np.ones((2, 3)) * 2), 张量(np.ones((2, 3)) * 3)
    out = 张量(np.zeros([2, 3]))
    operator("Add")(a, other, 1.2, out)
    close(values(out), np.full((2, 3), 5.6))


@case("README: Abs")
def _():
    a = RNG.uniform(-2, -1, 1024)
    out = operator("Abs")(张量(a), 张量(np.zeros_like(a)))
    close(values(out[1]), np.abs(a))


@case("README: InplaceAcos, float16")
def _():
    a = RNG.uniform(-1, 1, (200, 200)).astype(np.float16)
    out = operator("InplaceAcos")(a.copy())
    close(values(out[0]), np.arccos(a.astype(np.float64)).astype(np.float16), 1e-3)


@case("README: AdaptiveAvgPool2d")
def _():
    a = RNG.uniform(0, 100, (2, 99, 99)).astype(np.float32)
    given = 张量(a, 格式=张量格式.NCL)
    out = 张量(np.zeros((2, 3, 3), np.float32)).变更格式(张量格式.NCL)
    output = operator("AdaptiveAvgPool2d")(given, [3, 3], out)
    close(values(output[2]), a.reshape(2, 3, 33, 3, 33).mean((2, 4)), 1e-4)


@case("README: Addmv")
def _():
    s = np.ones(3, np.float32)
    matrix = RNG.uniform(-1, 1, (3, 40000)).astype(np.float32)
    vector = RNG.uniform(-1, 1, 40000).astype(np.float32)
    out = np.zeros(3, np.float32)
    output = operator("Addmv")(s, matrix, vector, 1.2, 标量(1.1), out, ctypes.c_int8(1))
    expected = 1.1 * s + 1.2 * (matrix.astype(np.float64) @ vector)
    close(values(output[-2]), expected.astype(np.float32), 1e-3)


@case("README: Any")
def _():
    s = RNG.uniform(-1, -0.5, (3, 4))
    output = operator("Any")(s, [1], ctypes.c_bool(False), np.zeros(3, np.bool_))
    assert values(output[-1]).tolist() == [True] * 3


def unary(name, function, low=-1.0, high=1.0):
    @case(name)
    def _():
        x = RNG.uniform(low, high, (5, 7)).astype(np.float32)
        out = operator(name)(x, np.zeros_like(x))
        close(values(out[-1]), function(x.astype(np.float64)).astype(np.float32))


unary("Acos", np.arccos)
unary("Atan", np.arctan)
unary("Ceil", np.ceil, -5, 5)
unary("Cos", np.cos)
unary("Exp", np.exp)
unary("Floor", np.floor, -5, 5)
unary("Log", np.log, 0.1, 5)
unary("Neg", np.negative)
unary("Reciprocal", np.reciprocal, 0.5, 2)
unary("Relu", lambda x: np.maximum(x, 0))
unary("Rsqrt", lambda x: 1 / np.sqrt(x), 0.5, 2)
unary("Sigmoid", lambda x: 1 / (1 + np.exp(-x)))
unary("Sign", np.sign)
unary("Sin", np.sin)
unary("Sqrt", np.sqrt, 0, 4)
unary("Tan", np.tan)
unary("Tanh", np.tanh)


def binary(name, function):
    @case(name)
    def _():
        x = RNG.uniform(1, 2, (4, 1)).astype(np.float32)
        y = RNG.uniform(1, 2, (3,)).astype(np.float32)
        out = operator(name)(x, y, np.zeros((4, 3), np.float32))
        close(values(out[-1]), function(x.astype(np.float64), y).astype(np.float32))


binary("Mul", np.multiply)
binary("Div", np.divide)
binary("Maximum", np.maximum)
binary("Minimum", np.minimum)
binary("PowTensorTensor", np.power)
binary("Atan2", np.arctan2)


@case("Matmul")
def _():
    a = RNG.uniform(-1, 1, (8, 16)).astype(np.float32)
    b = RNG.uniform(-1, 1, (16, 4)).astype(np.float32)
    out = operator("Matmul")(a, b, np.zeros((8, 4), np.float32), ctypes.c_int8(0))
    close(values(out[2]), (a.astype(np.float64) @ b).astype(np.float32), 1e-4)


@case("Softmax")
def _():
    x = RNG.uniform(-3, 3, (4, 9)).astype(np.float32)
    out = operator("Softmax")(x, ctypes.c_int64(1), np.zeros_like(x))
    powers = np.exp(x.astype(np.float64))
    close(values(out[-1]), (powers / powers.sum(1, keepdims=True)).astype(np.float32))


@case("ReduceSum")
def _():
    x = RNG.uniform(-3, 3, (4, 9)).astype(np.float32)
    sums = np.zeros(4, np.float32)
    out = operator("ReduceSum")(x, [1], ctypes.c_bool(False), ctypes.c_int32(0), sums)
    close(values(out[-1]), x.astype(np.float64).sum(1).astype(np.float32), 1e-5)


@case("Cat of a list of tensors")
def _():
    x, y = np.arange(6, dtype=np.int32).reshape(2, 3), np.ones((1, 3), np.int32)
    out = operator("Cat")([张量(x), 张量(y)], ctypes.c_int64(0), np.zeros((3, 3), np.int32))
    assert values(out[-1]).tolist() == np.concatenate([x, y]).tolist()


@case("a call with the wrong shape raises")
def _():
    try:
        operator("Abs")(np.zeros(3, np.float32), np.zeros(4, np.float32))
    except Exception as error:
        assert "aclnnAbs" in str(error), error
    else:
        raise AssertionError("accepted")


@case("l0n0lcreateopps: a Python function for each operator, and the README's call of one")
def _():
    from l0n0lacl.算子运行器 import 为所有算子创建函数

    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        为所有算子创建函数(f"{folder}/opp")
        made = [path for path in os.listdir(f"{folder}/opp") if path != "__init__.py"]
        assert len(made) > 300, len(made)
        from opp.Add import Add

        a, other = 张量(np.ones((2, 3)) * 2), 张量(np.ones((2, 3)) * 3)
        out = 张量(np.zeros([2, 3]))
        Add(a, other, 1.2, out)
        close(values(out), np.full((2, 3), 5.6))


done()
