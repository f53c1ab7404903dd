"""An example that asks for compiled operators: everyday operators are then called by name.

It does what the document of npu_dynamic_quant_asymmetric does in its graph example, call for call.
What it prints is what the same numbers print on the CPU.
"""

from __future__ import annotations

import re

import torch
import torch_npu
import torchair
from cases import case, run
from torchair.configs.compiler_config import CompilerConfig

import aclquant as aq

RUNS = {
    "level_0": {"TASK_QUEUE_ENABLE": "0"},
    "level_1": {"TASK_QUEUE_ENABLE": "1"},
    "level_2": {"TASK_QUEUE_ENABLE": "2"},
}
NEEDS = ("packaging", "google.protobuf")


class Quantizer(torch.nn.Module):
    def forward(self, values, smooth_scales=None, group_index=None, dst_type=None):
        return torch_npu.npu_dynamic_quant_asymmetric(
            values, smooth_scales=smooth_scales, group_index=group_index, dst_type=dst_type
        )


@case()
def example() -> None:
    torch_npu.npu.set_compile_mode(jit_compile=True)
    backend = torchair.get_npu_backend(compiler_config=CompilerConfig())
    torch_npu.npu.set_device(torch.device("npu:0"))
    x = torch.randn((2, 4, 6), device="npu", dtype=torch.float16).npu()
    smooth_scales = torch.randn((6), device="npu", dtype=torch.float16).npu()
    compiled = torch.compile(Quantizer().npu(), backend=backend, dynamic=True)
    output = compiled(x, smooth_scales=smooth_scales)
    printed = [str(each) for each in output]
    expected = aq.dynamic_quant_asymmetric(x.cpu(), smooth_scales=smooth_scales.cpu())
    for one, text, array in zip(output, printed, expected, strict=True):
        other = torch.as_tensor(array)
        assert torch.equal(one.cpu(), other), (one.cpu(), other)
        assert re.sub(r",\s+device='npu:0'", "", text).split() == str(other).split()


if __name__ == "__main__":
    run()
