"""Refusals name the function that was called and its own parameter, and say what to do."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import aclquant as aq

X = np.ones((2, 8), np.float32)
H = X.astype(np.float16)
I8 = np.ones((8, 8), np.int8)
S = np.empty(2, np.float32)

CASES: dict[str, tuple[Callable[[], Any], str, str]] = {
    "x of float64": (
        lambda: aq.quantize(X.astype(np.float64), 1.0),
        "quantize",
        r"'x': got dtype DOUBLE; allowed: FLOAT.*for example x.astype\(np.float32\)",
    ),
    "zero_points": (
        lambda: aq.quantize(X, 1.0, X[0, :1].astype(np.float64)),
        "quantize",
        "'zero_points': got dtype DOUBLE",
    ),
    "axis": (lambda: aq.quantize(X, [1.0] * 8, axis=7), "quantize", "'axis': got 7"),
    "axis of another type": (
        lambda: aq.quantize(X, 1.0, axis="rows"),  # type: ignore[call-overload]
        "quantize",
        "'axis': got 'rows'",
    ),
    "div_mode": (
        lambda: aq.quantize(X, 1.0, div_mode=np.array([True, False])),  # type: ignore[call-overload]
        "quantize",
        r"'div_mode': got array\(\[ True, False\]\); allowed: True or False",
    ),
    "stream": (lambda: aq.quantize(X, 1.0, stream=0), "quantize", "'stream': got 0"),  # type: ignore[call-overload]
    "device": (lambda: aq.quantize(X, 1.0, device="npu:0"), "quantize", "'device': got 'npu:0'"),  # type: ignore[call-overload]
    "scales, without division": (
        lambda: aq.quantize(X, [1.0, 2.0, 3.0], div_mode=False),
        "quantize",
        "'scales'",
    ),
    "a surrogate": (
        lambda: aq.dynamic_quant(H, quant_mode="\udc80"),
        "dynamic_quant",
        "'quant_mode': got '\\\\udc80'; allowed: a string of valid characters",
    ),
    "a null character": (
        lambda: aq.dynamic_quant(H, quant_mode="pertoken\0"),
        "dynamic_quant",
        "'quant_mode'.*without null characters",
    ),
    "dst_type": (
        lambda: aq.dynamic_quant(H, dst_type="uint8"),
        "dynamic_quant",
        "'dst_type': got 'uint8'",
    ),
    "the same output twice": (
        lambda: aq.dynamic_quant_asymmetric(H, out=(None, S, S)),
        "dynamic_quant_asymmetric",
        r"'out\[2\]': got memory of out\[1\]",
    ),
    "a read-only output": (
        lambda: aq.quantize(X, 1.0, out=np.frombuffer(bytes(16), np.int8).reshape(2, 8)),
        "quantize",
        "'out': got a read-only array",
    ),
    "scale of a product": (
        lambda: aq.quant_matmul(I8, I8, [1.0, 2.0, 3.0], output_dtype="bfloat16"),
        "quant_matmul",
        "'scale'",
    ),
    "pertoken_scale of a product": (
        lambda: aq.quant_matmul(I8, I8, 1.0, pertoken_scale=[1.0] * 3, output_dtype="bfloat16"),
        "quant_matmul",
        "'pertoken_scale'",
    ),
    "type of a product": (
        lambda: aq.quant_matmul(I8, I8, 1.0, output_dtype="float32"),
        "quant_matmul",
        "'output_dtype': got 'float32'; .*for example output_dtype='",
    ),
    "groups of a product": (
        lambda: aq.quant_matmul(
            *(np.ones((2, 512), np.int8), np.ones((256, 512), np.int8).T),
            scale=np.ones((2, 4), np.float32),
            pertoken_scale=np.ones((2, 4), np.float32),
            output_dtype="bfloat16",
            group_sizes=[1, 1, 4],
        ),
        "quant_matmul",
        r"'group_sizes': got \[1, 1, 4\]",
    ),
    "round_mode": (
        lambda: aq.trans_quant_param(1.0, round_mode="x"),  # type: ignore[call-overload]
        "trans_quant_param",
        "'round_mode': got 'x'",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_refusals(name: str) -> None:
    call, function, message = CASES[name]
    for _ in range(3):  # the first, the second, and a repeated call
        with pytest.raises(aq.ParameterError, match=f"aclquant.{function}: .*{message}") as caught:
            call()
        error = caught.value
        assert str(error) in repr(error) or repr(str(error)) in repr(error)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_numbers_that_underflow_are_no_floating_point_error() -> None:
    with np.errstate(all="raise"):
        for _ in range(4):
            assert aq.quantize(X, 1e-300, div_mode=False).tolist() == [[0] * 8] * 2
            assert aq.quantize(H, 1e300, div_mode=False).tolist() == [[127] * 8] * 2
            assert aq.quantize([1e-300, 1.0], 1.0, axis=0).tolist() == [0, 1]


def test_devices_and_backends_say_why_they_cannot_be_pickled() -> None:
    for thing in (aq.Device(0), aq.backend()):
        with pytest.raises(TypeError, match="belongs to this process"):
            pickle.dumps(thing)
