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
                        same(torch_npu.npu_quantize(x.npu(), scales.npu(), None, target, axis), aq.quantize(x, scales, None, target, axis))
                    if dtype != torch.bfloat16:
                        for kind in (torch.int8, torch.uint8):
                            z = zero.abs().to(kind)
                            same(torch_npu.npu_quantize(x.npu(), scales.npu(), z.npu(), torch.qint32, axis), aq.quantize(x, scales, z, torch.qint32, axis))
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
                            low, less = scale.bfloat16(), None if given is None else given.bfloat16()
                            same(torch_npu.npu_anti_quant(x.npu(), low.npu(), offset=device(less), dst_dtype=target),
                                 aq.anti_quant(x, low, offset=less, dst_dtype=target))
                            kind = torch.int8 if source == torch.int8 else torch.quint4x2
                            same(torch_npu.npu_anti_quant(x.npu(), scale.npu(), offset=device(given), dst_dtype=target, src_dtype=kind),
                                 aq.anti_quant(x, scale, offset=given, dst_dtype=target, src_dtype=kind))

    def trans_all():
        for count in (1, 16, 1000):
            scale, offset = torch.rand(count), torch.randn(count) * 100
            for given in (None, offset):
                for rounding in (0, 1):
                    same(torch_npu.npu_trans_quant_param(scale.npu(), device(given), rounding),
                         aq.trans_quant_param(scale, given, rounding))
            wide = scale.repeat_interleave(2)
            for one, two in ((scale[None], None), (scale[None], offset[None]), (scale[:1], offset), (scale, offset[:1]), (wide[::2], offset)):
                same(torch_npu.npu_trans_quant_param(one.npu(), device(two)), aq.trans_quant_param(one, two))

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
                same(torch_npu.npu_dynamic_quant_asymmetric(x.npu(), smooth_scales=smooth.npu(), quant_mode="pertensor"),
                     aq.dynamic_quant_asymmetric(x, smooth_scales=smooth, quant_mode="pertensor"))
            x = torch.randn(2, 3, 16).to(dtype)
            for bounds in ([6], [2, 6], [1, 2, 3, 4, 5, 6]):
                smooth = (torch.rand(len(bounds), 16) + 0.5).to(dtype)
                groups = torch.tensor(bounds, dtype=torch.int32)
                for target in (torch.int8, torch.quint4x2):
                    for on in strided(x):
                        same(torch_npu.npu_dynamic_quant_asymmetric(on, smooth_scales=smooth.npu(), group_index=groups.npu(), dst_type=target),
                             aq.dynamic_quant_asymmetric(x, smooth_scales=smooth, group_index=groups, dst_type=target))
                        same(torch_npu.npu_dynamic_quant(on, smooth_scales=smooth.npu(), group_index=groups.npu(), dst_type=target),
                             aq.dynamic_quant(x, smooth_scales=smooth, group_index=groups, dst_type=target))
            for mode in ("pertoken", "pertensor"):
                same(torch_npu.npu_dynamic_quant(x.npu(), quant_mode=mode), aq.dynamic_quant(x, quant_mode=mode))
            x = x[0, :, :8].repeat(2, 1)
            y, scale = torch_npu.npu_dynamic_quant(x.npu())
            assert y.dtype == torch.int8 and scale.shape == (6,)
            back = y.cpu().float() * scale.cpu()[:, None]
            assert (back - x.float()).abs().max() <= scale.max().cpu() * 0.51 + 0.01
