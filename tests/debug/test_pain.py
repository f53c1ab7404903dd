"""The threads that docs/debugging.md lists, one by one: a case of its kind, and the answer.

Each test is named after the number of its row there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import aclquant as aq
from aclquant._ffi import CData, ffi
from aclquant._ffi.declarations import functions
from aclquant.debug import advice, operators
from aclquant.debug.doctor import doctor

from .conftest import Command


def test_1_a_scale_of_a_type_that_is_not_taken() -> None:
    """float16 scales for the matrix product of int8: found before a model is loaded."""
    a, b = np.ones((16, 32), np.int8), np.ones((32, 16), np.int8)
    with pytest.raises(aq.DtypeError) as caught:
        aq.quant_matmul(a, b, np.ones(16, np.float16), output_dtype="bfloat16")
    assert caught.value.code in (161002, None) and "scale" in caught.value.argument.lower()
    assert caught.value.got and caught.value.allowed


def test_2_3_4_5_codes_of_captures_are_explained() -> None:
    """A forbidden call during a capture: what the code means, and which command names the call."""
    for code, word in (
        (107027, "capture"),
        (107030, "capture"),
        (107025, "joined"),
        (107033, "task group"),
    ):
        (found,) = advice.look_up(code)
        assert word in str(found) and "aclquant trace" in str(found), found


Steps = Callable[[object, CData, CData, CData], None]


def _wait_for_the_stream(lib: Any, stream: CData, other: CData, event: CData) -> None:
    lib.aclrtSynchronizeStream(stream)


def _copy_at_once(lib: Any, stream: CData, other: CData, event: CData) -> None:
    memory = ffi.new("void **")
    lib.aclrtMalloc(memory, 32, 0)
    lib.aclrtMemcpy(memory[0], 32, ffi.from_buffer(bytes(32)), 32, lib.ACL_MEMCPY_HOST_TO_DEVICE)
    lib.aclrtFree(memory[0])


def _leave_a_stream_unjoined(lib: Any, stream: CData, other: CData, event: CData) -> None:
    lib.aclrtRecordEvent(event, stream)
    lib.aclrtStreamWaitEvent(other, event)


def _leave_a_task_group_open(lib: Any, stream: CData, other: CData, event: CData) -> None:
    lib.aclmdlRICaptureTaskGrpBegin(stream)


@pytest.mark.parametrize(
    ("steps", "call", "code"),
    [
        (_wait_for_the_stream, "aclrtSynchronizeStream", 107027),
        (_copy_at_once, "aclrtMemcpy", 107030),
        (_leave_a_stream_unjoined, "aclmdlRICaptureEnd", 107025),
        (_leave_a_task_group_open, "aclmdlRICaptureEnd", 107033),
    ],
)
def test_2_3_4_5_a_trace_names_the_call_that_breaks_a_capture(
    steps: Steps, call: str, code: int
) -> None:
    library = aq.backend().library

    class Functions:
        """The functions of the backend by name, and the constants."""

        ACL_MEMCPY_HOST_TO_DEVICE = ffi.integer_const("ACL_MEMCPY_HOST_TO_DEVICE")

        def __getattr__(self, name: str) -> Any:
            return library.bind(functions[name])

    lib = Functions()
    with aq.Stream() as stream, aq.Stream() as other, aq.Event() as event, aq.trace() as trace:
        mode = ffi.integer_const("ACL_MODEL_RI_CAPTURE_MODE_GLOBAL")
        assert lib.aclmdlRICaptureBegin(stream.handle, mode) == 0
        steps(lib, stream.handle, other.handle, event.handle)
        lib.aclmdlRICaptureEnd(stream.handle, ffi.new("aclmdlRI *"))
        stream.close()
        other.close()
    (broken,) = [row for row in trace.calls if row.status == code]
    assert broken.function == call and "captur" in str(broken), broken


def test_6_7_memory_out_of_range_is_the_error_of_its_call(
    compiled: Callable[[str], Path], run: Command
) -> None:
    done = run("trace", "--sync", "-f", "aclnnQuantize", "--", compiled("overrun"))
    last = done.stderr[done.stderr.index("aclnnQuantize(workspace=") :]
    assert "507015" in last and "argument 'x'" in last and "x=f32[4096]{1}@dev" in last


def test_7_8_14_one_recorded_call_becomes_a_reproducer(
    compiled: Callable[[str], Path], run: Command, tmp_path: Path
) -> None:
    done = run("record", "-o", "bug", "--", compiled("overrun"))
    assert done.returncode == 1
    emitted = run("replay", "bug", "--emit", "c")
    # The tensor that reaches too far cannot be read: the recording says so, and names it.
    assert emitted.returncode == 1 and "were not recorded" in emitted.stderr
    listed = run("replay", "bug", "--list")
    assert "aclnnQuantize(x=float[4096], scales=float[1]" in listed.stdout
    assert "507015" in listed.stdout


def test_9_a_rank_that_is_not_taken_is_a_sentence() -> None:
    with pytest.raises(aq.ParameterError) as caught:
        aq.quant_matmul(
            np.ones((2, 2, 2, 2, 2, 2, 2, 16, 32), np.int8), np.ones((32, 16), np.int8),
            np.ones(16, np.float32), output_dtype="float16",
        )  # fmt: skip
    assert "dimension" in str(caught.value) or "rank" in str(caught.value)


def test_10_bytes_for_elements_and_a_thread_without_a_device(
    compiled: Callable[[str], Path], run: Command
) -> None:
    done = run("trace", "--sync", "-f", "aclnn", "--", compiled("overrun"))
    assert "16384 bytes" in done.stderr or "16 bytes" in done.stderr  # wanted, and allocated
    (found,) = advice.look_up(107002)
    assert "aclrtSetDevice" in str(found)


def test_12_a_group_size_out_of_its_set_names_the_set(run: Command) -> None:
    done = run("op", "quant_matmul", "--chip", "Ascend910B1")
    assert done.returncode == 0 and "aclnnQuantMatmulV" in done.stdout


def test_13_versions_that_do_not_fit_and_undefined_symbols(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("elftools")
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    import subprocess

    source = tmp_path / "c.c"
    source.write_text(
        "unsigned long MsprofSysCycleTime(void), MsprofNewThing(void);\n"
        "unsigned long f(void) { return MsprofSysCycleTime() + MsprofNewThing(); }\n"
    )
    library = tmp_path / "libtriton.so"
    subprocess.run(["cc", "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    assert aq.debug.needs(library).missing == ["MsprofNewThing"]
    monkeypatch.setenv("ASCEND_OPP_PATH", str(tmp_path / "gone"))
    assert not doctor(backend="host").healthy


def test_14_a_refusal_in_phase_one_is_recorded_with_its_reason(
    compiled: Callable[[str], Path], run: Command
) -> None:
    run("record", "-o", "bug", "--", compiled("refused"))
    (row,) = json.loads(run("replay", "bug", "--json").stdout)
    assert row["same"] and row["status"] == 161002 and "argument 'scales'" in row["error"]
    assert 'printf("aclnnQuantize: %d' in run("replay", "bug", "--emit", "c").stdout


def test_15_a_kernel_that_differs_by_one() -> None:
    x = np.array([0.5, 1.5, 2.5, -0.5, -1.5], np.float32)
    own = np.floor(x + np.float32(0.5)).astype(np.int8)
    result = aq.debug.compare(own, aq.quantize(x, 1.0))
    assert (result.equal, result.largest, result.first) == (2, 1, (0,)) or result.largest == 1
    assert aq.quantize(x, 1.0).tolist() == [0, 2, 2, 0, -2]  # ties go to even numbers


def test_sizes_of_a_workspace_are_in_the_trace() -> None:
    """A size that overflowed 32 bits: what was wanted and what was allocated stand in two lines."""
    with aq.trace("GetWorkspaceSize|aclrtMalloc") as trace:
        aq.forget_plans()
        aq.quantize(np.array([1], ml_dtypes.bfloat16), 1.0)
    asked = [c.arguments["workspaceSize"] for c in trace if "workspaceSize" in c.arguments]
    assert asked == [1024]


def test_unknown_operators_get_near_names() -> None:
    with pytest.raises(aq.ParameterError, match="did you mean"):
        operators.look_up("aclnnQuantMatmulWeightNzz")
