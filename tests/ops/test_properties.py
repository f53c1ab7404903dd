"""Drawn calls: the package and the independent reference agree, on results and on refusals.

A normal run draws some hundreds of cases, ``--nightly`` more than 20,000. The product
family follows ``ACLQUANT_HOST_SOC``: the last test runs this file again, in a new process,
for the inference series.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import strategies as draws
from helpers import tiers
from helpers.agreement import FAMILY, agree, cases, same
from helpers.compare import assert_same_bits
from helpers.strategies import BFLOAT16, FLOATS, HALVES, STRANGERS, arrays, shapes, sometimes
from hypothesis import assume, given
from hypothesis import strategies as st
from reference import A2, Spec
from reference import anti_quant as ref_anti_quant
from reference import dynamic_quant as ref_dynamic_quant
from reference import quantize as ref_quantize
from reference import trans_quant_param as ref_trans_quant_param
from reference.arithmetic import ACL_CODE, pack_int4, unpack_int4

import aclquant as aq

Array = draws.Array

a2_only = pytest.mark.skipif(FAMILY != A2, reason="not a function of the inference series")

# called with argument lists, which no type checker can follow
_C_V1: Any = ref_quantize.aclnn_ascend_quant
_C_V3: Any = ref_quantize.aclnn_ascend_quant_v3
_C_ANTI: Any = ref_anti_quant.aclnn_ascend_anti_quant


def outputs(*specs: Spec | None) -> list[Any]:
    """Preallocated arrays for a C function."""
    return [None if spec is None else np.zeros(spec.shape, spec.numpy) for spec in specs]


def pick(draw: Any, usual: list[Any], strange: list[Any], one_in: int = 12) -> Any:
    """Mostly one of ``usual``, sometimes one of ``strange``."""
    return draw(st.sampled_from(strange if draw(sometimes(one_in)) else usual))


# -- quantize ---------------------------------------------------------------------------------


@st.composite
def divisions(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of quantize with div_mode=True."""
    shape = draw(shapes(0, 8) if not draw(sometimes(30)) else st.just((1,) * 9))
    rank = len(shape)
    axis = pick(draw, list(range(-rank, rank)) or [0], [-rank - 1, rank, 1])
    x_type = pick(draw, FLOATS, STRANGERS)
    scale_type = pick(draw, [x_type, FLOATS[0], FLOATS[1]], [BFLOAT16, *STRANGERS])
    length = shape[axis] if rank and -rank <= axis < rank else 3
    size = pick(draw, [length, length, 1], [length + 1, 0])
    scale_shape = pick(draw, [(size,)], [(), (1, size), (size, 1)])
    zero_points = None
    if not draw(sometimes(3)):
        whole = [np.dtype(name) for name in ("int8", "uint8", "int32")]
        if BFLOAT16 in (x_type, scale_type) and scale_type == BFLOAT16:
            whole = [BFLOAT16]
        zero_type = pick(draw, whole, [BFLOAT16, np.dtype("float32"), np.dtype("int64")])
        zero_shape = pick(draw, [scale_shape], [(2,), (1, 1), ()])
        zero_points = draw(arrays(zero_shape, zero_type))
    return {
        "x": draw(arrays(shape, x_type)),
        "scales": draw(arrays(scale_shape, scale_type)),
        "zero_points": zero_points,
        "dtype": pick(
            draw, ["qint8", "quint8", "qint32", "int8", "uint8", "int32"], ["quint4x2", "float16"]
        ),
        "axis": axis,
        "div_mode": True,
    }


