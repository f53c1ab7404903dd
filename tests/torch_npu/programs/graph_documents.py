"""The graph examples of torch_npu's documents, with their output where it is deterministic."""

from __future__ import annotations

import torch
import torch_npu
from bits import same
from cases import case, run
from compiled import graph

import aclquant as aq

NEEDS = ("packaging", "google.protobuf")


class AntiQuant(torch.nn.Module):
    def forward(self, x, scale, offset):
        return torch_npu.npu_anti_quant(x, scale, offset=offset, dst_dtype=torch.float16)


class Quantize(torch.nn.Module):
    def forward(self, x, scale, zero_points, dst_type, div_mode):
        return torch_npu.npu_quantize(
            x, scale, zero_points=zero_points, dtype=dst_type, div_mode=div_mode
        )


class Product(torch.nn.Module):
    def forward(self, x1, x2, scale, offset, bias):
        packed = torch_npu.npu_trans_quant_param(scale, offset)
        return torch_npu.npu_quant_matmul(x1, x2, packed, offset=offset, bias=bias)


class DynamicQuant(torch.nn.Module):
    def forward(self, input_tensor, smooth_scales=None, group_index=None, dst_type=None):
        return torch_npu.npu_dynamic_quant_asymmetric(
            input_tensor, smooth_scales=smooth_scales, group_index=group_index, dst_type=dst_type
        )


@case()
def anti_quant() -> None:
    x = torch.tensor([1, 2, 3, 4], dtype=torch.int8).npu()
    two = torch.tensor([2.0]).npu()
    printed = str(graph(AntiQuant(), dynamic=False)(x, two, two))
    assert printed == "tensor([ 6.,  8., 10., 12.], device='npu:0', dtype=torch.float16)"


INPUT = """
0.2600 0.6782 0.5024 0.9492 0.6089 0.7461 1.5332 -0.2123 0.6558 -0.8354 -0.5366 -0.6821
-0.2522 0.2415 -0.0269 -0.1497 0.2256 -0.5239 0.7363 -0.2468 1.6064 1.4170 -0.2213 1.5947
"""
OUTPUT = """
1 2 2 3 2 2 5 -1 2 -3 -2 -2
-1 1 0 0 1 -2 2 -1 5 4 -1 5
"""


@case()
def quantize() -> None:
    """The printed input gives the printed output."""
    x, y = (torch.tensor([float(w) for w in t.split()]).reshape(1, 2, 12) for t in (INPUT, OUTPUT))
    scale = torch.tensor([3] * 12, dtype=torch.float16).npu()
    compiled = graph(Quantize(), dynamic=True)
    got = compiled(x.half().npu(), scale, None, dst_type=torch.qint8, div_mode=False)
    same(got, y.to(torch.int8))


@case()
def trans_quant_param_then_quant_matmul() -> None:
    x1 = torch.randint(-1, 1, (15, 1, 512), dtype=torch.int8)
    x2 = torch.randint(-1, 1, (15, 512, 128), dtype=torch.int8)
    scale, offset = torch.randn(1), torch.randn(1)
    bias = torch.randint(-1, 1, (15, 1, 128), dtype=torch.int32)
    given = (x1, x2, scale, offset, bias)
    output = graph(Product(), dynamic=True)(*(x.npu() for x in given))
    packed = aq.trans_quant_param(scale, offset)
    same(output, aq.quant_matmul(x1, x2, packed, offset=offset, bias=bias))


@case()
def dynamic_quant_asymmetric() -> None:
    x, smooth = torch.randn((2, 4, 6), dtype=torch.float16), torch.randn(6, dtype=torch.float16)
    output = graph(DynamicQuant().npu(), dynamic=True)(x.npu(), smooth_scales=smooth.npu())
    same(output, aq.dynamic_quant_asymmetric(x, smooth_scales=smooth))
    assert "".join(str(each) for each in output).count("tensor(") == 3


if __name__ == "__main__":
    run()
