"""Convolution, pooling, attention and what else inference engines call, against NumPy.

The rows are those of the operators that llama.cpp's CANN backend needs, in the forms in which it
calls them: strided and repeated views, odd sizes, and memory around the results left alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from helpers.native import NULL, host, ok

import aclquant as aq
from aclquant import aclnn
from aclquant._ffi import ffi

RANDOM = np.random.default_rng(11)
BF16 = aq.bfloat16.numpy.type


def numbers(*shape: int, dtype: Any = np.float32) -> Any:
    return RANDOM.standard_normal(shape).astype(dtype)


def strided(array: Any) -> Any:
    """Return the same values, every second element of a wider array, dimensions swapped."""
    turned = array.swapaxes(0, -1)
    wide = np.full((*turned.shape[:-1], 2 * turned.shape[-1]), 77, array.dtype)
    view = wide[..., ::2]
    view[...] = turned
    return view.swapaxes(0, -1)


def surrounded(shape: tuple[int, ...], dtype: Any = np.float32) -> tuple[Any, Any]:
    """Return a view to write to and its whole memory: rows with gaps, and borders."""
    whole = np.full((*shape[:-1], shape[-1] + 3), 77, dtype)
    return whole, whole[..., 1:-2]


def close(got: Any, expected: Any, ulps: float = 4) -> None:
    """Differences stay below some units in the last place of the largest value."""
    exact = np.asarray(expected, np.float64)
    step = np.finfo(got.dtype).eps if got.dtype != BF16 else 2.0**-7
    bound = ulps * float(step) * max(float(np.abs(exact).max(initial=0)), 1e-30)
    assert got.shape == exact.shape
    assert np.abs(got.astype(np.float64) - exact).max(initial=0) <= bound


# -- Windows ----------------------------------------------------------------------------------


def _windows(x: Any, kernel: Any, stride: Any, pads: Any, dilation: Any, fill: float) -> Any:
    """Return an array (..., Ho, Wo, kh, kw) of the windows of an image."""
    (top, left, bottom, right) = pads
    border = [(0, 0)] * (x.ndim - 2) + [(top, bottom), (left, right)]
    wide = np.pad(x.astype(np.float64), border, constant_values=fill)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    seen = np.lib.stride_tricks.sliding_window_view(wide, reach, axis=(-2, -1))
    return seen[..., :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


@pytest.mark.parametrize("dtype", [np.float32, np.float16, BF16])
@pytest.mark.parametrize(("kernel", "stride", "pad"), [
    ((1, 1), (1, 1), (0, 0)), ((3, 1), (2, 1), (1, 0)), ((3, 3), (2, 2), (1, 1)),
    ((2, 5), (3, 1), (1, 2)),
])  # fmt: skip
def test_average_pooling(dtype: Any, kernel: Any, stride: Any, pad: Any) -> None:
    x = strided(numbers(2, 3, 10, 7, dtype=dtype))
    seen = _windows(x, kernel, stride, (*pad, *pad), (1, 1), 0)
    shape = seen.shape[:-2]
    whole, out = surrounded(shape, dtype)
    aclnn.AvgPool2d(x, kernel, stride, pad, False, True, 0, 0, out)
    close(out, seen.mean((-2, -1)), 1)
    assert (whole[..., 0] == 77).all() and (whole[..., -2:] == 77).all()
    real = _windows(np.ones_like(x), kernel, stride, (*pad, *pad), (1, 1), 0).sum((-2, -1))
    aclnn.AvgPool2d(x, kernel, stride, pad, False, False, 0, 0, out)
    close(out, seen.sum((-2, -1)) / real, 1)
    aclnn.AvgPool2d(x[0], kernel, stride, pad, False, True, 5, 0, out[0])
    close(out[0], seen[0].sum((-2, -1)) / 5, 1)


def test_the_last_window_of_average_pooling_may_go_beyond_the_padding() -> None:
    x = np.arange(6, dtype=np.float32).reshape(1, 1, 6)
    out = aclnn.AvgPool2d(
        x, (1, 4), (1, 3), (0, 0), True, True, 0, 0, np.empty((1, 1, 2), np.float32)
    )
    assert out.tolist() == [[[1.5, 4.0]]]
    # A third window would begin in the padding behind the image.
    out = aclnn.AvgPool2d(
        x, (1, 2), (1, 4), (0, 1), True, True, 0, 0, np.empty((1, 1, 2), np.float32)
    )
    assert out.tolist() == [[[0.0, 3.5]]]


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize(("kernel", "stride", "pads"), [
    ((3, 3), (1, 1), (0, 0, 0, 0)), ((2, 2), (2, 1), (1, 0, 0, 1)), ((3, 2), (2, 2), (1, 1, 1, 1)),
])  # fmt: skip
def test_maximum_pooling(dtype: Any, kernel: Any, stride: Any, pads: Any) -> None:
    x = strided(numbers(2, 3, 9, 6, dtype=dtype)) - dtype(5)  # padding would win if it were 0
    seen = _windows(x, kernel, stride, pads, (1, 1), -np.inf)
    whole, out = surrounded(seen.shape[:-2], dtype)
    aclnn.MaxPool(x, kernel, stride, 0, pads, (1, 1), 0, out)
    assert (out == seen.max((-2, -1))).all()
    assert (whole[..., 0] == 77).all() and (whole[..., -2:] == 77).all()


def test_maximum_pooling_without_strides_moves_by_one_and_keeps_nan() -> None:
    x = np.float32([[[1, np.nan, 0, 2]]])
    out = aclnn.MaxPool(x, (1, 2), (), 0, (0,), (1,), 0, np.empty((1, 1, 3), np.float32))
    np.testing.assert_array_equal(out, np.float32([[[np.nan, np.nan, 2]]]))


@pytest.mark.parametrize("dtype", [np.float32, np.float16, BF16])
def test_windows_as_columns(dtype: Any) -> None:
    x = strided(numbers(2, 3, 8, 7, dtype=dtype))
    seen = _windows(x, (3, 2), (2, 1), (1, 2, 1, 2), (2, 3), 0)
    n, c, high, wide = seen.shape[:4]
    expected = seen.transpose(0, 1, 4, 5, 2, 3).reshape(n, c * 6, high * wide).astype(dtype)
    whole, out = surrounded(expected.shape, dtype)
    aclnn.Im2col(x, (3, 2), (2, 3), (1, 2), (2, 1), out)
    assert (out == expected).all()
    assert (whole[..., 0] == 77).all() and (whole[..., -2:] == 77).all()
    aclnn.Im2col(x[1], (3, 2), (2, 3), (1, 2), (2, 1), out[0])
    assert (out[0] == expected[1]).all()
    column = aclnn.Im2col(
        np.arange(9, dtype=dtype).reshape(1, 1, 3, 3),
        (2, 2),
        (1, 1),
        (0, 0),
        (1, 1),
        np.empty((1, 4, 4), dtype),
    )
    assert column[0, :, 0].tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize("size", [(4, 6), (5, 3), (1, 1), (9, 11)])
def test_nearest_pixels(size: tuple[int, int]) -> None:
    x = strided(numbers(2, 3, 4, 3))
    rows = [
        min(int(np.float32(i) * (np.float32(4) / np.float32(size[0]))), 3) for i in range(size[0])
    ]
    columns = [
        min(int(np.float32(i) * (np.float32(3) / np.float32(size[1]))), 2) for i in range(size[1])
    ]
    out = aclnn.UpsampleNearest2d(x, size, np.empty((2, 3, *size), np.float32))
    assert (out == x[:, :, rows][:, :, :, columns]).all()


# -- Convolution ------------------------------------------------------------------------------


def convolve(
    x: Any, w: Any, stride: Any, before: Any, after: Any, dilation: Any, groups: int
) -> Any:
    """Convolve in float64, by the definition."""
    x, w = x.astype(np.float64), w.astype(np.float64)
    axes = x.ndim - 2
    border = [(0, 0), (0, 0), *zip(before, after, strict=True)]
    wide = np.pad(x, border)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, w.shape[2:], strict=True)]
    seen = np.lib.stride_tricks.sliding_window_view(wide, reach, axis=tuple(range(2, x.ndim)))
    steps = tuple(slice(None, None, s) for s in stride)
    spread = tuple(slice(None, None, d) for d in dilation)
    seen = seen[(slice(None), slice(None), *steps, *spread)]
    inputs, outputs = x.shape[1] // groups, w.shape[0] // groups
    parts = [
        np.tensordot(
            seen[:, g * inputs : (g + 1) * inputs],
            w[g * outputs : (g + 1) * outputs],
            axes=([1, *range(2 + axes, 2 + 2 * axes)], [1, *range(2, 2 + axes)]),
        )
        for g in range(groups)
    ]
    return np.moveaxis(np.concatenate(parts, axis=-1), -1, 1)


def transpose_convolve(
    x: Any, w: Any, stride: Any, pad: Any, dilation: Any, more: Any, groups: int
) -> Any:
    """Spread each element of x over the result, by the definition."""
    x, w = x.astype(np.float64), w.astype(np.float64)
    kernel = w.shape[2:]
    full = [
        (n - 1) * s + d * (k - 1) + 1 + m + 2 * 0
        for n, s, d, k, m in zip(x.shape[2:], stride, dilation, kernel, more, strict=True)
    ]
    inputs, outputs = x.shape[1] // groups, w.shape[1]
    out = np.zeros((x.shape[0], outputs * groups, *full))
    for g in range(groups):
        for at in np.ndindex(*kernel):
            part = np.tensordot(
                x[:, g * inputs : (g + 1) * inputs],
                w[(slice(g * inputs, (g + 1) * inputs), slice(None), *at)],
                axes=([1], [0]),
            )
            places = tuple(
                slice(a * d, a * d + (n - 1) * s + 1, s)
                for a, d, n, s in zip(at, dilation, x.shape[2:], stride, strict=True)
            )
            out[(slice(None), slice(g * outputs, (g + 1) * outputs), *places)] += np.moveaxis(
                part, -1, 1
            )
    cut = tuple(slice(p, f - p) for p, f in zip(pad, full, strict=True))
    return out[(slice(None), slice(None), *cut)]


@pytest.mark.parametrize(
    "types",
    [(np.float32, np.float32), (np.float32, np.float16), (np.float16, np.float16), (BF16, BF16)],
)
@pytest.mark.parametrize(("image", "kernel", "stride", "pad", "dilation", "groups"), [
    ((9,), (3,), (1,), (0,), (1,), 1),
    ((11,), (4,), (3,), (2,), (2,), 2),
    ((7, 6), (3, 2), (2, 1), (1, 2), (1, 2), 1),
    ((5, 6), (3, 3), (1, 1), (1, 1), (1, 1), 4),
    ((4, 5, 3), (2, 3, 2), (1, 2, 1), (0, 1, 1), (1, 1, 2), 2),
])  # fmt: skip
def test_convolution(
    types: Any, image: Any, kernel: Any, stride: Any, pad: Any, dilation: Any, groups: int
) -> None:
    x = strided(numbers(2, 4, *image, dtype=types[0]))
    w = strided(numbers(8, 4 // groups, *kernel, dtype=types[1]))
    bias = numbers(8, dtype=types[0])
    expected = convolve(x, w, stride, pad, pad, dilation, groups)
    expected += bias.astype(np.float64).reshape(-1, *[1] * len(image))
    whole, out = surrounded(expected.shape, types[0])
    aclnn.Convolution(x, w, bias, stride, pad, dilation, False, (0,) * len(image), groups, out, 0)
    close(out, expected, 16 if types[0] == np.float32 else 2)
    assert (whole[..., 0] == 77).all() and (whole[..., -2:] == 77).all()


@pytest.mark.parametrize(
    "types", [(np.float32, np.float32), (np.float32, np.float16), (BF16, BF16)]
)
@pytest.mark.parametrize(("image", "kernel", "stride", "pad", "dilation", "more", "groups"), [
    ((5,), (3,), (1,), (0,), (1,), (0,), 1),
    ((5,), (300,), (2,), (0,), (1,), (0,), 1),
    ((6,), (4,), (3,), (2,), (2,), (1,), 2),
    ((3, 4), (3, 2), (2, 3), (1, 0), (2, 1), (1, 2), 2),
    ((2, 3, 2), (2, 2, 3), (2, 1, 1), (1, 0, 1), (1, 2, 1), (0, 0, 0), 1),
])  # fmt: skip
def test_transposed_convolution(
    types: Any,
    image: Any,
    kernel: Any,
    stride: Any,
    pad: Any,
    dilation: Any,
    more: Any,
    groups: int,
) -> None:
    x = strided(numbers(2, 4, *image, dtype=types[0]))
    w = strided(numbers(4, 3, *kernel, dtype=types[1]))
    expected = transpose_convolve(x, w, stride, pad, dilation, more, groups)
    whole, out = surrounded(expected.shape, types[0])
    aclnn.Convolution(x, w, None, stride, pad, dilation, True, more, groups, out, 0)
    close(out, expected, 16 if types[0] == np.float32 else 2)
    assert (whole[..., 0] == 77).all() and (whole[..., -2:] == 77).all()


def test_transposed_convolution_of_the_document() -> None:
    out = np.empty((1, 1, 4), np.float32)
    aclnn.Convolution(
        np.float32([[[1, 2]]]),
        np.float32([[[3, 4]]]),
        None,
        (2,),
        (0,),
        (1,),
        True,
        (0,),
        1,
        out,
        0,
    )
    assert out.tolist() == [[[3, 4, 6, 8]]]


def test_depthwise_convolution_writes_channels_side_by_side() -> None:
    """As ggml's SSM_CONV: the input begins at each place anew, the result has channels last."""
    x, w = numbers(3, 6, 10), numbers(6, 1, 4)
    memory = np.full((3, 7, 8), 77, np.float32)
    out = memory[:, :, 1:7].transpose(0, 2, 1)
    aclnn.Convolution(x, w, None, (1,), (0,), (1,), False, (0,), 6, out, 0)
    close(out, convolve(x, w, (1,), (0,), (0,), (1,), 6))
    assert (memory[:, :, 0] == 77).all() and (memory[:, :, 7] == 77).all()


