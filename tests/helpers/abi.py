"""Calling the C interface as a C program does, and looking at everything it left behind.

A :class:`Host` has one stream. Each call puts each operand into separate device memory, with
guards around them; runs phase 1, phase 2 and the synchronise; and afterwards compares every byte
that the call had no business to change. Nothing outlives the call.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeAlias

import ml_dtypes
import numpy as np
import numpy.typing as npt

from aclquant._ffi import ffi
from aclquant._ffi.library import Library, load

Array = npt.NDArray[Any]
Argument: TypeAlias = "Operand | Array | int | float | str | None"

#: NumPy name -> aclDataType
CODES = {
    "float32": 0,
    "float16": 1,
    "int8": 2,
    "int32": 3,
    "uint8": 4,
    "int16": 6,
    "int64": 9,
    "uint64": 10,
    "float64": 11,
    "bfloat16": 27,
    "int4": 29,
}
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)

NCHW, ND, FRACTAL_NZ, NCDHW, NCL = 0, 2, 29, 30, 47

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
    buffer: Any
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
        c = self.host.c
        size = self.workspace_size
        memory = ffi.new("void **")
        if size and workspace == "given":
            assert c.aclrtMalloc(memory, size, 0) == 0
        self.launched = executor == "given"
        handle = self.executor[0] if executor == "given" else ffi.NULL
        try:
            status = getattr(c, self.function)(memory[0], size - less, handle, self.host.stream)
            self.later_text = self.host.error_text()
            synchronised = self.host.synchronize()
            if status == 0:
                self.later_text += self.host.error_text()
            return int(status or synchronised)
        finally:
            if memory[0] != ffi.NULL:
                assert c.aclrtFree(memory[0]) == 0

    def results(self) -> list[Array]:
        """The outputs. Everything else, gaps and guards included, must be as it was."""
        found = []
        for placed in self.placed:
            after = self.host.download(placed.buffer, placed.before.size)
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
            after = self.host.download(placed.buffer, placed.before.size)
            assert np.array_equal(after, placed.before), f"{self.function}: wrote something"

    def assert_no_results(self) -> None:
        """Phase 1 left both of its results alone."""
        if self.size != ffi.NULL:
            assert self.workspace_size == _UNTOUCHED_SIZE
        if self.executor != ffi.NULL:
            assert int(ffi.cast("uintptr_t", self.executor[0])) == _UNTOUCHED_EXECUTOR

    def assert_text(self, status: int, argument: str) -> None:
        start = f"[{status} {NAMES[status]}] {self.function}GetWorkspaceSize: "
        start += f"argument '{argument}': got "
        first = self.text.splitlines()[0] if self.text else ""
        assert first.startswith(start), f"{first!r} instead of {start!r}"
        assert "; allowed: " in first, first


class Host:
    """The loaded library, a device and a stream."""

    def __init__(self, library: Library) -> None:
        self.c: Any = library
        self._stream = ffi.new("aclrtStream *")
        assert self.c.aclrtCreateStream(self._stream) == 0

    @property
    def stream(self) -> Any:
        return self._stream[0]

    def close(self) -> None:
        assert self.c.aclrtDestroyStream(self.stream) == 0

    def synchronize(self) -> int:
        return int(self.c.aclrtSynchronizeStream(self.stream))

    def error_text(self) -> str:
        """The pending text; reading clears it."""
        text = self.c.aclGetRecentErrMsg()
        return ffi.string(text).decode() if text else ""

    def counters(self) -> dict[str, int]:
        return counters(self.c)

    def upload(self, data: Array, stack: ExitStack) -> Any:
        pointer = ffi.new("void **")
        assert self.c.aclrtMalloc(pointer, data.size, 0) == 0
        stack.callback(self._free, pointer[0])
        source = ffi.from_buffer(data)
        assert self.c.aclrtMemcpy(pointer[0], data.size, source, data.size, 1) == 0
        return pointer[0]

    def download(self, pointer: Any, size: int) -> Array:
        data = np.empty(size, np.uint8)
        target = ffi.from_buffer(data, require_writable=True)
        assert self.c.aclrtMemcpy(target, size, pointer, size, 2) == 0
        return data

    def tensor(self, operand: Operand, address: Any) -> Any:
        """aclCreateTensor; the caller destroys it."""
        elements = operand.storage.size * (2 if operand.dtype == "int4" else 1)
        storage = operand.storage_shape
        if storage is None:
            plain = operand.strides is None and operand.offset == 0
            storage = operand.shape if plain else (elements,)
        made = self.c.aclCreateTensor(
            operand.shape,
            len(operand.shape),
            CODES[operand.dtype],
            ffi.NULL if operand.strides is None else operand.strides,
            operand.offset,
            operand.format,
            storage,
            len(storage),
            address,
        )
        assert made != ffi.NULL
        return made

    @contextmanager
    def call(self, function: str, *arguments: Argument, null: str = "") -> Iterator[Call]:
        """Phase 1. ``null`` names the result pointer to leave out."""
        self.error_text()
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
                    converted.append(ffi.NULL)
                else:
                    text = isinstance(argument, str)
                    converted.append(str(argument).encode() if text else argument)
            size = ffi.NULL if null == "workspaceSize" else ffi.new("uint64_t *", _UNTOUCHED_SIZE)
            executor = ffi.NULL
            if null != "executor":
                executor = ffi.new("aclOpExecutor **")
                executor[0] = ffi.cast("aclOpExecutor *", _UNTOUCHED_EXECUTOR)
            phase_one = getattr(self.c, function + "GetWorkspaceSize")
            status = int(phase_one(*converted, size, executor))
            call = Call(self, function, placed, status, self.error_text(), size, executor)
            try:
                yield call
            finally:
                if status == 0 and not call.launched:
                    assert self.c.aclSetAclOpExecutorRepeatable(executor[0]) == 0
                    assert self.c.aclDestroyAclOpExecutor(executor[0]) == 0
                self.error_text()

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

    def _free(self, pointer: Any) -> None:
        assert self.c.aclrtFree(pointer) == 0

    def _destroy(self, tensor: Any) -> None:
        assert self.c.aclDestroyTensor(tensor) == 0

    def _place(self, operand: Operand, stack: ExitStack) -> Placed:
        guard = np.full(_GUARD, _GUARD_BYTE, np.uint8)
        data = np.concatenate([guard, operand.storage.view(np.uint8).reshape(-1), guard])
        buffer = self.upload(data, stack)
        address = ffi.cast("void *", int(ffi.cast("uintptr_t", buffer)) + _GUARD)
        tensor = self.tensor(operand, address)
        stack.callback(self._destroy, tensor)
        return Placed(operand, tensor, buffer, data)


def counters(library: Any = None) -> dict[str, int]:
    """The live objects of this process."""
    found = ffi.new("aclquantCounters *")
    assert (library or load("host")).aclquantGetCounters(found) == 0
    return {name: int(getattr(found, name)) for name, _ in ffi.typeof(found[0]).fields}


@contextmanager
def host() -> Iterator[Host]:
    """A host whose counters must come back to where they were."""
    library = load("host")
    assert library.aclInit(ffi.NULL) in (0, 100002)
    assert library.aclrtSetDevice(0) == 0
    made = Host(library)
    made.error_text()
    try:
        before = made.counters()
        yield made
        assert made.synchronize() == 0
        after = made.counters()
        assert after == before, f"left behind: {after}, before: {before}"
    finally:
        made.close()


def process_as(
    settings: dict[str, str], command: list[str], cwd: str
) -> subprocess.CompletedProcess[str]:
    """Run a program beside another device, with this process's packages and no others."""
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    environment = {**os.environ, **settings, "PYTHONPATH": path}
    return subprocess.run(
        command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=300
    )


