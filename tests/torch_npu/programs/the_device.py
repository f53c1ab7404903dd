"""The wheel as it is: imported, its device queried, tensors brought there and back."""

from __future__ import annotations

import torch
import torch_npu  # noqa: F401  (brings the device)
from cases import case, run

VIEWS = (
    lambda t: t.permute(3, 1, 0, 2),
    lambda t: t[:, 1:, ::2],
    lambda t: t.reshape(6, 20).t(),
    lambda t: t.flatten()[::7],
    lambda t: t.narrow(2, 1, 2).unsqueeze(0),
    lambda t: t[0, 0, 0].expand(3, 5),
    lambda t: t.view(torch.int32),
    lambda t: t.diagonal(0, 2, 3),
)


@case()
def properties() -> None:
    assert torch.npu.is_available() and torch.npu.device_count() == 1
    assert torch.npu.get_device_name(0) == "Ascend910B1"
    properties = torch.npu.get_device_properties(0)
    assert (properties.cube_core_num, properties.vector_core_num) == (24, 48)
    free, total = torch.npu.mem_get_info()
    assert 0 < free <= total


@case(
    "float32",
    "float16",
    "bfloat16",
    "float64",
    "int8",
    "uint8",
    "int16",
    "int32",
    "int64",
    "bool",
)
def there_and_back(name: str) -> None:
    dtype = getattr(torch, name)
    for shape in ((), (0,), (7,), (2, 3, 4), (2, 1, 3, 1, 2)):
        x = (torch.arange(1000)[: torch.Size(shape).numel()].reshape(shape) % 5).to(dtype)
        y = x.npu()
        assert y.device.type == "npu" and y.dtype == dtype and torch.equal(y.cpu(), x)


@case()
def views() -> None:
    x = torch.arange(120).reshape(2, 3, 4, 5).float()
    y = x.npu()
    for view in VIEWS:
        assert torch.equal(view(y).cpu(), view(x))
        assert torch.equal(view(y).contiguous().cpu(), view(x))
        assert view(y).data_ptr() >= y.data_ptr() and view(y).half().dtype == torch.float16
    y.permute(3, 1, 0, 2)[1:3] = 7
    x.permute(3, 1, 0, 2)[1:3] = 7
    assert torch.equal(y.cpu(), x)


@case()
def memory() -> None:
    held = torch.npu.memory_allocated()
    large = torch.empty(8 << 20, dtype=torch.uint8, device="npu")
    assert torch.npu.memory_allocated() == held + (8 << 20) + 512
    assert torch.npu.max_memory_allocated() >= torch.npu.memory_allocated()
    reserved = torch.npu.memory_reserved()
    del large
    torch.npu.empty_cache()
    assert torch.npu.memory_allocated() == held and torch.npu.memory_reserved() < reserved


@case()
def pinned_memory() -> None:
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


@case()
def streams_and_events() -> None:
    x = torch.randn(1000)
    stream = torch.npu.Stream()
    start, end = torch.npu.Event(enable_timing=True), torch.npu.Event(enable_timing=True)
    with torch.npu.stream(stream):
        start.record()
        y = x.pin_memory().to("npu", non_blocking=True)
        end.record()
    torch.npu.current_stream().wait_stream(stream)
    end.synchronize()
    assert end.query() and stream.query() and start.elapsed_time(end) >= 0
    assert torch.equal(y.cpu(), x)


if __name__ == "__main__":
    run()
