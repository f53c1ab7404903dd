"""The numbers of torch_npu's documents: printed inputs give printed outputs, and print as there."""

from __future__ import annotations

import torch
import torch_npu
from cases import case, run


def numbers(text: str, *shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.tensor([float(word) for word in text.split()]).reshape(shape).to(dtype)


def shown(tensor: torch.Tensor, text: str) -> None:
    assert str(tensor).split() == text.split(), (tensor, text)


@case()
def anti_quant() -> None:
    x = torch.tensor([1, 2, 3, 4], dtype=torch.int8).npu()
    scale, offset = torch.tensor([2.0]).npu(), torch.tensor([2.0]).npu()
    out = torch_npu.npu_anti_quant(x, scale, offset=offset, dst_dtype=torch.float16)
    shown(out, "tensor([ 6., 8., 10., 12.], device='npu:0', dtype=torch.float16)")


BFLOAT16 = """
0.9609 1.3281 -0.6172 0.5469 -1.1797 -1.1719 -0.7422 0.9727 -0.9062 -0.0815 -0.8047 1.0703
"""
BFLOAT16_PRINTED = """
tensor([[[ 0.9609,  1.3281, -0.6172,  0.5469, -1.1797, -1.1719, -0.7422,
0.9727, -0.9062, -0.0815, -0.8047,  1.0703]]], device='npu:0', dtype=torch.bfloat16)
"""


@case()
def quantize_bfloat16() -> None:
    x = numbers(BFLOAT16, 1, 1, 12, dtype=torch.bfloat16).npu()
    shown(x, BFLOAT16_PRINTED)
    scale = torch.tensor([0.1] * 12).bfloat16().npu()
    out = torch_npu.npu_quantize(x, scale, None, torch.qint8, -1, False)
    zeros = "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0"
    shown(out, f"tensor([[[{zeros}]]], device='npu:0', dtype=torch.int8)")


FLOAT32 = """
-7.7834e-01 -1.0473e+00 -1.1155e+00 1.2233e+00 -1.2271e+00 -2.5612e+00 -1.8274e-01
2.8293e+00 1.9029e-01 -1.9333e+00 -4.9270e-01 -1.0650e+00 -8.9416e-01 3.1869e-02 -5.8144e-01
-4.9477e-01 9.7323e-02 -3.8681e-01 2.1969e-03 -6.3244e-01 7.1591e-01 -1.8587e-01 -1.3381e+00
-2.6253e-01 1.8462e-02 1.2397e-01 -9.0656e-01 -9.9280e-01 -4.4235e-02 1.0623e+00 -9.8437e-02
1.2941e+00 1.0805e+00 -1.7269e-01 -9.9205e-02 -6.1429e-01 1.3678e+00 -2.7348e-01 -4.1354e-01
-9.4638e-01 4.2792e-01 8.0462e-01 9.3584e-01 6.3704e-01 1.1269e+00 -1.5329e+00 5.8572e-01
-1.3966e+00 3.5882e-01 8.7029e-01 -1.3176e+00 1.1601e+00 -3.6984e-01 7.3642e-01 -1.0755e+00
6.6557e-01 3.1149e+00 -6.8776e-01 -1.0913e+00 4.4962e-01 -1.2505e+00 1.5474e+00 -7.4332e-02
-1.6657e+00 1.3275e+00 5.8914e-02 8.4287e-01 -1.7109e+00 1.8256e-01 3.2937e-01 2.4875e+00
1.3921e+00
"""
FLOAT32_QUANTISED = """
tensor([[[-2, -3, -3,  4, -4, -8, -1,  8,  1, -6, -1, -3],
[-3,  0, -2, -1,  0, -1,  0, -2,  2, -1, -4, -1],
[ 0,  0, -3, -3,  0,  3,  0,  4,  3, -1,  0, -2]],
[[ 4, -1, -1, -3,  1,  2,  3,  2,  3, -5,  2, -4],
[ 1,  3, -4,  3, -1,  2, -3,  2,  9, -2, -3,  1],
[-4,  5,  0, -5,  4,  0,  3, -5,  1,  1,  7,  4]]], device='npu:0', dtype=torch.int8)
"""


@case()
def quantize_float32() -> None:
    x = numbers(FLOAT32, 2, 3, 12)
    out = torch_npu.npu_quantize(
        x.npu(), torch.full((12,), 3.0).npu(), None, torch.qint8, -1, False
    )
    shown(out, FLOAT32_QUANTISED)


FLOAT16 = """
0.2600 0.6782 0.5024 0.9492 0.6089 0.7461 1.5332 -0.2123 0.6558 -0.8354 -0.5366 -0.6821
-0.2522 0.2415 -0.0269 -0.1497 0.2256 -0.5239 0.7363 -0.2468 1.6064 1.4170 -0.2213 1.5947
-0.6328 0.8105 0.2532 1.0684 -1.2119 -0.6865 0.7451 -0.8120 0.6401 -2.1270 -0.9482 -1.1973
-1.7461 -1.1758 -0.5352 1.5938 1.8945 -2.2500 -0.5073 -0.8164 0.8267 -0.4377 1.2490 0.2415
0.8062 -1.0498 -0.8345 1.1465 -0.7349 0.1317 0.2280 -0.8145 0.2673 1.4756 -1.6768 1.1572
-0.3147 -0.4446 -1.0508 0.8325 1.4590 0.2096 -0.9961 0.6089 -0.2460 1.1543 0.9277 0.1079
"""
FLOAT16_QUANTISED = """
tensor([[[ 1,  2,  2,  3,  2,  2,  5, -1,  2, -3, -2, -2],
[-1,  1,  0,  0,  1, -2,  2, -1,  5,  4, -1,  5],
[-2,  2,  1,  3, -4, -2,  2, -2,  2, -6, -3, -4]],
[[-5, -4, -2,  5,  6, -7, -2, -2,  2, -1,  4,  1],
[ 2, -3, -3,  3, -2,  0,  1, -2,  1,  4, -5,  3],
[-1, -1, -3,  2,  4,  1, -3,  2, -1,  3,  3,  0]]], device='npu:0', dtype=torch.int8)
"""


@case()
def quantize_float16() -> None:
    """The document shows these for a compiled graph, and the default axis."""
    x, scale = numbers(FLOAT16, 2, 3, 12, dtype=torch.float16), torch.full((12,), 3.0).half()
    how = {"zero_points": None, "dtype": torch.qint8, "div_mode": False}
    shown(torch_npu.npu_quantize(x.npu(), scale.npu(), **how), FLOAT16_QUANTISED)


PACKED = """
70507248869376 70509369614336 70507209793536 140463653937152 140603250524160 140603257561088
140603230814208 70369813069824 70369794605056 140463675252736 70784266256384 70507233009664
140601114345472 70371966238720 140603258257408 140603254505472
"""
PACKED_PRINTED = """
tensor([ 70507248869376,  70509369614336,  70507209793536, 140463653937152,
140603250524160, 140603257561088, 140603230814208,  70369813069824,
70369794605056, 140463675252736,  70784266256384,  70507233009664,
140601114345472,  70371966238720, 140603258257408, 140603254505472], device='npu:0')
"""


@case()
def trans_quant_param() -> None:
    """Only results are shown; they hold the scale (low 32 bits) and offset (9 bits from 37 on)."""
    results = torch.tensor([int(word) for word in PACKED.split()])
    scale = (results & 0xFFFFFFFF).to(torch.uint32).view(torch.float32)
    offset = (results >> 37) & 0x1FF
    offset = torch.where(offset > 255, offset - 512, offset).float()
    out = torch_npu.npu_trans_quant_param(scale.npu(), offset.npu())
    shown(out, PACKED_PRINTED)
    assert out.dtype == torch.int64 and out.shape == (16,)


@case()
def calls_of_dynamic_quant_asymmetric() -> None:
    """Of these the document shows the calls, with random numbers."""
    x = torch.rand((3, 8), dtype=torch.half).npu()
    smooth = torch.rand((2, 8), dtype=torch.half).npu()
    groups = torch.Tensor([1, 3]).to(torch.int32).npu()
    for settings in (
        {},
        {"dst_type": torch.quint4x2},
        {"smooth_scales": smooth[0]},
        {"smooth_scales": smooth, "group_index": groups},
    ):
        y, scale, offset = torch_npu.npu_dynamic_quant_asymmetric(x, **settings)
        int4 = "dst_type" in settings
        assert y.dtype == (torch.int32 if int4 else torch.int8)
        assert y.shape == ((3, 1) if int4 else (3, 8))
        assert scale.dtype == offset.dtype == torch.float32
        assert scale.shape == offset.shape == (3,)
        assert str((y, scale, offset)).count("npu:0") == 3


if __name__ == "__main__":
    run()