@st.composite
def multiplications(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of quantize with div_mode=False."""
    dtype = pick(draw, ["qint8", "int8", "quint4x2", "int32"], ["uint8", "quint8", "qint32"])
    packed = dtype in ("quint4x2", "int32") and not draw(sometimes(8))
    shape = draw(shapes(1, 8, 8 if packed else None) if not draw(sometimes(20)) else shapes(0, 1))
    rank = len(shape)
    axis = draw(st.sampled_from([-1, -2, 0, 1, 5] + [-3] * draw(sometimes(8))))
    where = -2 if axis == -2 and rank > 1 else -1
    x_type = pick(draw, FLOATS, STRANGERS)
    scale_type = pick(draw, FLOATS if x_type == FLOATS[0] else [x_type], FLOATS + STRANGERS)
    length = shape[where] if rank else 1
    scale_shape = draw(draws.parameter_shapes(length, rank, where))
    zero_points = None
    if draw(st.booleans()):
        zero_shape = pick(draw, [scale_shape], [(2,), ()])
        zero_points = draw(arrays(zero_shape, pick(draw, [scale_type], FLOATS)))
    return {
        "x": draw(arrays(shape, x_type)),
        "scales": draw(arrays(scale_shape, scale_type)),
        "zero_points": zero_points,
        "dtype": dtype,
        "axis": axis,
        "div_mode": False,
    }


@cases(100, 4000)
@given(divisions())
def test_quantize_dividing(arguments: dict[str, Any]) -> None:
    same(
        lambda: aq.quantize(**arguments),
        lambda: ref_quantize.quantize(**arguments, family=FAMILY),
    )


@cases(100, 4000)
@given(multiplications())
def test_quantize_multiplying(arguments: dict[str, Any]) -> None:
    same(
        lambda: aq.quantize(**arguments),
        lambda: ref_quantize.quantize(**arguments, family=FAMILY),
    )


@st.composite
def ascend_quants(draw: st.DrawFn) -> tuple[list[Any], Spec]:
    """Arguments of aclnnAscendQuantV3 up to axis, and y."""
    target = pick(draw, ["int8", "int32"], ["uint8", "int64"], 20)
    shape = draw(shapes(1, 8, 8 if target == "int32" else None))
    rank = len(shape)
    axis = pick(draw, [-1, rank - 1, max(-2, -rank), max(rank - 2, 0)], [0, -3, rank, 9])
    x_type = pick(draw, FLOATS, STRANGERS, 20)
    scale_type = pick(draw, FLOATS if x_type == FLOATS[0] else [x_type], FLOATS, 20)
    length = shape[axis] if -rank <= axis < rank else 2
    scale_shape = draw(draws.parameter_shapes(length, rank, axis if -rank <= axis < rank else 0))
    offset = draw(arrays(scale_shape, scale_type)) if draw(st.booleans()) else None
    out = (*shape[:-1], shape[-1] // 8) if target == "int32" else shape
    code = ACL_CODE[pick(draw, [target], ["int8", "int32"], 20)]
    mode = pick(draw, ["round", "floor", "ceil", "trunc"], ["Round", "rint", "hybrid", ""])
    arguments = [
        draw(arrays(shape, x_type)),
        draw(arrays(scale_shape, scale_type)),
        offset,
        draw(st.booleans()),
        mode,
        code,
        axis,
    ]
    return arguments, Spec(target, pick(draw, [out], [(*out, 1), (7,)], 20))


@cases(80, 3000)
@given(ascend_quants())
def test_ascend_quant_v3(call: tuple[list[Any], Spec]) -> None:
    arguments, spec = call
    (y,) = outputs(spec)

    def run() -> Any:
        aq.aclnn.aclnnAscendQuantV3(*arguments, y)
        return y

    same(run, lambda: _C_V3(*arguments, spec, family=FAMILY))


@cases(40, 1500)
@given(ascend_quants())
def test_ascend_quant_first_version(call: tuple[list[Any], Spec]) -> None:
    arguments, spec = call
    *arguments, _axis = arguments
    (y,) = outputs(spec)
    assume(arguments[1].ndim > 0)  # not described for a scale without dimensions

    def run() -> Any:
        aq.aclnn.aclnnAscendQuant(*arguments, y)
        return y

    same(run, lambda: _C_V1(*arguments, spec, family=FAMILY))


@cases(60, 500)
@given(multiplications())
def test_out_argument_leaves_gaps_alone(arguments: dict[str, Any]) -> None:
    both = agree(
        lambda: aq.quantize(**arguments),
        lambda: ref_quantize.quantize(**arguments, family=FAMILY),
    )
    if both is None:
        return  # on the inference series most are refused
    _, expected = both
    holder, out = draws.guarded(expected.shape, expected.dtype)
    result = aq.quantize(**arguments, out=out)
    assert result is out
    assert_same_bits(out, expected)
    untouched = np.ones(holder.shape, bool)
    untouched[tuple(slice(1, 2 * size + 1, 2) for size in expected.shape)] = False
    assert (holder[untouched] == 77).all()


# -- anti_quant -------------------------------------------------------------------------------


@st.composite
def anti_quants(draw: st.DrawFn) -> tuple[list[Any], dict[str, Any]]:
    x_type = pick(draw, [np.dtype(np.int8), np.dtype(np.int32)], [np.dtype(np.uint8), *FLOATS])
    if FAMILY != A2 and not draw(sometimes(10)):
        x_type = np.dtype(np.int8)
    shape = draw(shapes(0, 8) if not draw(sometimes(30)) else st.just((1,) * 9))
    last = (shape[-1] if shape else 1) * (8 if x_type == np.int32 else 1)
    scale_type = pick(draw, [FLOATS[0], BFLOAT16], [FLOATS[1], np.dtype("float64")])
    scale_shape = pick(draw, [(last,), (1,)], [(), (last + 1,), (1, last), (0,), (3,)])
    offset = None
    if draw(st.booleans()) or FAMILY != A2:  # no offset: not known for the inference series
        offset_type = pick(draw, [scale_type], [FLOATS[0], BFLOAT16])
        offset = draw(arrays(pick(draw, [scale_shape], [(2,), ()]), offset_type))
    source = None
    if draw(sometimes(3)):
        usual = ["quint4x2", "int4"] if x_type == np.int32 else ["int8"]
        source = pick(draw, usual, ["int8", "int32", "quint4x2", "float16"])
    keywords = {
        "offset": offset,
        "dst_dtype": pick(draw, [None, "float16", "bfloat16"], ["float32", "int8"]),
        "src_dtype": source,
    }
    x = draw(arrays(shape, x_type, ["bits", "ordinary"]))
    return [x, draw(arrays(scale_shape, scale_type))], keywords


@cases(100, 4000)
@given(anti_quants())
def test_anti_quant(call: tuple[list[Any], dict[str, Any]]) -> None:
    arguments, keywords = call
    same(
        lambda: aq.anti_quant(*arguments, **keywords),
        lambda: ref_anti_quant.anti_quant(*arguments, **keywords, family=FAMILY),
    )


@cases(40, 1500)
@given(anti_quants(), st.booleans(), st.integers(0, 9))
def test_ascend_anti_quant(
    call: tuple[list[Any], dict[str, Any]], sqrt_mode: bool, spoil: int
) -> None:
    (x, scale), keywords = call
    target = keywords["dst_dtype"] or "float16"
    shape = x.shape
    if x.dtype == np.int32:
        shape = (*shape[:-1], 8 * shape[-1]) if shape else (8,)
    spec = Spec(target, (*shape, 1) if spoil == 9 else shape)
    arguments: list[Any] = [
        x,
        scale,
        keywords["offset"],
        ACL_CODE["int8" if spoil == 8 else target],
    ]
    (y,) = outputs(spec)

    def run() -> Any:
        aq.aclnn.aclnnAscendAntiQuant(*arguments, sqrt_mode, y)
        return y

    same(
        run,
        lambda: _C_ANTI(*arguments, sqrt_mode, spec, family=FAMILY),
    )


@cases(30, 1000)
@given(shapes(1, 5, 8), st.integers(0, 2**32 - 1))
def test_packing(shape: tuple[int, ...], seed: int) -> None:
    values = np.random.default_rng(seed).integers(-8, 8, shape).astype(np.int8)
    words = pack_int4(values)
    assert_same_bits(aq.pack_int4(values), words)
    assert_same_bits(aq.unpack_int4(words), values)
    assert_same_bits(unpack_int4(words), values)


# -- trans_quant_param ------------------------------------------------------------------------


@st.composite
def row_shapes(draw: st.DrawFn, length: int) -> tuple[int, ...]:
    shape: tuple[int, ...]
    shape = pick(draw, [(length,), (length,), (1, length)], [(), (0,), (2, length), (1, 1, length)])
    return shape


@st.composite
def parameters(draw: st.DrawFn) -> dict[str, Any]:
    length = draw(st.integers(1, 40))
    strided = draw(sometimes(6))
    scale_type = pick(draw, [FLOATS[0]], [*HALVES, *STRANGERS], 20)
    scale_length = pick(draw, [length, 1], [length + 1])
    scale = draw(arrays(draw(row_shapes(scale_length)), scale_type, strided=strided))
    offset = None
    if draw(st.booleans()):
        offset_length = pick(draw, [length, 1], [length + 2])
        offset_type = pick(draw, [FLOATS[0]], [*HALVES, *STRANGERS], 20)
        offset = draw(arrays(draw(row_shapes(offset_length)), offset_type, strided=strided))
    return {"scale": scale, "offset": offset, "round_mode": pick(draw, [0, 1, None], [2, -1])}


@cases(100, 4000)
@given(parameters())
def test_trans_quant_param(arguments: dict[str, Any]) -> None:
    same(
        lambda: aq.trans_quant_param(**arguments),
        lambda: ref_trans_quant_param.trans_quant_param(**arguments, family=FAMILY),
    )


@cases(60, 2000)
@given(parameters(), st.booleans(), st.data())
def test_trans_quant_param_c_functions(
    arguments: dict[str, Any], rounding: bool, data: st.DataObject
) -> None:
    """V2 and V3, which refuse strided inputs, in phase 2."""
    scale, offset = arguments["scale"], arguments["offset"]
    mode = arguments["round_mode"] or 0
    length = max(scale.size, 1 if offset is None else offset.size)
    shape = pick(data.draw, [(length,), (1, length), (length + 3,)], [(length // 2,), (0,)])
    spec = Spec(pick(data.draw, ["int64", "uint64"], ["int32", "float32"]), shape)
    (out,) = outputs(spec)

    def run() -> Any:
        if rounding:
            aq.aclnn.aclnnTransQuantParamV3(scale, offset, mode, out)
        else:
            aq.aclnn.aclnnTransQuantParamV2(scale, offset, out)
        return out

    def reference() -> Any:
        if rounding:
            return ref_trans_quant_param.aclnn_trans_quant_param_v3(scale, offset, mode, spec)
        return ref_trans_quant_param.aclnn_trans_quant_param_v2(scale, offset, spec)

    same(run, reference)


# -- dynamic_quant ----------------------------------------------------------------------------


@st.composite
def group_indices(draw: st.DrawFn, rows: int) -> Array:
    experts = draw(st.integers(1, 5))
    ends = draw(st.lists(st.integers(0, rows), min_size=experts, max_size=experts))
    if not draw(sometimes(4)):
        ends = sorted(ends)
        ends[-1] = rows
    elif draw(st.booleans()):
        ends[0] = draw(st.sampled_from([-1, rows + 3]))
    return np.array(ends, np.int32)


@np.errstate(all="ignore")
def _tame(array: Array) -> Array:
    """Rows whose half precision intermediates stay finite (310P: overflow is not described)."""
    return np.nan_to_num(array.astype(np.float32), nan=1.0).clip(-99, 99).astype(array.dtype)


@st.composite
def dynamic_quants(draw: st.DrawFn) -> dict[str, Any]:
    target = pick(draw, [None, "int8", "quint4x2"], ["int32", "uint8", "float16", "quint8"])
    width = 8 if target == "quint4x2" and not draw(sometimes(8)) else None
    if FAMILY != A2 and not draw(sometimes(10)):
        target, width = draw(st.sampled_from([None, "int8"])), 32
    rank_known = not draw(sometimes(20))
    shape = draw(shapes(2, 8, width) if rank_known else st.sampled_from([(), (8,), (1,) * 9]))
    x_type = pick(draw, HALVES, [FLOATS[0], *STRANGERS], 20)
    x = draw(arrays(shape, x_type))
    if FAMILY != A2 and x_type in HALVES:
        x = _tame(x)
    mode = pick(draw, ["pertoken"] * 3 + ["pertensor"] * 2 + ["perchannel"], ["row", ""], 20)
    if FAMILY != A2:
        mode = "pertoken"
    smooth = groups = None
    length = shape[-1] if shape else 1
    if mode == "perchannel" and len(shape) > 1:
        length = shape[-2]
    if draw(st.booleans()):
        smooth_type = pick(draw, [x_type], [*FLOATS], 20)
        smooth_shape = pick(draw, [(length,)], [(length + 1,), (1, length), ()], 15)
        if mode == pick(draw, ["pertoken"], ["pertensor", "perchannel"]) and draw(st.booleans()):
            groups = draw(group_indices(int(np.prod(shape[:-1], dtype=np.int64))))
            extra = draw(sometimes(15))
            smooth_shape = (groups.size + extra, length)
            if draw(sometimes(20)):
                groups = groups.astype(draw(st.sampled_from([np.int64, np.float32])))
        smooth = draw(arrays(smooth_shape, smooth_type))
    elif draw(sometimes(8)):
        groups = np.array([1, 2], draw(st.sampled_from([np.int32, np.int64, np.float32])))
    return {
        "x": x,
        "smooth_scales": smooth,
        "group_index": groups,
        "dst_type": target,
        "quant_mode": mode,
    }


def covered_rows(arguments: dict[str, Any]) -> Array | None:
    """Which rows of x have a group, or None for all (the others' results mean nothing)."""
    groups, shape = arguments["group_index"], arguments["x"].shape
    if groups is None or arguments["smooth_scales"] is None or FAMILY != A2:
        return None
    rows = int(np.prod(shape[:-1], dtype=np.int64))
    owners = ref_dynamic_quant.smooth_row_of_rows(groups, rows)
    covered: Array = np.array([owner is not None for owner in owners], bool)
    by_row: Array = covered.reshape(shape[:-1])
    return by_row


@np.errstate(all="ignore")
def finite_halves(x: Array) -> bool:
    """Whether the inference series' half precision steps stay in range for every row."""
    wide = x.astype(np.float32)
    if not wide.size:
        return True
    span = wide.max(-1) - wide.min(-1)
    inverse = np.where(span <= 1e-12, 0, 255 / span)
    largest = np.abs(wide).max(-1)
    return bool((inverse < 60000).all() and (largest * inverse < 30000).all())


@cases(150, 5000)
@given(dynamic_quants())
def test_dynamic_quant_asymmetric(arguments: dict[str, Any]) -> None:
    x = arguments["x"]
    if FAMILY != A2 and x.dtype in HALVES and x.ndim > 1:
        assume(finite_halves(x))
    both = agree(
        lambda: aq.dynamic_quant_asymmetric(**arguments),
        lambda: ref_dynamic_quant.dynamic_quant_asymmetric(**arguments, family=FAMILY),
    )
    if both is None:
        return
    rows = covered_rows(arguments)
    for name, actual, expected in zip(("y", "scale", "offset"), *both, strict=True):
        if not x.size and name != "y":  # nothing is written: only dtype and shape are known
            assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
        elif rows is not None and actual.shape == expected.shape:
            assert_same_bits(actual[rows], expected[rows], name)
        else:
            assert_same_bits(actual, expected, name)


@np.errstate(all="ignore")
def described(x: Array, smooth: Array | None) -> bool:
    """Whether the symmetric results are determined: no NaN may enter the maximum."""
    wide = x.astype(np.float32)
    if smooth is None:
        return not np.isnan(wide).any()
    return bool(np.isfinite(wide).all() and np.isfinite(smooth.astype(np.float32)).all())


@a2_only
@cases(80, 3000)
@given(dynamic_quants(), st.booleans())
def test_dynamic_quant_symmetric(arguments: dict[str, Any], first_version: bool) -> None:
    x, smooth, groups = arguments["x"], arguments["smooth_scales"], arguments["group_index"]
    assume(x.ndim > 0 and arguments["dst_type"] in (None, "int8", "quint4x2"))
    assume(described(x, smooth))
    packed = arguments["dst_type"] == "quint4x2"
    y = Spec("int32", (*x.shape[:-1], x.shape[-1] // 8)) if packed else Spec("int8", x.shape)
    scale = Spec("float32", x.shape[:-1])
    arrays_out = outputs(y, scale)

    def run() -> Any:
        if first_version:
            aq.aclnn.aclnnDynamicQuant(x, smooth, *arrays_out)
        else:
            aq.aclnn.aclnnDynamicQuantV2(x, smooth, groups, 2, *arrays_out, None)
        return arrays_out

    def reference() -> Any:
        if first_version:
            return ref_dynamic_quant.aclnn_dynamic_quant(x, smooth, y, scale)
        return ref_dynamic_quant.aclnn_dynamic_quant_v2(x, smooth, groups, 2, y, scale, None)

    both = agree(run, reference)
    if both is None:
        return
    rows = None if first_version else covered_rows(arguments)
    actual, expected = both
    for name, got, want in zip(("y", "scale"), actual, expected[:2], strict=True):
        if rows is None or not x.size:
            assert_same_bits(got, want, name)
        else:
            assert_same_bits(got[rows], want[rows], name)


@a2_only
@cases(80, 3000)
@given(dynamic_quants(), st.booleans(), sometimes(12), sometimes(12))
def test_dynamic_quant_v3_and_v4(
    arguments: dict[str, Any], fourth: bool, symmetrical: bool, spoil: bool
) -> None:
    """The C functions with a mode: unlike the Python function, groups go with "pertensor" too.

    Symmetric results are only described per token; here a symmetric call must be refused, because
    it comes with an offset.
    """
    x, smooth, groups = arguments["x"], arguments["smooth_scales"], arguments["group_index"]
    mode = arguments["quant_mode"]
    assume(x.ndim > 0 and arguments["dst_type"] in (None, "int8", "quint4x2"))
    packed = arguments["dst_type"] == "quint4x2"
    y = Spec("int32", (*x.shape[:-1], x.shape[-1] // 8)) if packed else Spec("int8", x.shape)
    shape = ref_dynamic_quant.scale_shape(x.shape, mode)
    scale = Spec("float32", (*shape, 1) if spoil else shape)
    specs = (y, scale, scale)
    results = outputs(*specs)
    code = ACL_CODE[y.dtype]

    def run() -> Any:
        inputs = (x, smooth, groups, code, symmetrical, mode)
        if fourth:
            aq.aclnn.aclnnDynamicQuantV4(*inputs, 0.0, *results)
        else:
            aq.aclnn.aclnnDynamicQuantV3(*inputs, *results)
        return results

    both = agree(
        run,
        lambda: ref_dynamic_quant.aclnn_dynamic_quant_v3(
            x, smooth, groups, code, symmetrical, mode, *specs
        ),
    )
    if both is None:
        return
    rows = covered_rows(arguments)
    if rows is not None and not rows.all():
        if mode != "pertoken":
            return  # a row without a group spoils the whole tensor's maximum
    else:
        rows = None
    for name, actual, expected in zip(("y", "scale", "offset"), *both, strict=True):
        if rows is None:
            assert_same_bits(actual, expected, name)
        else:
            assert_same_bits(actual[rows], expected[rows], name)


# -- another family ---------------------------------------------------------------------------


@pytest.mark.skipif(FAMILY != A2, reason="this is the other process")
def test_inference_series() -> None:
    """This file once more on a 310P, with a third of the cases."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "ACLQUANT_BACKEND": "host",
        "ACLQUANT_HOST_SOC": "Ascend310P3",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(Path(__file__))]
    if tiers.nightly:
        command.append("--nightly")
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=1800, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None and int(passed.group(1)) >= 9, done.stdout[-500:]