def test_padding_on_both_sides_of_a_convolution() -> None:
    x, w = numbers(1, 2, 6, 5), numbers(3, 2, 3, 3)
    out = np.empty((1, 3, 6, 6), np.float32)
    aclnn.Convolution(x, w, None, (1, 1), (2, 0, 1, 2), (1, 1), False, (0, 0), 1, out, 0)
    close(out, convolve(x, w, (1, 1), (2, 1), (0, 2), (1, 1), 1), 16)


# -- Attention --------------------------------------------------------------------------------


def attend(q: Any, k: Any, v: Any, pse: Any, scale: float) -> Any:
    """Batch, head, place, element."""
    q, k, v = (one.astype(np.float64) for one in (q, k, v))
    ratio = q.shape[1] // k.shape[1]
    k, v = np.repeat(k, ratio, 1), np.repeat(v, ratio, 1)
    scores = scale * (q @ k.swapaxes(-1, -2))
    if pse is not None:
        scores = scores + pse.astype(np.float64)
    largest = scores.max(-1, keepdims=True)
    weights = np.exp(scores - np.where(np.isinf(largest), 0, largest))
    total = weights.sum(-1, keepdims=True)
    return (weights / np.where(total == 0, 1, total)) @ v


def fused(
    q: Any,
    k: Any,
    v: Any,
    pse: Any,
    heads: int,
    shared: int,
    scale: float,
    layout: str,
    out: Any,
    precise: int = 2,
) -> Any:
    none = [None] * 19
    return aclnn.FusedInferAttentionScoreV2(
        q, [k], [v], pse, *none, None, heads, scale, 65535, 65535, layout, shared,
        0, precise, 0, 0, False, 0, 0, out, None,
    )  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float16, BF16])
