"""Operators called by name: stream order, memory of the host, shapes of results, refusals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from helpers.native import NULL, Array, Buffer, ffi, host, ok, refused, stalled, stream
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


def call(name: bytes, inputs: Sequence[Operand], out: Operand, on: Any, version: str = "") -> int:
    function = getattr(host, "aclopCompileAndExecute" + version)
    descs, buffers = ([getattr(each, part) for each in inputs] for part in ("desc", "buffer"))
    return int(
        function(
            name, len(inputs), ffi.new("aclTensorDesc *[]", descs),
            ffi.new("aclDataBuffer *[]", buffers), 1, ffi.new("aclTensorDesc *[]", [out.desc]),
            ffi.new("aclDataBuffer *[]", [out.buffer]), NULL, 0, 0, NULL, on,
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


def test_ready_made_operators_are_refused_until_compiled_ones_are_asked_for() -> None:
    """Where torch_npu asks before each call, in its mode 1; elsewhere any value is kept."""
    program = """
from helpers.native import *
set = lambda text: host.aclSetCompileopt(10, text)
if MODE_1:
    refused(set(b"disable"), 200001, "got 'disable'", "ready made")
else:
    ok(set(b"disable"))
ok(set(b"enable"))
ok(set(b"disable"))
"""
    run_python("MODE_1 = True" + program, ACL_OP_INIT_MODE="1")
    for mode in ("", "0", "2"):
        run_python("MODE_1 = False" + program, ACL_OP_INIT_MODE=mode)
