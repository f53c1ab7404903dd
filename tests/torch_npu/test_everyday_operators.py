"""The everyday operators against torch on the CPU: equal, or as near as one rounding brings them."""

# ruff: noqa: E501  (programs as texts)
from __future__ import annotations

from collections.abc import Callable

import pytest

Run = Callable[..., str]

COMPARE = """
    import itertools, operator, torch, torch_npu
    torch.manual_seed(0)
    F = torch.nn.functional
    FLOATS = (torch.float32, torch.float16, torch.bfloat16)
    INTEGERS = (torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64)

    def views(dtype):
        wide = torch.randint(-9, 10, (4, 5, 6))
        if dtype.is_floating_point:
            x = torch.randn(4, 5, 6) * 3
            x[0, 0, :4] = torch.tensor([float("nan"), float("inf"), -float("inf"), -0.0])
        else:
            x = wide.abs() if dtype in (torch.uint8, torch.bool) else wide
        x = x.to(dtype)
        yield x
        yield x.transpose(0, 2)
        yield x[:, 1:4, ::2]
        yield x[0, 0, 0]
        yield x[:0]

    def same(got, expected, exact=True):
        got = got.cpu() if isinstance(got, torch.Tensor) else got
        if not isinstance(expected, torch.Tensor):
            assert got == expected, (got, expected)
            return
        assert got.dtype == expected.dtype and got.shape == expected.shape, (got, expected)
        if exact:
            assert torch.equal(torch.isnan(got), torch.isnan(expected)), (got, expected)
            equal = (got == expected) | torch.isnan(expected)
            assert equal.all(), (got[~equal], expected[~equal])
        else:
            torch.testing.assert_close(got, expected, equal_nan=True)

    def check(function, *arguments, exact=True):
        there = [a.npu() if isinstance(a, torch.Tensor) else a for a in arguments]
        # .npu() keeps no strides of slices: make the view over again on the device.
        for index, a in enumerate(arguments):
            if isinstance(a, torch.Tensor) and a.numel() and not a.is_contiguous():
                base = torch.empty_strided(a.size(), a.stride(), dtype=a.dtype, device="npu")
                there[index] = base.copy_(a.npu())
        expected = function(*arguments)
        got = function(*there)
        many = isinstance(expected, tuple)
        for one, other in zip(got if many else [got], expected if many else [expected]):
            same(one, other, exact)
"""


def test_one_input(run: Run) -> None:
    program = """
    for dtype in FLOATS:
        for x in views(dtype):
            for f in (torch.abs, torch.neg, torch.sign, torch.ceil, torch.floor, torch.trunc,
                      torch.round, torch.isfinite, torch.isnan, torch.logical_not, torch.relu):
                check(f, x)
            for f in (torch.exp, torch.log, torch.sin, torch.cos, torch.tanh, torch.sigmoid,
                      torch.expm1, torch.log1p, torch.erf, F.silu, torch.rsqrt):
                check(f, x, exact=False)
            for f in (torch.sqrt, torch.reciprocal):
                check(f, x)
    for dtype in (*INTEGERS, torch.bool):
        for x in views(dtype):
            check(torch.bitwise_not, x)
            check(torch.logical_not, x)
            if dtype not in (torch.bool, torch.uint8):
                check(torch.abs, x), check(torch.neg, x), check(torch.sign, x)
            check(torch.sqrt, x)
    for f in (torch.Tensor.exp_, torch.Tensor.sqrt_, torch.Tensor.relu_, torch.Tensor.ceil_):
        check(lambda x: f(x.clone()), torch.randn(5, 5), exact=False)
    print("done")
    """
    assert run(COMPARE + program) == "done\n"


