"""Rules of the C interface that every client meets, one test each."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from helpers.abi import ND, Argument, Host, f16, f32, i8, out
from helpers.native import Buffer, counters, message
from helpers.processes import run_python

from aclquant._ffi import ffi

QUANTIZE, DYNAMIC = "aclnnQuantize", "aclnnDynamicQuantV2"


def quantize(x: Any = None) -> tuple[Argument, ...]:
    x = f32(1, 2) if x is None else x
    return x, f32(1), None, 2, 0, out(x.shape, "int8")


def dynamic() -> tuple[Argument, ...]:
    outputs = out((1, 2), "int8"), out((1,), "float32"), out((1,), "float32")
    return f16([[1, 2]]), None, None, 2, *outputs


def refuses(host: Host, status: int, function: str, *arguments: Any) -> None:
    """The status, and a text that begins with it and names the function."""
    message()
    assert getattr(host.c, function)(*arguments) == status
    text = message()
    assert text.startswith(f"[{status} ")
    assert f"] {function}: " in text.splitlines()[0]


def in_a_new_process(*calls: str) -> list[int]:
    """Status of each call."""
    program = "from helpers.native import NULL, host\n"
    program += "".join(f"print(host.{call})\n" for call in calls)
    return [int(line) for line in run_python(program).splitlines()]


def test_init_twice() -> None:
    assert in_a_new_process("aclInit(NULL)", "aclInit(NULL)") == [0, 100002]


def test_finalize_twice() -> None:
    calls = ("aclInit(NULL)", "aclFinalize()", "aclFinalize()")
    assert in_a_new_process(*calls) == [0, 0, 100037]


def test_get_device_in_a_fresh_thread(host: Host) -> None:
    found: list[int] = []
    device = ffi.new("int32_t *", 77)

    def ask() -> None:
        found.append(host.c.aclrtGetDevice(device))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [107002]
    assert host.c.aclrtGetDevice(device) == 0  # this thread has one
    assert int(device[0]) == 0


def test_malloc_of_nothing(host: Host) -> None:
    pointer = ffi.new("void **")
    refuses(host, 100000, "aclrtMalloc", pointer, 0, 0)
    assert pointer[0] == ffi.NULL


def test_malloc_to_null(host: Host) -> None:
    refuses(host, 100000, "aclrtMalloc", ffi.NULL, 8, 0)


def test_free_null(host: Host) -> None:
    refuses(host, 100000, "aclrtFree", ffi.NULL)


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_memcpy_of_nothing(host: Host, kind: int) -> None:
    assert host.c.aclrtMemcpy(ffi.NULL, 0, ffi.NULL, 0, kind) == 0


def test_memcpy_more_than_fits(host: Host) -> None:
    source = np.full(16, 1, np.uint8)
    with Buffer(np.zeros(16, np.uint8)) as target:
        refuses(host, 107000, "aclrtMemcpy", target.pointer, 8, ffi.from_buffer(source), 16, 1)
        assert target.read("uint8").tolist() == [0] * 16


def test_memcpy_kind_6(host: Host) -> None:
    with Buffer(np.full(16, 1, np.uint8)) as source, Buffer(np.zeros(16, np.uint8)) as target:
        refuses(host, 100000, "aclrtMemcpy", target.pointer, 16, source.pointer, 16, 6)
        assert target.read("uint8").tolist() == [0] * 16


def test_synchronize_default_stream(host: Host) -> None:
    assert host.c.aclrtSynchronizeStream(ffi.NULL) == 0


def test_synchronize_with_timeout_0(host: Host) -> None:
    refuses(host, 107000, "aclrtSynchronizeStreamWithTimeout", host.stream, 0)


def test_destroy_null_stream(host: Host) -> None:
    refuses(host, 100000, "aclrtDestroyStream", ffi.NULL)


@pytest.mark.parametrize(
    ("create", "expected"),
    [("aclrtCreateEventExWithFlag", 1), ("aclrtCreateEvent", 0)],
    ids=["ex-event-is-complete", "plain-event-is-not-ready"],
)
def test_event_query_before_record(host: Host, create: str, expected: int) -> None:
    event = ffi.new("aclrtEvent *")
    flag = (0x00000001,) if create.endswith("Flag") else ()
    assert getattr(host.c, create)(event, *flag) == 0
    status = ffi.new("aclrtEventRecordedStatus *", 77)
    try:
        assert host.c.aclrtQueryEventStatus(event[0], status) == 0
        assert int(status[0]) == expected
    finally:
        assert host.c.aclrtDestroyEvent(event[0]) == 0


def test_create_tensor_without_dimensions_pointer(host: Host) -> None:
    made = host.c.aclCreateTensor(ffi.NULL, 2, 0, ffi.NULL, 0, ND, [2, 2], 2, ffi.NULL)
    assert made == ffi.NULL


def test_create_tensor_without_storage_pointer(host: Host) -> None:
    made = host.c.aclCreateTensor([2, 2], 2, 0, ffi.NULL, 0, ND, ffi.NULL, 2, ffi.NULL)
    assert made == ffi.NULL


def test_create_tensor_of_no_dimensions(host: Host) -> None:
    made = host.c.aclCreateTensor(ffi.NULL, 0, 0, ffi.NULL, 0, ND, ffi.NULL, 0, ffi.NULL)
    assert made != ffi.NULL
    assert host.c.aclDestroyTensor(made) == 0


def test_destroy_null_tensor(host: Host) -> None:
    assert host.c.aclDestroyTensor(ffi.NULL) == 0


PHASE_ONE: dict[str, tuple[Argument, ...]] = {
    QUANTIZE: quantize(),
    "aclnnAscendQuant": (f32(1), f32(1), None, False, "round", 2, out((1,), "int8")),
    "aclnnAscendQuantV3": (f32(1), f32(1), None, False, "round", 2, -1, out((1,), "int8")),
    "aclnnAscendAntiQuant": (i8(1), f32(1), None, 1, False, out((1,), "float16")),
    "aclnnTransQuantParamV2": (f32(1), None, out((1,), "uint64")),
    "aclnnTransQuantParamV3": (f32(1), None, 0, out((1,), "uint64")),
    "aclnnDynamicQuant": (f16([[1, 2]]), None, out((1, 2), "int8"), out((1,), "float32")),
    DYNAMIC: dynamic(),
}


@pytest.mark.parametrize("function", PHASE_ONE)
@pytest.mark.parametrize("argument", ["executor", "workspaceSize"])
def test_phase_1_null_result(host: Host, function: str, argument: str) -> None:
    arguments = PHASE_ONE[function]
    host.refused(function, *arguments, argument=argument, status=161001, null=argument)


@pytest.mark.parametrize("function", PHASE_ONE)
def test_phase_1_null_tensor(host: Host, function: str) -> None:
    name = "scale" if "TransQuantParam" in function else "x"
    arguments = (None, *PHASE_ONE[function][1:])
    host.refused(function, *arguments, argument=name, status=161001)


@pytest.mark.parametrize("function", PHASE_ONE)
def test_phase_1_wrong_dtype(host: Host, function: str) -> None:
    """``Host.refused`` also sees to it that nothing was written."""
    name = "scale" if "TransQuantParam" in function else "x"
    first = PHASE_ONE[function][0]
    assert isinstance(first, np.ndarray)
    arguments = (first.astype(np.float64), *PHASE_ONE[function][1:])
    host.refused(function, *arguments, argument=name)


def phase_2_code(function: str, usual: int) -> int:
    return 561000 if function.startswith("aclnnDynamicQuant") else usual


@pytest.mark.parametrize("function", PHASE_ONE)
def test_phase_2_null_executor(host: Host, function: str) -> None:
    host.refused_later(
        function,
        *PHASE_ONE[function],
        status=phase_2_code(function, 161001),
        says="argument 'executor'",
        executor="null",
    )


@pytest.mark.parametrize("function", PHASE_ONE)
def test_phase_2_null_workspace(host: Host, function: str) -> None:
    """The executor is gone afterwards: using it again is an error, not a crash."""
    with host.call(function, *PHASE_ONE[function]) as call:
        assert call.status == 0, call.text
        assert call.workspace_size > 0
        assert counters()["executors"] == 1
        assert call.launch(workspace="null") == phase_2_code(function, 161001)
        assert "argument 'workspace'" in call.later_text
        assert counters()["executors"] == 0
        assert call.launch() == phase_2_code(function, 561103)
        assert "argument 'executor'" in call.later_text
        call.assert_nothing_written()


def test_empty_tensor(host: Host) -> None:
    host.nothing(QUANTIZE, *quantize(np.zeros((3, 0), np.float32)))


def test_repeatable_executor_with_new_addresses(host: Host) -> None:
    c = host.c
    x, y = Buffer(f32(30, -40)), Buffer(np.zeros(2, np.uint8))
    with x, y, host.call(QUANTIZE, *quantize(f32(1, 2))) as call:
        assert call.status == 0, call.text
        executor = call.executor[0]
        assert c.aclSetAclOpExecutorRepeatable(executor) == 0
        call.launched = True  # destroyed below
        size = call.workspace_size

        def run() -> None:
            with Buffer(size) as workspace:
                assert c.aclnnQuantize(workspace.pointer, size, executor, host.stream) == 0
                assert host.synchronize() == 0

        run()
        assert call.results()[0].tolist() == [1, 2]
        assert c.aclSetInputTensorAddr(executor, 0, call.placed[0].tensor, x.pointer) == 0
        assert c.aclSetOutputTensorAddr(executor, 0, call.placed[2].tensor, y.pointer) == 0
        run()
        assert y.read("int8").tolist() == [30, -40]
        assert call.results()[0].tolist() == [1, 2]  # the first output is as it was
        assert c.aclDestroyAclOpExecutor(executor) == 0
