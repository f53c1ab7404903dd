"""Files that appear under their names when they are complete, and not at all otherwise."""

from __future__ import annotations

import errno
import io
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["NO_ROOM", "NewFile", "NewFiles", "as_bytes", "same_file", "write_all"]

_PROC = "/proc/self/fd"
NO_ROOM = frozenset([errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
"""Errors of writing, which Python raises without the name of the file."""


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name a file in errors of writing it, as Python does in those of opening it."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


class _NamedFile(io.FileIO):
    """An open file that is named in errors of writing."""

    def __init__(self, descriptor: int, mode: str, path: Path) -> None:
        super().__init__(descriptor, mode)
        self._path = path

    def write(self, data: Any) -> int:
        with _naming(self._path):
            return super().write(data)


class NewFile:
    """A file being written, without a name where the file system can do that.

    The bytes reach the disk before the name does. Whatever happens before `commit` — an error,
    Ctrl-C, a full disk, SIGKILL — leaves what had the name before. Where the file system has no
    files without names, there is a temporary name beside the final one (``.NAME.xxxx.tmp``), and
    SIGKILL leaves that.

    A name that is a symbolic link stands for the file it leads to. A device or pipe is written
    directly.

    Parameters
    ----------
    path : str or Path
        The final name. Its folder must exist.
    replace : bool
        Whether a file that has the name is replaced; otherwise it is an error.

    Raises
    ------
    FileExistsError
        When the name is taken, here or at `commit`.
    """

    def __init__(self, path: str | Path, *, replace: bool = False) -> None:
        self.path = Path(path)
        self.replace = replace
        self._target = Path(os.path.realpath(self.path))
        self._temporary: Path | None = None
        self._borrowed = False
        self.file: BinaryIO
        try:
            mode = os.stat(self.path).st_mode
        except FileNotFoundError:
            mode = None
        self.is_stream = mode is not None and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
        if mode is not None and stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(self.path))
        if self.is_stream:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
            self.file = io.BufferedWriter(_NamedFile(descriptor, "wb", self.path))
        elif mode is not None and not replace:
            raise self._taken()
        else:
            self.file = self._open(0o666 if mode is None else stat.S_IMODE(mode))

    def _open(self, mode: int) -> BinaryIO:
        folder = self._target.parent
        try:
            try:
                if not os.path.isdir(_PROC):
                    raise OSError(errno.EOPNOTSUPP, "no way to name a file later")
                descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, mode)
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT):
                    raise
                temporary = folder / f".{self._target.name}.{secrets.token_hex(4)}.tmp"
                flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
                descriptor = os.open(temporary, flags, mode)
                self._temporary = temporary
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from None
        return cast("BinaryIO", io.BufferedRandom(_NamedFile(descriptor, "r+b", self.path)))

    def flush(self) -> None:
        """Bring the bytes to the disk."""
        with _naming(self.path):
            self.file.flush()
            if not self.is_stream:
                os.fsync(self.file.fileno())

    def commit(self) -> None:
        """Give the file its name."""
        self.flush()
        if not self.is_stream:
            if self.replace:
                self._rename()
            else:
                self._link(self._target)
                if self._temporary is not None:
                    os.unlink(self._temporary)
            _sync_folder(self._target.parent)
            self._temporary = None
        if not self._borrowed:
            self.file.close()

    def _rename(self) -> None:
        if self._temporary is None:
            temporary = self._target.with_name(f".{self._target.name}.{secrets.token_hex(4)}.tmp")
            self._link(temporary)
            self._temporary = temporary
        os.rename(self._temporary, self._target)

    def _link(self, name: Path) -> None:
        """Give the file a name that must be free."""
        try:
            if self._temporary is None:
                # Python follows the link in /proc only if it is given some folder, which an
                # absolute path does not need.
                descriptor = self.file.fileno()
                os.link(f"{_PROC}/{descriptor}", name, src_dir_fd=descriptor, follow_symlinks=True)
            else:
                try:
                    os.link(self._temporary, name)
                except OSError as error:  # a file system without hard links
                    if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK):
                        raise
                    if os.path.lexists(name):
                        raise self._taken() from None
                    os.rename(self._temporary, name)
                    self._temporary = None
        except FileExistsError:
            raise self._taken() from None

    def _taken(self) -> FileExistsError:
        return FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self.path))

    def abandon(self) -> None:
        """Forget the file, unless it has been committed."""
        if not self._borrowed:
            with suppress(OSError):
                self.file.close()
        if self._temporary is not None:
            with suppress(OSError):
                os.unlink(self._temporary)
            self._temporary = None

    def withdraw(self) -> None:
        """Take back a committed file that replaced nothing."""
        if not self.replace and not self.is_stream:
            with suppress(OSError):
                os.unlink(self._target)

    def __enter__(self) -> NewFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, _: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.commit()
            elif isinstance(error, OSError) and error.errno in NO_ROOM and error.filename is None:
                error.filename = str(self.path)  # of a write past `file`, to its descriptor
        finally:
            self.abandon()


class NewFiles:
    """Several new files that belong together: all get their names, or none does.

    Names are given one after the other once all bytes are on the disk. SIGKILL between two of them
    is the one moment when some files are there without the others.
    """

    def __init__(self, *, replace: bool = False) -> None:
        self.replace = replace
        self._files: list[NewFile] = []

    def open(self, path: str | Path) -> NewFile:
        """Begin a file."""
        new = NewFile(path, replace=self.replace)
        self._files.append(new)
        return new

    def stream(self, file: BinaryIO, name: str) -> NewFile:
        """Take a stream that is open already, such as stdout, as one of the files."""
        new = NewFile.__new__(NewFile)
        new.path, new.replace, new.is_stream, new.file = Path(name), False, True, file
        new._temporary, new._borrowed = None, True
        self._files.append(new)
        return new

    def commit(self) -> None:
        """Give all files their names."""
        for new in self._files:
            new.flush()
        done: list[NewFile] = []
        try:
            for new in self._files:
                new.commit()
                done.append(new)
        except BaseException:
            for new in done:
                new.withdraw()
            raise

    def __enter__(self) -> NewFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: object, __: TracebackType | None
    ) -> None:
        with ExitStack() as stack:
            for new in self._files:
                stack.callback(new.abandon)
            if kind is None:
                self.commit()


def write_all(path: str | Path, data: bytes, *, replace: bool = False) -> None:
    """Write a small file at once."""
    with NewFile(path, replace=replace) as new:
        new.file.write(data)


def as_bytes(array: npt.NDArray[Any]) -> memoryview:
    """Return the bytes of an array in C order, for writing."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def same_file(path: str | Path, others: Iterable[str | Path]) -> bool:
    """Tell whether `path` is one of `others`, by whatever name."""
    for other in others:
        with suppress(OSError):
            if os.path.samefile(path, other):
                return True
        if os.path.realpath(path) == os.path.realpath(other):
            return True
    return False


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # some file systems cannot
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
