"""Compiling for the device, by torch.compile and torchair."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch_npu  # noqa: F401  (brings the device)
import torchair
from torchair.configs.compiler_config import CompilerConfig


def graph(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Compile a function as one graph, forgetting those before."""
    torch._dynamo.reset()
    backend = torchair.get_npu_backend(compiler_config=CompilerConfig())
    return torch.compile(function, backend=backend, fullgraph=True, **options)
