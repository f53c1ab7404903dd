"""A refused call says why and leaves the device usable."""

from __future__ import annotations

import torch
import torch_npu
from cases import case, raises, run

RUNS = {"level_0": {"TASK_QUEUE_ENABLE": "0"}, "level_1": {"TASK_QUEUE_ENABLE": "1"}}


@case()
def wrong_shape_of_scales() -> None:
    x, scale = torch.ones(2, 8).npu(), torch.ones(3).npu()
    for _ in range(2):
        message = raises("161002", torch_npu.npu_quantize, x, scale, None, torch.qint8, -1)
        assert "argument 'scales': got shape (3,)" in message
    assert torch_npu.npu_quantize(x, scale[:1], None, torch.qint8, -1).sum().item() == 16


if __name__ == "__main__":
    run()
