"""C and C++ programs, compiled and linked as for CANN, run against the host device."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers.programs import aclquant

HERE = Path(__file__).parent
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
OLD = ["-lascendcl", "-lnnopbase", "-lopapi"]
NEW = ["-lacl_rt", "-lnnopbase", "-lopapi_nn", "-lopapi_math"]


def build(
    source: str, standard: str, libraries: list[str], program: Path, *more: str | Path
) -> None:
    compiler = "c++" if source.endswith(".cpp") else "cc"
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} on this machine")
    libdir = aclquant("libdir")
    subprocess.run(
        [compiler, f"-std={standard}", *WARNINGS, HERE / source, *more, "-o", program,
         "-I", aclquant("includedir"), "-L", libdir, f"-Wl,-rpath-link,{libdir}",
         *libraries, "-ldl", "-pthread"],
        check=True, timeout=120,
    )  # fmt: skip


def run(
    program: Path, *arguments: str, timeout: float = 60, **environment: str
) -> subprocess.CompletedProcess[str]:
    path = {"LD_LIBRARY_PATH": aclquant("libdir")}
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=timeout, check=False,
        env={**os.environ, **path, **environment},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "standard", "libraries"),
    [("client.c", "c11", OLD), ("client.c", "c11", NEW),
     ("client.cpp", "c++17", OLD), ("client.cpp", "c++20", NEW)],
    ids=["C, old names", "C, new names", "C++17, old names", "C++20, new names"],
)  # fmt: skip
def test_client(tmp_path: Path, source: str, standard: str, libraries: list[str]) -> None:
    program = tmp_path / "client"
    build(source, standard, libraries, program)
    for workspace in ("0", "1024"):
        if workspace == "0" and source == "client.c":
            continue  # its repeatable executor asks for a workspace
        done = run(program, ACLQUANT_HOST_WORKSPACE=workspace)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("mode", ["guarded", "plain"])
def test_threads(tmp_path: Path, mode: str) -> None:
    """Private streams and a shared one, work in the call and in workers: results are right."""
    program = tmp_path / "threads"
    build("threads.cpp", "c++17", OLD, program)
    done = run(program, "3", ACLQUANT_HOST_MEMORY=mode)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("hostile") / "hostile"
    build("hostile.cpp", "c++17", OLD, program)
    return program


@pytest.mark.parametrize(
    "what",
    [
        "settings",  # R10: changed while other threads use them
        "unregister",  # R2: memory that kernels are working on
        "fork",  # at any moment
        "threads",  # that come and go
        "starved",  # R6: no thread to be had
        "lateshape",  # R9: outputs destroyed before their shape is known
        "graphs",  # captured, replayed and updated in several threads
    ],
)
@pytest.mark.parametrize("rounds", ["10", pytest.param("1000", marks=pytest.mark.nightly)])
def test_unlucky_programs(hostile: Path, what: str, rounds: str) -> None:
    done = run(hostile, what, rounds, timeout=60 if rounds == "10" else 900)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.fixture(scope="module")
def first_use(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("first_use") / "first_use"
    build("first_use.cpp", "c++17", OLD, program, "-rdynamic")  # its getenv is the library's
    return program


@pytest.mark.parametrize(
    "variable", ["ACLQUANT_HOST_ISA", "ACLQUANT_HOST_BLAS", "ACLQUANT_HOST_THREADS"]
)
def test_fork_during_what_is_done_once(first_use: Path, variable: str) -> None:
    """Kernels, the library for products, settings: the child chooses for itself."""
    done = run(first_use, variable)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_calls_at_the_very_end(tmp_path: Path) -> None:
    """R7: the last messages outlive the destructors of the program's own objects."""
    program = tmp_path / "exit"
    build("exit.cpp", "c++17", OLD, program)
    done = run(program)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_refusal_reaches_the_program(tmp_path: Path) -> None:
    """The clients can fail: on a chip they do not know, and with the chip's reason."""
    program = tmp_path / "client"
    build("client.c", "c11", OLD, program)
    done = run(program, ACLQUANT_HOST_SOC="Ascend950PR_9589")
    assert done.returncode == 1
    assert "500000" in done.stderr and "Ascend950PR_9589" in done.stderr


def test_one_state_behind_all_names(tmp_path: Path) -> None:
    program = tmp_path / "loader"
    build("loader.c", "c11", [], program)
    done = run(program, aclquant("libdir"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nothing_but_the_named_libraries_is_needed_to_start(tmp_path: Path) -> None:
    """Without LD_LIBRARY_PATH the program says which library it misses."""
    program = tmp_path / "client"
    build("client.c", "c11", OLD, program)
    done = run(program, LD_LIBRARY_PATH="")
    assert done.returncode == 127 and "libascendcl.so" in done.stderr


def test_graph_engine(tmp_path: Path) -> None:
    """A graph runs through the C++ interface; thousands of damaged ones are refused or run."""
    sources = HERE.parents[1] / "ascend_kernels" / "host"
    if not sources.exists():
        pytest.skip("the interface's header is not here")
    program = tmp_path / "graph"
    libraries = ["-lge_runner", "-lascendcl"]
    build("graph.cpp", "c++20", libraries, program, HERE / "graph_error.cpp", f"-I{sources}")
    done = run(program)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
