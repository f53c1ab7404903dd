"""Nightly: a real model, a large one, a cluster. Figures are printed; ``-s`` shows them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path
from statistics import median
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import aclquant as aq
from aclquant.checkpoint.source import read_json

from .models import everything, tensors, write_model

pytestmark = pytest.mark.nightly

MIB = 1 << 20


@pytest.fixture(scope="module")
def silero(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of silero-vad, out of its wheel on PyPI."""
    folder = tmp_path_factory.mktemp("silero")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
            *("--dest", str(folder), "silero-vad==6.2.3"),
        ],
        capture_output=True, timeout=300,
    )  # fmt: skip
    wheels = list(folder.glob("silero_vad-*.whl"))
    if done.returncode or not wheels:
        pytest.skip("silero-vad 6.2.3 cannot be downloaded")
    name = "silero_vad_16k.safetensors"
    with zipfile.ZipFile(wheels[0]) as wheel:
        (folder / name).write_bytes(wheel.read(f"silero_vad/data/{name}"))
    return folder / name


WEIGHTS = [r"\.weight(_ih|_hh)?$"]


@pytest.mark.parametrize(
    ("scheme", "format", "options", "least_snr"),
    [
        ("w8a8-dynamic", "ascendv1", {}, 31),
        ("w8a8-dynamic", "compressed-tensors", {}, 31),
        ("w8a8", "ascendv1", {}, 31),
        ("w8a16", "ascendv1", {}, 31),
        ("w4a8-dynamic", "ascendv1", {"exclude": ["final_conv"]}, 12),
        ("w4a8-dynamic", "compressed-tensors", {}, 12),
        ("w4a16", "compressed-tensors", {"group_size": 32, "exclude": ["conv1"]}, 15),
    ],
)
def test_a_real_model(
    silero: Path,
    tmp_path: Path,
    scheme: str,
    format: str,
    options: dict[str, Any],
    least_snr: float,
) -> None:
    if scheme == "w8a8":
        with aq.checkpoint.open(silero) as model:
            ranges = {name.removesuffix(".weight"): [-1.0, 1.0] for name in model.weights}
        (tmp_path / "r.json").write_text(json.dumps(ranges))
        options = {**options, "calibration": tmp_path / "r.json"}
    aq.checkpoint.quantize(
        silero, tmp_path / "q", scheme, format=format, include=WEIGHTS, **options
    )
    found = aq.checkpoint.check(tmp_path / "q", full=True)
    assert not [finding for finding in found if finding.severity == "error"], found
    errors = {error.name: error for error in aq.checkpoint.diff(silero, tmp_path / "q")}
    quantised = {name: error for name, error in errors.items() if error.type != "FLOAT"}
    assert len(quantised) == 8 - len(options.get("exclude", []))
    for name, error in quantised.items():
        print(f"{scheme:13} {format:18} {name:24} {error.snr_db:6.1f} dB")
        assert error.snr_db > least_snr and error.saturated == 0
    with aq.checkpoint.open(silero) as model, aq.checkpoint.open(tmp_path / "q") as q:
        for name, weight in q.weights.items():
            source = name if name in model.weights else name.removesuffix(".weight")
            difference = q[name].reshape(-1) - model[source].reshape(-1).astype(np.float32)
            assert np.abs(difference).max() == pytest.approx(errors[name].max_abs, rel=1e-5)
            assert q[name].shape == weight.shape


def large_model(folder: Path, size: int, *, layer: int = 64 * MIB, shards: int = 2) -> Path:
    """Write a bfloat16 model of `size` bytes of layers, without having it in memory."""
    from aclquant.safetensors import Layout

    folder.mkdir()
    bf16 = np.dtype(ml_dtypes.bfloat16)
    count, rows = size // layer, layer // 2 // 4096
    random = np.random.default_rng(5)
    block = (random.standard_normal((rows, 4096), np.float32) * 0.05).astype(bf16)
    index = {}
    for shard in range(shards):
        names = [f"model.layers.{n}.mlp.down_proj.weight" for n in range(shard, count, shards)]
        layout = Layout(dict.fromkeys(names, (bf16, block.shape)), {"format": "pt"})
        file = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        with open(folder / file, "wb") as out:
            out.write(layout.header)
            out.flush()
            for n, name in enumerate(names):
                layout.put(out, name, np.roll(block, n, axis=0))
        index.update(dict.fromkeys(names, file))
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    (folder / "config.json").write_text(json.dumps({"torch_dtype": "bfloat16"}))
    return folder


# Not ru_maxrss, which a process inherits from the one that started it.
_PEAK = """
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
"""
_RUN = f"""{_PEAK}
import sys, time
import aclquant as aq
before = peak()
start = time.perf_counter()
done = aq.checkpoint.quantize(sys.argv[1], sys.argv[2], sys.argv[3])
seconds = time.perf_counter() - start
print(peak() * 1024, before * 1024, seconds, done.read_bytes, done.written_bytes)
"""


