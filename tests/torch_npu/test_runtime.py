"""The wheel as it is: imported, its device asked, tensors brought there and back, and the end."""

# ruff: noqa: E501  (programs as texts)
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from aclquant._ffi.locate import bundled

Run = Callable[..., str]

DEVICE = """
    import torch, torch_npu
    assert torch.npu.is_available() and torch.npu.device_count() == 1
    print(torch.npu.get_device_name(0))
    properties = torch.npu.get_device_properties(0)
    assert (properties.cube_core_num, properties.vector_core_num) == (24, 48)
    free, total = torch.npu.mem_get_info()
    assert 0 < free <= total

    for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int8,
                  torch.uint8, torch.int16, torch.int32, torch.int64, torch.bool):
        for shape in ((), (0,), (7,), (2, 3, 4), (2, 1, 3, 1, 2)):
            x = (torch.arange(1000)[: torch.Size(shape).numel()].reshape(shape) % 5).to(dtype)
            y = x.npu()
            assert y.device.type == "npu" and y.dtype == dtype and torch.equal(y.cpu(), x)

    x = torch.arange(120).reshape(2, 3, 4, 5).float()
    y = x.npu()
    for view in (lambda t: t.permute(3, 1, 0, 2), lambda t: t[:, 1:, ::2], lambda t: t.reshape(6, 20).t(), lambda t: t.flatten()[::7],
                 lambda t: t.narrow(2, 1, 2).unsqueeze(0), lambda t: t[0, 0, 0].expand(3, 5), lambda t: t.view(torch.int32), lambda t: t.diagonal(0, 2, 3)):
        assert torch.equal(view(y).cpu(), view(x)) and torch.equal(view(y).contiguous().cpu(), view(x))
        assert view(y).data_ptr() >= y.data_ptr() and view(y).half().dtype == torch.float16
    y.permute(3, 1, 0, 2)[1:3] = 7
    x.permute(3, 1, 0, 2)[1:3] = 7
    assert torch.equal(y.cpu(), x)

    held = torch.npu.memory_allocated()
    large = torch.empty(8 << 20, dtype=torch.uint8, device="npu")
    assert torch.npu.memory_allocated() == held + (8 << 20) + 512
    assert torch.npu.max_memory_allocated() >= torch.npu.memory_allocated()
    reserved = torch.npu.memory_reserved()
    del large
    torch.npu.empty_cache()
    assert torch.npu.memory_allocated() == held and torch.npu.memory_reserved() < reserved

    x = torch.randn(1000)
    pinned = x.pin_memory()
    assert pinned.is_pinned() and not x.is_pinned()
    before = torch.npu.memory_allocated()
    z = pinned.to("npu", non_blocking=True)
    assert torch.npu.memory_allocated() == before + 4096
    assert torch.npu.memory_reserved() >= 2 << 20
    back = torch.empty(1000).pin_memory()
    back.copy_(z, non_blocking=True)
    torch.npu.synchronize()
    assert torch.equal(back, x)

    stream = torch.npu.Stream()
    start, end = torch.npu.Event(enable_timing=True), torch.npu.Event(enable_timing=True)
    with torch.npu.stream(stream):
        start.record()
        y = pinned.to("npu", non_blocking=True)
        end.record()
    torch.npu.current_stream().wait_stream(stream)
    end.synchronize()
    assert end.query() and stream.query() and start.elapsed_time(end) >= 0
    assert torch.equal(y.cpu(), x)
"""


def test_the_device(run: Run) -> None:
    assert run(DEVICE) == "Ascend910B1\n"


def test_another_chip(run: Run) -> None:
    program = "import torch, torch_npu; print(torch.npu.get_device_name(0))"
    assert run(program, ACLQUANT_HOST_SOC="Ascend910_9391") == "Ascend910_9391\n"


def test_activation_in_the_running_process(run: Run) -> None:
    program = """
        import aclquant
        aclquant.activate()
        import torch
        print(torch.tensor([1.5, 2]).npu().cpu().tolist(), aclquant.backend().name)
    """
    assert run(program, launcher=False) == "[1.5, 2.0] host\n"


def test_by_hand(run: Run) -> None:
    """With the variables that the document names, and no launcher."""
    program = "import torch; print(torch.tensor([1.5, 2]).npu().cpu().tolist())"
    libraries = Path(bundled("_lib"))
    settings = {
        "LD_LIBRARY_PATH": str(libraries),
        "ASCEND_HOME_PATH": f"{libraries}/toolkit",
        "ASCEND_OPP_PATH": f"{libraries}/toolkit/opp",
        "ACL_OP_INIT_MODE": "1",
    }
    assert run(program, launcher=False, **settings) == "[1.5, 2.0]\n"


def test_activation_comes_too_late_after_another_cann(run: Run, tmp_path: object) -> None:
    program = f"""
        import ctypes, subprocess
        other = r"{tmp_path}/libascendcl.so"
        build = ["cc", "-shared", "-o", other, "-Wl,-soname,libascendcl.so", "-x", "c"]
        subprocess.run([*build, "/dev/null"], check=True)
        ctypes.CDLL(other)
        import aclquant
        try:
            aclquant.activate()
        except aclquant.ResourceError as error:
            print(error)
    """
    assert "another libascendcl.so is loaded already" in run(program, launcher=False)


def test_out_of_memory_leaves_the_device_usable(run: Run) -> None:
    program = """
        import torch, torch_npu
        try:
            torch.empty(64 << 20, device="npu")
        except RuntimeError as error:
            print("out of memory" in str(error))
        print(torch.ones(3).npu().cpu().tolist())
    """
    limit = {"ACLQUANT_HOST_MEMORY_LIMIT": str(32 << 20)}
    assert run(program, **limit) == "True\n[1.0, 1.0, 1.0]\n"


@pytest.mark.parametrize("level", ["0", "1", "2"])
def test_the_end_is_clean(run: Run, level: str) -> None:
    """Status 0, and nothing said but what torch_npu says of its allocator."""
    program = """
        import torch, torch_npu
        x = torch.ones(2, 3).npu()
        y = torch_npu.npu_quantize(x, torch.ones(1).npu(), None, torch.qint8, 0)
        stream = torch.npu.Stream()
        event = torch.npu.Event()
        event.record(stream)
    """
    said = run(program, errors=True, TASK_QUEUE_ENABLE=level)
    # torch_npu's queue asks a logger after its end (docs/torch_npu.md), which now and then lets this line out.
    known = ("32 padding size", "Dequeue: taskqueue is empty, wait for efd_read end")
    lines = [line for line in said.splitlines() if not any(text in line for text in known)]
    assert lines == []
