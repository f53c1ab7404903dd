"""What is printed, types that are refused, complex numbers."""

from __future__ import annotations

import torch
import torch_npu  # noqa: F401  (brings the device)
from cases import case, raises, run

PRINTED = (
    (
        torch.tensor([1.5, -2, float("nan"), float("inf")]),
        "tensor([ 1.5000, -2.0000,     nan,     inf], device='npu:0')",
    ),
    (
        torch.tensor([6.0, 8.0, 10.0, 12.0]).half(),
        "tensor([ 6.,  8., 10., 12.], device='npu:0', dtype=torch.float16)",
    ),
    (
        torch.tensor([[1, 2], [3, 4]], dtype=torch.bfloat16),
        "tensor([[1., 2.],\n        [3., 4.]], device='npu:0', dtype=torch.bfloat16)",
    ),
    (torch.tensor([1e-8, 1e8]), "tensor([1.0000e-08, 1.0000e+08], device='npu:0')"),
    (
        torch.arange(2000.0),
        "tensor([0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 1.9970e+03, 1.9980e+03,\n"
        "        1.9990e+03], device='npu:0')",
    ),
    (
        torch.arange(3000).reshape(1000, 3),
        "tensor([[   0,    1,    2],\n        [   3,    4,    5],\n        [   6,    7,    8],\n"
        "        ...,\n        [2991, 2992, 2993],\n        [2994, 2995, 2996],\n"
        "        [2997, 2998, 2999]], device='npu:0')",
    ),
    (torch.tensor([]), "tensor([], device='npu:0')"),
    (torch.tensor([True, False]), "tensor([ True, False], device='npu:0')"),
)


@case()
def printing() -> None:
    for x, expected in PRINTED:
        assert str(x.npu()) == expected, x.npu()


@case("uint16", "uint32", "float8_e4m3fn")
def types_that_cann_does_not_add_are_refused(name: str) -> None:
    """Each is named; copies of it are whole."""
    on_cpu = torch.arange(4).to(getattr(torch, name))
    x = on_cpu.npu()
    raises(f"got dtype {name.upper()}; allowed: FLOAT", lambda: x + x)
    assert x.cpu().view(torch.uint8).equal(on_cpu.view(torch.uint8))


@case("complex64", "complex128")
def complex_numbers(name: str) -> None:
    on_cpu = torch.tensor([1 + 2j, -3j, 0.5, 4], dtype=getattr(torch, name))
    x = on_cpu.npu()
    for f in (
        lambda x: x + 1,
        lambda x: 2j * x,
        lambda x: x - x.flip(0),
        lambda x: x == 0.5,
        lambda x: x[::2],
        torch.real,
        torch.imag,
        torch.Tensor.neg,
    ):
        got, expected = f(x).cpu(), f(on_cpu)
        assert got.dtype == expected.dtype, f
        torch.testing.assert_close(got, expected, rtol=0, atol=0, equal_nan=True)


if __name__ == "__main__":
    run()