"""


@pytest.mark.parametrize("level", ["0", "1", "2"])
def test_equal_at_every_level_of_the_task_queue(run: Run, level: str) -> None:
    """Then four threads with all functions at once, two of them on separate streams."""
    program = """
    quantize_all(), anti_quant_all(), trans_all(), dynamic_all()

    import threading
    failures = []

    def work(seed):
        try:
            stream = torch.npu.Stream() if seed % 2 else torch.npu.current_stream()
            generator = torch.Generator().manual_seed(seed)
            with torch.npu.stream(stream):
                for _ in range(60):
                    x = torch.randn(17, 40, generator=generator)
                    scale = torch.rand(40, generator=generator) + 0.5
                    got = torch_npu.npu_quantize(x.npu(), scale.npu(), None, torch.qint8, -1)
                    back = torch_npu.npu_anti_quant(got, scale.npu())
                    rows = torch_npu.npu_dynamic_quant_asymmetric(x.half().npu())
                    plain = torch_npu.npu_dynamic_quant(x.half().npu())
                    words = torch_npu.npu_trans_quant_param(scale.npu())
                    sums = torch_npu.npu_quant_matmul(got, got.t(), words[:1])
                    expected = aq.quantize(x, scale, None, torch.qint8, -1)
                    same(got, expected)
                    same(back, aq.anti_quant(expected, scale))
                    same(rows, aq.dynamic_quant_asymmetric(x.half()))
                    same(plain, aq.dynamic_quant(x.half()))
                    same(words, aq.trans_quant_param(scale))
                    expected = torch.as_tensor(expected)
                    same(sums, aq.quant_matmul(expected, expected.t(), torch.as_tensor(aq.trans_quant_param(scale))[:1]))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    [t.start() for t in threads], [t.join() for t in threads]
    if failures:
        raise failures[0]
    print("done")
    """
    assert run(COMPARE + program, TASK_QUEUE_ENABLE=level) == "done\n"


PER_TENSOR = """
    import torch, torch_npu
    x = torch.zeros(2, 32).half().npu()
    x[0, 0], x[0, 1] = -1, 4
    try:
        y, scale, offset = torch_npu.npu_dynamic_quant_asymmetric(x, quant_mode="pertensor")
        print(y.min().item(), y.max().item(), tuple(scale.shape), tuple(offset.shape))
    except RuntimeError as error:
        print("561000" in str(error), "aclnnDynamicQuantV4" in str(error), x.sum().item())
