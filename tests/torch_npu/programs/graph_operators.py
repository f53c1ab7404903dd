"""All operators, int4 among them, in graphs: what they give outside of graphs.

In a process that calls ``aclquant.activate``, so that the libraries are also found that way. One
graph of open shapes serves several sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import aclquant as aq

aq.activate()

import torch  # noqa: E402
import torch_npu  # noqa: E402
from bits import same  # noqa: E402
from cases import case, run  # noqa: E402
from compiled import graph  # noqa: E402

LAUNCHER = False
NEEDS = ("packaging", "google.protobuf")
SIZES = {"open": ((4, 16), (5, 32), (64, 512)), "fixed": ((4, 16),)}


def compiled(function: Callable[..., Any], shapes: str) -> Iterator[tuple[Any, int, int]]:
    """Yield the compiled function with each size: shapes come from the inputs."""
    made = graph(function, dynamic=shapes == "open")
    for rows, columns in SIZES[shapes]:
        yield made, rows, columns


def whole(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    return torch.randint(-(2**31), 2**31 - 1, shape, dtype=torch.int64).to(dtype)


def floats(rows: int, columns: int) -> torch.Tensor:
    return (torch.randn(rows, 3, columns) * 40).half()


@case("open", "fixed")
def quantize(shapes: str) -> None:
    def multiplies(x, scale, offset, dtype):
        return torch_npu.npu_quantize(x, scale, offset, dtype, -1, False)

    for made, rows, columns in compiled(multiplies, shapes):
        x = floats(rows, columns)
        scale, offset = (torch.rand(columns) + 0.5).half(), torch.randn(columns).half()
        for dtype in (torch.qint8, torch.quint4x2):
            got = made(x.npu(), scale.npu(), offset.npu(), dtype)
            same(got, aq.quantize(x, scale, offset, dtype, -1, False))


@case("open", "fixed")
def quantize_divides(shapes: str) -> None:
    def divides(x, scales, points):
        return torch_npu.npu_quantize(x, scales, points, torch.quint8, 1)

    for made, rows, columns in compiled(divides, shapes):
        x = floats(rows, columns)
        scales, points = torch.rand(3) + 0.5, torch.arange(3, dtype=torch.int32)
        got = made(x.npu(), scales.npu(), points.npu())
        same(got, aq.quantize(x, scales, points, torch.quint8, 1))


@case("open", "fixed")
def anti_quant(shapes: str) -> None:
    def anti(x, scale, offset):
        return torch_npu.npu_anti_quant(x, scale, offset=offset, dst_dtype=torch.bfloat16)

    for made, rows, columns in compiled(anti, shapes):
        for kind, packs in ((torch.int32, 8), (torch.int8, 1)):
            x = whole((rows, columns // packs), kind)
            s, o = torch.rand(columns), torch.randn(columns)
            got = made(x.npu(), s.npu(), o.npu())
            same(got, aq.anti_quant(x, s, offset=o, dst_dtype=torch.bfloat16))


@case("open", "fixed")
def dynamic_quant_asymmetric(shapes: str) -> None:
    def dynamic(x, smooth, groups, dtype, mode):
        return torch_npu.npu_dynamic_quant_asymmetric(
            x, smooth_scales=smooth, group_index=groups, dst_type=dtype, quant_mode=mode
        )

    for made, rows, columns in compiled(dynamic, shapes):
        x = floats(rows, columns)
        smooth = torch.rand(2, columns).half() + 0.5
        groups = torch.tensor([1, rows * 3], dtype=torch.int32)
        for dtype in (torch.int8, torch.quint4x2):
            got = made(x.npu(), smooth[0].npu(), None, dtype, "pertoken")
            same(got, aq.dynamic_quant_asymmetric(x, smooth_scales=smooth[0], dst_type=dtype))
            got = made(x.npu(), smooth.npu(), groups.npu(), dtype, "pertoken")
            how = {"smooth_scales": smooth, "group_index": groups, "dst_type": dtype}
            same(got, aq.dynamic_quant_asymmetric(x, **how))
        got = made(x.npu(), None, None, torch.int8, "pertensor")
        same(got, aq.dynamic_quant_asymmetric(x, quant_mode="pertensor"))


@case("open", "fixed")
def dynamic_quant(shapes: str) -> None:
    def symmetric(x, smooth, groups, dtype):
        return torch_npu.npu_dynamic_quant(
            x, smooth_scales=smooth, group_index=groups, dst_type=dtype
        )

    for made, rows, columns in compiled(symmetric, shapes):
        x = floats(rows, columns)
        smooth = torch.rand(2, columns).half() + 0.5
        groups = torch.tensor([1, rows * 3], dtype=torch.int32)
        for dtype in (torch.int8, torch.quint4x2):
            got = made(x.npu(), smooth.npu(), groups.npu(), dtype)
            how = {"smooth_scales": smooth, "group_index": groups, "dst_type": dtype}
            same(got, aq.dynamic_quant(x, **how))
            same(made(x.npu(), None, None, dtype), aq.dynamic_quant(x, dst_type=dtype))


@case("open", "fixed")
def quant_matmul(shapes: str) -> None:
    def product(x1, x2, scale, pertoken):
        return torch_npu.npu_quant_matmul(
            x1, x2, scale, pertoken_scale=pertoken, output_dtype=torch.bfloat16
        )

    for made, rows, columns in compiled(product, shapes):
        for kind, packs in ((torch.int8, 1), (torch.int32, 8)):
            x1, x2 = whole((rows, columns // packs), kind), whole((columns, 16 // packs), kind)
            s, p = torch.rand(16), torch.rand(rows)
            got = made(x1.npu(), x2.npu(), s.npu(), p.npu())
            how = {"pertoken_scale": p, "output_dtype": torch.bfloat16}
            same(got, aq.quant_matmul(x1, x2, s, **how))


if __name__ == "__main__":
    run()
