"""Prepared calls: phase 1 once, then only addresses and phase 2.

`plan` makes one on purpose. The operators themselves keep a few per thread, for loops over arrays
of equal shapes: the second call with the same types, shapes and attributes is prepared, the ones
after it only launched.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from . import backends as _backends
from . import errors
from ._ffi import ffi
from ._ffi.check import error_text, make_error
from .arrays import has_mask, native
from .float_errors import quietly
from .here import here
from .launch import Operator, Prepared, call
from .resource import Resource
from .stream import Stream, current_stream
from .tensor import Tensor, asarray, empty

if TYPE_CHECKING:
    import numpy.typing as npt

try:
    from ._ffi import _replay as _extension
except ImportError:  # built without it: the same, slower
    _extension = None  # type: ignore[assignment]

__all__ = ["Arrangement", "Plan", "forget_plans", "perform", "plan", "replay"]

_LIMIT = 64
"""Prepared calls that a thread keeps; the oldest makes room."""

_from_buffer = ffi.from_buffer
_BYTES = ffi.typeof("char[]")
_empty = np.empty
_ndarray = np.ndarray
_look = attrgetter("__class__", "dtype", "shape")
_PYTHON_NUMBERS = frozenset([float, int])
_SCALARS = _PYTHON_NUMBERS | {np.float64, np.float32}
_look_at_tensor = attrgetter("__class__", "dtype", "shape", "element_strides", "offset", "device")


class Arrangement:
    """What an operator of `aclquant.ops` makes of its arguments: one call and its results."""

    __slots__ = ("arguments", "operator", "results")

    def __init__(
        self, operator: Operator, arguments: tuple[Any, ...], results: tuple[Any, ...]
    ) -> None:
        self.operator = operator
        self.arguments = arguments
        self.results = results


class Arrange(Protocol):
    """An operator's arguments, without ``stream`` and ``device``, to its Arrangement."""

    def __call__(self, *arguments: Any, **named: Any) -> Arrangement: ...


def perform(arrangement: Arrangement, stream: Stream | None, device: Any) -> Any:
    """Run the call and return its results, one alone or a tuple."""
    try:
        call(arrangement.operator, *arrangement.arguments, stream=stream, device=device)
    except errors.OutOfMemoryError:
        if not here.calls.prepared:
            raise
        forget_plans()  # their workspaces may be what is missing
        call(arrangement.operator, *arrangement.arguments, stream=stream, device=device)
    return _bare(arrangement.results)


def _bare(results: tuple[Any, ...]) -> Any:
    return results[0] if len(results) == 1 else results


class _Kept:
    """A prepared call on arrays in C order, with what its results look like.

    `numbers` are, by position, arrays like those that numbers and lists become.
    """

    __slots__ = ("looks", "numbers", "padding", "prepared", "replay", "results", "single")

    def __init__(
        self,
        prepared: Prepared,
        numbers: dict[int, npt.NDArray[Any]],
        results: tuple[npt.NDArray[Any], ...],
    ) -> None:
        self.prepared, self.padding = prepared, prepared.padding
        self.numbers = numbers
        self.results = tuple((result.shape, result.dtype) for result in results)
        self.looks = tuple(map(_look, results))
        self.single = len(results) == 1
        self.replay: Any = None

    def run(self, arrays: tuple[Any, ...], out: Any) -> Any:
        """Launch it; None if the long way has to be taken."""
        if out is None:
            results = tuple(_empty(shape, dtype) for shape, dtype in self.results)
        else:
            results = (out,) if self.single else out
            if type(results) is not tuple or tuple(map(_look, results)) != self.looks:
                return None
        # Numbers belong to this call: another one may come in between (a signal handler, say).
        inputs = list(arrays)
        for position, like in self.numbers.items():
            inputs[position] = _converted(arrays[position], like)
            if inputs[position] is None:
                return None
        inputs = [array for array in inputs if array is not None]
        try:
            addresses = [_from_buffer(a) for a in inputs]
            addresses += [_from_buffer(_BYTES, a, True) for a in results]
        except (BufferError, ValueError):  # not in C order, or read-only
            return None
        status = self.prepared.run(self.prepared.record, *addresses, *self.padding)
        if status == 0:
            return _bare(results) if out is None else out
        if status > 0:
            error_text(self.prepared.library)  # the long way says it again, and better
        return None


