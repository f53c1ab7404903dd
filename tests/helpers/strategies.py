"""Hypothesis strategies: shapes, values that matter, memory layouts, operator calls.

Bulk data comes from NumPy generators seeded by a drawn number, so that a case stays cheap to draw
and is reproduced by its seed; what decides legality (shapes, dtypes, axes) is drawn directly.
"""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

Array = npt.NDArray[Any]

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
FLOATS = [np.dtype(np.float32), np.dtype(np.float16), BFLOAT16]
HALVES = FLOATS[1:]
#: dtypes that no operator of this family takes where a float is wanted
STRANGERS = [np.dtype(name) for name in ("float64", "int64", "int16", "uint8", "bool")]

_UNSIGNED: dict[int, Any] = {2: np.uint16, 4: np.uint32}
_SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.49999997, 3e38, -3e38, 1e-45, 65504.0]
_FLAVOURS = ["ordinary", "ties", "bits", "special", "small", "constant"]


def sometimes(one_in: int) -> st.SearchStrategy[bool]:
    """True about once in ``one_in`` draws (and shrinking towards False)."""
    return st.integers(0, one_in - 1).map(lambda n: n == one_in - 1)


@st.composite
def shapes(
    draw: st.DrawFn, low: int = 0, high: int = 8, last: int | None = None
) -> tuple[int, ...]:
    """``low`` to ``high`` dimensions, few elements; sizes 0 and 1 included.

    ``last`` makes the last dimension a multiple of it.
    """
    rank = draw(st.integers(low, high))
    side = {0: 1, 1: 70, 2: 12, 3: 6, 4: 4}.get(rank, 3)
    sizes = draw(st.lists(st.integers(1, side), min_size=rank, max_size=rank))
    if rank and draw(sometimes(12)):
        sizes[draw(st.integers(0, rank - 1))] = 0
    if rank and last is not None:
        sizes[-1] = last * draw(st.integers(0 if draw(sometimes(12)) else 1, 3))
    return tuple(sizes)


def fill(shape: tuple[int, ...], dtype: np.dtype[Any], flavour: str, seed: int) -> Array:
    """An array of values of that flavour."""
    generator = np.random.default_rng(seed)
    if dtype.kind in "iub":
        if dtype.kind == "b":
            return generator.integers(0, 2, shape).astype(bool)
        limits = np.iinfo(dtype)
        if flavour in ("bits", "special"):
            return generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)
        return generator.integers(max(limits.min, -100), 101, shape).astype(dtype)
    with np.errstate(all="ignore"):
        if flavour == "bits" and dtype.itemsize in _UNSIGNED:
            unsigned = _UNSIGNED[dtype.itemsize]
            raw = generator.integers(0, np.iinfo(unsigned).max, shape, unsigned, endpoint=True)
            return np.asarray(raw).view(dtype)
        if flavour == "ties":
            values = generator.integers(-300, 300, shape) / 2
        elif flavour == "special":
            ordinary = generator.normal(0, 50, shape)
            chosen = generator.choice(_SPECIAL, shape)
            values = np.where(generator.random(shape) < 0.3, chosen, ordinary)
        elif flavour == "small":
            values = generator.normal(0, 1, shape) * 2.0 ** generator.integers(-149, 0, shape)
        elif flavour == "constant":
            values = np.full(shape, generator.normal(0, 10))
        else:
            values = generator.normal(0, 40, shape)
        return np.asarray(np.asarray(values).astype(np.float32).astype(dtype))


@st.composite
def arrays(
    draw: st.DrawFn,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    flavours: list[str] | None = None,
    strided: bool = True,
) -> Array:
    """Values of a drawn flavour in a drawn layout."""
    flavour = draw(st.sampled_from(flavours or _FLAVOURS))
    array = fill(shape, dtype, flavour, draw(st.integers(0, 2**32 - 1)))
    return draw(layouts(array)) if strided and draw(sometimes(2)) else array


@st.composite
def layouts(draw: st.DrawFn, array: Array) -> Array:
    """A view with the shape and dtype of ``array`` and other strides.

    The values are the same, except with "broadcast", where some dimensions repeat their first
    element (stride 0).
    """
    if array.ndim == 0:
        return array
    kind = draw(st.sampled_from(["transposed", "sliced", "reversed", "broadcast", "offset"]))
    axis = draw(st.integers(0, array.ndim - 1))
    if kind == "transposed":
        order = draw(st.permutations(range(array.ndim)))
        turned: Array = np.ascontiguousarray(array.transpose(order))
        return np.transpose(turned, np.argsort(order))
    if kind == "sliced":
        step = draw(st.integers(2, 3))
        room = list(array.shape)
        room[axis] *= step
        holder = np.ones(room, array.dtype)
        view = holder[(slice(None),) * axis + (slice(0, None, step),)]
        view[...] = array
        return view
    if kind == "reversed":
        return np.flip(np.ascontiguousarray(np.flip(array, axis)), axis)
    if kind == "broadcast" and array.shape[axis]:
        first = array[(slice(None),) * axis + (slice(0, 1),)]
        return np.broadcast_to(first, array.shape)
    room = list(array.shape)
    room[axis] += 2
    holder = np.ones(room, array.dtype)
    view = holder[(slice(None),) * axis + (slice(1, 1 + array.shape[axis]),)]
    view[...] = array
    return view


def guarded(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """A buffer full of a sentinel, and a strided view of ``shape`` into it (for ``out=``)."""
    room = [2 * size + 1 for size in shape]
    holder = np.full(room, 77, dtype)
    return holder, holder[tuple(slice(1, 2 * size + 1, 2) for size in shape)]


@st.composite
def parameter_shapes(draw: st.DrawFn, length: int, rank: int, axis: int) -> tuple[int, ...]:
    """Shape of a scale along ``axis``: mostly legal, sometimes only nearly so."""
    count = draw(st.sampled_from([length, length, 1]))
    if draw(sometimes(8)):
        return draw(st.sampled_from([(), (count + 1,), (1, count), (count, 1), (0,), (2, 2)]))
    if rank and draw(sometimes(3)):
        shape = [1] * rank
        shape[axis] = count
        return tuple(shape)
    return (count,)
