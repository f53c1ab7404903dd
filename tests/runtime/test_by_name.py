"""Operators called by name: stream order, memory of the host, shapes of results, refusals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers.native import NULL, Array, Buffer, ffi, host, ok, refused, stalled, stream, tensor
from helpers.processes import run_python

FLOAT, INT64, BOOL = 0, 9, 12
HOST = 1
X = np.array([[1.5, -2.0, 0.25], [4.0, -0.5, 3.0]], np.float32)


class Operand:
    """A description and a buffer, in memory of the device or, if `place` says so, of the host."""

    def __init__(self, content: Array, dtype: int, place: int = 0, size: int | None = None) -> None:
        self.memory = None if place else Buffer(content)
        self.kept = ffi.new("char[]", content.tobytes())
        self.data: Any = self.kept if self.memory is None else self.memory.pointer
        self.desc = host.aclCreateTensorDesc(dtype, content.ndim, list(content.shape), 2)
        ok(host.aclSetTensorPlaceMent(self.desc, place))
        self.buffer = host.aclCreateDataBuffer(self.data, content.nbytes if size is None else size)

    def close(self) -> None:
        host.aclDestroyTensorDesc(self.desc)
        ok(host.aclDestroyDataBuffer(self.buffer))
        if self.memory is not None:
            self.memory.free()


@contextmanager
def operands(*made: Operand) -> Iterator[Sequence[Operand]]:
    yield made
    for each in made:
        each.close()


def call(
    name: bytes, inputs: Sequence[Operand], out: Operand, on: Any, version: str = "",
    attr: Any = NULL,
) -> int:  # fmt: skip
    function = getattr(host, "aclopCompileAndExecute" + version)
    descs, buffers = ([getattr(each, part) for each in inputs] for part in ("desc", "buffer"))
    return int(
        function(
            name, len(inputs), ffi.new("aclTensorDesc *[]", descs),
            ffi.new("aclDataBuffer *[]", buffers), 1, ffi.new("aclTensorDesc *[]", [out.desc]),
            ffi.new("aclDataBuffer *[]", [out.buffer]), attr, 0, 0, NULL, on,
        )
    )  # fmt: skip


def test_runs_in_the_order_of_the_stream_and_reads_host_memory_at_once() -> None:
    with (
        stream() as on,
        operands(
            Operand(X, FLOAT),
            Operand(np.full((), 2, np.float32), FLOAT, HOST),
            Operand(np.zeros_like(X), FLOAT),
        ) as (x, two, out),
    ):
        assert out.memory is not None
        with stalled(on):
            ok(call(b"Mul", [x, two], out, on))
            ffi.memmove(two.data, np.float32(9).tobytes(), 4)
            assert not out.memory.read("float32").any()
        ok(host.aclrtSynchronizeStream(on))
        assert np.array_equal(out.memory.read("float32", X.shape), X * 2)


def test_the_result_tells_its_shape() -> None:
    mask = X > 0
    with (
        stream() as on,
        operands(
            Operand(X, FLOAT), Operand(mask, BOOL), Operand(np.zeros(6, np.float32), FLOAT)
        ) as (x, m, out),
    ):
        assert out.memory is not None
        refused(call(b"MaskedSelect", [x, m], out, on), 200001, "aclopCompileAndExecuteV2")
        ok(call(b"MaskedSelect", [x, m], out, on, "V2"))
        size = ffi.new("int64_t *")
        ok(host.aclGetTensorDescDimV2(out.desc, 0, size))
        assert (host.aclGetTensorDescNumDims(out.desc), size[0]) == (1, mask.sum())
        assert np.array_equal(out.memory.read("float32")[: size[0]], X[mask])


def test_product_and_sum() -> None:
    """GEMM, with its factors in memory of the host described as the device's."""
    a, b = np.arange(6, dtype=np.float32).reshape(3, 2), np.ones((4, 3), np.float32)
    c = np.full(4, 0.5, np.float32)
    factors = [np.float32([0.25]), np.float32([2])]
    with (
        stream() as on,
        operands(*(Operand(one, FLOAT) for one in (a, b, c, *factors)),
                 Operand(np.zeros((2, 4), np.float32), FLOAT)) as made,
        attributes(transpose_a=True, transpose_b=True) as attr,
    ):  # fmt: skip
        *given, out = made
        assert out.memory is not None
        ok(call(b"GEMM", given, out, on, attr=attr))
        ok(host.aclrtSynchronizeStream(on))
        expected = 0.25 * (a.T @ b.T) + 2 * c
        assert np.array_equal(out.memory.read("float32", (2, 4)), expected)
        halves = [Operand(one.astype(np.float16), 1) for one in factors]
        with operands(*halves):
            ok(call(b"GEMM", [*given[:3], *halves], out, on, attr=attr))
            ok(host.aclrtSynchronizeStream(on))
            assert np.array_equal(out.memory.read("float32", (2, 4)), expected)
        beta = Operand(np.float64([1]), 11)
        with operands(beta):
            refused(call(b"GEMM", [*given[:4], beta], out, on, attr=attr), 200001, "DOUBLE")


