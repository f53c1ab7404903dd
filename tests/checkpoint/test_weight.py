"""`aclquant.quantize_weight`."""

from __future__ import annotations

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import aclquant as aq


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int4"])
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
@pytest.mark.parametrize("group", [None, 1, 16, 1000])
@pytest.mark.parametrize("shape", [(5, 7, 3), (16, 33)])
def test_every_layout(
    dtype: str, symmetric: bool, axis: int | None, group: int | None, shape: tuple[int, ...]
) -> None:
    """Codes are right to half a scale, and every scale is that of its elements."""
    w = normal(*shape)
    q = aq.quantize_weight(w, axis=axis, group=group, dtype=dtype, symmetric=symmetric)
    assert q.codes.shape == w.shape and q.shape == w.shape
    back = q.dequantize()
    rows = w.reshape(1, -1) if axis is None else np.moveaxis(w, axis, 0).reshape(w.shape[axis], -1)
    moved = back.reshape(1, -1) if axis is None else np.moveaxis(back, axis, 0).reshape(rows.shape)
    steps = {"int8": 255, "uint8": 255, "int4": 15}[dtype]
    width = rows.shape[1] if group is None else min(group, rows.shape[1])
    scales = q.scales.reshape(len(rows), -1)
    assert scales.shape[1] == -(-rows.shape[1] // width)
    for n, start in np.ndindex(len(rows), scales.shape[1]):
        piece = rows[n, start * width : (start + 1) * width]
        if symmetric:
            expected = np.abs(piece).max() / np.float32(steps // 2)
        else:
            high, low = max(piece.max(), 0), min(piece.min(), 0)
            expected = np.float32(high) / np.float32(steps) - np.float32(low) / np.float32(steps)
        assert scales[n, start] == expected
        error = np.abs(moved[n, start * width : (start + 1) * width] - piece)
        assert (error <= 0.501 * expected).all()


@pytest.mark.parametrize("kind", [np.float16, ml_dtypes.bfloat16, np.float64])
def test_other_types(kind: object) -> None:
    w = normal(6, 10).astype(kind)
    q, same = aq.quantize_weight(w), aq.quantize_weight(w.astype(np.float32))
    np.testing.assert_array_equal(q.codes, same.codes)
    np.testing.assert_array_equal(q.scales, same.scales)


def test_equals_the_operator() -> None:
    w = normal(12, 40)
    q = aq.quantize_weight(w, axis=1)
    np.testing.assert_array_equal(q.codes, aq.quantize(w, q.scales, None, "qint8", axis=1))


@pytest.mark.parametrize("symmetric", [True, False])
def test_methods(symmetric: bool) -> None:
    """Outliers: clipping is better; and "mse" is never worse than "absmax"."""
    w = normal(8, 512)
    w[:, 7] *= 12
    errors = {}
    for method in ("absmax", "mse", "percentile"):
        q = aq.quantize_weight(w, dtype="int4", method=method, symmetric=symmetric, percentile=99.5)
        errors[method] = q.error(w)
    assert errors["mse"].snr_db > errors["absmax"].snr_db + 1
    assert errors["absmax"].saturated == 0 < errors["mse"].saturated < 0.02
    plain = normal(64, 64, seed=1)
    for row in range(64):
        one = plain[row : row + 1]
        best = aq.quantize_weight(one, dtype="int4", method="mse").error(one)
        assert best.snr_db >= aq.quantize_weight(one, dtype="int4").error(one).snr_db


def test_percentile_clips_what_it_says() -> None:
    w = np.arange(1, 1001, dtype=np.float32).reshape(1, -1)
    q = aq.quantize_weight(w, method="percentile", percentile=90)
    assert q.scales[0] == np.float32(np.percentile(w, 90)) / np.float32(127)
    assert 0.09 < q.error(w).saturated < 0.11
    full = aq.quantize_weight(w, method="percentile", percentile=100)
    np.testing.assert_array_equal(full.codes, aq.quantize_weight(w).codes)


@pytest.mark.parametrize("value", [0.0, 1e-45, -3e-44, 1e-38, 65504.0, 3.4e38])
def test_scales_are_above_0_and_finite(value: float) -> None:
    w = np.float32([[value, 0, value / 2]])
    for dtype in ("int8", "uint8", "int4"):
        for symmetric in (True, False):
            for method in ("absmax", "percentile", "mse"):
                q = aq.quantize_weight(w, dtype=dtype, symmetric=symmetric, method=method)
                assert (q.scales > 0).all() and np.isfinite(q.scales).all()
    assert aq.quantize_weight(w, least_scale=2**-23).scales[0] >= 2**-23


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int4"])
@pytest.mark.parametrize("group", [None, 8])
def test_save_and_load(tmp_path: Path, dtype: str, group: int | None) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    w = normal(5, 13)
    q = aq.quantize_weight(w, axis=1, group=group, dtype=dtype, symmetric=False)
    path = tmp_path / "w.safetensors"
    q.save(path)
    same = aq.QuantizedWeight.load(path)
    for name in ("codes", "scales", "zero_points"):
        np.testing.assert_array_equal(getattr(same, name), getattr(q, name))
        assert getattr(same, name).dtype == getattr(q, name).dtype
    assert (same.axis, same.group, same.dtype) == (q.axis, q.group, q.dtype)
    assert same.error(w) == q.error(w)
    stored = safetensors.load_file(path)
    assert stored["codes"].nbytes == (33 if dtype == "int4" else 65)
    with pytest.raises(FileExistsError):
        q.save(path)
    q.save(path, overwrite=True)
    safetensors.save_file({"x": w}, tmp_path / "other.safetensors")
    with pytest.raises(aq.ParameterError, match="was not written by"):
        aq.QuantizedWeight.load(tmp_path / "other.safetensors")


def test_the_command_writes_the_same_file(tmp_path: Path) -> None:
    pytest.importorskip("click")
    pytest.importorskip("safetensors")
    from aclquant.cli import main

    for order in (normal(6, 9), np.asfortranarray(normal(6, 9))):
        np.save(tmp_path / "w.npy", order)
        for dtype in ("int8", "int4"):
            target = str(tmp_path / "c.safetensors")
            arguments = ["quantize", str(tmp_path / "w.npy"), target, "--axis", "0", "--force"]
            assert main([*arguments, "--dtype", dtype]) == 0
            aq.quantize_weight(order, axis=0, dtype=dtype).save(
                tmp_path / "p.safetensors", overwrite=True
            )
            assert Path(target).read_bytes() == (tmp_path / "p.safetensors").read_bytes()


def test_a_tensor_comes_in() -> None:
    w = normal(4, 8)
    np.testing.assert_array_equal(
        aq.quantize_weight(aq.asarray(w)).codes, aq.quantize_weight(w).codes
    )


@pytest.mark.parametrize(
    ("w", "options", "text"),
    [
        (np.int32([[1]]), {}, "dtype int32"),
        (np.zeros((0, 4), np.float32), {}, "at least one element"),
        (np.float32([[1, np.nan]]), {}, "finite values"),
        (np.float32([[1, -np.inf]]), {"group": 1}, "finite values"),
        (np.float64([[1e300]]), {}, "finite values"),
        (normal(2, 2), {"axis": 2}, "'axis': got 2; allowed: -2 to 1, or None"),
        (normal(2, 2), {"dtype": "int3"}, "int8, uint8 or int4"),
        (normal(2, 2), {"method": "best"}, "'absmax', 'percentile' or 'mse'"),
        (normal(2, 2), {"group": 0}, "'group': got 0"),
        (normal(2, 2), {"percentile": 50}, "'percentile'"),
        (normal(2, 2), {"least_scale": -1}, "'least_scale'"),
        (["a"], {}, "'w'"),
    ],
)
def test_refused(w: object, options: dict[str, object], text: str) -> None:
    with pytest.raises(aq.ParameterError, match=text.replace("(", r"\(")):
        aq.quantize_weight(w, **options)  # type: ignore[arg-type]
    q = aq.quantize_weight(normal(2, 2))
    with pytest.raises(aq.ParameterError, match=r"shape \(2, 3\)"):
        q.error(normal(2, 3))


def test_it_prints_and_compares_as_an_object() -> None:
    q = aq.quantize_weight(normal(4, 8), group=4, dtype="int4")
    assert repr(q) == "QuantizedWeight(int4, shape=(4, 8), axis=0, group=4)"
    assert q == q and q != aq.quantize_weight(normal(4, 8))
