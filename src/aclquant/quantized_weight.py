"""Codes, scales and zero points of one array: how they are chosen, kept and judged.

Everything that quantises with scales taken from the data goes through here: `quantize_weight`, the
command line, checkpoints. The arithmetic on elements is that of the device's operators:
``aclnnAmin`` and ``aclnnAmax`` find the range of the data, ``aclnnQuantize`` makes the codes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import ml_dtypes
import numpy as np

from . import aclnn, errors
from .ops.quantize import quantize
from .packing import pack_bytes, unpack_bytes

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]
    Integers = npt.NDArray[np.int32]

__all__ = [
    "FORMATS", "Error", "ErrorSum", "Format", "QuantizedWeight", "encode", "extremes",
    "quantize_weight", "scales_for",
]  # fmt: skip

_NAME = "aclquant.quantize_weight"


class Format(NamedTuple):
    """A type of codes."""

    low: int
    high: int
    numpy: np.dtype[Any]
    bits: int

    @property
    def steps(self) -> int:
        """Number of steps between the least and the greatest code."""
        return self.high - self.low


FORMATS = {
    "int8": Format(-128, 127, np.dtype(np.int8), 8),
    "uint8": Format(0, 255, np.dtype(np.uint8), 8),
    "int4": Format(-8, 7, np.dtype(np.int8), 4),
}
_SMALLEST = np.float32(2**-149)
_METHODS = ("absmax", "percentile", "mse")


def extremes(x: npt.NDArray[Any], axis: int | None) -> tuple[Floats, Floats]:
    """Return the least and the greatest value for each index of `axis`, or of all, as float32.

    NaN counts as both, so that two results tell whether all values are finite.
    """
    others = [n for n in range(x.ndim) if n != axis]
    count = 1 if axis is None else x.shape[axis]
    if not others:
        values = x.astype(np.float32).reshape(-1)
        return values, values
    out = np.empty((2, count) if axis is not None else (2,), x.dtype)
    low, high = out
    if axis is None:
        low, high = out[0:1].reshape(()), out[1:2].reshape(())
    aclnn.aclnnAmin(x, others, False, low)
    aclnn.aclnnAmax(x, others, False, high)
    return low.astype(np.float32).reshape(-1), high.astype(np.float32).reshape(-1)


def scales_for(
    low: Floats, high: Floats, dtype: str, *, symmetric: bool, least: float = 0.0
) -> tuple[Floats, Integers]:
    """Return scales and zero points that let the values from `low` to `high` just fit.

    Symmetric: ``scale = max(-low, high) / 127`` (7 for int4), zero point 0, or 128 for uint8.
    Otherwise ``scale = high / steps - low / steps`` and ``zero = round(-low / scale) + lowest``
    (the lowest code), with 0 in the range, so that 0 is kept exactly. A scale is at least `least`,
    and never 0.
    """
    form = FORMATS[dtype]
    low, high = np.minimum(low, np.float32(0)), np.maximum(high, np.float32(0))
    if symmetric:
        steps = np.float32(form.steps // 2)
        largest = np.maximum(-low, high)
        scales = largest / steps
        reach = largest / np.maximum(scales, _SMALLEST)
        with np.errstate(over="ignore"):  # the last step must not lead to infinity
            scales = np.where(np.isinf(scales * steps), np.nextafter(scales, 0), scales)
    else:
        steps = np.float32(form.steps)
        scales = high / steps - low / steps
        reach = (high / np.maximum(scales, _SMALLEST)) - (low / np.maximum(scales, _SMALLEST))
    # Among the smallest numbers the quotient may be rounded down by a third of itself.
    short = reach > steps + np.float32(0.5)
    scales = np.where(short, np.nextafter(scales, np.float32(np.inf)), scales)
    scales = np.where((low == 0) & (high == 0), np.float32(1), np.maximum(scales, _SMALLEST))
    scales = np.maximum(scales, np.float32(least)).astype(np.float32)
    if symmetric:
        zero = np.full(scales.shape, 128 if dtype == "uint8" else 0, np.int32)
    else:
        zero = np.rint(-low / scales).astype(np.int32) + np.int32(form.low)
    return scales, zero


def encode(
    x: npt.NDArray[Any],
    scales: Floats,
    zero_points: Integers,
    dtype: str,
    axis: int | None,
    out: npt.NDArray[Any] | None = None,
) -> npt.NDArray[Any]:
    """Return ``clip(round(x / scale + zero_point))``, one code in each element."""
    form = FORMATS[dtype]
    if not x.ndim:  # the operator has an axis
        return encode(x.reshape(1), scales, zero_points, dtype, None).reshape(())
    points = zero_points if zero_points.any() else None
    # aclnnQuantize rounds and saturates to eight bits; int4 is narrower.
    codes = quantize(x, scales, points, form.numpy, 0 if axis is None else axis, out=out)
    if form.bits < 8:
        np.clip(codes, form.low, form.high, out=codes)
    return np.asarray(codes)


class Error(NamedTuple):
    """How far dequantised values are from the originals."""

    snr_db: float
    """Signal-to-noise ratio in decibels; infinite when all values are exact."""
    max_abs: float
    """Largest absolute error."""
    mean_abs: float
    """Mean absolute error."""
    saturated: float
    """Share of the elements that lay outside the range of the codes, 0 to 1."""


class ErrorSum:
    """The error of an array that is seen in pieces."""

    def __init__(self) -> None:
        self.signal = self.noise = self.total = self.largest = 0.0
        self.count = self.saturated = 0

    def add(
        self,
        x: npt.NDArray[Any],
        codes: npt.NDArray[Any],
        scales: Any,
        points: Any,
        dtype: str,
    ) -> Floats:
        """Take a piece; `scales` and `points` must broadcast. Return the absolute errors."""
        form = FORMATS[dtype]
        original = x.astype(np.float32, copy=False)
        error: Floats = codes.astype(np.float32)
        error -= np.asarray(points, np.float32)
        with np.errstate(over="ignore"):
            error *= scales
        error -= original
        if not np.isfinite(error).all():  # a code outside float32's range; its error is inside
            error = codes.astype(np.float32) - np.asarray(points, np.float32)
            error -= original / scales
            error *= scales
        np.abs(error, out=error)
        if not error.size:
            return error
        # Squares of the smallest and largest numbers leave float32's range.
        self.signal += _sum_of_squares(original)
        self.noise += _sum_of_squares(error)
        self.total += float(error.sum(dtype=np.float64))
        self.largest = max(self.largest, float(error.max()))
        edge = (codes == form.low) | (codes == form.high)
        if edge.any():
            limit = np.float32(0.5001) * np.broadcast_to(scales, error.shape)
            self.saturated += int(np.count_nonzero(edge & (error > limit)))
        self.count += error.size
        return error

    def result(self) -> Error:
        """Return the error of all pieces."""
        if not self.noise:
            ratio = math.inf
        else:
            ratio = 10 * math.log10(self.signal / self.noise) if self.signal else -math.inf
        count = max(self.count, 1)
        return Error(ratio, self.largest, self.total / count, self.saturated / count)


def _sum_of_squares(x: Floats) -> float:
    with np.errstate(over="ignore", under="ignore"):
        flat = x.reshape(-1)
        total = float(np.dot(flat, flat))
        if not 1e-30 < total < 1e30:
            total = float(np.square(flat, dtype=np.float64).sum())
    return total


@dataclass(frozen=True, eq=False, repr=False)
class QuantizedWeight:
    """An array as codes, with all that is needed to get it back.

    The value of a code is ``(code - zero_point) * scale``.

    Attributes
    ----------
    codes : numpy.ndarray
        One code in each element, int8 or uint8; int4 codes are -8 to 7 in int8.
    scales : numpy.ndarray
        float32, above 0. ``(1,)`` for the whole array; ``(n,)`` for each index of `axis`;
        ``(n, groups)`` with groups.
    zero_points : numpy.ndarray
        int32, shape of `scales`.
    axis : int or None
        The dimension that `scales` runs along, 0 or more; None for the whole array.
    group : int or None
        How many successive elements share a scale; the last group may be shorter. Elements are
        counted in C order over the dimensions that are not `axis`.
    dtype : str
        "int8", "uint8" or "int4".

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> w = aq.quantize_weight(np.float32([[1, -2], [0.25, 0.5]]), axis=0)
    >>> w.codes.tolist(), w.scales
    ([[64, -127], [64, 127]], array([0.01574803, 0.00393701], dtype=float32))
    """

    codes: npt.NDArray[Any]
    scales: npt.NDArray[np.float32]
    zero_points: npt.NDArray[np.int32]
    axis: int | None
    group: int | None
    dtype: str

    def __repr__(self) -> str:
        group = "" if self.group is None else f", group={self.group}"
        return f"QuantizedWeight({self.dtype}, shape={self.shape}, axis={self.axis}{group})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array that was quantised."""
        return self.codes.shape

    @property
    def nbytes(self) -> int:
        """Bytes of codes (int4: two in a byte), scales and zero points together."""
        codes = (self.codes.size * FORMATS[self.dtype].bits + 7) // 8
        return codes + self.scales.nbytes + self.zero_points.nbytes

    def dequantize(self, dtype: npt.DTypeLike = np.float32) -> npt.NDArray[Any]:
        """Return ``(codes - zero_points) * scales``.

        Parameters
        ----------
        dtype : dtype-like, optional
            Type of the result, float32 by default. It is computed in float32 and rounded once.

        Returns
        -------
        numpy.ndarray
            Shape of `codes`.

        Examples
        --------
        >>> import numpy as np, aclquant as aq
        >>> aq.quantize_weight(np.float32([0.5, -1.27]), axis=None).dequantize()
        array([ 0.5 , -1.27], dtype=float32)
        """
        values = self.codes.astype(np.float32)
        values -= self._spread(self.zero_points).astype(np.float32)
        values *= self._spread(self.scales)
        return values.astype(dtype, copy=False)

    def error(self, w: npt.ArrayLike) -> Error:
        """Compare with the array that was quantised.

        Parameters
        ----------
        w : array_like
            The original, of the same shape.

        Returns
        -------
        Error
            ``snr_db``, ``max_abs``, ``mean_abs``, and ``saturated``, a share from 0 to 1.

        Raises
        ------
        ParameterError
            When the shapes differ.

        Examples
        --------
        >>> import numpy as np, aclquant as aq
        >>> w = np.float32([[1.0, 0.501], [0.3, -4.0]])
        >>> round(aq.quantize_weight(w, axis=0).error(w).max_abs, 3)
        0.015
        """
        original = np.asarray(w)
        if original.shape != self.shape:
            raise errors.ParameterError(
                function="aclquant.QuantizedWeight.error",
                argument="w",
                got=f"shape {original.shape}",
                allowed=f"{self.shape}",
            )
        total = ErrorSum()
        scales, points = self._spread(self.scales), self._spread(self.zero_points)
        total.add(original, self.codes, scales, points, self.dtype)
        return total.result()

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write a .safetensors file; int4 codes are packed, two in a byte.

        The file appears when it is complete, see `aclquant.files`. It holds the tensors ``codes``
        (int4: uint8, flat, the first code of a pair in the lower half), ``scales`` and
        ``zero_points``, and axis, group, dtype and shape as metadata.

        Parameters
        ----------
        path : str or Path
            Where to; ``.safetensors`` is the custom.
        overwrite : bool, optional
            Whether a file that is there is replaced.

        Raises
        ------
        FileExistsError
            When the file is there and `overwrite` is false.
        """
        from .safetensors import Layout, write

        packed = FORMATS[self.dtype].bits == 4
        codes = pack_bytes(self.codes) if packed else np.ascontiguousarray(self.codes)
        arrays = {"scales": self.scales, "zero_points": self.zero_points, "codes": codes}
        layout = Layout({n: (a.dtype, a.shape) for n, a in arrays.items()}, self.metadata())
        write(path, layout, arrays, replace=overwrite)

    def metadata(self) -> dict[str, str]:
        """Return the metadata of the file that `save` writes."""
        import json

        return {
            "format": "aclquant.QuantizedWeight",
            "version": "1",
            "dtype": self.dtype,
            "shape": json.dumps(list(self.shape)),
            "axis": json.dumps(self.axis),
            "group": json.dumps(self.group),
        }

    @classmethod
    def load(cls, path: str | Path) -> QuantizedWeight:
        """Read what `save` has written, or ``aclquant quantize`` as .safetensors.

        Parameters
        ----------
        path : str or Path
            The file.

        Returns
        -------
        QuantizedWeight
            Equal to what was saved.

        Raises
        ------
        ParameterError
            When the file holds something else.

        Examples
        --------
        >>> import numpy as np, aclquant as aq, tempfile, os
        >>> w = aq.quantize_weight(np.float32([[1, -2, 3]]), axis=0, dtype="int4")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     w.save(os.path.join(folder, "w.safetensors"))
        ...     aq.QuantizedWeight.load(os.path.join(folder, "w.safetensors")).codes
        array([[ 2, -5,  7]], dtype=int8)
        """
        import json

        from .safetensors import File

        with File(path) as file:
            about = file.metadata
            if about.get("format") != "aclquant.QuantizedWeight":
                raise errors.ParameterError(
                    f"{path} was not written by QuantizedWeight.save",
                    function="aclquant.QuantizedWeight.load",
                )
            codes, scales, points = (file.read(n) for n in ("codes", "scales", "zero_points"))
        shape = tuple(json.loads(about["shape"]))
        if FORMATS[about["dtype"]].bits == 4:
            codes = unpack_bytes(codes, math.prod(shape)).reshape(shape)
        axis, group = json.loads(about["axis"]), json.loads(about["group"])
        return cls(codes, scales, points, axis, group, about["dtype"])

    def _spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Give each element its scale: an array that broadcasts to the shape of the codes."""
        if self.axis is None:
            if self.group is None:
                return values.reshape((1,) * self.codes.ndim)
            flat = np.repeat(values.reshape(-1), self.group)[: self.codes.size]
            return flat.reshape(self.shape)
        rest = [n for dim, n in enumerate(self.shape) if dim != self.axis]
        if self.group is None:
            shape = [1] * self.codes.ndim
            shape[self.axis] = self.shape[self.axis]
            return values.reshape(shape)
        wide = np.repeat(values, self.group, axis=1)[:, : math.prod(rest)]
        return np.moveaxis(wide.reshape(-1, *rest), 0, self.axis)