def test_what_does_not_fit_is_refused() -> None:
    with (
        stream() as on,
        operands(
            Operand(X, FLOAT),
            Operand(X, FLOAT, HOST),
            Operand(X, FLOAT, size=23),
            Operand(np.zeros(1, np.float64), 11, HOST),
            Operand(np.zeros_like(X), FLOAT),
            Operand(np.zeros(3, np.float32), FLOAT),
        ) as (x, on_host, short, axes, out, small),
    ):
        refused(call(b"Nothing", [x], out, on), 200001, "got 'Nothing'")
        refused(call(b"Abs", [x, x], out, on), 100000, "got 2", "one output, of Abs")
        refused(call(b"Abs", [on_host], out, on), 200001, "memory of the host")
        refused(call(b"Abs", [x], on_host, on), 200001, "memory of the host")
        refused(call(b"Add", [x, on_host], out, on), 200001, "memory of the host")
        refused(call(b"Abs", [short], out, on), 100000, "got 23 bytes", "24 bytes")
        refused(call(b"Abs", [x], short, on), 100000, "argument 'outputs'")
        refused(call(b"ReduceMax", [x, axes], out, on), 200001, "axes of type DOUBLE")
        # Of the operator itself: the sentence of its phase 1.
        refused(call(b"Abs", [x], small, on), 161002, "aclnnAbsGetWorkspaceSize", "shape (3,)")
        nothing = [NULL, NULL, 1, NULL, NULL, NULL, 0, 0, NULL, on]
        refused(host.aclopCompileAndExecute(b"Abs", 1, *nothing), 100000, "argument 'inputs'")


@pytest.mark.parametrize(
    ("name", "null"),
    [(b"StatelessRandomNormalV2", 1), (b"StatelessRandomNormalV2", 2), (b"Add", 1)],
)
def test_host_memory_of_some_size_is_somewhere(name: bytes, null: int) -> None:
    """Row R5: a buffer of 8 bytes at a null address was read, as its shape said no elements."""
    inputs = [Operand(np.zeros(size, np.uint64), 10, HOST) for size in (1, 1, 2, 1)]
    if name == b"Add":
        inputs = [Operand(X, FLOAT), Operand(np.zeros(1, np.float32), FLOAT, HOST)]
    wrong = inputs[null]
    bytes_ = len(wrong.kept) - 1
    host.aclDestroyTensorDesc(wrong.desc)
    wrong.desc = host.aclCreateTensorDesc(10, 1, [0], 2)
    ok(host.aclSetTensorPlaceMent(wrong.desc, HOST))
    ok(host.aclDestroyDataBuffer(wrong.buffer))
    wrong.buffer = host.aclCreateDataBuffer(NULL, bytes_)
    with stream() as on, operands(*inputs, Operand(np.zeros_like(X), FLOAT)) as (*given, out):
        refused(call(name, given, out, on), 100000, f"{bytes_} bytes at (nil)")


