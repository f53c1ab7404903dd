"""torch_npu's quantisation functions give, bit for bit, what aclquant's own functions give."""

# ruff: noqa: E501  (programs as texts)
from __future__ import annotations

from collections.abc import Callable

import pytest

Run = Callable[..., str]

COMPARE = """
    import numpy as np, torch, torch_npu
    import aclquant as aq

    torch.manual_seed(1)
    FLOATS = (torch.float32, torch.float16, torch.bfloat16)

    def strided(x):
        "The same values with other strides: transposed, every second, and as they are."
        yield x.npu()
        if x.dim() > 1:
            yield x.transpose(0, -1).contiguous().npu().transpose(0, -1)
            wide = torch.zeros(*x.shape[:-1], 2 * x.shape[-1], dtype=x.dtype)
            wide[..., ::2] = x
            yield wide.npu()[..., ::2]

    def same(got, expected):
        many = isinstance(got, tuple)
        for one, other in zip(got if many else [got], expected if many else [expected]):
            if isinstance(other, np.ndarray) and other.dtype == aq.bfloat16.numpy:
                other = torch.as_tensor(other.view(np.int16)).view(torch.bfloat16)
            one, other = one.cpu(), torch.as_tensor(other)
            assert one.dtype == other.dtype and one.shape == other.shape, (one, other)
            width = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[one.element_size()]
            assert torch.equal(one.view(width), other.view(width)), (one, other)

    def device(x):
        return None if x is None else x.npu()

    def quantize_all():
        for dtype in FLOATS:
            for shape in ((7,), (3, 16), (2, 5, 24), (2, 1, 3, 8), (300, 257)):
                x = (torch.randn(shape) * 40).to(dtype)
                for axis in range(-len(shape), len(shape)):
                    size = shape[axis]
                    scales = (torch.rand(size) + 0.5).to(torch.bfloat16 if dtype == torch.bfloat16 else torch.float32)
                    zero = torch.randint(-5, 6, (size,), dtype=torch.int32)
                    points = zero.bfloat16() if dtype == torch.bfloat16 else zero
                    for target in (torch.qint8, torch.quint8, torch.qint32):
                        z = points.abs() if target == torch.quint8 else points
                        for on in strided(x):
                            same(torch_npu.npu_quantize(on, scales.npu(), z.npu(), target, axis),
                                 aq.quantize(x, scales, z, target, axis))
                    if shape == (300, 257):
                        break
                scale = (torch.rand(shape[-1]) + 0.5).to(dtype)
                offset = torch.randn(shape[-1]).to(dtype)
                for target in (torch.qint8, torch.quint4x2):
                    if target == torch.quint4x2 and shape[-1] % 8:
                        continue
                    for given in (offset, None):
                        for on in strided(x):
                            same(torch_npu.npu_quantize(on, scale.npu(), device(given), target, -1, False),
                                 aq.quantize(x, scale, given, target, -1, False))

    def anti_quant_all():
        for shape in ((8,), (3, 16), (2, 3, 8), (100, 400)):
            for source in (torch.int8, torch.int32):
                x = torch.randint(-128, 128, shape).to(source)
                size = shape[-1] * (8 if source == torch.int32 else 1)
                for count in (1, size):
                    scale, offset = torch.rand(count), torch.randn(count)
                    for target in (torch.float16, torch.bfloat16):
                        for given in (offset, None):
                            for on in strided(x):
                                same(torch_npu.npu_anti_quant(on, scale.npu(), offset=device(given), dst_dtype=target),
                                     aq.anti_quant(x, scale, offset=given, dst_dtype=target))

    def trans_all():
        for count in (1, 16, 1000):
            scale, offset = torch.rand(count), torch.randn(count) * 100
            for given in (None, offset):
                for rounding in (0, 1):
                    same(torch_npu.npu_trans_quant_param(scale.npu(), device(given), rounding),
                         aq.trans_quant_param(scale, given, rounding))

    def dynamic_all():
        for dtype in (torch.float16, torch.bfloat16):
            for shape in ((3, 8), (2, 5, 24), (1, 1, 2, 16), (200, 512)):
                x = (torch.randn(shape) * 5).to(dtype)
                smooth = (torch.rand(shape[-1]) + 0.5).to(dtype)
                for given in (None, smooth):
                    for target in (torch.int8, torch.quint4x2):
                        for on in strided(x):
                            same(torch_npu.npu_dynamic_quant_asymmetric(on, smooth_scales=device(given), dst_type=target),
                                 aq.dynamic_quant_asymmetric(x, smooth_scales=given, dst_type=target))
                same(torch_npu.npu_dynamic_quant_asymmetric(x.npu(), quant_mode="pertensor"),
                     aq.dynamic_quant_asymmetric(x, quant_mode="pertensor"))
            x = torch.randn(6, 16).to(dtype)
            smooth = (torch.rand(2, 16) + 0.5).to(dtype)
            groups = torch.tensor([2, 6], dtype=torch.int32)
            same(torch_npu.npu_dynamic_quant_asymmetric(x.npu(), smooth_scales=smooth.npu(), group_index=groups.npu()),
                 aq.dynamic_quant_asymmetric(x, smooth_scales=smooth, group_index=groups))
            y, scale = torch_npu.npu_dynamic_quant(x.npu())
            assert y.dtype == torch.int8 and scale.shape == (6,)
            back = y.cpu().float() * scale.cpu()[:, None]
            assert (back - x.float()).abs().max() <= scale.max().cpu() * 0.51 + 0.01
"""