@pytest.mark.parametrize(
    ("heads", "shared", "places", "length"), [(8, 2, 1, 33), (4, 4, 5, 7), (6, 3, 17, 260)]
)
def test_attention(dtype: Any, heads: int, shared: int, places: int, length: int) -> None:
    q = numbers(2, places, heads, 16, dtype=dtype)
    cache = numbers(2, 2, shared, length, 24, dtype=dtype)  # keys and values are views of a cache
    k, v = (cache[index].transpose(0, 2, 1, 3)[..., :16] for index in (0, 1))
    mask = numbers(2, 1, places, length, dtype=dtype)
    mask[..., 3] = -np.inf
    pse = np.broadcast_to(mask, (2, heads, places, length))
    turned = [one.transpose(0, 2, 1, 3) for one in (q, k, v)]
    expected = attend(*turned, pse, 0.25).transpose(0, 2, 1, 3)
    whole, out = surrounded(expected.shape, dtype)
    fused(q, k, v, pse, heads, shared, 0.25, "BSND", out)
    close(out, expected, 1)
    assert (whole[..., 0] == 77).all() and (whole[..., -2:] == 77).all()
    out = np.empty((2, heads, places, 16), dtype)
    fused(*turned, None, heads, shared, 0.25, "BNSD", out, 0)
    close(out, attend(*turned, None, 0.25), 1)
    out = np.empty((2, places, heads * 16), dtype)
    k, v = (np.ascontiguousarray(one).reshape(2, length, -1) for one in (k, v))
    fused(q.reshape(2, places, -1), k, v, pse[:1], heads, shared, 0.25, "BSH", out)
    once = attend(*turned, pse[:1], 0.25).transpose(0, 2, 1, 3)
    close(out, once.reshape(2, places, -1), 1)


@pytest.mark.parametrize("precise", [0, 1, 2, 3])
def test_a_row_of_attention_without_a_key_is_zero(precise: int) -> None:
    q, k, v = (numbers(1, 3, 2, 16, dtype=np.float16) for _ in range(3))
    pse = np.zeros((1, 2, 3, 3), np.float16)
    pse[0, 1, 2] = -np.inf
    out = fused(q, k, v, pse, 2, 2, 1.0, "BSND", np.empty_like(q), precise)
    assert (out[0, 2, 1] == 0).all() and np.isfinite(out).all() and (out[0, 2, 0] != 0).any()


# -- Rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float16, BF16])
def test_addition_and_root_mean_square(dtype: Any) -> None:
    a, b = strided(numbers(2, 3, 5, 37, dtype=dtype)), numbers(2, 3, 5, 37, dtype=dtype)
    gamma = numbers(37, dtype=dtype)
    total = (a.astype(np.float32) + b.astype(np.float32)).astype(dtype)
    exact = total.astype(np.float64)
    scale = 1 / np.sqrt((exact * exact).mean(-1, keepdims=True) + 1e-5)
    whole, y = surrounded(a.shape, dtype)
    x, rstd = np.empty(a.shape, dtype), np.empty((2, 3, 5, 1), np.float32)
    aclnn.AddRmsNorm(a, b, gamma, 1e-5, y, rstd, x)
    assert (x == total).all()
    close(rstd, scale, 1)
    close(y, (exact * scale).astype(dtype).astype(np.float64) * gamma.astype(np.float64), 2)
    assert (whole[..., 0] == 77).all() and (whole[..., -2:] == 77).all()
    same = np.empty(a.shape, dtype)
    aclnn.AddRmsNorm(a, b, gamma, 1e-5, same, None, None)
    assert (same == y).all()
    with pytest.raises(aq.AclError, match="xOut") as caught:
        aclnn.AddRmsNorm(a, b, gamma, 1e-5, y, rstd, None)
    assert caught.value.code == 161001


