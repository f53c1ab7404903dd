"""The check that .ci/wheels makes of a wheel's contents can fail."""

from __future__ import annotations

import runpy
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.programs import aclquant

SCRIPT = Path(__file__).parents[2] / ".ci" / "wheel_contents.py"
if not SCRIPT.exists():
    pytest.skip("this copy of the tests has no .ci/", allow_module_level=True)
pytest.importorskip("elftools")
CONTENTS = runpy.run_path(str(SCRIPT))


@pytest.fixture
def faults(tmp_path: Path) -> Callable[..., list[str]]:
    library = (Path(aclquant("libdir")) / "libge_runner.so").read_bytes()

    def found(*add: str, drop: str = "", glibc: str | None = None, size: int = 0) -> list[str]:
        path = tmp_path / "wheel.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            for name in ("aclquant-1.0.dist-info/METADATA", *CONTENTS["NEEDED"], *add):
                if name != drop:
                    wheel.writestr(
                        name + "kernel.cpp" * name.endswith("/"),
                        library if name.endswith(".so") else bytes(size),
                    )
        with zipfile.ZipFile(path) as wheel:
            return list(CONTENTS["faults"](wheel, glibc))

    return found


def test_a_good_wheel(faults: Callable[..., list[str]]) -> None:
    assert faults() == []


@pytest.mark.parametrize("name", CONTENTS["NEEDED"])
def test_a_missing_file(faults: Callable[..., list[str]], name: str) -> None:
    assert faults(drop=name) == [f"{name}: missing"]


@pytest.mark.parametrize(
    "name",
    [
        "aclquant/_ffi/generate.py",
        "aclquant/_ffi/replay.cpp",
        "aclquant/_toolkit/lib64/libextra.a",
        "aclquant/_ffi/CMakeLists.txt",
    ],
)
def test_a_build_tool(faults: Callable[..., list[str]], name: str) -> None:
    assert faults(name) == [f"{name}: a build tool"]


@pytest.mark.parametrize("name", ["tests/conftest.py", "docs/index.md", "aclquant.py"])
def test_a_file_beside_the_package(faults: Callable[..., list[str]], name: str) -> None:
    assert faults(name) == [f"{name}: not a part of the package"]


def test_a_newer_glibc(faults: Callable[..., list[str]]) -> None:
    found = faults(glibc="2.0")
    assert len(found) == sum(name.endswith(".so") for name in CONTENTS["NEEDED"])
    assert all(": needs glibc 2." in fault for fault in found)
    assert faults(glibc="2.99") == []


def test_a_size_that_only_a_mistake_explains(faults: Callable[..., list[str]]) -> None:
    (fault,) = faults(size=CONTENTS["MOST"] // 4)
    assert "bytes packed" in fault
