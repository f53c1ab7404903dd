"""What cannot run says so at once, through torchair's exception, and the device stays usable.

With the task queue that reports other errors late.
"""

from __future__ import annotations

import numpy as np
import torch
import torch_npu
from cases import case, raises, run
from compiled import graph

import aclquant as aq

RUNS = {"level_2": {"TASK_QUEUE_ENABLE": "2"}}
NEEDS = ("packaging", "google.protobuf")


def halves() -> torch.Tensor:
    return torch.randn(4, 16).half().npu()


def works() -> None:
    x = halves()
    y = graph(lambda x: torch_npu.npu_dynamic_quant(x)[0])(x)
    assert np.array_equal(y.cpu(), aq.dynamic_quant(x.cpu())[0])


@case()
def a_node_that_the_device_does_not_have() -> None:
    """When the graph is compiled."""
    compiled = graph(lambda x: torch.sort(torch.cumsum(x, 0)))
    message = raises("the host device cannot run this graph", compiled, halves())
    assert "Cumsum" in message and "Sort" in message, message
    works()


@case()
def a_refusal_of_phase_1() -> None:
    """When it runs, with the sentence of phase 1 and the node's name."""
    compiled = graph(lambda x, s: torch_npu.npu_quantize(x, s, None, torch.qint8, 1))
    message = raises(
        "got shape (5,); allowed: (1,) or (16,)", compiled, halves(), torch.ones(5).npu()
    )
    node = "graph node 'Quantize' (Quantize): [161002 ACLNN_ERR_PARAM_INVALID] "
    assert node + "aclnnQuantizeGetWorkspaceSize: argument 'scales'" in message, message
    works()


@case()
def a_refused_type() -> None:
    compiled = graph(lambda x, s: torch_npu.npu_dynamic_quant(x, smooth_scales=s))
    message = raises("got dtype FLOAT; allowed: FLOAT16", compiled, halves(), torch.ones(16).npu())
    argument = "aclnnDynamicQuantV2GetWorkspaceSize: argument 'smoothScalesOptional'"
    assert argument in message, message
    works()


if __name__ == "__main__":
    run()
