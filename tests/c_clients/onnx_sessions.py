"""Cases for the operators of examples/onnxruntime, each in a process that has CANN's names.

python onnx_sessions.py LIBRARY CASE
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnx import ModelProto, TensorProto, helper, numpy_helper
from run_model import model, session

import aclquant as aq

LIBRARY = sys.argv[1]
Arrays = npt.NDArray[Any]
OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("npu", 1)]
rng = np.random.default_rng(7)


def one_node(
    name: str, inputs: dict[str, Arrays], result: int, cast: bool = False, **attributes: int
) -> ModelProto:
    """A model of one operator; constants for all inputs but x, whose dimensions are open."""
    x = inputs["x"]
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    last = "back" if cast else "y"
    nodes = [helper.make_node(name, [*inputs, ""][:3], [last], domain="npu", **attributes)]
    if cast:  # NumPy has no bfloat16
        nodes.append(helper.make_node("Cast", [last], ["y"], to=TensorProto.FLOAT))
    open_shape = [f"d{n}" for n in range(x.ndim)]
    graph = helper.make_graph(
        nodes,
        "one",
        [helper.make_tensor_value_info("x", kind, open_shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT if cast else result, None)],
        [numpy_helper.from_array(v, n) for n, v in inputs.items() if n != "x"],
    )
    return helper.make_model(graph, opset_imports=OPSETS, ir_version=9)


def run(made: ModelProto, x: Arrays) -> Arrays:
    return np.asarray(session(LIBRARY, made.SerializeToString()).run(None, {"x": x})[0])


def same(got: Arrays, expected: Arrays) -> None:
    assert got.dtype == expected.dtype and got.shape == expected.shape, (got, expected)
    assert got.tobytes() == np.ascontiguousarray(expected).tobytes()


def edges(shape: tuple[int, ...], dtype: type = np.float32) -> Arrays:
    values = rng.standard_normal(shape) * 10
    special = [0.5, -0.5, 1.5, 2.5, np.nan, np.inf, -np.inf, -0.0, 1e-40, 3e38]
    flat = values.reshape(-1)
    flat[: len(special)] = special[: flat.size]
    with np.errstate(over="ignore"):
        return np.asarray(values.astype(dtype))


def quantize() -> None:
    """Each result type, one scale or one for each index of an axis, with and without points."""
    types = {
        "qint8": (2, TensorProto.INT8, np.int32),
        "quint8": (4, TensorProto.UINT8, np.int32),
        "qint32": (3, TensorProto.INT32, np.int32),
    }
    for name, (code, result, _) in types.items():
        for dtype in (np.float32, np.float16):
            for axis, count in ((0, 1), (1, 5), (2, 8), (-1, 8)):
                for pointed in (True, False):
                    x = edges((3, 5, 8), dtype)
                    values = {"x": x, "scales": np.linspace(0.1, 1, count, dtype=np.float32)}
                    if pointed:
                        values["zero_points"] = np.arange(count, dtype=np.int32)
                    made = one_node(
                        "NPUQuantize", values, result, dtype=code, axis=axis, div_mode=1
                    )
                    got = run(made, x)
                    same(got, aq.quantize(x, *list(values.values())[1:], dtype=name, axis=axis))


def multiply() -> None:
    """div_mode=False, with torch_npu's rule for the axis."""
    for axis, count in ((1, 8), (-1, 8), (-2, 5)):
        x = edges((3, 5, 8))
        values = {"x": x, "scales": np.linspace(0.1, 3, count, dtype=np.float32)}
        made = one_node("NPUQuantize", values, TensorProto.INT8, dtype=2, axis=axis, div_mode=0)
        same(run(made, x), aq.quantize(*values.values(), axis=axis, div_mode=False))