def _replay(
    arrange: Arrange, arrays: tuple[Any, ...], attributes: tuple[Any, ...], out: Any = None
) -> Any:
    """Run a call that was prepared before; None if the long way has to be taken.

    Parameters
    ----------
    arrange : callable
        Takes `arrays` and `attributes`; identifies the operator.
    arrays : tuple
        In the order of the C call. Replayed are ndarrays in C order, numbers, and flat lists.
    attributes : tuple
        Everything else that the call depends on.
    out : ndarray or tuple, optional
        Where the results go.
    """
    calls = here.calls
    backend = _backends._active
    if calls.blocks or backend is None:
        return None
    if calls.backend is not backend:
        calls.prepared, calls.replays, calls.backend = {}, [], backend
    try:
        key = (arrange, _typed(attributes), *map(_describe, arrays))
        entry = calls.prepared[key]
    except KeyError:
        if len(calls.prepared) >= _LIMIT:
            _drop_oldest()
        calls.prepared[key] = None  # seen once
        return None
    except (AttributeError, TypeError):  # no arrays, or an attribute that cannot be a key
        return None
    if entry is None:
        entry = _prepare(key, arrange, arrays, attributes)
    try:
        return None if entry is None else entry.run(arrays, out)
    except AttributeError:  # an output that is no array
        return None


if _extension is None:
    replay = _replay
else:
    _extension.install(here, _replay)
    replay = _extension.replay


def _typed(value: Any) -> Any:
    """Make a key of an attribute: 1, 1.0 and True are equal, 0.0 and -0.0 too."""
    if type(value) is tuple:
        return tuple(map(_typed, value))
    return type(value), value.hex() if type(value) is float else value


def _describe(value: Any) -> Any:
    """Make a key of an array, or of what becomes one: values are not part of it."""
    kind = type(value)
    if kind is _ndarray:
        return _look(value)
    if value is None:
        return None
    if kind in _SCALARS:
        return kind
    if kind is list or kind is tuple:
        kinds = frozenset(map(type, value))
        if not kinds or not kinds <= _PYTHON_NUMBERS:
            raise TypeError
        return kind, len(value), float in kinds
    return _look(value)


