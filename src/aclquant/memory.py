"""Device memory and page-locked host memory, each with one owner."""

from __future__ import annotations

import math
import threading
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from . import errors
from ._ffi import CData, ffi
from .backends import Backend
from .device import Device, as_device, on_its_device
from .resource import Resource
from .stream import Stream, current_graph

if TYPE_CHECKING:
    import numpy.typing as npt

    from .graphs import Graph
    from .tensor import Tensor

__all__ = ["Buffer", "HostBuffer"]

_POLICY = ffi.integer_const("ACL_MEM_MALLOC_HUGE_FIRST")
_TO_DEVICE = ffi.integer_const("ACL_MEMCPY_HOST_TO_DEVICE")
_TO_HOST = ffi.integer_const("ACL_MEMCPY_DEVICE_TO_HOST")
_OUT_OF_MEMORY = ffi.integer_const("ACL_ERROR_RT_MEMORY_ALLOCATION")
_SYNC = ffi.integer_const("ACL_EVENT_SYNC")


def _bytes(function: str, argument: str, value: Any) -> int:
    """Return a length: a whole number from 0 to what C counts memory with."""
    try:
        number = index(value)
    except TypeError:
        number = -1
    if not 0 <= number < 1 << 63:
        raise errors.ParameterError(
            function=function, argument=argument, got=repr(value), allowed="an integer, 0 or more"
        )
    return number


