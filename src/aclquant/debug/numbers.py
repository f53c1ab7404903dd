"""Arrays compared and summarised: exact matches, steps between values, saturation, histograms."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import errors

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Comparison", "Summary", "compare", "describe", "plot", "summarize"]

_RANGES = {"int4": (-8, 7), "uint4": (0, 15)}


@dataclass(frozen=True)
class Comparison:
    """How two arrays differ.

    Attributes
    ----------
    size : int
        Elements.
    equal : int
        Elements with the same bits; any two NaNs count as equal.
    largest : int
        The largest difference in units of the last place: neighbouring numbers of the type differ
        by 1. For integers that is the difference itself (LSB).
    largest_value : float
        The largest difference as a number.
    first : tuple of int or None
        Index of the first difference, in C order.
    first_values : tuple or None
        What the two arrays have there.
    unit : str
        "ULP" or "LSB".
    """

    size: int
    equal: int
    largest: int
    largest_value: float
    first: tuple[int, ...] | None
    first_values: tuple[Any, Any] | None
    unit: str

    @property
    def identical(self) -> bool:
        """Whether all elements are equal."""
        return self.equal == self.size

    @property
    def ratio(self) -> float:
        """Equal elements among all, 0 to 1."""
        return self.equal / self.size if self.size else 1.0

    def __str__(self) -> str:
        if self.identical:
            return f"equal: all {self.size} elements"
        assert self.first is not None and self.first_values is not None
        a, b = self.first_values
        share = f"{100 * self.ratio:.4f}".rstrip("0").rstrip(".")
        index = ", ".join(map(str, self.first))
        return (
            f"{self.equal} of {self.size} elements are equal ({share} %); "
            f"largest difference {self.largest} {self.unit} ({self.largest_value:g}); "
            f"first at [{index}]: {a} and {b}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        values = None if self.first_values is None else [_plain(v) for v in self.first_values]
        return {
            "size": self.size,
            "equal": self.equal,
            "ratio": self.ratio,
            "largest": self.largest,
            "unit": self.unit,
            "largest_value": _plain(self.largest_value),
            "first": self.first,
            "first_values": values,
        }


def compare(a: npt.ArrayLike, b: npt.ArrayLike) -> Comparison:
    """Compare two arrays of the same type and shape, bit by bit.

    Parameters
    ----------
    a, b : array_like
        Of the same dtype and shape.

    Raises
    ------
    ParameterError
        When types or shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> print(compare(np.int8([1, 2, 3, 4]), np.int8([1, 2, 4, 4])))
    3 of 4 elements are equal (75 %); largest difference 1 LSB (1); first at [2]: 3 and 4
    """
    x, y = np.asarray(a), np.asarray(b)
    if x.dtype != y.dtype or x.shape != y.shape:
        raise errors.ParameterError(
            function="aclquant.debug.compare",
            argument="b",
            got=f"{y.dtype} of shape {y.shape}",
            allowed=f"{x.dtype} of shape {x.shape}, as a",
        )
    if x.dtype.kind == "c":  # as pairs of floats, with one more axis
        part = np.dtype(f"f{x.dtype.itemsize // 2}")
        x, y = (np.ascontiguousarray(z).view(part).reshape(*z.shape, 2) for z in (x, y))
    floating = _is_floating(x.dtype)
    p, q = _places(x), _places(y)
    same = p == q
    if floating:
        with np.errstate(invalid="ignore"):
            nan_x, nan_y = np.isnan(x.astype(np.float64)), np.isnan(y.astype(np.float64))
        # +0 and -0 have the same place, and different bits.
        same = (same & (_signs(x) == _signs(y))) | (nan_x & nan_y)
    different = np.argwhere(~same.reshape(x.shape))
    if not len(different):
        return Comparison(x.size, x.size, 0, 0.0, None, None, "ULP" if floating else "LSB")
    first = tuple(int(i) for i in different[0])
    # Integers of 64 bits differ by up to 65 bits: Python's numbers hold that.
    gaps = [abs(int(m) - int(n)) for m, n in _extremes(p, q, ~same)]
    with np.errstate(invalid="ignore", over="ignore"):
        values = np.abs(x.astype(np.float64) - y.astype(np.float64))
    finite = values[np.isfinite(values)]
    return Comparison(
        x.size,
        int(same.sum()),
        max(gaps),
        float(finite.max()) if finite.size else float("nan"),
        first,
        (x[first], y[first]),
        "ULP" if floating else "LSB",
    )


def _extremes(p: npt.NDArray[Any], q: npt.NDArray[Any], where: npt.NDArray[Any]) -> Any:
    p, q = p[where], q[where]
    gaps = p.astype(np.float64) - q.astype(np.float64)
    most = np.abs(gaps).max()
    near = np.abs(gaps) >= most * (1 - 1e-9)
    return list(zip(p[near][:1000].tolist(), q[near][:1000].tolist(), strict=True))


def _is_floating(dtype: np.dtype[Any]) -> bool:
    return dtype.kind == "f" or "float" in dtype.name


def _places(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the place of each value among all of its type, so that neighbours differ by 1."""
    if not _is_floating(x.dtype):
        if x.dtype.kind in "biu" and x.dtype.itemsize == 8:
            return x
        return x.astype(np.int64)
    size = x.dtype.itemsize
    raw = np.ascontiguousarray(x).view(f"u{size}").reshape(x.shape)
    sign = np.uint64(1) << np.uint64(8 * size - 1)
    magnitude = (raw.astype(np.uint64) & (sign - np.uint64(1))).astype(np.int64)
    return np.asarray(np.where(_signs(x), -magnitude, magnitude))