def test_long_rows_of_bfloat16_take_the_sum_before_it_is_rounded() -> None:
    """Many rows of more than 2000 elements: the sum is normalised as FLOAT has it."""
    a, b = numbers(64, 2048, dtype=BF16), numbers(64, 2048, dtype=BF16)
    gamma = np.ones(2048, BF16)
    y = np.empty(a.shape, BF16)
    aclnn.AddRmsNorm(a, b, gamma, 1e-6, y, None, None)
    exact = (a.astype(np.float32) + b.astype(np.float32)).astype(np.float64)
    scale = np.float32(1 / np.sqrt((exact * exact).mean(-1, keepdims=True) + 1e-6)).astype(
        np.float64
    )
    rounded = exact.astype(np.float32).astype(BF16).astype(np.float64)
    expected = (exact * scale).astype(np.float32).astype(BF16)
    assert (y == expected).mean() > 0.999
    assert (y == (rounded * scale).astype(np.float32).astype(BF16)).mean() < 0.95
    aclnn.AddRmsNorm(a[:32], b[:32], gamma, 1e-6, y[:32], None, None)
    assert (y[:32] == expected[:32]).mean() < 0.95


@pytest.mark.parametrize("dtype", [np.float32, np.float16, BF16])
@pytest.mark.parametrize("groups", [1, 2, 6])
def test_normalised_groups(dtype: Any, groups: int) -> None:
    x = strided(numbers(3, 6, 5, 7, dtype=dtype)) + dtype(3)
    gamma, beta = numbers(6, dtype=dtype), numbers(6, dtype=dtype)
    parts = x.astype(np.float64).reshape(3, groups, -1)
    mean, scale = parts.mean(-1), 1 / np.sqrt(parts.var(-1) + 1e-6)
    plain = ((parts - mean[..., None]) * scale[..., None]).reshape(x.shape)
    whole, out = surrounded(x.shape, dtype)
    means, scales = np.empty((3, groups), dtype), np.empty((3, groups), dtype)
    aclnn.GroupNorm(x, None, None, 3, 6, 35, groups, 1e-6, out, means, scales)
    close(out, plain, 2)
    close(means, mean, 1)
    close(scales, scale, 1)
    assert (whole[..., 0] == 77).all() and (whole[..., -2:] == 77).all()
    aclnn.GroupNorm(x, gamma, beta, 3, 6, 35, groups, 1e-6, out, means, scales)
    close(
        out, plain * gamma.astype(float).reshape(-1, 1, 1) + beta.astype(float).reshape(-1, 1, 1), 2
    )


@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("rest", [(5, 7), ()])
def test_group_norm_gradients(groups: int, rest: tuple[int, ...]) -> None:
    """Each is that of the formula in double precision, whatever is left out."""
    draw = np.random.default_rng(3)
    shape = (3, 6, *rest)
    slope, x = (draw.standard_normal(shape).astype(np.float32) for _ in range(2))
    gamma = draw.standard_normal(6).astype(np.float32)
    wide = x.astype(np.float64).reshape(3, groups, -1)
    mean = wide.mean(-1, keepdims=True).astype(np.float32)
    scale = (1 / np.sqrt(wide.var(-1, keepdims=True) + 1e-5)).astype(np.float32)
    normal = ((wide - mean) * scale.astype(np.float64)).reshape(3, 6, -1)
    slopes = slope.astype(np.float64).reshape(3, 6, -1)
    for factors in (gamma, None):
        weight = np.ones(6) if factors is None else gamma.astype(np.float64)
        weighted = (slopes * weight[:, None]).reshape(3, groups, -1)
        grouped = normal.reshape(3, groups, -1)
        share = weighted.mean(-1, keepdims=True) + grouped * (weighted * grouped).mean(
            -1, keepdims=True
        )
        expected = (
            (scale * (weighted - share)).reshape(shape),
            (slopes * normal).sum((0, 2)),
            slopes.sum((0, 2)),
        )
        image = int(np.prod(rest))
        for mask in ([True, True, True], [True, False, False], [False, True, True]):
            outs = [
                np.empty(size, np.float32) if wanted else None
                for wanted, size in zip(mask, (shape, 6, 6), strict=True)
            ]
            aclnn.GroupNormBackward(
                np.asfortranarray(slope), x, mean[..., 0], scale[..., 0], factors,
                3, 6, image, groups, mask, *outs,
            )  # fmt: skip
            for got, right in zip(outs, expected, strict=True):
                if got is not None:
                    np.testing.assert_allclose(got, right, rtol=2e-6, atol=2e-6)


def test_groups_come_right_whatever_happens_to_their_figures() -> None:
    """ggml gives means and deviations memory that overlaps."""
    x = numbers(2, 4, 3, 3)
    memory = np.empty(6, np.float32)
    means, scales = memory[:4].reshape(2, 2), memory[2:].reshape(2, 2)
    out = np.empty_like(x)
    aclnn.GroupNorm(x, None, None, 2, 4, 9, 2, 1e-6, out, means, scales)
    parts = x.astype(np.float64).reshape(2, 2, -1)
    exact = (parts - parts.mean(-1, keepdims=True)) / np.sqrt(parts.var(-1, keepdims=True) + 1e-6)
    close(out, exact.reshape(x.shape), 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, BF16])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5, 7), (1, 1, 1), (2, 3, 2, 2, 2, 2)])
