"""Phase 2 misused, executors' lives, and peers' bugs around them."""

from __future__ import annotations

import resource
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.native import (
    NULL,
    SANITIZED,
    Buffer,
    Job,
    counters,
    ffi,
    host,
    job,
    memory_mode,
    message,
    ok,
    pointer,
    refused,
    stalled,
    stream,
    tensor,
)
from helpers.processes import run_python


def live() -> int:
    return counters()["executors"]


@pytest.mark.parametrize("workspace", [0, 1, 4096])
def test_destroyed_exactly_once(workspace: int) -> None:
    """Peers' bug 1: phase 2 takes the executor, whatever the size of the workspace."""
    ok(host.aclquantSetWorkspaceSize(workspace))
    with job() as work:
        before = live()
        size, executor = work.prepare()
        assert size == workspace and live() == before + 1
        ok(work.launch(size, executor, NULL))
        assert live() == before
        refused(work.launch(size, executor, NULL), 561103, "'executor'")
        refused(host.aclDestroyAclOpExecutor(executor), 161002)
        ok(host.aclrtSynchronizeStream(NULL))
        # Repeatable: phase 2 leaves it, its owner destroys it once.
        size, executor = work.prepare()
        ok(host.aclSetAclOpExecutorRepeatable(executor))
        for _ in range(3):
            ok(work.launch(size, executor, NULL))
        assert live() == before + 1
        ok(host.aclDestroyAclOpExecutor(executor))
        assert live() == before
        refused(host.aclDestroyAclOpExecutor(executor), 161002)
        refused(host.aclSetAclOpExecutorRepeatable(executor), 161002)
        # Never run, but made repeatable: the one way to give up.
        size, executor = work.prepare()
        ok(host.aclSetAclOpExecutorRepeatable(executor))
        ok(host.aclDestroyAclOpExecutor(executor))
        assert live() == before
        ok(host.aclrtSynchronizeStream(NULL))
    ok(host.aclquantSetWorkspaceSize(1024))


def test_destroyed_when_phase_2_fails() -> None:
    with job() as work:
        before = live()
        for attempt in range(3):
            size, executor = work.prepare()
            assert size == 1024
            if attempt == 0:
                status = host.aclnnAscendQuantV3(NULL, size, executor, NULL)
                refused(status, 161001, "'workspace'")
            elif attempt == 1:
                status = host.aclnnQuantize(pointer(64), size, executor, NULL)
                assert status != 0 and "aclnnAscendQuantV3" in message()
            else:
                with memory_mode("strict"):
                    status = host.aclnnAscendQuantV3(pointer(64), size - 1, executor, NULL)
                refused(status, 161002, "'workspaceSize'")
            assert live() == before
        refused(host.aclnnAscendQuantV3(NULL, 0, NULL, NULL), 161001, "'executor'")
        for wrong in (work.tx, work.x.pointer, pointer(3), pointer(2**64 - 8)):
            wrong = ffi.cast("aclOpExecutor *", wrong)
            refused(host.aclnnAscendQuantV3(NULL, 0, wrong, NULL), 561103, "'executor'")


def test_phase_2_without_workspace() -> None:
    """abi_and_codes F7: as in CANN, only a null workspace with a size above 0 is refused."""
    with job() as work, stream() as on:
        for workspace, size in ((NULL, 0), (work.y.pointer, 1)):
            _, executor = work.prepare()
            ok(host.aclnnAscendQuantV3(workspace, size, executor, on))
            ok(host.aclrtSynchronizeStream(on))
            assert work.result() == Job.EXPECTED
        with memory_mode("strict"):
            _, executor = work.prepare()
            refused(host.aclnnAscendQuantV3(NULL, 0, executor, on), 161002, "'workspaceSize'")


def test_dynamic_quant_answers_every_failure_of_phase_2_with_561000() -> None:
    for name in ("aclnnDynamicQuant", "aclnnDynamicQuantV2", "aclnnDynamicQuantV3"):
        refused(getattr(host, name)(NULL, 0, NULL, NULL), 561000, "161001")


def test_a_tensor_destroyed_between_the_phases() -> None:
    with job() as work:
        size, executor = work.prepare()
        ok(host.aclDestroyTensor(work.ts))
        refused(work.launch(size, executor, NULL), 561103, "'scale'", "destroyed")
        work.ts = tensor([1], "float32", work.scale.pointer)
        ok(work.run(NULL))
        ok(host.aclrtSynchronizeStream(NULL))
        assert work.result() == Job.EXPECTED


def test_a_destroyed_tensor_is_refused_wherever_it_is_given() -> None:
    size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
    with job() as work:
        gone = tensor([4], "float32", work.x.pointer)
        ok(host.aclDestroyTensor(gone))
        refused(host.aclDestroyTensor(gone), 161002, "destroyed")
        refused(host.aclSetRawTensorAddr(gone, work.x.pointer), 161002, "live")
        refused(
            host.aclnnAscendQuantV3GetWorkspaceSize(
                gone, work.ts, NULL, False, b"round", 2, -1, work.ty, size, executor
            ),
            161002, "'x'", "destroyed",
        )  # fmt: skip


