"""``aclquant.activate`` in the running process, without ``aclquant run``."""

from __future__ import annotations

from cases import case, run

import aclquant

aclquant.activate()

import torch  # noqa: E402

LAUNCHER = False


@case()
def active() -> None:
    assert torch.tensor([1.5, 2]).npu().cpu().tolist() == [1.5, 2.0]
    assert aclquant.backend().name == "host"


if __name__ == "__main__":
    run()
