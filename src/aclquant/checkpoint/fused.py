"""Layers that loaders fuse into one: their parts must be quantised alike."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

__all__ = ["fused_groups"]

_FUSED = {
    "qkv_proj": ("q_proj", "k_proj", "v_proj"),
    "gate_up_proj": ("gate_proj", "up_proj"),
    "fused_qkv_a_proj": ("q_a_proj", "kv_a_proj_with_mqa"),
    "w13": ("w1", "w3"),
}
_PARTS = {part: whole for whole, parts in _FUSED.items() for part in parts}
_EXPERT = re.compile(r"^(.*\.experts)\.\d+\.")


def fused_groups(prefixes: Iterable[str]) -> dict[str, list[str]]:
    """Return the modules behind each fused one, by the fused module's name.

    All experts of a layer are one fused module.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for prefix in prefixes:
        expert = _EXPERT.match(prefix)
        parent, _, last = prefix.rpartition(".")
        if expert:
            groups[expert[1]].append(prefix)
        elif last in _PARTS:
            groups[f"{parent}.{_PARTS[last]}" if parent else _PARTS[last]].append(prefix)
    return {name: parts for name, parts in groups.items() if len(parts) > 1}
