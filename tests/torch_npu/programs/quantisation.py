"""torch_npu's quantisation functions give, bit for bit, what aclquant's own functions give."""

from __future__ import annotations

import threading

import torch
import torch_npu
from bits import device, same, strided
from cases import case, run

import aclquant as aq

RUNS = {
    "level_0": {"TASK_QUEUE_ENABLE": "0"},
    "level_1": {"TASK_QUEUE_ENABLE": "1"},
    "level_2": {"TASK_QUEUE_ENABLE": "2"},
}
SHAPES = ((7,), (3, 16), (2, 5, 24), (2, 1, 3, 8), (300, 257))


@case("float32", "float16", "bfloat16")
def quantize_divides(name: str) -> None:
    dtype = getattr(torch, name)
    low = dtype == torch.bfloat16
    for shape in SHAPES:
        x = (torch.randn(shape) * 40).to(dtype)
        for axis in range(-len(shape), len(shape)) if x.numel() < 10_000 else (-2,):
            size = shape[axis]
            scales = (torch.rand(size) + 0.5).to(torch.bfloat16 if low else torch.float32)
            zero = torch.randint(-5, 6, (size,), dtype=torch.int32)
            points = zero.bfloat16() if low else zero
            for target in (torch.qint8, torch.quint8, torch.qint32):
                z = points.abs() if target == torch.quint8 else points
                expected = aq.quantize(x, scales, z, target, axis)
                for on in strided(x):
                    same(torch_npu.npu_quantize(on, scales.npu(), z.npu(), target, axis), expected)
                same(
                    torch_npu.npu_quantize(x.npu(), scales.npu(), None, target, axis),
                    aq.quantize(x, scales, None, target, axis),
                )
            for kind in () if low else (torch.int8, torch.uint8):
                z = zero.abs().to(kind)
                same(
                    torch_npu.npu_quantize(x.npu(), scales.npu(), z.npu(), torch.qint32, axis),
                    aq.quantize(x, scales, z, torch.qint32, axis),
                )


@case("float32", "float16", "bfloat16")
def quantize_multiplies(name: str) -> None:
    dtype = getattr(torch, name)
    for shape in SHAPES:
        x = (torch.randn(shape) * 40).to(dtype)
        scale = (torch.rand(shape[-1]) + 0.5).to(dtype)
        offset = torch.randn(shape[-1]).to(dtype)
        for target in (torch.qint8, torch.quint4x2):
            if target == torch.quint4x2 and shape[-1] % 8:
                continue
            for given in (offset, None):
                expected = aq.quantize(x, scale, given, target, -1, False)
                for on in strided(x):
                    got = torch_npu.npu_quantize(on, scale.npu(), device(given), target, -1, False)
                    same(got, expected)


@case("int8", "int32")
def anti_quant(name: str) -> None:
    source = getattr(torch, name)
    kind = torch.int8 if source == torch.int8 else torch.quint4x2
    for shape in ((8,), (3, 16), (2, 3, 8), (100, 400)):
        x = torch.randint(-128, 128, shape).to(source)
        size = shape[-1] * (8 if source == torch.int32 else 1)
        for count in (1, size):
            scale, offset = torch.rand(count), torch.randn(count)
            for given in (offset, None):
                for target in (torch.float16, torch.bfloat16):
                    how = {"dst_dtype": target}
                    on_device = {"offset": device(given), **how}
                    expected = aq.anti_quant(x, scale, offset=given, **how)
                    for on in strided(x):
                        same(torch_npu.npu_anti_quant(on, scale.npu(), **on_device), expected)
                    same(
                        torch_npu.npu_anti_quant(x.npu(), scale.npu(), **on_device, src_dtype=kind),
                        aq.anti_quant(x, scale, offset=given, **how, src_dtype=kind),
                    )
                    low, less = scale.bfloat16(), None if given is None else given.bfloat16()
                    same(
                        torch_npu.npu_anti_quant(x.npu(), low.npu(), offset=device(less), **how),
                        aq.anti_quant(x, low, offset=less, **how),
                    )


