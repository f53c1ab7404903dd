"""What phase 1 of the everyday operators accepts and refuses: one case for each row of a table.

Row F6 of the reviews. The rows of ``everyday_codes.txt`` say what CANN answers, as its public
sources and the unit tests beside them have it: an operator, its arguments in the order of the C
declaration, and the code. Where this device answers otherwise, the row stands on the page of the
everyday operators instead.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from helpers.everyday import OPERATORS, PHASE_1
from helpers.native import NULL, host, message, ok

from aclquant._ffi import ffi
from aclquant._ffi.declarations import functions


def _rows(name: str) -> list[list[str]]:
    lines = (Path(__file__).parent / name).read_text("utf-8").splitlines()
    return [line.split(": ") for line in lines if not line.startswith("#")]


ROWS = [row + [""] * (3 - len(row)) for row in _rows("everyday_codes.txt")]
DEVIATIONS = _rows("everyday_deviations.txt")
DTYPES = {
    "FLOAT": 0, "FLOAT16": 1, "INT8": 2, "INT32": 3, "UINT8": 4, "INT16": 6, "UINT16": 7,
    "UINT32": 8, "INT64": 9, "UINT64": 10, "DOUBLE": 11, "BOOL": 12, "COMPLEX64": 16,
    "COMPLEX128": 17, "BF16": 27, "COMPLEX32": 33,
}  # fmt: skip
FORMATS = {
    "": 2, "NCHW": 0, "NHWC": 1, "NC1HWC0": 3, "FZ": 4, "HWCN": 16, "NDHWC": 27, "NZ": 29,
    "NCDHW": 30, "NDC1HWC0": 32, "FZ3D": 33, "NCL": 47,
}  # fmt: skip
NUMBERS = {0: "float *", 11: "double *", 12: "bool *"}


def _tensor(text: str, data: Any) -> Any:
    text, _, layout = text.partition("@")
    name, sizes = text.rstrip(")").split("(")
    dims = [int(size) for size in sizes.split(",") if size]
    rank, dtype, format_ = len(dims), DTYPES[name], FORMATS[layout]
    return host.aclCreateTensor(dims, rank, dtype, NULL, 0, format_, dims, rank, data)


def _scalar(text: str) -> Any:
    name, _, value = text.partition("=")
    dtype = DTYPES[name]
    if dtype in (16, 17):
        kind = "float[2]" if dtype == 16 else "double[2]"
        return host.aclCreateScalar(ffi.new(kind, [float(value), 0.0]), dtype)
    if dtype in (1, 27):  # 1.0 or so: its value does not matter
        return host.aclCreateScalar(ffi.new("uint16_t *", 0x3C00), dtype)
    kind = NUMBERS.get(dtype, "int64_t *")
    number = float(value) if dtype in (0, 11) else int(float(value))
    return host.aclCreateScalar(ffi.new(kind, number), dtype)


def _argument(text: str, kind: str, data: Any, stack: ExitStack) -> Any:
    """Make the argument that a word of a row describes."""

    def made(value: Any, destroy: Any) -> Any:
        stack.callback(destroy, value)
        return value

    if text == "null":
        return NULL
    if text.startswith("["):
        tensors = [_tensor(one, data) for one in re.findall(r"\w+\([^)]*\)(?:@\w+)?", text)]
        listed = host.aclCreateTensorList(ffi.new("aclTensor *[]", tensors), len(tensors))
        return made(listed, host.aclDestroyTensorList)
    if text.startswith("{"):
        numbers = [int(one) for one in text.strip("{}").split(",") if one]
        if "Bool" in kind:
            return made(host.aclCreateBoolArray(numbers, len(numbers)), host.aclDestroyBoolArray)
        return made(host.aclCreateIntArray(numbers, len(numbers)), host.aclDestroyIntArray)
    if "=" in text:
        return made(_scalar(text), host.aclDestroyScalar)
    if "(" in text:
        return made(_tensor(text, data), host.aclDestroyTensor)
    if text.startswith("ACL_"):
        return DTYPES[text.removeprefix("ACL_")]
    return float(text) if kind in ("float", "double") else int(text)


@pytest.mark.parametrize(("name", "arguments", "code"), ROWS)
def test_phase_1_answers(name: str, arguments: str, code: str, room: Any) -> None:
    _check(name, arguments, code, room)


@pytest.mark.parametrize(("name", "arguments", "cann", "here", "_reason", "sentence"), DEVIATIONS)
def test_deviations_are_those_on_the_page(
    name: str, arguments: str, cann: str, here: str, _reason: str, sentence: str, room: Any
) -> None:
    """A row of docs/ops/everyday_codes.md that is true no longer has to go.

    The sentence begins with the argument that is refused, here or by CANN.
    """
    assert cann != here
    argument = re.match(r"`(\w+)` ", sentence)
    assert argument, sentence
    told = _check(name, arguments, here, room)
    assert here == "0" or f"argument '{argument[1]}'" in told, told


def _check(name: str, arguments: str, code: str, room: Any) -> str:
    size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
    words = re.findall(r"\[[^\]]*\]|\S+", arguments)
    parameters = functions[name + PHASE_1].parameters[:-2]
    assert len(words) == len(parameters)
    with ExitStack() as stack:
        given = [_argument(w, p.type, room, stack) for w, p in zip(words, parameters, strict=True)]
        status = getattr(host, name + PHASE_1)(*given, size, executor)
        told = message()
        assert status == int(code), f"{status} {told}"
        if status == 0:
            stack.callback(ok, host.aclDestroyAclOpExecutor(executor[0]))
        return told


def test_the_table_is_of_these_operators() -> None:
    assert {name for name, _, _ in ROWS} <= set(OPERATORS)
    assert {code for _, _, code in ROWS} == {"0", "161002"}
