"""Prints a tensor that went to the device and back."""

from __future__ import annotations

import torch

print(torch.tensor([1.5, 2]).npu().cpu().tolist())
