"""Reading the files of ``tests/vectors`` and running their vectors.

Executed as a program (``python -m helpers.vectors``) it runs the vectors of one SoC and one CANN
version, both taken from the environment of the host device, in a separate process: a process
has one SoC. It prints one line per failure and answers with the number of failures as exit status.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
from reference import Family, Spec
from reference.anti_quant import aclnn_ascend_anti_quant
from reference.dynamic_quant import aclnn_dynamic_quant, aclnn_dynamic_quant_v2, scale_shape
from reference.quant_matmul import (
    aclnn_quant_matmul_v3,
    aclnn_quant_matmul_v4,
    aclnn_quant_matmul_v5,
)
from reference.quantize import aclnn_ascend_quant, aclnn_ascend_quant_v3, aclnn_quantize
from reference.trans_quant_param import (
    aclnn_trans_quant_param,
    aclnn_trans_quant_param_v2,
    aclnn_trans_quant_param_v3,
)

from helpers.compare import difference

DIRECTORY = Path(__file__).resolve().parent.parent / "vectors"
DEFAULT_SOC = "Ascend910B1"
DEFAULT_VERSION = "9.1.0"

_UNSIGNED = {"float32": np.uint32, "float16": np.uint16, "bfloat16": np.uint16}
_ML_DTYPES: dict[str, Any] = {"bfloat16": ml_dtypes.bfloat16, "int4": ml_dtypes.int4}

Vector = dict[str, Any]


def load() -> list[Vector]:
    """All vectors, each with its operator added."""
    vectors = []
    for path in sorted(DIRECTORY.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        assert content["schema"] == 1
        vectors += [{"operator": content["operator"], **v} for v in content["vectors"]]
    return vectors


def identity(vector: Vector) -> str:
    return f"{vector['operator']}: {vector['name']}"


def numpy_type(name: str) -> np.dtype[Any]:
    dtype: np.dtype[Any] = np.dtype(_ML_DTYPES.get(name, name))
    return dtype


def decode(array: dict[str, Any] | None) -> Any:
    """The array of an input or of an exactly known output."""
    if array is None:
        return None
    dtype, shape = numpy_type(array["dtype"]), array["shape"]
    if "bits" in array:
        words = [int(word, 16) for word in array["bits"].split()]
        return np.array(words, _UNSIGNED[array["dtype"]]).view(dtype).reshape(shape)
    return np.array(array["values"]).astype(dtype).reshape(shape)


def inputs(vector: Vector) -> list[Any]:
    return [decode(array) for array in vector["inputs"].values()]


def output_specs(vector: Vector) -> dict[str, Spec | None]:
    """What the caller has to allocate, in the order of the C parameters."""
    specs: dict[str, Spec | None] = {
        name: Spec(array["dtype"], tuple(array["shape"]))
        for name, array in vector["outputs"].items()
    }
    if vector["operator"] == "dynamic_quant":
        parameter = Spec("float32", scale_shape(tuple(vector["inputs"]["x"]["shape"])))
        specs["scaleOut"] = parameter
        if vector["function"] != "aclnnDynamicQuant":
            specs["offsetOut"] = None if vector["attributes"]["symmetric"] else parameter
    return specs


def check(vector: Vector, results: dict[str, Any]) -> None:
    """Compare results, by C parameter name, with what the vector expects."""
    for name, expected in vector["outputs"].items():
        actual = results[name]
        if "printed" in expected:
            assert list(actual.shape) == expected["shape"], f"{name}: shape {actual.shape}"
            texts = expected["printed"]
            decimals = len(texts[0].partition(".")[2])
            shown = [f"{float(value):.{decimals}f}" for value in actual.reshape(-1)]
            assert shown == texts, f"{name}: {shown}, printed {texts}"
            continue
        found = difference(actual, decode(expected))
        assert found is None, f"{name}: {found}"


# -- the reference ---------------------------------------------------------------------------


def reference_results(vector: Vector) -> dict[str, Any]:
    """Every SoC of the vector must give the same; the last one's results are returned."""
    results: dict[str, Any] = {}
    for soc in vector["soc"]:
        results = _reference(vector, "310p" if soc.startswith("Ascend310P") else "a2")
        check(vector, results)
    return results


_FUNCTIONS: dict[str, Any] = {
    "aclnnQuantize": aclnn_quantize,
    "aclnnAscendQuant": aclnn_ascend_quant,
    "aclnnAscendQuantV3": aclnn_ascend_quant_v3,
    "aclnnAscendAntiQuant": aclnn_ascend_anti_quant,
    "aclnnTransQuantParamV2": aclnn_trans_quant_param_v2,
    "aclnnTransQuantParamV3": aclnn_trans_quant_param_v3,
    "aclnnDynamicQuant": aclnn_dynamic_quant,
    "aclnnDynamicQuantV2": aclnn_dynamic_quant_v2,
    "aclnnQuantMatmulV3": aclnn_quant_matmul_v3,
    "aclnnQuantMatmulV4": aclnn_quant_matmul_v4,
    "aclnnQuantMatmulV5": aclnn_quant_matmul_v5,
}