def test_channels_are_normalised(dtype: Any, shape: tuple[int, ...]) -> None:
    x, channels = strided(numbers(*shape, dtype=dtype)), shape[1]
    beside = tuple(axis for axis in range(len(shape)) if axis != 1)

    def lift(one: Any) -> Any:
        return one.astype(np.float64).reshape(-1, *[1] * (len(shape) - 2))

    gamma, beta = numbers(channels, dtype=dtype), numbers(channels)
    count, exact = x.size // channels, x.astype(np.float64)
    mean, var = exact.mean(beside), exact.var(beside)
    _, out = surrounded(shape, dtype)
    saved, scale = np.empty(channels, np.float32), np.empty(channels, np.float32)
    running, spread = np.full(channels, 3, np.float32), np.full(channels, 5, np.float32)
    figures = (out, saved, scale)
    aclnn.BatchNorm(x, gamma, beta, running, spread, True, 0.25, 1e-3, *figures)
    plain = (exact - lift(mean)) / np.sqrt(lift(var) + 1e-3)
    close(out, plain * lift(gamma) + lift(beta), 2)
    close(saved, mean, 2)
    close(scale, 1 / np.sqrt(var + 1e-3), 2)
    close(running, 0.75 * 3 + 0.25 * mean, 2)
    close(spread, 0.75 * 5 + 0.25 * var * count / max(count - 1, 1), 2)
    # Without training the running figures are used, and the others are left alone.
    saved[:] = 77
    aclnn.BatchNorm(x, None, beta, running, spread, False, 0.25, 1e-3, *figures)
    plain = (exact - lift(running)) / np.sqrt(lift(spread) + 1e-3)
    close(out, plain + lift(beta), 2)
    assert (saved == 77).all()
    aclnn.BatchNorm(x, gamma, None, None, None, False, 0.25, 1e-3, out, None, None)
    close(out, exact / np.sqrt(1 + 1e-3) * lift(gamma), 2)


@pytest.mark.parametrize("training", [False, True])
def test_gradients_of_normalised_channels(training: bool) -> None:
    """Against differences of the exact function, in double precision."""
    shape, eps = (3, 2, 4), 1e-2
    x, slope, gamma = numbers(*shape), numbers(*shape), numbers(2)
    running, spread = numbers(2), np.abs(numbers(2)) + np.float32(0.5)

    def lift(one: Any) -> Any:
        return one.astype(np.float64).reshape(-1, 1)

    def loss(x: Any, gamma: Any, beta: Any) -> Any:
        mean = x.mean((0, 2)) if training else running
        var = x.var((0, 2)) if training else spread
        plain = (x - lift(mean)) / np.sqrt(lift(var) + eps)
        return (slope * (plain * lift(gamma) + lift(beta))).sum()

    def differences(which: int) -> Any:
        given = [x.astype(np.float64), gamma.astype(np.float64), np.zeros(2)]
        found = np.empty_like(given[which])
        for place in np.ndindex(found.shape):
            moved = np.zeros_like(found)
            moved[place] = 1e-5
            up, down = (
                loss(*[one + sign * moved if n == which else one for n, one in enumerate(given)])
                for sign in (1, -1)
            )
            found[place] = (up - down) / 2e-5
        return found

    exact = x.astype(np.float64)
    saved = exact.mean((0, 2)).astype(np.float32)
    scale = (1 / np.sqrt(exact.var((0, 2)) + eps)).astype(np.float32)
    grads = np.empty_like(x), np.empty(2, np.float32), np.empty(2, np.float32)
    given = (slope, x, gamma, running, spread, saved, scale, training, eps)
    aclnn.BatchNormBackward(*given, [True] * 3, *grads)
    for which, grad in enumerate(grads):
        np.testing.assert_allclose(grad, differences(which), 1e-4, 1e-4)
    only = np.full(2, 77, np.float32)
    aclnn.BatchNormBackward(*given, [False, True, False], None, only, None)
    assert (only == grads[1]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float16, BF16])
def test_pooling_to_a_size(dtype: Any) -> None:
    x = strided(numbers(2, 3, 7, 10, dtype=dtype))
    for size in ((1, 1), (3, 4), (7, 10), (9, 2), (2, 11)):
        edges = [
            [(n * i // m, -(-n * (i + 1) // m)) for i in range(m)]
            for n, m in zip((7, 10), size, strict=True)
        ]
        expected = np.array([
            [x.astype(np.float64)[..., a:b, c:d].mean((-1, -2)) for c, d in edges[1]]
            for a, b in edges[0]
        ]).transpose(2, 3, 0, 1)  # fmt: skip
        whole, out = surrounded((2, 3, *size), dtype)
        aclnn.AdaptiveAvgPool2d(x, size, out)
        close(out, expected, 1)
        assert (whole[..., 0] == 77).all() and (whole[..., -2:] == 77).all()
        aclnn.AdaptiveAvgPool2d(x[1], size, out[0])
        close(out[0], expected[1], 1)


def _gelu(x: Any, exactly: bool) -> Any:
    if exactly:
        return x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))
    return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


@pytest.mark.parametrize("dtype", [np.float32, np.float16, BF16])
@pytest.mark.parametrize("dim", [-1, 1])
def test_gates(dtype: Any, dim: int) -> None:
    x = strided(numbers(3, 4, 6, dtype=dtype) * dtype(4))
    first, second = np.split(x.astype(np.float64), 2, dim)
    whole, out = surrounded(first.shape, dtype)
    alone = np.empty(first.shape, dtype)
    for approximate, exactly in ((0, True), (1, False)):
        aclnn.GeGluV3(x, dim, approximate, True, out, alone)
        close(out, _gelu(first, exactly) * second, 1)
        close(alone, _gelu(first, exactly), 1)
        for name, more in (("GeGluV3", (False,)), ("GeGlu", ())):
            getattr(aclnn, name)(x, dim, approximate, *more, out, alone)
            close(out, first * _gelu(second, exactly), 1)
            close(alone, _gelu(second, exactly), 1)
    aclnn.SwiGlu(x, dim, out)
    close(out, first / (1 + np.exp(-first)) * second, 1)
    assert (whole[..., 0] == 77).all() and (whole[..., -2:] == 77).all()


