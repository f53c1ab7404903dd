"""Small models on disk, and what a quantised one must hold, worked out in NumPy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

BF16 = np.dtype(ml_dtypes.bfloat16)


def tensors(
    dtype: Any = BF16, *, layers: int = 2, hidden: int = 32, experts: int = 0, seed: int = 1
) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)

    def make(*shape: int) -> np.ndarray:
        spread = random.lognormal(-3, 0.5, (shape[0],) + (1,) * (len(shape) - 1))
        return (random.standard_normal(shape) * spread).astype(dtype)

    found = {"model.embed_tokens.weight": make(64, hidden)}
    for n in range(layers):
        prefix = f"model.layers.{n}"
        for name in "qkvo":
            found[f"{prefix}.self_attn.{name}_proj.weight"] = make(hidden, hidden)
        found[f"{prefix}.self_attn.q_proj.bias"] = make(hidden)
        blocks = [f"{prefix}.mlp"]
        if experts:
            found[f"{prefix}.mlp.gate.weight"] = make(experts, hidden)
            blocks = [f"{prefix}.mlp.experts.{e}" for e in range(experts)]
        for block in blocks:
            found[f"{block}.gate_proj.weight"] = make(2 * hidden, hidden)
            found[f"{block}.up_proj.weight"] = make(2 * hidden, hidden)
            found[f"{block}.down_proj.weight"] = make(hidden, 2 * hidden)
        found[f"{prefix}.input_layernorm.weight"] = make(hidden)
    found["lm_head.weight"] = make(64, hidden)
    return found


def write_model(
    folder: Path, made: dict[str, np.ndarray], *, shards: int = 1, **config: Any
) -> Path:
    """Write a Hugging Face folder."""
    folder.mkdir(parents=True)
    kind = next(iter(made.values())).dtype.name
    about = {"architectures": ["LlamaForCausalLM"], "torch_dtype": kind, **config}
    (folder / "config.json").write_text(json.dumps(about))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "notes.bin").write_bytes(b"not copied")
    names = list(made)
    if shards == 1:
        save_file(made, folder / "model.safetensors", {"format": "pt"})
        return folder
    index = {}
    for number in range(shards):
        file = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        part = {name: made[name] for name in names[number::shards]}
        save_file(part, folder / file, {"format": "pt"})
        index.update(dict.fromkeys(part, file))
    text = json.dumps({"metadata": {}, "weight_map": index})
    (folder / "model.safetensors.index.json").write_text(text)
    return folder


def everything(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def load(folder: Path) -> dict[str, np.ndarray]:
    """Read every tensor with the safetensors library."""
    from safetensors import safe_open

    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118
                found[name] = file.get_tensor(name)
    return found


def symmetric(w: np.ndarray, bits: int, group: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return codes and scales as msModelSlim defines them, per row or group."""
    x = w.astype(np.float32)
    rows = x.reshape(-1, group) if group else x.reshape(len(x), -1)
    bound = np.float32(2 ** (bits - 1) - 1)
    scale = np.maximum(np.abs(rows).max(axis=1) / bound, np.float32(2**-23))
    code = np.clip(np.rint(rows / scale[:, None]), -bound - 1, bound).astype(np.int8)
    return code.reshape(x.shape), scale.reshape(len(x), -1)
