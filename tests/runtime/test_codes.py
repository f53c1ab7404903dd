"""Every code that the device can return has its name in the messages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.native import NULL, Buffer, ffi, host, message, ok, pointer, refused, tensor

from aclquant._ffi.declarations import constants
from aclquant._ffi.library import load

SOURCES = Path(__file__).resolve().parents[2] / "ascend_kernels" / "host"
LIBRARY = Path(str(load("host").describe()[0]["real_path"]))
CODE = re.compile(r"\b(ACL_ERROR_[A-Z0-9_]+|ACLNN_ERR_[A-Z0-9_]+)\b")
CODES = {name: value for name, value in constants.items() if CODE.fullmatch(name)}


def test_every_code_of_the_headers_has_a_name() -> None:
    """house W1: three codes that the device returned were missing in a list kept by hand."""
    library = LIBRARY.read_bytes()
    named = {value for name, value in CODES.items() if b"\0" + name.encode() + b"\0" in library}
    assert named >= set(CODES.values()) - {0}
    assert len(CODES) > 150


def test_every_code_in_the_sources_is_one_of_the_headers() -> None:
    if not SOURCES.exists():
        pytest.skip("the sources are not here")
    used = {
        name
        for path in SOURCES.rglob("*.cpp")
        for name in CODE.findall(path.read_text(encoding="utf-8"))
    }
    assert len(used) > 40
    assert used <= set(CODES)


def test_codes_that_had_no_name() -> None:
    assert host.aclmdlSetDump(NULL) == 100045
    assert message().startswith("[100045 ACL_ERROR_DUMP_NOT_RUN] aclmdlSetDump: ")
    x1 = tensor([4, 32], "int8", pointer(64))
    x2 = tensor([32, 8], 29, pointer(64))  # int4: a product that is not computed
    scale, out = tensor([8], 10, pointer(64)), tensor([4, 8], "float16", pointer(64))
    size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
    status = host.aclnnQuantMatmulV4GetWorkspaceSize(
        x1, x2, scale, NULL, NULL, NULL, False, False, out, size, executor
    )
    text = message()
    assert re.match(rf"\[{status} ACLNN_ERR_[A-Z_]+\] ", text), text
    for made in (x1, x2, scale, out):
        ok(host.aclDestroyTensor(made))


def test_a_code_of_a_released_buffer_names_itself() -> None:
    memory = Buffer(8)
    memory.free()
    refused(host.aclrtFree(memory.pointer), 207002, "ACL_ERROR_RT_MEMORY_FREE")