def test_gates_at_large_values() -> None:
    x = np.float32([-150, 150, 1, 2.0, 3, 2])
    out = aclnn.SwiGlu(x, 0, np.empty(3, np.float32))
    assert abs(out[0]) < 1e-30 and out[1] == 450 and abs(out[2] - 2 * 0.7310586) < 1e-6
    alone = np.empty(1, np.float32)
    for approximate, value in ((0, 0.841345), (1, 0.841192)):
        aclnn.GeGluV3(np.float32([1, 1]), 0, approximate, True, np.empty(1, np.float32), alone)
        assert abs(alone[0] - value) < 1e-6


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, BF16])
def test_rotation(mode: int, dtype: Any) -> None:
    x = numbers(2, 5, 3, 8, dtype=dtype)
    cos, sin = numbers(1, 5, 1, 8, dtype=dtype), numbers(1, 5, 1, 8, dtype=dtype)
    wide = x.astype(np.float64)
    straight, turned = wide, np.empty_like(wide)
    if mode == 0:
        turned = np.concatenate([-wide[..., 4:], wide[..., :4]], -1)
    elif mode == 1:
        turned[..., ::2], turned[..., 1::2] = -wide[..., 1::2], wide[..., ::2]
    elif mode == 2:
        a, b, c, d = (wide[..., i : i + 2] for i in range(0, 8, 2))
        turned = np.concatenate([-b, a, -d, c], -1)
    else:
        even, odd = wide[..., ::2], wide[..., 1::2]
        straight, turned = np.concatenate([even, odd], -1), np.concatenate([-odd, even], -1)
    expected = straight * cos.astype(np.float64) + turned * sin.astype(np.float64)
    whole, out = surrounded(x.shape, dtype)
    aclnn.RotaryPositionEmbedding(x, cos, sin, mode, out)
    close(out, expected, 1)
    assert (whole[..., 0] == 77).all() and (whole[..., -2:] == 77).all()
    aclnn.RotaryPositionEmbedding(x, cos, sin, mode, x)  # in place
    assert (x == out).all()


def test_rotation_of_the_document() -> None:
    x = np.float32([1, 2, 3, 4]).reshape(1, 1, 1, 4)
    zero, one = np.zeros_like(x), np.ones_like(x)
    for mode, expected in ((0, [-3, -4, 1, 2]), (1, [-2, 1, -4, 3]), (3, [-2, -4, 1, 3])):
        out = aclnn.RotaryPositionEmbedding(x, zero, one, mode, np.empty_like(x))
        assert out.reshape(-1).tolist() == expected
    for bad in (
        (x, zero, one, 4, x),
        (x[0], zero, one, 0, x),
        (x[..., :3], zero[..., :3], one[..., :3], 0, x[..., :3]),
    ):
        with pytest.raises(aq.AclError) as caught:
            aclnn.RotaryPositionEmbedding(*bad)
        assert caught.value.code == 561002


@pytest.mark.parametrize("dtype", [np.float32, np.float16, BF16])
def test_cross_entropy_and_its_gradient(dtype: Any) -> None:
    x = strided(numbers(5, 7, dtype=dtype) * dtype(3))
    x[1] *= dtype(1e3 if dtype == np.float16 else 1e4)
    labels = (np.abs(numbers(5, 7)) / 4).astype(dtype)
    wide, target = x.astype(np.float64), labels.astype(np.float64)
    shifted = wide - wide.max(-1, keepdims=True)
    log = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    loss, slope = np.empty(5, dtype), np.empty((5, 7), dtype)
    aclnn.SoftmaxCrossEntropyWithLogits(x, labels, loss, slope)
    close(loss, -(target * log).sum(-1), 1)
    close(slope, np.exp(log) - target, 1)
    assert np.isfinite(loss).all()


# -- Places -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float16, BF16, np.int8, np.int64, np.complex64])
def test_slices_and_permutations(dtype: Any) -> None:
    x = strided(RANDOM.integers(0, 99, (3, 4, 5)).astype(dtype))
    for order in ((0, 1, 2), (2, 0, 1), (-1, 1, 0)):
        expected = x.transpose(order)
        whole, out = surrounded(expected.shape, dtype)
        aclnn.Permute(x, order, out)
        assert (out == expected).all() and (whole[..., 0] == 77).all()
    if dtype == np.complex64:
        return
    if dtype in (np.float32, np.float16, BF16, np.int8, np.int64):
        for dim, start, end, step in ((2, 1, 4, 1), (-1, 0, 5, 2), (0, -2, 99, 1), (1, -9, -1, 2)):
            where = [slice(None)] * 3
            where[dim] = slice(start, end, step)
            expected = x[tuple(where)]
            whole, out = surrounded(expected.shape, dtype)
            aclnn.Slice(x, dim, start, end, step, out)
            assert (out == expected).all() and (whole[..., 0] == 77).all()
    expected = np.pad(x, [(0, 0), (0, 0), (2, 4)], mode="reflect")
    out = aclnn.ReflectionPad1d(x, (2, 4), np.empty(expected.shape, dtype))
    assert (out == expected).all()
    line = np.arange(3).astype(dtype).reshape(1, 3)
    out = aclnn.ReflectionPad1d(line, (2, 2), np.empty((1, 7), dtype))
    assert out[0].tolist() == [2, 1, 0, 1, 2, 1, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float16, BF16, np.int32])
@pytest.mark.parametrize("kind", [np.int32, np.int64])
def test_gathered_slices(dtype: Any, kind: Any) -> None:
    x = RANDOM.integers(0, 99, (5, 4, 3)).astype(dtype)
    for source in (x, strided(x)):
        for dim in (0, 1, -1):
            for index in (np.array([1, 0, 1], kind), np.array([[2, 0], [1, 1]], kind)[:, ::-1]):
                expected = np.take(source, index, dim)
                out = aclnn.GatherV2(source, dim, index, np.empty(expected.shape, dtype))
                assert (out == expected).all()
    index = np.array(2, kind)
    assert (aclnn.GatherV2(x, 0, index, np.empty((4, 3), dtype)) == x[2]).all()
    assert (aclnn.GatherV2(x, 1, index, np.empty((5, 1, 3), dtype)) == x[:, 2:3]).all()
    rows = aclnn.GatherV2(
        x[..., 0].astype(dtype), 0, np.array([4, 0, 4], kind), np.empty((3, 4), dtype)
    )
    assert (rows == x[[4, 0, 4], :, 0]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float16, BF16, np.int64])
def test_copied_slices_leave_the_others_alone(dtype: Any) -> None:
    for dim in (0, 1):
        memory = RANDOM.integers(0, 99, (6, 9)).astype(dtype)
        before = memory.copy()
        target = memory[:, 1:6]
        index = np.array([4, 1, 4], np.int64)
        source = strided(RANDOM.integers(100, 120, (3, 5) if dim == 0 else (6, 3)).astype(dtype))
        expected = before.copy()
        for number, place in enumerate(index):
            if dim == 0:
                expected[place, 1:6] = source[number]
            else:
                expected[:, 1 + place] = source[:, number]
        aclnn.InplaceIndexCopy(target, dim, index, source)
        assert (memory == expected).all()
        out = np.empty((6, 5), dtype)
        aclnn.IndexCopy(before[:, 1:6], dim, index, source, out)
        assert (out == expected[:, 1:6]).all()