def test_two_inputs(run: Run) -> None:
    program = """
    COMPARISONS = (operator.eq, operator.ne, operator.gt, operator.ge, operator.lt, operator.le)
    for dtype in (*FLOATS, *INTEGERS):
        for x in views(dtype):
            others = [x.flip(0) if x.dim() else x, x[..., :1] if x.dim() else x, torch.tensor(3).to(dtype), 3]
            for y in others:
                for f in (operator.add, operator.sub, operator.mul, *COMPARISONS):
                    check(f, x, y)
                if isinstance(y, torch.Tensor):
                    check(torch.maximum, x, y), check(torch.minimum, x, y)
                    check(torch.logical_and, x, y), check(torch.logical_xor, x, y)
                    check(torch.isclose, x, y)
            check(operator.truediv, x, 4)
            check(operator.floordiv, x, 3), check(operator.mod, x, 3), check(torch.fmod, x, 3)
            check(lambda x: 5 - x, x)
            if dtype.is_floating_point:
                check(operator.gt, x, 0.1), check(operator.mul, x, 0.1), check(operator.truediv, x, x)
                check(operator.pow, x, 2), check(operator.pow, x.abs(), 0.5, exact=False)
            else:
                check(operator.and_, x, 3), check(operator.or_, x, x), check(operator.xor, x, x)
                check(operator.gt, x, 1.5), check(operator.add, x, 1.5)
    for a, b in itertools.product((*FLOATS, *INTEGERS, torch.bool), repeat=2):
        check(operator.add, torch.tensor([1, 0, 1]).to(a), torch.tensor([[1], [0]]).to(b))
        check(operator.mul, torch.tensor([1, 0, 1]).to(a), torch.tensor([[1], [0]]).to(b))
        check(operator.eq, torch.tensor([1, 0, 1]).to(a), torch.tensor([[1], [0]]).to(b))
    for f in (torch.Tensor.add_, torch.Tensor.sub_, torch.Tensor.mul_, torch.Tensor.div_):
        x = torch.randn(3, 4)
        check(lambda x: f(x.clone(), 1.5), x), check(lambda x: f(x.clone(), x[:1]), x)
    check(lambda x: torch.add(x, x, alpha=3), torch.randn(5))
    for mode in ("floor", "trunc", None):
        check(lambda x: torch.div(x, -3, rounding_mode=mode), torch.arange(-9, 9))
        check(lambda x: torch.div(x, -0.75, rounding_mode=mode), torch.randn(50))
    print("done")
    """
    assert run(COMPARE + program) == "done\n"


def test_reductions(run: Run) -> None:
    program = """
    for dtype in (*FLOATS, *INTEGERS):
        for x in views(dtype):
            x = x.nan_to_num(1, 2, -2)
            check(torch.sum, x, exact=not dtype.is_floating_point)
            if not x.numel():
                continue
            check(torch.max, x), check(torch.min, x)
            for dim in range(-x.dim(), x.dim()):
                for keep in (False, True):
                    check(lambda x: x.sum(dim, keepdim=keep), x, exact=not dtype.is_floating_point)
                    check(lambda x: x.amax(dim, keepdim=keep), x)
                    check(lambda x: x.max(dim, keepdim=keep)[0], x)
                    check(lambda x: x.min(dim, keepdim=keep)[0], x)
                    check(lambda x: x.any(dim, keepdim=keep), x)
                    check(lambda x: x.all(dim, keepdim=keep), x)
                if dtype.is_floating_point:
                    check(lambda x: x.mean(dim), x, exact=False)
                    # torch rounds on the way; the results here are those of double precision.
                    for f in (torch.softmax, torch.log_softmax):
                        same(f(x.npu(), dim), f(x.double(), dim).to(dtype), exact=False)
                if dtype.is_floating_point:
                    # torch's own running sums round at every step.
                    same(x.npu().cumsum(dim), x.double().cumsum(dim).to(dtype))
                else:
                    check(lambda x: x.cumsum(dim), x)
    x = torch.randperm(60).reshape(3, 4, 5).float()
    for dim in (0, 1, -1):
        check(lambda x: x.argmax(dim), x), check(lambda x: x.max(dim), x), check(lambda x: x.min(dim), x)
    check(lambda x: x.sum((0, 2)), x), check(lambda x: x.mean((0, 2)), x), check(torch.prod, x[0, :2] / 9, exact=False)
    check(lambda x: x.max(), torch.tensor([1, float("nan"), 3]))
    check(torch.equal, x, x), check(torch.equal, x, x + 1), check(torch.equal, x, x[0])
    check(torch.allclose, x, x + 1e-6)
    large = torch.randn(300, 700)
    check(lambda x: x.sum(0), large, exact=False), check(lambda x: x.t().amax(1), large)
    print("done")
    """
    assert run(COMPARE + program) == "done\n"