def test_identity_copies_between_plain_formats() -> None:
    """What torch_npu calls for a change of format between tensors that lie alike in memory."""
    with (
        stream() as on,
        operands(
            Operand(X, FLOAT),
            Operand(np.zeros((3, 2), np.float32), FLOAT),
            Operand(np.zeros(4, np.float32), FLOAT),
        ) as (x, out, small),
    ):
        ok(call(b"Identity", [x], out, on))
        ok(host.aclrtSynchronizeStream(on))
        assert out.memory is not None
        np.testing.assert_array_equal(out.memory.read("float32", X.shape), X)
        refused(call(b"Identity", [x], small, on), 100000, "another number of elements")


def test_ready_made_operators_are_refused_until_compiled_ones_are_asked_for() -> None:
    """Where torch_npu asks before each call, in its mode 1; elsewhere any value is kept.

    The host device then knows the tensors and the attributes of the call, but not its name: two
    alike without attributes may be those of Identity. Without tensors it is the program that sets
    the mode.
    """
    program = """
from helpers.native import *
set = lambda text: host.aclSetCompileopt(10, text)
def describe(*dims, dtype=0, format=2):
    host.aclCreateTensorDesc(dtype, len(dims), list(dims), format)
ok(set(b"disable"))
describe(2, 3), describe(6)
ok(set(b"disable"))
for others in ([(2, 3)], [(2, 3), (2, 2)], [(2, 3)] * 3):
    [describe(*dims) for dims in others]
    if MODE_1:
        refused(set(b"disable"), 200001, "got 'disable'", "ready made")
    else:
        ok(set(b"disable"))
for other in ({"dtype": 1}, {"format": 29}):
    describe(2, 3), describe(2, 3, **other)
    if MODE_1:
        refused(set(b"disable"), 200001, "ready made")
    else:
        ok(set(b"disable"))
describe(2, 3), describe(2, 3)
ok(host.aclopSetAttrInt(host.aclopCreateAttr(), b"dim", 1))
if MODE_1:
    refused(set(b"disable"), 200001, "ready made")
describe(2, 3), describe(2, 3)
ok(set(b"disable"))
ok(set(b"enable"))
describe(2, 3)
ok(set(b"disable"))
"""
    run_python("MODE_1 = True" + program, ACL_OP_INIT_MODE="1")
    for mode in ("", "0", "2"):
        run_python("MODE_1 = False" + program, ACL_OP_INIT_MODE=mode)


@contextmanager
def attributes(**values: object) -> Iterator[Any]:
    made = host.aclopCreateAttr()
    for name, value in values.items():
        if isinstance(value, bool):
            ok(host.aclopSetAttrBool(made, name.encode(), value))
        elif isinstance(value, int):
            ok(host.aclopSetAttrInt(made, name.encode(), value))
        else:
            assert isinstance(value, list)
            ok(host.aclopSetAttrListInt(made, name.encode(), len(value), value))
    yield made
    host.aclopDestroyAttr(made)


def result(name: bytes, expected: Array, *inputs: Array, **values: object) -> Array:
    """What an operator gives where `expected` says the shape and type."""
    kinds = {"f": FLOAT, "l": INT64}
    with (
        stream() as on,
        attributes(**values) as attr,
        operands(
            *(Operand(np.ascontiguousarray(x), kinds[x.dtype.char]) for x in inputs),
            Operand(np.zeros_like(expected, order="C"), kinds[expected.dtype.char]),
        ) as made,
    ):
        ok(call(name, made[:-1], made[-1], on, attr=attr))
        ok(host.aclrtSynchronizeStream(on))
        assert made[-1].memory is not None
        return np.asarray(made[-1].memory.read(expected.dtype.name, expected.shape))


def _erf(x: Array) -> Array:
    return np.array([[math.erf(value) for value in row] for row in x], np.float32)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("Cos", np.cos), ("Erf", _erf), ("Exp", np.exp), ("Floor", np.floor), ("Neg", np.negative),
        ("Reciprocal", np.reciprocal), ("Relu", lambda x: np.maximum(x, 0)), ("Round", np.rint),
        ("Sin", np.sin),
        ("Log", lambda x: np.log(x)), ("Sqrt", lambda x: np.sqrt(x)),
    ],
)  # fmt: skip
def test_what_onnxruntime_calls_of_one_operand(name: str, function: Any) -> None:
    x = np.abs(X) if name in ("Log", "Sqrt") else X
    expected = function(x).astype(np.float32)
    np.testing.assert_allclose(result(name.encode(), expected, x), expected, 1e-6)