def test_triangular_equations() -> None:
    for dtype in (np.float32, np.float64, np.complex64, np.complex128):
        a = RANDOM.standard_normal((3, 1, 6, 6)) + 6 * np.eye(6)
        if np.issubdtype(dtype, np.complexfloating):
            a = a + 1j * RANDOM.standard_normal(a.shape)
        a = a.astype(dtype)
        b = RANDOM.standard_normal((2, 6, 5)).astype(dtype)
        for upper in (False, True):
            for transpose in (False, True):
                triangle = np.broadcast_to(np.triu(a) if upper else np.tril(a), (3, 2, 6, 6))
                matrix = triangle.swapaxes(-1, -2) if transpose else triangle
                wide = np.complex128 if np.iscomplexobj(a) else np.float64
                expected = np.linalg.solve(
                    matrix.astype(wide), np.broadcast_to(b, (3, 2, 6, 5)).astype(wide)
                )
                x, kept = np.empty((3, 2, 6, 5), dtype), np.empty((3, 2, 6, 6), dtype)
                aclnn.TriangularSolve(strided(b), strided(a), upper, transpose, False, x, kept)
                assert (
                    np.abs(x - expected).max() <= 8 * np.finfo(dtype).eps * np.abs(expected).max()
                )
                assert (kept == triangle).all()
    a = numbers(4, 4)
    x, kept = np.empty((4, 1), np.float32), np.empty((4, 4), np.float32)
    ones = np.tril(a, -1) + np.eye(4)
    b = numbers(4, 1)
    aclnn.TriangularSolve(b, a, False, False, True, x, kept)
    assert np.abs(x - np.linalg.solve(ones, b)).max() < 1e-4


def test_outer_products_and_sums() -> None:
    a, b = numbers(5)[::2], numbers(4)
    out = aclnn.Ger(a, b, np.empty((3, 4), np.float32))
    assert (out == np.outer(a, b)).all()
    whole = aclnn.Ger(np.int32([1, -2]), np.int64([3, 4, 5]), np.empty((2, 3), np.int64))
    assert (whole == [[3, 4, 5], [-6, -8, -10]]).all()
    parts = [numbers(3, 4), numbers(4), numbers(3, 1)]
    out = aclnn.Sum(parts, np.empty((3, 4), np.float32))
    expected = sum(one.astype(np.float64) for one in parts).astype(np.float32)
    assert (out == expected).all()
    small = [np.int8([100]), np.int8([100]), np.int8([1])]
    assert aclnn.Sum(small, np.empty(1, np.int8)).tolist() == [-55]


# -- Weights ----------------------------------------------------------------------------------


def _dequantised(weight: Any, scale: Any, offset: Any, dtype: Any) -> Any:
    """Round as the chip's kernel for all shapes: in x's type, bfloat16 with FLOAT in between."""
    between = np.float16 if dtype == np.float16 else np.float32
    found = weight.astype(between)
    if offset is not None:
        found = (found.astype(np.float64) + offset.astype(np.float64)).astype(between)
    exact = found.astype(np.float64) * scale.astype(np.float64)
    return exact.astype(between).astype(dtype).astype(np.float64)


