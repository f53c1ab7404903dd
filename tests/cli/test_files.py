"""`aclquant.files`: names are given to complete files, also where the system lacks a feature."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from aclquant import files
from aclquant.files import NewFile, NewFiles

REAL_LINK = os.link


def no_names_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """As without /proc, or on a file system without O_TMPFILE."""
    monkeypatch.setattr(files, "_PROC", "/nonexistent")


def no_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    no_names_later(monkeypatch)

    def link(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EPERM, "no hard links")

    monkeypatch.setattr(os, "link", link)


@pytest.fixture(
    params=[lambda _: None, no_names_later, no_hard_links], ids=["full", "names", "FAT"]
)
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    request.param(monkeypatch)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_commit_and_abandon(system: None, tmp_path: Path) -> None:
    with NewFile(tmp_path / "a") as new:
        new.file.write(b"new")
        assert "a" not in names(tmp_path)
    assert (tmp_path / "a").read_bytes() == b"new" and names(tmp_path) == {"a"}
    with pytest.raises(KeyError), NewFile(tmp_path / "b") as new:
        new.file.write(b"half")
        raise KeyError
    assert names(tmp_path) == {"a"}


def test_replace(system: None, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with pytest.raises(FileExistsError):
        NewFile(path)
    with NewFile(path, replace=True) as new:
        new.file.write(b"new")
        new.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new" and path.stat().st_mode & 0o777 == 0o640
    assert names(tmp_path) == {"a"}


def test_a_name_taken_meanwhile_is_kept(system: None, tmp_path: Path) -> None:
    path = tmp_path / "a"
    with pytest.raises(FileExistsError), NewFile(path) as new:
        new.file.write(b"mine")
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs" and names(tmp_path) == {"a"}


def test_all_or_none(system: None, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError), NewFiles() as new:
        for name in "abc":
            new.open(tmp_path / name).file.write(name.encode())
        (tmp_path / "c").write_bytes(b"theirs")
    assert names(tmp_path) == {"c"} and (tmp_path / "c").read_bytes() == b"theirs"


def test_permissions_follow_the_umask(system: None, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        files.write_all(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_failing_disk_is_told_by_the_name_that_was_given(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        NewFile(tmp_path / "none" / "a")
    assert caught.value.filename == str(tmp_path / "none" / "a")
    with pytest.raises(IsADirectoryError):
        NewFile(tmp_path, replace=True)


def test_same_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    REAL_LINK(tmp_path / "a", tmp_path / "hard")
    (tmp_path / "soft").symlink_to("a")
    (tmp_path / "dangling").symlink_to("later")
    for name in ("a", "hard", "soft", "../" + tmp_path.name + "/a"):
        assert files.same_file(tmp_path / name, [tmp_path / "other", tmp_path / "a"])
    assert files.same_file(tmp_path / "dangling", [tmp_path / "later"])
    assert not files.same_file(tmp_path / "b", [tmp_path / "a"])
