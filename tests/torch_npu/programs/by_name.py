"""Operators called by name: what torch gives on the CPU, in the order of a slow stream."""

from __future__ import annotations

import torch
import torch_npu
from cases import case, run

RUNS = {"slow_stream": {"ACLQUANT_HOST_DELAY": "50", "ACLQUANT_HOST_POISON": "1"}}
NEEDS = ("packaging", "google.protobuf")

torch.npu.manual_seed(3)
TYPES = (torch.float32, torch.float16)
DRAWN = [torch.randn(5, 7, device="npu", dtype=dtype).cpu() for dtype in TYPES]
torch_npu.npu.set_compile_mode(jit_compile=True)


@case()
def random_numbers() -> None:
    """They are those of the other way."""
    torch.npu.manual_seed(3)
    for one in DRAWN:
        other = torch.randn(5, 7, device="npu", dtype=one.dtype).cpu()
        assert torch.equal(one, other), (one, other)


@case("float32", "float16")
def operators(name: str) -> None:
    dtype, inf, nan = getattr(torch, name), float("inf"), float("nan")
    a = torch.tensor([[1.5, -2.25, inf, 0.0], [nan, 1e-3, 7.0, -0.0]], dtype=dtype)
    b = torch.tensor([[1.5, 3.0, 1.0, -1.0], [2.0, -1e-3, 0.5, 4.0]], dtype=dtype)
    finite = torch.arange(24, dtype=dtype).reshape(2, 3, 4).sin()
    x, y, z = a.npu(), b.npu(), finite.npu()
    for one, other in (
        (x + y, a + b),
        (x + 2, a + 2),
        (x * y, a * b),
        (x * 3, a * 3),
        (x / y, a / b),
        (x / 2, a / 2),
        (x > y, a > b),
        (x > 1, a > 1),
        (x < y, a < b),
        (x < 1, a < 1),
        (x != y, a != b),
        (x != 1.5, a != 1.5),
        (x.abs(), a.abs()),
        (x.ceil(), a.ceil()),
        (torch.isfinite(x), torch.isfinite(a)),
        ((x > 0) & (y > 0), (a > 0) & (b > 0)),
        (torch.masked_select(y, y > 1), b[b > 1]),
        (torch.masked_select(y, y > 9), b[b > 9]),
        (z.max(), finite.max()),
        (z.min(), finite.min()),
        (z.amax((0, 2)), finite.amax((0, 2))),
        (z.amin(1, keepdim=True), finite.amin(1, keepdim=True)),
    ):
        torch.testing.assert_close(one.cpu(), other, rtol=0, atol=0, equal_nan=True)


if __name__ == "__main__":
    run()
