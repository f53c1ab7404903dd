"""Streams and events: the order of work."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

from . import errors
from ._ffi import CData, ffi
from .device import Device, as_device, on_its_device
from .resource import Resource
from .thread_state import this_thread

if TYPE_CHECKING:
    from .graphs import Graph

__all__ = ["Event", "Stream", "current_stream"]

S = TypeVar("S", bound="Stream")

_SYNC = ffi.integer_const("ACL_EVENT_SYNC")
_TIME = ffi.integer_const("ACL_EVENT_TIME_LINE")


class Stream(Resource):
    """A queue of work on a device: what is launched on it runs in order.

    Inside ``with stream:`` it is the thread's current stream, which calls use when they are given
    none; leaving the block does not close it.

    Parameters
    ----------
    device : Device or int, optional
        The current device by default.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> stream = aq.Stream()
    >>> x = aq.asarray(np.float32([1, 2.5]))
    >>> with stream:
    ...     y = aq.quantize(x, 0.5)
    >>> y.numpy()
    array([2, 5], dtype=int8)
    >>> stream.close()
    """

    _hidden: tuple[str, ...] = ("completed", "graph", "lock", "scratch", "submitted")

    def __init__(self, device: Device | int | None = None) -> None:
        self.device = as_device(device)
        self.lock = threading.RLock()
        self.submitted = 0
        self.completed = 0
        self.scratch: list[Resource] = []
        """Device memory that calls on this stream share, one after the other."""
        self.graph: Graph | None = None
        """What is being captured from this stream (`aclquant.capture`)."""
        handle = ffi.new("aclrtStream *")
        backend = self.device.backend
        with self.device.visit():
            backend.check("aclrtCreateStream", backend.library.aclrtCreateStream(handle))
        self.handle: CData = handle[0]
        super().__init__(backend)

    @on_its_device
    def synchronize(self) -> None:
        """Wait until all work launched so far is done.

        Raises
        ------
        DeviceError
            When some of it went wrong; said once.
        """
        self.require_open()
        ticket = self.submitted
        status = self.backend.library.aclrtSynchronizeStream(self.handle)
        self.completed = max(self.completed, ticket)  # after an error nothing is queued either
        self.backend.check("aclrtSynchronizeStream", status)

    @on_its_device
    def done(self) -> bool:
        """Tell, without waiting, whether all work launched so far is done."""
        self.require_open()
        status = ffi.new("aclrtStreamStatus *")
        self.backend.check(
            "aclrtStreamQuery", self.backend.library.aclrtStreamQuery(self.handle, status)
        )
        return bool(status[0] == ffi.integer_const("ACL_STREAM_STATUS_COMPLETE"))

    def record(self, event: Event | None = None) -> Event:
        """Mark this point of the stream with `event` (a new one by default) and return it."""
        self.require_open()
        event = Event(self.device) if event is None else event
        event.record(self)
        return event

    @on_its_device
    def wait(self, other: Event | Stream) -> None:
        """Let later work wait for an event, or for all present work of another stream."""
        self.require_open()
        if isinstance(other, Stream):
            with Event(other.device, timing=False) as event:
                event.record(other)
                self.wait(event)
            return
        other.require_open()
        status = self.backend.library.aclrtStreamWaitEvent(self.handle, other.handle)
        self.backend.check("aclrtStreamWaitEvent", status)
        if other.graph is not None:
            other.graph.join(self)

    @on_its_device
    def _release(self) -> None:
        library = self.backend.library
        try:
            status = library.aclrtSynchronizeStream(self.handle)
            self.completed = self.submitted
            while self.scratch:
                self.scratch.pop().close()
        finally:
            destroyed = library.aclrtDestroyStream(self.handle)
        self.backend.check("aclrtSynchronizeStream", status)
        self.backend.check("aclrtDestroyStream", destroyed)

    def __enter__(self: S) -> S:
        self.require_open()
        this_thread().streams.append(self)
        this_thread().blocks += 1
        return self

    def __exit__(self, *_: object) -> None:
        this_thread().streams.remove(self)
        this_thread().blocks -= 1

    def __repr__(self) -> str:
        return f"<Stream on {self.device!r}{', closed' if self.closed else ''}>"


class Event(Resource):
    """A mark in a stream, to wait for and to measure time with. It can be recorded again.

    Parameters
    ----------
    device : Device or int, optional
        The current device by default.
    timing : bool, optional
        Whether `elapsed_ms` will be asked for.

    Examples
    --------
    >>> import aclquant as aq
    >>> with aq.Event() as start, aq.Event() as end:
    ...     start.record()
    ...     end.record()
    ...     end.synchronize()
    ...     start.elapsed_ms(end) >= 0
    True
    """

    _hidden: tuple[str, ...] = ("graph",)

    def __init__(self, device: Device | int | None = None, *, timing: bool = True) -> None:
        self.device = as_device(device)
        self.graph: Graph | None = None
        """What is being captured where it was recorded last."""
        handle = ffi.new("aclrtEvent *")
        backend = self.device.backend
        flags = _SYNC | _TIME if timing else _SYNC
        with self.device.visit():
            status = backend.library.aclrtCreateEventExWithFlag(handle, flags)
        backend.check("aclrtCreateEventExWithFlag", status)
        self.handle: CData = handle[0]
        super().__init__(backend)

    @on_its_device
    def record(self, stream: Stream | None = None) -> None:
        """Mark the present end of `stream`, the current one by default."""
        self.require_open()
        stream = current_stream(self.device) if stream is None else stream
        stream.require_open()
        status = self.backend.library.aclrtRecordEvent(self.handle, stream.handle)
        self.backend.check("aclrtRecordEvent", status)
        self.graph = stream.graph

    @on_its_device
    def done(self) -> bool:
        """Tell whether the work before the mark is done; true before the first record."""
        self.require_open()
        status = ffi.new("aclrtEventRecordedStatus *")
        self.backend.check(
            "aclrtQueryEventStatus",
            self.backend.library.aclrtQueryEventStatus(self.handle, status),
        )
        return bool(status[0] == ffi.integer_const("ACL_EVENT_RECORDED_STATUS_COMPLETE"))

    @on_its_device
    def synchronize(self) -> None:
        """Wait until the work before the mark is done."""
        self.require_open()
        status = self.backend.library.aclrtSynchronizeEvent(self.handle)
        self.backend.check("aclrtSynchronizeEvent", status)

    @on_its_device
    def elapsed_ms(self, end: Event) -> float:
        """Return the milliseconds from this event to `end`; both must be done."""
        self.require_open()
        end.require_open()
        result = ffi.new("float *")
        status = self.backend.library.aclrtEventElapsedTime(result, self.handle, end.handle)
        self.backend.check("aclrtEventElapsedTime", status)
        return float(result[0])

    @on_its_device
    def _release(self) -> None:
        status = self.backend.library.aclrtDestroyEvent(self.handle)
        self.backend.check("aclrtDestroyEvent", status)

    def __repr__(self) -> str:
        return f"<Event on {self.device!r}{', closed' if self.closed else ''}>"


class _OwnStream(Stream):
    """The stream that a thread uses when it is given none."""

    internal = True


def current_stream(device: Device | int | None = None) -> Stream:
    """Return the stream that this thread uses on `device`.

    It is the one of the innermost ``with stream:`` on that device, else a stream of the thread's
    own; never the device's default stream, which everybody shares.

    Examples
    --------
    >>> import aclquant as aq
    >>> aq.current_stream()
    <Stream on Device(0)>
    """
    device = as_device(device)
    for stream in reversed(this_thread().streams):
        if stream.device == device:
            return stream
    own = this_thread().own.get(device)
    if own is None or own.closed:
        for stale in [d for d in this_thread().own if not d.backend.usable]:
            del this_thread().own[stale]
        own = this_thread().own[device] = _OwnStream(device)
    return own


def current_graph() -> Graph | None:
    """Return the graph that is captured in the ``with`` blocks of this thread, if there is one."""
    for stream in this_thread().streams:
        if stream.graph is not None:
            return stream.graph
    return None


def as_stream(stream: Stream | None, device: Device) -> Stream:
    """Return the Stream for the arguments ``stream=`` and ``device=``."""
    if stream is None:
        return current_stream(device)
    if not isinstance(stream, Stream):
        raise errors.ParameterError(argument="stream", got=repr(stream), allowed="a Stream or None")
    if stream.closed:
        raise errors.ResourceError(argument="stream", got="closed", allowed="an open Stream")
    stream.require_open()
    if stream.device != device:
        raise errors.ParameterError(
            argument="stream", got=f"a stream of {stream.device!r}", allowed=f"one of {device!r}"
        )
    return stream


def quiet_synchronize(stream: Stream) -> None:
    """Wait for a stream on the way out of another error."""
    with contextlib.suppress(errors.AclError):
        stream.synchronize()
