"""Per-tensor dynamic quantisation on other chips, and with the strict switch."""

from __future__ import annotations

import os

import torch
import torch_npu
from cases import case, raises, run

RUNS = {
    "A3": {"ACLQUANT_HOST_SOC": "Ascend910_9391"},
    "310P": {"ACLQUANT_HOST_SOC": "Ascend310P3"},
    "strict": {"ACLQUANT_HOST_STRICT_SOC": "1"},
}


@case()
def per_tensor() -> None:
    x = torch.zeros(2, 32).half().npu()
    x[0, 0], x[0, 1] = -1, 4

    def call() -> tuple[torch.Tensor, ...]:
        return torch_npu.npu_dynamic_quant_asymmetric(x, quant_mode="pertensor")

    if "ACLQUANT_HOST_STRICT_SOC" in os.environ:
        assert "561000" in raises("aclnnDynamicQuantV4", call)
        assert x.sum().item() == 3
    else:
        y, scale, offset = call()
        assert (y.min().item(), y.max().item()) == (-128, 127)
        assert scale.shape == offset.shape == (1,)


if __name__ == "__main__":
    run()
