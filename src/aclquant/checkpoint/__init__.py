"""Checkpoints: quantise a model on disk, check what was written, compare, report.

`quantize` turns a Hugging Face folder into one that vllm-ascend and SGLang load, tensor by tensor,
so that memory does not depend on the size of the model. `check` says what a loader would refuse or
get wrong. `diff` and `report` measure errors layer by layer. `open` reads a checkpoint back.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "rules": ("Finding", "check"),
    "compare": ("LayerError", "diff"),
    "job": ("Summary", "quantize"),
    "quantized": ("Checkpoint", "open"),
    "page": ("report",),
    "schemes": ("SCHEMES",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)

if TYPE_CHECKING:
    from .compare import LayerError as LayerError
    from .compare import diff as diff
    from .job import Summary as Summary
    from .job import quantize as quantize
    from .page import report as report
    from .quantized import Checkpoint as Checkpoint
    from .quantized import open as open
    from .rules import Finding as Finding
    from .rules import check as check
    from .schemes import SCHEMES as SCHEMES


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
