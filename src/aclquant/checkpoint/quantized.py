"""Reading a checkpoint back, whatever its format."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import errors
from ..packing import unpack_int4
from ..safetensors import File
from .job import DESCRIPTION
from .source import Model, read_json

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["GLOBALS", "ROWS", "Checkpoint", "Weight", "open"]

ROWS = 1 << 22
"""Elements that are read together, at least two rows."""

GLOBALS = frozenset(
    [
        *("model_quant_type", "version", "group_size", "metadata", "optional"),
        *("kv_cache_type", "kv_quant_type", "fa_quant_type", "reduce_quant_type"),
    ]
)
"""Keys of quant_model_description.json that are not names of tensors."""

_PAIRED = ("W4A8_DYNAMIC",)


class Weight(NamedTuple):
    """A weight of a checkpoint, quantised or not."""

    name: str
    """As the float model calls it."""
    tensor: str
    """The tensor that holds the codes."""
    type: str
    """"FLOAT", or the type of the format, such as "W8A8_DYNAMIC"."""
    shape: tuple[int, ...]
    stem: str
    """What precedes ``weight_scale``."""

    @property
    def bits(self) -> int:
        """Bits of a code."""
        return 4 if self.type.startswith("W4") else 8


class Checkpoint:
    """A checkpoint, read tensor by tensor: ``checkpoint[name]`` is a weight as float32.

    Parameters
    ----------
    path : str or Path
        A folder in the formats ascendv1 or compressed-tensors, a Hugging Face folder, or a
        .safetensors file.

    Attributes
    ----------
    format : str
        "ascendv1", "compressed-tensors" or "float".
    weights : dict of str to Weight
        Every tensor that is a weight, by its name in the float model.
    """

    def __init__(self, path: str | Path) -> None:
        self.model = Model(path)
        self.description = read_json(self.model.folder / DESCRIPTION)
        self.config = self.model.config.get("quantization_config") or {}
        if not isinstance(self.config, dict):
            raise errors.ParameterError(
                f"{self.model.folder / 'config.json'}: quantization_config is"
                f" {self.config!r}; expected a JSON object"
            )
        self.format = "float"
        if self.description:
            self.format = "ascendv1"
        elif self.config:
            self.format = "compressed-tensors"
        self.weights = {weight.name: weight for weight in self._find()}
        self._files: dict[str, File] = {}

    def _find(self) -> Iterator[Weight]:
        for name, place in self.model.tensors.items():
            shape = place.entry.shape
            stem = f"{name.removesuffix('.weight')}."
            if name.endswith(".weight_packed"):
                prefix = name.removesuffix(".weight_packed")
                yield Weight(
                    f"{prefix}.weight", name, "W4A16", (shape[0], shape[1] * 8), f"{prefix}."
                )
            elif place.entry.dtype == np.int8 and self._has(stem, "weight_scale", "deq_scale"):
                kind = self._type(name)
                if kind in _PAIRED and self.format == "ascendv1":
                    shape = (shape[0] * 2, *shape[1:])
                yield Weight(name, name, kind, shape, stem)
            elif len(shape) >= 2 and self.model.is_float(name) and not name.endswith(_HELPERS):
                yield Weight(name, name, "FLOAT", shape, stem)

    def _has(self, stem: str, *names: str) -> bool:
        return any(f"{stem}{name}" in self.model.tensors for name in names)

    def _type(self, name: str) -> str:
        if self.format == "ascendv1":
            return str(self.description.get(name, "unknown"))
        group: dict[str, Any] = next(iter(self.config.get("config_groups", {}).values()), {})
        bits = (group.get("weights") or {}).get("num_bits", 8)
        inputs = group.get("input_activations") or {}
        suffix = "_DYNAMIC" if inputs.get("dynamic") else ""
        return f"W{bits}A{inputs.get('num_bits', 16)}{suffix}"

    def read(self, tensor: str, start: int = 0, stop: int | None = None) -> Array:
        """Return a tensor as it is stored, or its rows from `start` to `stop`."""
        file = self.model.tensors[tensor].file
        if file not in self._files:
            self._files[file] = File(self.model.folder / file)
        return self._files[file].read(tensor, start, stop)

    def codes(self, weight: Weight, start: int, stop: int) -> tuple[Array, Array, Array]:
        """Return rows of a quantised weight as (codes, scales, offsets), matrices.

        Scales and offsets have a column for each group of a row. `start` is even.
        """
        if weight.tensor.endswith("_packed"):
            packed = self.read(weight.tensor, start, stop)
            codes = unpack_int4(packed ^ np.uint32(0x88888888).view(np.int32))
        elif weight.type in _PAIRED and self.format == "ascendv1":
            stored = self.read(weight.tensor, start // 2, (stop + 1) // 2)
            stored = stored.reshape(len(stored), -1)
            codes = np.empty((len(stored) * 2, stored.shape[1]), np.int8)
            codes[0::2] = (stored << 4) >> 4
            codes[1::2] = stored >> 4
        else:
            codes = self.read(weight.tensor, start, stop)
            codes = codes.reshape(len(codes), -1)
        scales, offsets = self._scales(weight, start, stop)
        return codes, scales, offsets

    def _scales(self, weight: Weight, start: int, stop: int) -> tuple[Array, Array]:
        scales: Array
        if self._has(weight.stem, "weight_scale"):
            scales = self.read(f"{weight.stem}weight_scale", start, stop).astype(np.float32)
            scales = scales.reshape(len(scales), -1)
        else:  # static W8A8 of ascendv1 keeps the product with the scale of the input
            deq_scale = self.read(f"{weight.stem}deq_scale", start, stop)
            if deq_scale.dtype == np.int64:
                deq_scale = deq_scale.astype(np.int32).view(np.float32)
            scales = (deq_scale / self.read(f"{weight.stem}input_scale")).reshape(-1, 1)
        offsets: Array = np.zeros_like(scales)
        if self._has(weight.stem, "weight_offset"):
            offsets = self.read(f"{weight.stem}weight_offset", start, stop).astype(np.float32)
            offsets = offsets.reshape(len(offsets), -1)
        return scales, offsets

    def rows(self, weight: Weight, start: int, stop: int) -> Array:
        """Return rows as a float32 matrix; `start` is even."""
        if weight.type == "FLOAT":
            block = self.read(weight.tensor, start, stop)
            return block.reshape(len(block), -1).astype(np.float32)
        codes, scales, offsets = self.codes(weight, start, stop)
        values = codes.astype(np.float32).reshape(len(codes), scales.shape[1], -1)
        # msModelSlim's rule: the offset is subtracted.
        values -= offsets[:, :, None]
        values *= scales[:, :, None]
        return values.reshape(codes.shape)

    def blocks(self, weight: Weight) -> Iterator[tuple[int, int]]:
        """Yield first and last row of blocks of bounded size."""
        step = max(2, ROWS // max(1, math.prod(weight.shape[1:])) & ~1)
        for start in range(0, weight.shape[0], step):
            yield start, min(start + step, weight.shape[0])

    def __getitem__(self, name: str) -> Array:
        """Return a weight as float32, or any other tensor as it is stored."""
        weight = self.weights.get(name)
        if weight is None or weight.type == "FLOAT":
            if name not in self.model.tensors:
                raise KeyError(name)
            return self.read(name)
        parts = [self.rows(weight, start, stop) for start, stop in self.blocks(weight)]
        return np.concatenate(parts).reshape(weight.shape)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_files"):
            self.close()


_HELPERS = (
    "weight_scale",
    "weight_offset",
    "scale_bias",
    "input_scale",
    "input_offset",
    "deq_scale",
)


def open(path: str | Path) -> Checkpoint:
    """Open a checkpoint, quantised or not, for reading.

    Parameters
    ----------
    path : str or Path
        A folder or a .safetensors file.

    Returns
    -------
    Checkpoint
        ``checkpoint[name]`` is a weight as float32; ``checkpoint.weights`` lists them.

    Raises
    ------
    ParameterError
        When it holds no whole .safetensors files.

    Examples
    --------
    >>> import numpy as np, tempfile, aclquant as aq
    >>> from safetensors.numpy import save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_file({"fc.weight": np.eye(2, dtype=np.float32)}, f"{folder}/model.safetensors")
    ...     with aq.checkpoint.open(folder) as checkpoint:
    ...         checkpoint.format, list(checkpoint.weights), checkpoint["fc.weight"].tolist()
    ('float', ['fc.weight'], [[1.0, 0.0], [0.0, 1.0]])
    """
    try:
        return Checkpoint(path)
    except KeyError as error:
        raise errors.ParameterError(f"{path}: damaged: {error} is missing") from None