def test_two_gibibytes(tmp_path: Path) -> None:
    """Memory stays below the largest tensor's and does not grow; speed is reported."""
    peaks = {}
    for size in (256 * MIB, 2048 * MIB):
        source = large_model(tmp_path / f"m{size}", size)
        done = subprocess.run(
            [sys.executable, "-c", _RUN, str(source), str(tmp_path / f"q{size}"), "w8a8-dynamic"],
            capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        peak, before, seconds, read, written = map(float, done.stdout.split())
        peaks[size] = peak
        copy, disk = _bandwidths(tmp_path, source)
        moved = read + 2 * written  # the result is read again for its checksum
        print(
            f"{size / MIB:.0f} MiB: {seconds:.2f} s, {read / seconds / 1e9:.2f} GB/s read,"
            f" peak {peak / MIB:.0f} MiB ({before / MIB:.0f} before),"
            f" {moved / seconds / copy:.1%} of memory's bandwidth ({copy / 1e9:.1f} GB/s),"
            f" {(read + written) / seconds / disk:.1%} of a copy of the file"
            f" ({disk / 1e9:.2f} GB/s)"
        )
    small, large = peaks.values()
    assert large - small < 32 * MIB
    # Largest tensor: 64 MiB. Python, NumPy and the libraries are in the peak as well.
    assert large < 256 * MIB
    assert not aq.checkpoint.check(tmp_path / f"q{2048 * MIB}", full=True)


def _bandwidths(folder: Path, source: Path) -> tuple[float, float]:
    """Return bytes moved per second by a copy in memory, and by a copy of a file to disk."""
    a = np.ones(256 * MIB, np.uint8)
    b = np.empty_like(a)
    np.copyto(b, a)
    start = time.perf_counter()
    np.copyto(b, a)
    memory = 2 * a.nbytes / (time.perf_counter() - start)
    file = next(source.glob("*.safetensors"))
    start = time.perf_counter()
    with open(file, "rb") as f, open(folder / "copy", "wb") as t:
        while piece := f.read(4 * MIB):
            t.write(piece)
        t.flush()
        os.fsync(t.fileno())
    seconds = time.perf_counter() - start
    (folder / "copy").unlink()
    return memory, 2 * file.stat().st_size / seconds


def test_the_command_on_an_array_larger_than_its_memory(tmp_path: Path) -> None:
    """1 GiB of float32 took 5.5 GB; now it takes a fixed amount."""
    path = tmp_path / "w.npy"
    array = np.lib.format.open_memmap(path, "w+", np.float32, (16384, 16384))
    row = np.random.default_rng(1).standard_normal(16384).astype(np.float32)
    for start in range(0, 16384, 512):
        array[start : start + 512] = row
    del array
    code = f"{_PEAK}\nimport sys\nfrom aclquant.cli import main\n"
    code += "print(main(sys.argv[1:]), peak())"
    for kind in ("npy", "npz", "safetensors"):
        for axis in ("0", "1"):
            target = tmp_path / f"q{axis}.{kind}"
            done = subprocess.run(
                [sys.executable, "-c", code, "quantize", str(path), str(target), "--axis", axis],
                capture_output=True, text=True, timeout=300,
            )  # fmt: skip
            status, peak = done.stdout.splitlines()[-1].split()
            print(f"{kind} axis {axis}: peak {int(peak) / 1024:.0f} MiB")
            assert status == "0" and int(peak) < 256 * 1024, done.stderr
            target.unlink()


def test_dask(tmp_path: Path) -> None:
    """The same bytes; one worker is killed in the middle, and nothing is lost."""
    distributed = pytest.importorskip("distributed")
    source = write_model(tmp_path / "model", tensors(layers=24, hidden=512))
    options: dict[str, Any] = {"part_size": MIB}
    aq.checkpoint.quantize(source, tmp_path / "one", "w8a8-dynamic", **options)
    expected = everything(tmp_path / "one")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
        local_directory=str(tmp_path / "dask"),
    )  # fmt: skip
    with cluster, distributed.Client(cluster) as client:
        executor = client.get_executor(pure=False, retries=3)
        aq.checkpoint.quantize(
            source, tmp_path / "two", "w8a8-dynamic", executor=executor, **options
        )
        assert everything(tmp_path / "two") == expected
        pids = list(client.run(os.getpid).values())
        killer = threading.Timer(0.3, os.kill, (pids[0], signal.SIGKILL))
        killer.start()
        aq.checkpoint.quantize(
            source, tmp_path / "three", "w8a8-dynamic", executor=executor, **options
        )
        killer.join()
        assert everything(tmp_path / "three") == expected
        pytest.importorskip("click")
        command = [sys.executable, "-m", "aclquant", "checkpoint", "quantize", str(source)]
        done = subprocess.run(
            [
                *command, str(tmp_path / "four"), "--scheme", "w8a8-dynamic", "--part-size", "1",
                "--dask", cluster.scheduler_address,
            ],
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert everything(tmp_path / "four") == expected


def test_two_workers_against_one(tmp_path: Path) -> None:
    """Equal bytes; the ratio of the times is printed (it needs two idle processors)."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    source = large_model(tmp_path / "m", 2048 * MIB)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    results = {}
    # Each worker has one processor: the kernels' own threads would use both for one.
    os.environ["ACLQUANT_HOST_THREADS"] = "1"
    try:
        for workers in (1, 2) * 5:
            target = tmp_path / f"q{workers}"
            with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
                list(pool.map(_warm, range(workers)))
                start = time.perf_counter()
                aq.checkpoint.quantize(
                    source, target, "w8a8-dynamic", part_size=64 * MIB, executor=pool
                )
                took = time.perf_counter() - start
            seconds[workers].append(took)
            results[workers] = read_json(target / "aclquant_manifest.json")
            for path in target.iterdir():
                path.unlink()
            target.rmdir()
    finally:
        del os.environ["ACLQUANT_HOST_THREADS"]
    one, two = min(seconds[1]), min(seconds[2])
    middle = median(a / b for a, b in zip(seconds[1], seconds[2], strict=True))
    print(f"one worker {one:.2f} s, two {two:.2f} s: {one / two:.2f}; median of five: {middle:.2f}")
    assert results[1] == results[2]


def _warm(_: int) -> None:
    aq.quantize_weight(np.ones((8, 8), np.float32))
