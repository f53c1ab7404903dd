"""Calls that together reach every tiling path, each with the same call of the host device.

Little local memory (`local`) and few cores bring small data onto the paths of large ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .emulation import Array, Case, _dtype, dynamic_quant, elementwise, trans_quant_param

SMALL = 24576  # bytes of local memory: a row of some hundreds of columns fits


@dataclass
class Call:
    """One call: for the emulation, and for the host device (function, arguments)."""

    label: str
    case: Case
    cores: int
    function: str
    arguments: tuple[Any, ...]
    bytes_of: Callable[[Array], Array] = lambda array: array


def numbers(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, special: bool) -> Array:
    """Return values of a type: ordinary ones, or with all that is special among them."""
    values = rng.normal(size=shape) * np.exp2(rng.integers(-6, 7, shape))
    if special:
        odd = np.array(
            [
                0,
                -0.0,
                np.inf,
                -np.inf,
                np.nan,
                6e-8,
                -6e-8,
                65504,
                -65504,
                1e38,
                0.5,
                1.5,
                2.5,
                -0.5,
            ]
        )
        which = rng.random(shape) < 0.02
        values = np.where(which, rng.choice(odd, shape), values)
    with np.errstate(over="ignore"):
        return values.astype(np.float32).astype(_dtype(dtype))


def packed(values: Array) -> Array:
    """Return bytes of int4 as the int32 that the host device takes them in."""
    return np.ascontiguousarray(values).view(np.int32)


def _dynamic(
    rng: np.random.Generator,
    shape: tuple[int, int],
    dtype: str,
    smooth: int,
    *,
    int4: bool,
    asymmetric: bool,
    cores: int,
    local: int,
    special: bool,
) -> Call:
    x = numbers(rng, shape, dtype, special)
    if special and shape[0] > 3:
        x[0], x[1], x[2] = 0, np.asarray(0.001).astype(x.dtype), -1
    scales = index = None
    if smooth == 1:
        scales = numbers(rng, shape[1:], dtype, False)
    elif smooth > 1:
        scales = numbers(rng, (smooth, shape[1]), dtype, False)
        index = np.sort(rng.integers(0, shape[0] + 1, smooth)).astype(np.int32)
        index[-1] = shape[0]
    case = dynamic_quant(x, scales, index, int4=int4, asymmetric=asymmetric, local=local)
    y, *parameters = case.outputs
    name = "Asymmetric" if asymmetric else ""
    return Call(
        f"dynamic{name} {shape} {dtype} smooth {smooth} {'int4' if int4 else 'int8'} cores {cores}"
        f" local {local} {'special' if special else ''}",
        case,
        cores,
        f"aclnnAclquantDynamicQuant{name}",
        (x, scales, index, packed(y) if int4 else y, *parameters),
    )


DYNAMIC = [  # shape, smooth, int4, cores, local
    ((1, 1), 0, False, 4, 0),
    ((5, 1), 0, False, 4, 0),
    ((1, 31), 1, False, 4, 0),
    ((9, 33), 0, False, 4, 0),
    ((7, 64), 0, False, 4, 0),
    ((40, 8), 1, True, 3, 0),
    ((33, 72), 0, True, 3, 0),
    ((70, 100), 1, False, 3, 0),
    ((67, 17), 5, False, 3, 0),
    ((600, 5), 0, False, 2, 0),
    ((530, 16), 7, True, 1, 0),
    ((70, 256), 0, False, 3, SMALL),
    ((10, 700), 0, False, 2, SMALL),
    ((10, 700), 1, False, 2, SMALL),
    ((10, 696), 3, True, 2, SMALL),
    ((20, 900), 0, False, 3, SMALL),
    ((20, 601), 1, False, 3, SMALL),
    ((7, 1600), 0, False, 2, SMALL),
    ((7, 1100), 1, False, 2, SMALL),
    ((9, 1088), 3, True, 3, SMALL),
    ((5, 3000), 0, False, 3, SMALL),
    ((34, 1500), 1, False, 3, SMALL),
    ((9, 2501), 4, False, 2, SMALL),
    ((5, 3000), 2, True, 5, SMALL),
    ((9, 3008), 1, True, 2, SMALL),
    ((2, 9000), 0, False, 7, SMALL),
    ((1, 8192), 1, False, 4, 0),
    ((2, 8256), 2, True, 9, 0),
    ((1, 12320), 0, False, 8, SMALL),
    ((3, 8193), 0, False, 8, SMALL),
]

DYNAMIC_LARGE = [
    ((200, 4096), 0, False, 0, 0),
    ((7, 20000), 1, False, 0, 0),
    ((50, 14336), 0, False, 0, 0),
    ((9, 20001), 0, False, 0, 0),
    ((17, 17000), 1, False, 0, 0),
    ((300, 2048), 16, True, 0, 0),
    ((3000, 7), 0, False, 0, 0),
    ((1, 40000), 0, False, 0, 0),
]


def dynamic_calls(inference: bool, *, large: bool = False) -> Iterator[Call]:
    rng = np.random.default_rng(17)
    types = ["float16"] if inference else ["float16", "bfloat16"]
    for number, (shape, smooth, int4, cores, local) in enumerate(
        DYNAMIC_LARGE if large else DYNAMIC
    ):
        for asymmetric in (True, False):
            yield _dynamic(
                rng,
                shape,
                types[(number + asymmetric) % len(types)],
                smooth,
                int4=int4,
                asymmetric=asymmetric,
                cores=cores or (8 if inference else 48),
                local=local,
                special=number % 2 == 1,
            )


ELEMENTWISE = [  # shape, axis, one scale, cores, local
    ((1,), -1, True, 4, 0),
    ((33,), -1, True, 4, 0),
    ((40, 100), -1, True, 4, 0),
    ((3, 1024), -1, True, 3, SMALL),
    ((2, 4099), -1, True, 5, SMALL),
    ((5, 8), -1, False, 2, 0),
    ((300, 24), -1, False, 2, 0),
    ((70, 96), -1, False, 3, 0),
    ((19, 65), -1, False, 3, 0),
    ((40, 640), -1, False, 3, SMALL),
    ((6, 3001), -1, False, 2, SMALL),
    ((2, 4096), -1, False, 7, SMALL),
    ((7, 5), -2, False, 2, 0),
    ((2, 9, 64), -2, False, 3, 0),
    ((3, 20, 33), -2, False, 2, 0),
    ((50, 520), -2, False, 3, SMALL),
    ((3, 4096), -2, False, 6, SMALL),
    ((4, 3001), -2, False, 2, SMALL),
]

ELEMENTWISE_LARGE = [
    ((300, 4096), -1, True, 0, 0),
    ((300, 4096), -1, False, 0, 0),
    ((5, 30001), -1, False, 0, 0),
    ((9, 30000), -2, False, 0, 0),
]


def _even(shape: tuple[int, ...]) -> bool:
    return shape[-1] % 8 == 0


def _scale(rng: np.random.Generator, count: int, dtype: str, special: bool) -> Array:
    values = np.abs(numbers(rng, (count,), "float32", False)) + np.float32(0.01)
    if special and count > 6:
        values[:6] = [0, -0.0, np.inf, np.nan, -3, 1e-40]
    return values.astype(_dtype(dtype))


def _shapes(large: bool) -> list[tuple[tuple[int, ...], int, bool, int, int]]:
    return ELEMENTWISE_LARGE if large else ELEMENTWISE


def quantize_calls(inference: bool, *, large: bool = False) -> Iterator[Call]:
    rng = np.random.default_rng(18)
    floats = ["float32", "float16"] + ([] if inference else ["bfloat16"])
    for number, (shape, axis, one, cores, local) in enumerate(_shapes(large)):
        for turn, result in enumerate(("int8", "uint8", "int32")):
            x_type = floats[(number + turn) % len(floats)]
            x = numbers(rng, shape, x_type, number % 2 == 0)
            count = 1 if one else shape[axis]
            kind = (number + 2 * turn) % 5
            scale_type = ["float32", "float16"][number % 2]
            points: Array | None
            if x_type == "bfloat16" and kind == 4:
                scale_type = "bfloat16"
                points = numbers(rng, (count,), "bfloat16", False)
            elif kind == 3:
                points = None
            else:
                points_type = ["int8", "uint8", "int32"][kind % 3]
                points = rng.integers(0, 100, count).astype(points_type)
                if points_type == "int32" and count > 2:
                    points[:2] = [16777217, -70000]
            scale = _scale(rng, count, scale_type, number % 3 == 0)
            case = elementwise(
                "aclquant_quantize", x, scale, points, result, axis=axis, local=local
            )
            yield Call(
                f"quantize {shape} axis {axis} {x_type} / {scale_type} + "
                f"{None if points is None else points.dtype} -> {result} cores {cores}",
                case,
                cores or (8 if inference else 48),
                "aclnnAclquantQuantize",
                (x, scale, points, axis, case.outputs[0]),
            )


def ascend_quant_calls(inference: bool, *, large: bool = False) -> Iterator[Call]:
    rng = np.random.default_rng(19)
    floats = ["float32", "float16"] + ([] if inference else ["bfloat16"])
    for number, (shape, axis, one, cores, local) in enumerate(_shapes(large)):
        for turn, result in enumerate(("int8", "int4")):
            if result == "int4" and not _even(shape):
                continue
            x_type = floats[(number + turn) % len(floats)]
            scale_type = floats[number % len(floats)] if x_type == "float32" else x_type
            x = numbers(rng, shape, x_type, number % 2 == 0)
            count = 1 if one else shape[axis]
            scale = _scale(rng, count, scale_type, number % 3 == 0)
            offset = None if number % 3 == 1 else numbers(rng, (count,), scale_type, False)
            mode = ["round", "floor", "ceil", "trunc"][(number + turn) % 4]
            twice = number % 4 == 2
            case = elementwise(
                "aclquant_ascend_quant",
                x,
                scale,
                offset,
                result,
                axis=axis,
                twice=twice,
                mode=mode,
                local=local,
            )
            y = case.outputs[0]
            yield Call(
                f"ascend_quant {shape} axis {axis} {x_type} * {scale_type} {mode} -> {result} "
                f"cores {cores}",
                case,
                cores or (8 if inference else 48),
                "aclnnAclquantAscendQuant",
                (x, scale, offset, twice, mode, axis, packed(y) if result == "int4" else y),
            )


def anti_quant_calls(inference: bool, *, large: bool = False) -> Iterator[Call]:
    rng = np.random.default_rng(20)
    results = ["float16"] if inference else ["float16", "bfloat16"]
    scales = ["float32"] if inference else ["float32", "bfloat16"]
    for number, (shape, axis, one, cores, local) in enumerate(_shapes(large)):
        if axis != -1:
            continue
        for turn in range(2):
            four = turn == 1
            if four and not _even(shape):
                continue
            bytes_shape = (*shape[:-1], shape[-1] // 2) if four else shape
            x = rng.integers(-128, 128, bytes_shape).astype(np.int8)
            count = 1 if one else shape[-1]
            scale_type = scales[(number + turn) % len(scales)]
            scale = _scale(rng, count, scale_type, number % 3 == 0)
            if number % 4 == 1:
                scale = (scale.astype(np.float32) * np.float32(600)).astype(scale.dtype)
            offset = None if number % 3 == 1 else numbers(rng, (count,), scale_type, False)
            result = results[number % len(results)]
            twice = number % 4 == 2
            case = elementwise(
                "aclquant_anti_quant" + (":int4" if four else ""),
                x,
                scale,
                offset,
                result,
                twice=twice,
                local=local,
            )
            yield Call(
                f"anti_quant {shape} {'int4' if four else 'int8'} {scale_type} -> {result} "
                f"cores {cores}",
                case,
                cores or (8 if inference else 48),
                "aclnnAclquantAntiQuant",
                (packed(x) if four else x, scale, offset, twice, case.outputs[0]),
            )


def trans_quant_param_calls(inference: bool, *, large: bool = False) -> Iterator[Call]:
    rng = np.random.default_rng(21)
    sizes = [(20000, 20000)] if large else [(1, 0), (3, 3), (16, 1), (1, 21), (515, 515), (5000, 0)]
    for scales, offsets in sizes:
        for mode in (0, 1):
            scale = rng.integers(0, 2**32, scales, dtype=np.uint64).astype(np.uint32)
            edges = np.array(
                [
                    *(0x3F801000, 0x3F803000, 0x3F801001, 0xBF801001, 0x3F7FF000, 0x7F7FFFFF),
                    *(0x7F800000, 0xFF800000, 0x7F800001, 0x7FC00000, 1, 0x7FFFFF, 0x80002001),
                    *(0, 0x80000000),
                ],
                np.uint32,
            )
            scale[: edges.size] = edges[:scales]
            offset = (rng.normal(size=offsets) * 200).astype(np.float32) if offsets else None
            if offset is not None and offsets > 8:
                offset[:8] = [0.5, 1.5, 2.5, -0.5, 255.6, -256.6, np.inf, -np.inf]
            values = scale.view(np.float32)
            case = trans_quant_param(values, offset, mode)
            yield Call(
                f"trans_quant_param {scales} {offsets} mode {mode}",
                case,
                8 if inference else 48,
                "aclnnAclquantTransQuantParam",
                (values, offset, mode, case.outputs[0]),
            )


FAMILIES = {
    "dynamic": dynamic_calls,
    "quantize": quantize_calls,
    "ascend_quant": ascend_quant_calls,
    "anti_quant": anti_quant_calls,
    "trans_quant_param": trans_quant_param_calls,
}
