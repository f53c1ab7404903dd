"""The loops of limits.cpp, compiled for this machine: what it allows."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cases
import numpy as np
import numpy.typing as npt
from measure import Job

import aclquant as aq

HERE = Path(__file__).parent
LONGEST = 16384  # row
SHAPES = ((256, 128), (8, 4096))  # of the comparison: several sets of rows for each thread
Array = npt.NDArray[Any]


def _from_line(elements: int, dtype: npt.DTypeLike) -> Array:
    """Zeros that begin where a line of memory does."""
    size = elements * np.dtype(dtype).itemsize
    memory = np.zeros(size + 64, np.uint8)
    first = -memory.ctypes.data % 64
    return memory[first : first + size].view(dtype)


def _pointer(array: Array) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


class Limits:
    """Loops by name; none where there is no C++ compiler.

    They write past the caches, or with ``in_cache`` into them.
    """

    def __init__(self, folder: str, in_cache: bool = False) -> None:
        self._run: Any = None
        self._in_cache = in_cache
        self._factors = np.full(LONGEST, 0.5, np.float32)
        compiler = shutil.which(os.environ.get("CXX", "g++"))
        if compiler is None:
            print("no C++ compiler: the limits are left out")
            return
        library = Path(folder) / ("limits_in_cache.so" if in_cache else "limits.so")
        flags = ["-std=c++20", "-O3", "-march=native", "-ffp-contract=off", "-pthread"]
        flags += ["-falign-loops=32", "-shared", "-fPIC", *(["-DIN_CACHE"] if in_cache else [])]
        done = subprocess.run(
            [compiler, *flags, HERE / "limits.cpp", "-o", library], capture_output=True, text=True
        )
        if done.returncode:
            print(f"the limits are left out:\n{done.stderr}")
            return
        self._run = ctypes.CDLL(str(library)).runLimit
        self._check()

    def _bound(
        self, name: str, x: Array, elements: int, length: int, y: Array, threads: int
    ) -> tuple[Job, Array]:
        """A call of a loop, and where it puts scale and offset of each row."""
        made = np.zeros((max(elements // length, 1), 2), np.float32)
        numbers = [ctypes.c_size_t(number) for number in (elements, length)]
        places = [_pointer(array) for array in (self._factors, y, made)]
        work = (name.encode(), _pointer(x), *numbers, *places, ctypes.c_size_t(threads))
        if not self._run(*work):
            raise ValueError(f"limits.cpp has no loop {name!r}")

        def run(keep: Any = (x, y, made)) -> None:
            self._run(*work)

        return run, made

    def job(self, case: cases.Case, threads: int) -> Job | None:
        """The loop on the case's arrays, which begins where a line does.

        So there is not room for all: the longest row is left out for each thread, or in the caches
        one row.
        """
        if self._run is None or case.arrays is None or not case.limit:
            return None
        source, target = case.arrays
        length = case.elements // source.shape[0]
        elements = case.elements - threads * (length if self._in_cache else LONGEST)
        y = target.reshape(-1).view(np.uint8)
        y = y[-y.ctypes.data % 64 :]
        return self._bound(case.limit, source, elements, length, y, threads)[0]

    def copy(self, source: Array, target: Array, threads: int) -> tuple[Job, int] | None:
        """A copy of float32 in whole lines, and the bytes that it reads and writes."""
        if self._run is None:
            return None
        unit = 64 * threads
        elements = (source.size - unit) // unit * unit
        y = target.reshape(-1).view(np.uint8)
        y = y[-y.ctypes.data % 64 :]
        job = self._bound("copy", source, elements, max(elements, 1), y, threads)[0]
        return job, elements * 8

    def _check(self) -> None:
        """A loop with other results than the operator's shows no limit."""
        for rows, length in SHAPES:
            results = _results(rows, length, self._factors[:length])
            for name, x, expected, parameters in results:
                y = _from_line(expected.size, expected.dtype)
                made = self._bound(name, x, rows * length, length, y, 2)[1]
                equal = y.tobytes() == expected.tobytes()
                if not equal or not (parameters is None or np.array_equal(made, parameters)):
                    raise AssertionError(f"the loop {name!r} does not make the operator's results")


def _results(
    rows: int, length: int, factors: Array
) -> Iterator[tuple[str, Array, Array, Array | None]]:
    """Name, input, and what the operator makes of it; scale and offset of each row, if it does."""
    values = np.random.default_rng(0).standard_normal((rows, length), np.float32) * 3
    for source, dtype in cases.FLOATS.items():
        x = values.astype(dtype)
        for target, kind in (("int8", "qint8"), ("int4", "quint4x2")):
            name = f"{source} -> {target}"
            for extra, scale in (("", factors[:1]), (", each", factors)):
                same = scale.astype(dtype)
                y = aq.quantize(x, same, dtype=kind, axis=-1, div_mode=False)
                yield f"{name}, multiply{extra}", x, y, None
                if target == "int8":
                    yield f"{name}, divide{extra}", x, aq.quantize(x, scale, axis=1), None
            for extra, smooth in (("", None), (", smooth", factors.astype(dtype))):
                if source != "float32":
                    dst_type = "int8" if target == "int8" else kind
                    y, *parameters = aq.dynamic_quant_asymmetric(
                        x, smooth_scales=smooth, dst_type=dst_type
                    )
                    yield f"dynamic {name}{extra}", x, y, np.stack(parameters, 1)
    codes = np.arange(rows * length).astype(np.int8).reshape(rows, length)
    packed = codes.reshape(-1)[::2].copy().view(np.int32).reshape(rows, -1)
    for source, q in (("int8", codes), ("int4", packed)):
        for result in ("float16", "bfloat16"):
            for extra, scale in (("", factors[:1]), (", each", factors)):
                y = aq.anti_quant(q, scale, dst_dtype=cases.FLOATS[result])
                yield f"{source} -> {result}, multiply{extra}", q, y, None
