"""Captured graphs: calls that are recorded once and launched together, again and again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import errors
from ._ffi import CData, ffi
from .device import on_its_device
from .resource import Resource
from .stream import Stream, as_stream

if TYPE_CHECKING:
    from .device import Device
    from .memory import Buffer

__all__ = ["Graph", "capture"]

_MODES = {
    mode: ffi.integer_const("ACL_MODEL_RI_CAPTURE_MODE_" + mode.upper())
    for mode in ("global", "thread_local", "relaxed")
}
_RELAXED = _MODES["relaxed"]


class Graph(Resource):
    """Calls on Tensors that `capture` has recorded; `replay` runs all of them.

    A replay computes anew from what the Tensors hold then: write new values into the inputs
    (`Tensor.write`), replay, and read the results. Numbers and arrays given as arguments are part
    of the graph, and so are shapes and types. The graph keeps the memory that it uses.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> x = aq.asarray(np.float32([1, 2]))
    >>> with aq.capture() as graph:
    ...     y = aq.quantize(x, 0.5)
    >>> for _ in range(2):
    ...     graph.replay()
    ...     print(y.tolist())
    ...     x.write(np.float32([3, 4]))
    [2, 4]
    [6, 8]
    >>> graph.close()
    """

    _hidden: tuple[str, ...] = ("adopt", "join", "last_use", "leave", "relaxed", "take", "use")

    def __init__(self, stream: Stream) -> None:
        self.device: Device = stream.device
        self.handle: CData = ffi.NULL
        self._buffers: dict[int, Buffer] = {}
        self._last: dict[int, Stream] = {}
        self._scratch: list[Resource] = []
        self._adopted: list[CData] = []
        self._streams: list[tuple[Stream, list[Resource]]] = []
        super().__init__(stream.backend)

    def replay(self, stream: Stream | None = None) -> None:
        """Launch all recorded calls, without waiting.

        Parameters
        ----------
        stream : Stream, optional
            Where they run; the current stream by default. Replays of a graph never overlap.

        Raises
        ------
        ResourceError
            When the graph is closed, or its capture goes on.
        """
        self.require_open()
        if not self.handle:
            raise errors.ResourceError("this Graph is being captured: replay it after the block")
        stream = as_stream(stream, self.device)
        buffers = [buffer for buffer in self._buffers.values() if not buffer.closed]
        with stream.lock, self.device.visit():
            for buffer in buffers:
                buffer.use_on(stream)
            status = self.backend.library.aclmdlRIExecuteAsync(self.handle, stream.handle)
            stream.submitted += 1
            for buffer in buffers:
                buffer.used_on(stream)
        self.backend.check("aclmdlRIExecuteAsync", status)

    # What calls ask while they are recorded.

    def join(self, stream: Stream) -> None:
        """Take in a stream that waits for an event of the capture."""
        if stream.graph is None and self._streams:
            self.take(stream)

    def take(self, stream: Stream) -> None:
        """Record from a stream; scratch memory is the graph's meanwhile, and stays with it."""
        stream.graph = self
        self._streams.append((stream, stream.scratch))
        stream.scratch = []

    def leave(self) -> None:
        """End with the capture."""
        for buffer in self._buffers.values():
            buffer.capture = None
        self._last.clear()
        for stream, scratch in self._streams:
            stream.graph = None
            self._scratch += stream.scratch
            stream.scratch = scratch
        self._streams = []

    def use(self, buffer: Buffer, stream: Stream) -> None:
        """Keep memory that the next recorded call uses, and order the call after earlier ones."""
        last = self._last.get(id(buffer), stream)
        if last is not stream:
            stream.wait(last)
        self._buffers[id(buffer)], self._last[id(buffer)] = buffer, stream
        buffer.capture = self

    def last_use(self, buffer: Buffer) -> Stream:
        """Return the captured stream that used this memory last."""
        return self._last[id(buffer)]

    def adopt(self, pointer: CData) -> None:
        """Take over memory whose Buffer is closed inside the capture."""
        self._adopted.append(pointer)

    @contextlib.contextmanager
    def relaxed(self) -> Iterator[None]:
        """Allow this thread to write at once, to memory that is new and so safe in any capture."""
        exchange = self.backend.library.aclmdlRICaptureThreadExchangeMode
        mode = ffi.new("aclmdlRICaptureMode *", _RELAXED)
        self.backend.check("aclmdlRICaptureThreadExchangeMode", exchange(mode))
        try:
            yield
        finally:
            exchange(mode)

    @on_its_device
    def _release(self) -> None:
        library = self.backend.library
        status = library.aclmdlRIDestroy(self.handle) if self.handle else 0
        self._buffers.clear()
        while self._scratch:
            self._scratch.pop().close()
        for pointer in self._adopted:
            library.aclrtFree(pointer)
        self._adopted = []
        self.backend.check("aclmdlRIDestroy", status)

    def __repr__(self) -> str:
        return f"<Graph on {self.device!r}{', closed' * self.closed}>"


