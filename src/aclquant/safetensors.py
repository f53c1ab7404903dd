"""Files in the safetensors format, read and written piece by piece.

The safetensors library checks the header of each file that is opened. Data are read by position,
not mapped, so that memory is bounded by the requested parts; new files are written by position,
because the library can only write what is in memory as a whole.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import ml_dtypes
import numpy as np

from . import errors
from .files import NewFile, as_bytes

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["DTYPES", "NAMES", "Entry", "File", "Layout", "write"]

DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype(np.float64), "F32": np.dtype(np.float32), "F16": np.dtype(np.float16),
    "BF16": np.dtype(ml_dtypes.bfloat16), "I64": np.dtype(np.int64), "I32": np.dtype(np.int32),
    "I16": np.dtype(np.int16), "I8": np.dtype(np.int8), "U64": np.dtype(np.uint64),
    "U32": np.dtype(np.uint32), "U16": np.dtype(np.uint16), "U8": np.dtype(np.uint8),
    "BOOL": np.dtype(np.bool_), "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2), "C64": np.dtype(np.complex64),
}  # fmt: skip
"""The format's names of types."""
NAMES = {dtype: name for name, dtype in DTYPES.items()}


class Entry(NamedTuple):
    """Where a tensor is in a file."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    """Position of its first byte in the file."""

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor."""
        return math.prod(self.shape) * self.dtype.itemsize


class File:
    """A safetensors file, open for reading.

    Parameters
    ----------
    path : str or Path
        The file.
    label : str, optional
        What to call it in errors; its path by default.

    Raises
    ------
    ParameterError
        When the safetensors library finds the file damaged; the text is one line.
    """

    def __init__(self, path: str | Path, label: str | None = None) -> None:
        self.path = Path(path)
        self.label = label or str(path)
        self.metadata: dict[str, str] = {}
        self.entries: dict[str, Entry] = {}
        _check(self.path, self.label)
        self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._read_header()
        except BaseException:
            os.close(self._descriptor)
            raise

    def _read_header(self) -> None:
        (size,) = struct.unpack("<Q", os.pread(self._descriptor, 8, 0))
        header = json.loads(os.pread(self._descriptor, size, 8))
        self.metadata = header.pop("__metadata__", None) or {}
        for name, about in header.items():
            dtype = DTYPES.get(about["dtype"])
            if dtype is None:
                raise errors.ParameterError(
                    f"{self.label}: tensor '{name}' has the unknown type {about['dtype']}"
                )
            start = 8 + size + about["data_offsets"][0]
            self.entries[name] = Entry(dtype, tuple(about["shape"]), start)

    def read(
        self, name: str, start: int = 0, stop: int | None = None, out: Any = None
    ) -> npt.NDArray[Any]:
        """Return a tensor, or its rows from `start` to `stop`."""
        entry = self.entries[name]
        if not entry.shape:
            rows, shape = 1, entry.shape
        else:
            stop = entry.shape[0] if stop is None else min(stop, entry.shape[0])
            rows, shape = stop - start, (stop - start, *entry.shape[1:])
        width = math.prod(entry.shape[1:]) * entry.dtype.itemsize
        array = np.empty(shape, entry.dtype) if out is None else out[:rows].reshape(shape)
        self.read_bytes(entry.start + start * width, array.reshape(-1).view(np.uint8))
        return array

    def read_bytes(self, position: int, into: npt.NDArray[np.uint8]) -> None:
        """Fill `into` with the bytes at a position."""
        view = into.data
        while view:
            count = os.preadv(self._descriptor, [view[: 1 << 30]], position)
            if not count:
                raise OSError(f"{self.label}: the file has become shorter while it was read")
            view, position = view[count:], position + count

    def forget(self, name: str) -> None:
        """Tell the system that a tensor will not be read again, so that its cache can go."""
        entry = self.entries[name]
        os.posix_fadvise(self._descriptor, entry.start, entry.nbytes, os.POSIX_FADV_DONTNEED)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> File:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: object, ___: TracebackType | None
    ) -> None:
        self.close()


def _check(path: Path, label: str) -> None:
    """Let the library look at the header; it knows every way in which one can be wrong."""
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise errors.NotSupportedError(
            "reading .safetensors files needs the package safetensors: "
            "pip install 'aclquant[safetensors]'"
        ) from None
    with open(path, "rb"):  # for Python's errors about missing files and the like
        pass
    if path.is_dir():
        raise IsADirectoryError(path)
    try:
        with safe_open(path, framework="numpy"):
            pass
    except SafetensorError as error:
        raise errors.ParameterError(f"{label}: not a whole .safetensors file: {error}") from None


class Layout:
    """The header of a file to be written, and where each tensor will be.

    As the library does it: the widest types come first, so that every tensor is aligned.
    """

    def __init__(
        self,
        tensors: Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]],
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self.entries: dict[str, Entry] = {}
        header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
        position = 0
        for name in sorted(tensors, key=lambda name: (-tensors[name][0].itemsize, name)):
            dtype, shape = tensors[name]
            entry = Entry(dtype, tuple(shape), position)
            self.entries[name] = entry
            end = position + entry.nbytes
            header[name] = {
                "dtype": NAMES[dtype],
                "shape": list(shape),
                "data_offsets": [position, end],
            }
            position = end
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 8)
        self.header = struct.pack("<Q", len(text)) + text
        self.size = len(self.header) + position
        self.entries = {
            name: entry._replace(start=entry.start + len(self.header))
            for name, entry in self.entries.items()
        }

    def put(self, file: BinaryIO, name: str, array: npt.NDArray[Any], row: int = 0) -> None:
        """Write rows of a tensor to their place, from row `row` on."""
        entry = self.entries[name]
        assert array.dtype == entry.dtype and array.shape[1:] == entry.shape[1:], name
        width = math.prod(entry.shape[1:]) * entry.dtype.itemsize
        data = as_bytes(array)
        position = entry.start + row * width
        while data:
            count = os.pwrite(file.fileno(), data[: 1 << 30], position)
            data, position = data[count:], position + count


def write(
    path: str | Path,
    layout: Layout,
    arrays: Mapping[str, npt.NDArray[Any]],
    *,
    replace: bool = False,
) -> None:
    """Write a whole file of arrays that are in memory."""
    with NewFile(path, replace=replace) as new:
        new.file.write(layout.header)
        new.file.flush()
        for name, array in arrays.items():
            layout.put(new.file, name, array)
