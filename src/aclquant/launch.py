"""The two-phase call. No other module knows that there are two phases.

A call converts its arguments as the C declaration says, asks for the workspace (phase 1), launches
(phase 2), and holds everything until the device no longer needs it:

* with Tensors only, it returns at once; the order of the stream protects the memory;
* with any ndarray among its arguments, it waits for its stream before it returns. A device that can
  use host memory in place gets the array itself, lent for the duration; any other one gets a copy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from . import backends as _backends
from . import errors
from ._ffi import CData, ffi
from ._ffi.check import error_text, make_error
from ._ffi.declaration import Function, Parameter, parse
from ._ffi.declarations import functions
from ._ffi.library import Library, load
from .arrays import has_mask
from .convert import Converter, converter, is_tensor
from .device import Device, as_device
from .dtypes import CODES, as_dtype
from .memory import Buffer
from .resource import Resource
from .stream import Stream, as_stream, quiet_synchronize
from .tensor import Tensor, asarray, describe_array, empty

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Operator", "Prepared", "call", "operator"]

_PHASE_ONE = "GetWorkspaceSize"
_RESULTS = (("uint64_t *", "workspaceSize"), ("aclOpExecutor **", "executor"))
_PHASE_TWO_TYPE = (
    Parameter("void *", "workspace"),
    Parameter("uint64_t", "workspaceSize"),
    Parameter("aclOpExecutor *", "executor"),
    Parameter("aclrtStream", "stream"),
)
_SIZE_RESULT, _EXECUTOR_RESULT = ffi.typeof("uint64_t *"), ffi.typeof("aclOpExecutor **")
_INT4 = as_dtype("int4").numpy


class Operator:
    """A two-phase operator: its name and the declaration of its phase 1."""

    def __init__(self, name: str, phase_one: Function) -> None:
        self.name = name
        self.phase_one = phase_one

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the caller gives: everything but the two results of phase 1."""
        return self.phase_one.parameters[:-2]

    @cached_property
    def phase_two(self) -> Function:
        """Phase 2, which has the same form for every operator."""
        return Function(self.name, "aclnnStatus", _PHASE_TWO_TYPE)

    @cached_property
    def outputs(self) -> frozenset[int]:
        """Positions of the outputs.

        CANN's headers do not tell inputs and outputs apart by const alone, so names come first: an
        operator in place writes ``...Ref``, others write ``out``, ``y``, ``gradInput`` or
        ``...Out``. Without such a name they are the tensors that are not const, else those after
        the last attribute.
        """
        tensors = {i: p for i, p in enumerate(self.parameters) if is_tensor(p)}
        references = {i for i, p in tensors.items() if p.name.endswith("Ref")}
        if references:
            return frozenset(references)
        written = {i for i, p in tensors.items() if not p.type.startswith("const")}
        named = {i for i, p in tensors.items() if _OUTPUT.fullmatch(p.name)}
        if written or named:
            return frozenset(written | named)
        others = [i for i in range(len(self.parameters)) if i not in tensors]
        return frozenset(i for i in tensors if others and i > others[-1])

    @cached_property
    def converters(self) -> tuple[Converter, ...]:
        """One function per parameter, from a Python value to what cffi takes."""
        return tuple(converter(self.name, p) for p in self.parameters)


_known: dict[str, Operator] = {}
# gradOut is the gradient that comes in.
_OUTPUT = re.compile(r"out|y|gradInput|(?!gradOut$)\w+Out(Optional)?")


def operator(name: str) -> Operator:
    """Return the declared operator of this name.

    Raises
    ------
    KeyError
        When no header declares it.
    """
    found = _known.get(name)
    if found is None:
        found = _known[name] = Operator(name, functions[name + _PHASE_ONE])
    return found


def declare(declaration: str) -> Operator:
    """Make an operator from the C prototype of its phase 1."""
    try:
        function = parse(declaration)
        ffi.typeof(function.pointer_type)
    except (ValueError, ffi.error) as error:
        raise errors.ParameterError(str(error), function="aclquant.aclnn.declare") from error
    last = tuple((parameter.type, parameter.name) for parameter in function.parameters[-2:])
    if not function.name.endswith(_PHASE_ONE) or [t for t, _ in last] != [t for t, _ in _RESULTS]:
        raise errors.ParameterError(
            function="aclquant.aclnn.declare",
            argument="declaration",
            got=str(function),
            allowed=f"aclnnStatus <name>{_PHASE_ONE}(..., uint64_t *workspaceSize, "
            "aclOpExecutor **executor)",
        )
    return Operator(function.name.removesuffix(_PHASE_ONE), function)


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
    place.enter()
    running = _Call(op, place.backend.library, stream, place.backend.host_memory)
    try:
        running.run(arguments)
    finally:
        running.release()


