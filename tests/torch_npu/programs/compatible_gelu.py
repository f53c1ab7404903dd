"""Both formulas of gelu: torch_npu decides at its first call, between aclnnGelu and aclnnGeluV2."""

from __future__ import annotations

import torch
import torch_npu
from cases import case, run

torch_npu.npu.use_compatible_impl(True)


@case("none", "tanh")
def gelu(approximate: str) -> None:
    results = []
    for device in ("cpu", "npu"):
        x = torch.linspace(-4, 4, 99).to(device).requires_grad_()
        y = torch.nn.functional.gelu(x, approximate=approximate)
        y.sum().backward()
        results.append((y.detach().cpu(), x.grad.cpu()))
    torch.testing.assert_close(*results)


if __name__ == "__main__":
    run()
