"""Runs foreign clients: their environments, their cases one by one, and the table of results.

A client's test makes an environment, runs a program of ``programs/`` in it, and compares what came
out with the recorded result. The program reports its cases through ``programs/cases.py``; where it
dies in a case, that case has failed and a new process goes on after it.

To record a result anew: ``CLIENT_RESULTS=write pytest --nightly tests/clients/test_<client>.py``,
then ``python docs/generate_clients.py``.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from aclquant._ffi import locate
from aclquant.stand_in import environment

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
RESULTS = HERE / "results"
TOOLKIT = Path(locate.bundled(locate.TOOLKIT))
STATES = ("passed", "failed", "missing")


@dataclass
class Case:
    """One case of a client: its name, what became of it, and why if it did not pass."""

    name: str
    state: str
    cause: str = ""


@dataclass
class Result:
    """What was run of a client, and what came out: a row of docs/clients.md.

    ``failed`` are wrong values, crashes and errors that should not be; ``missing`` are cases that
    need a function which the host device does not have and refuses by name.
    """

    client: str
    version: str
    ran: str
    command: str
    cases: list[Case] = field(repr=False)

    def count(self, state: str) -> int:
        return sum(case.state == state for case in self.cases)

    def text(self) -> str:
        counts = ", ".join(f"{self.count(state)} {state}" for state in STATES)
        left = [f"  {c.name}: {c.state}: {c.cause}" for c in self.cases if c.state != "passed"]
        return "\n".join([f"{self.client} {self.version}, {self.ran}: {counts}", *left])

    def as_json(self) -> dict[str, object]:
        row: dict[str, object] = {
            key: value for key, value in asdict(self).items() if key != "cases"
        }
        row |= {state: self.count(state) for state in STATES}
        # Cases with one cause stand together: the page lists causes.
        causes: dict[str, list[str]] = {}
        for case in self.cases:
            if case.state != "passed":
                causes.setdefault(f"{case.state}: {case.cause}", []).append(case.name)
        return row | {"left": causes}


def settle(name: str, results: Sequence[Result]) -> None:
    """Print the results of a client; record them, or compare with what is recorded.

    A run may be better than the record, never worse.
    """
    for result in results:
        print(result.text())
    path = RESULTS / f"{name}.json"
    if os.environ.get("CLIENT_RESULTS") == "write":
        rows = [result.as_json() for result in results]
        path.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return
    recorded = {row["ran"]: row for row in json.loads(path.read_text(encoding="utf-8"))}
    for result in results:
        row = recorded[result.ran]
        assert result.version == row["version"]
        assert result.count("passed") >= row["passed"], result.text()
        for state in ("failed", "missing"):
            assert result.count(state) <= row[state], result.text()


@functools.cache
def client_environment(*requirements: str) -> Path:
    """Return a virtual environment with these packages, made once per process.

    ``CLIENT_ENVIRONMENTS`` names a folder in which environments are kept from run to run.
    """
    kept = os.environ.get("CLIENT_ENVIRONMENTS")
    name = "-".join(r.replace("==", "-").replace("<", "-below-") for r in requirements)
    folder = Path(kept) / name if kept else _temporary() / name
    done = folder / "done"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install"]
        made = subprocess.run([*pip, "--quiet", *requirements], capture_output=True, text=True)
        if made.returncode:
            pytest.skip(f"not installed: {' '.join(requirements)}: {made.stderr.strip()[-200:]}")
        done.touch()
    return folder


@functools.cache
def _temporary() -> Path:
    import atexit
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="clients-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


# What pip needs to build a client from its source distribution.
TOOLS = ("scikit-build-core", "cmake", "ninja")


def built(
    folder: Path, package: str, version: str, options: Sequence[str], targets: Sequence[str]
) -> Path:
    """Build a client by pip, as its users do, and return the folder of the build.

    The package goes to ``folder / "installed"``, without the parts that CMake would install: the
    build holds them, and `targets` need not be all of them.
    """
    python = client_environment(*TOOLS) / "bin" / "python"
    variables = {
        **environment(dict(os.environ)),
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "CMAKE_ARGS": " ".join(
            ["-DGGML_CANN=ON", "-DSOC_TYPE=Ascend910B1", f"-DCANN_INSTALL_DIR={TOOLKIT}", *options]
        ),
    }
    folder.mkdir(exist_ok=True, parents=True)
    name = f"{package.replace('-', '_')}-{version}"
    source, archive = folder / name, folder / f"{name}.tar.gz"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-q"]
    if not source.is_dir():
        download = ["download", "--no-deps", "--no-build-isolation", "--no-binary", ":all:"]
        got = subprocess.run(
            [*pip, *download, "-d", folder, f"{package}=={version}"],
            env=variables, capture_output=True, text=True,
        )  # fmt: skip
        if got.returncode:
            pytest.skip(f"not downloaded: {got.stderr.strip()[-200:]}")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    build = folder / ("build" + "".join(options))
    settings = [f"build-dir={build}", "install.components=none"]
    settings += [f"build.targets={target}" for target in targets]
    made = subprocess.run(
        [*pip, "install", "--no-build-isolation", "--no-deps", "--upgrade",
         "--target", folder / "installed", *(w for s in settings for w in ("-C", s)), source],
        env=variables, capture_output=True, text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr[-4000:]
    return build


def needs_python(version: str) -> None:
    """Skip where the wheel of a client is for another version of Python."""
    if sysconfig.get_python_version() != version:
        pytest.skip(f"the client's wheel is for Python {version}")


def in_usr_local(command: Sequence[str | Path]) -> list[str | Path]:
    """Return the command that sees the toolkit tree below /usr/local/Ascend."""
    wrapper = ["sh", HERE / "in_usr_local.sh", TOOLKIT]
    tried = subprocess.run([*wrapper, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no mount namespaces here: {tried.stderr.strip()[-200:]}")
    return [*wrapper, *command]


def run_cases(command: Sequence[str | Path], *, limit: float = 600, **settings: str) -> list[Case]:
    """Run a program of ``programs/`` to its end, in as many processes as that takes."""
    variables = {**environment(), "PYTHONUNBUFFERED": "1", **settings}
    variables.pop("PYTEST_CURRENT_TEST", None)
    cases: dict[str, Case] = {}
    while True:
        skip = json.dumps(sorted(cases))
        try:
            done = subprocess.run(
                command, input=skip, capture_output=True, text=True, timeout=limit, env=variables
            )
            output, ending = done.stdout, f"the process ended with {done.returncode}"
            errors = done.stderr
        except subprocess.TimeoutExpired as stopped:
            output = (stopped.stdout or b"").decode(errors="replace")
            errors = (stopped.stderr or b"").decode(errors="replace")
            ending = f"not done after {limit:.0f} s"
        running, ended = "", False
        for line in output.splitlines():
            kind, _, rest = line.partition(" ")
            if kind == "#begin":
                running = rest
            elif kind == "#end":
                case = Case(**json.loads(rest))
                cases[case.name], running = case, ""
            elif kind == "#done":
                ended = True
        if ended:
            return list(cases.values())
        if not running:
            pytest.fail(f"{ending} between two cases\n{output[-2000:]}\n{errors[-4000:]}")
        last = errors.strip().splitlines()[-1:] or [""]
        cases[running] = Case(running, "failed", f"{ending}: {last[0][:200]}")
