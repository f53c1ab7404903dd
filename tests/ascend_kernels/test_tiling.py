"""Tilings: the cases reach every key, cores share the work, traffic is what the model says."""

from __future__ import annotations

import ctypes
import re

import numpy as np
import pytest

from .building import KERNELS, ROOT
from .cases import FAMILIES, Call, dynamic_calls
from .emulation import Emulation
from .model import table

DYNAMIC = {path + 10 * smooth for path in range(4) for smooth in range(3)}
KEYS = {
    "dynamic": DYNAMIC,
    "quantize": {0, 1, 2},
    "ascend_quant": {0, 1, 2},
    "anti_quant": {0, 1},  # the last axis only
    "trans_quant_param": {0, 1},
}


class Dynamic(ctypes.Structure):
    _fields_ = [
        ("rows", ctypes.c_uint64),
        ("cols", ctypes.c_uint64),
        ("groups", ctypes.c_uint64),
        ("group_rows", ctypes.c_uint32),
        ("shares", ctypes.c_uint32),
        ("share_cols", ctypes.c_uint64),
        ("tile_rows", ctypes.c_uint32),
        ("tile_cols", ctypes.c_uint32),
        ("buffers", ctypes.c_uint32),
        ("smooth_rows", ctypes.c_uint32),
    ]


def test_the_keys_are_those_of_the_kernels() -> None:
    text = (KERNELS / "common" / "aclquant_dynamic_quant.h").read_text("utf-8")
    cases = {int(n) for n in re.findall(r"ACLQUANT_DYNAMIC_QUANT_CASE\((\d+), X", text)}
    assert cases == DYNAMIC
    text = (KERNELS / "common" / "aclquant_elementwise.h").read_text("utf-8")
    assert {int(n) for n in re.findall(r"TILING_KEY_IS\((\d+)\)", text)} == KEYS["quantize"]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_cases_reach_every_key(emulation: Emulation, family: str) -> None:
    reached = {
        call.case.plan(emulation, call.cores).key for call in FAMILIES[family](emulation.inference)
    }
    assert reached == KEYS[family]


def test_the_cases_reach_the_ways_within_a_key(emulation: Emulation) -> None:
    """One and several tiles, with and without a remainder; flushes of scales; pieces."""
    seen = set()
    for call in dynamic_calls(emulation.inference):
        plan = call.case.plan(emulation, call.cores)
        t = Dynamic.from_buffer_copy(plan.tiling)
        cores = plan.blocks // t.shares
        rows = -(-t.rows // cores)
        seen.add(("tiles", min(-(-rows // t.tile_rows), 3)))
        seen.add(("last tile", rows % t.tile_rows != 0))
        seen.add(("flushes", rows > 512))
        seen.add(("whole blocks", t.cols % 32 == 0))
        seen.add(("tail of 64", t.cols % 64 != 0))
        seen.add(("cores share unequally", t.groups % cores != 0))
        if plan.key % 10 >= 2:
            seen.add(("pieces", min(-(-t.cols // t.tile_cols), 3)))
    for name in ("last tile", "flushes", "whole blocks", "tail of 64", "cores share unequally"):
        assert {(name, True), (name, False)} <= seen, name
    assert {("tiles", 1), ("tiles", 2), ("tiles", 3), ("pieces", 2), ("pieces", 3)} <= seen


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 10**6), (3, 70000), (47, 5120), (100000, 16), (4096, 4096)]
)
@pytest.mark.parametrize("smooth", [0, 1, 7])
@pytest.mark.parametrize("int4", [False, True])
def test_tiles_fit_and_cores_are_used(
    emulation: Emulation, shape: tuple[int, int], smooth: int, int4: bool
) -> None:
    rows, cols = shape
    if int4 and cols % 2:
        pytest.skip("int4 come in pairs")
    plan = emulation.tile(
        "dynamic_quant", [0, rows, cols, int4, smooth > 0, smooth if smooth > 1 else 0]
    )
    assert plan
    t = Dynamic.from_buffer_copy(plan.tiling)
    assert 1 <= plan.blocks <= emulation.cores
    assert t.tile_cols % 64 == 0
    assert t.shares * t.share_cols >= cols > (t.shares - 1) * t.share_cols
    if rows >= 2 * emulation.cores * t.group_rows:
        assert plan.blocks == emulation.cores
    if rows == 1 and cols == 10**6:
        assert plan.blocks > emulation.cores // 2  # a long row is shared


def traffic_calls(emulation: Emulation) -> list[Call]:
    return [
        call
        for family in ("dynamic", "quantize", "ascend_quant", "anti_quant")
        for call in FAMILIES[family](emulation.inference)
    ]


def test_the_model_of_traffic_is_what_moves(emulation: Emulation) -> None:
    """Exact where bytes move; on the inference series whole blocks do."""
    if emulation.inference:
        pytest.skip("the model is for chips that move bytes")
    for call in traffic_calls(emulation):
        case = call.case
        plan = case.plan(emulation, call.cores)
        report, _ = case.run(emulation, cores=call.cores)
        moved = report.numbers["loaded"] + report.numbers["stored"]
        model = emulation.traffic(case.op, case.numbers, call.cores)
        if case.op == "dynamic_quant" and plan.key >= 20:  # how often groups change within a tile
            assert moved == pytest.approx(model, rel=0.25), call.label
        else:
            assert moved == model, call.label


def test_the_tiling_refuses_what_the_kernels_cannot_do(emulation: Emulation) -> None:
    assert emulation.tile("dynamic_quant", [0, 0, 5, 0, 0, 0]) is None
    assert emulation.tile("dynamic_quant", [0, 5, 0, 0, 0, 0]) is None
    assert emulation.tile("dynamic_quant", [0, 5, 7, 1, 0, 0]) is None  # int4 in pairs
    assert emulation.tile("dynamic_quant", [0, 5, 8, 0, 1, 1025]) is None
    assert emulation.tile("elementwise", [0, 2, 3, 4, 5, 32, 8]) is None  # 5 scales for 3
    assert emulation.tile("elementwise", [0, 1, 1, 7, 1, 4, 16]) is None
    assert emulation.tile("trans_quant_param", [0, 3, 5, 0]) is None
    assert emulation.tile("trans_quant_param", [0, 3, 3, 2]) is None


def test_numbers_of_the_chips(emulation: Emulation) -> None:
    assert (emulation.chip, emulation.cores) in {("Ascend910B1", 48), ("Ascend310P3", 8)}
    assert np.intersect1d(emulation.kernels(), ["right"]).size == 1


def test_the_page_has_the_model(emulation: Emulation) -> None:
    if emulation.inference:
        pytest.skip("the page is about the Ascend910B1")
    page = (ROOT / "docs" / "ascend_kernels.md").read_text("utf-8")
    found = page.split("<!-- model -->\n")[1].split("<!-- end of model -->")[0].splitlines()
    assert found == table(emulation)
