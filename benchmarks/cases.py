"""What is measured: each operator, with what moves through memory, and its peers."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import ml_dtypes
import numpy as np
from measure import Job

import aclquant as aq

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
FLOATS = {
    "float32": np.dtype(np.float32),
    "float16": np.dtype(np.float16),
    "bfloat16": BFLOAT16,
}
COLUMNS = 4096


@dataclass
class Case:
    """One piece of work: the bytes it reads and writes once, and who can do it."""

    name: str
    elements: int
    nbytes: int
    jobs: dict[str, Job]
    limit: str = ""  # the loop of limits.cpp that reads and writes as this does
    arrays: tuple[Any, Any] | None = None  # what it reads and writes
    target: float = 0.9  # of the speed of a copy


def peer(name: str) -> Any:
    """A module, or None when it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


torch: Any = peer("torch")
onnxruntime: Any = peer("onnxruntime") if peer("onnx") else None


def missing() -> list[str]:
    peers = {"torch": torch, "onnxruntime (with onnx)": onnxruntime}
    return [name for name, module in peers.items() if module is None]


def session(operator: str, x: Any, scale: Any, zero: Any, axis: int, threads: int) -> Job:
    """One node of ONNX Runtime, bound to its input and output beforehand."""
    onnx = importlib.import_module("onnx")
    helper = onnx.helper
    kind = helper.np_dtype_to_tensor_dtype
    out = np.dtype(np.int8) if operator == "QuantizeLinear" else np.dtype(np.float32)
    graph = helper.make_graph(
        [helper.make_node(operator, ["x", "scale", "zero"], ["y"], axis=axis)],
        "graph",
        [helper.make_tensor_value_info("x", kind(x.dtype), x.shape)],
        [helper.make_tensor_value_info("y", kind(out), x.shape)],
        [onnx.numpy_helper.from_array(scale, "scale"), onnx.numpy_helper.from_array(zero, "zero")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    runner = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    binding = runner.io_binding()
    binding.bind_cpu_input("x", x)
    y = np.empty(x.shape, out)
    pointer = y.ctypes.data
    binding.bind_output("y", "cpu", 0, out, y.shape, pointer)

    def run(keep: Any = y) -> None:
        runner.run_with_iobinding(binding)

    return run


def shape_of(elements: int) -> tuple[int, int]:
    columns = min(COLUMNS, max(8, elements // 4))
    return elements // columns, columns


def quantize(elements: int, threads: int, full: bool) -> Iterator[Case]:
    shape = shape_of(elements)
    rng = np.random.default_rng(0)
    base = rng.standard_normal(shape, np.float32) * 40
    last = np.linspace(0.5, 2.0, shape[1]).astype(np.float32)
    rows = np.linspace(0.5, 2.0, shape[0]).astype(np.float32)
    y = np.empty(shape, np.int8)
    words = np.empty((shape[0], shape[1] // 8), np.int32)
    kinds = FLOATS if full else {"float32": FLOATS["float32"]}
    for name, dtype in kinds.items():
        x = base.astype(dtype)
        ways = (("tensor", last[:1], -1), ("channel", last, -1), ("row", rows, -2))
        for where, scale, axis in ways:
            if not full and where == "row":
                continue
            moved = x.nbytes + y.nbytes
            each = ", each" if where == "channel" else ""
            jobs: dict[str, Job] = {
                "aclquant": partial(aq.quantize, x, scale, axis=axis % 2, out=y)
            }
            if name == "float32" and where != "row":
                jobs |= peers_of_quantize(x, scale, threads)
            title = f"quantize {name} -> int8, per {where}, divide"
            yield Case(title, elements, moved, jobs, f"{name} -> int8, divide{each}", (x, y))
            same = scale.astype(dtype)
            multiply: dict[str, Job] = {
                "aclquant": partial(aq.quantize, x, same, axis=axis, div_mode=False, out=y)
            }
            title = f"quantize {name} -> int8, per {where}, multiply"
            limit = f"{name} -> int8, multiply{each}"
            yield Case(title, elements, moved, multiply, limit, (x, y))
            if full:
                packed: dict[str, Job] = {
                    "aclquant": partial(
                        aq.quantize, x, same, None, "quint4x2", axis, False, out=words
                    )
                }
                title = f"quantize {name} -> int4, per {where}, multiply"
                limit = f"{name} -> int4, multiply{each}"
                moved = x.nbytes + words.nbytes
                yield Case(title, elements, moved, packed, limit, (x, words))


def peers_of_quantize(x: Any, scale: Any, threads: int) -> dict[str, Job]:
    def formula() -> Any:
        return np.clip(np.rint(x / scale), -128, 127).astype(np.int8)

    jobs: dict[str, Job] = {"numpy": formula}
    single = scale.size == 1
    if torch is not None:
        t = torch.from_numpy(x)
        if single:
            number = float(scale[0])
            jobs["torch"] = lambda: torch.quantize_per_tensor(t, number, 0, torch.qint8)
        else:
            scales = torch.from_numpy(scale)
            zeros = torch.zeros(scale.size, dtype=torch.long)
            jobs["torch"] = lambda: torch.quantize_per_channel(t, scales, zeros, 1, torch.qint8)
    if onnxruntime is not None:
        s = scale.reshape(()) if single else scale
        zero = np.zeros(s.shape, np.int8)
        jobs["onnxruntime"] = session("QuantizeLinear", x, s, zero, 1, threads)
    return jobs


def product(x: Any, scale: Any, dtype: Any) -> Any:
    return (x * scale).astype(dtype)


def anti_quant(elements: int, threads: int, full: bool) -> Iterator[Case]:
    shape = shape_of(elements)
    rng = np.random.default_rng(1)
    x = rng.integers(-128, 128, shape, np.int8)
    words = rng.integers(-(2**31), 2**31, (shape[0], shape[1] // 8), np.int64).astype(np.int32)
    last = np.linspace(0.5, 2.0, shape[1]).astype(np.float32)
    for name in ("float16", "bfloat16") if full else ("float16",):
        y = np.empty(shape, FLOATS[name])
        for where, scale in (("tensor", last[:1]), ("channel", last)):
            for source, value in (("int8", x), ("int4", words)):
                jobs: dict[str, Job] = {
                    "aclquant": partial(aq.anti_quant, value, scale, dst_dtype=y.dtype, out=y)
                }
                if source == "int8" and name == "float16":
                    target = y.dtype
                    jobs["numpy"] = partial(product, value, scale, target)
                    if onnxruntime is not None:
                        s = scale.reshape(()) if scale.size == 1 else scale
                        zero = np.zeros(s.shape, np.int8)
                        jobs["onnxruntime (to float32)"] = session(
                            "DequantizeLinear", x, s, zero, 1, threads
                        )
                title = f"anti_quant {source} -> {name}, per {where}"
                each = ", each" if where == "channel" else ""
                # int4 with one scale are looked up, which takes less than any arithmetic.
                looked_up = source == "int4" and not each
                limit = "" if looked_up else f"{source} -> {name}, multiply{each}"
                moved = value.nbytes + y.nbytes
                yield Case(title, elements, moved, jobs, limit, (value, y))


def dynamic(elements: int, threads: int, full: bool) -> Iterator[Case]:
    base = np.random.default_rng(2).standard_normal(elements, np.float32)
    for name in ("float16", "bfloat16") if full else ("float16",):
        dtype = FLOATS[name]
        for length in (128, 4096, 16384) if full else (128,):
            if elements < length * 2:
                continue
            x = base.astype(dtype).reshape(-1, length)
            rows = x.shape[0]
            smooth = np.linspace(0.5, 2, length).astype(dtype)
            groups = np.stack([smooth] * 4)
            ends = np.linspace(rows / 4, rows, 4).astype(np.int32)
            for target, width in (("int8", 1), ("quint4x2", 8)):
                kind = np.int8 if width == 1 else np.int32
                y = np.empty((rows, length // width), kind)
                out = (y, np.empty(rows, np.float32), np.empty(rows, np.float32))
                ways: tuple[tuple[str, dict[str, Any]], ...] = (
                    ("", {}),
                    (", smooth", {"smooth_scales": smooth}),
                    (", groups", {"smooth_scales": groups, "group_index": ends}),
                )
                for extra, options in ways:
                    if not full and extra:
                        continue
                    jobs: dict[str, Job] = {
                        "aclquant": partial(
                            aq.dynamic_quant_asymmetric, x, dst_type=target, out=out, **options
                        )
                    }
                    kind_name = "int8" if width == 1 else "int4"
                    title = f"dynamic {name} -> {kind_name}, rows of {length}{extra}"
                    limit = f"dynamic {name} -> {kind_name}" + (", smooth" if extra else "")
                    moved = x.nbytes + y.nbytes + 8 * rows
                    yield Case(title, elements, moved, jobs, limit, (x, y))


def trans(elements: int, threads: int, full: bool) -> Iterator[Case]:
    scale = np.random.default_rng(3).random(elements, np.float32)
    y = np.empty(elements, np.int64)
    yield Case(
        "trans_quant_param",
        elements,
        scale.nbytes + y.nbytes,
        {"aclquant": lambda: aq.trans_quant_param(scale, out=y)},
        target=0.5,
    )
    yield Case(
        "trans_quant_param, offset",
        elements,
        2 * scale.nbytes + y.nbytes,
        {"aclquant": lambda: aq.trans_quant_param(scale, scale, out=y)},
        target=0.5,
    )


def transposed(rows: int) -> Case:
    """The issue's cliff: against NumPy's copy and the contiguous kernel, one after the other."""
    x = np.random.default_rng(4).standard_normal((rows, rows), np.float32) * 40
    across, copy, y = x.T, np.empty_like(x), np.empty((rows, rows), np.int8)

    def both() -> None:
        np.copyto(copy, across)
        aq.quantize(copy, 0.5, out=y)

    jobs: dict[str, Job] = {
        "aclquant": lambda: aq.quantize(across, 0.5, out=y),
        "numpy's copy, then aclquant": both,
    }
    return Case(f"quantize float32 {rows}x{rows} transposed", rows * rows, 5 * x.size, jobs)


def all_cases(elements: int, threads: int, full: bool) -> Iterator[Case]:
    for make in (quantize, anti_quant, dynamic, trans):
        yield from make(elements, threads, full)
