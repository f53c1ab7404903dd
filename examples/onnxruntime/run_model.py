"""A model with npu::NPUQuantize and npu::NPUAntiQuant, as torch_npu exports them, in ONNX Runtime.

Build the library first (CMakeLists.txt), then: python run_model.py build/libnpu_ops.so
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

import aclquant as aq


def model(axis: int = 1) -> bytes:
    """Float rows of open number and length -> codes, and the float16 values they stand for."""
    quantize = helper.make_node(
        "NPUQuantize", ["x", "scales", "zero_points"], ["q"], domain="npu",
        dtype=2, axis=axis, div_mode=1,
    )  # fmt: skip
    back = helper.make_node(
        "NPUAntiQuant", ["q", "scales", ""], ["y"], domain="npu", dst_dtype=1, src_dtype=2
    )
    graph = helper.make_graph(
        [quantize, back],
        "round_trip",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", "columns"]),
            helper.make_tensor_value_info("scales", TensorProto.FLOAT, ["channels"]),
            helper.make_tensor_value_info("zero_points", TensorProto.INT32, ["channels"]),
        ],
        [
            helper.make_tensor_value_info("q", TensorProto.INT8, ["rows", "columns"]),
            helper.make_tensor_value_info("y", TensorProto.FLOAT16, ["rows", "columns"]),
        ],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("npu", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return bytes(model.SerializeToString())


def session(library: Path | str, model: bytes) -> ort.InferenceSession:
    """Open a session that knows the operators."""
    options = ort.SessionOptions()
    options.register_custom_ops_library(str(library))
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    aq.activate()  # the library asks for CANN's names; here they mean the host device
    run = session(sys.argv[1], model())
    rng = np.random.default_rng(0)
    for rows in (3, 200):
        x = rng.standard_normal((rows, 8)).astype(np.float32)
        scales = np.abs(x).max(axis=0) / 127
        zero_points = np.zeros(8, np.int32)
        q, y = run.run(None, {"x": x, "scales": scales, "zero_points": zero_points})
        same = (q == aq.quantize(x, scales, zero_points)).all() and (
            y == aq.anti_quant(q, scales)
        ).all()
        print(f"{rows} rows: largest error {np.abs(x - y).max():.3g}, equal to aclquant: {same}")
