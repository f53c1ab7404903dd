"""The C interface of the host device, called from tests as a C program calls it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from aclquant._ffi import ffi as ffi
from aclquant._ffi.library import load

Array = npt.NDArray[Any]

host: Any = load("host")
lib: Any = ffi.dlopen(None)  # constants of the headers
NULL = ffi.NULL

#: NumPy name -> aclDataType
DTYPES = {
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
#: formats of tensors
NCHW, ND, FRACTAL_NZ, NCDHW, NCL = 0, 2, 29, 30, 47
# Of the memory these tests allocate unless they say otherwise.
MODE = os.environ.get("ACLQUANT_HOST_MEMORY", "guarded")
# AddressSanitizer keeps freed memory for a while, and takes terabytes of addresses.
SANITIZED = "libasan" in os.environ.get("LD_PRELOAD", "")


def message() -> str:
    """The messages of this thread, which reading clears."""
    text = host.aclGetRecentErrMsg()
    return "" if text == NULL else ffi.string(text).decode()


def ok(status: int) -> None:
    """Fail with the text of the host device unless the call succeeded."""
    assert status == 0, f"{status}: {message()}"


def refused(status: int, code: int, *words: str) -> None:
    """The call failed with this code, and its text contains the words."""
    text = message()
    assert status == code, f"{status} instead of {code}: {text}"
    assert f"[{code} " in text, text
    for word in words:
        assert word in text, text


def counters() -> dict[str, int]:
    """Live objects of the process."""
    found = ffi.new("aclquantCounters *")
    ok(host.aclquantGetCounters(found))
    return {name: int(getattr(found, name)) for name, _ in ffi.typeof("aclquantCounters").fields}


def create(function: Any, *arguments: Any) -> Any:
    """Call a creator whose first parameter receives the handle."""
    handle = ffi.new("void **")
    ok(function(handle, *arguments))
    assert handle[0] != NULL
    return handle[0]


@contextmanager
def stream() -> Iterator[Any]:
    made = create(host.aclrtCreateStream)
    yield made
    ok(host.aclrtDestroyStream(made))


@contextmanager
def stalled(held: Any) -> Iterator[None]:
    """Work queued meanwhile waits; leaving lets it run."""
    ok(host.aclquantStallStream(held))
    try:
        yield
    finally:
        ok(host.aclquantResumeStream(held))


@contextmanager
def memory_mode(name: str) -> Iterator[None]:
    """Memory allocated meanwhile is "guarded" or "plain"."""
    ok(host.aclquantSetMemoryMode(name.encode()))
    try:
        yield
    finally:
        ok(host.aclquantSetMemoryMode(MODE.encode()))


def address(pointer: Any) -> int:
    return int(ffi.cast("uintptr_t", pointer))


def pointer(value: int) -> Any:
    return ffi.cast("void *", value)


def address_space() -> int:
    """Bytes of addresses that this process uses."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGESIZE")


class Buffer:
    """Device memory, written and read with aclrtMemcpy."""

    def __init__(self, content: Array | int) -> None:
        self.size = content if isinstance(content, int) else content.nbytes
        self.pointer = create(host.aclrtMalloc, max(self.size, 1), 0)
        if not isinstance(content, int):
            self.write(content)

    def write(self, array: Array) -> None:
        source = ffi.from_buffer(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
        ok(host.aclrtMemcpy(self.pointer, self.size, source, array.nbytes, 1))

    def read(self, dtype: str, shape: Sequence[int] = (-1,)) -> Array:
        array = np.zeros(self.size, np.uint8)
        target = ffi.from_buffer(array, require_writable=True)
        ok(host.aclrtMemcpy(target, self.size, self.pointer, self.size, 2))
        return array.view(dtype).reshape(shape)

    def free(self) -> None:
        ok(host.aclrtFree(self.pointer))

    def __enter__(self) -> Buffer:
        return self

    def __exit__(self, *_: object) -> None:
        self.free()


def tensor(
    shape: Sequence[int],
    dtype: str | int,
    data: Any,
    *,
    strides: Sequence[int] | None = None,
    offset: int = 0,
    storage: Sequence[int] | None = None,
    format: int = ND,
) -> Any:
    """aclCreateTensor; the caller destroys it."""
    code = dtype if isinstance(dtype, int) else DTYPES[dtype]
    storage = shape if storage is None else storage
    made = host.aclCreateTensor(
        list(shape), len(shape), code, NULL if strides is None else list(strides), offset, format,
        list(storage), len(storage), data,
    )  # fmt: skip
    assert made != NULL, message()
    return made


class Job:
    """aclnnAscendQuantV3 of some floats by scale 1, with a buffer for each tensor."""

    VALUES = np.array([1.0, -2.5, 3.5, 200.0], np.float32)
    EXPECTED: ClassVar[list[int]] = [1, -2, 4, 127]

    def __init__(self, values: Array | None = None) -> None:
        self.values = self.VALUES if values is None else values
        size = self.values.size
        self.x, self.scale = Buffer(self.values), Buffer(np.ones(1, np.float32))
        self.y = Buffer(np.zeros(size, np.int8))
        self.tx = tensor([size], "float32", self.x.pointer)
        self.ts = tensor([1], "float32", self.scale.pointer)
        self.ty = tensor([size], "int8", self.y.pointer)
        self.workspace: Any = None

    def prepare(self) -> tuple[int, Any]:
        """Phase 1: the size of the workspace and the executor."""
        size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
        ok(
            host.aclnnAscendQuantV3GetWorkspaceSize(
                self.tx, self.ts, NULL, False, b"round", 2, -1, self.ty, size, executor
            )
        )
        return int(size[0]), executor[0]

    def launch(self, size: int, executor: Any, on: Any) -> int:
        """Phase 2, with a workspace that lives as long as the job."""
        if self.workspace is None and size:
            self.workspace = Buffer(size)
        held = self.workspace.pointer if size else NULL
        return int(host.aclnnAscendQuantV3(held, size, executor, on))

    def run(self, on: Any) -> int:
        return self.launch(*self.prepare(), on)

    def result(self) -> list[int]:
        return [int(value) for value in self.y.read("int8")]

    def close(self) -> None:
        for made in (self.tx, self.ts, self.ty):
            ok(host.aclDestroyTensor(made))
        for buffer in (self.x, self.scale, self.y, *([self.workspace] if self.workspace else [])):
            buffer.free()


@contextmanager
def job(values: Array | None = None) -> Iterator[Job]:
    made = Job(values)
    yield made
    made.close()