def _converted(value: Any, like: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """Convert numbers as the first ones were; None if NumPy would convert these otherwise."""
    array = np.asarray(value)
    if array.dtype.kind not in "if":
        return None
    made = quietly(array.astype, like.dtype).reshape(like.shape)
    return made if made.dtype.kind != "i" or bool((made == array).all()) else None


def _prepare(
    key: Any, arrange: Arrange, arrays: tuple[Any, ...], attributes: tuple[Any, ...]
) -> _Kept | None:
    """Prepare the call if it can be replayed."""
    inputs = {position: array for position, array in enumerate(arrays) if array is not None}
    numbers = {i for i, value in inputs.items() if type(value) in _SCALARS | {list, tuple}}
    for position in inputs.keys() - numbers:
        array = inputs[position]
        if type(array) is not _ndarray or not array.flags.c_contiguous or array.size == 0:
            return None
        if not array.ndim:
            return None
    if not _backends.backend().host_memory:
        return None
    arrangement = arrange(*arrays, *attributes)
    given = [a for a in arrangement.arguments if isinstance(a, _ndarray)]
    if len(given) != len(inputs) + len(arrangement.results) or not _in_place(given):
        return None
    taken = dict(zip(inputs, given, strict=False))
    for position, array in taken.items():
        if position not in numbers:
            if array is not inputs[position]:
                return None
        elif array.shape != (np.size(inputs[position]),) or not array.flags.carray:
            return None
    if any(a is not b for a, b in zip(given[len(inputs) :], arrangement.results, strict=True)):
        return None
    try:
        prepared = Prepared(
            arrangement.operator, arrangement.arguments, current_stream(), wait=True
        )
    except errors.OutOfMemoryError:
        forget_plans()
        return None
    own = {position: taken[position] for position in numbers}
    entry = here.calls.prepared[key] = _Kept(prepared, own, arrangement.results)
    if _extension is not None and all(a.dtype.name in ("float32", "int32") for a in own.values()):
        entry.replay = _for_extension(
            prepared,
            arrange,
            attributes,
            tuple(
                None
                if position not in inputs
                else (type(value), _has_fractions(value), own[position])
                if position in own
                else (value.shape, value.dtype)
                for position, value in enumerate(arrays)
            ),
            entry.results,
        )
        here.calls.replays.append(entry.replay)
    return entry


def _has_fractions(value: Any) -> bool:
    values = value if isinstance(value, (list, tuple)) else (value,)
    return any(type(one) is not int for one in values)


def _for_extension(
    prepared: Prepared,
    arrange: Any,
    attributes: tuple[Any, ...],
    arguments: tuple[Any, ...],
    results: tuple[tuple[Any, Any], ...],
) -> Any:
    record, run = (int(ffi.cast("uintptr_t", p)) for p in (prepared.record, prepared.run))
    return _extension.Replay(prepared, record, run, arrange, attributes, arguments, results)


def _in_place(arrays: list[npt.NDArray[Any]]) -> bool:
    """Tell whether kernels can use the arrays as they are; an int4 array has to be packed."""
    return all(a.dtype.isnative and a.dtype.name != "int4" for a in arrays)


def _drop_oldest() -> None:
    calls = here.calls
    entry = calls.prepared.pop(next(iter(calls.prepared)))
    if entry is not None:
        if entry.replay is not None:
            calls.replays.remove(entry.replay)
        entry.prepared.close()


def forget_plans() -> None:
    """Give up the calls that this thread has prepared for itself.

    They are few and small; tests that count live objects want them gone.

    Examples
    --------
    >>> import aclquant as aq
    >>> aq.forget_plans()
    """
    while here.calls.prepared:
        _drop_oldest()


class Plan(Resource):
    """A prepared call of an operator; made by `plan`.

    Called with a new first argument, it sets addresses and runs phase 2. Threads may share it: one
    runs at a time. As a context manager it is closed at the end of the block.

    Attributes
    ----------
    operator : str
        Name of the C operator.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> codes, values = np.int8([1, 2, 3, 4]), np.empty(4, np.float16)
    >>> with aq.plan(aq.anti_quant, codes, 2.0, offset=2.0) as widen:
    ...     widen(codes, out=values)
    array([ 6.,  8., 10., 12.], dtype=float16)
    """

    internal = True

    def __init__(self, function: Callable[..., Any], x: Any, arrangement: Arrangement) -> None:
        self._name = function.__name__
        self._asynchronous = isinstance(x, Tensor)
        self._like = x
        self._lock = threading.Lock()
        self.operator = arrangement.operator.name
        self._results = tuple((y.shape, y.dtype) for y in arrangement.results)
        tensors = [a for a in arrangement.arguments if isinstance(a, (_ndarray, Tensor))]
        self._fixed = tensors[1 : len(tensors) - len(arrangement.results)]
        self._addresses = tuple(self._address(tensor) for tensor in self._fixed)
        self._stream = Stream(x.device) if isinstance(x, Tensor) else Stream()
        self._stream.internal = True
        try:
            self._prepared = Prepared(
                arrangement.operator,
                arrangement.arguments,
                self._stream,
                wait=not self._asynchronous,
            )
        except BaseException:
            self.closed = True
            self._stream.close()
            raise
        super().__init__(self._stream.backend)
        prepared = self._prepared
        self._run, self._record, self._padding = prepared.run, prepared.record, prepared.padding
        self._short = None if self._asynchronous or _extension is None else self._shorter(x)
        # What is compared at each call, in the order of _look().
        self._look = _look_at_tensor if self._asynchronous else _look
        self._looks = self._look(x)
        self._outs = tuple(map(self._look, arrangement.results))

    def _shorter(self, x: Any) -> Any:
        """Return what launches the plan where nothing has to be said; it answers None else."""
        arguments = ((x.shape, x.dtype), *self._fixed)
        return _for_extension(self._prepared, None, (), arguments, self._results).run

    def __call__(self, x: Any, *, out: Any = None) -> Any:
        """Run the call on another `x`.

        Parameters
        ----------
        x : numpy.ndarray or Tensor
            Type, shape and strides of the one the plan was made with.
        out : numpy.ndarray or Tensor, or a tuple of them, optional
            Where the results go; they are returned. New ones by default.

        Returns
        -------
        numpy.ndarray or Tensor, or a tuple
            As the operator itself. Tensors come back before the work is done.

        Raises
        ------
        ParameterError
            When `x` or `out` do not fit the plan.
        ResourceError
            When the plan is closed.
        """
        if self._short is not None:
            found = self._short(x, out)
            if found is not None:
                return found
        if self.closed:
            self.require_open()
        try:
            fits = self._look(x) == self._looks
        except AttributeError:
            fits = False
        if not fits:
            raise self._unfit("x", x, *self._looks[2:0:-1])
        if out is None:
            make: Callable[..., Any] = empty if self._asynchronous else _empty
            results: tuple[Any, ...] = tuple(make(shape, dtype) for shape, dtype in self._results)
        else:
            results = out if type(out) is tuple else (out,)
            self._check_results(results)
        if self._asynchronous:
            self._launch_tensors(x, results)
        else:
            try:
                addresses = [_from_buffer(_BYTES, a, True) for a in results]
                first = _from_buffer(x)
            except (BufferError, ValueError):
                raise self._unfit_memory(x, results) from None
            status = self._run(self._record, first, *self._addresses, *addresses, *self._padding)
            if status:
                self._run_again(status, first, addresses)
        return results[0] if len(results) == 1 else results

    def _run_again(self, status: int, first: Any, addresses: list[Any]) -> None:
        """Look after a failure: the thread may just be another one than the last."""
        if status > 0:
            self._stream.device.enter()
            error_text(self._prepared.library)
            status = self._run(self._record, first, *self._addresses, *addresses, *self._padding)
        if status:
            self._refuse(status)

    def _unfit_memory(self, x: Any, results: tuple[Any, ...]) -> errors.ParameterError:
        for argument, array in (("x", x), *(("out", result) for result in results)):
            if not array.flags.c_contiguous:
                return errors.ParameterError(
                    function=self._name,
                    argument=argument,
                    got="an array with strides",
                    allowed="arrays in C order for x and out",
                )
        shape, dtype = self._results[0]
        return self._unfit("out", results[0], shape, dtype)

    def _launch_tensors(self, x: Tensor, results: tuple[Any, ...]) -> None:
        prepared, stream = self._prepared, self._stream
        tensors: tuple[Any, ...] = (x, *self._fixed, *results)
        addresses = [self._address(tensor) for tensor in tensors]
        with self._lock:
            stream.device.enter()
            for tensor in tensors:
                tensor.use_on(stream)
            with stream.lock:
                status = prepared.run(prepared.record, *addresses, *prepared.padding)
                stream.submitted += 1
        if status:
            self._refuse(status)

    def _address(self, tensor: Any) -> Any:
        if isinstance(tensor, Tensor):
            tensor.buffer.require_open()
            return tensor.buffer.pointer
        return _from_buffer(tensor)

    def _check_results(self, results: tuple[Any, ...]) -> None:
        if len(results) != len(self._outs):
            raise errors.ParameterError(
                function=self._name,
                argument="out",
                got=f"{len(results)} arrays",
                allowed=str(len(self._outs)),
            )
        for result, looks in zip(results, self._outs, strict=True):
            if type(result) is not type(self._like) or self._look(result) != looks:
                raise self._unfit("out", result, *looks[2:0:-1])

    def _unfit(self, argument: str, got: Any, shape: Any, dtype: Any) -> errors.ParameterError:
        described = type(got).__name__
        if isinstance(got, (_ndarray, Tensor)):
            described += f" of {got.dtype.name} and shape {got.shape}"
            if isinstance(got, _ndarray):
                described += "" if got.flags.writeable else ", read-only"
                described += "" if got.dtype.isnative else ", in foreign byte order"
            else:
                described += f", strides {got.element_strides}, offset {got.offset}, {got.device!r}"
        return errors.ParameterError(
            function=self._name,
            argument=argument,
            got=described,
            allowed=f"{type(self._like).__name__} of {np.dtype(dtype).name} and shape {shape}",
        )

    def _refuse(self, status: int) -> None:
        if status == ffi.integer_const("ACLQUANT_LAUNCH_ENDED"):
            self.require_open()
            raise errors.ResourceError("this Plan is closed", function=self._name)
        if status < 0:
            overlap = status == ffi.integer_const("ACLQUANT_LAUNCH_OVERLAP")
            raise errors.ParameterError(
                function=self._name,
                argument="out" if overlap else "x",
                got="memory that another argument uses" if overlap else "an unaligned address",
                allowed="arrays apart from each other, each aligned to its elements",
            )
        raise make_error(self.operator, status, error_text(self._prepared.library))

    def _release(self) -> None:
        self._prepared.close()
        self._stream.close()

    def __repr__(self) -> str:
        shape = f"{self._like.dtype.name}{self._like.shape}"
        return f"<Plan of {self._name} on {shape}{', closed' if self.closed else ''}>"


def plan(function: Callable[..., Any], x: Any, *arguments: Any, **named: Any) -> Plan:
    """Prepare an operator for arrays like `x`.

    Parameters
    ----------
    function : callable
        An operator of aclquant: `quantize`, `anti_quant`, `trans_quant_param`, `dynamic_quant`,
        `dynamic_quant_asymmetric`, `quant_matmul`.
    x : numpy.ndarray or Tensor
        What the first argument will look like; its values do not matter.
    *arguments, **named
        The other arguments of the operator. Scales and the like are copied: later changes of the
        arrays do not reach the plan.

    Returns
    -------
    Plan
        Call it with ``plan(x, out=y)``; close it, or use it as a context manager.

    Raises
    ------
    AclError
        What the operator itself would raise for these arguments.
    NotSupportedError
        When the library cannot repeat the operator, or when arrays would have to be copied to the
        device: make Tensors there.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> x = np.float32([[1, 2, 3], [4, 5, 600]])
    >>> with aq.plan(aq.quantize, x, [1.0, 0.5, 2.0]) as quantize_rows:
    ...     quantize_rows(x)
    array([[  1,   4,   2],
           [  4,  10, 127]], dtype=int8)
    """
    arrange = cast("Arrange | None", getattr(function, "arrange", None))
    if arrange is None:
        raise errors.ParameterError(
            function="aclquant.plan",
            argument="function",
            got=repr(function),
            allowed="an operator of aclquant, such as aclquant.quantize",
        )
    refused = {"out", "stream", "device"} & named.keys()
    if refused:
        raise errors.ParameterError(
            function="aclquant.plan",
            argument=min(refused),
            got="a value",
            allowed="nothing: a plan takes out= when it is called, and has a stream of its own",
        )
    for value in (x, *arguments, *named.values()):
        if has_mask(value):
            raise errors.ParameterError(
                function="aclquant.plan",
                argument="x" if value is x else "arguments",
                got="an array with masked elements",
                allowed="one without: fill them first",
            )
    if not isinstance(x, Tensor):
        x = np.ascontiguousarray(x) if type(x) is not _ndarray or not x.flags.c_contiguous else x
        if not x.dtype.isnative:
            raise errors.ParameterError(
                function="aclquant.plan",
                argument="x",
                got=f"an array of {x.dtype.newbyteorder('=').name} in the other byte order",
                allowed="the machine's byte order: a plan uses arrays where they are",
            )
    if x.size == 0 or x.ndim == 0:
        raise errors.ParameterError(
            function="aclquant.plan",
            argument="x",
            got=f"shape {x.shape}",
            allowed="one dimension or more, and elements",
        )
    arrangement = arrange(
        x,
        *(_own(value, x) for value in arguments),
        **{name: _own(value, x) for name, value in named.items()},
    )
    if not isinstance(x, Tensor):
        backend = _backends.backend()
        given = [a for a in arrangement.arguments if isinstance(a, _ndarray)]
        if not backend.host_memory or not _in_place(given):
            raise errors.NotSupportedError(
                "a plan on arrays needs kernels that use host memory in place; make Tensors",
                function="aclquant.plan",
            )
    return Plan(function, x, arrangement)


def _own(value: Any, x: Any) -> Any:
    """Copy a parameter to where `x` is, so that the plan does not depend on the caller's array."""
    if not isinstance(value, (_ndarray, Tensor)):
        return value
    array = value.numpy() if isinstance(value, Tensor) else np.array(native(value), order="C")
    return asarray(array, device=x.device) if isinstance(x, Tensor) else array