def _signs(x: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    size = x.dtype.itemsize
    raw = np.ascontiguousarray(x).view(f"u{size}").reshape(x.shape)
    return np.asarray(raw >> np.array(8 * size - 1, raw.dtype) != 0)


@dataclass(frozen=True)
class Summary:
    """What is in an array.

    Attributes
    ----------
    dtype, shape
        Of the array.
    least, most, mean : float
        Of the finite values; NaN when there are none.
    zeros, nans, infinities : int
        How many.
    saturated_low, saturated_high : int
        Elements at the ends of an integer type's range.
    counts, edges : numpy.ndarray
        A histogram of the finite values.
    """

    dtype: str
    shape: tuple[int, ...]
    least: float
    most: float
    mean: float
    zeros: int
    nans: int
    infinities: int
    saturated_low: int
    saturated_high: int
    counts: npt.NDArray[np.int64]
    edges: npt.NDArray[np.float64]

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def __str__(self) -> str:
        lines = [
            f"{self.dtype} {list(self.shape)}, {self.size} elements",
            f"min {self.least:g}, max {self.most:g}, mean {self.mean:g}",
            f"zeros {self.zeros}, NaN {self.nans}, infinite {self.infinities}",
        ]
        if "int" in self.dtype:
            lines.append(
                f"saturated: {self.saturated_low} at the lowest value, "
                f"{self.saturated_high} at the highest"
            )
        most = max(int(self.counts.max(initial=0)), 1)
        for count, low, high in zip(self.counts, self.edges[:-1], self.edges[1:], strict=True):
            bar = "#" * (40 * int(count) // most)
            lines.append(f"{low:>12.5g} to {high:>12.5g} {int(count):>10} {bar}".rstrip())
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        row = {name: _plain(value) for name, value in vars(self).items()}
        row["counts"] = self.counts.tolist()
        row["edges"] = [_plain(edge) for edge in self.edges.tolist()]
        return row


def summarize(array: npt.ArrayLike, *, bins: int = 10) -> Summary:
    """Count zeros, saturated values, NaN and infinities, and make a histogram.

    Parameters
    ----------
    array : array_like
        Integers, floats, int4, bfloat16, or float8.
    bins : int
        Bars of the histogram.

    Examples
    --------
    >>> import numpy as np
    >>> s = summarize(np.int8([-128, 0, 127, 127]))
    >>> s.saturated_low, s.saturated_high, s.zeros
    (1, 2, 1)
    """
    x = np.asarray(array)
    values = (x.real if x.dtype.kind == "c" else x).astype(np.float64).ravel()
    finite = values[np.isfinite(values)]
    low = high = 0
    if not _is_floating(x.dtype) and x.dtype.kind != "b":
        ends = _RANGES.get(x.dtype.name)
        if ends is None:
            ends = (int(np.iinfo(x.dtype).min), int(np.iinfo(x.dtype).max))
        low, high = int((x == ends[0]).sum()), int((x == ends[1]).sum())
    if finite.size:
        edges_low, edges_high = float(finite.min()), float(finite.max())
        counts, edges = np.histogram(finite, bins, (edges_low, edges_high))
    else:
        counts, edges = np.zeros(0, np.int64), np.zeros(1)
    nothing = float("nan")
    return Summary(
        x.dtype.name,
        x.shape,
        float(finite.min()) if finite.size else nothing,
        float(finite.max()) if finite.size else nothing,
        float(finite.mean()) if finite.size else nothing,
        int((values == 0).sum()),
        int(np.isnan(values).sum()),
        int(np.isinf(values).sum()),
        low,
        high,
        counts.astype(np.int64),
        edges,
    )


def describe(
    quantized: npt.ArrayLike,
    scale: npt.ArrayLike,
    *,
    offset: npt.ArrayLike = 0,
    axis: int | None = None,
    original: npt.ArrayLike | None = None,
    rows: int = 8,
) -> str:
    """Write a quantised tensor beside its dequantised values, with counts and a histogram.

    Parameters
    ----------
    quantized : array_like
        Integers.
    scale, offset : array_like
        One number, or one for each index of `axis`: the value is ``(q - offset) * scale``.
    axis : int, optional
        Which axis of `quantized` they belong to.
    original : array_like, optional
        What was quantised: its values and errors are shown too.
    rows : int
        How many elements to show.

    Returns
    -------
    str
        Text of several lines.

    Raises
    ------
    ParameterError
        When the numbers of scales or the shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> print(describe(np.int8([4, -128]), 0.5, original=[2.1, -90.0], rows=2).splitlines()[1])
        0            4            2          2.1         -0.1
    """
    q = np.asarray(quantized)
    steps, zero = np.asarray(scale, np.float64), np.asarray(offset, np.float64)
    if axis is not None and q.ndim:
        around = [1] * q.ndim
        around[axis] = -1
        steps = steps.reshape(around) if steps.size > 1 else steps.reshape(())
        zero = zero.reshape(around) if zero.size > 1 else zero.reshape(())
    try:
        values = np.broadcast_to((q.astype(np.float64) - zero) * steps, q.shape)
        source = None if original is None else np.asarray(original, np.float64).reshape(q.shape)
    except ValueError as wrong:
        raise errors.ParameterError(str(wrong), function="aclquant.debug.describe") from wrong
    head = f"{'index':>5} {'quantised':>12} {'value':>12}"
    lines = [head if source is None else f"{head} {'original':>12} {'error':>12}"]
    for index in list(np.ndindex(q.shape))[:rows]:
        place = ",".join(map(str, index))
        line = f"{place:>5} {int(q[index]):>12} {values[index]:>12.6g}"
        if source is not None:
            line += f" {source[index]:>12.6g} {values[index] - source[index]:>12.4g}"
        lines.append(line)
    if q.size > rows:
        lines.append(f"... {q.size - rows} more")
    if source is not None and q.size:
        error = np.abs(values - source)
        lines.append(f"error: max {error.max():g}, mean {error.mean():g}")
    return "\n".join([*lines, str(summarize(q))])


def plot(path: str | os.PathLike[str], a: npt.ArrayLike, b: npt.ArrayLike | None = None) -> None:
    """Draw a histogram of an array, or of two and their difference, as PNG.

    Raises
    ------
    ImportError
        When matplotlib is not installed (``pip install 'aclquant[plot]'``).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    x = np.asarray(a).astype(np.float64).ravel()
    figure = Figure(figsize=(10 if b is not None else 5, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    if b is None:
        axes = figure.subplots()
        axes.hist(x[np.isfinite(x)], bins=101, color="#4878a8")
        axes.set(xlabel="value", ylabel="elements")
    else:
        y = np.asarray(b).astype(np.float64).ravel()
        left, right = figure.subplots(1, 2)
        left.hist([x[np.isfinite(x)], y[np.isfinite(y)]], bins=51, label=["a", "b"])
        left.set(xlabel="value", ylabel="elements")
        left.legend()
        with np.errstate(invalid="ignore"):
            gap = y - x
        right.hist(gap[np.isfinite(gap)], bins=101, color="#bc4749")
        right.set(xlabel="b - a", ylabel="elements")
        right.set_yscale("symlog")
    figure.savefig(os.fspath(path), format="png")


def _plain(value: Any) -> Any:
    if isinstance(value, (str, type(None), bool, int, tuple, list)):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return number if np.isfinite(number) else str(number)
