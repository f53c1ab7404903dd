"""Trace and record this process: the tracer's library, and the one hook in the binding.

While a session runs, `aclquant._ffi.library` binds the wrappers of ``libaclquant_trace.so`` instead
of the functions themselves. Without a session nothing of this is loaded.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .. import backends, errors
from .._ffi import ffi
from .._ffi import library as _library
from .._ffi.locate import LIBRARIES, bundled
from ..kept import forget_plans
from .events import Trace, read_trace

if TYPE_CHECKING:
    from .recording import Recording

__all__ = ["TRACER", "begin", "end", "from_environment", "record", "set_sync", "trace"]

TRACER = "libaclquant_trace.so"


class _Tracer:
    """The library, and how many sessions this process has begun."""

    def __init__(self, traced: _library.Library) -> None:
        path = os.path.join(bundled(LIBRARIES), TRACER)
        self.traced = traced
        self.library = _library.open_file(path)
        self.sessions: set[int] = set()

    def begin(self, settings: dict[str, str]) -> int:
        text = "".join(f"{key}={value}\n" for key, value in settings.items())
        number = int(self.library.aclquantTraceBegin(text.encode()))
        if number < 0:
            why = ffi.string(self.library.aclquantTraceError()).decode(errors="replace")
            raise errors.ParameterError(why, function="aclquant.debug")
        if not self.sessions:
            _library.use_wrapper(self.traced, self.library.aclquantTraceWrap)
            self._forget()
        self.sessions.add(number)
        return number

    def _forget(self) -> None:
        """Drop prepared calls: their records hold functions, wrapped or not."""
        if backends.active_backend() is not None:
            forget_plans()

    def end(self, number: int) -> None:
        self.sessions.discard(number)
        if not self.sessions:
            _library.use_wrapper(self.traced, None)
            self._forget()
        self.library.aclquantTraceEnd(number)


_lock = threading.RLock()
_tracer: _Tracer | None = None
_sync: int | None = None


def begin(traced: _library.Library | None = None, **settings: str) -> int:
    """Begin a session of the tracer in this process and return its number.

    Parameters
    ----------
    traced : Library, optional
        Whose functions; those of the active backend by default.
    **settings : str
        As `aclquant/trace.h` lists them: trace, form, record, filter, limit, sync, times.

    Raises
    ------
    ParameterError
        When a setting is wrong, or a file cannot be opened.
    """
    global _tracer
    with _lock:
        library = traced or backends.backend().library
        if _tracer is None or (_tracer.traced is not library and not _tracer.sessions):
            _tracer = _Tracer(library)
        return _tracer.begin({key: value for key, value in settings.items() if value})


def end(number: int) -> None:
    """End a session; its files are complete when this returns."""
    with _lock:
        if _tracer is not None:
            _tracer.end(number)


def set_sync(on: bool) -> None:
    """Let every launch wait for its stream, or not."""
    global _sync
    with _lock:
        if on and _sync is None:
            _sync = begin(sync="1")
        elif not on and _sync is not None:
            end(_sync)
            _sync = None


@contextmanager
def trace(
    filter: str = "", *, file: str | os.PathLike[str] | None = None, times: bool = True
) -> Iterator[Trace]:
    """Trace the calls of CANN's functions that this process makes through aclquant.

    Parameters
    ----------
    filter : str
        A regular expression: only functions in whose name it is found.
    file : path, optional
        Where the calls go, as JSON lines; a temporary file by default.
    times : bool
        Whether to measure when the device runs each launch.

    Yields
    ------
    Trace
        Filled when the block ends: `Trace.calls`, ``str(t)``, `Trace.summary`, `Trace.save`.

    Raises
    ------
    ParameterError
        When `filter` is not a regular expression or `file` cannot be written.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> with aq.trace("aclnnQuantize") as t:
    ...     _ = aq.quantize(np.float32([[1, 2]]), 0.5)
    >>> [call.function for call in t.calls]
    ['aclnnQuantizeGetWorkspaceSize', 'aclnnQuantize']
    """
    found = Trace()
    with tempfile.TemporaryDirectory(prefix="aclquant-trace-") as folder:
        path = Path(folder) / "trace.jsonl" if file is None else Path(file)
        number = begin(trace=str(path), form="json", filter=filter, times="1" if times else "")
        try:
            yield found
        finally:
            end(number)
            found.extend(read_trace(path))


@contextmanager
def record(
    directory: str | os.PathLike[str], *, filter: str = "", limit: int | None = None
) -> Iterator[Recording]:
    """Record the operator calls that this process makes through aclquant, with their tensors.

    Parameters
    ----------
    directory : path
        Where the recording goes; a new directory, or one without a recording in it.
    filter : str
        A regular expression: only operators in whose name it is found.
    limit : int, optional
        Bytes of a tensor up to which its values are recorded; 256 MiB by default.

    Yields
    ------
    Recording
        Readable when the block has ended.

    Raises
    ------
    ParameterError
        When `filter` is not a regular expression, or `directory` cannot be made or has a recording.

    Notes
    -----
    While recording, every launch waits for its stream.

    Examples
    --------
    >>> import tempfile, numpy as np, aclquant as aq
    >>> folder = tempfile.mkdtemp()
    >>> with aq.record(folder) as recording:
    ...     _ = aq.quantize(np.float32([[1, 2]]), 0.5)
    >>> [call.operator for call in recording.calls]
    ['aclnnQuantize']
    """
    from .recording import Recording, has_recording

    if has_recording(directory):
        raise errors.ParameterError(
            function="aclquant.record",
            argument="directory",
            got=f"{os.fspath(directory)}, which has a recording",
            allowed="a directory without one",
        )
    number = begin(record=str(directory), filter=filter, limit="" if limit is None else str(limit))
    try:
        yield Recording(Path(directory))
    finally:
        end(number)


def from_environment(library: _library.Library) -> None:
    """Begin what ``ACLQUANT_TRACE``, ``ACLQUANT_RECORD`` and ``ACLQUANT_SYNC`` ask for.

    A preloaded tracer has read them itself.
    """
    if TRACER in os.environ.get("LD_PRELOAD", ""):
        return
    get = os.environ.get
    settings = {
        "trace": get("ACLQUANT_TRACE", ""),
        "form": get("ACLQUANT_TRACE_FORM", ""),
        "filter": get("ACLQUANT_TRACE_FILTER", ""),
        "times": get("ACLQUANT_TRACE_TIMES", ""),
        "record": get("ACLQUANT_RECORD", ""),
        "limit": get("ACLQUANT_RECORD_LIMIT", ""),
        "sync": "1" if get("ACLQUANT_SYNC") == "1" else "",
    }
    if settings["trace"] or settings["record"] or settings["sync"]:
        begin(library, **settings)
