"""The everyday operators against torch on the CPU: equal, or as near as one rounding brings them."""

# ruff: noqa: E501  (programs as texts)
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]

PROGRAMS = sorted(
    path.stem
    for path in (Path(__file__).parent / "programs").glob("*.py")
    if path.stem != "compare"
)


@pytest.mark.parametrize("program", PROGRAMS)
def test_results_are_those_of_the_cpu(run_file: Run, program: str) -> None:
    """Each comparison of the program is made, and every one that fails is shown."""
    report = json.loads(run_file(program).splitlines()[-1])
    assert report["failures"] == [], "\n".join(report["failures"])
    assert report["comparisons"] > 20


def test_printing(run: Run) -> None:
    program = """
    import torch, torch_npu
    print(torch.tensor([1.5, -2, float("nan"), float("inf")]).npu())
    print(torch.tensor([6., 8., 10., 12.]).half().npu())
    print(torch.tensor([[1, 2], [3, 4]], dtype=torch.bfloat16).npu())
    print(torch.tensor([1e-8, 1e8]).npu())
    print(torch.arange(2000.).npu())
    print(torch.arange(3000).reshape(1000, 3).npu())
    print(torch.tensor([], device="npu"), torch.tensor([True, False]).npu())
    """
    assert (
        run(program)
        == """\
tensor([ 1.5000, -2.0000,     nan,     inf], device='npu:0')
tensor([ 6.,  8., 10., 12.], device='npu:0', dtype=torch.float16)
tensor([[1., 2.],
        [3., 4.]], device='npu:0', dtype=torch.bfloat16)
tensor([1.0000e-08, 1.0000e+08], device='npu:0')
tensor([0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 1.9970e+03, 1.9980e+03,
        1.9990e+03], device='npu:0')
tensor([[   0,    1,    2],
        [   3,    4,    5],
        [   6,    7,    8],
        ...,
        [2991, 2992, 2993],
        [2994, 2995, 2996],
        [2997, 2998, 2999]], device='npu:0')
tensor([], device='npu:0') tensor([ True, False], device='npu:0')
"""
    )


@pytest.mark.parametrize("level", ["0", "1", "2"])
def test_a_missing_operator_is_named_by_the_exception(run: Run, level: str) -> None:
    """At level 2 torch_npu raises at the next synchronisation, and its queue stops for good."""
    program = """
    import torch, torch_npu
    x = torch.tensor([[1.5, 2.0], [3.0, 4.0]]).npu()
    level = int(__import__("os").environ["TASK_QUEUE_ENABLE"])
    for call, name in ((lambda: torch.linalg.qr(x), "aclnnLinalgQr"), (lambda: x.renorm(2, 0, 1), "aclnnRenorm")):
        for _ in range(3):
            try:
                call()
                torch.npu.synchronize()
                print("nothing was raised")
            except RuntimeError as error:
                assert name in str(error), error
                assert level == 2 or f"got '{name}'" in str(error), error
            if level == 2:
                raise SystemExit(print("done"))
            assert (x + 1).tolist() == [[2.5, 3.0], [4.0, 5.0]]
    print("done")
    """
    assert run(program, TASK_QUEUE_ENABLE=level) == "done\n"


def test_types_that_cann_does_not_add_are_refused(run: Run) -> None:
    """Each is named; copies of it are whole."""
    program = """
    import torch, torch_npu
    for dtype, name in (
        (torch.uint16, "UINT16"), (torch.uint32, "UINT32"), (torch.float8_e4m3fn, "FLOAT8_E4M3FN"),
    ):
        on_cpu = torch.arange(4).to(dtype)
        x = on_cpu.npu()
        try:
            x + x
            print("added", dtype)
        except RuntimeError as error:
            assert f"got dtype {name}; allowed: FLOAT" in str(error), error
        assert x.cpu().view(torch.uint8).equal(on_cpu.view(torch.uint8)), dtype
    """
    assert run(program) == ""


def test_complex_numbers(run: Run) -> None:
    program = """
    import torch, torch_npu
    for dtype in (torch.complex64, torch.complex128):
        on_cpu = torch.tensor([1 + 2j, -3j, 0.5, 4], dtype=dtype)
        x = on_cpu.npu()
        for f in (
            lambda x: x + 1, lambda x: 2j * x, lambda x: x - x.flip(0), lambda x: x == 0.5,
            lambda x: x[::2], torch.real, torch.imag, torch.Tensor.neg,
        ):
            got, expected = f(x).cpu(), f(on_cpu)
            assert got.dtype == expected.dtype, f
            torch.testing.assert_close(got, expected, rtol=0, atol=0, equal_nan=True)
    """
    assert run(program) == ""


def test_gelu_has_both_formulas_when_torch_npu_is_told_to_be_compatible(run: Run) -> None:
    """It decides at the first call, between aclnnGelu and aclnnGeluV2."""
    program = """
    import torch, torch_npu
    torch_npu.npu.use_compatible_impl(True)
    for approximate in ("none", "tanh"):
        results = []
        for device in ("cpu", "npu"):
            x = torch.linspace(-4, 4, 99).to(device).requires_grad_()
            y = torch.nn.functional.gelu(x, approximate=approximate)
            y.sum().backward()
            results.append((y.detach().cpu(), x.grad.cpu()))
        torch.testing.assert_close(*results)
    """
    assert run(program) == ""
