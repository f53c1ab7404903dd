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


@pytest.mark.parametrize("dtype", ["complex64"])
def test_types_without_numbers_are_refused(run: Run, dtype: str) -> None:
    program = f"""
    import torch, torch_npu
    x = torch.ones(3, dtype=torch.{dtype}).npu()
    try:
        x + 1
    except RuntimeError as error:
        print("allowed: floats, integers, BOOL" in str(error))
    print(x.cpu().tolist(), x[::2].cpu().tolist())
    """
    assert run(program) == "True\n[(1+0j), (1+0j), (1+0j)] [(1+0j), (1+0j)]\n"
