"""The exception for a missing operator names it. At level 2 the queue then stops for good."""

from __future__ import annotations

import os
from collections.abc import Callable

import torch
import torch_npu  # noqa: F401  (brings the device)
from cases import case, raises, run

RUNS = {
    "level_0": {"TASK_QUEUE_ENABLE": "0"},
    "level_1": {"TASK_QUEUE_ENABLE": "1"},
    "level_2": {"TASK_QUEUE_ENABLE": "2"},
}
LATE = os.environ.get("TASK_QUEUE_ENABLE") == "2"


def named(name: str, call: Callable[[], object]) -> None:
    def waited() -> None:
        call()
        torch.npu.synchronize()

    message = raises(name, waited)
    assert LATE or f"got '{name}'" in message, message


@case()
def svd_then_histc() -> None:
    x = torch.tensor([[1.5, 2.0], [3.0, 4.0]]).npu()
    if LATE:  # torch_npu raises at the next synchronisation
        named("aclnnSvd", lambda: torch.linalg.svd(x))
        return
    for _ in range(3):
        named("aclnnSvd", lambda: torch.linalg.svd(x))
        named("aclnnHistc", lambda: torch.histc(x, 4))
        assert (x + 1).tolist() == [[2.5, 3.0], [4.0, 5.0]]


if __name__ == "__main__":
    run()
