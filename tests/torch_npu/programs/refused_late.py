"""At level 2 torch_npu raises when it next waits, and prints our sentence. Its queue stops."""

from __future__ import annotations

import sys

import torch
import torch_npu

x, scale = torch.ones(2, 8).npu(), torch.ones(3).npu()
try:
    torch_npu.npu_quantize(x, scale, None, torch.qint8, -1).cpu()
    print("nothing was raised", file=sys.stderr)
except RuntimeError as error:
    print("raised:", "aclnnQuantize" in str(error), file=sys.stderr)
