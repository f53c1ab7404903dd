"""Captured graphs of torch_npu, on the functions of the host device."""

from __future__ import annotations

import torch
import torch_npu
from cases import case, raises, run


@case()
def replays_read_memory_anew() -> None:
    x = torch.ones(1000, device="npu")
    graph = torch.npu.NPUGraph()
    with torch.npu.graph(graph):
        y = x * 2 + 1
        z = torch.softmax(y.reshape(10, 100), 1).sum()
    for value in (3.0, -4.0):
        x.fill_(value)
        graph.replay()
        torch.npu.synchronize()
        assert torch.equal(y.cpu(), torch.full((1000,), 2 * value + 1))
        assert abs(z.item() - 10) < 1e-4
    graph.reset()


@case()
def begin_and_end_by_hand() -> None:
    stream = torch.npu.Stream()
    x = torch.arange(6.0, device="npu").reshape(2, 3)
    w = torch.arange(12.0, device="npu").reshape(3, 4)
    torch.npu.synchronize()
    graph = torch.npu.NPUGraph()
    with torch.npu.stream(stream):
        graph.capture_begin(capture_error_mode="thread_local")
        y = torch.relu(x @ w - 20)
        graph.capture_end()
    for _ in range(3):
        x += 1
        graph.replay()
        torch.npu.synchronize()
        assert torch.equal(y.cpu(), torch.relu(x.cpu() @ w.cpu() - 20))


@case()
def quantisation_in_a_graph() -> None:
    x = torch.randn(64, 256, device="npu", dtype=torch.float16)
    graph = torch.npu.NPUGraph()
    with torch.npu.graph(graph):
        y, scale = torch_npu.npu_dynamic_quant(x)
    x.copy_(torch.randn(64, 256, dtype=torch.float16).npu())
    graph.replay()
    torch.npu.synchronize()
    right, right_scale = torch_npu.npu_dynamic_quant(x)
    assert torch.equal(y.cpu(), right.cpu()) and torch.equal(scale.cpu(), right_scale.cpu())


@case()
def waiting_in_a_capture_is_refused_with_its_reason() -> None:
    x = torch.ones(8, device="npu")
    graph = torch.npu.NPUGraph()

    def waits() -> None:
        with torch.npu.graph(graph):
            torch.npu.current_stream().synchronize()

    raises("107027", waits)
    assert torch.equal((x + 1).cpu(), torch.full((8,), 2.0))


@case()
def graphs_share_a_pool() -> None:
    pool = torch.npu.graph_pool_handle()
    x = torch.ones(100, device="npu")
    first, second = torch.npu.NPUGraph(), torch.npu.NPUGraph()
    with torch.npu.graph(first, pool=pool):
        y = x + 1
    with torch.npu.graph(second, pool=pool):
        z = y * 3
    x.fill_(4)
    first.replay()
    second.replay()
    torch.npu.synchronize()
    assert torch.equal(z.cpu(), torch.full((100,), 15.0))


if __name__ == "__main__":
    run()
