"""The two-phase call: phase 1 checks and asks for the workspace, phase 2 launches.

A call converts its arguments as the C declaration says and holds everything until the device no
longer needs it:

* with Tensors only, it returns at once; the order of the stream protects the memory;
* with any ndarray among its arguments, it waits for its stream before it returns. A device that can
  use host memory in place gets the array itself, lent for the duration; any other one gets a copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from . import backends as _backends
from . import errors
from ._ffi import CData, ffi
from ._ffi.check import error_text, make_error
from ._ffi.library import Library, load
from .arrays import has_mask, overlaps_itself
from .device import Device, as_device
from .dtypes import CODES, as_dtype
from .memory import Buffer
from .operators import Operator
from .resource import Resource
from .stream import Stream, as_stream, quiet_synchronize
from .tensor import Tensor, asarray, describe_array

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Call", "call"]

_SIZE_RESULT, _EXECUTOR_RESULT = ffi.typeof("uint64_t *"), ffi.typeof("aclOpExecutor **")
_INT4 = as_dtype("int4").numpy
_NULL = ffi.integer_const("ACLNN_ERR_INNER_NULLPTR")


def call(
    op: Operator,
    *arguments: Any,
    stream: Stream | None = None,
    device: Device | int | None = None,
) -> None:
    """Run an operator.

    Parameters
    ----------
    op : Operator
    *arguments
        One per parameter of phase 1 without its two results, outputs included: Tensor, ndarray or
        None for a tensor; numbers, strings, lists, dtypes for attributes.
    stream : Stream, optional
        The current stream by default.
    device : Device or int, optional
        That of the stream or of the Tensors, else the current one.

    Raises
    ------
    AclError
        Whatever the library refuses, with the argument to blame where it is known.
    """
    if len(arguments) != len(op.parameters):
        raise TypeError(f"{op.name} takes {len(op.parameters)} arguments, not {len(arguments)}")
    if device is None:
        place = stream.device if isinstance(stream, Stream) else _place_of(arguments)
    else:
        place = as_device(device)
    stream = as_stream(stream, place)
    with place.visit():
        running = Call(op, place.backend.library, stream, place.backend.host_memory)
        try:
            running.run(arguments)
        finally:
            running.release()


def _place_of(arguments: Sequence[Any]) -> Device:
    for argument in arguments:
        if isinstance(argument, Tensor):
            return argument.device
    return as_device(None)


def _borrow_workspace(stream: Stream, size: int) -> Buffer:
    """Take scratch memory of the stream, or new one; with the stream's lock held.

    It serves one call after the other: the order of the stream keeps them apart. A call that comes
    in between (from a signal handler, say) finds it taken and makes another one.
    """
    try:
        taken = stream.scratch.pop()
    except IndexError:
        taken = None
    if isinstance(taken, Buffer) and taken.nbytes >= size:
        return taken
    try:
        larger = Buffer(size, stream.device)
    except BaseException:
        if taken is not None:
            stream.scratch.append(taken)
        raise
    larger.internal = True
    if taken is not None:
        _retire(taken, stream)
    return larger


def _return_workspace(stream: Stream, workspace: Buffer) -> None:
    if stream.scratch:
        _retire(workspace, stream)
    else:
        stream.scratch.append(workspace)


def _retire(workspace: Resource, stream: Stream) -> None:
    """Free scratch memory after the work that is queued."""
    if isinstance(workspace, Buffer):
        workspace.used_on(stream)
    workspace.close()


class Call:
    """One call, and everything that has to live as long as it.

    Without a stream its descriptors have no data: for phase 1 alone.
    """

    __slots__ = (
        *("op", "library", "stream", "in_place", "synchronous", "launched"),
        *("descriptors", "lent", "tensors", "temporaries", "copies"),
    )

    def __init__(self, op: Operator, library: Library, stream: Stream | None, in_place: bool):
        self.op = op
        self.library = library
        self.stream = stream
        self.in_place = in_place
        self.synchronous = False
        self.launched = False
        self.descriptors: list[tuple[str, CData]] = []
        self.lent: list[tuple[CData, int]] = []
        self.tensors: list[Tensor] = []
        self.temporaries: list[Any] = []
        self.copies: list[tuple[npt.NDArray[Any], Any]] = []

    def run(self, arguments: Sequence[Any]) -> None:
        """Make the call."""
        stream = self.stream
        assert stream is not None
        size, executor, status = self.phase_one(arguments)
        if status:
            self.refused(arguments, status)
        workspace: Buffer | None = None
        with stream.lock:
            try:
                for tensor in self.tensors:
                    tensor.use_on(stream)
                if size:
                    workspace = _borrow_workspace(stream, size)
            except BaseException:
                # The only public way to give up an executor that will not run.
                self.library.aclSetAclOpExecutorRepeatable(executor)
                self.library.aclDestroyAclOpExecutor(executor)
                raise
            self.launched = True
            address = ffi.NULL if workspace is None else workspace.pointer
            status = self.library.bind(self.op.phase_two)(address, size, executor, stream.handle)
            stream.submitted += 1
            for tensor in self.tensors:  # calls that came in between have moved the stream on
                tensor.buffer.used_on(stream)
            if workspace is not None:
                _return_workspace(stream, workspace)
        stream.backend.check(self.op.name, status)
        if self.synchronous:
            stream.synchronize()
            self.launched = False
            for target, source in reversed(self.copies):  # a stand-in may have its own stand-in
                target[...] = source.numpy() if isinstance(source, Tensor) else source

    def phase_one(self, arguments: Sequence[Any]) -> tuple[int, CData, int]:
        """Convert the arguments and ask: workspace size, executor, status."""
        converted = [
            convert(self, position, argument)
            for position, (convert, argument) in enumerate(
                zip(self.op.converters, arguments, strict=True)
            )
        ]
        size, executor = ffi.new(_SIZE_RESULT), ffi.new(_EXECUTOR_RESULT)
        try:
            status = self.library.bind(self.op.phase_one)(*converted, size, executor)
        except OverflowError as error:
            raise errors.ParameterError(
                f"a number does not fit its C type ({error})", function=self.op.name
            ) from error
        return int(size[0]), executor[0], int(status)

    def release(self) -> None:
        """Give everything back; on the way out of an error, after waiting for the stream."""
        if self.launched and self.synchronous and self.stream is not None:
            quiet_synchronize(self.stream)
        library = self.library
        for destroy, handle in reversed(self.descriptors):
            getattr(library, destroy)(handle)
        for pointer, size in self.lent:
            library.aclquantHostUnregister(pointer, size)
        for temporary in self.temporaries:
            if isinstance(temporary, Tensor):
                temporary.close()

    def keep(self, destroy: str, handle: CData) -> CData:
        """Own a descriptor until the end of the call."""
        if not handle:
            text = error_text(self.library)
            raise make_error("aclCreate" + destroy.removeprefix("aclDestroy"), _NULL, text)
        self.descriptors.append((destroy, handle))
        return handle

    def tensor(self, position: int, value: Any) -> CData:
        """Make the descriptor of a Tensor, an ndarray, or None."""
        if value is None:
            return ffi.NULL
        if isinstance(value, Tensor):
            value.require_open(self.op.name, self.op.parameters[position].name)
            if position in self.op.outputs and value.overlaps_itself():
                self._overlapping(position, f"element_strides {value.element_strides}", value)
            if self.stream is not None:
                if value.buffer.device != self.stream.device:
                    self.wrong(position, f"a Tensor on {value.device!r}", repr(self.stream.device))
                self.tensors.append(value)
            handle = value.describe(self.library, data=self.stream is not None)
        elif isinstance(value, np.ndarray):
            handle = self.array(position, value)
        else:
            self.wrong(position, type(value).__name__, "Tensor, numpy.ndarray or None")
        return self.keep("aclDestroyTensor", handle)

    def array(self, position: int, array: npt.NDArray[Any]) -> CData:
        """Lend an array to the device, or copy it there."""
        output = position in self.op.outputs
        if has_mask(array):
            self.wrong(position, "an array with masked elements", "one without: fill them first")
        if output and not array.flags.writeable:
            self.wrong(position, "a read-only array", "an array that can be written")
        if output and overlaps_itself(array.shape, array.strides, array.itemsize):
            self._overlapping(position, f"strides {array.strides}", array)
        if array.dtype not in CODES:
            native = array.dtype.newbyteorder("=")
            if native not in CODES:
                raise errors.DtypeError(
                    function=self.op.name,
                    argument=self.op.parameters[position].name,
                    got=f"dtype {array.dtype}",
                    allowed=", ".join(dtype.name for dtype in CODES),
                )
            array = self._replace(array, output, native)
        if self.stream is None:
            return describe_array(self.library, array, None)
        if self.stream.graph is not None:
            if output:
                self.wrong(position, "an array", "a Tensor, as this call is captured in a graph")
            tensor = asarray(array, device=self.stream.device)
            self.tensors.append(tensor)
            return tensor.describe(self.library)
        self.synchronous = True
        if not self.in_place or array.dtype == _INT4:
            device = self.stream.device
            # Outputs as well begin with what they hold: operators change them in place, or in part.
            tensor = asarray(array, device=device)
            if output:
                self.copies.append((array, tensor))
            self.temporaries.append(tensor)
            self.tensors.append(tensor)
            return tensor.describe(self.library)
        flags = array.flags
        if not flags.aligned or (
            not flags.c_contiguous and any(step % array.itemsize for step in array.strides)
        ):
            array = self._replace(array, output, array.dtype)
        return describe_array(self.library, array, self._lend)

    def _overlapping(self, position: int, strides: str, output: Any) -> NoReturn:
        got = f"shape {output.shape} with {strides}: elements share memory"
        self.wrong(position, got, "an output whose elements have separate memory")

    def _lend(self, pointer: CData, size: int) -> None:
        status = self.library.aclquantHostRegister(pointer, size)
        if status:
            raise make_error("aclquantHostRegister", status, error_text(self.library))
        self.lent.append((pointer, size))

    def _replace(
        self, array: npt.NDArray[Any], output: bool, dtype: np.dtype[Any]
    ) -> npt.NDArray[Any]:
        """Stand in for an array that cannot be used as it is."""
        temporary = array.astype(dtype)
        if output:
            self.copies.append((array, temporary))
        else:
            self.temporaries.append(temporary)
        return temporary

    def wrong(
        self,
        position: int,
        got: str,
        allowed: str,
        kind: type[errors.ParameterError] = errors.ParameterError,
    ) -> NoReturn:
        """Refuse an argument."""
        raise kind(
            function=self.op.name,
            argument=self.op.parameters[position].name,
            got=got,
            allowed=allowed,
        )

    def refused(self, arguments: Sequence[Any], status: int) -> NoReturn:
        """Raise for a refusal by phase 1, with a reason if there is one to be had."""
        name = self.op.phase_one.name
        text = error_text(self.library)
        explained = f"[{status} " in text or "aclquant: " in text  # by the tracer
        if not explained and not self.library.explains_refusals:
            text = f"{_second_opinion(self.op, arguments, status)}\n{text}".strip()
        raise make_error(name, status, text)


def _second_opinion(op: Operator, arguments: Sequence[Any], status: int) -> str:
    """Run phase 1 of the same call on the host device, which says which argument is wrong.

    Phase 1 needs descriptors, no data. Returns the host device's sentence, or one that says why
    there is none. The tracer does the same for programs in C (trace/second_opinion.cpp).
    """
    soc = _backends.backend().soc
    try:
        host = load("host")
        host.aclInit(ffi.NULL)
        host.aclquantSetSocName(soc.encode())
        if not host.has(op.phase_one.name):
            return f"aclquant: no explanation: the host device does not have {op.phase_one.name}"
        if ffi.string(host.aclrtGetSocName()).decode() != soc or host.aclrtSetDevice(0):
            return f"aclquant: no explanation: the host device cannot behave as {soc}"
        try:
            trial = Call(op, host, None, in_place=True)
            error_text(host)
            try:
                _, executor, answer = trial.phase_one(arguments)
                if answer == 0:
                    host.aclSetAclOpExecutorRepeatable(executor)
                    host.aclDestroyAclOpExecutor(executor)
                    return (
                        f"aclquant: the host device, as {soc}, accepts the same call: "
                        "by its rules nothing is wrong with the arguments"
                    )
                sentence = "".join(error_text(host).splitlines()[:1])
                if answer == status:
                    return sentence
                return (
                    f"aclquant: the host device, as {soc}, refuses the same call for another "
                    f"reason: {sentence}"
                )
            finally:
                trial.release()
        finally:
            host.aclrtResetDevice(0)
    except errors.AclError as error:
        return f"aclquant: no explanation: {error}"
