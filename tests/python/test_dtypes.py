"""The table of data types, and everything that means one."""

from __future__ import annotations

import pickle
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import aclquant as aq
from aclquant import dtypes
from aclquant._ffi import ffi

_ACL_NAMES = {"float32": "FLOAT", "float64": "DOUBLE", "bfloat16": "BF16", "qint8": "INT8"}
_ACL_NAMES |= {"quint8": "UINT8", "qint32": "INT32", "quint4x2": "INT32"}


@pytest.mark.parametrize("dtype", dtypes._TABLE, ids=str)
def test_codes_are_those_of_the_header(dtype: dtypes.DType) -> None:
    name = _ACL_NAMES.get(dtype.name, dtype.name.upper())
    assert ffi.integer_const(f"ACL_{name}") == dtype.code


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("qint8", "qint8"),
        ("torch.qint8", "qint8"),
        ("torch_npu.int4", "int4"),
        ("half", "float16"),
        (np.int8, "int8"),
        (np.dtype("<f2"), "float16"),
        (np.dtype(">f2"), "float16"),
        (ml_dtypes.bfloat16, "bfloat16"),
        (np.dtype(ml_dtypes.int4), "int4"),
        (float, "float64"),
        (12, "qint8"),
        (16, "quint4x2"),
        (15, "bfloat16"),
        (256 + 29, "int4"),
        (np.int64(258), "int8"),
        (290, "hifloat8"),
        (aq.quint4x2, "quint4x2"),
    ],
)
def test_as_dtype(value: Any, expected: str) -> None:
    assert aq.as_dtype(value) is dtypes._BY_NAME[expected]


def test_torch_dtypes_are_known_by_their_text() -> None:
    class Dtype:
        def __str__(self) -> str:
            return "torch.quint4x2"

    assert aq.as_dtype(Dtype()) is aq.quint4x2


@pytest.mark.parametrize(
    "value", ["int3", 99, -10, 256 + 5, True, object, None, "torch.foo", ">f4"]
)
def test_not_a_dtype(value: Any) -> None:
    with pytest.raises(aq.DtypeError, match="argument 'dtype'"):
        aq.as_dtype(value)


def test_the_nearest_name_is_offered() -> None:
    for wrong, near in (("qint9", "qint8"), ("Float16", "float16"), ("bfloat6", "bfloat16")):
        with pytest.raises(aq.DtypeError, match=f"did you mean '{near}'"):
            aq.as_dtype(wrong)
    with pytest.raises(aq.DtypeError) as caught:
        aq.as_dtype("zzzz")
    assert "did you mean" not in str(caught.value)


def test_a_wrong_dtype_is_refused_by_the_name_of_the_caller() -> None:
    """newcomer.md 2d: the caller's function, not as_dtype."""
    x, codes = np.ones((2, 8), np.float32), np.ones((2, 8), np.int8)
    calls: dict[str, tuple[str, Any]] = {
        "quantize": ("dtype", lambda: aq.quantize(x, 1.0, dtype="qint9")),
        "anti_quant": ("dst_dtype", lambda: aq.anti_quant(codes, 1.0, dst_dtype="qint9")),
        "dynamic_quant": ("dst_type", lambda: aq.dynamic_quant(np.float16(x), dst_type="qint9")),
        "quant_matmul": (
            "output_dtype",
            lambda: aq.quant_matmul(codes, codes.T, 1.0, output_dtype="qint9"),
        ),
        "asarray": ("dtype", lambda: aq.asarray(x, "qint9")),
        "empty": ("dtype", lambda: aq.empty(1, "qint9")),
        "unpack_int4": ("dtype", lambda: aq.unpack_int4(np.int32([1]), "qint9")),
    }
    for name, (argument, call) in calls.items():
        with pytest.raises(aq.DtypeError) as caught:
            call()
        assert (caught.value.function, caught.value.argument) == (f"aclquant.{name}", argument)
        assert "did you mean 'qint8'" in caught.value.got


def test_numpy_takes_dtypes_and_equality_is_what_as_dtype_says() -> None:
    """newcomer.md 2e: np.dtype(aq.int8) was a TypeError, aq.int8 == "int8" False."""
    for dtype in dtypes._TABLE:
        assert np.dtype(dtype) == dtype.numpy  # type: ignore[call-overload]
        assert dtype == dtype.name and hash(dtype) == hash(dtype.name)
        assert dtype == dtype.numpy and dtype.numpy == dtype
        assert [other for other in dtypes._TABLE if other == dtype] == [dtype]
    assert np.zeros(2, aq.bfloat16).dtype == aq.bfloat16  # type: ignore[call-overload]
    assert aq.quantize([1.0], 1.0, dtype=aq.qint8).dtype == aq.qint8
    assert aq.int8 == np.int8 and aq.int8 != np.int16 and aq.int8 != "int16"
    assert aq.int8 != aq.qint8 and aq.int8 != 1 and aq.int8 != None  # noqa: E711
    assert aq.float32 != float and dtypes.float64 == float  # noqa: E721


def test_pickling_gives_the_same_object() -> None:
    assert pickle.loads(pickle.dumps(aq.qint8)) is aq.qint8
    assert aq.qint8 is not aq.int8
