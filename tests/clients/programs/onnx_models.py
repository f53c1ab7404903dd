"""ONNX Runtime: each operator of its CANN provider as a model, against its CPU provider."""

import numpy as np
import onnx
import onnxruntime as ort
from cases import case, done
from onnx import TensorProto, helper

RNG = np.random.default_rng(1)
KINDS = {
    np.dtype("f4"): TensorProto.FLOAT, np.dtype("f2"): TensorProto.FLOAT16,
    np.dtype("i4"): TensorProto.INT32, np.dtype("i8"): TensorProto.INT64,
    np.dtype("i1"): TensorProto.INT8, np.dtype("?"): TensorProto.BOOL,
    np.dtype("u1"): TensorProto.UINT8, np.dtype("f8"): TensorProto.DOUBLE,
}  # fmt: skip
CANN = [("CANNExecutionProvider", {"device_id": 0, "enable_cann_graph": False})]


def session(model, providers):
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    made = ort.InferenceSession(model, options, providers=providers)
    assert made.get_providers()[0] == (providers[0][0] if providers is CANN else providers[0])
    return made


def model(nodes, inputs, constants=(), opset=13):
    graph = helper.make_graph(
        nodes, "model",
        [helper.make_tensor_value_info(n, KINDS[a.dtype], a.shape) for n, a in inputs.items()],
        [onnx.ValueInfoProto(name="y")],
        [onnx.numpy_helper.from_array(a, n) for n, a in dict(constants).items()],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return onnx.shape_inference.infer_shapes(made).SerializeToString()


def check(name, nodes, inputs, constants=(), opset=13, tolerance=1e-5):
    @case(name)
    def _():
        data = model(nodes, inputs, constants, opset)
        expected = session(data, ["CPUExecutionProvider"]).run(None, inputs)[0]
        found = session(data, CANN).run(None, inputs)[0]
        assert found.shape == expected.shape and found.dtype == expected.dtype
        if expected.dtype.kind == "f":
            limit = tolerance if expected.dtype != np.float16 else 1e-2
            np.testing.assert_allclose(found, expected, limit, limit)
        else:
            assert (found == expected).all(), (found, expected)


def one(kind, *arrays, opset=13, label="", tolerance=1e-5, **attributes):
    names = "abcde"[: len(arrays)]
    node = helper.make_node(kind, list(names), ["y"], **attributes)
    name = f"{kind} {label or arrays[0].dtype}"
    check(name, [node], dict(zip(names, arrays, strict=True)), opset=opset, tolerance=tolerance)


def floats(*shape, low=0.1, high=2.0, dtype="f4"):
    return RNG.uniform(low, high, shape).astype(dtype)


def integers(*shape, low=1, high=9, dtype="i4"):
    return RNG.integers(low, high, shape).astype(dtype)


for dtype in ("f4", "f2"):
    for kind in ("Abs", "Neg", "Floor", "Ceil", "Reciprocal", "Sqrt", "Log", "Erf", "Round",
                 "Sin", "Cos", "Relu", "Exp"):  # fmt: skip
        # The provider has no Exp of float32, the CPU none of the others in float16.
        alone = ("Reciprocal", "Sqrt", "Log", "Sin", "Cos", "Erf", "Round")
        if (kind, dtype) != ("Exp", "f4") and not (dtype == "f2" and kind in alone):
            one(kind, floats(3, 4, low=0.5, dtype=dtype))
one("Abs", integers(3, 4, low=-9))
one("Neg", integers(3, 4, low=-9))
one("Neg", integers(3, 4, low=-9, dtype="i1"))
for kind in ("Add", "Sub", "Mul", "Div"):
    for dtype in ("f4", "f2", "f8"):
        one(kind, floats(3, 4, dtype=dtype), floats(3, 4, dtype=dtype), opset=14)
    for dtype in ("i4", "i8"):
        one(kind, integers(3, 4, dtype=dtype), integers(3, 4, dtype=dtype), opset=14)
    one(kind, floats(3, 4), floats(4), label="with a row", opset=14)
    one(kind, floats(3, 1), floats(1, 4), label="of a column and a row", opset=14)
one("Div", integers(3, 4, low=-9, high=9), integers(3, 4, low=2), label="of negative integers",
    opset=14)  # fmt: skip
one("MatMul", floats(3, 4), floats(4, 5), tolerance=1e-3)
one("MatMul", floats(2, 3, 4), floats(2, 4, 5), label="of batches", tolerance=1e-3)
one("MatMul", floats(2, 3, 4), floats(4, 5), label="of a batch and a matrix", tolerance=1e-3)
one("MatMul", floats(3, 4, dtype="f2"), floats(4, 5, dtype="f2"))
one("Flatten", floats(2, 3, 4))
one("Flatten", floats(2, 3, 4), axis=2, label="axis 2")
one("Flatten", integers(2, 3, 4, dtype="i8"))
one("Transpose", floats(2, 3, 4))
one("Transpose", floats(2, 3, 4), perm=[1, 2, 0], label="perm 1 2 0")
one("Transpose", integers(2, 3, 4), perm=[1, 0, 2])
for target in ("f2", "f4", "i4", "i8", "u1", "?"):
    for source in ("f4", "i4"):
        if source != target:
            one("Cast", (floats if source == "f4" else integers)(3, 4, dtype=source),
                to=KINDS[np.dtype(target)], label=f"{source} to {target}")  # fmt: skip
one("Identity", floats(3, 4))
one("Dropout", floats(3, 4))
check("Reshape", [helper.make_node("Reshape", ["a", "shape"], ["y"])], {"a": floats(3, 4)},
      {"shape": np.array([2, 6])})  # fmt: skip
one("Gemm", floats(3, 4, dtype="f2"), floats(4, 5, dtype="f2"), floats(3, 5, dtype="f2"))
IMAGE = floats(1, 2, 8, 8)
one("MaxPool", IMAGE, kernel_shape=[2, 2], strides=[2, 2], opset=7)
one("AveragePool", IMAGE, kernel_shape=[2, 2], strides=[2, 2], opset=11)
one("GlobalAveragePool", IMAGE)
one("GlobalMaxPool", IMAGE)
one("Conv", IMAGE, floats(3, 2, 3, 3))
one("Conv", IMAGE, floats(3, 2, 3, 3), floats(3), pads=[1, 1, 1, 1], label="with bias and pads")
one("BatchNormalization", IMAGE, *(floats(2) for _ in range(4)), opset=15)

check("two layers of a network", [
    helper.make_node("MatMul", ["a", "w0"], ["h0"]), helper.make_node("Add", ["h0", "b0"], ["h1"]),
    helper.make_node("Relu", ["h1"], ["h2"]), helper.make_node("MatMul", ["h2", "w1"], ["h3"]),
    helper.make_node("Add", ["h3", "b1"], ["y"]),
], {"a": floats(5, 16)}, {
    "w0": floats(16, 32, low=-1, high=1), "b0": floats(32, low=-1, high=1),
    "w1": floats(32, 4, low=-1, high=1), "b1": floats(4, low=-1, high=1),
}, opset=14, tolerance=1e-3)  # fmt: skip


@case("a graph for the whole model (enable_cann_graph=1) is refused with a reason")
def _():
    data = model([helper.make_node("Abs", ["a"], ["y"])], {"a": floats(3, 4)})
    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        ort.InferenceSession(data, options, providers=["CANNExecutionProvider"])
    except Exception as error:
        assert "aclgrph" in str(error) or "Graph" in str(error), error


done()
