"""Files that hold arrays: read block by block, and written so."""

from __future__ import annotations

import io
import mmap
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

import ml_dtypes
import numpy as np

from ..files import as_bytes
from ..safetensors import File, Layout
from .status import WRONG_USAGE, Complaint

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["BLOCK", "KINDS", "Source", "kind_of", "native", "writer"]

KINDS = ("npy", "npz", "safetensors")
BLOCK = 1 << 20
"""Elements that are read, quantised and written together."""

_FLOATS = ("float16", "bfloat16", "float32", "float64")


def kind_of(path: Path, wish: str | None, argument: str) -> str:
    """Return the kind of file to write: as asked for, or as the suffix says."""
    if wish is not None:
        return wish
    suffix = path.suffix.lower().removeprefix(".")
    if suffix in KINDS:
        return suffix
    raise Complaint(
        f"{argument}: the name has to end in .npy, .npz or .safetensors, or --format has to say"
        f" which it is; got {path}",
        WRONG_USAGE,
    )


def native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return a type in this machine's byte order."""
    # Types of ml_dtypes are of the kind "V" and would become void.
    return dtype if dtype.kind == "V" else dtype.newbyteorder("=")


class Source:
    """An array in a file or on stdin, seen as blocks along its first dimension.

    The file is read as often as `blocks` is called, and never held in memory as a whole, unless it
    is an array in Fortran order inside a .npz file.
    """

    def __init__(self, path: str, name: str | None, dtype: str | None) -> None:
        self.label = "stdin" if path == "-" else path
        self.shape: tuple[int, ...]
        self.dtype: np.dtype[Any]
        self.fortran = False
        self._stack = ExitStack()
        self._read: Callable[[int, int], Array]
        try:
            self._open(path, name)
            self._take_type(dtype)
        except BaseException:
            self.close()
            raise

    def _open(self, path: str, name: str | None) -> None:
        file = self._stack.enter_context(self._file(path))
        start = file.read(64)
        file.seek(0)
        if start.startswith(b"\x93NUMPY"):
            self._none_named(name, ".npy")
            self._open_npy(file)
        elif start.startswith(b"PK"):
            self._open_npz(file, name)
        elif len(start) > 8 and start[8:9] == b"{":
            self._open_safetensors(file, name)
        else:
            raise Complaint(f"{self.label}: {_what_else(start)}")

    def _file(self, path: str) -> IO[bytes]:
        if path != "-" and Path(path).is_file():
            return open(path, "rb")
        file = sys.stdin.buffer if path == "-" else open(path, "rb")  # noqa: SIM115
        if file.seekable():
            return file
        with file:
            whole = tempfile.TemporaryFile()  # noqa: SIM115
            shutil.copyfileobj(file, whole, 1 << 20)
        whole.seek(0)
        return whole

    def _none_named(self, name: str | None, kind: str) -> None:
        if name is not None:
            raise Complaint(f"--name: a {kind} file holds one array, without a name")

    def _open_npy(self, file: IO[bytes]) -> None:
        self._header(file)
        offset = file.tell()
        count = int(np.prod(self.shape, dtype=object))
        size = file.seek(0, 2) - offset
        if size < count * self.dtype.itemsize:
            raise Complaint(
                f"{self.label}: the file is cut off: {size} bytes of data, expected"
                f" {count * self.dtype.itemsize} for {self.dtype} of shape {self.shape}"
            )
        if not count:
            return
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        order = self.shape[::-1] if self.fortran else self.shape
        array: Array = np.ndarray(order, self.dtype, mapped, offset)

        def read(start: int, stop: int) -> Array:
            if not array.ndim:
                return np.array(array)
            block = np.array(array[start:stop])
            # Pages that have been copied need not stay in this process.
            mapped.madvise(mmap.MADV_DONTNEED)
            return block

        self._read = read

    def _header(self, file: IO[bytes]) -> None:
        from numpy.lib import format as npy

        try:
            version = npy.read_magic(file)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            self.shape, self.fortran, self.dtype = read(file)
        except (ValueError, EOFError) as error:
            raise Complaint(f"{self.label}: a damaged .npy header: {error}") from None
        if any(length < 0 for length in self.shape):
            raise Complaint(f"{self.label}: a damaged .npy header: its shape is {self.shape}")
        self.fortran = self.fortran and len(self.shape) > 1

    def _open_npz(self, file: IO[bytes], name: str | None) -> None:
        try:
            archive = self._stack.enter_context(zipfile.ZipFile(file))
        except zipfile.BadZipFile as error:
            raise Complaint(f"{self.label}: a damaged .npz file: {error}") from None
        names = [n.removesuffix(".npy") for n in archive.namelist() if n.endswith(".npy")]
        if not names:
            made_by_torch = any(n.endswith("data.pkl") for n in archive.namelist())
            hint = "written by torch.save; save it as .safetensors" if made_by_torch else "no .npz"
            raise Complaint(f"{self.label}: a zip archive without arrays: {hint}")
        member = f"{self._choose(names, name)}.npy"
        with self._whole_member(member), archive.open(member) as start:
            self._header(start)
            skip = start.tell()
        stored = self.dtype
        if self.fortran:
            with self._whole_member(member), archive.open(member) as whole:
                array: Array = np.lib.format.read_array(whole, allow_pickle=False)
            self.fortran = False
            self._read = lambda start, stop: array[start:stop]
            return
        width = int(np.prod(self.shape[1:], dtype=np.int64)) * stored.itemsize
        reader: list[Any] = [None, -1]

        def read(start: int, stop: int) -> Array:
            with self._whole_member(member):
                if reader[1] != start:  # from the beginning: blocks come in order
                    reader[0] = self._stack.enter_context(archive.open(member))
                    reader[0].read(skip)
                data = reader[0].read((stop - start) * width)
            reader[1] = stop
            if len(data) < (stop - start) * width:
                raise Complaint(f"{self.label}: {member} is cut off")
            block: Array = np.frombuffer(data, stored)
            return block.reshape((stop - start, *self.shape[1:]) if self.shape else ())

        self._read = read

    @contextmanager
    def _whole_member(self, member: str) -> Iterator[None]:
        """Say which array of a .npz file is damaged."""
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise Complaint(f"{self.label}: {member} is damaged: {error}") from None

    def _open_safetensors(self, file: IO[bytes], name: str | None) -> None:
        opened = self._stack.enter_context(File(f"/proc/self/fd/{file.fileno()}", self.label))
        chosen = self._choose(list(opened.entries), name)
        entry = opened.entries[chosen]
        self.shape, self.dtype = entry.shape, entry.dtype
        self._read = lambda start, stop: opened.read(chosen, start, stop)

    def _choose(self, names: list[str], wish: str | None) -> str:
        shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        if wish is None and len(names) == 1:
            return names[0]
        if wish is None:
            raise Complaint(
                f"{self.label} holds {len(names)} arrays; choose one with --name: {shown}",
                WRONG_USAGE,
            )
        if wish not in names:
            raise Complaint(f"--name: there is no '{wish}' in {self.label}; it holds: {shown}")
        return wish

    def _take_type(self, wish: str | None) -> None:
        stored = self.dtype
        if stored.type is np.void and stored.str[1:] == "V2" and wish is None:
            raise Complaint(
                f"{self.label}: holds {stored.str}, which is what NumPy writes for bfloat16:"
                " say --input-dtype bfloat16"
            )
        if wish is not None:
            given = np.dtype(ml_dtypes.bfloat16 if wish == "bfloat16" else wish)
            if given.itemsize != stored.itemsize or stored.hasobject:
                raise Complaint(
                    f"--input-dtype {wish}: {self.label} holds {stored}, of another size"
                )
            self.dtype, inner = given, self._read
            self._read = lambda start, stop: inner(start, stop).view(given)
        if stored.hasobject:
            raise Complaint(
                f"{self.label}: holds Python objects, which are not read because that could run"
                " code; save the numbers: np.save(file, array.astype(np.float32))"
            )
        if native(self.dtype).name not in _FLOATS:
            raise Complaint(
                f"{self.label}: expected float16, bfloat16, float32 or float64, got {self.dtype};"
                " convert first: np.save(file, array.astype(np.float32))"
            )
        if 0 in self.shape:
            raise Complaint(f"{self.label}: the array is empty: its shape is {self.shape}")

    @property
    def nbytes(self) -> int:
        """Bytes of the array, as stored."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    @property
    def order(self) -> tuple[int, ...]:
        """Shape as the blocks have it: reversed for an array in Fortran order."""
        return self.shape[::-1] if self.fortran else self.shape

    def blocks(self) -> Iterator[tuple[int, Array]]:
        """Yield pieces along the first dimension of `order`, each with its position.

        They hold float16, bfloat16 or float32: float64 is rounded.
        """
        rows = self.order[0] if self.order else 1
        width = max(1, int(np.prod(self.order[1:], dtype=np.int64)))
        step = max(2, BLOCK // width & ~1)  # even: two int4 codes share a byte
        for start in range(0, rows, step):
            block = self._read(start, min(start + step, rows))
            if native(block.dtype) == np.float64:
                with np.errstate(over="ignore"):
                    yield start, self._within_float32(block, block.astype(np.float32))
            else:
                yield start, block.astype(native(block.dtype), copy=False)

    def _within_float32(self, wide: Array, block: Array) -> Array:
        beyond = np.isinf(block) & np.isfinite(wide)
        if beyond.any():
            raise Complaint(
                f"{self.label}: {wide[beyond].flat[0]:g} is beyond the range of float32"
            )
        return block

    def to_c_order(self) -> None:
        """Take an array in Fortran order into memory, as some kinds of output need."""
        blocks = [block for _, block in self.blocks()]
        whole = np.ascontiguousarray(np.concatenate(blocks).T)
        self._read = lambda start, stop: whole[start:stop]
        self.fortran = False

    def close(self) -> None:
        """Close the file."""
        self._stack.close()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _what_else(start: bytes) -> str:
    allowed = "expected a .npy, .npz or .safetensors file"
    if not start:
        return f"the file is empty; {allowed}"
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":
        return (
            f"a pickled file, which is not read because that could run code; {allowed}: save the"
            " array with numpy.save or safetensors"
        )
    if start.startswith(b"\x89HDF"):
        return f"an HDF5 file; {allowed}"
    if all(32 <= byte < 127 or byte in b"\t\r\n" for byte in start):
        return f"a text file; {allowed}: np.save(file, np.loadtxt(text, dtype=np.float32))"
    return f"not an array file; {allowed}"


class _Npy:
    """One array, in the layout of the source."""

    def __init__(self, file: BinaryIO, dtype: np.dtype[Any], shape: Any, fortran: bool) -> None:
        self._file = file
        _write_header(file, dtype, shape, fortran)

    def write(self, codes: Array) -> None:
        self._file.write(as_bytes(codes))

    def close(self) -> None: ...

    def abandon(self) -> None: ...


class _Switch(io.RawIOBase):
    """A file to write to that can be switched off: then it only counts."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._place = 0
        self.off = False

    def write(self, data: Any) -> int:
        if self.off:
            self._place += memoryview(data).nbytes
            return memoryview(data).nbytes
        return self._file.write(data)

    def flush(self) -> None:
        if not self.off:
            self._file.flush()

    def tell(self) -> int:
        return self._place if self.off else self._file.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        if self.off:
            self._place = offset + (self._place if whence == 1 else 0)
            return self._place
        return self._file.seek(offset, whence)

    def seekable(self) -> bool:
        return self._file.seekable()

    def close(self) -> None:
        """Leave the file open; its owner closes it."""


