"""The error of each layer: two checkpoints compared weight by weight."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import errors
from ..quantized_weight import ErrorSum
from .quantized import Checkpoint, Weight

__all__ = ["LayerError", "diff"]


class LayerError(NamedTuple):
    """How one weight of B differs from that of A."""

    name: str
    type: str
    """Type in B, such as "W8A8_DYNAMIC" or "FLOAT"."""
    shape: tuple[int, ...]
    snr_db: float
    """Signal-to-noise ratio in decibels; infinite where both are equal."""
    max_abs: float
    mean_abs: float
    saturated: float
    """Share of the elements of A outside the range of B's codes, 0 to 1."""


def diff(a: str | Path, b: str | Path) -> list[LayerError]:
    """Compare the weights of two checkpoints, dequantised.

    Parameters
    ----------
    a : str or Path
        The reference, usually the float model.
    b : str or Path
        The quantised model; another quantisation of A is fine for A as well.

    Returns
    -------
    list of LayerError
        For the weights that both have; the largest error (least SNR) first, equal ones by name.

    Raises
    ------
    ParameterError
        When they have no weight in common, or shapes differ.

    Examples
    --------
    >>> import numpy as np, tempfile, aclquant as aq
    >>> from safetensors.numpy import save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = f"{folder}/model.safetensors"
    ...     save_file({"fc.weight": np.float32([[1, 0.3], [2, -0.7]])}, model)
    ...     _ = aq.checkpoint.quantize(model, f"{folder}/q", "w8a8-dynamic")
    ...     [(e.name, round(e.snr_db)) for e in aq.checkpoint.diff(model, f"{folder}/q")]
    [('fc.weight', 50)]
    """
    found = []
    with Checkpoint(a) as first, Checkpoint(b) as second:
        for name, weight in second.weights.items():
            other = first.weights.get(name) or first.weights.get(name.removesuffix(".weight"))
            if other is not None:
                found.append(_compare(first, other, second, weight))
    if not found:
        raise errors.ParameterError(f"{a} and {b} have no weight in common")
    return sorted(found, key=lambda error: (error.snr_db, error.name))


def _compare(first: Checkpoint, a: Weight, second: Checkpoint, b: Weight) -> LayerError:
    if a.shape[0] != b.shape[0] or math.prod(a.shape) != math.prod(b.shape):
        raise errors.ParameterError(f"{b.name}: the shapes differ: {a.shape} and {b.shape}")
    total = ErrorSum()
    for start, stop in second.blocks(b):
        original = first.rows(a, start, stop)
        if b.type == "FLOAT":
            zero: Any = np.zeros((1, 1), np.float32)
            # Not codes: nothing is saturated, and the values are the error's other side.
            total.add(original, second.rows(b, start, stop), zero + 1, zero, "int8")
            total.saturated = 0
            continue
        codes, scales, offsets = second.codes(b, start, stop)
        shape = (len(codes), scales.shape[1], -1)
        dtype = "int4" if b.bits == 4 else "int8"
        total.add(
            original.reshape(shape),
            codes.reshape(shape),
            scales[:, :, None],
            offsets[:, :, None],
            dtype,
        )
    result = total.result()
    return LayerError(
        b.name, b.type, b.shape, result.snr_db, result.max_abs, result.mean_abs, result.saturated
    )
