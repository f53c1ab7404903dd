"""Running out of memory leaves the device usable."""

from __future__ import annotations

import torch
import torch_npu  # noqa: F401  (brings the device)
from cases import case, raises, run

RUNS = {"32_MiB": {"ACLQUANT_HOST_MEMORY_LIMIT": "33554432"}}


@case()
def out_of_memory() -> None:
    raises("out of memory", lambda: torch.empty(64 << 20, device="npu"))
    assert torch.ones(3).npu().cpu().tolist() == [1.0, 1.0, 1.0]


if __name__ == "__main__":
    run()
