"""Every row of docs/conformance.md has a test; a lost one is noticed here."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"
if not PAGE.exists():
    pytest.skip("this copy of the tests has no docs/", allow_module_level=True)


def rows_of_the_page() -> dict[str, set[int]]:
    """The rows of each table of docs/conformance.md; ``2, 3`` and ``4 to 6`` are several."""
    found: dict[str, set[int]] = {}
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            table = found.setdefault(line[3:], set())
        if numbers := re.match(r"\| ([\d, to]+) \|", line):
            for first, last in re.findall(r"(\d+)(?: to (\d+))?", numbers[1]):
                table |= set(range(int(first), int(last or first) + 1))
    return found


ROWS = rows_of_the_page()

#: Rows that speak of another chip as well, or only: each needs a test that runs there.
INFERENCE_SERIES = {
    "quantize": {36},
    "anti_quant": {6, 10, 38},
    "trans_quant_param": {21},
    "dynamic_quant": {56},
    "quant_matmul": {1, 12},
}

#: Rows that speak of the 950 family: each needs a test that it is refused by name.
NOT_SUPPORTED = {
    "quantize": {13, 51},
    "anti_quant": {15},
    "trans_quant_param": {21},
    "dynamic_quant": {46, 47, 48},
    "quant_matmul": {12},
}

CHECKS_OF_THE_INTERFACE = {
    "init_twice",
    "get_device_in_a_fresh_thread",
    "malloc_of_nothing",
    "malloc_to_null",
    "free_null",
    "memcpy_of_nothing",
    "memcpy_more_than_fits",
    "memcpy_kind_6",
    "synchronize_default_stream",
    "synchronize_with_timeout_0",
    "destroy_null_stream",
    "event_query_before_record",
    "create_tensor_without_dimensions_pointer",
    "create_tensor_of_no_dimensions",
    "destroy_null_tensor",
    "phase_1_null_result",
    "phase_1_null_tensor",
    "phase_1_wrong_dtype",
    "phase_2_null_executor",
    "phase_2_null_workspace",
    "empty_tensor",
    "repeatable_executor_with_new_addresses",
    "finalize_twice",
}


def named_tests(module: str) -> dict[str, object]:
    """Test functions by name without ``test_``."""
    names = vars(importlib.import_module(f"conformance.test_{module}"))
    return {name[5:]: value for name, value in names.items() if name.startswith("test_")}


def rows_of(name: str) -> set[int]:
    """``row_46_47_48_words`` speaks of three rows."""
    found = re.match(r"row((?:_\d\d)+)_[a-z]", name)
    return {int(number) for number in found[1].split("_")[1:]} if found else set()


def marks_of(function: object) -> set[str]:
    return {mark.name for mark in getattr(function, "pytestmark", [])}


@pytest.mark.parametrize("operator", ROWS)
def test_every_row_has_a_test(operator: str) -> None:
    """A row counts as tested by a test that neither runs elsewhere nor is only a refusal."""
    tests = named_tests(operator)
    assert all(rows_of(name) for name in tests), "a test without the number of its row"
    elsewhere = {56} if operator == "dynamic_quant" else set()
    here = [
        rows_of(name)
        for name, function in tests.items()
        if not name.endswith("950_is_not_supported")
        and "inference_series" not in marks_of(function)
    ]
    only_there = INFERENCE_SERIES[operator] - set().union(*here) | elsewhere
    assert set().union(*here) | only_there == ROWS[operator]


@pytest.mark.parametrize("operator", ROWS)
def test_rows_of_other_chips_have_a_test(operator: str) -> None:
    there, refused = set(), set()
    for name, function in named_tests(operator).items():
        if "inference_series" in marks_of(function):
            there |= rows_of(name)
        if name.endswith("950_is_not_supported"):
            refused |= rows_of(name)
    assert there == INFERENCE_SERIES[operator]
    assert refused == NOT_SUPPORTED[operator]


def test_every_check_of_the_interface_has_a_test() -> None:
    assert set(named_tests("c_interface")) >= CHECKS_OF_THE_INTERFACE


def test_the_tables_are_read() -> None:
    """Numbered from 1 without gaps, so that no row is lost with its test."""
    assert set(ROWS) == {
        "quantize",
        "anti_quant",
        "trans_quant_param",
        "dynamic_quant",
        "quant_matmul",
    }
    for table, rows in ROWS.items():
        assert rows == set(range(1, len(rows) + 1)), table
        assert len(rows) >= 19
