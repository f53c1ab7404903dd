"""Interrupted runs, several workers: the result is the same, byte for byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import aclquant as aq
from aclquant.checkpoint import job

from .models import everything, tensors, write_model

PART = 8000


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", tensors(), shards=2)


@pytest.fixture
def expected(model: Path, tmp_path: Path) -> dict[str, bytes]:
    aq.checkpoint.quantize(model, tmp_path / "whole", "w8a8-dynamic", part_size=PART)
    return everything(tmp_path / "whole")


class Killed(BaseException):
    pass


def test_stopped_at_every_write(
    model: Path, tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ends at its nth write, for every n, is finished by the next one."""
    before = everything(model)
    real = job.NewFile.commit
    writes = 0
    while True:
        writes += 1
        count = 0

        def commit(new: job.NewFile, limit: int = writes) -> None:
            nonlocal count
            count += 1
            if count == limit:
                raise Killed
            real(new)

        monkeypatch.setattr("aclquant.files.NewFile.commit", commit)
        folder = tmp_path / f"q{writes}"
        try:
            aq.checkpoint.quantize(model, folder, "w8a8-dynamic", part_size=PART)
        except Killed:
            pass
        else:
            break
        finally:
            monkeypatch.undo()
        assert any(f.rule == "K02" for f in aq.checkpoint.check(folder))
        done = aq.checkpoint.quantize(model, folder, "w8a8-dynamic", part_size=PART)
        assert everything(folder) == expected
        if writes > 3 and writes < done.parts:
            assert done.continued > 0
    assert writes > 12 and everything(model) == before


def test_a_finished_run_is_not_repeated(
    model: Path, tmp_path: Path, expected: dict[str, bytes]
) -> None:
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "whole").iterdir()}
    done = aq.checkpoint.quantize(model, tmp_path / "whole", "w8a8-dynamic", part_size=PART)
    assert done.continued == done.parts
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "whole").iterdir()} == times
    with pytest.raises(FileExistsError, match="made with other options"):
        aq.checkpoint.quantize(model, tmp_path / "whole", "w8a16", part_size=PART)
    assert everything(tmp_path / "whole") == expected


def test_other_options_do_not_continue(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "_finish", lambda *_: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        aq.checkpoint.quantize(model, tmp_path / "q", "w8a8-dynamic")
    monkeypatch.undo()
    with pytest.raises(FileExistsError, match="another input or other options"):
        aq.checkpoint.quantize(model, tmp_path / "q", "w8a16")
    file = next(model.glob("*.safetensors"))
    os.utime(file, ns=(1, 1))  # the input has changed
    with pytest.raises(FileExistsError, match="another input or other options"):
        aq.checkpoint.quantize(model, tmp_path / "q", "w8a8-dynamic")


def test_one_run_at_a_time(model: Path, tmp_path: Path) -> None:
    import fcntl

    (tmp_path / "q" / ".aclquant").mkdir(parents=True)
    with open(tmp_path / "q" / ".aclquant" / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(FileExistsError, match="another run is at work here"):
            aq.checkpoint.quantize(model, tmp_path / "q", "w8a8-dynamic")


def test_any_executor(model: Path, tmp_path: Path, expected: dict[str, bytes]) -> None:
    with ThreadPoolExecutor(3) as pool:
        aq.checkpoint.quantize(model, tmp_path / "q", "w8a8-dynamic", part_size=PART, executor=pool)
    assert everything(tmp_path / "q") == expected


def test_progress_adds_up(model: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    done = aq.checkpoint.quantize(
        model, tmp_path / "q", "w8a8-dynamic", part_size=PART, progress=seen.append
    )
    assert sum(seen) == done.read_bytes == job.total_bytes(model) and len(seen) > 10


def _start(model: Path, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "aclquant", "checkpoint", "quantize", str(model), str(folder)]
    return subprocess.Popen(
        [*command, "--scheme", "w8a8-dynamic", "--part-size", "1", *more],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _parts(folder: Path) -> int:
    return sum(1 for path in folder.rglob("*") if path.is_file())


@pytest.mark.nightly
@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_at_random_moments(tmp_path: Path, workers: str) -> None:
    pytest.importorskip("click")
    model = write_model(tmp_path / "model", tensors(layers=12, hidden=512), shards=3)
    aq.checkpoint.quantize(model, tmp_path / "whole", "w8a8-dynamic", part_size=1 << 20)
    expected, source = everything(tmp_path / "whole"), everything(model)
    random = np.random.default_rng(7)
    kills = 0
    for number in (signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM) * 6:
        before = _parts(tmp_path / "q")
        running = _start(model, tmp_path / "q", "--workers", workers)
        # Each run gets a little further, however fast the machine is.
        while _parts(tmp_path / "q") <= before + random.integers(3) and running.poll() is None:
            time.sleep(random.uniform(0, 0.02))
        kills += running.poll() is None
        running.send_signal(number)
        running.communicate(timeout=60)
        time.sleep(0.2)  # workers of a killed run end when they notice
    final = _start(model, tmp_path / "q", "--workers", workers)
    text, _ = final.communicate(timeout=300)
    assert final.returncode == 0, text
    assert kills >= 3 and everything(tmp_path / "q") == expected and everything(model) == source


def test_a_small_disk(model: Path, tmp_path: Path, expected: dict[str, bytes]) -> None:
    """A disk that is full in the middle: one line, and the run can be continued."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            aq.checkpoint.quantize(model, tmp_path / "q", "w8a8-dynamic", part_size=PART)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list((tmp_path / "q").glob(".*.tmp"))
    aq.checkpoint.quantize(model, tmp_path / "q", "w8a8-dynamic", part_size=PART)
    assert everything(tmp_path / "q") == expected