def through_aclnn(name: str, x: Array) -> Array:
    size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
    with stream() as on, Buffer(x) as given, Buffer(x.nbytes) as out, Buffer(4096) as workspace:
        tensors = [tensor(x.shape, "float32", each.pointer) for each in (given, out)]
        ok(getattr(host, name + "GetWorkspaceSize")(*tensors, size, executor))
        ok(getattr(host, name)(workspace.pointer, size[0], executor[0], on))
        ok(host.aclrtSynchronizeStream(on))
        for each in tensors:
            ok(host.aclDestroyTensor(each))
        return out.read("float32", x.shape)


FUNCTIONS = [
    "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cosh", "Erfc", "Erfinv", "Expm1",
    "FastGelu", "HardSigmoid", "HardSwish", "Log1p", "LogSigmoid", "Mish", "Rsqrt", "Selu",
    "Sigmoid", "Sign", "Sinh", "Tan", "Tanh", "Trunc",
]  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_that_cannot_be_told_from_identity(name: str) -> None:
    """torch_npu's functions of one tensor without attributes: by name and as aclnn, the same."""
    x = np.abs(X) if name in ("Acosh", "Log1p", "Rsqrt") else X / 8
    function = {"HardSigmoid": "Hardsigmoid", "HardSwish": "Hardswish"}.get(name, name)
    expected = through_aclnn("aclnn" + function, x)
    assert result(name.encode(), expected, x).tobytes() == expected.tobytes()


def test_ones_zeros_and_squares() -> None:
    assert np.array_equal(result(b"OnesLike", X, X), np.ones_like(X))
    assert np.array_equal(result(b"ZerosLike", X, X), np.zeros_like(X))
    assert np.array_equal(result(b"Square", X, X), X * X)
    i = np.array([-3, 2**40])
    assert result(b"Square", i, i).tolist() == [9, 0]
    assert result(b"OnesLike", i, i).tolist() == [1, 1]


def test_what_onnxruntime_calls_of_two_operands() -> None:
    y = np.array([[2, 3, -4], [5, 0.5, 7]], np.float32)
    assert np.array_equal(result(b"Sub", X, X, y), X - y)
    assert np.array_equal(result(b"Div", X, X, y), X / y)
    i, j = np.array([-7, 7, 9]), np.array([2, -2, 3])
    assert result(b"Div", i, i, j).tolist() == [-3, -3, 3]  # towards zero
    product = (X.astype(np.float64) @ y.T).astype(np.float32)
    batch = np.stack([product, product])
    for flags, a, b in (
        ({}, X, y.T), ({"adj_x2": True}, X, y), ({"adj_x1": True, "adj_x2": True}, X.T, y),
    ):  # fmt: skip
        np.testing.assert_allclose(result(b"BatchMatMul", product, a, b, **flags), product, 1e-6)
    found = result(b"BatchMatMul", batch, np.stack([X, X]), np.stack([y.T, y.T]))
    np.testing.assert_allclose(found, batch, 1e-6)


def test_what_onnxruntime_calls_to_move_elements() -> None:
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    flat = x.reshape(6, 4)
    assert np.array_equal(result(b"Flatten", flat, x), flat)
    turned = np.ascontiguousarray(x.transpose(2, 0, 1))
    assert np.array_equal(result(b"TransposeD", turned, x, perm=[2, 0, 1]), turned)
    wide = np.ascontiguousarray(np.broadcast_to(X[:, None, :], (2, 5, 3)))
    assert np.array_equal(result(b"BroadcastToD", wide, X[:, None, :], shape=[2, 5, 3]), wide)
    for perm in ([0, 1], [0, 1, 1], [0, 1, 3], [-1, 0, 1]):
        with (
            stream() as on,
            attributes(perm=perm) as attr,
            operands(Operand(x, FLOAT), Operand(x, FLOAT)) as (a, out),
        ):
            refused(call(b"TransposeD", [a], out, on, attr=attr), 100000, "all axes")


