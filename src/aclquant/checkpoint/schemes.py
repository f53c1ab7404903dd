"""Schemes and formats: which tensors a quantised layer has, and how they are computed.

The formulas are those of msModelSlim (``int_quantization.py``), in float32: symmetric weights with
``scale = max(max(abs(w)) / 127, 2**-23)`` (7 for int4) and ``code = clip(round(w / scale))``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import ml_dtypes
import numpy as np

from .. import errors
from ..packing import pack_int4
from ..quantized_weight import encode, extremes, scales_for
from ..safetensors import File

if TYPE_CHECKING:
    import numpy.typing as npt

    from .source import Model

    Array = npt.NDArray[Any]

__all__ = [
    "LEAST_SCALE",
    "ROWS",
    "SCHEMES",
    "Layer",
    "Scheme",
    "find_layers",
    "outputs",
    "write_layer",
]

LEAST_SCALE = 2.0**-23
ROWS = 1 << 22
"""Elements of a weight that are worked on together, at least one row."""

_F32, _F16, _BF16 = np.dtype(np.float32), np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)
_I8, _I32, _I64 = np.dtype(np.int8), np.dtype(np.int32), np.dtype(np.int64)
Tensors = dict[str, tuple[np.dtype[Any], tuple[int, ...]]]


class Scheme(NamedTuple):
    """How weights and activations are kept."""

    bits: int
    activations: str
    """"none", "token" (scales found while running) or "tensor" (from calibration)."""
    ascendv1: str
    """Type in quant_model_description.json; empty where the format has none."""
    compressed: bool
    """Whether vllm-ascend takes it as compressed-tensors."""


SCHEMES = {
    "w8a8-dynamic": Scheme(8, "token", "W8A8_DYNAMIC", True),
    "w8a8": Scheme(8, "tensor", "W8A8", True),
    "w8a16": Scheme(8, "none", "W8A16", False),
    "w4a8-dynamic": Scheme(4, "token", "W4A8_DYNAMIC", True),
    "w4a16": Scheme(4, "none", "", True),
}
"""By the name on the command line."""

_KEPT = re.compile(r"(^|\.)(lm_head|\w*embed\w*|wte|wpe|gate|router|\w*_gate)$")
"""Modules that are kept as they are: embeddings, heads, and what chooses experts."""

_REDUCED = re.compile(r"(^|\.)(up|gate|q|k|v)_proj$|(^|\.)(w1|w3)$")
_SPLIT = re.compile(r"(^|\.)(down|o)_proj$|(^|\.)w2$")
_SPLITS = 16
"""The number of parts of scale_bias, fixed in msModelSlim's writer."""


class Layer(NamedTuple):
    """A weight to be quantised, seen as a matrix (n, k)."""

    weight: str
    bias: str | None
    shape: tuple[int, ...]

    @property
    def prefix(self) -> str:
        """Name of the module."""
        return self.weight.removesuffix(".weight")

    @property
    def n(self) -> int:
        """Output channels."""
        return self.shape[0]

    @property
    def k(self) -> int:
        """Elements of an output channel."""
        return math.prod(self.shape[1:])


def find_layers(model: Model, include: list[str], exclude: list[str]) -> list[Layer]:
    """Return the layers to quantise: 2-D float ``.weight`` that are not kept, and those included.

    Patterns are searched in the tensor's name.
    """
    for argument, patterns in (("include", include), ("exclude", exclude)):
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise errors.ParameterError(
                    function="aclquant.checkpoint.quantize",
                    argument=argument,
                    got=f"{pattern!r} ({error})",
                    allowed="regular expressions",
                ) from None
    used = {pattern: False for pattern in [*include, *exclude]}

    def matches(patterns: list[str], name: str) -> bool:
        hits = [p for p in patterns if re.search(p, name)]
        used.update(dict.fromkeys(hits, True))
        return bool(hits)

    layers = []
    for name, place in model.tensors.items():
        shape = place.entry.shape
        if not model.is_float(name) or len(shape) < 2 or 0 in shape:
            continue
        prefix = name.removesuffix(".weight")
        usual = len(shape) == 2 and prefix != name and not _KEPT.search(prefix)
        wanted = matches(include, name) or usual
        if matches(exclude, name) or not wanted:
            continue
        bias = f"{prefix}.bias"
        has_bias = prefix != name and bias in model.tensors
        layers.append(Layer(name, bias if has_bias else None, shape))
    for pattern, hit in used.items():
        if not hit:
            raise errors.ParameterError(
                f"the pattern {pattern!r} matches no weight; names look like "
                f"{next(iter(model.tensors), 'nothing: there are no tensors')}"
            )
    return layers


