"""Comparison with aclquant's own functions, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch_npu  # noqa: F401  (brings the device)

import aclquant as aq

torch.manual_seed(1)
_WIDTHS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def strided(x: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield the same values with other strides: as they are, transposed, every second."""
    yield x.npu()
    if x.dim() > 1:
        yield x.transpose(0, -1).contiguous().npu().transpose(0, -1)
        wide = torch.zeros(*x.shape[:-1], 2 * x.shape[-1], dtype=x.dtype)
        wide[..., ::2] = x
        yield wide.npu()[..., ::2]


def same(got: Any, expected: Any) -> None:
    """Compare one result, or several, of the device with arrays of aclquant."""
    many = isinstance(got, tuple)
    for one, other in zip(got if many else [got], expected if many else [expected], strict=True):
        if isinstance(other, np.ndarray) and other.dtype == aq.bfloat16.numpy:
            other = torch.as_tensor(other.view(np.int16)).view(torch.bfloat16)
        assert one.is_npu
        one, other = one.cpu(), torch.as_tensor(other)
        assert one.dtype == other.dtype and one.shape == other.shape, (one, other)
        width = _WIDTHS[one.element_size()]
        assert torch.equal(one.view(width), other.view(width)), (one, other)


def device(x: torch.Tensor | None) -> torch.Tensor | None:
    """Return a tensor on the device, None as it is."""
    return None if x is None else x.npu()
