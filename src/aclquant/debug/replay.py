"""Run recorded calls again, on any backend, and compare what comes out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import errors
from .._ffi import CData, ffi
from .._ffi.check import error_text
from .._ffi.declaration import Function
from .._ffi.declarations import functions
from .._ffi.library import Library, load
from ..codes import code_name
from ..operators import PHASE_ONE
from .numbers import Comparison, compare
from .recording import (
    Argument,
    RecordedCall,
    RecordedTensor,
    Recording,
    RecordingError,
    read_recording,
)

__all__ = ["Output", "Replayed", "groups", "replay"]


@dataclass(frozen=True)
class Output:
    """One tensor that a call wrote: its argument's name and how it compares to the recording."""

    name: str
    comparison: Comparison

    def __str__(self) -> str:
        return f"{self.name}: {self.comparison}"


@dataclass
class Replayed:
    """What became of one call.

    Attributes
    ----------
    number : int
        Its place in the recording, from 1.
    call : RecordedCall
        What was recorded.
    status : int or None
        What it answered now; None when it was not run.
    error : str
        The library's text now.
    skipped : str
        Why it was not run.
    outputs : list of Output
        Comparisons, where both runs have values.
    """

    number: int
    call: RecordedCall
    status: int | None = None
    error: str = ""
    skipped: str = ""
    outputs: list[Output] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Whether status and all outputs are those recorded; a skipped call is not."""
        unknown = self.call.status is None  # the process ended within it
        return (
            not self.skipped
            and (unknown or self.status == self.call.status)
            and all(output.comparison.identical for output in self.outputs)
        )

    def __str__(self) -> str:
        head = f"#{self.number} {self.call.operator}"
        if self.skipped:
            return f"{head}: not run: {self.skipped}"
        then, now = self.call.status, self.status
        answer = f"{now} {code_name(now or 0)}"
        if then is not None and then != now:
            answer += f"; recorded: {then} {code_name(then)}"
        elif then is None:
            answer += "; recorded: it did not return"
        lines = [f"{head}: {answer}", *(f"    {output}" for output in self.outputs)]
        lines += [f"    {line}" for line in self.error.splitlines()[:3]]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {
            "call": self.number,
            "operator": self.call.operator,
            "status": self.status,
            "recorded_status": self.call.status,
            "same": self.same,
            "skipped": self.skipped,
            "error": self.error,
            "outputs": [{"name": o.name, **o.comparison.as_dict()} for o in self.outputs],
        }


def replay(
    recording: Recording | str | os.PathLike[str],
    *,
    backend: str = "host",
    call: int | None = None,
    soc: str = "",
) -> list[Replayed]:
    """Run the calls of a recording again and compare their outputs.

    Parameters
    ----------
    recording : Recording or path
        What to run.
    backend : str
        "host", "cann", or a path, as for `aclquant.use_backend`.
    call : int, optional
        Only this call, counted from 1.
    soc : str, optional
        The chip that the host device is; by default the one that was recorded.

    Returns
    -------
    list of Replayed
        One for each call.

    Raises
    ------
    RecordingError
        When the recording is damaged.
    LibraryNotFoundError
        When the backend cannot be loaded.

    Examples
    --------
    >>> import tempfile, numpy as np, aclquant as aq
    >>> folder = tempfile.mkdtemp()
    >>> with aq.record(folder):
    ...     _ = aq.quantize(np.float32([[1, 2]]), 0.5)
    >>> print(aq.debug.replay(folder)[0].outputs[0])
    out: equal: all 2 elements
    """
    source = recording if isinstance(recording, Recording) else read_recording(recording)
    numbers = range(1, len(source.calls) + 1) if call is None else [call]
    library = load(backend)
    done: list[Replayed] = []
    for number in numbers:
        recorded = source.call(number)
        with _device(library, soc or recorded.soc) as stream:
            error_text(library)  # whatever was said before is not about this call
            done.append(_Run(library, stream, Replayed(number, recorded)).run())
    return done


@contextmanager
def _device(library: Library, soc: str) -> Iterator[CData]:
    """Make device 0 current, as the chip of the recording where the library can be one."""
    already = ffi.integer_const("ACL_ERROR_REPEAT_INITIALIZE")
    status = library.aclInit(ffi.NULL)
    if status not in (0, already):
        raise _failure(library, "aclInit", status)
    if library.has("aclquantSetSocName") and soc:
        now = ffi.string(library.aclrtGetSocName()).decode()
        if now != soc:
            _check(library, "aclquantSetSocName", library.aclquantSetSocName(soc.encode()))
    _check(library, "aclrtSetDevice", library.aclrtSetDevice(0))
    stream = ffi.new("aclrtStream *")
    try:
        _check(library, "aclrtCreateStream", library.aclrtCreateStream(stream))
        try:
            yield stream[0]
        finally:
            library.aclrtDestroyStream(stream[0])
    finally:
        library.aclrtResetDevice(0)


def _failure(library: Library, function: str, status: int) -> errors.AclError:
    from .._ffi.check import make_error

    return make_error(function, status, error_text(library))


def _check(library: Library, function: str, status: int) -> None:
    if status:
        raise _failure(library, function, status)


@dataclass
class Group:
    """Tensors that shared memory: from the lowest storage element 0 to the last byte touched."""

    start: int
    end: int
    tensors: list[RecordedTensor] = field(default_factory=list)


def groups(tensors: list[RecordedTensor]) -> list[Group]:
    """Sort tensors into pieces of memory, so that those that overlapped overlap again."""
    found: list[Group] = []
    for tensor in sorted(tensors, key=lambda t: (t.address, t.address + t.first + t.nbytes)):
        end = tensor.address + tensor.first + tensor.nbytes
        if found and tensor.address < found[-1].end:
            found[-1].end = max(found[-1].end, end)
            found[-1].tensors.append(tensor)
        else:
            found.append(Group(tensor.address, end, [tensor]))
    return found


class _Run:
    """One call: its memory, its descriptors, its two phases."""

    def __init__(self, library: Library, stream: CData, result: Replayed) -> None:
        self.library, self.stream, self.result = library, stream, result
        self.call = result.call
        self.memory: list[tuple[Group, CData]] = []
        self.descriptors: list[tuple[str, CData]] = []
        self.keep: list[Any] = []

    def run(self) -> Replayed:
        name = self.call.operator + PHASE_ONE
        one = functions.get(name)
        if one is None:
            self.result.skipped = f"{name} is not declared in aclquant's headers"
        elif not self.library.has(name):
            self.result.skipped = f"this backend does not have {name}"
        elif not self.call.refused and (missing := self._missing()):
            self.result.skipped = missing
        else:
            try:
                self._run(one)
            finally:
                self._release()
        return self.result

    def _missing(self) -> str:
        for argument in self.call.arguments:
            for tensor in argument.tensors:
                if tensor.missing:
                    return f"the values of '{argument.name}' were not recorded: {tensor.missing}"
        return ""

    def _run(self, one: Function) -> None:
        tensors = [t for argument in self.call.arguments for t in argument.tensors]
        for group in groups(tensors):
            self._allocate(group)
        values = [
            self._value(parameter.type, argument)
            for parameter, argument in zip(one.parameters[:-2], self.call.arguments, strict=True)
        ]
        size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
        status = int(self.library.bind(one)(*values, size, executor))
        if not status:
            workspace = ffi.new("void **")
            if size[0]:
                _check(self.library, "aclrtMalloc", self.library.aclrtMalloc(workspace, size[0], 0))
            two = self.library.bind(functions[self.call.operator])
            status = int(two(workspace[0], size[0], executor[0], self.stream))
            status = status or int(self.library.aclrtSynchronizeStream(self.stream))
            if workspace[0]:
                self.library.aclrtFree(workspace[0])
        self.result.status = status
        if status:
            self.result.error = error_text(self.library)
        elif self.call.after:
            self._compare()

    def _allocate(self, group: Group) -> None:
        pointer = ffi.new("void **")
        size = max(group.end - group.start, 1)
        _check(self.library, "aclrtMalloc", self.library.aclrtMalloc(pointer, size, 0))
        self.memory.append((group, pointer[0]))
        content = bytearray(size)
        for tensor in group.tensors:
            if not tensor.missing:
                begin = tensor.address - group.start + tensor.first
                content[begin : begin + tensor.nbytes] = tensor.content()
        data = ffi.from_buffer(content)
        kind = ffi.integer_const("ACL_MEMCPY_HOST_TO_DEVICE")
        _check(
            self.library,
            "aclrtMemcpy",
            self.library.aclrtMemcpy(pointer[0], size, data, size, kind),
        )

    def _address(self, tensor: RecordedTensor) -> CData:
        for group, pointer in self.memory:
            if any(member is tensor for member in group.tensors):
                return ffi.cast("char *", pointer) + (tensor.address - group.start)
        return ffi.NULL

    def _value(self, type_: str, argument: Argument) -> Any:
        value = argument.value
        bare = type_.replace("const ", "")
        if value is None:
            return ffi.NULL
        if isinstance(value, RecordedTensor):
            return self._tensor(value)
        if bare == "aclTensorList *":
            members = [ffi.NULL if m is None else self._new_tensor(m) for m in value]
            handle = self.library.aclCreateTensorList(members, len(members))
            return self._own("aclDestroyTensorList", handle)
        if bare == "aclScalarList *":
            scalars = [ffi.NULL if m is None else self._new_scalar(m) for m in value]
            handle = self.library.aclCreateScalarList(scalars, len(scalars))
            return self._own("aclDestroyScalarList", handle)
        if bare == "aclScalar *":
            return self._own("aclDestroyScalar", self._new_scalar(value))
        for kind in ("Int", "Float", "Bool"):
            if bare == f"acl{kind}Array *":
                handle = getattr(self.library, f"aclCreate{kind}Array")(value, len(value))
                return self._own(f"aclDestroy{kind}Array", handle)
        if bare == "char *":
            text = ffi.new("char[]", value.encode())
            self.keep.append(text)
            return text
        if bare in ("float", "double"):
            return float(value)
        if isinstance(value, str):
            raise RecordingError(f"argument '{argument.name}' is an address ({value}) of {type_}")
        return value

    def _tensor(self, tensor: RecordedTensor) -> CData:
        return self._own("aclDestroyTensor", self._new_tensor(tensor))

    def _new_tensor(self, tensor: RecordedTensor) -> CData:
        return self.library.aclCreateTensor(
            tensor.shape or ffi.NULL,
            len(tensor.shape),
            tensor.code,
            tensor.strides or ffi.NULL,
            tensor.offset,
            tensor.format,
            tensor.storage or ffi.NULL,
            len(tensor.storage),
            self._address(tensor),
        )

    def _new_scalar(self, value: dict[str, Any]) -> CData:
        data = ffi.new("char[]", bytes.fromhex(value["bits"]) + b"\0")
        return self.library.aclCreateScalar(data, ffi.integer_const(f"ACL_{value['dtype']}"))

    def _own(self, destroy: str, handle: CData) -> CData:
        if not handle:
            raise _failure(self.library, destroy.replace("Destroy", "Create"), 561103)
        self.descriptors.append((destroy, handle))
        return handle

    def _compare(self) -> None:
        call = self.call
        for position in call.outputs:
            before, after = call.arguments[position], call.after[position]
            several = len(after.tensors) > 1
            for member, (old, new) in enumerate(zip(before.tensors, after.tensors, strict=True)):
                if new.missing:
                    continue
                now = np.empty(max(new.nbytes, 1), np.uint8)
                pointer = self._address(old) + old.first
                kind = ffi.integer_const("ACL_MEMCPY_DEVICE_TO_HOST")
                if new.nbytes:
                    status = self.library.aclrtMemcpy(
                        ffi.from_buffer(now), new.nbytes, pointer, new.nbytes, kind
                    )
                    _check(self.library, "aclrtMemcpy", status)
                name = f"{after.name}[{member}]" if several else after.name
                result = new.array(now.tobytes()[: new.nbytes])
                self.result.outputs.append(Output(name, compare(new.array(), result)))

    def _release(self) -> None:
        for destroy, handle in reversed(self.descriptors):
            getattr(self.library, destroy)(handle)
        for _, pointer in self.memory:
            self.library.aclrtFree(pointer)


def compare_recordings(
    a: Recording | str | os.PathLike[str], b: Recording | str | os.PathLike[str]
) -> list[Replayed]:
    """Compare the outputs of two recordings of the same calls, in their order.

    Returns
    -------
    list of Replayed
        One for each pair; `Replayed.status` is what the second recording has.

    Raises
    ------
    RecordingError
        When the recordings have different calls, or one is damaged.
    """
    first = a if isinstance(a, Recording) else read_recording(a)
    second = b if isinstance(b, Recording) else read_recording(b)
    names = [[call.operator for call in r.calls] for r in (first, second)]
    if names[0] != names[1]:
        at = next(
            (i for i, (x, y) in enumerate(zip(*names, strict=False)) if x != y),
            min(map(len, names)),
        )
        pair = [n[at] if at < len(n) else "nothing" for n in names]
        raise RecordingError(
            f"the recordings have different calls: at {at + 1}, {pair[0]} and {pair[1]}"
        )
    done = []
    for number, (x, y) in enumerate(zip(first.calls, second.calls, strict=True), 1):
        row = Replayed(number, x, y.status)
        for position in x.outputs if x.after and y.after else []:
            pairs = zip(x.after[position].tensors, y.after[position].tensors, strict=True)
            for old, new in pairs:
                if not (old.missing or new.missing):
                    row.outputs.append(
                        Output(x.after[position].name, compare(old.array(), new.array()))
                    )
        done.append(row)
    return done