def _reference(vector: Vector, family: Family) -> dict[str, Any]:
    function, given = vector["function"], inputs(vector)
    attributes = [v for name, v in vector["attributes"].items() if name != "symmetric"]
    if function == "aclnnTransQuantParam":
        (scale, offset), (scale_size, offset_size) = given, attributes
        return {"quantParam": aclnn_trans_quant_param(scale, scale_size, offset, offset_size)}
    specs = output_specs(vector)
    arguments = [*given, *attributes, *specs.values()]
    if function.startswith("aclnnDynamicQuant"):
        old = vector.get("cann", DEFAULT_VERSION).startswith("8.")
        found = _FUNCTIONS[function](*arguments, family=family, old=old)
        return dict(zip(("yOut", "scaleOut", "offsetOut"), found, strict=True))
    (name,) = specs
    return {name: _FUNCTIONS[function](*arguments, family=family)}


# -- the package under test ------------------------------------------------------------------


def c_results(vector: Vector) -> dict[str, Any]:
    """The C function itself, through the generic two-phase call."""
    import aclquant as aq

    if vector["function"] == "aclnnTransQuantParam":
        return {"quantParam": _host_function(*inputs(vector))}
    attributes = [v for name, v in vector["attributes"].items() if name != "symmetric"]
    outputs = {
        name: None if spec is None else np.zeros(spec.shape, spec.numpy)
        for name, spec in output_specs(vector).items()
    }
    getattr(aq.aclnn, vector["function"])(*inputs(vector), *attributes, *outputs.values())
    return outputs


def _host_function(scale: Any, offset: Any) -> Any:
    """aclnnTransQuantParam has one phase and hands out memory: the caller frees it."""
    import ctypes

    from aclquant._ffi import ffi
    from aclquant._ffi.library import load as load_library

    library = load_library("host")
    words, count = ffi.new("uint64_t **"), ffi.new("uint64_t *")

    def pointer(array: Any) -> Any:
        return ffi.NULL if array is None else ffi.from_buffer("float[]", array)

    def size(array: Any) -> int:
        return 0 if array is None else int(array.size)

    status = library.aclnnTransQuantParam(
        pointer(scale), size(scale), pointer(offset), size(offset), words, count
    )
    assert status == 0, f"status {status}"
    result = np.frombuffer(ffi.buffer(words[0], 8 * count[0]), np.uint64).copy()
    free = ctypes.CDLL(None).free
    free.argtypes = [ctypes.c_void_p]
    free(int(ffi.cast("uintptr_t", words[0])))
    return result


def python_results(vector: Vector) -> dict[str, Any]:
    """The Python function, with the vector's keyword arguments."""
    import aclquant as aq

    given, rest = inputs(vector), vector["python"]
    operator = vector["operator"]
    if operator == "quantize":
        return dict(zip(vector["outputs"], [aq.quantize(*given, **rest)], strict=True))
    if operator == "anti_quant":
        x, scale, offset = given
        return {"y": aq.anti_quant(x, scale, offset=offset, **rest)}
    if operator == "trans_quant_param":
        return {"out": aq.trans_quant_param(*given, **rest)}
    if operator == "quant_matmul":
        return {"out": aq.quant_matmul(**_matmul_arguments(vector), **rest)}
    x, smooth, groups = given
    if vector["attributes"]["symmetric"]:
        pair = aq.dynamic_quant(x, smooth_scales=smooth, group_index=groups, **rest)
        return dict(zip(("yOut", "scaleOut"), pair, strict=True))
    found = aq.dynamic_quant_asymmetric(x, smooth_scales=smooth, group_index=groups, **rest)
    return dict(zip(("yOut", "scaleOut", "offsetOut"), found, strict=True))


_MATMUL_NAMES = {
    "x1Scale": "pertoken_scale",
    "pertokenScaleOptional": "pertoken_scale",
    "x2Scale": "scale",
    "x2Offset": "offset",
}


def _matmul_arguments(vector: Vector) -> dict[str, Any]:
    """Arguments of any version under the names of the Python function."""
    values = {name: decode(array) for name, array in vector["inputs"].items()}
    unknown = ("yScale", "x1Offset", "yOffset")
    return {_MATMUL_NAMES.get(k, k): value for k, value in values.items() if k not in unknown}


def belongs(vector: Vector, soc: str, version: str) -> bool:
    return soc in vector["soc"] and vector.get("cann", version) == version


def main() -> int:
    soc = os.environ.get("ACLQUANT_HOST_SOC", DEFAULT_SOC)
    version = os.environ.get("ACLQUANT_HOST_VERSION", DEFAULT_VERSION)
    failures = runs = 0
    for vector in load():
        if not belongs(vector, soc, version):
            continue
        if version != DEFAULT_VERSION and "cann" not in vector:
            continue
        for run in (c_results, python_results) if "python" in vector else (c_results,):
            runs += 1
            try:
                check(vector, run(vector))
            except Exception:
                failures += 1
                last = traceback.format_exc().strip().splitlines()[-1]
                print(f"{identity(vector)} [{run.__name__}]: {last}")
    print(f"{soc}, CANN {version}: {runs} runs, {failures} failures")
    return min(failures, 100) if runs else 101


if __name__ == "__main__":
    sys.exit(main())