def test_descriptors_may_go_right_after_phase_2() -> None:
    """As torch_npu does it, even if the kernel has not begun."""
    with job() as work, stream() as on:
        with stalled(on):
            ok(work.run(on))
            for made in (work.tx, work.ts, work.ty):
                ok(host.aclDestroyTensor(made))
        ok(host.aclrtSynchronizeStream(on))
        assert work.result() == Job.EXPECTED
        work.tx = work.ts = work.ty = NULL  # destroying null is allowed


def free_input(work: Job) -> tuple[str, Callable[[], None]]:
    work.x.free()

    def restore() -> None:
        work.x = Buffer(work.values)
        ok(host.aclSetRawTensorAddr(work.tx, work.x.pointer))

    return "'x'", restore


def free_output(work: Job) -> tuple[str, Callable[[], None]]:
    work.y.free()

    def restore() -> None:
        work.y = Buffer(np.zeros(4, np.int8))
        ok(host.aclSetRawTensorAddr(work.ty, work.y.pointer))

    return "'y'", restore


def free_workspace(work: Job) -> tuple[str, Callable[[], None]]:
    """Peers' bug 3."""
    work.workspace.free()
    work.workspace = None
    return "'workspace'", lambda: None


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("what", [free_input, free_output, free_workspace])
def test_memory_freed_before_the_kernel_ran(
    what: Callable[[Job], tuple[str, Callable[[], None]]], again: bool
) -> None:
    """Also if other memory is at that address by then: nothing of it is touched."""
    with job() as work, stream() as on:
        with stalled(on):
            ok(work.run(on))
            name, restore = what(work)
            others = [Buffer(np.full(size, 85, np.uint8)) for size in (16, 4, 1, 1024) if again]
        refused(host.aclrtSynchronizeStream(on), 507015, "aclnnAscendQuantV3", name, "freed")
        for other in others:
            assert set(other.read("uint8")) == {85}
            other.free()
        restore()
        ok(work.run(on))
        ok(host.aclrtSynchronizeStream(on))
        assert work.result() == Job.EXPECTED


@pytest.mark.parametrize("argument", ["x", "scale", "y"])
def test_memory_the_device_does_not_know(argument: str) -> None:
    own = ffi.new("float[4]")
    with job() as work, stream() as on:
        made = {"x": work.tx, "scale": work.ts, "y": work.ty}[argument]
        kept = ffi.new("void **")
        ok(host.aclGetRawTensorAddr(made, kept))
        for wrong in (ffi.cast("void *", own), pointer(64), pointer(2**64 - 64)):
            ok(host.aclSetRawTensorAddr(made, wrong))
            ok(work.run(on))
            text = f"'{argument}'"
            refused(host.aclrtSynchronizeStream(on), 507015, "aclnnAscendQuantV3", text)
        ok(host.aclquantHostRegister(own, 16))  # lent, it is known
        ok(host.aclSetRawTensorAddr(made, own))
        ok(work.run(on))
        ok(host.aclrtSynchronizeStream(on))
        ok(host.aclquantHostUnregister(own, 16))
        ok(work.run(on))
        refused(host.aclrtSynchronizeStream(on), 507015, "does not know")
        ok(host.aclSetRawTensorAddr(made, kept[0]))


def test_an_address_never_set() -> None:
    with job() as work:
        ok(host.aclSetRawTensorAddr(work.tx, NULL))
        assert work.run(NULL) == 361001
        assert "'x'" in message()
        ok(host.aclSetRawTensorAddr(work.tx, work.x.pointer))


@pytest.mark.parametrize("offset", [1, 100, -1, 2**62, -(2**63), 2**63 - 1])
def test_a_view_that_leaves_its_memory(offset: int) -> None:
    # Beside plain memory there may be other memory that the device knows.
    with memory_mode("strict"), job() as work, stream() as on:
        ok(host.aclDestroyTensor(work.tx))
        work.tx = tensor([4], "float32", work.x.pointer, offset=offset, storage=[4])
        ok(work.run(on))
        refused(host.aclrtSynchronizeStream(on), 507015, "'x'")
        ok(work.run(on))
        refused(host.aclrtSynchronizeStream(on), 507015)


@pytest.mark.parametrize(
    "shape", [(2**32, 2**32), (2**40,), (2**62,), (2**31, 2**31, 4), (2**63 - 1,)]
)
def test_shapes_whose_size_overflows(shape: tuple[int, ...]) -> None:
    """Once a product wrapped to 0, and the kernel ran without a look at the memory."""
    with job() as work, stream() as on:
        for made in (work.tx, work.ty):
            ok(host.aclDestroyTensor(made))
        work.tx = tensor(shape, "float32", work.x.pointer)
        work.ty = tensor(shape, "int8", work.y.pointer)
        ok(work.run(on))
        refused(host.aclrtSynchronizeStream(on), 507015)