def anti_quant() -> None:
    x = np.arange(-128, 128, dtype=np.int8).reshape(32, 8)
    scale = np.linspace(0.01, 3, 8, dtype=np.float32)
    offset = np.linspace(-5, 5, 8, dtype=np.float32)
    for values in ({"x": x, "scale": scale}, {"x": x, "scale": scale, "offset": offset}):
        extra = values.get("offset")
        made = one_node("NPUAntiQuant", values, TensorProto.FLOAT16, dst_dtype=1, src_dtype=2)
        same(run(made, x), aq.anti_quant(x, scale, offset=extra))
        made = one_node(
            "NPUAntiQuant", values, TensorProto.BFLOAT16, cast=True, dst_dtype=27, src_dtype=2
        )
        expected = aq.anti_quant(x, scale, offset=extra, dst_dtype="bfloat16")
        same(run(made, x), expected.astype(np.float32))


def shapes() -> None:
    """One session, batches of any size, none at all included; the output's type is inferred."""
    values = {"x": edges((2, 4)), "scales": np.float32([0.25])}
    made = one_node("NPUQuantize", values, TensorProto.INT8, dtype=2, axis=0, div_mode=1)
    opened = session(LIBRARY, made.SerializeToString())
    for rows, columns in ((2, 4), (1, 1), (0, 4), (300, 17)):
        x = rng.standard_normal((rows, columns)).astype(np.float32)
        same(np.asarray(opened.run(None, {"x": x})[0]), aq.quantize(x, 0.25))
    made.graph.output[0].ClearField("type")
    inferred = session(LIBRARY, made.SerializeToString())
    assert inferred.get_outputs()[0].type == "tensor(int8)"
    assert inferred.get_outputs()[0].shape == ["d0", "d1"]


def threads() -> None:
    """Two sessions, each used by several threads at once, beside calls of aclquant itself."""
    opened = [session(LIBRARY, model()), session(LIBRARY, model(axis=1))]
    cases = []
    for rows in range(1, 41):
        x = rng.standard_normal((rows, 8)).astype(np.float32)
        scales = np.abs(x).max(axis=0) / 127
        points = np.arange(8, dtype=np.int32)
        cases.append((x, scales, points))

    def work(number: int) -> None:
        x, scales, points = cases[number % len(cases)]
        feed = {"x": x, "scales": scales, "zero_points": points}
        q, y = opened[number % 2].run(None, feed)
        same(q, aq.quantize(x, scales, points))
        same(y, aq.anti_quant(q, scales))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(200)))


def refusals() -> None:
    """What phase 1 says is what ONNX Runtime raises; the next call works."""
    wrong = edges((2, 4), np.float64)
    values = {"x": wrong, "scales": np.float32([0.25])}
    made = one_node("NPUQuantize", values, TensorProto.INT8, dtype=2, axis=0, div_mode=1)
    raises(lambda: run(made, wrong), "161002", "argument 'x'", "DOUBLE")

    opened = session(LIBRARY, model())
    x = np.ones((2, 4), np.float32)
    three, four = np.ones(3, np.float32), np.ones(4, np.float32)
    points = np.zeros(4, np.int32)
    feed = {"x": x, "scales": three, "zero_points": points[:3]}
    raises(lambda: opened.run(None, feed), "161002", "argument 'scales'", "(3,)")
    q, _ = opened.run(None, {"x": x, "scales": four, "zero_points": points})
    same(q, np.ones((2, 4), np.int8))

    good = {"x": x, "scales": four}
    made = one_node("NPUQuantize", good, TensorProto.INT8, dtype=99, axis=0, div_mode=1)
    made.graph.output[0].ClearField("type")
    raises(lambda: run(made, x), "attribute 'dtype': got 99")
    made = one_node("NPUQuantize", good, TensorProto.INT8, axis=0, div_mode=1)
    made.graph.output[0].ClearField("type")
    raises(lambda: run(made, x), "dtype")


def raises(call: Any, *words: str) -> None:
    try:
        call()
    except Exception as error:  # ONNX Runtime's exceptions have no common base but this
        assert all(word in str(error) for word in words), error
    else:
        raise AssertionError(f"no error, expected {words}")


if __name__ == "__main__":
    ort.set_default_logger_severity(4)  # errors are raised, and need not be printed as well
    globals()[sys.argv[2]]()
