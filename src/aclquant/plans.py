"""Plans: calls that are prepared on purpose. Phase 1 once, then only addresses and phase 2."""

from __future__ import annotations

import threading
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np

from . import backends as _backends
from . import errors
from ._ffi import ffi
from ._ffi.check import error_text, make_error
from .arrays import as_host_array, has_mask, native
from .invocation import First, Invocation
from .kept import host_arrays_in_place, input_forms, result_forms
from .operation import Operation, operation_of
from .prepared import Launcher, Prepared, launcher, look
from .resource import Resource
from .stream import Stream, current_graph
from .tensor import Tensor, asarray, empty

__all__ = ["Plan", "plan"]

_look_at_tensor = attrgetter("__class__", "dtype", "shape", "element_strides", "offset", "device")
_ENDED = ffi.integer_const("ACLQUANT_LAUNCH_ENDED")
_OVERLAP = ffi.integer_const("ACLQUANT_LAUNCH_OVERLAP")


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

    def __init__(self, operation: Operation, x: Any, invocation: Invocation) -> None:
        self._name = operation.name
        self._like = x
        self._lock = threading.Lock()
        self.operator = invocation.operator.name
        arguments, results = invocation.arrange(None, operation.results)
        self._stream = Stream(x.device) if isinstance(x, Tensor) else Stream()
        self._stream.internal = True
        try:
            self._prepared = Prepared(
                invocation.operator,
                arguments,
                self._stream,
                wait=not isinstance(x, Tensor),
            )
        except BaseException:
            self.closed = True
            self._stream.close()
            raise
        super().__init__(self._stream.backend)
        if isinstance(x, Tensor):
            self._tensors = [a for a in arguments if isinstance(a, Tensor)]
            self._places = [[a is y for a in self._tensors].index(True) for y in (x, *results)]
            self._run = self._run_on_tensors
        else:
            inputs = input_forms(operation, invocation, arguments).items()
            first = operation.parameters[0]
            forms = tuple(
                ("array", n, a.shape, a.dtype) if name == first else ("fixed", n, a)
                for name, (n, a) in inputs
            )
            outputs = result_forms(arguments, results)
            self._launcher = Launcher(self._prepared, forms, outputs)
            self._run = launcher(self._prepared, None, forms, outputs).run
        self._look = _look_at_tensor if isinstance(x, Tensor) else look
        self._looks = self._look(x)
        self._outs = tuple(map(self._look, results))

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
        NotSupportedError
            When Tensors are given inside `aclquant.capture`, which does not record plans.
        ParameterError
            When `x` or `out` do not fit the plan.
        ResourceError
            When the plan is closed.
        """
        found = self._run(x, out)
        return self._explain(x, out) if found is None else found

    def _explain(self, x: Any, out: Any) -> Any:
        """Say why arguments do not fit; launch once more if they do."""
        self.require_open()
        try:
            fits = self._look(x) == self._looks
        except AttributeError:
            fits = False
        if not fits:
            raise self._unfit("x", x, *self._looks[2:0:-1])
        if out is not None:
            self._check_results(out if type(out) is tuple else (out,))
        # The thread may just be another one than the last, with another current device.
        with self._stream.device.visit():
            results, status = self._launcher.attempt((x,), out)
        if results is None:
            raise self._unfit_memory(x, () if out is None else out)
        if status:
            self._refuse(status)
        return results[0] if len(results) == 1 else results

    def _run_on_tensors(self, x: Any, out: Any) -> Any:
        if self.closed:
            self.require_open()
        if current_graph() is not None:
            raise errors.NotSupportedError(
                "a Plan runs on its own stream, which a capture does not record: "
                f"call {self._name} instead",
                function=self._name,
            )
        try:
            fits = self._look(x) == self._looks
        except AttributeError:
            fits = False
        if not fits:
            raise self._unfit("x", x, *self._looks[2:0:-1])
        if out is None:
            device = self._stream.device
            results = tuple(empty(looks[2], looks[1], device=device) for looks in self._outs)
        else:
            results = out if type(out) is tuple else (out,)
            self._check_results(results)
        self._launch_tensors((x, *results))
        return results[0] if len(results) == 1 else results

    def _launch_tensors(self, given: tuple[Tensor, ...]) -> None:
        prepared, stream = self._prepared, self._stream
        tensors = list(self._tensors)
        for place, tensor in zip(self._places, given, strict=True):
            tensors[place] = tensor
        for tensor in tensors:
            tensor.buffer.require_open()
        with self._lock, stream.lock, stream.device.visit():
            for tensor in tensors:
                tensor.use_on(stream)
            status = prepared.launch([tensor.buffer.pointer for tensor in tensors])
            stream.submitted += 1
            for tensor in tensors:
                tensor.buffer.used_on(stream)
        if status:
            self._refuse(status)

    def _unfit_memory(self, x: Any, out: Any) -> errors.ParameterError:
        results = out if type(out) is tuple else (out,)
        for argument, array in (("x", x), *(("out", result) for result in results)):
            if not array.flags.c_contiguous:
                return errors.ParameterError(
                    function=self._name,
                    argument=argument,
                    got="an array with strides",
                    allowed="arrays in C order for x and out",
                )
        return self._unfit("out", results[0], *self._outs[0][2:0:-1])

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
        if isinstance(got, (np.ndarray, Tensor)):
            described += f" of {got.dtype.name} and shape {got.shape}"
            if isinstance(got, np.ndarray):
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
        if status == _ENDED:
            self.require_open()
            raise errors.ResourceError("this Plan is closed", function=self._name)
        if status < 0:
            overlap = status == _OVERLAP
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
    operation = operation_of(function)
    if operation is None:
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
            allowed="nothing: a plan takes out= when it is called, and has its own stream",
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
        if type(x) is not np.ndarray:
            x = as_host_array(x, operation.name, operation.parameters[0])
        x = np.ascontiguousarray(x)
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
    values = operation.bind((x, *arguments), named)[:-3]
    invocation: Invocation | None = None
    try:
        values = [x, *(_own(value, x) for value in values[1:])]
        described = operation.invoke(values)
        while isinstance(described, First):  # runs now, once
            values = operation.replaced(values, described)
            described = operation.invoke(values)
        invocation = described
        if not isinstance(x, Tensor):
            given = [a for a in invocation.arguments if isinstance(a, np.ndarray)]
            if not _backends.backend().host_memory or not host_arrays_in_place(given):
                raise errors.NotSupportedError(
                    "a plan on arrays needs kernels that use host memory in place; make Tensors",
                    function="aclquant.plan",
                )
        return Plan(operation, x, invocation)
    except errors.AclError as error:
        operation.blame(error, invocation, values)
        raise


def _own(value: Any, x: Any) -> Any:
    """Copy a parameter to where `x` is, so that the plan does not depend on the caller's array."""
    if not isinstance(value, (np.ndarray, Tensor)):
        return value
    array = value.numpy() if isinstance(value, Tensor) else np.array(native(value), order="C")
    return asarray(array, device=x.device) if isinstance(x, Tensor) else array
