"""Quantise activations and weights as a language model has them, and look at the errors.

Run with ``python examples/numpy_arrays.py``. No card is needed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import aclquant as aq

Floats = npt.NDArray[np.floating[Any]]


def report(name: str, original: Floats, restored: Floats, nbytes: int) -> None:
    """Print size and error of a quantised array."""
    exact = original.astype(np.float64)
    noise = exact - restored.astype(np.float64)
    ratio = 10 * np.log10(np.sum(exact**2) / np.sum(noise**2))
    print(
        f"{name:<32} {original.nbytes:>7} -> {nbytes:>6} bytes   "
        f"largest error {np.max(np.abs(noise)):.4f}   SNR {ratio:.1f} dB"
    )


def main() -> None:
    """Quantise in the four usual ways."""
    random = np.random.default_rng(7)
    # Activations: mostly small, a few channels far larger than the others.
    activations = random.standard_normal((128, 512)) * random.lognormal(0, 0.4, 512)
    activations[:, [17, 300]] *= 20
    tokens = activations.astype(np.float16)
    # Weights: each output channel (row) has its own spread.
    spread = random.lognormal(-3, 0.6, (256, 1))
    weights = (random.standard_normal((256, 512)) * spread).astype(np.float32)
    print(aq.backend())

    # One scale for the whole array.
    scale = np.array([np.max(np.abs(weights)) / 127], np.float32)
    y = aq.quantize(weights, scale)
    report("weights, int8, one scale", weights, y * scale, y.nbytes)

    # One scale for each output channel: axis 0.
    scales = (np.max(np.abs(weights), axis=1) / 127).astype(np.float32)
    y = aq.quantize(weights, scales, axis=0)
    report("weights, int8, per channel", weights, y * scales[:, None], y.nbytes)

    # int4, packed eight to an int32. This form multiplies, so it gets the reciprocals; its scales
    # run along one of the last two dimensions: -2 is the output channel.
    scales = (np.max(np.abs(weights), axis=1) / 7).astype(np.float32)
    packed = aq.quantize(weights, 1 / scales, dtype="quint4x2", axis=-2, div_mode=False)
    y = aq.unpack_int4(packed)
    report("weights, int4, per channel", weights, y * scales[:, None], packed.nbytes)

    # Activations: scale and offset from each row, while the model runs.
    y, row_scale, row_offset = aq.dynamic_quant_asymmetric(tokens)
    restored = (y - row_offset[:, None]) * row_scale[:, None]
    size = y.nbytes + row_scale.nbytes + row_offset.nbytes
    report("activations, int8, per token", tokens, restored, size)


if __name__ == "__main__":
    main()