class Buffer(Resource):
    """A piece of device memory.

    It knows the stream that used it last. `close`, or dropping the last reference, frees it
    after the work on that stream, without waiting; use on another stream waits, on the device, for
    the first one.

    Parameters
    ----------
    nbytes : int
        Size; contents are undefined.
    device : Device or int, optional
        The current device by default.

    Raises
    ------
    OutOfMemoryError
        When the device has no such piece, even after waiting for memory that is about to be freed.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> with aq.Buffer(4) as buffer:
    ...     buffer.write(np.arange(4, dtype=np.uint8))
    ...     buffer.read().tolist()
    [0, 1, 2, 3]
    """

    _warns = False  # dropping a reference is an ordinary way to free memory, and ordered as well
    _hidden: tuple[str, ...] = ("capture", "interruptions", "lock", "pointer", "use_on", "used_on")

    def __init__(self, nbytes: int, device: Device | int | None = None) -> None:
        nbytes = _bytes("aclquant.Buffer", "nbytes", nbytes)
        self.device = as_device(device)
        self.nbytes = nbytes
        self.lock = threading.RLock()
        """Held by whoever reads a part of the memory to write it back."""
        self.interruptions: list[tuple[Tensor, npt.NDArray[Any]]] | None = None
        """What was written in the middle of such a write, by the same thread."""
        backend = self.device.backend
        _free_deferred(backend)
        result = ffi.new("void **")
        with self.device.visit():
            status = backend.library.aclrtMalloc(result, max(nbytes, 1), _POLICY)
            if status == _OUT_OF_MEMORY and backend.deferred:
                _free_deferred(backend, wait=True)
                status = backend.library.aclrtMalloc(result, max(nbytes, 1), _POLICY)
        backend.check("aclrtMalloc", status)
        self.pointer: CData = result[0]
        self.capture: Graph | None = None
        """The graph that is being captured with this memory; its replays will use it."""
        self._stream: Stream | None = None
        self._ticket = 0
        super().__init__(backend)

    @property
    def address(self) -> int:
        """Device address, as a number."""
        self.require_open()
        return int(ffi.cast("uintptr_t", self.pointer))

    def use_on(self, stream: Stream) -> None:
        """Order the coming work on `stream` after all earlier work with this memory."""
        self.require_open()
        capture = self.capture
        if capture is not None and stream.graph is None and current_graph() is capture:
            stream.wait(capture.last_use(self))  # which takes the stream into the capture
        if stream.graph is not None:
            # Earlier work elsewhere is not part of the graph: each replay waits for it.
            stream.graph.use(self, stream)
            return
        last = self._stream
        if last is not None and last is not stream and self.busy:
            stream.wait(last)
        self._stream = stream
        self._ticket = stream.submitted + 1

    def used_on(self, stream: Stream) -> None:
        """Note that work on `stream` with this memory has been launched."""
        if stream.graph is not None:
            self.capture = stream.graph
        else:
            self._stream, self._ticket = stream, stream.submitted

    @property
    def busy(self) -> bool:
        """Whether work that uses this memory may still be queued."""
        last = self._stream
        return last is not None and not last.closed and last.completed < self._ticket

    def synchronize(self) -> None:
        """Wait for the work that uses this memory."""
        self.require_open()
        if self.capture is not None and self.capture is current_graph():
            self.capture.last_use(self).synchronize()  # refused, with a reason
        if self.busy and self._stream is not None:
            self._stream.synchronize()

    def write(self, array: npt.NDArray[Any], offset: int = 0) -> None:
        """Copy a C-contiguous array into the memory, `offset` bytes from its start; waits."""
        if not isinstance(array, np.ndarray):
            raise errors.ParameterError(
                function="aclquant.Buffer.write",
                argument="array",
                got=type(array).__name__,
                allowed="numpy.ndarray",
            )
        offset = _bytes("aclquant.Buffer.write", "offset", offset)
        self.synchronize()
        if offset + array.nbytes > self.nbytes:
            raise errors.ParameterError(
                function="aclquant.Buffer.write",
                argument="array",
                got=f"{array.nbytes} bytes at {offset}",
                allowed=f"{self.nbytes} bytes in all",
            )
        source = ffi.from_buffer(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
        self._copy(self.pointer + offset, self.nbytes - offset, source, array.nbytes, _TO_DEVICE)

    def read(self, nbytes: int | None = None, offset: int = 0) -> npt.NDArray[np.uint8]:
        """Copy bytes out of the memory into a new array; waits."""
        offset = _bytes("aclquant.Buffer.read", "offset", offset)
        if nbytes is None:
            nbytes = max(self.nbytes - offset, 0)
        nbytes = _bytes("aclquant.Buffer.read", "nbytes", nbytes)
        self.synchronize()
        if offset + nbytes > self.nbytes:
            raise errors.ParameterError(
                function="aclquant.Buffer.read",
                argument="nbytes",
                got=f"{nbytes} bytes at {offset}",
                allowed=f"{self.nbytes} bytes in all",
            )
        result = np.empty(nbytes, np.uint8)
        target = ffi.from_buffer(result)
        self._copy(target, nbytes, self.pointer + offset, nbytes, _TO_HOST)
        return result

    def _copy(self, target: CData, limit: int, source: CData, count: int, kind: int) -> None:
        if count:
            with self.device.visit():
                status = self.backend.library.aclrtMemcpy(target, limit, source, count, kind)
            self.backend.check("aclrtMemcpy", status)

    @on_its_device
    def _release(self) -> None:
        library = self.backend.library
        if self.capture is not None:
            self.capture.adopt(self.pointer)
            return
        if self.busy and self._stream is not None:
            event = ffi.new("aclrtEvent *")
            status = library.aclrtCreateEventExWithFlag(event, _SYNC)
            if status == 0:
                status = library.aclrtRecordEvent(event[0], self._stream.handle)
            if status == 0:
                self.backend.deferred.append((event[0], self.pointer, self.device.number))
                return
            self._stream.synchronize()
        self.backend.check("aclrtFree", library.aclrtFree(self.pointer))

    def __repr__(self) -> str:
        return f"<Buffer of {self.nbytes} bytes on {self.device!r}{', closed' * self.closed}>"


def _free_deferred(backend: Backend, *, wait: bool = False) -> None:
    """Free what closed buffers left to be freed after their streams' work."""
    library = backend.library
    status = ffi.new("aclrtEventRecordedStatus *")
    for _ in range(len(backend.deferred)):  # calls that come in between may add more
        try:
            entry = backend.deferred.popleft()
        except IndexError:  # another thread was faster
            return
        event, pointer, device = entry
        with backend.visit(device):
            if wait:
                library.aclrtSynchronizeEvent(event)
            else:
                library.aclrtQueryEventStatus(event, status)
                if status[0] != ffi.integer_const("ACL_EVENT_RECORDED_STATUS_COMPLETE"):
                    backend.deferred.appendleft(entry)
                    return
            library.aclrtDestroyEvent(event)
            library.aclrtFree(pointer)


class HostBuffer(Resource):
    """Page-locked host memory, which devices copy from and to without a detour.

    Arrays over it keep the memory alive; `close` gives up this object's own hold.

    Parameters
    ----------
    nbytes : int
        Size; contents are undefined.
    device : Device or int, optional
        The current device by default.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> with aq.HostBuffer(8) as buffer:
    ...     array = buffer.array(np.float32, (2,))
    >>> array[:] = 1
    >>> array.sum()
    np.float32(2.0)
    """

    _warns = False

    def __init__(self, nbytes: int, device: Device | int | None = None) -> None:
        nbytes = _bytes("aclquant.HostBuffer", "nbytes", nbytes)
        self.device = as_device(device)
        self.nbytes = nbytes
        backend = self.device.backend
        library = backend.library
        result = ffi.new("void **")
        with self.device.visit():
            backend.check("aclrtMallocHost", library.aclrtMallocHost(result, max(nbytes, 1)))

        def free(pointer: CData) -> None:
            if backend.usable:
                library.aclrtFreeHost(pointer)

        self._memory: CData = ffi.gc(result[0], free)
        super().__init__(backend)

    def array(self, dtype: npt.DTypeLike = np.uint8, shape: Any = None) -> npt.NDArray[Any]:
        """Return an array over the memory; it keeps the memory alive."""
        self.require_open()
        view = np.frombuffer(ffi.buffer(self._memory, self.nbytes), np.uint8)
        name = "aclquant.HostBuffer.array"
        try:
            wanted = np.dtype(dtype)
        except TypeError as error:
            raise errors.DtypeError(
                function=name, argument="dtype", got=repr(dtype), allowed="a dtype of NumPy"
            ) from error
        if shape is None:
            shape = (self.nbytes // wanted.itemsize,)
        dims = tuple(_bytes(name, "shape", n) for n in (shape if np.iterable(shape) else (shape,)))
        count = math.prod(dims) * wanted.itemsize
        if count > self.nbytes:
            raise errors.ParameterError(
                function=name,
                argument="shape",
                got=f"{dims} of {wanted.name}: {count} bytes",
                allowed=f"{self.nbytes} bytes in all",
            )
        return view[:count].view(wanted).reshape(dims)

    def _release(self) -> None:
        self._memory = None

    def __repr__(self) -> str:
        return f"<HostBuffer of {self.nbytes} bytes{', closed' * self.closed}>"
