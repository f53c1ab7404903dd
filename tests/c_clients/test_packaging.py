"""How C and C++ programs find the host device: pkg-config, CMake, the command's flags.

Each way is used on a copy of the installed files in another place, so that nothing in them may know
where they were built. A program needs CANN's library names and has no run path, so that it runs
also with CANN's libraries.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers.programs import EXAMPLES, aclquant, needed, output, require, run_paths

from aclquant import __version__

OLD = ["ascendcl", "nnopbase", "opapi"]
NEW = ["acl_rt", "nnopbase", "opapi_nn", "opapi_math"]
C_PROGRAM = EXAMPLES / "c" / "quantize.c"
C_RESULT = "Ascend910B1, CANN 9.1.0\ny = 0 2 2 0 -2 -2 127 -128\n"


def files(names: list[str]) -> set[str]:
    return {f"lib{name}.so" for name in names}


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The libraries and headers of the package, in another place."""
    folder = tmp_path_factory.mktemp("moved") / "toolkit"
    shutil.copytree(aclquant("toolkitdir"), folder)
    return folder


@pytest.fixture(scope="module")
def cann(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory laid out as an installation of CANN; its functions return 42, with no message.

    Each library has only its own functions, like CANN's.
    """
    require("cc", "nm")
    root = tmp_path_factory.mktemp("Ascend") / "cann"
    (root / "lib64").mkdir(parents=True)
    shutil.copytree(aclquant("includedir"), root / "include")
    shutil.rmtree(root / "include" / "aclquant")
    for name in {*OLD, *NEW}:
        symbols = output("nm", "-D", "--defined-only", Path(aclquant("libdir")) / f"lib{name}.so")
        source = root / f"{name}.c"
        functions = [line.split()[-1] for line in symbols.splitlines() if "aclquant" not in line]
        source.write_text(
            "".join(
                f"long {f}(void) {{ return {0 if f == 'aclGetRecentErrMsg' else 42}; }}\n"
                for f in functions
            )
        )
        output("cc", "-w", "-shared", "-fPIC", source, "-o", root / "lib64" / f"lib{name}.so",
               f"-Wl,-soname,lib{name}.so")  # fmt: skip
    return root


def runs_on_both(program: Path, host: Path, cann: Path, expected: str) -> None:
    """Only the library path decides, and every symbol is found in the library CANN has it in."""
    assert run_paths(program) == []
    assert output(program, LD_LIBRARY_PATH=str(host)) == expected
    done = subprocess.run(
        [program], capture_output=True, text=True, timeout=60,
        env={"LD_LIBRARY_PATH": str(cann / "lib64"), "LD_BIND_NOW": "1"},
    )  # fmt: skip
    assert done.returncode == 1 and "aclInit failed with 42" in done.stderr


@pytest.mark.parametrize("unused", ["--no-as-needed", "--as-needed"])
@pytest.mark.parametrize("names", [OLD, NEW], ids=["old names", "new names"])
def test_a_link_line_for_cann(names: list[str], unused: str, tmp_path: Path, cann: Path) -> None:
    """Also with a linker that drops libraries it takes nothing from."""
    require("cc", "readelf")
    program = tmp_path / "program"
    flags = [f"-I{aclquant('includedir')}", f"-L{aclquant('libdir')}", *(f"-l{n}" for n in names)]
    output("cc", f"-Wl,{unused}", C_PROGRAM, "-o", program, *flags)
    dropped = {"libopapi_math.so"} if unused == "--as-needed" else set()
    assert needed(program) == files(names) - dropped
    runs_on_both(program, Path(aclquant("libdir")), cann, C_RESULT)


def test_pkg_config(moved: Path, cann: Path, tmp_path: Path) -> None:
    require("cc", "pkg-config", "readelf")
    where = {"PKG_CONFIG_PATH": str(moved / "lib64" / "pkgconfig")}
    assert output("pkg-config", "--modversion", "aclquant", **where).strip() == __version__
    flags = shlex.split(output("pkg-config", "--cflags", "--libs", "aclquant", **where))
    assert str(moved.parent) in " ".join(flags)
    program = tmp_path / "program"
    output("cc", "-Wl,--as-needed", C_PROGRAM, "-o", program, *flags)
    assert needed(program) == files(OLD)
    runs_on_both(program, moved / "lib64", cann, C_RESULT)


def test_flags_of_the_command(tmp_path: Path) -> None:
    require("cc", "readelf")
    program = tmp_path / "program"
    flags = [*shlex.split(aclquant("cflags")), *shlex.split(aclquant("libs", *NEW))]
    output("cc", "-Wl,--as-needed", C_PROGRAM, "-o", program, *flags)
    assert needed(program) == files(NEW) and run_paths(program) == []
    flags = [*shlex.split(aclquant("cflags")), *shlex.split(aclquant("libs", "--rpath"))]
    output("cc", C_PROGRAM, "-o", program, *flags)
    assert needed(program) == files(OLD) and run_paths(program) == [aclquant("libdir")]
    assert output(program, LD_LIBRARY_PATH="") == C_RESULT


def configure(build: Path, moved: Path, *options: str, **environment: str) -> str:
    """Configure the C++ example; what CMake says, and the status as its last line."""
    require("cmake", "c++", "make")
    package = moved / "lib64" / "cmake" / "aclquant"
    variables = {"ASCEND_HOME_PATH": "", "ASCEND_TOOLKIT_HOME": "", **environment}
    done = subprocess.run(
        ["cmake", "-S", EXAMPLES / "cpp", "-B", build, "-G", "Unix Makefiles",
         "-DCMAKE_CXX_FLAGS=-Werror -Wconversion -Wshadow", f"-Daclquant_DIR={package}", *options],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
        env={**os.environ, **variables},
    )  # fmt: skip
    return f"{done.stdout}\n{done.returncode}"


@pytest.mark.parametrize("names", [OLD, NEW], ids=["old names", "new names"])
def test_cmake(names: list[str], moved: Path, cann: Path, tmp_path: Path) -> None:
    """The C++ example: its results, its refusal with the reason, what it needs."""
    said = configure(tmp_path, moved, f"-Daclquant_LIBRARIES={';'.join(names)}")
    assert said.endswith("\n0"), said
    output("cmake", "--build", tmp_path)
    program = tmp_path / "round_trip"
    assert needed(program) == files(names)
    text = output(program, LD_LIBRARY_PATH=str(moved / "lib64"))
    assert re.match(r"Ascend910B1: 16384 elements, largest error 0\.[0-4]\d* steps\n", text)
    assert "aclnnQuantize failed with 161002\n" in text and "argument 'dtype'" in text
    runs_on_both(program, moved / "lib64", cann, text)


@pytest.mark.parametrize("variable", ["ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME"])
def test_cmake_with_cann(variable: str, moved: Path, cann: Path, tmp_path: Path) -> None:
    """Headers and libraries are then CANN's, and the program is the same one."""
    said = configure(tmp_path, moved, "-DUSE_CANN=ON", **{variable: str(cann)})
    assert said.endswith("\n0"), said
    output("cmake", "--build", tmp_path)
    flags = (tmp_path / "CMakeFiles" / "round_trip.dir" / "flags.make").read_text()
    link = (tmp_path / "CMakeFiles" / "round_trip.dir" / "link.txt").read_text()
    assert str(cann / "include") in flags and str(cann / "lib64") in link
    assert str(moved) not in flags + link
    program = tmp_path / "round_trip"
    assert needed(program) == files(OLD)
    text = output(program, LD_LIBRARY_PATH=str(moved / "lib64"))
    runs_on_both(program, moved / "lib64", cann, text)


def test_cmake_says_why_cann_is_not_found(moved: Path, cann: Path, tmp_path: Path) -> None:
    cases = [
        ([], {}, "ASCEND_HOME_PATH and ASCEND_TOOLKIT_HOME are not set"),
        ([], {"ASCEND_HOME_PATH": str(tmp_path)}, f"{tmp_path}/include/acl/acl.h is not there"),
        (["-Daclquant_LIBRARIES=ascendcl;opapi_cv"], {"ASCEND_HOME_PATH": str(cann)},
         "libopapi_cv.so is not there"),
    ]  # fmt: skip
    for number, (options, environment, reason) in enumerate(cases):
        build = tmp_path / str(number)
        said = configure(build, moved, "-DUSE_CANN=ON", *options, **environment)
        assert said.endswith("\n1")
        assert reason in " ".join(said.split())


def test_cmake_checks_the_version(moved: Path, tmp_path: Path) -> None:
    require("cmake")
    package = moved / "lib64" / "cmake" / "aclquant"
    for wish, status in ((__version__.rsplit(".", 1)[0], "0"), ("99.0", "1")):
        (tmp_path / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.18)\nproject(p LANGUAGES NONE)\n"
            f"find_package(aclquant {wish} REQUIRED)\n"
        )
        done = subprocess.run(
            ["cmake", "-S", tmp_path, "-B", tmp_path / wish, f"-Daclquant_DIR={package}"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert str(done.returncode) == status, done.stderr