@pytest.mark.parametrize("level", ["0", "1", "2"])
def test_equal_at_every_level_of_the_task_queue(run: Run, level: str) -> None:
    program = """
    quantize_all(), anti_quant_all(), trans_all(), dynamic_all()
    print("done")
    """
    assert run(COMPARE + program, TASK_QUEUE_ENABLE=level) == "done\n"


def test_threads_and_another_stream(run: Run) -> None:
    program = """
    import threading
    failures = []

    def work(seed):
        try:
            stream = torch.npu.Stream() if seed % 2 else torch.npu.current_stream()
            generator = torch.Generator().manual_seed(seed)
            with torch.npu.stream(stream):
                for _ in range(150):
                    x = torch.randn(17, 40, generator=generator)
                    scale = torch.rand(40, generator=generator) + 0.5
                    got = torch_npu.npu_quantize(x.npu(), scale.npu(), None, torch.qint8, -1)
                    back = torch_npu.npu_anti_quant(got, scale.npu())
                    expected = aq.quantize(x, scale, None, torch.qint8, -1)
                    same(got, expected)
                    same(back, aq.anti_quant(expected, scale))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    [t.start() for t in threads], [t.join() for t in threads]
    if failures:
        raise failures[0]
    print("done")
    """
    assert run(COMPARE + program) == "done\n"


@pytest.mark.parametrize("level", ["0", "1"])
def test_a_refused_call_says_why_and_leaves_the_device_usable(run: Run, level: str) -> None:
    program = """
    import torch, torch_npu
    x, scale = torch.ones(2, 8).npu(), torch.ones(3).npu()
    for _ in range(2):
        try:
            torch_npu.npu_quantize(x, scale, None, torch.qint8, -1)
        except RuntimeError as error:
            text = str(error)
            print("161002" in text, "argument 'scales': got shape (3,)" in text)
    print(torch_npu.npu_quantize(x, scale[:1], None, torch.qint8, -1).sum().item())
    """
    assert run(program, TASK_QUEUE_ENABLE=level) == "True True\nTrue True\n16\n"


def test_printed_examples_of_the_documents(run: Run) -> None:
    program = """
    import torch, torch_npu
    x = torch.tensor([1, 2, 3, 4], dtype=torch.int8).npu()
    scale, offset = torch.tensor([2.0]).npu(), torch.tensor([2.0]).npu()
    print(torch_npu.npu_anti_quant(x, scale, offset=offset, dst_dtype=torch.float16))
    """
    assert run(program) == "tensor([ 6.,  8., 10., 12.], device='npu:0', dtype=torch.float16)\n"


def test_matrix_products_and_symmetric_quantisation(run: Run) -> None:
    program = """
    x1 = torch.randint(-5, 6, (3, 5, 64), dtype=torch.int8)
    x2 = torch.randint(-5, 6, (3, 64, 32), dtype=torch.int8)
    for scale in (torch.rand(1) + 0.1, torch.rand(32) + 0.1):
        for bias in (None, torch.randint(-9, 10, (32,), dtype=torch.int32)):
            packed = aq.trans_quant_param(scale)
            packed = torch.as_tensor(packed)
            for target in (torch.int8, torch.float16):
                same(torch_npu.npu_quant_matmul(x1.npu(), x2.npu(), packed.npu(), bias=device(bias), output_dtype=target),
                     aq.quant_matmul(x1, x2, packed, bias=bias, output_dtype=target))
    x = torch.randn(7, 48).half()
    smooth = (torch.rand(48) + 0.5).half()
    for given in (None, smooth):
        for on in strided(x):
            same(torch_npu.npu_dynamic_quant(on, smooth_scales=device(given)), aq.dynamic_quant(x, smooth_scales=given))
    print("done")
    """
    assert run(COMPARE + program) == "done\n"
