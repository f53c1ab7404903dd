"""Two-phase calls through the C interface, and a look at everything they left behind.

A :class:`Host` has one stream. Each call puts each operand into separate device memory, with
guards around them; runs phase 1, phase 2 and the synchronise; and afterwards compares every byte
that the call had no business to change. Nothing outlives the call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np
import numpy.typing as npt

from . import native
from .native import FRACTAL_NZ, NCDHW, NCHW, NCL, ND, NULL, Buffer, counters, ffi
from .processes import run_python

__all__ = ["FRACTAL_NZ", "NCDHW", "NCHW", "NCL", "ND", "counters"]

Array = npt.NDArray[Any]
Argument: TypeAlias = "Operand | Array | int | float | str | None"

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)

NAMES = {
    161001: "ACLNN_ERR_PARAM_NULLPTR",
    161002: "ACLNN_ERR_PARAM_INVALID",
    361001: "ACLNN_ERR_RUNTIME_ERROR",
    561000: "ACLNN_ERR_INNER",
    561003: "ACLNN_ERR_INNER_FIND_KERNEL_ERROR",
    561103: "ACLNN_ERR_INNER_NULLPTR",
}

_GUARD = 64  # bytes; keeps the data on the 32-byte boundary that CANN documents
_GUARD_BYTE, _BLANK_BYTE = 0x5A, 0xA5
_UNTOUCHED_SIZE, _UNTOUCHED_EXECUTOR = 0x1122334455667788, 0xDEAD0000


# -- operands --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Operand:
    """A tensor argument: a view into a storage. ``storage`` is flat; bytes for int4."""

    dtype: str
    shape: tuple[int, ...]
    storage: Array
    strides: tuple[int, ...] | None = None
    offset: int = 0
    format: int = ND
    storage_shape: tuple[int, ...] | None = None
    output: bool = False

    def view(self, storage: Array) -> Array:
        """The logical elements; those of an int4 tensor (dense here) as int8."""
        if self.dtype == "int4":
            count = int(np.prod(self.shape, dtype=np.int64))
            return unpacked(storage)[:count].reshape(self.shape)
        if self.strides is None:
            count = int(np.prod(self.shape, dtype=np.int64))
            return storage[self.offset : self.offset + count].reshape(self.shape)
        if 0 in self.shape:
            return storage[:0].reshape(self.shape)
        steps = [storage.itemsize * stride for stride in self.strides]
        return np.lib.stride_tricks.as_strided(storage[self.offset :], self.shape, steps)


def given(array: Array, **fields: Any) -> Operand:
    """An input as the array lies in memory: a view becomes a view of the same storage."""
    base: Array = array
    while isinstance(base.base, np.ndarray):
        base = base.base
    storage = base.ravel(order="K").view(array.dtype)
    address = [int(a.__array_interface__["data"][0]) for a in (array, base)]
    operand = Operand(array.dtype.name, array.shape, storage)
    if array is not base or not array.flags.c_contiguous:
        operand = replace(
            operand,
            strides=tuple(stride // array.itemsize for stride in array.strides),
            offset=(address[0] - address[1]) // array.itemsize,
        )
    return replace(operand, **fields)


def out(
    shape: Sequence[int],
    dtype: str,
    strides: Sequence[int] | None = None,
    offset: int = 0,
    **fields: Any,
) -> Operand:
    """An output, full of a pattern; its storage reaches a little further than the view."""
    sizes = tuple(shape)
    if strides is None:
        count = offset + int(np.prod(sizes, dtype=np.int64))
    else:
        steps = [step * (size - 1) for step, size in zip(strides, sizes, strict=True) if size]
        count = offset + sum(step for step in steps if step > 0) + 3
    if dtype == "int4":
        storage = np.full((count + 1) // 2, _BLANK_BYTE, np.uint8)
    else:
        kind = BFLOAT16 if dtype == "bfloat16" else np.dtype(dtype)
        storage = np.full(count * kind.itemsize, _BLANK_BYTE, np.uint8).view(kind)
    steps_given = None if strides is None else tuple(strides)
    return Operand(dtype, sizes, storage, steps_given, offset, output=True, **fields)


def int4(values: Any) -> Operand:
    """A dense int4 input, two to a byte, the first in the low nibble."""
    logical = np.asarray(values, np.int8)
    flat = logical.reshape(-1).view(np.uint8) & 15
    flat = np.append(flat, np.zeros(flat.size % 2, np.uint8))
    return Operand("int4", logical.shape, flat[0::2] | flat[1::2] << 4)


def unpacked(storage: Array) -> Array:
    """The nibbles of some memory, low ones first, sign-extended."""
    data = storage.view(np.uint8).reshape(-1)
    nibbles = np.stack([data & 15, data >> 4], axis=-1).reshape(-1).astype(np.int8)
    signed: Array = np.where(nibbles > 7, nibbles - 16, nibbles).astype(np.int8)
    return signed


def f32(*values: Any) -> Array:
    """float32 array of the arguments; likewise the next ones."""
    return np.array(_listed(values), np.float32)


def f16(*values: Any) -> Array:
    return np.array(_listed(values), np.float16)


def bf16(*values: Any) -> Array:
    return np.array(_listed(values), np.float32).astype(BFLOAT16)


def i8(*values: Any) -> Array:
    return np.array(_listed(values), np.int8)


def i32(*values: Any) -> Array:
    """int32; numbers of 2**31 and more mean bit patterns."""
    return np.array(_listed(values), np.int64).astype(np.uint32).view(np.int32)


def bits32(*words: int) -> Array:
    """float32 of these bit patterns."""
    return np.array(words, np.uint32).view(np.float32)


def _listed(values: tuple[Any, ...]) -> Any:
    return values[0] if len(values) == 1 and isinstance(values[0], (list, tuple)) else list(values)


# -- calls -----------------------------------------------------------------------------------


@dataclass
class Placed:
    """An operand in device memory."""

    operand: Operand
    tensor: Any
    buffer: Buffer
    before: Array


@dataclass
class Call:
    """One two-phase call; phase 1 has run."""

    host: Host
    function: str
    placed: list[Placed]
    status: int
    text: str
    size: Any
    executor: Any
    launched: bool = False
    later_text: str = ""
    keep: list[Any] = field(default_factory=list)

    @property
    def workspace_size(self) -> int:
        return int(self.size[0])

    def launch(self, workspace: str = "given", executor: str = "given", less: int = 0) -> int:
        """Phase 2 and the synchronise; the status of the first that fails."""
        size = self.workspace_size
        memory = Buffer(size) if size and workspace == "given" else None
        self.launched = executor == "given"
        handle = self.executor[0] if executor == "given" else NULL
        try:
            held = memory.pointer if memory else NULL
            phase_two = getattr(self.host.c, self.function)
            status = phase_two(held, size - less, handle, self.host.stream)
            self.later_text = native.message()
            synchronised = self.host.synchronize()
            if status == 0:
                self.later_text += native.message()
            return int(status or synchronised)
        finally:
            if memory:
                memory.free()

    def results(self) -> list[Array]:
        """The outputs. Everything else, gaps and guards included, must be as it was."""
        found = []
        for placed in self.placed:
            after = placed.buffer.read("uint8")
            operand, expected = placed.operand, placed.before.copy()
            if operand.output:
                inner = slice(_GUARD, placed.before.size - _GUARD)
                storage = after[inner].view(operand.storage.dtype)
                if operand.dtype == "int4":
                    expected[inner] = after[inner]
                else:
                    operand.view(expected[inner].view(storage.dtype))[...] = operand.view(storage)
                found.append(operand.view(storage).copy())
            assert np.array_equal(after, expected), f"{self.function}: wrote where it must not"
        return found

    def assert_nothing_written(self) -> None:
        for placed in self.placed:
            after = placed.buffer.read("uint8")
            assert np.array_equal(after, placed.before), f"{self.function}: wrote something"

    def assert_no_results(self) -> None:
        """Phase 1 left both of its results alone."""
        if self.size != NULL:
            assert self.workspace_size == _UNTOUCHED_SIZE
        if self.executor != NULL:
            assert int(ffi.cast("uintptr_t", self.executor[0])) == _UNTOUCHED_EXECUTOR

    def assert_text(self, status: int, argument: str) -> None:
        start = f"[{status} {NAMES[status]}] {self.function}GetWorkspaceSize: "
        start += f"argument '{argument}': got "
        first = self.text.splitlines()[0] if self.text else ""
        assert first.startswith(start), f"{first!r} instead of {start!r}"
        assert "; allowed: " in first, first


class Host:
    """The library, the current device and a stream."""

    c = native.host

    def __init__(self) -> None:
        self.stream = native.create(self.c.aclrtCreateStream)

    def close(self) -> None:
        native.ok(self.c.aclrtDestroyStream(self.stream))

    def synchronize(self) -> int:
        return int(self.c.aclrtSynchronizeStream(self.stream))

    @contextmanager
    def call(self, function: str, *arguments: Argument, null: str = "") -> Iterator[Call]:
        """Phase 1. ``null`` names the result pointer to leave out."""
        native.message()
        with ExitStack() as stack:
            placed: list[Placed] = []
            converted: list[Any] = []
            for argument in arguments:
                if isinstance(argument, np.ndarray):
                    argument = given(argument)
                if isinstance(argument, Operand):
                    placed.append(self._place(argument, stack))
                    converted.append(placed[-1].tensor)
                elif argument is None:
                    converted.append(NULL)
                else:
                    text = isinstance(argument, str)
                    converted.append(str(argument).encode() if text else argument)
            size = NULL if null == "workspaceSize" else ffi.new("uint64_t *", _UNTOUCHED_SIZE)
            executor = NULL
            if null != "executor":
                executor = ffi.new("aclOpExecutor **")
                executor[0] = ffi.cast("aclOpExecutor *", _UNTOUCHED_EXECUTOR)
            phase_one = getattr(self.c, function + "GetWorkspaceSize")
            status = int(phase_one(*converted, size, executor))
            call = Call(self, function, placed, status, native.message(), size, executor)
            try:
                yield call
            finally:
                if status == 0 and not call.launched:
                    assert self.c.aclSetAclOpExecutorRepeatable(executor[0]) == 0
                    assert self.c.aclDestroyAclOpExecutor(executor[0]) == 0
                native.message()

    def ok(self, function: str, *arguments: Argument) -> Any:
        """A call that succeeds; its output, or a list of them."""
        with self.call(function, *arguments) as call:
            assert call.status == 0, call.text
            assert call.text == ""
            assert call.launch() == 0, call.later_text
            found = call.results()
            return found[0] if len(found) == 1 else found

    def nothing(self, function: str, *arguments: Argument) -> None:
        """A call that succeeds without work: workspace 0, nothing written."""
        with self.call(function, *arguments) as call:
            assert call.status == 0, call.text
            assert call.workspace_size == 0
            assert call.launch() == 0, call.later_text
            call.assert_nothing_written()

    def refused(
        self,
        function: str,
        *arguments: Argument,
        argument: str,
        status: int = 161002,
        null: str = "",
    ) -> None:
        """A call that phase 1 refuses with this status, blaming this argument."""
        with self.call(function, *arguments, null=null) as call:
            assert call.status == status, f"{call.status} instead of {status}: {call.text}"
            call.assert_text(status, argument)
            call.assert_no_results()
            call.assert_nothing_written()

    def refused_later(
        self,
        function: str,
        *arguments: Argument,
        status: int,
        says: str,
        workspace: str = "given",
        executor: str = "given",
        less: int = 0,
    ) -> None:
        """A call that phase 2 refuses with this status, in a text with ``says``."""
        with self.call(function, *arguments) as call:
            assert call.status == 0, call.text
            found = call.launch(workspace, executor, less)
            assert found == status, f"{found} instead of {status}: {call.later_text}"
            assert says in call.later_text, call.later_text
            assert f"[{status} {NAMES[status]}] {function}: " in call.later_text
            call.assert_nothing_written()

    def _place(self, operand: Operand, stack: ExitStack) -> Placed:
        guard = np.full(_GUARD, _GUARD_BYTE, np.uint8)
        data = np.concatenate([guard, operand.storage.view(np.uint8).reshape(-1), guard])
        buffer = Buffer(data)
        stack.callback(buffer.free)
        tensor = described(operand, native.pointer(native.address(buffer.pointer) + _GUARD))
        stack.callback(lambda: native.ok(self.c.aclDestroyTensor(tensor)))
        return Placed(operand, tensor, buffer, data)


def described(operand: Operand, address: Any) -> Any:
    """The tensor of an operand whose storage is at an address; the caller destroys it."""
    elements = operand.storage.size * (2 if operand.dtype == "int4" else 1)
    storage = operand.storage_shape
    if storage is None:
        plain = operand.strides is None and operand.offset == 0
        storage = operand.shape if plain else (elements,)
    return native.tensor(
        operand.shape,
        operand.dtype,
        address,
        strides=operand.strides,
        offset=operand.offset,
        storage=storage,
        format=operand.format,
    )


@contextmanager
def host() -> Iterator[Host]:
    """A host whose counters must come back to where they were."""
    assert native.host.aclInit(NULL) in (0, 100002)
    native.ok(native.host.aclrtSetDevice(0))
    made = Host()
    native.message()
    try:
        before = counters()
        yield made
        assert made.synchronize() == 0
        after = counters()
        assert after == before, f"left behind: {after}, before: {before}"
    finally:
        made.close()


@cache
def start_as(soc: str) -> list[str]:
    """Status of aclInit, of aclrtSetDevice, and the text of aclInit, as this chip."""
    program = """
    from helpers.native import NULL, host, message
    init, text = host.aclInit(NULL), message()
    print(init, host.aclrtSetDevice(0), text, sep="\\n")
    """
    return run_python(program, ACLQUANT_HOST_SOC=soc).splitlines()


def assert_950_not_supported() -> None:
    """The Ascend 950 family is refused by name, in words, at initialisation and at the device."""
    init, device, *text = start_as("Ascend950PR_9589")
    assert init == "500000"
    assert device == "507008"
    assert "Ascend950PR_9589" in text[0]
    assert "not supported" in text[0]