def test_moving_and_making(run: Run) -> None:
    program = """
    for source, target in itertools.product((*FLOATS, *INTEGERS, torch.bool), repeat=2):
        for x in views(source):
            x = x.nan_to_num(1, 2, -2)
            if source.is_floating_point and target == torch.uint8:
                x = x.abs()
            check(lambda x: x.to(target), x)
            check(lambda x: x.contiguous(), x)
    x = torch.randn(3, 4, 5)
    check(lambda x: torch.cat([x, x[:1], x], 0), x), check(lambda x: torch.cat([x, x], -1), x)
    check(lambda x: torch.stack([x, x, x], 1), x), check(lambda x: torch.stack([x.t()], 2), x[0])
    check(lambda x: x.flip(0, 2), x), check(lambda x: x.repeat(2, 1, 3), x)
    check(torch.tril, x), check(lambda x: torch.triu(x, 1), x)
    check(torch.masked_select, x, x > 0), check(torch.masked_select, x, x[0] > 0)
    check(lambda x, m: x.masked_fill(m, 2.5), x, x > 0)
    check(torch.where, x > 0, x, -x), check(lambda x: x.clamp(-0.5, 0.5), x), check(lambda x: x.clamp(min=0), x)
    i = torch.tensor([2, 0, -1])
    check(lambda x, i: x[i], x, i), check(lambda x, i: x[:, i], x, i), check(lambda x, i: x[i, :, i], x, i)
    check(lambda x, i: x[i, i], x, i), check(lambda x, i: x[:, i, i], x, i), check(lambda x, i: x[i[:, None], i], x, i)
    check(lambda x, i: x.index_select(1, i), x, i.abs())
    check(lambda x, i: x.gather(0, i), x, torch.randint(0, 3, (2, 4, 5)))
    check(torch.matmul, x, x.transpose(1, 2).contiguous(), exact=False)
    check(torch.matmul, x[0], x[0, 0], exact=False), check(torch.matmul, x[0], x[0].t(), exact=False)
    check(F.linear, x, x[0], exact=False), check(torch.bmm, x, x.transpose(1, 2), exact=False)
    for d in ("cpu", "npu"):
        made = [torch.zeros(3, device=d), torch.ones(2, 3, dtype=torch.int8, device=d),
                torch.full((2,), 2.5, device=d), torch.arange(5, device=d), torch.arange(1, 2, 0.25, device=d),
                torch.linspace(0, 1, 7, device=d), torch.eye(3, device=d), torch.zeros(2, 3, device=d)]
        made[-1][:, 1] = 7
        made[-1][1] = torch.arange(3, device=d)
        if d == "cpu":
            expected = made
    for one, other in zip(made, expected):
        same(one, other, exact=one.shape != (7,))  # torch rounds the steps of linspace
    torch.npu.manual_seed(5)
    x = torch.randn(100000, device="npu").cpu()
    assert abs(x.mean()) < 0.02 and abs(x.std() - 1) < 0.02
    torch.npu.manual_seed(5)
    assert torch.equal(torch.randn(100000, device="npu").cpu(), x)
    x = torch.rand(100000, device="npu", dtype=torch.float16).cpu()
    assert 0 <= x.min() and x.max() < 1 and abs(x.float().mean() - 0.5) < 0.01
    x = torch.randint(-3, 4, (10000,), device="npu").cpu()
    assert set(x.tolist()) == set(range(-3, 4))
    print("done")
    """
    assert run(COMPARE + program) == "done\n"


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


def test_a_missing_operator_is_an_exception_and_no_more(run: Run) -> None:
    program = """
    import sys, torch, torch_npu
    x = torch.tensor([[1.5, 2.0], [3.0, 4.0]]).npu()
    for _ in range(3):
        try:
            torch.linalg.qr(x)
        except RuntimeError as error:
            assert "disabled" in str(error)
    assert (x + 1).tolist() == [[2.5, 3.0], [4.0, 5.0]]
    """
    assert "aclquant: the host device has no operator aclnnLinalgQr\n" in run(program, errors=True)


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