class _Npz:
    """Codes, scales and zero points in one archive."""

    def __init__(
        self,
        file: BinaryIO,
        dtype: np.dtype[Any],
        shape: Any,
        fortran: bool,
        small: dict[str, Array],
    ) -> None:
        self._file = _Switch(file)
        self._archive = zipfile.ZipFile(cast("BinaryIO", self._file), "w", zipfile.ZIP_STORED)
        try:
            for name, array in small.items():
                with self._archive.open(_member(name), "w") as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
            self._member = self._archive.open(_member("codes"), "w", force_zip64=True)
            _write_header(self._member, dtype, shape, fortran)
        except BaseException:
            self._file.off = True
            raise

    def write(self, codes: Array) -> None:
        self._member.write(as_bytes(codes))

    def close(self) -> None:
        self._member.close()
        self._archive.close()

    def abandon(self) -> None:
        # zipfile writes when it is closed, and if it is not, when it is collected.
        self._file.off = True
        self.close()


class _Safetensors:
    """What `QuantizedWeight.save` writes."""

    def __init__(
        self,
        file: BinaryIO,
        dtype: np.dtype[Any],
        shape: Any,
        small: dict[str, Array],
        metadata: dict[str, str],
    ) -> None:
        types = {name: (array.dtype, array.shape) for name, array in small.items()}
        layout = Layout({**types, "codes": (dtype, shape)}, metadata)
        file.write(layout.header)
        for name in layout.entries:  # in the order of the file; codes, the narrowest, are the last
            if name != "codes":
                file.write(small[name].tobytes())
        self._file = file

    def write(self, codes: Array) -> None:
        self._file.write(as_bytes(codes))

    def close(self) -> None: ...

    def abandon(self) -> None: ...


def writer(
    kind: str,
    file: BinaryIO,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    *,
    fortran: bool,
    small: dict[str, Array],
    metadata: dict[str, str],
) -> _Npy | _Npz | _Safetensors:
    """Begin a file of codes; `small` and `metadata` go into the kinds that hold more than one."""
    if kind == "npy":
        return _Npy(file, dtype, shape, fortran)
    if kind == "npz":
        return _Npz(file, dtype, shape, fortran, small)
    return _Safetensors(file, dtype, shape, small, metadata)


def _write_header(file: IO[bytes], dtype: np.dtype[Any], shape: Any, fortran: bool) -> None:
    from numpy.lib import format as npy

    about = {"descr": npy.dtype_to_descr(dtype), "fortran_order": fortran, "shape": tuple(shape)}
    npy.write_array_header_1_0(file, about)


def _member(name: str) -> zipfile.ZipInfo:
    # A fixed date: the same array gives the same file.
    return zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
