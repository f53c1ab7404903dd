"""A call prepared once (phase 1) and launched many times with other addresses."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from . import errors
from ._ffi import CData, ffi
from ._ffi.check import error_text
from ._ffi.declarations import functions
from ._ffi.library import load
from .dtypes import as_dtype
from .float_errors import quietly
from .launch import Call
from .memory import Buffer
from .operators import Operator
from .resource import Resource
from .stream import Stream, quiet_synchronize
from .tensor import Tensor

if TYPE_CHECKING:
    import numpy.typing as npt

try:
    from ._ffi import _replay as extension
except ImportError:  # built without it: the same, slower
    extension = None  # type: ignore[assignment]

__all__ = ["Form", "Launcher", "Prepared", "extension", "has_fractions", "launcher", "look"]

look = attrgetter("__class__", "dtype", "shape")
"""The properties in which arrays of one form agree."""

MOST_TENSORS = 8  # of a record, see aclquant/launch.h
_BYTES = ffi.typeof("char[]")
_from_buffer = ffi.from_buffer
_EXTENSION_NUMBERS = ("float32", "float16", "bfloat16", "int32")

Form: TypeAlias = "tuple[Any, ...]"
"""An argument of a prepared call:

* ``("same", value)``: only this value;
* ``("array", tensor, shape, dtype)``: an array in C order, for that tensor of the record;
* ``("numbers", tensor, type, fractions, dtype, count)``: a number or a list, made an array;
* ``("fixed", tensor, array)``: not given, always this array.
"""


class Prepared(Resource):
    """One call, asked for once and then launched again and again with other addresses.

    Holds the descriptors, a repeatable executor and the workspace. What it is run with must have
    the types, shapes and strides of `arguments`; it keeps none of them.

    Parameters
    ----------
    op : Operator
    arguments : sequence
        As for `launch.call`.
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
        self.op, self.stream = op, stream
        library = self.library = stream.backend.library
        self._call = Call(op, library, None, in_place=True)
        self._executor: CData | None = None
        self._workspace: Buffer | None = None
        try:
            with stream.device.visit():
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
            self.record = self._make_record(size, wait, arguments)
        except BaseException:
            self._release()
            raise
        self.padding = (ffi.NULL,) * (MOST_TENSORS - self.record.count)
        self._end, self.run = load("host").aclquantEndLaunch, load("host").aclquantRunLaunch
        super().__init__(stream.backend)

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

    def launch(self, addresses: Sequence[CData]) -> int:
        """Run it on these addresses, one for each tensor, and return the status."""
        return int(self.run(self.record, *addresses, *self.padding))

    def lose(self) -> None:
        """Let no thread launch it again, nor wait for a thread that the child does not have."""
        if not self.closed:
            self.record.executor, self.record.busy = ffi.NULL, 0

    def _release(self) -> None:
        if self._executor is not None:
            if hasattr(self, "_end"):
                self._end(self.record)  # another thread may be running it
            if self.stream.backend.usable and not self.stream.closed:
                quiet_synchronize(self.stream)
            self.library.aclDestroyAclOpExecutor(self._executor)
            self._executor = None
        self._call.release()
        self._call.descriptors.clear()
        if self._workspace is not None:
            self._workspace.close()

    def __repr__(self) -> str:
        return f"<Prepared {self.op.name}{', closed' if self.closed else ''}>"


class Attempt(NamedTuple):
    """What became of a launch: results and status, or no results if the arguments do not fit."""

    results: tuple[npt.NDArray[Any], ...] | None
    status: int


_MISFIT = Attempt(None, 0)


