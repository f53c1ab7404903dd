"""Recordings: calls of operators with the memory they read and wrote (docs/recordings.md)."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes, errors
from .._ffi import ffi

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "Argument",
    "RecordedCall",
    "RecordedTensor",
    "Recording",
    "RecordingError",
    "has_recording",
    "read_recording",
    "remove_recording",
]

FORMAT, VERSION = "aclquant-recording", 1
_FILES = "calls-*.jsonl"


class RecordingError(errors.AclError, ValueError):
    """A recording is damaged, incomplete, or of a version that is not known."""


@dataclass(frozen=True)
class RecordedTensor:
    """A tensor as it was described, and the bytes it could touch.

    Attributes
    ----------
    dtype : str
        ACL's name without ``ACL_``: FLOAT, BF16, INT4, ...
    shape, strides, storage : tuple of int
        In elements.
    offset : int
        Elements before the first.
    format : int
        Number of the ``aclFormat``.
    address : int
        Where storage element 0 was.
    first, nbytes : int
        Which bytes from there on the tensor can touch.
    blob : str
        Name of the recorded bytes; empty when there are none.
    missing : str
        Reason if there are none.
    """

    folder: Path = field(repr=False)
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    storage: tuple[int, ...]
    offset: int
    format: int
    address: int
    first: int = 0
    nbytes: int = 0
    blob: str = ""
    missing: str = ""

    @property
    def code(self) -> int:
        """Number of the ``aclDataType``."""
        return int(ffi.integer_const(f"ACL_{self.dtype}"))

    def content(self) -> bytes:
        """Return the recorded bytes.

        Raises
        ------
        RecordingError
            When there are none, or they are not those that were recorded.
        """
        if self.missing:
            raise RecordingError(f"the values of this tensor were not recorded: {self.missing}")
        if self.nbytes == 0:
            return b""
        path = self.folder / "blobs" / self.blob[:2] / self.blob
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise RecordingError(f"{path} is missing: the recording is not complete") from None
        if len(data) != self.nbytes or hashlib.sha256(data).hexdigest() != self.blob:
            raise RecordingError(
                f"{path} is damaged: "
                + (
                    f"{len(data)} bytes are there; {self.nbytes} were recorded"
                    if len(data) != self.nbytes
                    else "its content does not fit its name, the SHA-256 of what was recorded"
                )
            )
        return data

    def array(self, data: bytes | None = None) -> npt.NDArray[Any]:
        """Return the values: shape `shape`, a NumPy or ml_dtypes type; int4 as such.

        Private formats come in the shape of their storage; types that NumPy does not have as bytes.

        Parameters
        ----------
        data : bytes, optional
            Other bytes of the same layout, by default those recorded.
        """
        return view(self, self.content() if data is None else data)


@dataclass(frozen=True)
class Argument:
    """An argument of phase 1: name, C type, and value (None, bool, number, text, list, tensor)."""

    name: str
    type: str
    value: Any

    @property
    def tensors(self) -> list[RecordedTensor]:
        """The tensors in it."""
        values = self.value if isinstance(self.value, list) else [self.value]
        return [value for value in values if isinstance(value, RecordedTensor)]


@dataclass
class RecordedCall:
    """One call of an operator.

    Attributes
    ----------
    number : int
        Counts the calls of its process from 1.
    operator : str
        Name of phase 2.
    arguments : list of Argument
        Before the call.
    after : list of Argument
        The same after it; empty when the process ended within it.
    status : int or None
        Of phase 1 if it refused, else of phase 2; None when the process ended within the call.
    error : str
        The library's text.
    soc, cann : str
        The chip and the version of the process.
    """

    number: int
    operator: str
    arguments: list[Argument]
    pid: int
    soc: str
    cann: str
    stream: str = ""
    captured: bool = False
    after: list[Argument] = field(default_factory=list)
    status: int | None = None
    refused: bool = False
    error: str = ""
    duration: float = 0.0
    """Microseconds."""

    @property
    def finished(self) -> bool:
        """Whether the call returned."""
        return self.status is not None

    @cached_property
    def outputs(self) -> list[int]:
        """Positions of the arguments that the operator writes, or that changed."""
        from ..operators import operator

        try:
            found = set(operator(self.operator).outputs)
        except KeyError:
            found = set()
        for position, (before, after) in enumerate(zip(self.arguments, self.after, strict=False)):
            if [t.blob for t in before.tensors] != [t.blob for t in after.tensors]:
                found.add(position)
        return sorted(found)

    def __str__(self) -> str:
        inside = ", ".join(f"{a.name}={_text(a.value)}" for a in self.arguments)
        if not self.finished:
            end = "did not return"
        else:
            from ..codes import code_name

            end = f"{self.status} {code_name(self.status or 0)}"
        return f"#{self.number} {self.operator}({inside}) = {end}"


@dataclass
class Recording:
    """A directory of recorded calls.

    Examples
    --------
    >>> import tempfile, numpy as np, aclquant as aq
    >>> folder = tempfile.mkdtemp()
    >>> with aq.record(folder):
    ...     _ = aq.quantize(np.float32([[1, 2]]), 0.5)
    >>> recording = aq.debug.read_recording(folder)
    >>> print(recording.calls[0].after[-1].value.array())
    [[2 4]]
    """

    folder: Path

    @cached_property
    def _read(self) -> tuple[list[RecordedCall], list[str]]:
        return _read(self.folder)

    @property
    def calls(self) -> list[RecordedCall]:
        """All calls, by process and number."""
        return self._read[0]

    @property
    def notes(self) -> list[str]:
        """What is unusual: files that end within a line, calls that did not return."""
        return self._read[1]

    def call(self, number: int) -> RecordedCall:
        """Return the call at a place in `calls`, counted from 1.

        Raises
        ------
        RecordingError
            When there is none.
        """
        if not 1 <= number <= len(self.calls):
            raise RecordingError(f"there is no call {number}: {self.folder} has {len(self.calls)}")
        return self.calls[number - 1]

    @property
    def failing(self) -> int:
        """Number of the call to look at: the first that failed or did not return, else the last."""
        for number, call in enumerate(self.calls, 1):
            if call.status != 0:
                return number
        return len(self.calls)

    def verify(self) -> None:
        """Read all bytes.

        Raises
        ------
        RecordingError
            When a piece is missing or damaged.
        """
        for call in self.calls:
            for argument in [*call.arguments, *call.after]:
                for tensor in argument.tensors:
                    if not tensor.missing:
                        tensor.content()


def read_recording(folder: str | os.PathLike[str]) -> Recording:
    """Open a recording.

    Raises
    ------
    RecordingError
        When `folder` has none, or a line of it is damaged. A last line that ends within itself, of
        a process that was killed, is only noted in `Recording.notes`.
    """
    recording = Recording(Path(folder))
    recording.calls  # noqa: B018 - reads, and raises
    return recording


def has_recording(folder: str | os.PathLike[str]) -> bool:
    """Tell whether a directory has recorded calls."""
    return any(Path(folder).glob(_FILES))


def remove_recording(folder: str | os.PathLike[str]) -> None:
    """Remove the files of a recording, and no others."""
    for path in Path(folder).glob(_FILES):
        path.unlink()
    if (Path(folder) / "blobs").is_dir():
        shutil.rmtree(Path(folder) / "blobs")


def _read(folder: Path) -> tuple[list[RecordedCall], list[str]]:
    files = sorted(folder.glob(_FILES)) if folder.is_dir() else []
    if not files:
        raise RecordingError(f"{folder} has no recording: there is no {_FILES} in it")
    calls: list[RecordedCall] = []
    notes: list[str] = []
    for path in files:
        calls += _read_file(path, notes)
    return calls, notes


def _read_file(path: Path, notes: list[str]) -> list[RecordedCall]:
    data = path.read_bytes()
    lines = data.split(b"\n")
    if lines[-1]:
        notes.append(f"{path.name} ends within line {len(lines)}: the process was killed there")
    calls: dict[int, RecordedCall] = {}
    start: dict[str, Any] = {}
    for number, line in enumerate(lines[:-1], 1):
        row = _checked(path, number, line)
        try:
            if row["event"] == "start":
                if row["format"] != FORMAT or row["version"] != VERSION:
                    raise RecordingError(
                        f"{path}: version {row['version']} of {row['format']}; this aclquant reads "
                        f"version {VERSION} of {FORMAT}"
                    )
                start = row
            elif not start:
                raise RecordingError(f"{path} does not begin with its first line")
            else:
                _add(calls, row, start, path.parent)
        except (KeyError, TypeError) as error:
            raise RecordingError(f"{path}, line {number}: {error} is missing or wrong") from error
    for call in calls.values():
        if not call.finished:
            notes.append(
                f"{path.name}: the process ended within call {call.number}, {call.operator}"
            )
    return list(calls.values())


def _checked(path: Path, number: int, line: bytes) -> dict[str, Any]:
    body, found, crc = line.rpartition(b',"crc32":"')
    if not found or crc != f'{zlib.crc32(body):08x}"}}'.encode():
        raise RecordingError(f"{path}, line {number} is damaged: it does not fit its checksum")
    row = json.loads(body + b"}")
    assert isinstance(row, dict)
    return row


def _add(
    calls: dict[int, RecordedCall], row: dict[str, Any], start: dict[str, Any], folder: Path
) -> None:
    number = row["call"]
    if row["event"] == "end":
        call = calls[number]
        call.status, call.error = row["status"], row.get("error", "")
        call.duration = row["duration"] / 1000
        call.after = _arguments(row["after"], folder)
        return
    call = calls[number] = RecordedCall(
        number,
        row["operator"],
        _arguments(row["arguments"], folder),
        start["pid"],
        start["soc"],
        start["cann"],
        row.get("stream", ""),
        row.get("captured", False),
    )
    if row["event"] == "refused":
        call.refused, call.status, call.error = True, row["status"], row["error"]


def _arguments(rows: list[dict[str, Any]], folder: Path) -> list[Argument]:
    return [Argument(row["name"], row["type"], _value(row["value"], folder)) for row in rows]


def _value(value: Any, folder: Path) -> Any:
    if isinstance(value, list):
        return [_value(member, folder) for member in value]
    if not isinstance(value, dict) or "shape" not in value:
        return value
    return RecordedTensor(
        folder,
        value["dtype"],
        tuple(value["shape"]),
        tuple(value["strides"]),
        tuple(value["storage"]),
        value["offset"],
        value["format"],
        int(value["address"] or "0", 16),
        value.get("first", 0),
        value.get("bytes", 0),
        value.get("blob", ""),
        value.get("missing", ""),
    )


_PLAIN = ("UNDEFINED", "NCHW", "NHWC", "ND", "HWCN", "NDHWC", "NCDHW", "NC", "NCL")
"""Formats whose strides mean something; the others are blocked."""


def is_private(format: int) -> bool:
    """Tell whether a format is blocked: its tensors fill their storage."""
    return format not in {ffi.integer_const(f"ACL_FORMAT_{name}") for name in _PLAIN}


def view(tensor: RecordedTensor, data: bytes) -> npt.NDArray[Any]:
    """Return `data` as the array that `tensor` describes."""
    try:
        dtype = dtypes.from_code(tensor.code)
    except (errors.AclError, KeyError):
        return np.frombuffer(data, np.uint8)
    private = is_private(tensor.format)
    if dtype.bits == 4:
        pairs = np.frombuffer(data, np.uint8)
        nibbles = np.stack([pairs & 15, pairs >> 4], -1).reshape(-1).astype(np.int8)
        flat: npt.NDArray[Any] = np.where(nibbles > 7, nibbles - 16, nibbles).astype(dtype.numpy)
    else:
        flat = np.frombuffer(data, dtype.numpy)
    if private:
        return flat.reshape(tensor.storage)
    if 0 in tensor.shape:
        return np.empty(tensor.shape, flat.dtype)
    start = tensor.offset - tensor.first * 8 // dtype.bits
    steps = [step * flat.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(flat[start:], tensor.shape, steps, writeable=False)


def _text(value: Any) -> str:
    if isinstance(value, RecordedTensor):
        shape = ",".join(map(str, value.shape))
        return f"{value.dtype.lower()}[{shape}]"
    if isinstance(value, dict):
        return f"{value['dtype'].lower()}({value['value']})"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    return repr(value) if isinstance(value, str) else "null" if value is None else str(value)