"""


@pytest.mark.parametrize("soc", ["Ascend910_9391", "Ascend310P3"])
def test_per_tensor_on_other_chips(run: Run, soc: str) -> None:
    assert run(PER_TENSOR, ACLQUANT_HOST_SOC=soc) == "-128 127 (1,) (1,)\n"


def test_per_tensor_is_refused_by_the_strict_switch(run: Run) -> None:
    assert run(PER_TENSOR, ACLQUANT_HOST_STRICT_SOC="1") == "True True 3.0\n"


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


def test_a_refused_call_surfaces_at_level_2_too(run: Run) -> None:
    """There torch_npu raises when it next waits, names the operator, and prints our sentence; its queue has stopped."""
    program = """
    import sys, torch, torch_npu
    x, scale = torch.ones(2, 8).npu(), torch.ones(3).npu()
    try:
        torch_npu.npu_quantize(x, scale, None, torch.qint8, -1).cpu()
        print("nothing was raised", file=sys.stderr)
    except RuntimeError as error:
        print("raised:", "aclnnQuantize" in str(error), file=sys.stderr)
    """
    said = run(program, TASK_QUEUE_ENABLE="2", errors=True)
    assert "raised: True" in said
    assert "argument 'scales': got shape (3,)" in said


def test_printed_examples_of_the_documents(run: Run) -> None:
    """The numbers of torch_npu's documents: their printed inputs give their printed outputs, and print as there."""
    program = """
    import torch, torch_npu

    def shown(tensor, text):
        assert str(tensor).split() == text.split(), (tensor, text)

    x = torch.tensor([1, 2, 3, 4], dtype=torch.int8).npu()
    scale = torch.tensor([2.0], dtype=torch.float).npu()
    offset = torch.tensor([2.0], dtype=torch.float).npu()
    out = torch_npu.npu_anti_quant(x, scale, offset=offset, dst_dtype=torch.float16)
    shown(out, "tensor([ 6., 8., 10., 12.], device='npu:0', dtype=torch.float16)")

    x = torch.tensor([[[0.9609, 1.3281, -0.6172, 0.5469, -1.1797, -1.1719, -0.7422, 0.9727, -0.9062, -0.0815, -0.8047, 1.0703]]]).bfloat16().npu()
    shown(x, '''tensor([[[ 0.9609,  1.3281, -0.6172,  0.5469, -1.1797, -1.1719, -0.7422,
        0.9727, -0.9062, -0.0815, -0.8047,  1.0703]]], device='npu:0', dtype=torch.bfloat16)''')
    scale = torch.tensor([0.1] * 12).bfloat16().npu()
    out = torch_npu.npu_quantize(x, scale, None, torch.qint8, -1, False)
    shown(out, "tensor([[[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]], device='npu:0', dtype=torch.int8)")

    x = torch.tensor([
        [[-7.7834e-01, -1.0473e+00, -1.1155e+00, 1.2233e+00, -1.2271e+00, -2.5612e+00, -1.8274e-01, 2.8293e+00, 1.9029e-01, -1.9333e+00, -4.9270e-01, -1.0650e+00],
         [-8.9416e-01, 3.1869e-02, -5.8144e-01, -4.9477e-01, 9.7323e-02, -3.8681e-01, 2.1969e-03, -6.3244e-01, 7.1591e-01, -1.8587e-01, -1.3381e+00, -2.6253e-01],
         [1.8462e-02, 1.2397e-01, -9.0656e-01, -9.9280e-01, -4.4235e-02, 1.0623e+00, -9.8437e-02, 1.2941e+00, 1.0805e+00, -1.7269e-01, -9.9205e-02, -6.1429e-01]],
        [[1.3678e+00, -2.7348e-01, -4.1354e-01, -9.4638e-01, 4.2792e-01, 8.0462e-01, 9.3584e-01, 6.3704e-01, 1.1269e+00, -1.5329e+00, 5.8572e-01, -1.3966e+00],
         [3.5882e-01, 8.7029e-01, -1.3176e+00, 1.1601e+00, -3.6984e-01, 7.3642e-01, -1.0755e+00, 6.6557e-01, 3.1149e+00, -6.8776e-01, -1.0913e+00, 4.4962e-01],
         [-1.2505e+00, 1.5474e+00, -7.4332e-02, -1.6657e+00, 1.3275e+00, 5.8914e-02, 8.4287e-01, -1.7109e+00, 1.8256e-01, 3.2937e-01, 2.4875e+00, 1.3921e+00]]])
    scale = torch.tensor([3] * 12, dtype=torch.float).npu()
    out = torch_npu.npu_quantize(x.npu(), scale, None, torch.qint8, -1, False)
    shown(out, '''tensor([[[-2, -3, -3,  4, -4, -8, -1,  8,  1, -6, -1, -3],
        [-3,  0, -2, -1,  0, -1,  0, -2,  2, -1, -4, -1],
        [ 0,  0, -3, -3,  0,  3,  0,  4,  3, -1,  0, -2]],
        [[ 4, -1, -1, -3,  1,  2,  3,  2,  3, -5,  2, -4],
        [ 1,  3, -4,  3, -1,  2, -3,  2,  9, -2, -3,  1],
        [-4,  5,  0, -5,  4,  0,  3, -5,  1,  1,  7,  4]]], device='npu:0', dtype=torch.int8)''')

    # The document shows these for a compiled graph, and the default axis.
    x = torch.tensor([
        [[0.2600, 0.6782, 0.5024, 0.9492, 0.6089, 0.7461, 1.5332, -0.2123, 0.6558, -0.8354, -0.5366, -0.6821],
         [-0.2522, 0.2415, -0.0269, -0.1497, 0.2256, -0.5239, 0.7363, -0.2468, 1.6064, 1.4170, -0.2213, 1.5947],
         [-0.6328, 0.8105, 0.2532, 1.0684, -1.2119, -0.6865, 0.7451, -0.8120, 0.6401, -2.1270, -0.9482, -1.1973]],
        [[-1.7461, -1.1758, -0.5352, 1.5938, 1.8945, -2.2500, -0.5073, -0.8164, 0.8267, -0.4377, 1.2490, 0.2415],
         [0.8062, -1.0498, -0.8345, 1.1465, -0.7349, 0.1317, 0.2280, -0.8145, 0.2673, 1.4756, -1.6768, 1.1572],
         [-0.3147, -0.4446, -1.0508, 0.8325, 1.4590, 0.2096, -0.9961, 0.6089, -0.2460, 1.1543, 0.9277, 0.1079]]]).half()
    out = torch_npu.npu_quantize(x.npu(), scale.half(), zero_points=None, dtype=torch.qint8, div_mode=False)
    shown(out, '''tensor([[[ 1,  2,  2,  3,  2,  2,  5, -1,  2, -3, -2, -2],
        [-1,  1,  0,  0,  1, -2,  2, -1,  5,  4, -1,  5],
        [-2,  2,  1,  3, -4, -2,  2, -2,  2, -6, -3, -4]],
        [[-5, -4, -2,  5,  6, -7, -2, -2,  2, -1,  4,  1],
        [ 2, -3, -3,  3, -2,  0,  1, -2,  1,  4, -5,  3],
        [-1, -1, -3,  2,  4,  1, -3,  2, -1,  3,  3,  0]]], device='npu:0', dtype=torch.int8)''')

    # Only results are shown here; they say what scale (low 32 bits) and offset (9 bits from 37 on) were.
    results = torch.tensor([70507248869376, 70509369614336, 70507209793536, 140463653937152, 140603250524160, 140603257561088, 140603230814208, 70369813069824,
                            70369794605056, 140463675252736, 70784266256384, 70507233009664, 140601114345472, 70371966238720, 140603258257408, 140603254505472])
    scale = (results & 0xFFFFFFFF).to(torch.uint32).view(torch.float32)
    offset = (results >> 37) & 0x1FF
    offset = torch.where(offset > 255, offset - 512, offset).float()
    out = torch_npu.npu_trans_quant_param(scale.npu(), offset.npu())
    shown(out, '''tensor([ 70507248869376,  70509369614336,  70507209793536, 140463653937152,
        140603250524160, 140603257561088, 140603230814208,  70369813069824,
        70369794605056, 140463675252736,  70784266256384,  70507233009664,
        140601114345472,  70371966238720, 140603258257408, 140603254505472], device='npu:0')''')
    print(out.dtype, out.shape)

    # Of these the document shows the calls.
    x = torch.rand((3, 8), dtype=torch.half).npu()
    smooth, groups = torch.rand((2, 8), dtype=torch.half).npu(), torch.Tensor([1, 3]).to(torch.int32).npu()
    for settings in ({}, {"dst_type": torch.quint4x2}, {"smooth_scales": smooth[0]}, {"smooth_scales": smooth, "group_index": groups}):
        y, scale, offset = torch_npu.npu_dynamic_quant_asymmetric(x, **settings)
        print(y.dtype, tuple(y.shape), scale.dtype, tuple(scale.shape), offset.dtype, tuple(offset.shape), str((y, scale, offset)).count("npu:0"))
    """
    int8 = "torch.int8 (3, 8) torch.float32 (3,) torch.float32 (3,) 3"
    assert run(program).splitlines() == [
        "torch.int64 torch.Size([16])",
        int8,
        int8.replace("int8 (3, 8)", "int32 (3, 1)"),
        int8,
        int8,
    ]


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
    a, b = x1[0], x2[0]
    packed = torch.as_tensor(aq.trans_quant_param(torch.rand(32)))
    tokens, single = torch.rand(5) + 0.1, torch.rand(32) + 0.1
    offset, whole = torch.randn(32) * 3, torch.randint(-9, 10, (32,), dtype=torch.int32)
    turned = b.t().contiguous()
    for settings in (dict(scale=packed, output_dtype=torch.int8), dict(scale=single, offset=offset), dict(scale=single, offset=offset[:1], bias=whole),
                     dict(scale=single, pertoken_scale=tokens, output_dtype=torch.float16), dict(scale=single.bfloat16(), output_dtype=torch.bfloat16),
                     dict(scale=single.bfloat16(), pertoken_scale=tokens, output_dtype=torch.bfloat16, bias=single.bfloat16()),
                     dict(scale=single, pertoken_scale=tokens, output_dtype=torch.float16, bias=single),
                     dict(scale=single[:1])):
        there = {name: given.npu() if isinstance(given, torch.Tensor) else given for name, given in settings.items()}
        expected = aq.quant_matmul(a, b, **settings)
        same(torch_npu.npu_quant_matmul(a.npu(), b.npu(), **there), expected)
        same(torch_npu.npu_quant_matmul(a.npu(), turned.npu().t(), **there), expected)
    four = torch.randint(-(2**31), 2**31, (5, 8)).int(), torch.randint(-(2**31), 2**31, (64, 4)).int()
    same(torch_npu.npu_quant_matmul(four[0].npu(), four[1].npu(), packed.npu(), output_dtype=torch.float16),
         aq.quant_matmul(*four, packed, output_dtype=torch.float16))
    x = torch.randn(7, 48).half()
    smooth = (torch.rand(48) + 0.5).half()
    for given in (None, smooth):
        for on in strided(x):
            same(torch_npu.npu_dynamic_quant(on, smooth_scales=device(given)), aq.dynamic_quant(x, smooth_scales=given))
    print("done")
    """
    assert run(COMPARE + program) == "done\n"
