"""What stands around the operators of a graph: everyday nodes, memory, order on slow streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch_npu
from cases import case, run
from compiled import graph

import aclquant as aq

RUNS = {"slow_stream": {"ACLQUANT_HOST_DELAY": "50", "ACLQUANT_HOST_POISON": "1"}}
NEEDS = ("packaging", "google.protobuf")


def arithmetic(x, s):
    y = (x * s + 2.0) / 3.0 - x.abs().sqrt()
    return torch_npu.npu_dynamic_quant(torch.maximum(y.relu(), -x).float().half())


def views(x, s):
    y = torch.cat([x, x.transpose(0, 1).reshape(x.shape)], -1)
    quantised = torch_npu.npu_dynamic_quant(y.reshape(-1, 2 * s.shape[0]))
    return quantised, y.permute(2, 0, 1), x.unsqueeze(1).squeeze(1)


def constants(x, s):
    y = x + torch.ones(16, device="npu").half() * s
    quantised = torch_npu.npu_quantize(y, s, None, torch.qint8, -1, False)
    return quantised, torch.full((3,), 2.0, device="npu")


def inputs(x, s):
    """An input as a result, and a result twice, are separate tensors."""
    y = x + s
    return x.reshape(-1), y, y.reshape(-1)


def flat(values: Any) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, tuple):
            yield from flat(value)
        else:
            yield value


@case("arithmetic", "views", "constants", "inputs")
def everyday_nodes(name: str) -> None:
    function = globals()[name]
    x, s = torch.randn(4, 6, 16).half().npu(), torch.rand(16).half().npu()
    for dynamic in (False, True):
        outside, inside = function(x, s), graph(function, dynamic=dynamic)(x, s)
        for one, other in zip(flat(inside), flat(outside), strict=True):
            assert one.dtype == other.dtype and torch.equal(one.cpu(), other.cpu()), (one, other)


@case()
def memory_and_order() -> None:
    """Results are used by what follows on the stream, and dropped, before the work is done."""
    wide = torch.randn(300, 2, 4096).half()
    expected = aq.dynamic_quant(wide.transpose(0, 1).contiguous())[0].astype(np.int32) + 1
    held = []
    for stream in (torch.npu.current_stream(), torch.npu.Stream()):
        stream.wait_stream(torch.npu.default_stream())
        # torchair: one stream each
        quantized = graph(lambda x: torch_npu.npu_dynamic_quant(x)[0], dynamic=True)
        with torch.npu.stream(stream):
            on = wide.npu().transpose(0, 1)
            for _ in range(20):
                y = quantized(on).int() + 1
                del on
                on = wide.npu().transpose(0, 1)
            assert np.array_equal(y.cpu(), expected)
        del y, on
        held.append(torch.npu.memory_allocated())
    assert held[0] == held[1], held  # nothing is kept from run to run


if __name__ == "__main__":
    run()