def outputs(
    layer: Layer,
    scheme: Scheme,
    format: str,
    group: int,
    model_dtype: str,
    bias: np.dtype[Any] | None,
) -> Tensors:
    """Return name, type and shape of each tensor that a layer becomes.

    Raises
    ------
    ParameterError
        When the layer's shape does not fit the format.
    """
    n, k, name, stem = layer.n, layer.k, layer.weight, _stem(layer)
    columns = k // group if group else 1
    if group and k % group:
        why = f"rows of {k} elements are not a multiple of the group size {group}"
        raise _unfit(layer, why, _smaller_group(k, group))
    if format == "ascendv1":
        made = _ascendv1(layer, scheme, columns, model_dtype)
        if layer.bias is not None:
            made[layer.bias] = (_F32, (n,))
        return made
    half = _F16 if model_dtype == "float16" else _BF16
    if scheme.activations == "none":
        if k % 8:
            raise _unfit(layer, f"rows of {k} elements are not a multiple of 8")
        made = {
            f"{stem}weight_packed": (_I32, (n, k // 8)),
            f"{stem}weight_scale": (half, (n, columns)),
            f"{stem}weight_shape": (_I32, (2,)),
        }
    else:
        made = {
            name: (_I8, layer.shape),
            f"{stem}weight_scale": (half if scheme.bits == 4 else _F32, (n, columns)),
        }
        if scheme.activations == "tensor":
            made[f"{stem}input_scale"] = (_F32, (1,))
    if layer.bias is not None and bias is not None:
        made[layer.bias] = (bias, (n,))
    return made


def _ascendv1(layer: Layer, scheme: Scheme, columns: int, model_dtype: str) -> Tensors:
    n, stem = layer.n, _stem(layer)
    if scheme.activations == "tensor":
        return {
            layer.weight: (_I8, layer.shape),
            f"{stem}quant_bias": (_I32, (n,)),
            f"{stem}input_scale": (_F32, (1,)),
            f"{stem}input_offset": (_F32, (1,)),
            f"{stem}deq_scale": (_F32 if model_dtype == "bfloat16" else _I64, (n,)),
        }
    made: Tensors = {
        layer.weight: (_I8, layer.shape),
        f"{stem}weight_scale": (_F32, (n, columns)),
        f"{stem}weight_offset": (_F32, (n, columns)),
    }
    if scheme.bits == 4:
        if n % 2:
            raise _unfit(layer, f"{n} rows cannot be packed in pairs")
        made[layer.weight] = (_I8, (n // 2, *layer.shape[1:]))
        made[f"{stem}scale_bias"] = (_F32, (n, _parts(layer)))
    return made


def _parts(layer: Layer) -> int:
    if _SPLIT.search(layer.prefix) is None:
        return 1
    if layer.k % _SPLITS:
        raise _unfit(layer, f"rows of {layer.k} elements cannot be cut into {_SPLITS} parts")
    return _SPLITS


def _smaller_group(k: int, group: int) -> str:
    """Return the advice to take smaller groups, where there are any."""
    fitting = [size for size in range(32, group, 32) if k % size == 0]
    return f"take --group-size {fitting[-1]}, or " if fitting else ""


def _unfit(layer: Layer, why: str, advice: str = "") -> errors.ParameterError:
    keep = f"keep it as it is with --exclude '{re.escape(layer.weight)}'"
    return errors.ParameterError(f"{layer.weight}: {why}; {advice}{keep}")


def _stem(layer: Layer) -> str:
    """Return what precedes "weight_scale": ``P.``, or the name and ``.`` for other names."""
    return f"{layer.prefix}."


Put = Callable[..., None]
"""Takes the name of a tensor, rows of it, and the number of the first row."""


def write_layer(
    layer: Layer,
    scheme: Scheme,
    format: str,
    group: int,
    made: Tensors,
    weight: File,
    bias: Array | None,
    limits: tuple[float, float] | None,
    put: Put,
) -> None:
    """Quantise a layer row block by row block, and hand each result to `put`."""
    n, stem = layer.n, _stem(layer)
    dtype = "int4" if scheme.bits == 4 else "int8"
    kind = made.get(f"{stem}weight_scale", (_F32, ()))[0]
    all_scales = np.empty((n, layer.k // group if group else 1), np.float32)
    sums = np.empty(n, np.int64) if scheme.activations == "tensor" else None
    for start, block in _rows(layer, weight):
        scales, codes = _quantize(layer, start, block, group, dtype, kind)
        stop = start + len(codes)
        all_scales[start:stop] = scales
        if sums is not None:
            sums[start:stop] = codes.sum(axis=1, dtype=np.int64)
        if f"{stem}weight_packed" in made:
            # The format's codes are not signed: 0 to 15 for -8 to 7.
            put(
                f"{stem}weight_packed",
                pack_int4(codes) ^ np.uint32(0x88888888).view(np.int32),
                start,
            )
        elif format == "ascendv1" and scheme.bits == 4:
            put(f"{stem}scale_bias", _scale_bias(layer, codes, scales), start)
            low, high = codes[0::2].view(np.uint8), codes[1::2].view(np.uint8)
            packed = ((high << np.uint8(4)) | (low & np.uint8(15))).view(np.int8)
            put(layer.weight, packed.reshape(-1, *layer.shape[1:]), start // 2)
        else:
            put(layer.weight, codes.reshape(-1, *layer.shape[1:]), start)
    if f"{stem}weight_scale" in made:
        put(f"{stem}weight_scale", all_scales.astype(kind))
    if f"{stem}weight_offset" in made:
        put(f"{stem}weight_offset", np.zeros(all_scales.shape, np.float32))
    if f"{stem}weight_shape" in made:
        put(f"{stem}weight_shape", np.array([n, layer.k], np.int32))
    if limits is not None:
        assert sums is not None
        _put_activations(stem, format, made, all_scales[:, 0], sums, bias, limits, put)
    if bias is not None and layer.bias is not None:
        put(layer.bias, bias.astype(made[layer.bias][0]))


def _rows(layer: Layer, weight: File) -> Iterator[tuple[int, Array]]:
    """Yield blocks of rows as matrices; an even number of rows each but the last."""
    step = max(2, ROWS // layer.k & ~1)
    for start in range(0, layer.n, step):
        block = weight.read(layer.weight, start, start + step)
        yield start, block.reshape(len(block), layer.k)


def _quantize(
    layer: Layer, start: int, block: Array, group: int, dtype: str, kind: np.dtype[Any]
) -> tuple[Array, Array]:
    rows = block.reshape(-1, group) if group else block
    low, high = extremes(rows, 0)
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        wrong = int(np.argmin(np.isfinite(low) & np.isfinite(high))) * len(block) // len(rows)
        raise errors.ParameterError(
            f"{layer.weight}: row {start + wrong} holds NaN or infinite values"
        )
    scales, points = scales_for(low, high, dtype, symmetric=True, least=LEAST_SCALE)
    if kind != np.float32:  # the codes are for the scale that is stored
        scales = scales.astype(kind).astype(np.float32)
    codes = encode(rows, scales, points, dtype, 0)
    return scales.reshape(len(block), -1), codes.reshape(block.shape)


def _scale_bias(layer: Layer, codes: Array, scales: Array) -> Array:
    """Return ``8 * sum(codes * scale)`` over each part of a row.

    The sum of codes is exact; msModelSlim adds float32 products, in an order that torch chooses.
    """
    parts = codes.reshape(len(codes), _parts(layer), -1).sum(axis=2, dtype=np.int64)
    return np.asarray(8.0 * parts * scales.astype(np.float64), np.float32)


def _put_activations(
    stem: str,
    format: str,
    made: Tensors,
    weight_scale: Array,
    sums: Array,
    bias: Array | None,
    limits: tuple[float, float],
    put: Put,
) -> None:
    """Write the tensors of static activations; their range is `limits`."""
    low, high = np.array(limits[:1], np.float32), np.array(limits[1:], np.float32)
    symmetric = format != "ascendv1"  # vllm-ascend takes nothing else of compressed-tensors
    scale, zero = scales_for(low, high, "int8", symmetric=symmetric, least=LEAST_SCALE)
    put(f"{stem}input_scale", scale)
    if symmetric:
        return
    offset = zero.astype(np.float32)
    deq_scale = scale * weight_scale
    start = np.zeros(len(sums), np.float32) if bias is None else bias.astype(np.float32)
    quant_bias = np.rint(start / deq_scale - (sums * zero).astype(np.float32))
    put(f"{stem}input_offset", offset)
    put(f"{stem}quant_bias", np.clip(quant_bias, -(2.0**31), 2.0**31 - 1).astype(np.int32))
    name = f"{stem}deq_scale"
    as_bits = made[name][0] == _I64
    put(name, deq_scale.view(np.int32).astype(np.int64) if as_bits else deq_scale)
