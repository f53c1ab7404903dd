"""The rows C1 to C12 of the first-time user's report, each with its neighbours."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from .support import Command, process, start


def weights(rows: int = 64, columns: int = 128) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((rows, columns)).astype(np.float32)


@pytest.mark.parametrize("output", ["v", "v.npy", "./v.npy", "V.NPY/../v.npy", "v.dat"])
def test_C1_input_by_any_name_is_kept(cli: Command, output: str) -> None:
    source = cli.save("v.npy", weights())
    before = source.read_bytes()
    cli.path("V.NPY").mkdir()
    for force in ([], ["--force"]):
        cli.says("quantize", "v.npy", output, *force, status=2 if output in ("v", "v.dat") else 1)
    assert source.read_bytes() == before and cli.files() == {"v.npy", "V.NPY"}


def test_C1_nothing_is_added_to_a_name(cli: Command) -> None:
    cli.save("v.npy", weights())
    assert "has to end in .npy" in cli.says("quantize", "v.npy", "codes", status=2)
    assert cli("quantize", "v.npy", "codes", "--format", "npy") == 0
    assert cli.files() == {"v.npy", "codes", "codes.scale.npy", "codes.zero_point.npy"}


@pytest.mark.parametrize("part", ["scale", "zero_point"])
def test_C2_input_under_the_name_of_a_second_output(cli: Command, part: str) -> None:
    source = cli.save(f"k.{part}.npy", weights())
    before = source.read_bytes()
    error = cli.says("quantize", source, "k.npy", "--force")
    assert f"OUTPUT.{part}.npy" in error and "same file as INPUT" in error
    assert source.read_bytes() == before and len(cli.files()) == 1


def test_C2_scales_and_plot_are_inputs_and_outputs_as_well(cli: Command) -> None:
    cli.save("x.npy", weights())
    scales = cli.save("y.scale.npy", np.float32([0.1]))
    before = scales.read_bytes()
    error = cli.says("quantize", "x.npy", "y.npy", "--scale", "y.scale.npy", "--force")
    assert "same file as --scale" in error and scales.read_bytes() == before
    pytest.importorskip("matplotlib")
    error = cli.says("quantize", "x.npy", "y.png", "--format", "npy", "--plot", "y.png")
    assert "same file as OUTPUT" in error


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_C3_links_to_the_input(cli: Command, link: object) -> None:
    source = cli.save("w.npy", weights())
    before = source.read_bytes()
    link(source, cli.path("hl.npy"))  # type: ignore[operator]
    assert "same file as INPUT" in cli.says("quantize", "w.npy", "hl.npy", "--force")
    assert source.read_bytes() == before and cli.files() == {"w.npy", "hl.npy"}


def test_C3_a_link_to_an_older_output_leads_to_the_new_one(cli: Command) -> None:
    cli.save("w.npy", weights())
    cli.path("store").mkdir()
    (cli.path("store") / "o.npy").write_bytes(b"old")
    cli.path("o.npy").symlink_to("store/o.npy")
    assert "is there already" in cli.says("quantize", "w.npy", "o.npy")
    assert cli("quantize", "w.npy", "o.npy", "--force") == 0
    assert cli.path("o.npy").is_symlink() and np.load("store/o.npy").dtype == np.int8


def test_C4_an_older_output_is_kept_without_force(cli: Command) -> None:
    cli.save("w.npy", weights())
    for name in ("o.npy", "o.scale.npy", "o.zero_point.npy"):
        cli.path(name).write_bytes(b"old")
        assert f"{name} is there already; --force" in cli.says("quantize", "w.npy", "o.npy")
        assert cli.path(name).read_bytes() == b"old"
        assert cli.files() == {"w.npy", name}
        cli.path(name).unlink()
    cli.path("o.npz").symlink_to("nowhere/at/all.npz")
    cli.says("quantize", "w.npy", "o.npz")


def test_C4_full_disk_leaves_the_older_output(cli: Command) -> None:
    cli.save("w.npy", weights(512, 512))
    cli.path("o.npy").write_bytes(b"old")
    cli.path("o.scale.npy").write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        error = cli.says("quantize", "w.npy", "o.npy", "--force")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert error == "aclquant: o.npy: File too large\n"
    assert cli.path("o.npy").read_bytes() == cli.path("o.scale.npy").read_bytes() == b"old"
    assert cli.files() == {"w.npy", "o.npy", "o.scale.npy"}


def test_C4_a_device_that_is_full(cli: Command) -> None:
    cli.save("w.npy", weights())
    for format in ("npz", "safetensors"):
        error = cli.says("quantize", "w.npy", "/dev/full", "--format", format)
        assert error == "aclquant: /dev/full: No space left on device\n"


def test_C4_stdout_that_is_full(cli: Command) -> None:
    with open("/dev/full", "wb") as full:
        done = process("explain", "161002", cwd=cli.folder, stdout=full)
    assert done.returncode == 1
    assert done.stderr == b"aclquant: stdout: No space left on device\n"


def wait_for_reader(fifo: Path) -> int:
    """Open a FIFO for writing once somebody reads it."""
    for _ in range(600):
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # ENXIO: no reader yet
            time.sleep(0.1)
    raise TimeoutError(fifo)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_C4_killed_at_work(cli: Command, number: signal.Signals) -> None:
    """It waits for its input, so that it is killed after the outputs were begun."""
    cli.path("o.npz").write_bytes(b"old")
    cli.save("w.npy", weights())
    cli.save("s.npy", weights(1, 4))
    os.mkfifo(cli.path("p.npy"))
    running = start("quantize", "w.npy", "o.npz", "--force", "--scale", "p.npy", cwd=cli.folder)
    pipe = wait_for_reader(cli.path("p.npy"))
    running.send_signal(number)
    _, error = running.communicate(timeout=60)
    os.close(pipe)
    assert running.returncode != 0
    if number == signal.SIGINT:
        assert running.returncode == 130 and error.strip() == b"aclquant: interrupted"
    if number == signal.SIGTERM:
        assert running.returncode == 143 and error == b""
    assert cli.path("o.npz").read_bytes() == b"old"
    assert cli.files() == {"w.npy", "s.npy", "p.npy", "o.npz"}


@pytest.mark.nightly
def test_C4_killed_at_random_moments(cli: Command) -> None:
    cli.save("w.npy", weights(4096, 2048))
    assert cli("quantize", "w.npy", "o.npz", "--axis", "0") == 0
    good = cli.path("o.npz").read_bytes()
    random = np.random.default_rng(11)
    for _ in range(25):
        running = start("quantize", "w.npy", "o.npz", "--axis", "0", "--force", cwd=cli.folder)
        time.sleep(random.uniform(0.1, 1.2))
        running.kill()
        running.communicate(timeout=60)
        assert cli.path("o.npz").read_bytes() == good
        left = cli.files() - {"w.npy", "o.npz"}
        # A temporary name can be left only between giving it and the rename.
        assert all(name.startswith(".o.npz.") for name in left)


def test_C5_more_scales_than_the_axis_has(cli: Command) -> None:
    cli.save("w.npy", weights())
    cli.save("scales64.npy", np.full(64, 0.05, np.float32))
    error = cli.says("quantize", "w.npy", "o.npy", "--scale", "scales64.npy")
    assert "holds 64, expected 1; --axis says" in error
    error = cli.says("quantize", "w.npy", "o.npy", "--scale", "scales64.npy", "--axis", 1)
    assert "holds 64, expected 1 or 128 for --axis 1" in error
    assert cli.files() == {"w.npy", "scales64.npy"}
    assert cli("quantize", "w.npy", "o.npy", "--scale", "scales64.npy", "--axis", 0) == 0


HALF_A_STEP = 0.5 + 2**-10
SMALL = {
    "weak channel": np.float16([[1, -0.5] * 4, [3e-5, -1.4e-5] * 4]),
    "float16 times 1e-6": (weights(4, 8) * 1e-6).astype(np.float16),
    "least float16": np.float16([[6e-8, -1.2e-7] * 4]),
    "denormal": np.float32([[1e-44, -3e-45] * 4]),
    "least float32": np.float32([[1e-45, 0] * 4]),
    "sizes around a step": np.float32([np.arange(180, 196).astype(np.uint32).view(np.float32)]),
    "largest float32": np.float32([[3.4e38, -3.4e38] * 4]),
    "greatest float32": np.float32([[np.finfo(np.float32).max, 0, -1, 1] * 2]),
    "largest float64 that fits": np.float64([[3.4e38, -1e-300] * 4]),
    "bfloat16": np.asarray([[3e38, 1e-40] * 4], ml_dtypes.bfloat16),
    "zeros": np.zeros((2, 8), np.float32),
    "C5 of faults": (np.arange(-7, 9)[None] / 8 * 1e-4).astype(np.float16),
}


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("dtype", ["qint8", "quint8", "int4", "quint4x2"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_C6_C7_codes_are_right_to_half_a_scale(
    cli: Command, name: str, dtype: str, axis: int | None
) -> None:
    x = SMALL[name]
    cli.save("x.npy", x.view(np.uint16) if name == "bfloat16" else x)
    more = [] if axis is None else ["--axis", axis]
    more += ["--input-dtype", "bfloat16"] if name == "bfloat16" else []
    for kind in ([], ["--asymmetric"]):
        arguments = ["quantize", "x.npy", "o.npz", "--dtype", dtype, "--force", *more, *kind]
        assert cli(*arguments) == 0, cli.err
        out = np.load("o.npz")
        scales, points = out["scales"], out["zero_points"]
        assert (np.isfinite(scales) & (scales > 0)).all()
        codes = out["codes"]
        if dtype == "quint4x2":
            from aclquant import unpack_int4

            codes = unpack_int4(codes)
        shape = (-1, 1) if axis == 0 else (1, -1)
        s, z = scales.astype(np.float64).reshape(shape), points.reshape(shape)
        error = np.abs((codes.astype(np.float64) - z) * s - x.astype(np.float64))
        assert (error <= HALF_A_STEP * s).all(), (error / s).max()


def test_C7_beyond_float32(cli: Command) -> None:
    cli.save("x.npy", np.float64([1, 1e300]))
    assert "1e+300 is beyond the range of float32" in cli.says("quantize", "x.npy", "o.npy")


def test_C8_zero_points_are_saved_printed_and_documented(cli: Command) -> None:
    x = np.random.default_rng(5).uniform(0, 10, (16, 32)).astype(np.float32)
    cli.save("x.npy", x)
    assert cli("quantize", "x.npy", "o.npy", "--dtype", "quint8") == 0
    assert "zero point 0\n" in cli.out and "zeros      o.zero_point.npy" in cli.out
    codes = np.load("o.npy")
    assert codes.max() == 255 and codes.min() < 5  # all codes are used
    back = (codes.astype(float) - np.load("o.zero_point.npy")) * np.load("o.scale.npy")
    assert np.abs(back - x).max() <= 10 / 255 * HALF_A_STEP
    assert cli("quantize", "x.npy", "p.npy", "--dtype", "quint8", "--symmetric") == 0
    assert np.load("p.zero_point.npy").tolist() == [128]
    assert cli("quantize", "--help") == 0
    assert "value = (code - zero_point) * scale" in cli.out


@pytest.mark.parametrize("output", [".", "..", "folder", "folder/", "/"])
def test_C9_a_folder_as_output(cli: Command, output: str) -> None:
    cli.save("w.npy", weights())
    cli.path("folder").mkdir()
    for extra in ([], ["--format", "npy"], ["--force"]):
        assert "is a directory" in cli.says("quantize", "w.npy", output, *extra)
    assert cli.files() == {"w.npy", "folder"}
    assert "No such file" in cli.says("quantize", "w.npy", "none/o.npy")


def test_C10_the_type_of_the_file_is_reported(cli: Command) -> None:
    cli.save("w.npy", weights().astype(">f8"))
    assert cli("quantize", "w.npy", "o.npy") == 0
    assert "input      float64 (64, 128), 65536 bytes" in cli.out
    assert "8192 bytes (0.125 of the input)" in cli.out


@pytest.mark.parametrize("output", ["-", "/dev/stdout"])
@pytest.mark.parametrize("format", ["npz", "safetensors"])
def test_C11_standard_streams(cli: Command, output: str, format: str) -> None:
    source = cli.save("w.npy", weights())
    assert cli("quantize", source, f"o.{format}", "--axis", 0) == 0
    arguments = ("quantize", "-", output, "--axis", 0, "--format", format)
    done = process(*arguments, input=source.read_bytes(), cwd=cli.folder)
    assert done.returncode == 0, done.stderr
    if format == "npz":
        cli.path("p.npz").write_bytes(done.stdout)
        with np.load("p.npz") as p, np.load("o.npz") as o:
            assert set(p) == {"codes", "scales", "zero_points"}
            assert all((p[n] == o[n]).all() for n in p)
    else:
        assert done.stdout == cli.path("o.safetensors").read_bytes()
    assert b"SNR" in done.stderr
    assert cli.files() <= {"w.npy", f"o.{format}", "p.npz"}


def test_C11_scales_are_not_lost_on_stdout(cli: Command) -> None:
    cli.save("w.npy", weights())
    assert "no place for the scales" in cli.says("quantize", "w.npy", "-", "--format", "npy")
    done = process("quantize", "w.npy", "-", "--format", "npy", "--scale", "0.02", cwd=cli.folder)
    assert done.stdout.startswith(b"\x93NUMPY") and done.returncode == 0


def test_C12_interrupted_and_out_of_memory(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    import aclquant.quantized_weight as module

    cli.save("w.npy", weights())
    for error, status, text in (
        (KeyboardInterrupt(), 130, "aclquant: interrupted\n"),
        (MemoryError("no 5 GB"), 1, "aclquant: out of memory: no 5 GB\n"),
    ):

        def fail(*_: object, error: BaseException = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(module, "encode", fail)
        assert cli("quantize", "w.npy", "o.npy") == status
        assert (cli.out, cli.err.lstrip("\n")) == ("", text) and cli.files() == {"w.npy"}


def messages(folder: Path) -> dict[str, tuple[str, str]]:
    """Files that cannot be quantised, and what must be said of them."""
    import pickle

    (folder / "pickle.npy").write_bytes(pickle.dumps([1.0]))
    (folder / "text.npy").write_text("1.0 2.0\n3.0 4.0\n")
    (folder / "empty.npy").touch()
    (folder / "junk.npy").write_bytes(bytes(range(128, 228)))
    np.save(folder / "objects.npy", np.array([None, 1], object), allow_pickle=True)
    np.save(folder / "none.npy", np.zeros((0, 3), np.float32))
    np.save(folder / "bf16.npy", weights(2, 2).astype(ml_dtypes.bfloat16))
    np.save(folder / "nan.npy", np.float32([[1, 2], [np.nan, 3]]))
    np.save(folder / "inf.npy", np.asfortranarray(np.float64([[1, 2], [3, np.inf]])))
    np.save(folder / "int.npy", np.int64([1]))
    np.save(folder / "complex.npy", np.complex64([1]))
    np.savez(folder / "two.npz", a=np.float32([1]), b=np.float32([2]))
    whole = (folder / "nan.npy").read_bytes()
    (folder / "cut.npy").write_bytes(whole[:-4])
    (folder / "header.npy").write_bytes(whole[:40])
    (folder / "cut.npz").write_bytes((folder / "two.npz").read_bytes()[:100])
    return {
        "pickle.npy": ("a pickled file, which is not read because that could run code", ""),
        "objects.npy": ("holds Python objects", "np.save(file, array.astype(np.float32))"),
        "text.npy": ("a text file", "np.loadtxt"),
        "empty.npy": ("the file is empty", ""),
        "junk.npy": ("not an array file", ".safetensors"),
        "none.npy": ("the array is empty: its shape is (0, 3)", ""),
        "bf16.npy": ("NumPy writes for bfloat16", "--input-dtype bfloat16"),
        "nan.npy": ("expected finite values, got nan at (1, 0)", ""),
        "inf.npy": ("expected finite values, got inf at (1, 1)", ""),
        "int.npy": ("expected float16, bfloat16, float32 or float64, got int64", "astype"),
        "complex.npy": ("got complex64", "astype"),
        "two.npz": ("holds 2 arrays; choose one with --name: a, b", ""),
        "cut.npy": ("cut off: 12 bytes of data, expected 16", ""),
        "header.npy": ("damaged .npy header", ""),
        "cut.npz": ("damaged .npz", ""),
        "missing.npy": ("No such file or directory", ""),
        ".": ("Is a directory", ""),
    }


def test_messages_are_one_line_and_give_right_advice(cli: Command) -> None:
    for name, (text, advice) in messages(cli.folder).items():
        status = 2 if name == "two.npz" else 1
        error = cli.says("quantize", name, "o.npy", status=status)
        assert text in error and advice in error and "allow_pickle" not in error, error
    assert "o.npy" not in cli.files()


def test_messages_about_safetensors(cli: Command) -> None:
    numpy = pytest.importorskip("safetensors.numpy")
    numpy.save_file({"a": np.float32([1, 2]), "b": np.int8([1])}, "m.safetensors")
    error = cli.says("quantize", "m.safetensors", "o.npy", status=2)
    assert "choose one with --name: a, b" in error
    assert "it holds: a, b" in cli.says("quantize", "m.safetensors", "o.npy", "--name", "c")
    assert "got int8" in cli.says("quantize", "m.safetensors", "o.npy", "--name", "b")
    cli.path("cut.safetensors").write_bytes(cli.path("m.safetensors").read_bytes()[:-2])
    error = cli.says("quantize", "cut.safetensors", "o.npy", "--name", "a")
    assert "cut.safetensors: not a whole .safetensors file" in error
    assert cli("quantize", "m.safetensors", "o.npy", "--name", "a") == 0


def test_plot_is_checked_before_work(cli: Command) -> None:
    pytest.importorskip("matplotlib")
    cli.save("w.npy", weights())
    assert ".png" in cli.says("quantize", "w.npy", "o.npy", "--plot", "p.pdf", status=2)
    assert "No such file" in cli.says("quantize", "w.npy", "o.npy", "--plot", "none/p.png")
    assert cli.files() == {"w.npy"}
    assert cli("quantize", "w.npy", "o.npy", "--plot", "p.PNG") == 0
    assert cli.path("p.PNG").read_bytes().startswith(b"\x89PNG")


def test_json_report_and_errors(cli: Command) -> None:
    cli.save("w.npy", weights())
    assert cli("quantize", "w.npy", "o.npy", "--axis", 0, "--json") == 0
    report = json.loads(cli.out)
    assert report["files"]["OUTPUT"] == "o.npy" and report["error"]["snr_db"] > 40
    assert report["scale"]["count"] == 64 and report["input"]["shape"] == [64, 128]
    assert cli("quantize", "w.npy", "o.npy", "--json") == 1
    error = json.loads(cli.out)["error"]
    assert error["status"] == 1 and "--force" in error["message"] and not cli.err
    assert cli("quantize", "w.npy", "--json") == 2
    assert "Missing argument" in json.loads(cli.out)["error"]["message"]
    cli.save("z.npy", np.zeros(4, np.float32))
    assert cli("quantize", "z.npy", "z.npz", "--json") == 0
    assert json.loads(cli.out)["error"]["snr_db"] is None


def test_damaged_arrays_end_with_one_line(cli: Command) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -4), }".ljust(117) + b"\n"
    cli.path("negative.npy").write_bytes(b"\x93NUMPY\x01\x00\x76\x00" + header + bytes(64))
    said = cli.says("quantize", "negative.npy", "o.npy")
    assert said.startswith("aclquant: negative.npy: a damaged .npy header: its shape is (-1, -4)")
    for order in ("C", "F"):
        for save in (np.savez, np.savez_compressed):
            save(cli.path("x.npz"), a=np.asarray(weights(), order=order))
            data = bytearray(cli.path("x.npz").read_bytes())
            data[len(data) // 2] ^= 0xFF
            cli.path("x.npz").write_bytes(data)
            said = cli.says("quantize", "x.npz", "o.npy")
            assert said.startswith("aclquant: x.npz: a.npy is damaged: "), said
    assert cli.files() == {"negative.npy", "x.npz"}


def test_interrupted_while_modules_are_imported(
    cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupt:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "aclquant.cli.app":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "aclquant.cli.app", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupt(), *sys.meta_path])
    assert cli("info") == 130
    assert cli.err == "aclquant: interrupted\n"