class Prepared(Resource):
    """One call, asked for once (phase 1) and then launched again and again with other addresses.

    Holds the descriptors, a repeatable executor and the workspace. What it is run with must have
    the types, shapes and strides of `arguments`; it keeps none of them.

    Parameters
    ----------
    op : Operator
    arguments : sequence
        As for `call`.
    stream : Stream
        Where it runs.
    wait : bool
        Whether a run waits for the stream.

    Raises
    ------
    NotSupportedError
        When the library cannot repeat this operator.
    """

    internal = True

    def __init__(self, op: Operator, arguments: Sequence[Any], stream: Stream, *, wait: bool):
        super().__init__(stream.backend)
        self.closed = True  # until there is something to release
        self.op, self.stream = op, stream
        library = self.library = stream.backend.library
        self._call = _Call(op, library, None, in_place=True)
        self._executor: CData | None = None
        self._workspace: Buffer | None = None
        try:
            stream.device.enter()
            size, executor, status = self._call.phase_one(arguments)
            if status:
                self._call.refused(arguments, status)
            status = library.aclSetAclOpExecutorRepeatable(executor)
            if status:
                raise errors.NotSupportedError(
                    "this library cannot repeat the operator, so there is no plan of it",
                    function=op.name,
                    code=status,
                )
            self._executor = executor
            if size:
                self._workspace = Buffer(size, stream.device)
                self._workspace.internal = True
        except BaseException:
            self._release()
            raise
        self.record = self._make_record(size, wait, arguments)
        self.padding = (ffi.NULL,) * (8 - self.record.count)
        self._end, self.run = load("host").aclquantEndLaunch, load("host").aclquantRunLaunch
        self.closed = False

    def _make_record(self, size: int, wait: bool, arguments: Sequence[Any]) -> CData:
        library = self.library
        record = ffi.new("aclquantLaunch *")
        bound = library.bind
        record.setAddress = ffi.cast("aclquantSetAddress", bound(functions["aclSetTensorAddr"]))
        record.phaseTwo = ffi.cast("aclquantPhaseTwo", bound(self.op.phase_two))
        if wait:
            record.wait = ffi.cast("aclquantWait", bound(functions["aclrtSynchronizeStream"]))
            lend, back = "aclquantHostRegisterRanges", "aclquantHostUnregisterRanges"
            record.lend = ffi.cast("aclquantLend", bound(functions[lend]))
            record.takeBack = ffi.cast("aclquantLend", bound(functions[back]))
        record.executor = self._executor
        record.workspace = ffi.NULL if self._workspace is None else self._workspace.pointer
        record.workspaceSize = size
        record.stream = self.stream.handle
        handles = [handle for destroy, handle in self._call.descriptors]
        for position, value in enumerate(arguments):
            if isinstance(value, (np.ndarray, Tensor)):
                tensor = record.tensors[record.count]
                tensor.tensor = handles[record.count]
                tensor.size = value.nbytes
                tensor.alignment = value.dtype.itemsize
                tensor.output = position in self.op.outputs
                record.count += 1
        return record

    def lose(self) -> None:
        """Let nobody launch it any more, nor wait for a thread that the child does not have."""
        if not self.closed:
            self.record.executor, self.record.busy = ffi.NULL, 0

    def _release(self) -> None:
        if self._executor is not None:
            if hasattr(self, "_end"):
                self._end(self.record)  # another thread may be running it
            if self.backend.usable and not self.stream.closed:
                quiet_synchronize(self.stream)
            self.library.aclDestroyAclOpExecutor(self._executor)
            self._executor = None
        self._call.release()
        self._call.descriptors.clear()
        if self._workspace is not None:
            self._workspace.close()

    def __repr__(self) -> str:
        return f"<Prepared {self.op.name}{', closed' if self.closed else ''}>"


