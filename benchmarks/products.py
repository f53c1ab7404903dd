"""Measure `quant_matmul` beside the integer products of PyTorch and ONNX Runtime.

    python benchmarks/products.py [--rounds N] [--threads N ...] [--size N] [--docs]

Ours includes dequantisation: int8 products, a scale per channel and one per token, float16 results.
`torch._int_mm` and ONNX Runtime's `MatMulInteger` stop at int32 sums; a second column of PyTorch's
adds the same dequantisation. The ratio is their time over ours in the same round (the median of all
rounds): above 1, ours is faster. The table is Markdown; ``--docs`` puts it into
docs/performance/products_and_everyday.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import page
import torch
from measure import interleaved

import aclquant as aq
from aclquant._ffi.library import load

ROWS = (1, 4, 16, 64, 256, 1024, 4096)


def runtime_session(n: int, k: int, w: Any, threads: int) -> Any:
    """Return a model of one product, its right side constant as in a layer."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    node = helper.make_node("MatMulInteger", ["x", "w"], ["y"])
    graph = helper.make_graph(
        [node], "product",
        [helper.make_tensor_value_info("x", TensorProto.INT8, ["m", k])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, ["m", n])],
        [numpy_helper.from_array(w, "w")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def jobs(m: int, n: int, k: int, threads: int) -> dict[str, Callable[[], object]]:
    """Return the same product by each; results are compared before anything is measured."""
    random = np.random.default_rng(m)
    x = random.integers(-128, 128, (m, k), np.int8)
    w = random.integers(-128, 128, (k, n), np.int8)
    scale = random.uniform(1e-3, 2e-3, n).astype(np.float32)
    token = random.uniform(0.1, 0.2, m).astype(np.float32)
    ours = [aq.asarray(array) for array in (x, w, scale, token)]
    out = aq.asarray(np.zeros((m, n), np.float16))
    tx, tw, ts, tt = (torch.from_numpy(array) for array in (x, w, scale, token))
    session = runtime_session(n, k, w, threads)
    stream = aq.current_stream()

    def run() -> None:
        aq.quant_matmul(
            ours[0], ours[1], ours[2], pertoken_scale=ours[3], output_dtype="float16", out=out
        )
        stream.synchronize()

    def whole() -> torch.Tensor:
        return (torch._int_mm(tx, tw).float() * ts * tt[:, None]).half()

    run()
    sums = torch._int_mm(tx, tw).numpy()
    assert (session.run(None, {"x": x})[0] == sums).all()
    np.testing.assert_array_equal(
        np.asarray(out), (sums.astype(np.float32) * scale * token[:, None]).astype(np.float16)
    )
    return {
        "ours": run,
        "torch._int_mm": lambda: torch._int_mm(tx, tw),
        "torch, dequantised": whole,
        "ONNX Runtime": lambda: session.run(None, {"x": x}),
    }


def measured(shape: tuple[int, int, int], threads: int, rounds: int) -> list[str]:
    """Return a row: our time, and the peers' times over ours."""
    library: Any = load("host")
    library.aclquantSetThreadCount(threads)
    torch.set_num_threads(threads)
    timings = interleaved(jobs(*shape, threads), rounds, budget=8)
    ours = timings["ours"].seconds
    ratios = [
        median(b / a for a, b in zip(ours, timings[name].seconds, strict=True))
        for name in timings
        if name != "ours"
    ]
    row = [", ".join(map(str, shape)), str(threads), f"{timings['ours'].best * 1e3:.2f}"]
    row += [f"{ratio:.2f}" for ratio in ratios]
    print(" | ".join(row), flush=True)
    return row


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--size", type=int, default=4096)
    parser.add_argument("--docs", action="store_true", help="renew the page")
    options = parser.parse_args()
    shapes = [(m, options.size, options.size) for m in ROWS] + [(1024, 1024, 1024)]
    rows = [measured(s, threads, options.rounds) for threads in options.threads for s in shapes]
    header = ["m, n, k", "threads", "ours, ms", "`torch._int_mm`", "PyTorch, dequantised"]
    text = page.table([*header, "ONNX Runtime"], rows)
    lowest = min(float(row[3]) for row in rows)
    text = f"The lowest number beside `torch._int_mm` is {lowest:.2f}.\n\n{text}"
    print(text)
    if options.docs:
        page.renew("products_and_everyday.md", "products.py --docs", text)


if __name__ == "__main__":
    main()
