"""Primitives: binary32 steps, roundings, saturating conversions, int4 words, refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import ml_dtypes
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Family = Literal["a2", "310p"]
A2: Family = "a2"
INFERENCE: Family = "310p"

PARAM_NULLPTR = 161001
PARAM_INVALID = 161002
INNER_ERROR = 561000
INNER_NULLPTR = 561103

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
INT4 = np.dtype(ml_dtypes.int4)
_ML_DTYPES = {"bfloat16": BFLOAT16, "int4": INT4}

#: NumPy (or ml_dtypes) name -> aclDataType number, for the types these operators can meet.
ACL_CODE = {
    "float32": 0,
    "float16": 1,
    "int8": 2,
    "int32": 3,
    "uint8": 4,
    "int16": 6,
    "uint16": 7,
    "uint32": 8,
    "int64": 9,
    "uint64": 10,
    "float64": 11,
    "bool": 12,
    "bfloat16": 27,
    "int4": 29,
}

#: Limits of the integer results.
LIMITS = {
    "int4": (-8, 7),
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int32": (-(2**31), 2**31 - 1),
}


class Refusal(Exception):
    """The call must be refused.

    ``code`` is the status the C function answers, or None when the Python surface has to refuse
    before there is a C call (then any error of the package will do).
    """

    def __init__(self, code: int | None, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


@dataclass(frozen=True)
class Spec:
    """Dtype name and shape of a preallocated output."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def numpy(self) -> np.dtype[Any]:
        return _ML_DTYPES[self.dtype] if self.dtype in _ML_DTYPES else np.dtype(self.dtype)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    def empty(self) -> Array:
        return np.zeros(self.shape, self.numpy)


def spec_of(array: Array) -> Spec:
    return Spec(array.dtype.name, array.shape)


def require(condition: bool, reason: str, code: int | None = PARAM_INVALID) -> None:
    if not condition:
        raise Refusal(code, reason)


def widen(array: Array) -> Array:
    """To float32. Exact for float16, bfloat16 and 8-bit integers; int32 rounds to nearest even."""
    return array.astype(np.float32)


def _half_away(v: Array) -> Array:
    """Nearest, ties away from zero (only the inference series, only on half precision values)."""
    wide = v.astype(np.float64)
    return np.copysign(np.floor(np.abs(wide) + 0.5), wide)


ROUNDING: dict[str, Callable[[Array], Array]] = {
    "round": np.rint,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "away": _half_away,
}


@np.errstate(all="ignore")
def to_integer(v: Array, dtype: str, mode: str = "round") -> Array:
    """Round, then saturate; NaN gives 0. The float64 step only clamps integral values exactly."""
    low, high = LIMITS[dtype]
    integral = ROUNDING[mode](v).astype(np.float64)
    integral = np.where(np.isnan(integral), 0.0, integral)
    return np.clip(integral, low, high).astype(np.int64).astype(Spec(dtype, ()).numpy)


@np.errstate(all="ignore")
def narrow(v: Array, dtype: str, saturate: bool) -> Array:
    """float32 to float16 or bfloat16, nearest even, subnormals produced.

    ``saturate`` is the inference series' overflow mode: largest finite value instead of infinity
    and 0 instead of NaN.
    """
    result = v.astype(Spec(dtype, ()).numpy)
    if saturate:
        largest = np.float32(65504 if dtype == "float16" else 3.3895313892515355e38)
        wide = np.clip(np.where(np.isnan(v), np.float32(0), v), -largest, largest)
        result = wide.astype(result.dtype)
    return result


def pack_int4(values: Array) -> Array:
    """Eight int4 per int32 along the last axis, element 0 in the least significant nibble."""
    nibbles = (values.astype(np.int64) & 15).reshape(*values.shape[:-1], values.shape[-1] // 8, 8)
    words = (nibbles << (4 * np.arange(8))).sum(axis=-1)
    packed: Array = words.astype(np.uint32).view(np.int32)
    return packed


def unpack_int4(words: Array) -> Array:
    """The inverse of :func:`pack_int4`: int8 values, last axis eight times as long."""
    nibbles = (words[..., np.newaxis].astype(np.int64) >> (4 * np.arange(8))) & 15
    signed = np.where(nibbles > 7, nibbles - 16, nibbles).astype(np.int8)
    return signed.reshape(*words.shape[:-1], 8 * words.shape[-1])


def along(parameter: Array, rank: int, axis: int) -> Array:
    """A one-dimensional parameter placed on ``axis`` of ``rank`` dimensions (size 1 elsewhere)."""
    shape = [1] * rank
    if rank:
        shape[axis] = parameter.size
    return parameter.reshape(shape)