def quantize_weight(
    w: Any,
    *,
    axis: int | None = 0,
    group: int | None = None,
    dtype: str = "int8",
    method: str = "absmax",
    symmetric: bool = True,
    percentile: float = 99.9,
    least_scale: float = 0.0,
) -> QuantizedWeight:
    """Choose scales for an array of weights and quantise it.

    ``code = clip(round(w / scale + zero_point))``, in float32, ties to even; the weight comes back
    as ``(code - zero_point) * scale``.

    Parameters
    ----------
    w : array_like
        float32, float16 or bfloat16; float64 is rounded to float32. At least one element, all
        finite. Any number of dimensions, any layout.
    axis : int or None, optional
        One scale for each index of this dimension; 0, the default, is the output channel of weights
        stored as (out, in). None: one scale for the whole array.
    group : int, optional
        One scale for each `group` successive elements beside that, counted in C order over the
        other dimensions; the last group may be shorter.
    dtype : str, optional
        "int8" (the default), "uint8" or "int4"; "qint8" and "quint8" mean the same.
    method : str, optional
        "absmax": the range of the data just fits. "percentile": the largest values are clipped.
        "mse": the range between that of the data and half of it that gives the least mean squared
        error.
    symmetric : bool, optional
        True: the zero point is 0, or 128 for uint8. False: the range is that from the least to the
        greatest value, extended to hold 0.
    percentile : float, optional
        For method "percentile": the share in percent, above 50 up to 100, of the values (by
        magnitude if symmetric, else on either side) that is not clipped.
    least_scale : float, optional
        Scales are not smaller than this. msModelSlim's is 2**-23.

    Returns
    -------
    QuantizedWeight
        Codes, scales, zero points, axis and group together.

    Raises
    ------
    DtypeError
        When `w` does not hold floats.
    ParameterError
        When `w` is empty or not finite, or another argument is not accepted.

    See Also
    --------
    quantize : the same formula with given scales

    Notes
    -----
    The range is found by ``aclnnAmin`` and ``aclnnAmax``, the codes by ``aclnnQuantize``. Scales
    are never 0 and never infinite: for values so small that their scale would be 0, it is the
    smallest positive float32; where all values are 0, it is 1. The formulas are
    those of msModelSlim.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> w = np.float32([[0.5, -1.0, 2.54], [0.01, 0.02, -0.127]])
    >>> q = aq.quantize_weight(w, axis=0)
    >>> q.codes
    array([[  25,  -50,  127],
           [  10,   20, -127]], dtype=int8)
    >>> q.scales
    array([0.02 , 0.001], dtype=float32)
    >>> aq.quantize_weight(w, axis=0, group=2, dtype="int4").scales.shape
    (2, 2)
    """
    array = _floats(w)
    name = {"qint8": "int8", "quint8": "uint8"}.get(str(dtype), str(dtype))
    _require(name in FORMATS, "dtype", repr(dtype), "int8, uint8 or int4")
    _require(method in _METHODS, "method", repr(method), "'absmax', 'percentile' or 'mse'")
    _require(50 < percentile <= 100, "percentile", repr(percentile), "above 50, up to 100")
    _require(0 <= least_scale < math.inf, "least_scale", repr(least_scale), "0 or more, finite")
    if axis is not None:
        allowed = f"{-array.ndim} to {array.ndim - 1}, or None" if array.ndim else "None"
        _require(-array.ndim <= axis < array.ndim, "axis", repr(axis), allowed)
        axis %= array.ndim
    _require(group is None or group >= 1, "group", repr(group), "1 or more, or None")

    rows = array.reshape(1, -1)
    if axis is not None:
        rows = np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)
    choice = _Choice(name, method, symmetric, percentile, least_scale)
    if group is None:
        codes, scales, points = _quantize_rows(rows, choice)
    else:
        codes, scales, points = _quantize_groups(rows, min(group, rows.shape[1]), choice)
        group = min(group, rows.shape[1])
    if axis is None:
        codes = codes.reshape(array.shape)
    else:
        rest = [n for dim, n in enumerate(array.shape) if dim != axis]
        codes = np.ascontiguousarray(np.moveaxis(codes.reshape(-1, *rest), 0, axis))
    return QuantizedWeight(codes, scales, points, axis, group, name)