def fresh(program: str, **settings: str) -> list[str]:
    """Lines that a program prints in a new process, with ``c`` and ``ffi`` at hand."""
    start = "from aclquant._ffi import ffi\nfrom aclquant._ffi.library import load\n"
    start += "c = load('host')\n"
    with tempfile.TemporaryDirectory() as directory:
        process = process_as(settings, [sys.executable, "-c", start + program], cwd=directory)
    assert process.returncode == 0, process.stderr
    return process.stdout.splitlines()


@cache
def start_as(soc: str) -> list[str]:
    """Status of aclInit, of aclrtSetDevice, and the text of aclInit, as this chip."""
    program = (
        "init = c.aclInit(ffi.NULL)\n"
        "text = c.aclGetRecentErrMsg()\n"
        "text = ffi.string(text).decode() if text else ''\n"
        "print(init, c.aclrtSetDevice(0), text, sep='\\n')\n"
    )
    return fresh(program, ACLQUANT_HOST_SOC=soc)


def assert_950_not_supported() -> None:
    """The Ascend 950 family is refused by name, in words, at initialisation and at the device."""
    init, device, *text = start_as("Ascend950PR_9589")
    assert init == "500000"
    assert device == "507008"
    assert "Ascend950PR_9589" in text[0]
    assert "not supported" in text[0]