@contextlib.contextmanager
def capture(stream: Stream | None = None, *, mode: str = "thread_local") -> Iterator[Graph]:
    """Record the calls on Tensors of a ``with`` block instead of running them.

    Inside the block, `stream` is the thread's current stream. Calls return at once; their results
    hold nothing before the first `Graph.replay`. `asarray` makes constants of the graph.

    Parameters
    ----------
    stream : Stream, optional
        What is recorded: all that is launched on it meanwhile. A new stream by default.
    mode : str, optional
        Where waiting and synchronous copies are refused meanwhile: "thread_local" (in this thread),
        "global" (in every thread that uses the device) or "relaxed" (only on the stream itself).

    Yields
    ------
    Graph
        To be replayed after the block.

    Raises
    ------
    NotSupportedError
        When the backend has no captured graphs.
    ParameterError
        When `mode` is none of the three.
    AclError
        When the block did what a capture does not allow; the text says which call, and what to do.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> x = aq.asarray(np.float32([1, 2.5]))
    >>> with aq.capture() as graph:
    ...     y = aq.quantize(x, 0.5)
    >>> graph.replay()
    >>> y.numpy()
    array([2, 5], dtype=int8)
    >>> x.write(np.float32([3, -4]))
    >>> graph.replay()
    >>> y.numpy()
    array([ 6, -8], dtype=int8)
    >>> graph.close()
    """
    if mode not in _MODES:
        raise errors.ParameterError(
            function="aclquant.capture",
            argument="mode",
            got=repr(mode),
            allowed="'thread_local', 'global' or 'relaxed'",
        )
    own = stream is None
    if stream is None:
        stream = Stream()
        stream.internal = True
    try:
        with stream:
            graph = _begin(stream, mode)
            try:
                yield graph
            except BaseException:
                graph.leave()
                _drop(stream, graph)
                raise
            graph.leave()
            _end(stream, graph)
    finally:
        if own:
            stream.close()


def _begin(stream: Stream, mode: str) -> Graph:
    library = stream.backend.library
    if not library.has("aclmdlRICaptureBegin"):
        raise errors.NotSupportedError(
            "this backend has no captured graphs", function="aclquant.capture"
        )
    graph = Graph(stream)
    with stream.device.visit():
        status = library.aclmdlRICaptureBegin(stream.handle, _MODES[mode])
    if status:
        graph.close()
        stream.backend.check("aclmdlRICaptureBegin", status)
    graph.take(stream)
    return graph


def _end(stream: Stream, graph: Graph) -> None:
    handle = ffi.new("aclmdlRI *")
    with stream.device.visit():
        status = stream.backend.library.aclmdlRICaptureEnd(stream.handle, handle)
    if status:
        try:
            stream.backend.check("aclmdlRICaptureEnd", status)
        finally:
            graph.close()
    graph.handle = handle[0]


def _drop(stream: Stream, graph: Graph) -> None:
    """End a capture on the way out of another error."""
    with contextlib.suppress(errors.AclError):
        _end(stream, graph)
    graph.close()
