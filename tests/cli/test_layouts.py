"""Every layout of input and kind of output gives the codes that `quantize_weight` gives."""

from __future__ import annotations

import io
import os
import threading

import ml_dtypes
import numpy as np
import pytest

import aclquant as aq

from .support import Command, process

W = np.random.default_rng(9).standard_normal((6, 40, 8)).astype(np.float32)
ARRAYS = {
    "C order": W,
    "Fortran order": np.asfortranarray(W),
    "big-endian": W.astype(">f4"),
    "float64": W.astype(np.float64),
    "float16": W.astype(np.float16),
    "big-endian float16 in Fortran order": np.asfortranarray(W.astype(">f2")),
    "1-D": W[0, 0],
    "0-d": np.array(-1.5, np.float32),
    "one element": np.float32([[[3]]]),
    "3-D slice": W[::2, ::-1, 1:],
}


def read(path: str) -> dict[str, np.ndarray]:
    if path.endswith(".npy"):
        stem = path.removesuffix(".npy")
        names = {
            "codes": path,
            "scales": f"{stem}.scale.npy",
            "zero_points": f"{stem}.zero_point.npy",
        }
        return {name: np.load(file) for name, file in names.items()}
    if path.endswith(".npz"):
        with np.load(path) as archive:
            return dict(archive)
    q = aq.QuantizedWeight.load(path)
    return {"codes": q.codes, "scales": q.scales, "zero_points": q.zero_points}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize(
    ("kind", "dtype"), [("npy", "int8"), ("npz", "uint8"), ("safetensors", "int4"), ("npy", "int4")]
)
def test_layout(
    cli: Command, monkeypatch: pytest.MonkeyPatch, name: str, kind: str, dtype: str
) -> None:
    monkeypatch.setattr("aclquant.cli.array_files.BLOCK", 100)  # many blocks
    x = ARRAYS[name]
    cli.save("x.npy", x)
    np.savez("x.npz", first=x)
    native = x.astype(x.dtype.newbyteorder("="))
    for axis in [None, *range(x.ndim)]:
        expected = aq.quantize_weight(native, axis=axis, dtype=dtype, symmetric=dtype != "uint8")
        more = [] if axis is None else ["--axis", axis - x.ndim]
        for source in ("x.npy", "x.npz") if axis in (None, 0) else ("x.npy",):
            arguments = ["quantize", source, f"o.{kind}", "--dtype", dtype, "--force", *more]
            assert cli(*arguments) == 0, cli.err
            got = read(f"o.{kind}")
            for part in ("codes", "scales", "zero_points"):
                np.testing.assert_array_equal(got[part], getattr(expected, part))
            error = expected.error(native)
            assert f"max {error.max_abs:.6g}," in cli.out


@pytest.mark.parametrize("x", [W, np.asfortranarray(W)])
def test_packed_int4(cli: Command, monkeypatch: pytest.MonkeyPatch, x: np.ndarray) -> None:
    monkeypatch.setattr("aclquant.cli.array_files.BLOCK", 100)
    cli.save("x.npy", x)
    assert cli("quantize", "x.npy", "o.npy", "--dtype", "quint4x2", "--axis", 0) == 0
    expected = aq.quantize_weight(x, axis=0, dtype="int4")
    np.testing.assert_array_equal(np.load("o.npy"), aq.pack_int4(expected.codes))


def test_bfloat16_of_every_kind(cli: Command) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    x = W.astype(ml_dtypes.bfloat16)
    cli.save("x.npy", x)
    np.savez("x.npz", x=x)
    safetensors.save_file({"x": x}, "x.safetensors")
    expected = aq.quantize_weight(x, axis=1)
    for source, more in (
        ("x.npy", ["--input-dtype", "bfloat16"]),
        ("x.npz", ["--input-dtype", "bfloat16"]),
        ("x.safetensors", []),
    ):
        assert cli("quantize", source, "o.npz", "--axis", 1, "--force", *more) == 0, cli.err
        np.testing.assert_array_equal(read("o.npz")["codes"], expected.codes)
        assert "bfloat16" in cli.out
    assert "of another size" in cli.says("quantize", "x.npy", "p.npz", "--input-dtype", "float32")


def test_a_pipe_as_input(cli: Command) -> None:
    os.mkfifo(cli.path("p"))
    data = io.BytesIO()
    np.save(data, W)
    feeder = threading.Thread(target=lambda: cli.path("p").write_bytes(data.getvalue()))
    feeder.start()
    assert cli("quantize", "p", "o.npz") == 0
    feeder.join()
    np.testing.assert_array_equal(read("o.npz")["codes"], aq.quantize_weight(W, axis=None).codes)
    done = process("quantize", "-", "o.npz", input=b"", cwd=cli.folder)
    assert done.returncode == 1 and b"stdin: the file is empty" in done.stderr


def test_given_scales_and_zero_points(cli: Command) -> None:
    cli.save("x.npy", W)
    scales = np.linspace(0.01, 0.05, 40, dtype=np.float32)
    points = np.arange(40, dtype=np.int64) - 20
    cli.save("s.npy", scales)
    cli.save("z.npy", points)
    arguments = ["quantize", "x.npy", "o.npz", "--axis", 1, "--scale", "s.npy", "--force"]
    assert cli(*arguments, "--zero-point", "z.npy") == 0
    expected = aq.quantize(W, scales, points.astype(np.int32), "qint8", axis=1)
    np.testing.assert_array_equal(read("o.npz")["codes"], expected)
    assert cli(*arguments, "--zero-point", 3) == 0
    assert set(read("o.npz")["zero_points"]) == {3}
    assert "saturated" in cli.out  # the scales are too small
    assert "expected an integer" in cli.says(*arguments, "--zero-point", "1.5")
    assert "of integers" in cli.says(*arguments, "--zero-point", "s.npy")
    assert "expected int32" in cli.says(*arguments, "--zero-point", 2**40)
    assert "goes with --scale" in cli.says(
        "quantize", "x.npy", "p.npz", "--zero-point", 1, status=2
    )
    for wrong in ("0", "-1", "nan", "inf", "1e-50"):
        assert "above 0" in cli.says("quantize", "x.npy", "p.npz", "--scale", wrong)
