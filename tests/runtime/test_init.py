"""Initialising, finalising, versions, SoC names: each in a new process."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.native import ffi, host, ok, refused
from helpers.processes import run_python

START = "from helpers.native import *\n"


def test_init_and_finalise_count() -> None:
    run_python(
        START
        + """
assert host.aclInit(NULL) == 0
assert host.aclInit(NULL) == 100002
assert host.aclInit(b"/no/such/file") == 100002  # the configuration is not even looked at
assert host.aclFinalize() == 0  # one undoes them all
assert host.aclFinalize() == 100037
assert host.aclInit(NULL) == 0
assert host.aclFinalize() == 0
"""
    )


def test_finalise_without_init_succeeds_once() -> None:
    run_python(
        START
        + """
assert host.aclFinalize() == 0
assert host.aclFinalize() == 100037
"""
    )


def test_finalise_by_reference() -> None:
    run_python(
        START
        + """
left = ffi.new("uint64_t *")
refused(host.aclFinalizeReference(left), 100037)
assert [host.aclInit(NULL) for _ in range(3)] == [0, 100002, 100002]
for expected in (2, 1, 0):
    ok(host.aclFinalizeReference(NULL if expected == 1 else left))
    assert expected == 1 or left[0] == expected
refused(host.aclFinalizeReference(NULL), 100037)
refused(host.aclFinalize(), 100037)
"""
    )


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("{}", 0),
        ('  {"dump": {"dump_path": "."}}', 0),
        ("", 100006),
        ("text", 100006),
        (None, 100003),
    ],
)
def test_configuration(tmp_path: Path, content: str | None, status: int) -> None:
    path = tmp_path / "acl.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    run_python(
        START
        + """
import sys
path, status = sys.argv[1].encode(), int(sys.argv[2])
assert host.aclInit(path) == status
assert (path.decode() in message()) == (status != 0)
assert host.aclInit(NULL) == (0 if status else 100002)  # a failure counts nothing
""",
        str(path),
        str(status),
    )


@pytest.mark.parametrize(("device", "status"), [("1", 0), ("2", 107001)])
def test_default_device(tmp_path: Path, device: str, status: int) -> None:
    """Threads that set no device have the configured one; torch_npu relies on it."""
    path = tmp_path / "acl.json"
    path.write_text(f'{{"defaultDevice": {{"default_device": "{device}"}}}}', encoding="utf-8")
    run_python(
        START
        + """
import sys
path, status = sys.argv[1].encode(), int(sys.argv[2])
number = ffi.new("int32_t *")
assert host.aclrtGetDevice(number) == 107002
assert host.aclInit(path) == status
if status == 0:
    ok(host.aclrtGetDevice(number))
    assert number[0] == 1
    ok(host.aclrtSetDevice(0))
    ok(host.aclrtGetDevice(number))
    assert number[0] == 0
else:
    assert host.aclrtGetDevice(number) == 107002
""",
        str(path),
        str(status),
        ACLQUANT_HOST_DEVICES="2",
    )


def test_nothing_needs_init_and_finalise_breaks_nothing() -> None:
    """torch_npu destroys streams and tensors after aclFinalize."""
    run_python(
        START
        + """
ok(host.aclrtSetDevice(0))
with job() as work, stream() as on:
    ok(host.aclInit(NULL))
    ok(host.aclFinalize())
    ok(work.run(on))
    ok(host.aclrtSynchronizeStream(on))
    assert work.result() == work.EXPECTED
"""
    )


@pytest.mark.parametrize(
    "soc",
    ["Ascend910B1", "Ascend910B2", "Ascend910B2C", "Ascend910B3", "Ascend910B4", "Ascend910B4-1",
     "Ascend910_9391", "Ascend910_9392", "Ascend910_9381", "Ascend910_9382", "Ascend910_9372",
     "Ascend910_9362", "Ascend910_9363", "Ascend310P1", "Ascend310P3", "Ascend310P5",
     "Ascend310P7"],
)  # fmt: skip
def test_soc_names(soc: str) -> None:
    run_python(
        START
        + """
import sys
assert ffi.string(host.aclrtGetSocName()).decode() == sys.argv[1]
ok(host.aclInit(NULL))
ok(host.aclrtSetDevice(0))
""",
        soc,
        ACLQUANT_HOST_SOC=soc,
    )


@pytest.mark.parametrize(
    ("soc", "word"),
    [("Ascend950PR_9589", "950"), ("Ascend950DT_9591", "950"), ("Ascend350_354f", "950"),
     ("Ascend910B", ""), ("Ascend910A", ""), ("Ascend310B1", ""), ("banana", "")],
)  # fmt: skip
def test_refused_soc_names(soc: str, word: str) -> None:
    """Every entry point says so; none crashes."""
    run_python(
        START
        + """
