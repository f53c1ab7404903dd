"""Tensors in device memory, to and from NumPy, and the descriptors that operators take."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from operator import index
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np

from . import errors
from ._ffi import CData, ffi
from ._ffi.library import Library
from .arrays import as_host_array, convert, has_type, overlaps_itself
from .device import Device, as_device
from .dtypes import CODES, DTypeLike, as_dtype, float32, int64
from .memory import Buffer
from .packing import pack_bytes, unpack_bytes
from .shown import Shown
from .stream import Stream, current_graph

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Tensor", "asarray", "empty"]

_FORMAT_ND = ffi.integer_const("ACL_FORMAT_ND")
_INT4 = np.dtype(ml_dtypes.int4)
_DLPACK_CPU = 1
_POINTER = ffi.typeof("void *")
_MOST = (1 << 63) - 1
"""The longest dimension that C can name."""
_SOMEWHERE = 1 << 56
"""An address that is never read."""
_BUFFERS = "?" + np.typecodes["AllInteger"] + np.typecodes["AllFloat"]
"""Type characters of the arrays that have Python's buffer interface; ml_dtypes' have not."""


class Tensor(Shown):
    """An array in device memory: shape, strides, type and offset over a Buffer.

    Make one with `asarray`, `empty` or `Tensor.from_numpy`. Operators on Tensors are asynchronous;
    `numpy` waits, and so does everything that needs the elements: `print`, `item`, `tolist`,
    `write`. int4 Tensors are packed, two elements to a byte.

    A Tensor has no arithmetic and no comparison by value: ``t + 1``, ``t == u``, ``x in t`` and
    ``if t:`` raise, and say what to do. As for NumPy, one element stands for itself in ``if t:``,
    ``float(t)`` and ``int(t)``.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
        ``ml_dtypes`` types included.
    element_strides : tuple of int
        Steps in elements (NumPy's are in bytes).
    offset : int
        Position of the first element in the buffer, in elements.
    buffer : Buffer

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> t = aq.asarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    >>> t.T.shape
    (3, 2)
    >>> t[:, 1].numpy()
    array([1., 4.], dtype=float32)
    """

    __slots__ = ("__weakref__", "buffer", "code", "dtype", "element_strides", "offset", "shape")
    __array_priority__ = 100.0
    _hidden: tuple[str, ...] = (
        "code",
        "describe",
        "footprint",
        "overlaps_itself",
        "require_open",
        "use_on",
    )

    def __init__(
        self,
        buffer: Buffer,
        shape: Sequence[int],
        dtype: DTypeLike,
        element_strides: Sequence[int] | None = None,
        offset: int = 0,
    ) -> None:
        kind = as_dtype(dtype, function="aclquant.Tensor")
        if not isinstance(buffer, Buffer):
            raise _wrong("buffer", type(buffer).__name__, "a Buffer")
        self.buffer = buffer
        self.shape = _whole("shape", shape)
        self.dtype = kind.numpy
        self.code = kind.code
        strides = _contiguous(self.shape) if element_strides is None else element_strides
        self.element_strides = _whole("element_strides", strides)
        (self.offset,) = _whole("offset", (offset,))
        _check_lengths(self.shape)
        if len(self.element_strides) != len(self.shape):
            got = f"{len(self.element_strides)} for {len(self.shape)} dimensions"
            raise _wrong("element_strides", got, "one for each dimension")
        low, high = self._extent()
        if low < 0 or _nbytes(high, self.dtype) > buffer.nbytes:
            raise errors.ParameterError(
                function="aclquant.Tensor",
                argument="buffer",
                got=f"{buffer.nbytes} bytes",
                allowed=f"enough for elements {low} to {high - 1} of {kind.name}",
            )

    @classmethod
    def from_numpy(cls, array: npt.ArrayLike, device: Device | int | None = None) -> Tensor:
        """Copy an array to the device; same as `asarray` without a dtype."""
        return asarray(array, device=device)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that the elements take in device memory; two int4 share one."""
        return _nbytes(self.size, self.dtype)

    @property
    def itemsize(self) -> int:
        """Bytes of one element; an int4, which is half a byte, has no such number."""
        if self.dtype == _INT4:
            raise errors.DtypeError(
                "two int4 share a byte: use nbytes, and element_strides",
                function="aclquant.Tensor.itemsize",
            )
        return self.dtype.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """Steps in bytes, as NumPy's; `element_strides` has them in elements, for int4 too."""
        size = self.itemsize
        return tuple(step * size for step in self.element_strides)

    @property
    def device(self) -> Device:
        """Where it is."""
        return self.buffer.device

    @property
    def is_contiguous(self) -> bool:
        """Whether the elements lie in C order without gaps."""
        expected = _contiguous(self.shape)
        pairs = zip(self.shape, self.element_strides, expected, strict=True)
        return self.size == 0 or all(n == 1 or have == want for n, have, want in pairs)

    @property
    def T(self) -> Tensor:
        """The view with the dimensions reversed."""
        return self.transpose()

    def transpose(self, *axes: int | Sequence[int]) -> Tensor:
        """Return a view with permuted dimensions; reversed ones by default."""
        name = "aclquant.Tensor.transpose"
        order = _whole("axes", _flat(axes), name) or tuple(range(self.ndim))[::-1]
        if sorted(axis % max(self.ndim, 1) for axis in order) != list(range(self.ndim)):
            raise errors.ParameterError(
                function=name,
                argument="axes",
                got=str(axes),
                allowed=f"a permutation of 0 to {self.ndim - 1}",
            )
        shape = [self.shape[axis] for axis in order]
        return self._view(shape, [self.element_strides[axis] for axis in order], self.offset)

    def reshape(self, *shape: int | Sequence[int]) -> Tensor:
        """Return a view of another shape; the Tensor must be contiguous. One -1 is inferred."""
        wanted = list(_whole("shape", _flat(shape), "aclquant.Tensor.reshape"))
        known = math.prod(n for n in wanted if n != -1)
        if wanted.count(-1) == 1 and known and self.size % known == 0:
            wanted[wanted.index(-1)] = self.size // known
        if not self.is_contiguous or math.prod(wanted) != self.size or min(wanted, default=0) < 0:
            raise errors.ParameterError(
                function="aclquant.Tensor.reshape",
                argument="shape",
                got=str(tuple(wanted)),
                allowed=f"{self.size} elements of a contiguous Tensor, not {self!r}",
            )
        return self._view(wanted, _contiguous(wanted), self.offset)

    def __getitem__(self, index: Any) -> Tensor:
        """Return a view: integers, slices, ``...`` and None, as NumPy's basic indexing."""
        keys = index if isinstance(index, tuple) else (index,)
        for key in keys:
            basic = isinstance(key, (int, np.integer, slice, type(None), type(...)))
            if not basic or isinstance(key, bool):
                raise IndexError("only integers, slices, ... and None can index a Tensor")
        if not any(key is ... for key in keys):
            keys = (*keys, ...)  # so that the result is always a view
        # NumPy's own rules, applied to an array without memory, one byte for each element: a view
        # of it is made but nothing is read.
        nothing = np.lib.stride_tricks.as_strided(
            np.empty(0, np.uint8), self.shape, self.element_strides
        )
        view = nothing[keys]
        moved = 0
        if view.size:
            moved = view.__array_interface__["data"][0] - nothing.__array_interface__["data"][0]
        return self._view(view.shape, view.strides, self.offset + moved)

    def numpy(self, out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """Wait for the Tensor's work and copy it into an array.

        Parameters
        ----------
        out : numpy.ndarray, optional
            Where the elements go: of the same shape and type, with any strides and in either byte
            order. It is returned. A new array in C order by default.

        Raises
        ------
        DeviceError
            When work on the stream of the Tensor went wrong.
        ParameterError
            When `out` does not fit.
        """
        if out is not None:
            self._check_out(out)
        elements, low = self._elements()
        view = self._pick(elements, low)
        if out is None:
            return view if self.is_contiguous else view.copy()
        out[...] = view
        return out

    def _check_out(self, out: Any) -> None:
        got = type(out).__name__
        if isinstance(out, np.ndarray):
            native = out.dtype.newbyteorder("=")
            overlaps = overlaps_itself(out.shape, out.strides, out.itemsize)
            fits = (out.shape, native) == (self.shape, self.dtype)
            if fits and out.flags.writeable and not overlaps:
                return
            read_only = "" if out.flags.writeable else "read-only "
            got = f"{read_only}array of {out.dtype} and shape {out.shape}"
            got += ", whose elements share memory" if overlaps else ""
        raise errors.ParameterError(
            function="aclquant.Tensor.numpy",
            argument="out",
            got=got,
            allowed=f"numpy.ndarray of {self.dtype} and shape {self.shape}",
        )

    def item(self) -> Any:
        """Wait, and return the only element as a Python number.

        Examples
        --------
        >>> import aclquant as aq
        >>> aq.asarray([[2.5]]).item()
        2.5
        """
        if self.size != 1:
            raise errors.ParameterError(
                f"a Tensor of {self.size} elements is not one number: use tolist() or numpy()",
                function="aclquant.Tensor.item",
            )
        return self.numpy().item()

    def tolist(self) -> Any:
        """Wait, and return the elements as nested lists of Python numbers."""
        return self.numpy().tolist()

    def write(self, array: npt.ArrayLike) -> None:
        """Copy an array of the same shape into the Tensor; waits.

        No other element of the buffer changes. Integer Tensors take whole numbers in their range
        only; float Tensors round.

        Raises
        ------
        RangeError
            When a number does not fit the type of the Tensor.
        ParameterError
            When the shape is another one, or elements of the Tensor share memory.
        """
        name = "aclquant.Tensor.write"
        values = as_host_array(array, name, "array")
        if values.shape != self.shape:
            raise errors.ParameterError(
                function=name,
                argument="array",
                got=f"shape {values.shape}",
                allowed=f"shape {self.shape}, that of the Tensor",
            )
        values = convert(values, self.dtype, name, "array")
        if self.overlaps_itself():
            raise errors.ParameterError(
                "elements of the Tensor share memory (shape "
                f"{self.shape}, element_strides {self.element_strides}): write to one without that",
                function=name,
            )
        self.require_open(name)
        buffer = self.buffer
        with buffer.lock:
            if buffer.interruptions is not None:  # by a signal handler, in the middle of a write
                buffer.interruptions.append((self, values))
                self._put(values)
                return
            buffer.interruptions = []
            try:
                self._put(values)
                for tensor, its in buffer.interruptions:
                    tensor._put(its)  # what it wrote may have been overwritten with what was read
            finally:
                buffer.interruptions = None

    def _put(self, values: npt.NDArray[Any]) -> None:
        first, _ = self._bytes()
        if not self.is_contiguous or not self._fills_bytes():
            # What lies between the elements, or beside an int4 in the same byte, stays.
            elements, low = self._elements()
            self._pick(elements, low)[...] = values
            values = elements
        self.buffer.write(_stored(values), first)

    def _bytes(self) -> tuple[int, int]:
        """Return where in the buffer the elements lie: the first byte and the number of bytes."""
        low, high = self._extent()
        first = low // 2 if self.dtype == _INT4 else _nbytes(low, self.dtype)
        return first, _nbytes(high, self.dtype) - first

    def _fills_bytes(self) -> bool:
        """Tell whether no int4 at an end shares a byte with an element beside it."""
        return self.dtype != _INT4 or all(end % 2 == 0 for end in self._extent())

    def _elements(self) -> tuple[npt.NDArray[Any], int]:
        """Read the bytes in which the elements lie.

        Returns
        -------
        numpy.ndarray
            Everything in these bytes, in the order of the buffer.
        int
            The position of its first element in the buffer.
        """
        self.require_open()
        first, size = self._bytes()
        data = self.buffer.read(size, first)
        if self.dtype == _INT4:
            return unpack_bytes(data, size * 2).astype(_INT4), first * 2
        return data.view(self.dtype), self._extent()[0]

    def _pick(self, elements: npt.NDArray[Any], low: int) -> npt.NDArray[Any]:
        """View the Tensor's elements among those that `_elements` returned."""
        size = self.dtype.itemsize
        view: npt.NDArray[Any] = np.ndarray(
            self.shape,
            self.dtype,
            elements.view(np.uint8),  # ml_dtypes' arrays are not buffers
            (self.offset - low) * size,
            [step * size for step in self.element_strides],
        )
        return view

    def overlaps_itself(self) -> bool:
        """Tell whether elements may share memory."""
        return overlaps_itself(self.shape, self.element_strides)

    def require_open(self, function: str = "", argument: str = "") -> None:
        """Refuse a Tensor whose memory was given up, as an argument of a function if one is named.

        Raises
        ------
        ResourceError
            When it is closed, or its backend is gone.
        """
        if self.buffer.closed:
            message = "" if argument else "this Tensor is closed"
            raise errors.ResourceError(
                message,
                function=function,
                argument=argument,
                got="closed",
                allowed="an open Tensor",
            )
        self.buffer.require_open()

    def synchronize(self) -> None:
        """Wait for the work that uses the Tensor's memory."""
        self.buffer.synchronize()

    def close(self) -> None:
        """Give up the memory, for all views of it; it is freed when its work is done."""
        self.buffer.close()

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError("device memory cannot become an array without a copy")
        return self.numpy() if dtype is None else self.numpy().astype(dtype, copy=False)

    def __dlpack__(
        self,
        *,
        stream: int | None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """Export a copy in host memory, for those who ask for one: ``dl_device=(1, 0)``."""
        if dl_device is None or int(dl_device[0]) != _DLPACK_CPU or copy is False:
            raise BufferError(
                "device memory can only be exported as a copy in host memory: give Tensor.numpy() "
                "instead, or ask for dl_device=(1, 0)"
            )
        array = self.numpy()
        # NumPy before 2.1 knows no versions.
        return (
            array.__dlpack__() if max_version is None else array.__dlpack__(max_version=max_version)
        )

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return kDLExtDev and the device number: CPUs must not read this memory."""
        return 12, self.device.number

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a 0-d Tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        """Yield views along the first dimension."""
        return (self[position] for position in range(len(self)))

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        if self.size != 1:
            raise errors.ParameterError(
                f"the truth of {self.size} elements is ambiguous: look at t.numpy().any(), "
                "t.numpy().all(), t.size or ``t is None``",
                function="aclquant.Tensor.__bool__",
            )
        return bool(self.item())

    def __eq__(self, other: object) -> bool:
        if other is None:
            return False
        raise errors.DtypeError(
            "Tensors are not compared: np.array_equal(t.numpy(), u) compares values, "
            "``t is u`` identity",
            function="aclquant.Tensor.__eq__",
        )

    __hash__ = object.__hash__

    def __contains__(self, value: object) -> bool:
        raise errors.DtypeError(
            "Tensors are not searched: use ``value in t.numpy()``",
            function="aclquant.Tensor.__contains__",
        )

    def __enter__(self) -> Tensor:
        self.require_open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        """Shape, type and place; the elements would need a wait, see `__str__`."""
        state = "closed" if self.buffer.closed else repr(self.device)
        return f"<Tensor {self.dtype.name}{self.shape} on {state}>"

    def __str__(self) -> str:
        """Wait, and show the elements, as `print` does."""
        if self.buffer.closed:
            return repr(self)
        head = "Tensor("
        values = np.array2string(self.numpy(), separator=", ", prefix=head)
        shape = "" if self.size else f", shape={self.shape}"
        return f"{head}{values}{shape}, dtype={self.dtype.name}, device={self.device!r})"

    def describe(self, library: Library, *, data: bool = True) -> CData:
        """Make the ``aclTensor`` of this Tensor; the caller destroys it."""
        packed = self.dtype == _INT4
        storage = self.buffer.nbytes * 2 if packed else self.buffer.nbytes // self.dtype.itemsize
        return library.aclCreateTensor(
            self.shape or ffi.NULL,
            len(self.shape),
            self.code,
            self.element_strides or ffi.NULL,
            self.offset,
            _FORMAT_ND,
            (storage,),
            1,
            self.buffer.pointer if data else ffi.NULL,
        )

    def use_on(self, stream: Stream) -> None:
        """Order the coming work on `stream` after all earlier work with this memory."""
        self.buffer.use_on(stream)

    def footprint(self) -> npt.NDArray[Any]:
        """Return an array without memory for `numpy.shares_memory`: the place in the buffer.

        A byte of it stands for half a byte, so that two int4 are apart.
        """
        unit = 1 if self.dtype == _INT4 else 2 * self.dtype.itemsize

        place = SimpleNamespace(
            __array_interface__={
                "version": 3,
                "typestr": f"|V{unit}",
                "shape": self.shape,
                "strides": tuple(step * unit for step in self.element_strides),
                "data": (_SOMEWHERE + self.offset * unit, True),
            }
        )
        return np.asarray(place)

    def _view(self, shape: Sequence[int], strides: Sequence[int], offset: int) -> Tensor:
        view = object.__new__(Tensor)
        view.buffer, view.dtype, view.code = self.buffer, self.dtype, self.code
        view.shape, view.element_strides = tuple(shape), tuple(strides)
        view.offset = offset
        return view

    def _extent(self) -> tuple[int, int]:
        """Return the lowest element and the end of the highest, counted in the buffer."""
        if self.size == 0:
            return self.offset, self.offset
        steps = [(n - 1) * s for n, s in zip(self.shape, self.element_strides, strict=True)]
        low = self.offset + sum(step for step in steps if step < 0)
        return low, self.offset + sum(step for step in steps if step > 0) + 1


def _wrong(
    argument: str, got: str, allowed: str, function: str = "aclquant.Tensor"
) -> errors.ParameterError:
    return errors.ParameterError(function=function, argument=argument, got=got, allowed=allowed)


def _check_lengths(shape: tuple[int, ...], function: str = "aclquant.Tensor") -> None:
    if not all(0 <= length <= _MOST for length in shape):
        raise _wrong("shape", str(shape), "lengths of 0 or more, below 2**63", function)


def _whole(argument: str, values: Any, function: str = "aclquant.Tensor") -> tuple[int, ...]:
    try:
        return tuple(map(index, values))
    except TypeError:
        raise _wrong(argument, repr(values), "integers", function) from None


def _flat(numbers: Sequence[Any]) -> list[Any]:
    """Take the numbers of ``f(1, 2)`` and of ``f((1, 2))``."""
    parts = (part if np.iterable(part) else (part,) for part in numbers)
    return [number for part in parts for number in part]


def empty(
    shape: int | Sequence[int], dtype: DTypeLike = "float32", *, device: Device | int | None = None
) -> Tensor:
    """Allocate a Tensor without setting its elements.

    Parameters
    ----------
    shape : int or sequence of int
        Logical shape, for int4 too.
    dtype : dtype-like, optional
        Anything `as_dtype` takes.
    device : Device or int, optional
        The current device by default.

    Raises
    ------
    OutOfMemoryError
        When the device is full.

    Examples
    --------
    >>> import aclquant as aq
    >>> aq.empty((2, 8), "int4").nbytes
    8
    """
    kind = as_dtype(dtype, function="aclquant.empty")
    name = "aclquant.empty"
    dims = _whole("shape", shape if np.iterable(shape) else (shape,), name)
    _check_lengths(dims, name)
    nbytes = _nbytes(math.prod(dims), kind.numpy)
    if nbytes > _MOST:
        allowed = "a size of fewer than 2**63 bytes"
        raise _wrong("shape", f"{dims} of {kind.name}: {nbytes} bytes", allowed, name)
    return Tensor(Buffer(nbytes, device), dims, kind)


def asarray(
    value: Any, dtype: DTypeLike | None = None, *, device: Device | int | None = None
) -> Tensor:
    """Copy an array to the device; a Tensor that fits is returned as it is.

    Parameters
    ----------
    value : array_like, Tensor, buffer, or an object with ``__dlpack__`` on the CPU or ``__array__``
        Arrays of torch and JAX among them. int4 arrays are packed.
    dtype : dtype-like, optional
        Convert to this type, on the host. Without it arrays, scalars of NumPy and buffers keep
        theirs, Python floats become float32 and Python integers int64.
    device : Device or int, optional
        The current device by default.

    Returns
    -------
    Tensor
        Contiguous, and ready for any stream.

    Raises
    ------
    DtypeError
        When the device has no such type.
    RangeError
        When `dtype` is an integer type that does not hold one of the numbers: they are neither
        wrapped nor cut.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> aq.asarray([1, 2], "float16")
    <Tensor float16(2,) on Device(0)>
    >>> print(aq.asarray([[1.5, 2], [3, 4]]))
    Tensor([[1.5, 2. ],
            [3. , 4. ]], dtype=float32, device=Device(0))
    """
    name = "aclquant.asarray"
    if isinstance(value, Tensor):
        same = dtype is None or as_dtype(dtype, function=name).numpy == value.dtype
        if same and (device is None or as_device(device) == value.device):
            return value
        value = value.numpy()
    array = as_host_array(value, name, "value")
    if dtype is not None:
        kind = as_dtype(dtype, function=name)
    elif array.dtype in (np.float64, np.object_) and not has_type(value):
        kind = float32  # Python's floats, as operators take them
        if array.dtype == np.object_ or np.abs(array).max(initial=0) >= _MOST:
            exact = np.array(value, np.object_)
            if exact.size and all(type(number) is int for number in exact.flat):
                array, kind = exact, int64  # NumPy has no type for integers as large as these
    elif array.dtype in CODES:
        kind = as_dtype(array.dtype)
    else:
        raise errors.DtypeError(
            function=name,
            argument="value",
            got=f"{type(value).__name__} of dtype {array.dtype}",
            allowed=", ".join(dtype.name for dtype in CODES),
        )
    array = convert(array, kind.numpy, name, "value")
    tensor = Tensor(Buffer(_nbytes(array.size, kind.numpy), device), array.shape, kind)
    graph = current_graph()
    with contextlib.nullcontext() if graph is None else graph.relaxed():
        tensor.buffer.write(_stored(array))
    return tensor


def describe_array(
    library: Library, array: npt.NDArray[Any], lend: Callable[[CData, int], None] | None
) -> CData:
    """Make the ``aclTensor`` of a host array.

    `lend` is given a pointer to the lowest element and the number of bytes to the end of the
    highest; without it the descriptor has no data.
    """
    shape, storage = array.shape, array.size
    offset, strides, data = 0, ffi.NULL, ffi.NULL
    if storage:
        contiguous = array.flags.c_contiguous
        if not contiguous:
            strides = [step // array.itemsize for step in array.strides]
            ends = [step * (n - 1) for step, n in zip(strides, shape, strict=True)]
            offset = -sum(end for end in ends if end < 0)
            storage = offset + sum(end for end in ends if end > 0) + 1
        if lend is not None:
            if contiguous and array.dtype.char in _BUFFERS:
                data = ffi.from_buffer(array)  # much faster than the other way
            else:
                first: int = array.__array_interface__["data"][0]
                data = ffi.cast(_POINTER, first - offset * array.itemsize)
            lend(data, storage * array.itemsize)
    return library.aclCreateTensor(
        *(shape or ffi.NULL, len(shape), CODES[array.dtype], strides, offset, _FORMAT_ND),
        *((storage,), 1, data),
    )


def _contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


def _nbytes(count: int, dtype: np.dtype[Any]) -> int:
    return (count + 1) // 2 if dtype == _INT4 else count * dtype.itemsize


def _stored(array: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return the bytes of an array as the device stores them."""
    if array.dtype == _INT4:
        return pack_bytes(array.astype(np.int8))
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _no_arithmetic(name: str) -> Callable[[Tensor, object], Tensor]:
    def refuse(self: Tensor, other: object) -> Tensor:
        raise errors.DtypeError(
            "Tensors have no arithmetic: use t.numpy(), or an operator of aclquant.aclnn",
            function=f"aclquant.Tensor.{name}",
        )

    return refuse


for _operation in ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow"):
    for _name in (f"__{_operation}__", f"__r{_operation}__"):
        setattr(Tensor, _name, _no_arithmetic(_name))