class Launcher:
    """A prepared call on arrays: `run` takes the arguments and ``out``.

    The extension module has the same, faster; `launcher` chooses.
    """

    def __init__(
        self, prepared: Prepared, arguments: tuple[Form, ...], results: tuple[Form, ...]
    ) -> None:
        self.prepared = prepared
        fixed = [form for form in arguments if form[0] == "fixed"]
        given = [form for form in arguments if form[0] != "fixed"]
        self._addresses: list[CData] = [None] * prepared.record.count
        for _, where, array in fixed:
            self._addresses[where] = _from_buffer(array)
        self._forms = [
            (position, form[0], form[1], _expected(form))
            for position, form in enumerate(given)
            if form[0] != "same"
        ]
        self._results = results
        self._looks = tuple((np.ndarray, dtype, shape) for _, _, shape, dtype in results)

    def run(self, *arguments_and_out: Any) -> Any:
        """Return the results, or None if the long way has to be taken."""
        *arguments, out = arguments_and_out
        results, status = self.attempt(arguments, out)
        if status > 0:
            error_text(self.prepared.library)  # the long way says it again, and better
        if results is None or status:
            return None
        if out is not None:
            return out
        return results[0] if len(results) == 1 else results

    def attempt(self, arguments: Sequence[Any], out: Any) -> Attempt:
        """Launch it if everything fits."""
        addresses = self._addresses.copy()
        try:
            # Numbers belong to this call: another one may come in between (a signal handler, say).
            for position, kind, where, expected in self._forms:
                value = arguments[position]
                if kind == "numbers":
                    value = _numbers(value, *expected)
                    if value is None:
                        return _MISFIT
                elif look(value) != expected:
                    return _MISFIT
                addresses[where] = _from_buffer(value)
            results = self._made(out)
            if results is None:
                return _MISFIT
            for (_, where, _, _), result in zip(self._results, results, strict=True):
                addresses[where] = _from_buffer(_BYTES, result, True)
        except (AttributeError, BufferError, ValueError, TypeError):
            return _MISFIT  # no arrays, not in C order, or read-only
        status = self.prepared.launch(addresses)
        return Attempt(results, status)

    def _made(self, out: Any) -> tuple[npt.NDArray[Any], ...] | None:
        if out is None:
            return tuple(np.empty(shape, dtype) for _, dtype, shape in self._looks)
        results = (out,) if len(self._looks) == 1 else out
        if type(results) is not tuple or tuple(map(look, results)) != self._looks:
            return None
        return results


def _expected(form: Form) -> Any:
    """Return what a `Launcher` compares an argument with, or makes it from."""
    if form[0] == "array":
        return np.ndarray, form[3], form[2]
    return *form[2:4], as_dtype(form[4]).numpy, form[5]


def launcher(
    prepared: Prepared, operation: object, arguments: tuple[Form, ...], results: tuple[Form, ...]
) -> Any:
    """Return the extension's launcher if there is one for these forms, else a `Launcher`.

    `operation` is what the calls are of, as in `again`; None for a plan.
    """
    numbers = [form[4] for form in arguments if form[0] == "numbers"]
    if extension is None or not all(name in _EXTENSION_NUMBERS for name in numbers):
        return Launcher(prepared, arguments, results)
    record, run = (int(ffi.cast("uintptr_t", p)) for p in (prepared.record, prepared.run))
    return extension.Replay(prepared, record, run, operation, arguments, results)


def typed(value: Any) -> Any:
    """Make a key of an attribute: 1, 1.0 and True are equal, 0.0 and -0.0 as well."""
    if type(value) is tuple:
        return tuple(map(typed, value))
    return type(value), value.hex() if type(value) is float else value


def has_fractions(value: Any) -> bool:
    """Tell whether there is a float among numbers."""
    values = value if isinstance(value, (list, tuple)) else (value,)
    return any(type(one) is not int for one in values)


def _numbers(
    value: Any, kind: type, fractions: bool, dtype: np.dtype[Any], count: int
) -> npt.NDArray[Any] | None:
    """Convert numbers as the first ones were; None if NumPy would convert these otherwise."""
    if type(value) is not kind or has_fractions(value) != fractions:
        return None
    array = np.asarray(value)
    if array.dtype.kind not in "if":
        return None
    made: npt.NDArray[Any] = quietly(array.astype, dtype).reshape(count)
    return made if made.dtype.kind != "i" or bool((made == array).all()) else None