@pytest.mark.parametrize("argument", ["x", "scale"])
def test_a_misaligned_address(argument: str) -> None:
    large = Buffer(64)
    with job() as work, stream() as on:
        made = {"x": work.tx, "scale": work.ts}[argument]
        kept = ffi.new("void **")
        ok(host.aclGetRawTensorAddr(made, kept))
        ok(host.aclSetRawTensorAddr(made, large.pointer + 2))
        ok(work.run(on))
        refused(host.aclrtSynchronizeStream(on), 507015, f"'{argument}'", "multiple of 4")
        ok(host.aclSetRawTensorAddr(made, kept[0]))
    large.free()


def test_a_repeatable_executor_with_new_addresses() -> None:
    other = Buffer(np.array([7.5, -8.5, 300, -300], np.float32))
    result = Buffer(np.zeros(4, np.int8))
    with job() as work, stream() as on:
        size, executor = work.prepare()
        ok(host.aclSetAclOpExecutorRepeatable(executor))
        with stalled(on):
            ok(work.launch(size, executor, on))
            ok(host.aclSetInputTensorAddr(executor, 0, work.tx, other.pointer))
            ok(host.AclSetOutputTensorAddr(executor, 0, work.ty, result.pointer))
            ok(work.launch(size, executor, on))
            ok(host.aclSetTensorAddr(executor, 0, work.tx, pointer(64)))  # queued work has its own
        ok(host.aclrtSynchronizeStream(on))
        assert work.result() == Job.EXPECTED
        assert list(result.read("int8")) == [8, -8, 127, -128]
        refused(host.aclSetInputTensorAddr(executor, 0, NULL, other.pointer), 561103)
        refused(host.aclSetInputTensorAddr(NULL, 0, work.tx, work.x.pointer), 561103)
        address = ffi.new("void **")
        ok(host.aclGetRawTensorAddr(work.tx, address))
        assert address[0] == work.x.pointer  # the tensor was changed all the same
        ok(host.aclDestroyAclOpExecutor(executor))
        ok(host.aclSetRawTensorAddr(work.ty, work.y.pointer))
    other.free()
    result.free()


def test_an_empty_tensor() -> None:
    with job() as work:
        for made in (work.tx, work.ty):
            ok(host.aclDestroyTensor(made))
        work.tx, work.ty = tensor([3, 0], "float32", NULL), tensor([3, 0], "int8", NULL)
        size, executor = work.prepare()
        assert size == 0
        ok(host.aclnnAscendQuantV3(NULL, 0, executor, NULL))


def test_a_failed_call_does_not_poison_the_next() -> None:
    """Peers' bug 5: after each kind of error, the text is taken once and a good call succeeds."""
    size, executor = ffi.new("uint64_t *", 77), ffi.new("aclOpExecutor **")
    with job() as work, stream() as on:

        def phase1(x: Any, scale: Any, mode: bytes, y: Any) -> int:
            return int(
                host.aclnnAscendQuantV3GetWorkspaceSize(
                    x, scale, NULL, False, mode, 2, -1, y, size, executor
                )
            )

        failures: list[tuple[Callable[[], int], int]] = [
            (lambda: phase1(NULL, work.ts, b"round", work.ty), 161001),
            (lambda: phase1(work.tx, work.ts, b"up", work.ty), 161002),
            (lambda: phase1(work.tx, work.ts, b"round", work.tx), 161002),
            (lambda: phase1(pointer(4096), work.ts, b"round", work.ty), 161002),
            (lambda: int(host.aclrtSetDevice(9)), 107001),
            (lambda: int(host.aclrtMalloc(NULL, 1, 0)), 100000),
        ]
        for call, code in failures:
            refused(call(), code)
            assert message() == ""
            assert host.aclrtPeekAtLastError(0) == code
            assert size[0] == 77 and executor[0] == NULL  # nothing was written
            ok(work.run(on))
            ok(host.aclrtSynchronizeStream(on))
            assert work.result() == Job.EXPECTED
            assert message() == ""
            assert host.aclrtGetLastError(0) == code
            assert host.aclrtGetLastError(0) == host.aclrtPeekAtLastError(0) == 0


def test_launches_without_a_synchronise_stay_bounded() -> None:
    """Peers' bug 2: 100,000 launches; objects and memory stay where they are."""
    with job() as work, stream() as on:
        for number in range(100_000):
            size, executor = work.prepare()
            if work.launch(size, executor, on) != 0:
                raise AssertionError(message())
            if number == 5000:
                before, memory = counters(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        after = counters()
        assert {**after, "queuedTasks": 0} == {**before, "queuedTasks": 0}
        assert after["queuedTasks"] <= 4096
        growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
        assert SANITIZED or growth < 8 << 10  # kB
        ok(host.aclrtSynchronizeStream(on))
        assert work.result() == Job.EXPECTED


def test_a_settable_workspace() -> None:
    run_python(
        """
        from helpers.native import *
        ok(host.aclrtSetDevice(0))
        with job() as work:
            size, executor = work.prepare()
            assert size == 4242
            ok(work.launch(size, executor, NULL))
            ok(host.aclrtSynchronizeStream(NULL))
            assert work.result() == work.EXPECTED
        """,
        ACLQUANT_HOST_WORKSPACE="4242",
    )
