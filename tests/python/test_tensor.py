"""Tensors: to and from NumPy, views, packed int4, exports."""

from __future__ import annotations

import sys
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
    with pytest.raises(aq.ParameterError, match="shape"):
        tensor.write(np.zeros(6))
    tensor.close()
    with pytest.raises(aq.ResourceError, match="closed"):
        row.numpy()
    assert "closed" in repr(row)


def test_conversions() -> None:
    assert aq.asarray([1, 2], "float16").dtype == np.float16
    assert aq.asarray(3.0).dtype == np.float64
    tensor = aq.asarray(np.float32([1]))
    assert aq.asarray(tensor) is tensor
    assert aq.asarray(tensor, "float32") is tensor
    assert aq.asarray(tensor, "bfloat16").dtype == ml_dtypes.bfloat16
    with pytest.raises(aq.DtypeError):
        aq.asarray(np.array(["a"]))
    assert aq.empty(3).shape == (3,)
    assert aq.empty((), "quint4x2").dtype == np.int32


def test_numpy_functions_take_tensors() -> None:
    tensor = aq.asarray(np.float32([1, 2]))
    assert np.asarray(tensor).tolist() == [1, 2]
    assert np.asarray(tensor, np.int8).dtype == np.int8
    assert (np.float32([3, 4]) + np.asarray(tensor)).tolist() == [4, 6]
    with pytest.raises(ValueError, match="copy"):
        np.array(tensor, copy=False)


def test_dlpack() -> None:
    tensor = aq.asarray(np.float32([1, 2]))
    assert tensor.__dlpack_device__() == (12, 0)
    with pytest.raises(BufferError):
        tensor.__dlpack__()
    with pytest.raises(BufferError):
        tensor.__dlpack__(dl_device=(12, 0))

    class OnTheHost:
        def __dlpack__(self, **options: Any) -> Any:
            return tensor.__dlpack__(dl_device=(1, 0), **options)

        def __dlpack_device__(self) -> tuple[int, int]:
            return 1, 0

    assert np.from_dlpack(tensor, device="cpu").tolist() == [1, 2]
    assert np.from_dlpack(OnTheHost()).tolist() == [1, 2]
    assert aq.asarray(OnTheHost()).numpy().tolist() == [1, 2]
    assert aq.quantize(OnTheHost(), 1.0).tolist() == [1, 2]


def test_torch_bfloat16_is_read_without_importing_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in with the little of torch that is used: NumPy cannot read its bfloat16."""
    torch = ModuleType("torch")
    torch.int16 = object()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    values = np.array([1, 2.5], ml_dtypes.bfloat16)

    class Tensor:
        __module__ = "torch"
        dtype = "torch.bfloat16"

        def detach(self) -> Tensor:
            return self

        def view(self, dtype: object) -> npt.NDArray[np.int16]:
            assert dtype is torch.int16
            return values.view(np.int16)

    assert aq.asarray(Tensor()).dtype == ml_dtypes.bfloat16
    assert aq.quantize(Tensor(), 0.5).tolist() == [2, 5]


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
