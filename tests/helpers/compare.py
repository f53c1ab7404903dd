"""Equality to the last bit, with messages that show the bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_FLOATS = {"float32": np.uint32, "float16": np.uint16, "bfloat16": np.uint16, "float64": np.uint64}


@np.errstate(all="ignore")  # asking a signalling NaN of ml_dtypes whether it is one warns
def difference(actual: Array, expected: Array) -> str | None:
    """What is different, or None. Every NaN equals every NaN; +0 and -0 differ."""
    if actual.dtype != expected.dtype:
        return f"dtype {actual.dtype} instead of {expected.dtype}"
    if actual.shape != expected.shape:
        return f"shape {actual.shape} instead of {expected.shape}"
    got, want = np.ascontiguousarray(actual).reshape(-1), expected.reshape(-1)
    unsigned = _FLOATS.get(expected.dtype.name)
    if unsigned is None:
        wrong = got != want
    else:
        want = np.ascontiguousarray(want)
        wrong = (got.view(unsigned) != want.view(unsigned)) & ~(np.isnan(got) & np.isnan(want))
    places = np.flatnonzero(wrong)
    if not places.size:
        return None
    first = int(places[0])
    index = tuple(int(i) for i in np.unravel_index(first, expected.shape))
    text = f"{places.size} of {want.size} differ, first at {index}: "
    text += f"got {got[first]!s}, expected {want[first]!s}"
    if unsigned is not None:
        digits = 2 * got.itemsize
        bits = [int(array.view(unsigned)[first]) for array in (got, want)]
        text += f" (bits {bits[0]:0{digits}x}, expected {bits[1]:0{digits}x})"
    return text


def assert_same_bits(actual: Array, expected: Array, what: str = "result") -> None:
    """Fail with the first difference."""
    found = difference(actual, expected)
    assert found is None, f"{what}: {found}"