class _Choice(NamedTuple):
    dtype: str
    method: str
    symmetric: bool
    percentile: float
    least: float

    def scales(self, low: Floats, high: Floats) -> tuple[Floats, Integers]:
        return scales_for(low, high, self.dtype, symmetric=self.symmetric, least=self.least)


def _quantize_groups(
    rows: npt.NDArray[Any], group: int, choice: _Choice
) -> tuple[npt.NDArray[Any], Floats, Integers]:
    count, width = rows.shape
    whole = width // group * group
    codes, scales, points = _quantize_rows(
        np.ascontiguousarray(rows[:, :whole]).reshape(-1, group), choice
    )
    parts = [codes.reshape(count, whole)], [scales.reshape(count, -1)], [points.reshape(count, -1)]
    if whole < width:
        last = _quantize_rows(np.ascontiguousarray(rows[:, whole:]), choice)
        parts[0].append(last[0])
        parts[1].append(last[1].reshape(count, 1))
        parts[2].append(last[2].reshape(count, 1))
    codes, scales, points = (np.concatenate(part, axis=1) for part in parts)
    return codes, scales, points


_BLOCK = 1 << 22
"""Elements that are worked on together where a method needs copies."""


def _quantize_rows(
    rows: npt.NDArray[Any], choice: _Choice
) -> tuple[npt.NDArray[Any], Floats, Integers]:
    """Quantise with one scale for each row."""
    low, high = extremes(rows, 0)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise errors.ParameterError(
            function=_NAME, argument="w", got="infinite values or NaN", allowed="finite values"
        )
    scales, points = choice.scales(low, high)
    codes = np.empty(rows.shape, FORMATS[choice.dtype].numpy)
    step = len(rows) if choice.method == "absmax" else max(1, _BLOCK // rows.shape[1])
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        block, limits = rows[part], (low[part], high[part])
        if choice.method == "percentile":
            scales[part], points[part] = _clipped(block, choice)
        elif choice.method == "mse":
            scales[part], points[part] = _least_error(block, *limits, choice)
        encode(block, scales[part], points[part], choice.dtype, 0, out=codes[part])
    return codes, scales, points


def _clipped(rows: npt.NDArray[Any], choice: _Choice) -> tuple[Floats, Integers]:
    values = rows.astype(np.float32)
    if choice.symmetric:
        high = np.percentile(np.abs(values), choice.percentile, axis=1).astype(np.float32)
        low = -high
    else:
        shares = [100 - choice.percentile, choice.percentile]
        low, high = np.percentile(values, shares, axis=1).astype(np.float32)
    return choice.scales(low, high)


def _least_error(
    rows: npt.NDArray[Any], low: Floats, high: Floats, choice: _Choice
) -> tuple[Floats, Integers]:
    """Try ranges from that of the data down to half of it; keep the best for each row."""
    values = rows.astype(np.float32)
    best = np.full(len(rows), np.inf)
    unit, _ = chosen = choice.scales(low, high)
    for share in np.linspace(1, 0.5, 26, dtype=np.float32):
        scales, points = choice.scales(low * share, high * share)
        error = encode(rows, scales, points, choice.dtype, 0).astype(np.float32)
        error -= points[:, None].astype(np.float32)
        error *= scales[:, None]
        error -= values
        error /= unit[:, None]  # so that the squares stay within float32
        total = np.einsum("ij,ij->i", error, error, dtype=np.float64)
        better = total < best
        best = np.where(better, total, best)
        chosen = np.where(better, scales, chosen[0]), np.where(better, points, chosen[1])
    return chosen


def _floats(w: Any) -> npt.NDArray[Any]:
    from .ops.common import operand
    from .tensor import Tensor

    array = operand("w", w, np.float32, _NAME)
    if isinstance(array, Tensor):
        array = array.numpy()
    if array.dtype == np.float64:
        with np.errstate(over="ignore"):
            array = array.astype(np.float32)
    elif array.dtype not in (np.float32, np.float16, ml_dtypes.bfloat16):
        raise errors.DtypeError(
            function=_NAME,
            argument="w",
            got=f"dtype {array.dtype}",
            allowed="float32, float16, bfloat16 or float64",
        )
    _require(array.size > 0, "w", f"shape {array.shape}", "at least one element")
    return array


def _require(fits: bool, argument: str, got: str, allowed: str) -> None:
    if not fits:
        raise errors.ParameterError(function=_NAME, argument=argument, got=got, allowed=allowed)
