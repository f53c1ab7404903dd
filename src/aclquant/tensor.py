"""Tensors in device memory, to and from NumPy, and the descriptors that operators take."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from operator import index
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np

from . import errors
from ._ffi import CData, ffi
from ._ffi.library import Library
from .device import Device, as_device
from .dtypes import CODES, DType, DTypeLike, as_dtype
from .memory import Buffer
from .packing import pack_bytes, unpack_bytes
from .stream import Stream

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Tensor", "asarray", "empty"]

_FORMAT_ND = ffi.integer_const("ACL_FORMAT_ND")
_INT4 = np.dtype(ml_dtypes.int4)
_BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
_DLPACK_CPU = 1
_POINTER = ffi.typeof("void *")
_BUFFERS = "?" + np.typecodes["AllInteger"] + np.typecodes["AllFloat"]
"""Type characters of the arrays that have Python's buffer interface; ml_dtypes' have not."""


class Tensor:
    """An array in device memory: shape, strides, type and offset over a Buffer.

    Make one with `asarray`, `empty` or `Tensor.from_numpy`. Operators on Tensors are asynchronous;
    `numpy` waits. int4 Tensors are packed, two elements to a byte.

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

    def __init__(
        self,
        buffer: Buffer,
        shape: Sequence[int],
        dtype: DTypeLike,
        element_strides: Sequence[int] | None = None,
        offset: int = 0,
    ) -> None:
        kind = as_dtype(dtype)
        if not isinstance(buffer, Buffer):
            raise _wrong("buffer", type(buffer).__name__, "a Buffer")
        self.buffer = buffer
        self.shape = _whole("shape", shape)
        self.dtype = kind.numpy
        self.code = kind.code
        strides = _contiguous(self.shape) if element_strides is None else element_strides
        self.element_strides = _whole("element_strides", strides)
        (self.offset,) = _whole("offset", (offset,))
        if min(self.shape, default=0) < 0:
            raise _wrong("shape", str(self.shape), "lengths of 0 or more")
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

    def transpose(self, *axes: int) -> Tensor:
        """Return a view with permuted dimensions; reversed ones by default."""
        order = _whole("axes", axes) or tuple(range(self.ndim))[::-1]
        if sorted(axis % max(self.ndim, 1) for axis in order) != list(range(self.ndim)):
            raise errors.ParameterError(
                function="aclquant.Tensor.transpose",
                argument="axes",
                got=str(axes),
                allowed=f"a permutation of 0 to {self.ndim - 1}",
            )
        shape = [self.shape[axis] for axis in order]
        return self._view(shape, [self.element_strides[axis] for axis in order], self.offset)

    def reshape(self, *shape: int | Sequence[int]) -> Tensor:
        """Return a view of another shape; the Tensor must be contiguous. One -1 is inferred."""
        parts = (part if np.iterable(part) else (part,) for part in shape)
        wanted = list(_whole("shape", [n for part in parts for n in part]))
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

    def numpy(self) -> npt.NDArray[Any]:
        """Wait for the Tensor's work and copy it into a new array.

        Raises
        ------
        DeviceError
            When work on the stream of the Tensor went wrong.
        """
        low, high = self._extent()
        if self.size == 0:
            self.buffer.synchronize()
            return np.empty(self.shape, self.dtype)
        first = low // 2 if self.dtype == _INT4 else _nbytes(low, self.dtype)
        data = self.buffer.read(_nbytes(high, self.dtype) - first, first)
        if self.dtype == _INT4:
            low -= low % 2
            elements = unpack_bytes(data, high - low).astype(_INT4)
        else:
            elements = data.view(self.dtype)
        strides = [stride * self.dtype.itemsize for stride in self.element_strides]
        view = np.lib.stride_tricks.as_strided(elements[self.offset - low :], self.shape, strides)
        return view if self.is_contiguous else view.copy()

    def write(self, array: npt.ArrayLike) -> None:
        """Copy an array of the same shape into the Tensor, which must be contiguous; waits."""
        values = as_host_array(array)
        if not self.is_contiguous or values.shape != self.shape:
            raise errors.ParameterError(
                function="aclquant.Tensor.write",
                argument="array",
                got=f"shape {values.shape}",
                allowed=f"shape {self.shape} of a contiguous Tensor",
            )
        self.buffer.write(_storage(values, self.dtype), _nbytes(self.offset, self.dtype))

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
        """Export a copy in host memory, which is the only export there is so far."""
        if dl_device is None or int(dl_device[0]) != _DLPACK_CPU or copy is False:
            raise BufferError("ask for a copy in host memory: dl_device=(1, 0)")
        return self.numpy().__dlpack__(max_version=max_version)

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return kDLExtDev and the device number: CPUs must not read this memory."""
        return 12, self.device.number

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a 0-d Tensor has no length")
        return self.shape[0]

    def __repr__(self) -> str:
        state = "closed" if self.buffer.closed else repr(self.device)
        return f"<Tensor {self.dtype.name}{self.shape} on {state}>"

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


def _wrong(argument: str, got: str, allowed: str) -> errors.ParameterError:
    return errors.ParameterError(
        function="aclquant.Tensor", argument=argument, got=got, allowed=allowed
    )


def _whole(argument: str, values: Any) -> tuple[int, ...]:
    try:
        return tuple(map(index, values))
    except TypeError:
        raise _wrong(argument, repr(values), "integers") from None


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
    kind = as_dtype(dtype)
    dims = _whole("shape", shape if np.iterable(shape) else (shape,))
    if min(dims, default=0) < 0:
        raise _wrong("shape", str(dims), "lengths of 0 or more")
    return Tensor(Buffer(_nbytes(math.prod(dims), kind.numpy), device), dims, kind)


def asarray(
    value: Any, dtype: DTypeLike | None = None, *, device: Device | int | None = None
) -> Tensor:
    """Copy an array to the device; a Tensor that fits is returned as it is.

    Parameters
    ----------
    value : array_like, Tensor, or an object with ``__dlpack__`` on the CPU
        int4 arrays are packed.
    dtype : dtype-like, optional
        Convert to this type, on the host.
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

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> aq.asarray([1, 2], "float16")
    <Tensor float16(2,) on Device(0)>
    """
    if isinstance(value, Tensor):
        same = dtype is None or as_dtype(dtype).numpy == value.dtype
        if same and (device is None or as_device(device) == value.device):
            return value
        value = value.numpy()
    try:
        array = as_host_array(value)
    except (TypeError, ValueError, BufferError) as error:
        raise errors.ParameterError(
            function="aclquant.asarray",
            argument="value",
            got=f"{type(value).__name__}, which is no array ({error})",
            allowed="an array, a Tensor or numbers",
        ) from error
    kind: DType = as_dtype(array.dtype if dtype is None else dtype)
    with np.errstate(over="ignore"):  # float32 to float16 may give inf, as on any device
        data = _storage(array.astype(kind.numpy, copy=False), kind.numpy)
    tensor = Tensor(Buffer(_nbytes(array.size, kind.numpy), device), array.shape, kind)
    tensor.buffer.write(data)
    return tensor


def as_host_array(value: Any, default: npt.DTypeLike | None = None) -> npt.NDArray[Any]:
    """Make an ndarray of an array-like, or of an object with ``__dlpack__`` on the CPU.

    `default` is the type for Python numbers, whose type is nobody's choice.
    """
    if isinstance(value, (np.ndarray, np.generic)):
        if has_mask(value):
            raise ValueError("it has masked elements: fill them first")
        return np.asarray(value)
    if type(value).__module__.partition(".")[0] == "torch":
        if str(value.dtype) == "torch.bfloat16":  # NumPy does not know it under torch's name
            bits = value.detach().view(sys.modules["torch"].int16)
            return np.from_dlpack(bits).view(_BFLOAT16)
        value = value.detach()
    if hasattr(value, "__dlpack__"):
        array: npt.NDArray[Any] = np.from_dlpack(value)
        return array
    return np.asarray(value, None if hasattr(value, "__array__") else default)


def has_mask(value: Any) -> bool:
    """Tell whether any elements are masked, which no device knows."""
    if type(value) is np.ndarray:
        return False
    masked = sys.modules.get("numpy.ma")
    return masked is not None and bool(masked.is_masked(value))


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


def _storage(array: npt.NDArray[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Return the bytes of an array as the device stores them."""
    if dtype == _INT4:
        return pack_bytes(np.ascontiguousarray(array).astype(np.int8))
    return np.ascontiguousarray(array.astype(dtype, copy=False)).reshape(-1).view(np.uint8)