@case()
def trans_quant_param() -> None:
    for count in (1, 16, 1000):
        scale, offset = torch.rand(count), torch.randn(count) * 100
        for given in (None, offset):
            for rounding in (0, 1):
                same(
                    torch_npu.npu_trans_quant_param(scale.npu(), device(given), rounding),
                    aq.trans_quant_param(scale, given, rounding),
                )
        wide = scale.repeat_interleave(2)
        for one, two in (
            (scale[None], None),
            (scale[None], offset[None]),
            (scale[:1], offset),
            (scale, offset[:1]),
            (wide[::2], offset),
        ):
            same(
                torch_npu.npu_trans_quant_param(one.npu(), device(two)),
                aq.trans_quant_param(one, two),
            )


@case("float16", "bfloat16")
def dynamic_quant_asymmetric(name: str) -> None:
    dtype = getattr(torch, name)
    for shape in ((3, 8), (2, 5, 24), (1, 1, 2, 16), (200, 512)):
        x = (torch.randn(shape) * 5).to(dtype)
        smooth = (torch.rand(shape[-1]) + 0.5).to(dtype)
        for given in (None, smooth):
            for target in (torch.int8, torch.quint4x2):
                expected = aq.dynamic_quant_asymmetric(x, smooth_scales=given, dst_type=target)
                how = {"smooth_scales": device(given), "dst_type": target}
                for on in strided(x):
                    same(torch_npu.npu_dynamic_quant_asymmetric(on, **how), expected)
            how = {"smooth_scales": device(given), "quant_mode": "pertensor"}
            same(
                torch_npu.npu_dynamic_quant_asymmetric(x.npu(), **how),
                aq.dynamic_quant_asymmetric(x, smooth_scales=given, quant_mode="pertensor"),
            )


@case("float16", "bfloat16")
def dynamic_quant_of_groups(name: str) -> None:
    dtype = getattr(torch, name)
    x = torch.randn(2, 3, 16).to(dtype)
    for bounds in ([6], [2, 6], [1, 2, 3, 4, 5, 6]):
        smooth = (torch.rand(len(bounds), 16) + 0.5).to(dtype)
        groups = torch.tensor(bounds, dtype=torch.int32)
        for target in (torch.int8, torch.quint4x2):
            given = {"smooth_scales": smooth, "group_index": groups, "dst_type": target}
            there = {**given, "smooth_scales": smooth.npu(), "group_index": groups.npu()}
            for on in strided(x):
                same(
                    torch_npu.npu_dynamic_quant_asymmetric(on, **there),
                    aq.dynamic_quant_asymmetric(x, **given),
                )
                same(torch_npu.npu_dynamic_quant(on, **there), aq.dynamic_quant(x, **given))


@case("float16", "bfloat16")
def dynamic_quant(name: str) -> None:
    x = torch.randn(2, 3, 16).to(getattr(torch, name))
    for mode in ("pertoken", "pertensor"):
        got = torch_npu.npu_dynamic_quant(x.npu(), quant_mode=mode)
        same(got, aq.dynamic_quant(x, quant_mode=mode))
    x = x[0, :, :8].repeat(2, 1)
    y, scale = torch_npu.npu_dynamic_quant(x.npu())
    assert y.dtype == torch.int8 and scale.shape == (6,)
    back = y.cpu().float() * scale.cpu()[:, None]
    assert (back - x.float()).abs().max() <= scale.max().cpu() * 0.51 + 0.01


@case()
def smooth_dynamic_quant() -> None:
    x = torch.randn(7, 48).half()
    for given in (None, (torch.rand(48) + 0.5).half()):
        expected = aq.dynamic_quant(x, smooth_scales=given)
        for on in strided(x):
            same(torch_npu.npu_dynamic_quant(on, smooth_scales=device(given)), expected)