def _place_of(arguments: Sequence[Any]) -> Device:
    for argument in arguments:
        if isinstance(argument, Tensor):
            return argument.device
    return as_device(None)


class _Call:
    """One call, and what has to live as long as it."""

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
        stream = self.stream
        assert stream is not None
        size, executor, status = self.phase_one(arguments)
        if status:
            self.refused(arguments, status)
        with stream.lock:
            try:
                for tensor in self.tensors:
                    tensor.use_on(stream)
                workspace = stream.workspace(size) if size else ffi.NULL
            except BaseException:
                # The only public way to give up an executor that will not run.
                self.library.aclSetAclOpExecutorRepeatable(executor)
                self.library.aclDestroyAclOpExecutor(executor)
                raise
            self.launched = True
            status = self.library.bind(self.op.phase_two)(workspace, size, executor, stream.handle)
            stream.submitted += 1
        stream.backend.check(self.op.name, status)
        if self.synchronous:
            stream.synchronize()
            self.launched = False
            for target, source in reversed(self.copies):  # a stand-in may have one of its own
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
            raise make_error("aclCreate" + destroy.removeprefix("aclDestroy"), 561103, text)
        self.descriptors.append((destroy, handle))
        return handle

    def tensor(self, position: int, value: Any) -> CData:
        """Make the descriptor of a Tensor, an ndarray, or None."""
        if value is None:
            return ffi.NULL
        if isinstance(value, Tensor):
            value.require_open(self.op.name, self.op.parameters[position].name)
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
        self.synchronous = True
        if not self.in_place or array.dtype == _INT4:
            device = self.stream.device
            if output:
                tensor = empty(array.shape, array.dtype, device=device)
                self.copies.append((array, tensor))
            else:
                tensor = asarray(array, device=device)
            self.temporaries.append(tensor)
            self.tensors.append(tensor)
            return tensor.describe(self.library)
        flags = array.flags
        if not flags.aligned or (
            not flags.c_contiguous and any(step % array.itemsize for step in array.strides)
        ):
            array = self._replace(array, output, array.dtype)
        return describe_array(self.library, array, self._lend)

    def _lend(self, pointer: CData, size: int) -> None:
        status = self.library.aclquantHostRegister(pointer, size)
        if status:
            raise make_error("aclquantHostRegister", status, error_text(self.library))
        self.lent.append((pointer, size))

    def _replace(
        self, array: npt.NDArray[Any], output: bool, dtype: np.dtype[Any]
    ) -> npt.NDArray[Any]:
        """Stand in for an array that cannot be used as it is."""
        temporary = np.empty(array.shape, dtype)
        if output:
            self.copies.append((array, temporary))
        else:
            temporary[...] = array
            self.temporaries.append(temporary)
        return temporary

    def wrong(self, position: int, got: str, allowed: str) -> NoReturn:
        raise errors.ParameterError(
            function=self.op.name,
            argument=self.op.parameters[position].name,
            got=got,
            allowed=allowed,
        )

    def refused(self, arguments: Sequence[Any], status: int) -> NoReturn:
        """Raise for a refusal by phase 1, with a reason if there is one to be had."""
        name = self.op.phase_one.name
        text = error_text(self.library)
        if not self.library.has("aclquantVersion"):
            text = "\n".join([*_second_opinion(self.op, arguments, status), text])
        raise make_error(name, status, text)


def _second_opinion(op: Operator, arguments: Sequence[Any], status: int) -> list[str]:
    """Run phase 1 of the same call on the host device, which says which argument is wrong.

    Phase 1 needs descriptors, no data. Only lines with the same code are of use.
    """
    try:
        host = load("host")
        host.aclInit(ffi.NULL)
        host.aclquantSetSocName(_backends.backend().soc.encode())
        if host.aclrtSetDevice(0):
            return []
        try:
            if ffi.string(host.aclrtGetSocName()).decode() != _backends.backend().soc:
                return []
            trial = _Call(op, host, None, in_place=True)
            try:
                _, executor, answer = trial.phase_one(arguments)
                if answer == 0:
                    host.aclSetAclOpExecutorRepeatable(executor)
                    host.aclDestroyAclOpExecutor(executor)
                return error_text(host).splitlines()[:1] if answer == status else []
            finally:
                trial.release()
        finally:
            host.aclrtResetDevice(0)
    except errors.AclError:
        return []
