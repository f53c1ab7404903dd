"""Operators that are called by name and missing are refused by name.

At once before compiled operators are requested; afterwards at the latest in a call that waits.
"""

from __future__ import annotations

import torch
import torch_npu
from cases import case, raises, run

RUNS = {
    "level_0": {"TASK_QUEUE_ENABLE": "0"},
    "level_1": {"TASK_QUEUE_ENABLE": "1"},
    "level_2": {"TASK_QUEUE_ENABLE": "2"},
}
NEEDS = ("packaging", "google.protobuf")


@case()
def at_once() -> None:
    x = torch.ones(4, 8).npu()
    boxes = x[:, :4].contiguous()
    text = "the host device has no operators of this kind ready made"
    for _ in range(2):
        raises(text, lambda: torch_npu.npu_ciou(x, x, True, False, 0))
        assert (x + 1).sum().item() == 64
        raises(text, lambda: torch_npu.npu_bounding_box_encode(boxes, boxes, *[0] * 4, *[1] * 4))
        assert (x + 1).sum().item() == 64


@case()
def later() -> None:
    """The last case: torch_npu's queue may have stopped."""
    x = torch.ones(4, 8).npu()
    torch_npu.npu.set_compile_mode(jit_compile=True)
    assert x.abs().cpu().sum() == 32
    event = torch.npu.Event()

    def waited() -> None:
        torch.atan2(x, x)
        event.record()
        event.synchronize()
        torch.npu.synchronize()

    raises("Atan2", waited)


if __name__ == "__main__":
    run()