def test_what_onnxruntime_calls_on_images() -> None:
    x = np.arange(32, dtype=np.float32).reshape(1, 2, 4, 4)
    parts = x.reshape(1, 2, 2, 2, 2, 2)
    windows = {"ksize": [1, 1, 2, 2], "strides": [1, 1, 2, 2], "pads": [0, 0, 0, 0]}
    for name, expected in ((b"MaxPoolV3", parts.max((3, 5))), (b"AvgPoolV2", parts.mean((3, 5)))):
        assert np.array_equal(result(name, expected, x, **windows), expected)
    w = np.arange(1, 9, dtype=np.float32).reshape(1, 2, 2, 2)
    expected = np.zeros((1, 1, 4, 3), np.float32)  # one row above and none below
    padded = np.pad(x[0], ((0, 0), (1, 0), (0, 0)))
    for row in range(4):
        for column in range(3):
            window = padded[:, row : row + 2, column : column + 2]
            expected[0, 0, row, column] = (window * w[0]).sum()
    settings = {"strides": [1, 1, 1, 1], "pads": [1, 0, 0, 0], "dilations": [1, 1, 1, 1]}
    bias = np.array([0.5], np.float32)
    found = result(b"Conv2D", expected, x, w, bias, group=1, **settings)
    assert np.array_equal(found, expected + 0.5)
    with (
        stream() as on,
        attributes(group=1, **settings) as attr,
        operands(Operand(x, FLOAT), Operand(w, FLOAT), Operand(expected * 0, FLOAT)) as made,
    ):
        # No bias: a description of no type, as ONNX Runtime gives it.
        nothing = host.aclCreateTensorDesc(-1, 0, NULL, -1)
        empty = host.aclCreateDataBuffer(NULL, 0)
        absent = SimpleNamespace(desc=nothing, buffer=empty)
        ok(call(b"Conv2D", [made[0], made[1], absent], made[2], on, attr=attr))  # type: ignore[list-item]
        ok(host.aclrtSynchronizeStream(on))
        assert made[2].memory is not None
        assert np.array_equal(made[2].memory.read("float32", expected.shape), expected)
        host.aclDestroyTensorDesc(nothing)
        ok(host.aclDestroyDataBuffer(empty))
        for wrong in ({"ksize": [2, 2]}, {"pads": [1, 0, 0, 0]}):
            with attributes(**(windows | wrong)) as other:
                code = call(b"AvgPoolV2", [made[0]], made[2], on, attr=other)
                refused(code, 200001, "argument 'attr'")


def test_a_constant_input_is_read_from_its_description() -> None:
    with stream() as on, operands(Operand(X, FLOAT), Operand(np.zeros_like(X), FLOAT)) as (x, out):
        two = Operand(np.full((), 9, np.float32), FLOAT)
        value = ffi.new("float *", 2)
        ok(host.aclSetTensorConst(two.desc, value, 4))
        value[0] = 9  # it was copied
        ok(call(b"Mul", [x, two], out, on))
        ok(host.aclrtSynchronizeStream(on))
        assert out.memory is not None
        assert np.array_equal(out.memory.read("float32", X.shape), X * 2)
        for pointer, length in ((NULL, 4), (value, 0)):
            refused(host.aclSetTensorConst(two.desc, pointer, length), 100000, "the constant")
        two.close()


def test_the_bytes_of_a_description() -> None:
    for dtype, dims, size in (
        (FLOAT, [2, 3], 24), (INT64, [5], 40), (29, [3], 2), (FLOAT, [-1, 2], 2**64 - 1),
        (FLOAT, [0, 2], 0),
    ):  # fmt: skip
        desc = host.aclCreateTensorDesc(dtype, len(dims), dims, 2)
        assert host.aclGetTensorDescSize(desc) == size
        host.aclDestroyTensorDesc(desc)
    assert host.aclGetTensorDescSize(NULL) == 0