@case()
def quant_matmul_of_batches() -> None:
    x1 = torch.randint(-5, 6, (3, 5, 64), dtype=torch.int8)
    x2 = torch.randint(-5, 6, (3, 64, 32), dtype=torch.int8)
    for scale in (torch.rand(1) + 0.1, torch.rand(32) + 0.1):
        packed = torch.as_tensor(aq.trans_quant_param(scale))
        for bias in (None, torch.randint(-9, 10, (32,), dtype=torch.int32)):
            for target in (torch.int8, torch.float16):
                how = {"output_dtype": target}
                there = {"bias": device(bias), **how}
                same(
                    torch_npu.npu_quant_matmul(x1.npu(), x2.npu(), packed.npu(), **there),
                    aq.quant_matmul(x1, x2, packed, bias=bias, **how),
                )


@case()
def quant_matmul_with_scales_of_tokens() -> None:
    a = torch.randint(-5, 6, (5, 64), dtype=torch.int8)
    b = torch.randint(-5, 6, (64, 32), dtype=torch.int8)
    packed = torch.as_tensor(aq.trans_quant_param(torch.rand(32)))
    tokens, single = torch.rand(5) + 0.1, torch.rand(32) + 0.1
    offset, whole = torch.randn(32) * 3, torch.randint(-9, 10, (32,), dtype=torch.int32)
    turned, low = b.t().contiguous(), single.bfloat16()
    half, brain = {"output_dtype": torch.float16}, {"output_dtype": torch.bfloat16}
    for settings in (
        {"scale": packed, "output_dtype": torch.int8},
        {"scale": single, "offset": offset},
        {"scale": single, "offset": offset[:1], "bias": whole},
        {"scale": single, "pertoken_scale": tokens, **half},
        {"scale": low, **brain},
        {"scale": low, "pertoken_scale": tokens, **brain, "bias": low},
        {"scale": single, "pertoken_scale": tokens, **half, "bias": single},
        {"scale": single[:1]},
    ):
        there = {
            name: given.npu() if isinstance(given, torch.Tensor) else given
            for name, given in settings.items()
        }
        expected = aq.quant_matmul(a, b, **settings)
        same(torch_npu.npu_quant_matmul(a.npu(), b.npu(), **there), expected)
        same(torch_npu.npu_quant_matmul(a.npu(), turned.npu().t(), **there), expected)


@case()
def quant_matmul_of_int4() -> None:
    packed = torch.as_tensor(aq.trans_quant_param(torch.rand(32)))
    a, b = (torch.randint(-(2**31), 2**31, shape).int() for shape in ((5, 8), (64, 4)))
    how = {"output_dtype": torch.float16}
    same(
        torch_npu.npu_quant_matmul(a.npu(), b.npu(), packed.npu(), **how),
        aq.quant_matmul(a, b, packed, **how),
    )


@case()
def four_threads() -> None:
    """All functions at once, two of the threads on separate streams."""
    failures = []

    def work(seed: int) -> None:
        try:
            stream = torch.npu.Stream() if seed % 2 else torch.npu.current_stream()
            generator = torch.Generator().manual_seed(seed)
            with torch.npu.stream(stream):
                for _ in range(60):
                    once(generator)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def once(generator: torch.Generator) -> None:
    x = torch.randn(17, 40, generator=generator)
    scale = torch.rand(40, generator=generator) + 0.5
    got = torch_npu.npu_quantize(x.npu(), scale.npu(), None, torch.qint8, -1)
    back = torch_npu.npu_anti_quant(got, scale.npu())
    rows = torch_npu.npu_dynamic_quant_asymmetric(x.half().npu())
    plain = torch_npu.npu_dynamic_quant(x.half().npu())
    packed = torch_npu.npu_trans_quant_param(scale.npu())
    sums = torch_npu.npu_quant_matmul(got, got.t(), packed[:1])
    expected = aq.quantize(x, scale, None, torch.qint8, -1)
    same(got, expected)
    same(back, aq.anti_quant(expected, scale))
    same(rows, aq.dynamic_quant_asymmetric(x.half()))
    same(plain, aq.dynamic_quant(x.half()))
    same(packed, aq.trans_quant_param(scale))
    codes = torch.as_tensor(expected)
    same(sums, aq.quant_matmul(codes, codes.t(), torch.as_tensor(aq.trans_quant_param(scale))[:1]))


if __name__ == "__main__":
    run()
