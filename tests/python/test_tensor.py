"""Tensors: to and from NumPy, views, packed int4, exports."""

from __future__ import annotations

import signal
import sys
import threading
from types import ModuleType
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import aclquant as aq

_DTYPES = ["float32", "float16", "bfloat16", "int8", "uint8", "int32", "int64", "uint64", "int4"]


@pytest.mark.parametrize("name", _DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 0, 3), (3, 4, 5)])
def test_round_trip(name: str, shape: tuple[int, ...]) -> None:
    dtype = aq.as_dtype(name).numpy
    count = int(np.prod(shape))
    array = (np.arange(count) % 15 - 7).astype(np.int8).astype(dtype).reshape(shape)
    tensor = aq.asarray(array)
    assert (tensor.shape, tensor.dtype, tensor.ndim) == (shape, dtype, len(shape))
    assert tensor.size == array.size
    assert tensor.nbytes == (-(-count // 2) if name == "int4" else array.nbytes)
    back = tensor.numpy()
    assert back.dtype == dtype
    assert back.shape == shape
    np.testing.assert_array_equal(back.astype(np.float64), array.astype(np.float64))


_INDEX = hnp.basic_indices((4, 5, 3), allow_newaxis=True, allow_ellipsis=True)


@given(index=_INDEX, order=st.permutations(range(3)), packed=st.booleans())
def test_views_are_numpys(index: Any, order: list[int], packed: bool) -> None:
    values = (np.arange(60) % 16 - 8).astype(np.int8).reshape(4, 5, 3)
    tensor = aq.asarray(values, "int4" if packed else "int8")
    expected = values.transpose(np.argsort(order)).transpose(order)[index]
    got = tensor.transpose(*np.argsort(order)).transpose(*order)[index]
    assert got.shape == expected.shape
    np.testing.assert_array_equal(got.numpy().astype(np.int8), expected)


def test_transpose_and_reshape() -> None:
    values = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
    tensor = aq.asarray(values)
    np.testing.assert_array_equal(tensor.T.numpy(), values.T)
    np.testing.assert_array_equal(tensor.transpose(1, 2, 0).numpy(), values.transpose(1, 2, 0))
    np.testing.assert_array_equal(tensor.reshape(6, -1).numpy(), values.reshape(6, 4))
    np.testing.assert_array_equal(tensor.reshape((24,)).numpy(), values.ravel())
    assert tensor.element_strides == (12, 4, 1)
    assert not tensor.T.is_contiguous
    assert tensor[1:].reshape(12).numpy()[0] == 12
    assert len(tensor) == 2
    for wrong in [(5, 5), (-1, 7), (-1, -1)]:
        with pytest.raises(aq.ParameterError, match="shape"):
            tensor.reshape(*wrong)
    with pytest.raises(aq.ParameterError, match="contiguous"):
        tensor.T.reshape(24)
    with pytest.raises(aq.ParameterError, match="axes"):
        tensor.transpose(0, 0, 1)


@pytest.mark.parametrize("index", [[0, 1], np.array([True, False]), True, 1.0, "a", (0, [1])])
def test_advanced_indices_are_refused(index: Any) -> None:
    tensor = aq.asarray(np.zeros((2, 3), np.int8))
    with pytest.raises(IndexError):
        tensor[index]


@pytest.mark.parametrize("index", [2, -3, (0, 3), (0, 0, 0), (..., ...)])
def test_index_out_of_range(index: Any) -> None:
    with pytest.raises(IndexError):
        aq.asarray(np.zeros((2, 3), np.int8))[index]


def test_write_and_share() -> None:
    tensor = aq.empty((2, 3), "int16")
    row = tensor[1]
    tensor.write(np.arange(6).reshape(2, 3))
    assert row.numpy().tolist() == [3, 4, 5]
    row.write([7, 8, 9])
    assert tensor.numpy().tolist() == [[0, 1, 2], [7, 8, 9]]
    with pytest.raises(aq.ParameterError, match=r"argument 'array': got shape \(6,\)"):
        tensor.write(np.zeros(6))
    with pytest.raises(aq.RangeError, match="argument 'array': got 40000"):
        row.write([1, 40000, 2])
    with pytest.raises(aq.ParameterError, match="elements of the Tensor share memory"):
        aq.Tensor(tensor.buffer, (2, 3), "int16", (0, 1)).write(np.zeros((2, 3)))
    assert tensor.numpy().tolist() == [[0, 1, 2], [7, 8, 9]]
    tensor.close()
    with pytest.raises(aq.ResourceError, match="closed"):
        row.numpy()
    assert "closed" in repr(row)
    for use in (row.numpy, row[0].item, row.tolist, lambda: row.write([7, 8, 9])):
        with pytest.raises(aq.ResourceError, match="this Tensor is closed"):
            use()
    with pytest.raises(aq.ResourceError, match=r"aclnnQuantize: argument 'x': got closed"):
        aq.quantize(aq.Tensor.reshape(row, 3), 1.0)


@st.composite
def _views(draw: st.DrawFn) -> tuple[int, tuple[int, ...], tuple[int, ...], int]:
    """A view of a buffer without overlap: elements in the buffer, shape, strides, offset."""
    shape = draw(st.lists(st.integers(1, 5), min_size=0, max_size=3))
    strides, step = [], 1
    for length in shape:
        step *= draw(st.integers(1, 3))
        strides.append(step)
        step *= length
    order = draw(st.permutations(range(len(shape))))
    shape, strides = [shape[i] for i in order], [strides[i] for i in order]
    low = draw(st.integers(0, 5))
    offset = low
    for i, length in enumerate(shape):
        if draw(st.booleans()):
            offset += strides[i] * (length - 1)
            strides[i] = -strides[i]
    high = low + sum(abs(s) * (n - 1) for s, n in zip(strides, shape, strict=True)) + 1
    return high + draw(st.integers(0, 5)), tuple(shape), tuple(strides), offset


@pytest.mark.parametrize("name", ["int4", "int8", "float32", "float8_e5m2"])
@given(view=_views(), seed=st.integers(0, 2**32 - 1))
def test_only_the_named_elements_change(
    name: str, view: tuple[int, tuple[int, ...], tuple[int, ...], int], seed: int
) -> None:
    """faults.md W2: at any offset, count and stride; NumPy's own array is the model."""
    count, shape, strides, offset = view
    random = np.random.default_rng(seed)
    dtype = aq.as_dtype(name).numpy
    model = random.integers(-8, 8, count).astype(np.int8)
    low = offset + sum(s * (n - 1) for s, n in zip(strides, shape, strict=True) if s < 0)
    expected = np.ndarray(shape, np.int8, model, offset, strides)
    with aq.Buffer(-(-count // 2) if name == "int4" else count * dtype.itemsize) as buffer:
        whole = aq.Tensor(buffer, (count,), name)
        whole.write(model)
        tensor = aq.Tensor(buffer, shape, name, strides, offset)
        assert low >= 0 and tensor.tolist() == expected.tolist()
        assert aq.asarray(tensor.numpy()).tolist() == expected.tolist()
        values = random.integers(-8, 8, shape).astype(np.int8)
        expected[...] = values
        tensor.write(values.astype(dtype))
        assert whole.tolist() == model.tolist()
        assert tensor.tolist() == values.tolist()


def test_rows_of_an_odd_length() -> None:
    """faults.md W2, as it was found."""
    values = np.arange(-6, 6).astype(np.int8).reshape(4, 3)
    tensor = aq.asarray(values.astype(ml_dtypes.int4))
    tensor[1].write(np.int8([1, 2, 3]).astype(ml_dtypes.int4))
    values[1] = [1, 2, 3]
    assert tensor.tolist() == values.tolist()
    tensor[::2].write(values[1::2])
    values[::2] = values[1::2]
    assert tensor.tolist() == values.tolist()
    tensor.T.write(values[::-1].T)
    assert tensor.tolist() == values[::-1].tolist()
    tensor[1:1].write(np.zeros((0, 3), np.int8))
    tensor[2, 1:2].write([7])
    assert tensor[2].tolist() == [values[1, 0], 7, values[1, 2]]


def test_threads_write_neighbours_in_one_byte() -> None:
    tensor = aq.asarray(np.zeros(64, np.int8), "int4")

    def work(first: int) -> None:
        for value in range(30):
            for position in range(first, 64, 2):
                tensor[position].write(value % 8)

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tensor.tolist() == [29 % 8] * 64


def test_a_write_in_the_middle_of_another_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal handler or finaliser writes the other half of the byte, between read and write."""
    tensor = aq.asarray(np.zeros(8, np.int8), "int4")
    read, left = aq.Buffer.read, [3, 2]

    def interrupted(self: aq.Buffer, *arguments: Any) -> Any:
        data = read(self, *arguments)
        if left:
            value = left.pop()
            tensor[value - 2].write(value)
        return data

    monkeypatch.setattr(aq.Buffer, "read", interrupted)
    tensor[2:5].write([5, 6, 7])
    monkeypatch.undo()
    assert tensor.tolist() == [2, 3, 5, 6, 7, 0, 0, 0]


def test_signal_handlers_write_neighbours() -> None:
    tensor = aq.asarray(np.zeros(8, np.int8), "int4")
    written: list[int] = []

    def handler(*_: object) -> None:
        tensor[0].write(len(written) % 8)
        written.append(len(written) % 8)
        signal.setitimer(signal.ITIMER_REAL, 0.0005)  # not before this one has ended

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005)
    try:
        for i in range(1000):
            tensor[1].write(i % 8)
            assert tensor[1].item() == i % 8
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert written and tensor[0].item() == written[-1]


@pytest.mark.parametrize("offset", range(4))
@pytest.mark.parametrize("count", [2, 4, 6, 16])
@pytest.mark.parametrize("step", [1, 2, 3, -1, -2])
def test_operators_write_int4_views(offset: int, count: int, step: int) -> None:
    """The neighbours of W2: outputs of kernels, on the device and copied to it."""
    model = (np.arange(64) * 5 % 16 - 8).astype(np.int8)
    last = offset + (count - 1) * abs(step)
    index = (offset + np.arange(count) * step) if step > 0 else (last + np.arange(count) * step)
    where = slice(int(index[0]), int(index[-1]) + step if index[-1] + step >= 0 else None, step)
    assert model[where].tolist() == model[index].tolist()
    x = (np.arange(count) * 7 % 16 - 8).astype(np.float32)
    for given_x in (x, aq.asarray(x)):
        tensor = aq.asarray(model, "int4")
        aq.quantize(given_x, 1.0, dtype="int4", div_mode=False, out=tensor[where])
        expected = model.copy()
        expected[index] = x
        assert tensor.tolist() == expected.tolist()
    if step == 1:
        got = aq.anti_quant(aq.asarray(model, "int4")[where], 1.0).numpy()
        assert got.tolist() == model[index].tolist()


def test_int4_views_on_several_streams() -> None:
    """A copy on another stream sees what was written before, neighbours included."""
    tensor = aq.asarray(np.zeros(13, np.int8), "int4")
    with aq.Stream() as stream:
        x = aq.asarray(np.float32([1, 2, 3, 4]))
        aq.quantize(x, 1.0, dtype="int4", div_mode=False, out=tensor[1:5])
    aq.quantize(x, 1.0, dtype="int4", div_mode=False, out=tensor[5:9])
    tensor[9].write(7)
    assert tensor.tolist() == [0, 1, 2, 3, 4, 1, 2, 3, 4, 7, 0, 0, 0]
    stream.close()


def test_conversions() -> None:
    assert aq.asarray([1, 2], "float16").dtype == np.float16
    assert aq.asarray(3.0).dtype == np.float32
    tensor = aq.asarray(np.float32([1]))
    assert aq.asarray(tensor) is tensor
    assert aq.asarray(tensor, "float32") is tensor
    assert aq.asarray(tensor, "bfloat16").dtype == ml_dtypes.bfloat16
    with pytest.raises(aq.DtypeError):
        aq.asarray(np.array(["a"]))
    assert aq.empty(3).shape == (3,)
    assert aq.empty((), "quint4x2").dtype == np.int32


def test_values_as_python_numbers() -> None:
    tensor = aq.asarray(np.float32([[1.5, 2], [3, 4]]))
    assert tensor.tolist() == [[1.5, 2.0], [3.0, 4.0]]
    assert (tensor[0, 0].item(), float(tensor[0, 0]), int(tensor[1:, 1:])) == (1.5, 1.5, 4)
    assert type(aq.asarray(np.array([2], ml_dtypes.bfloat16)).item()) is float
    assert type(aq.asarray([2], "int4").item()) is int
    assert [row.tolist() for row in tensor] == tensor.tolist()
    assert bool(tensor[0, 0]) and not aq.asarray(0.0)
    for refused in (float, int, bool, aq.Tensor.item):
        with pytest.raises(aq.AclError, match=r"4 elements"):
            refused(tensor)  # type: ignore[operator]
    with pytest.raises(ValueError, match="0 elements"):
        bool(tensor[:0])
    with pytest.raises(TypeError):
        iter(tensor[0, 0])


def test_numpy_out() -> None:
    tensor = aq.asarray(np.arange(6, dtype=np.int16).reshape(2, 3))
    out = np.zeros((3, 4), np.int16)
    assert tensor.T.numpy(out=out[:, ::2]).base is out
    assert out.tolist() == [[0, 0, 3, 0], [1, 0, 4, 0], [2, 0, 5, 0]]
    fixed = np.zeros((2, 3), np.int16)
    fixed.flags.writeable = False
    for wrong in (fixed, np.zeros((2, 3), np.int32), np.zeros((3, 2), np.int16), [[0] * 3] * 2):
        with pytest.raises(aq.ParameterError, match="argument 'out'"):
            tensor.numpy(out=wrong)  # type: ignore[arg-type]


def test_sizes_in_bytes() -> None:
    tensor = aq.asarray(np.zeros((2, 3), np.float32))
    assert (tensor.itemsize, tensor.strides, tensor.T.strides) == (4, (12, 4), (4, 12))
    packed = aq.empty((2, 4), "int4")
    for name in ("itemsize", "strides"):
        with pytest.raises(aq.DtypeError, match="two int4 share a byte"):
            getattr(packed, name)


def test_printing_shows_the_values_and_repr_does_not_wait() -> None:
    tensor = aq.asarray(np.float32([[1, 2.5], [3, 4]]))
    assert repr(tensor) == "<Tensor float32(2, 2) on Device(0)>"
    assert str(tensor).splitlines() == [
        "Tensor([[1. , 2.5],",
        "        [3. , 4. ]], dtype=float32, device=Device(0))",
    ]
    assert str(tensor[:0]) == "Tensor([], shape=(0, 2), dtype=float32, device=Device(0))"
    assert str(tensor[0, 1]) == "Tensor(2.5, dtype=float32, device=Device(0))"
    assert "[-8, 7]" in str(aq.asarray([-8, 7], "int4"))
    with tensor as same:
        assert same is tensor
    assert str(tensor) == repr(tensor) == "<Tensor float32(2, 2) on closed>"


def test_what_a_tensor_cannot_do_says_what_to_do() -> None:
    """newcomer.md 2e: ``2.0 in t`` was False though it is there, ``if t:`` always true."""
    tensor, array = aq.asarray(np.float32([1, 2])), np.float32([1, 2])
    for compute in (
        lambda: tensor + 1,  # type: ignore[operator]
        lambda: array + tensor,
        lambda: array * tensor,
        lambda: array @ tensor,
        lambda: 1 - tensor,  # type: ignore[operator]
        lambda: [1.0, 2.0] + tensor,  # noqa: RUF005
    ):
        with pytest.raises(TypeError, match=r"no arithmetic: use t\.numpy\(\)"):
            compute()
    for compare in (
        lambda: tensor == array,
        lambda: array == tensor,
        lambda: tensor == 1,
        lambda: tensor != tensor[:1],
    ):
        with pytest.raises(TypeError, match=r"np\.array_equal\(t\.numpy\(\), u\)"):
            compare()
    with pytest.raises(TypeError, match=r"value in t\.numpy\(\)"):
        2.0 in tensor  # noqa: B015
    with pytest.raises(ValueError, match="ambiguous"):
        bool(tensor)
    assert tensor != None and not tensor == None  # noqa: E711, SIM201
    assert tensor in [tensor] and len({tensor, tensor}) == 1
    np.testing.assert_array_equal(tensor, array)  # copies, as np.asarray does


def test_numpy_functions_take_tensors() -> None:
    tensor = aq.asarray(np.float32([1, 2]))
    assert np.asarray(tensor).tolist() == [1, 2]
    assert np.asarray(tensor, np.int8).dtype == np.int8
    assert (np.float32([3, 4]) + np.asarray(tensor)).tolist() == [4, 6]
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        with pytest.raises(ValueError, match="copy"):
            np.array(tensor, copy=False)


def test_dlpack() -> None:
    tensor = aq.asarray(np.float32([1, 2]))
    assert tensor.__dlpack_device__() == (12, 0)
    for options in ({}, {"dl_device": (12, 0)}, {"dl_device": (1, 0), "copy": False}):
        with pytest.raises(BufferError, match=r"give Tensor\.numpy\(\)"):
            tensor.__dlpack__(**options)  # type: ignore[arg-type]

    class OnTheHost:
        def __dlpack__(self, **options: Any) -> Any:
            return tensor.__dlpack__(dl_device=(1, 0), **options)

        def __dlpack_device__(self) -> tuple[int, int]:
            return 1, 0

    if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
        assert np.from_dlpack(tensor, device="cpu").tolist() == [1, 2]
    assert np.from_dlpack(OnTheHost()).tolist() == [1, 2]
    assert aq.asarray(OnTheHost()).numpy().tolist() == [1, 2]
    assert aq.quantize(OnTheHost(), 1.0).tolist() == [1, 2]


def test_torch_types_without_numpy_are_read_without_importing_torch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stand-in with the little of torch that is used: NumPy cannot read its bfloat16."""
    torch = ModuleType("torch")
    torch.int16 = object()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    values = np.array([1, 2.5], ml_dtypes.bfloat16)

    class Device:
        type = "cpu"

    class Tensor:
        __module__ = "torch"
        dtype = "torch.bfloat16"
        device = Device
        is_quantized = False

        def detach(self) -> Tensor:
            return self

        def view(self, dtype: object) -> npt.NDArray[np.int16]:
            assert dtype is torch.int16
            return values.view(np.int16)

    class Subclass(Tensor):
        __module__ = "somewhere.else"

    for kind in (Tensor, Subclass):
        assert aq.asarray(kind()).dtype == ml_dtypes.bfloat16
        assert aq.quantize(kind(), 0.5).tolist() == [2, 5]
    monkeypatch.setattr(Device, "type", "npu")
    with pytest.raises(aq.ParameterError, match=r"argument 'x'.*\.cpu\(\)"):
        aq.quantize(Tensor(), 0.5)


def test_tensor_must_fit_its_buffer() -> None:
    with aq.Buffer(16) as buffer:
        assert aq.Tensor(buffer, (4,), "float32").nbytes == 16
        assert aq.Tensor(buffer, (32,), "int4").nbytes == 16
        for arguments in [((5,), "float32"), ((33,), "int4"), ((4,), "float32", (2,))]:
            with pytest.raises(aq.ParameterError, match="16 bytes"):
                aq.Tensor(buffer, *arguments)
        with pytest.raises(aq.ParameterError, match="16 bytes"):
            aq.Tensor(buffer, (2,), "float32", (-1,))


_STRIDED: dict[str, npt.NDArray[np.float32]] = {}
_BASE = np.arange(-60, 60, dtype=np.float32).reshape(4, 5, 6) / 4
_STRIDED["contiguous"] = _BASE
_STRIDED["transposed"] = _BASE.T
_STRIDED["sliced"] = _BASE[::2, 1:4, ::3]
_STRIDED["reversed"] = _BASE[::-1, :, ::-1]
_STRIDED["reversed and sliced"] = _BASE[::-2, 3:0:-1]
_STRIDED["broadcast"] = np.broadcast_to(_BASE[0], (7, 5, 6))
_STRIDED["broadcast inside"] = np.broadcast_to(_BASE[:, :1], (4, 5, 6))
_STRIDED["fortran"] = np.asfortranarray(_BASE)
_STRIDED["0-d"] = np.asarray(_BASE[1, 2, 3])
_STRIDED["empty"] = _BASE[:, :0]
_STRIDED["size one"] = _BASE[:1, :1, ::-7]
_record = np.zeros((4, 5, 6), [("a", np.int8), ("b", np.float32)])
_record["b"] = _BASE
_STRIDED["unaligned field"] = _record["b"]
_STRIDED["big endian"] = _BASE.astype(">f4")


@pytest.mark.parametrize("name", _STRIDED)
@pytest.mark.parametrize("give", ["array", "tensor"])
def test_any_strides(name: str, give: str) -> None:
    x = _STRIDED[name]
    expected = np.clip(np.rint(x.astype(np.float32) * 2), -128, 127).astype(np.int8)
    if give == "tensor":
        got = aq.quantize(aq.asarray(x.astype("=f4", copy=False)), 0.5).numpy()
    else:
        got = aq.quantize(x, 0.5)
    assert got.shape == x.shape
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", ["contiguous", "transposed", "sliced", "reversed", "fortran"])
def test_any_strides_of_out(name: str) -> None:
    pattern = _STRIDED[name]
    backing = np.full(pattern.size * 64, 99, np.int8)
    steps = [s // 4 for s in pattern.strides]
    start = 1000
    out = np.lib.stride_tricks.as_strided(backing[start:], pattern.shape, steps)
    expected_backing = backing.copy()
    x = np.ascontiguousarray(pattern)
    expected = np.clip(np.rint(x), -128, 127).astype(np.int8)
    np.lib.stride_tricks.as_strided(expected_backing[start:], out.shape, steps)[...] = expected
    assert aq.quantize(x, 1.0, out=out) is out
    np.testing.assert_array_equal(backing, expected_backing)


def test_tensor_views_go_to_operators() -> None:
    x = aq.asarray(_BASE)
    for view, expected in ((x.T, _BASE.T), (x[1, ::2], _BASE[1, ::2]), (x[::-1], _BASE[::-1])):
        got = aq.quantize(view, 0.25).numpy()
        np.testing.assert_array_equal(got, np.clip(np.rint(expected * 4), -128, 127))


def test_odd_arguments_are_refused_by_name() -> None:
    with aq.Buffer(64) as buffer:
        odd: list[tuple[str, tuple[Any, ...]]] = [
            ("buffer", (b"64 bytes", (4,), "int8")),
            ("shape", (buffer, ("4",), "int8")),
            ("shape", (buffer, 4, "int8")),
            ("shape", (buffer, (-4,), "int8")),
            ("element_strides", (buffer, (4,), "int8", (1, 1))),
            ("element_strides", (buffer, (4,), "int8", (0.5,))),
            ("offset", (buffer, (4,), "int8", None, "1")),
        ]
        for argument, arguments in odd:
            with pytest.raises(aq.ParameterError, match=f"argument '{argument}'"):
                aq.Tensor(*arguments)
    for shape in (-1, (2, -1), "ab", 1.5, None):
        with pytest.raises(aq.ParameterError, match="argument 'shape'"):
            aq.empty(shape)  # type: ignore[arg-type]
    tensor = aq.asarray(np.zeros((2, 3), np.float32))
    with pytest.raises(aq.ParameterError, match="argument 'shape'"):
        tensor.reshape("6")
    with pytest.raises(aq.ParameterError, match="argument 'axes'"):
        tensor.transpose(0.0, 1)  # type: ignore[arg-type]
    with pytest.raises(aq.ParameterError, match="argument 'value'"):
        aq.asarray(object.__new__(type("Odd", (), {"__array__": lambda *_: 1})))
