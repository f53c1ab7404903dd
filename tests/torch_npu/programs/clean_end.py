"""Ends with work, a stream and an event that nothing has waited for."""

from __future__ import annotations

import torch
import torch_npu

x = torch.ones(2, 3).npu()
y = torch_npu.npu_quantize(x, torch.ones(1).npu(), None, torch.qint8, 0)
stream = torch.npu.Stream()
event = torch.npu.Event()
event.record(stream)
