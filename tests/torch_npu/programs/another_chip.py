"""Another chip, whose name torch_npu passes on."""

from __future__ import annotations

import torch
import torch_npu  # noqa: F401  (brings the device)
from cases import case, run

RUNS = {"A3": {"ACLQUANT_HOST_SOC": "Ascend910_9391"}}


@case()
def name() -> None:
    assert torch.npu.get_device_name(0) == "Ascend910_9391"


if __name__ == "__main__":
    run()