import sys
soc, word = sys.argv[1:]
assert host.aclrtGetSocName() == NULL
refused(host.aclInit(NULL), 500000, soc, "Ascend910B1", word)
refused(host.aclrtSetDevice(0), 507008, soc)
context, value, number = ffi.new("void **"), ffi.new("int64_t *"), ffi.new("int32_t *")
refused(host.aclrtCreateContext(context, 0), 507008, soc)
refused(host.aclGetDeviceCapability(0, 0, value), 507008, soc)
refused(host.aclrtGetDeviceInfo(0, 101, value), 507008, soc)
refused(host.aclGetCannAttribute(0, number), 507008, soc)
size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
x = tensor([1], "float32", NULL)
for call in (
    lambda: host.aclnnQuantizeGetWorkspaceSize(x, x, NULL, 2, 0, x, size, executor),
    lambda: host.aclnnAscendAntiQuantGetWorkspaceSize(x, x, NULL, 1, False, x, size, executor),
    lambda: host.aclnnTransQuantParamV2GetWorkspaceSize(x, NULL, x, size, executor),
    lambda: host.aclnnDynamicQuantGetWorkspaceSize(x, NULL, x, x, size, executor),
):
    assert call() == 361001, message()
words = ffi.new("uint64_t **")
host.aclnnTransQuantParam([1.0], 1, NULL, 0, words, size)  # on the host: needs no chip
refused(host.aclquantSetSocName(soc.encode()), 207000, soc)
ok(host.aclquantSetSocName(b"Ascend310P3"))
ok(host.aclrtSetDevice(0))
""",
        soc,
        word,
        ACLQUANT_HOST_SOC=soc,
    )


def test_settings_change_only_while_no_context_exists() -> None:
    run_python(
        START
        + """
ok(host.aclquantSetSocName(b"Ascend910B3"))
ok(host.aclquantSetDeviceCount(3))
ok(host.aclquantSetVersion(b"8.1.RC1"))
ok(host.aclrtSetDevice(2))
for call in (
    lambda: host.aclquantSetSocName(b"Ascend910B1"),
    lambda: host.aclquantSetDeviceCount(1),
    lambda: host.aclquantSetVersion(b"9.1.0"),
):
    refused(call(), 207000, "in use")
ok(host.aclrtResetDevice(2))
ok(host.aclquantSetDeviceCount(1))
refused(host.aclrtSetDevice(2), 107001, "'deviceId'", "got 2")
refused(host.aclquantSetDeviceCount(0), 100000)
refused(host.aclquantSetDeviceCount(2**32 - 1), 100000)
refused(host.aclquantSetSocName(NULL), 100000)
refused(host.aclquantSetVersion(NULL), 100000)
refused(host.aclquantSetVersion(b"nine"), 100000)
refused(host.aclquantSetSocName(b"A" * 10000), 207000)
assert ffi.string(host.aclrtGetSocName()) == b"Ascend910B3"
"""
    )


def test_versions() -> None:
    run_python(
        START
        + """
numbers = [ffi.new("int32_t *") for _ in range(3)]
ok(host.aclrtGetVersion(*numbers))
assert [n[0] for n in numbers] == [1, 17, 0]
refused(host.aclrtGetVersion(NULL, *numbers[1:]), 100000)
version = ffi.new("aclCANNPackageVersion *")
text = ffi.new("char[128]")
for reported, major, number in ((b"9.1.0", b"9", 90100000), (b"8.3.2", b"8", 80302000)):
    ok(host.aclquantSetVersion(reported))
    ok(host.aclsysGetCANNVersion(0, version))
    assert ffi.string(version.version) == reported and ffi.string(version.majorVersion) == major
    ok(host.aclsysGetVersionStr(ffi.new("char[]", b"runtime"), text))
    assert ffi.string(text) == reported
    ok(host.aclsysGetVersionNum(ffi.new("char[]", b"runtime"), numbers[0]))
    assert numbers[0][0] == number
refused(host.aclsysGetCANNVersion(0, NULL), 100000)
refused(host.aclsysGetCANNVersion(8, version), 100000)
refused(host.aclsysGetVersionStr(NULL, text), 100000)
refused(host.aclsysGetVersionNum(NULL, numbers[0]), 100000)
assert ffi.string(host.aclquantVersion())
"""
    )


def test_this_process_is_an_ascend910b1() -> None:
    assert ffi.string(host.aclrtGetSocName()) == b"Ascend910B1"
    value = ffi.new("int64_t *")
    for info, expected in ((0, 24), (1, 48), (2, 201326592)):
        ok(host.aclGetDeviceCapability(0, info, value))
        assert value[0] == expected
    refused(host.aclGetDeviceCapability(1, 0, value), 100000, "'deviceId'")
    refused(host.aclGetDeviceCapability(0, 9, value), 100000, "'deviceInfo'")
    refused(host.aclGetDeviceCapability(0, 0, ffi.NULL), 100000, "'value'")
    flag = ffi.new("int32_t *")
    for attribute, supported in ((0, 1), (1, 1), (2, 0)):
        ok(host.aclGetCannAttribute(attribute, flag))
        assert flag[0] == supported
    refused(host.aclGetCannAttribute(3, flag), 100000)
    assert host.aclquantGetCapability(0) == 1
    assert host.aclquantGetCapability(7) == 0