@pytest.mark.parametrize("dtype", [np.float16, BF16])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("group", [0, 32])
@pytest.mark.parametrize("with_offset", [False, True])
def test_quantised_weights(dtype: Any, transposed: bool, group: int, with_offset: bool) -> None:
    k, n = 80, 6  # the last group is short
    x = numbers(7, k, dtype=dtype)
    weight = RANDOM.integers(-128, 128, (k, n)).astype(np.int8)
    groups = (1, n) if group == 0 else (-(-k // group), n)
    scale = (np.abs(RANDOM.standard_normal(groups)) / 100).astype(dtype)
    offset = RANDOM.integers(-9, 9, groups).astype(dtype) if with_offset else None
    bias = numbers(n, dtype=np.float32 if dtype == BF16 else np.float16)
    places = np.zeros(k, int) if group == 0 else np.arange(k) // group
    full = _dequantised(weight, scale[places], None if offset is None else offset[places], dtype)
    expected = x.astype(np.float64) @ full
    turn = (lambda one: np.ascontiguousarray(one.T).T) if transposed else (lambda one: one)
    y = np.empty((7, n), dtype)
    given = [turn(weight), turn(scale), None if offset is None else turn(offset)]
    aclnn.WeightQuantBatchMatmulV2(x, *given, None, None, None, group, y)
    close(y, expected, 1)
    aclnn.WeightQuantBatchMatmulV2(x, *given, None, None, bias, group, y)
    close(y, expected + bias.astype(np.float64), 1)
    rows = np.eye(k, dtype=dtype)[:7]
    aclnn.WeightQuantBatchMatmulV2(rows, *given, None, None, None, group, y)
    assert (y.astype(np.float64) == full[:7]).all()  # one product per element: exact
    aclnn.WeightQuantBatchMatmulV2(np.ascontiguousarray(x.T).T, *given, None, None, None, group, y)
    close(y, expected, 1)


def test_quantised_weights_of_the_document() -> None:
    weight = ((np.arange(64) % 16) - 8).astype(np.int8).reshape(64, 1)
    scale, x = np.float16([[0.5], [0.25]]), np.ones((1, 64), np.float16)
    for offset, expected in ((None, -12), (np.full((2, 1), 8, np.float16), 180)):
        y = np.empty((1, 1), np.float16)
        aclnn.WeightQuantBatchMatmulV2(x, weight, scale, offset, None, None, None, 32, y)
        assert y[0, 0] == expected
    # K = 32 in ggml: group size 0, one scale for each column.
    weight = RANDOM.integers(-128, 128, (32, 3)).astype(np.int8)
    x, scale = numbers(2, 32, dtype=np.float16), np.float16([[0.5, 0.25, 2]])
    y = aclnn.WeightQuantBatchMatmulV2(
        x, weight, scale, None, None, None, None, 0, np.empty((2, 3), np.float16)
    )
    close(y, x.astype(float) @ (weight * scale.astype(float)), 1)


class Device:
    """Memory of the device and tensors that show it as ggml describes them."""

    def __init__(self) -> None:
        ok(host.aclrtSetDevice(0))
        self.made: list[Any] = []

    def memory(self, array: Any) -> Any:
        address = ffi.new("void **")
        data = np.ascontiguousarray(array)
        ok(host.aclrtMalloc(address, max(data.nbytes, 1), 0))
        source = ffi.from_buffer(data)
        ok(host.aclrtMemcpy(address[0], data.nbytes, source, data.nbytes, 1))
        self.made.append((host.aclrtFree, address[0]))
        return address[0]

    def tensor(
        self, data: Any, dtype: int, shape: Any, strides: Any, form: int = 2, offset: int = 0
    ) -> Any:
        # As ggml: the offset is missing in the length of the storage.
        storage = 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
        made = host.aclCreateTensor(
            list(shape), len(shape), dtype, list(strides), offset, form, [storage], 1, data
        )
        self.made.append((host.aclDestroyTensor, made))
        return made

    def run(self, name: str, *arguments: Any) -> int:
        size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
        status = getattr(host, name + "GetWorkspaceSize")(*arguments, size, executor)
        if status == 0:
            room = self.memory(np.zeros(max(int(size[0]), 1), np.uint8))
            ok(getattr(host, name)(room, size[0], executor[0], NULL))
            ok(host.aclrtSynchronizeStream(NULL))
        return int(status)

    def read(self, data: Any, shape: Any, dtype: Any) -> Any:
        found = np.empty(shape, dtype)
        ok(host.aclrtMemcpy(ffi.from_buffer(found), found.nbytes, data, found.nbytes, 2))
        return found

    def free(self) -> None:
        for release, one in reversed(self.made):
            ok(release(one))


@pytest.fixture
def device() -> Any:
    made = Device()
    yield made
    made.free()


@pytest.mark.parametrize("n", [1, 3, 8])
def test_int4_weights_as_ggml_describes_them(device: Device, n: int) -> None:
    m, k = 5, 64
    ahead = np.zeros((2, k // 2), np.uint8)  # the weight of another expert lies in front
    x = numbers(m, k, dtype=np.float16)
    weight = RANDOM.integers(-8, 8, (n, k))  # as it lies in memory: transposed
    scale = (np.abs(RANDOM.standard_normal((n, k // 32))) + 0.1).astype(np.float16)
    packed = ((weight[:, ::2] & 15) | (weight[:, 1::2] & 15) << 4).astype(np.uint8)
    full = (
        (weight * np.repeat(scale, 32, 1).astype(np.float64)).astype(np.float16).astype(np.float64)
    )
    out = device.memory(np.zeros((m, n), np.float16))
    memory = device.memory(np.concatenate([ahead, packed]))
    for dtype, shape, strides, offset in (
        (29, (k, n), (1, k), 2 * k),
        (3, (k // 8, n), (1, k // 8), 2 * k // 8),
    ):
        status = device.run(
            "aclnnWeightQuantBatchMatmulV2",
            device.tensor(device.memory(x), 1, (m, k), (k, 1)),
            device.tensor(memory, dtype, shape, strides, offset=offset),
            device.tensor(device.memory(scale), 1, (k // 32, n), (1, k // 32)),
            NULL, NULL, NULL, NULL, 32,
            device.tensor(out, 1, (m, n), (n, 1)),
        )  # fmt: skip
        assert status == 0
        close(device.read(out, (m, n), np.float16), x.astype(np.float64) @ full.T, 1)


@pytest.mark.parametrize("name", ["aclnnMm", "aclnnMatmul"])
def test_weights_that_were_brought_into_shape(device: Device, name: str) -> None:
    """ggml calls TransMatmulWeight, then describes the weight as FRACTAL_NZ with 1-D storage."""
    m, k, n = 3, 21, 5
    x, weight = numbers(m, k, dtype=np.float16), numbers(n, k, dtype=np.float16)
    memory = device.memory(weight)
    assert device.run("aclnnTransMatmulWeight", device.tensor(memory, 1, (n, k), (k, 1))) == 0
    out = device.memory(np.zeros((m, n), np.float16))
    status = device.run(
        name,
        device.tensor(device.memory(x), 1, (m, k), (k, 1)),
        device.tensor(memory, 1, (k, n), (1, k), 29),
        device.tensor(out, 1, (m, n), (n, 1)),
        0,
    )
    assert status == 0
    close(
        device.read(out, (m, n), np.float16), x.astype(np.float64) @ weight.astype(np.float64).T, 1
    )
    # A tensor that is really in blocks is refused, not misread.
    blocks = host.aclCreateTensor([k, n], 2, 1, [n, 1], 0, 29, [1, 2, 16, 16], 4, memory)
    device.made.append((host.aclDestroyTensor, blocks))
    left = device.tensor(device.memory(x), 1, (m, k), (k, 1))
    assert device.run(name, left, blocks, device.tensor(out, 1, (m, n), (n, 1)), 0) == 161002


def test_sizes_of_weights() -> None:
    ok(host.aclrtSetDevice(0))
    size = ffi.new("uint64_t *")

    def calculate(shape: list[int], *dtype: int) -> int:
        array = host.aclCreateIntArray(shape, len(shape))
        name = "aclnnCalculateMatmulWeightSize" + ("V2" if dtype else "")
        status = getattr(host, name)(array, *dtype, size)
        ok(host.aclDestroyIntArray(array))
        return int(status)

    for shape, dtype, expected in (
        ([510, 510], 1, 262144), ([510, 270], 2, 147456), ([3, 5, 17], 27, 1536), ([17, 9], 0, 512),
    ):  # fmt: skip
        assert calculate(shape, dtype) == 0 and size[0] == expected
    assert calculate([1, 1]) == 0 and size[0] == 256
    assert calculate([0, 5]) == 0 and size[0] == 0
    for shape, dtype in (([4], 1), ([2] * 7, 1), ([0, 4], 1), ([4, 4], 9), ([4, -4], 1)):
        assert calculate(shape, dtype) == 161002
    array = host.aclCreateIntArray([4, 4], 2)
    assert host.aclnnCalculateMatmulWeightSizeV2(NULL, 1, size) == 161001
    assert host.aclnnCalculateMatmulWeightSizeV2(array, 1, NULL) == 161001
    ok(host.aclDestroyIntArray(array))
