"""Shapes and types of results: the device's inference, and what the Python functions allocate."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import aclquant as aq
from aclquant._ffi import ffi
from aclquant._ffi.library import load

C: Any = load("host")
CODES = {"float32": 0, "float16": 1, "int8": 2, "int32": 3, "uint8": 4, "int64": 9, "bfloat16": 27}
NAMES = {code: name for name, code in CODES.items()}
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


def infer(
    operation: str, tensors: list[Any], dtype: str, mode: str | None = None
) -> list[tuple[str, tuple[int, ...]]]:
    """Type and shape of each result; the arrays are described, not passed."""
    made = []
    for array in tensors:
        if array is None:
            made.append(ffi.NULL)
            continue
        strides = [stride // array.itemsize for stride in array.strides]
        rank, code = array.ndim, CODES[array.dtype.name]
        made.append(
            C.aclCreateTensor(array.shape, rank, code, strides, 0, 2, array.shape, rank, ffi.NULL)
        )
    outputs, count = ffi.new("aclquantOutput[3]"), ffi.new("uint64_t *", 3)
    name = ffi.NULL if mode is None else mode.encode()
    status = C.aclquantInferOutputs(
        operation.encode(), made, len(made), name, CODES[dtype], outputs, count
    )
    for tensor in made:
        if tensor != ffi.NULL:
            assert C.aclDestroyTensor(tensor) == 0
    assert status == 0, ffi.string(C.aclGetRecentErrMsg()).decode()
    return [
        (NAMES[output.dtype], tuple(output.shape[0 : output.rank]))
        for output in outputs[0 : count[0]]
    ]


def described(*results: Any) -> list[tuple[str, tuple[int, ...]]]:
    return [(result.dtype.name, result.shape) for result in results]


def random(shape: tuple[int, ...], dtype: Any = np.float16) -> Any:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("shape", [(16,), (3, 8), (2, 3, 24)])
@pytest.mark.parametrize("dtype", ["qint8", "quint8", "qint32"])
def test_quantize(shape: tuple[int, ...], dtype: str) -> None:
    x = random(shape, np.float32)
    y = aq.quantize(x, [0.5], dtype=dtype, axis=-1)
    assert infer("aclnnQuantize", [x], y.dtype.name) == described(y)


@pytest.mark.parametrize("shape", [(16,), (3, 8), (2, 3, 24)])
@pytest.mark.parametrize("dtype", ["qint8", "quint4x2"])
def test_ascend_quant(shape: tuple[int, ...], dtype: str) -> None:
    x = random(shape)
    y = aq.quantize(x, np.float16([0.5]), dtype=dtype, axis=-1, div_mode=False)
    assert infer("aclnnAscendQuantV3", [x], y.dtype.name) == described(y)


@pytest.mark.parametrize("shape", [(1,), (3, 8), (2, 3, 5)])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_anti_quant(shape: tuple[int, ...], packed: bool, dtype: str) -> None:
    x = random(shape).astype(np.int32 if packed else np.int8)
    y = aq.anti_quant(x, np.float32([2]), dst_dtype=dtype)
    assert infer("aclnnAscendAntiQuant", [x], dtype) == described(y)


@pytest.mark.parametrize(
    ("scale", "offset"),
    [
        *[((5,), None), ((1, 5), None), ((3, 5), None), ((3, 1), None), ((1,), (5,))],
        *[((5,), (1,)), ((5,), (5,)), ((1, 5), (5,)), ((1,), (1, 5)), ((1, 5), (1, 5))],
    ],
)
def test_trans_quant_param(scale: tuple[int, ...], offset: tuple[int, ...] | None) -> None:
    arrays = [random(scale, np.float32), None if offset is None else random(offset, np.float32)]
    y = aq.trans_quant_param(*arrays)
    assert infer("aclnnTransQuantParamV3", arrays, "int64") == described(y)


@pytest.mark.parametrize("shape", [(3, 8), (2, 3, 16)])
@pytest.mark.parametrize("mode", ["pertoken", "pertensor", "perchannel"])
@pytest.mark.parametrize("dtype", ["int8", "quint4x2"])
def test_dynamic_quant(shape: tuple[int, ...], mode: str, dtype: str) -> None:
    x = random(shape)
    found = aq.dynamic_quant_asymmetric(x, dst_type=dtype, quant_mode=mode)
    expected = infer("aclnnDynamicQuantV4", [x], found[0].dtype.name, mode)
    assert expected == described(*found)
    assert expected[:2] == described(*aq.dynamic_quant(x, dst_type=dtype, quant_mode=mode))


@pytest.mark.parametrize("left", [(2, 8), (1, 2, 8), (3, 1, 2, 8)])
@pytest.mark.parametrize("right", [(8, 16), (5, 8, 16)])
@pytest.mark.parametrize("turned", [False, True])
def test_quant_matmul(left: tuple[int, ...], right: tuple[int, ...], turned: bool) -> None:
    x1, x2 = random(left).astype(np.int8), random(right).astype(np.int8)
    if turned:
        x2 = np.ascontiguousarray(x2.swapaxes(-1, -2)).swapaxes(-1, -2)
    y = aq.quant_matmul(x1, x2, 1.0, output_dtype="bfloat16")
    assert infer("aclnnQuantMatmulV5", [x1, x2], "bfloat16") == described(y)


@pytest.mark.parametrize("turned", [False, True])
def test_quant_matmul_of_int4(turned: bool) -> None:
    x1, x2 = (random(shape).clip(-8, 7).astype(np.int8) for shape in ((3, 16), (16, 24)))
    packed = aq.pack_int4(x2) if not turned else aq.pack_int4(np.ascontiguousarray(x2.T)).T
    left = aq.pack_int4(x1)
    y = aq.quant_matmul(left, packed, 1.0, output_dtype="float16")
    assert infer("aclnnQuantMatmulV5", [left, packed], "float16") == described(y)
    assert y.shape == (3, 24)


def test_refusals_name_the_argument() -> None:
    """Also for an operator that has no inference, and with too little room."""
    for call, word in (
        (lambda: infer("aclnnAdd", [random((2, 2))], "float16"), "operation"),
        (lambda: infer("aclnnQuantize", [None], "int8"), "'x'"),
        (lambda: infer("aclnnAscendQuantV3", [random((2, 12))], "int32"), "multiple of 8"),
        (lambda: infer("aclnnDynamicQuantV4", [random((2, 8))], "int8", "row"), "'mode'"),
        (lambda: infer("aclnnQuantMatmulV5", [random((8,)), random((8, 8))], "int8"), "x1"),
    ):
        with pytest.raises(AssertionError, match=word):
            call()
    outputs, count = ffi.new("aclquantOutput[1]"), ffi.new("uint64_t *", 0)
    x = C.aclCreateTensor([1], 1, 0, [1], 0, 2, [1], 1, ffi.NULL)
    arguments = [x], 1, ffi.NULL, 2, outputs, count
    assert C.aclquantInferOutputs(b"aclnnQuantize", *arguments) == 100000
    assert "outputCount" in ffi.string(C.aclGetRecentErrMsg()).decode()
    assert C.aclquantInferOutputs(ffi.NULL, *arguments) == 100000
    assert C.aclDestroyTensor(x) == 0
