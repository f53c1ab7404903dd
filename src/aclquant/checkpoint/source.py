"""A model on disk: which tensors there are, in which files, and its config."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from .. import errors
from ..safetensors import NAMES, Entry, File

__all__ = ["Model", "Place", "read_json"]

_FLOATS = ("F32", "F16", "BF16")


class Place(NamedTuple):
    """A tensor of a model."""

    file: str
    entry: Entry


class Model:
    """The tensors of a folder (or of one .safetensors file), without their data.

    An index (``*.safetensors.index.json``) says which files belong to the model; without one all
    .safetensors files of the folder do. Tensors are in the order of the files, and of their places.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise FileNotFoundError(2, "No such file or directory", str(self.path))
        self.folder = self.path if self.path.is_dir() else self.path.parent
        self.index: dict[str, str] | None = None
        self.files = self._find()
        self.tensors: dict[str, Place] = {}
        self.metadata: dict[str, dict[str, str]] = {}
        self.repeated: list[tuple[str, str, str]] = []
        for name in self.files:
            with File(self.folder / name) as file:
                self.metadata[name] = file.metadata
                for tensor, entry in sorted(file.entries.items(), key=lambda item: item[1].start):
                    if tensor in self.tensors:
                        self.repeated.append((tensor, self.tensors[tensor].file, name))
                    self.tensors[tensor] = Place(name, entry)
        self.config = read_json(self.folder / "config.json") if self.path.is_dir() else {}

    def _find(self) -> list[str]:
        if not self.path.is_dir():
            return [self.path.name]
        indices = sorted(self.folder.glob("*.safetensors.index.json"))
        if len(indices) > 1:
            raise errors.ParameterError(
                f"{self.folder} has several indices: {', '.join(p.name for p in indices)}"
            )
        if indices:
            self.index = _weight_map(indices[0])
            found = sorted(set(self.index.values()))
            for name in found:
                if not (self.folder / name).is_file():
                    raise FileNotFoundError(2, f"named by {indices[0].name}, but missing", name)
            return found
        found = sorted(p.name for p in self.folder.glob("*.safetensors"))
        if not found:
            others = ("*.bin", "*.pt", "*.pth")
            pickled = next((p.name for end in others for p in self.folder.glob(end)), None)
            hint = (
                f" ({pickled} is a pickled file; save the model with safe_serialization=True)"
                if pickled
                else ""
            )
            raise errors.ParameterError(f"{self.folder} has no .safetensors files{hint}")
        return found

    @property
    def dtype(self) -> str:
        """The type the model runs in: "bfloat16", "float16" or "float32".

        As its config says, or the type that most of its float tensors have.
        """
        text = self.config.get("text_config", {})
        for about in (self.config, text if isinstance(text, dict) else {}):
            wish = about.get("torch_dtype") or about.get("dtype")
            if isinstance(wish, str):
                return wish.removeprefix("torch.")
        counts = Counter(place.entry.dtype.name for place in self.tensors.values())
        floats = [n for n, _ in counts.most_common() if n in ("float32", "float16", "bfloat16")]
        return floats[0] if floats else "float32"

    def is_float(self, name: str) -> bool:
        """Tell whether a tensor holds float32, float16 or bfloat16."""
        return NAMES[self.tensors[name].entry.dtype] in _FLOATS

    def open(self, name: str) -> File:
        """Open the file that a tensor is in."""
        return File(self.folder / self.tensors[name].file)


def _weight_map(path: Path) -> dict[str, str]:
    found = read_json(path).get("weight_map", {})
    if not isinstance(found, dict) or not all(isinstance(f, str) for f in found.values()):
        raise errors.ParameterError(f"{path}: weight_map has to give a file for each tensor")
    return found


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file; empty if there is no file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise errors.ParameterError(f"{path} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise errors.ParameterError(f"{path} does not hold a JSON object")
    return value
