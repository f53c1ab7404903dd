"""Programs run in separate processes: torch_npu takes its libraries when it is imported.

Most are files of ``programs`` with cases (``programs/cases.py``). Each case is a separate test;
the selected cases of a program run in one process, which starts with the first of them.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import aclquant

WHEEL = "2.13.0"
PROGRAMS = Path(__file__).parent / "programs"
Run = Callable[..., str]


def _missing() -> str:
    for name in ("torch", "torch_npu"):
        try:
            found = importlib.metadata.version(name).split("+")[0]
        except importlib.metadata.PackageNotFoundError:
            return f"{name} is not installed"
        if found != WHEEL:
            return f"{name} is {found}, not {WHEEL}"
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    reason = _missing()
    for item in items:
        if reason and here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


def clean_environment() -> dict[str, str]:
    """Return the environment without what would lead to other libraries."""
    names = ("ACL", "ASCEND", "LD_LIBRARY_PATH", "TASK_QUEUE", "TORCH")
    found = {name: text for name, text in os.environ.items() if not name.startswith(names)}
    found["PYTHONPATH"] = str(Path(aclquant.__file__).parent.parent)
    return found


def start(
    program: Path, *arguments: str, launcher: bool = True, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a program, usually under ``aclquant run``."""
    command = [sys.executable, str(program), *arguments]
    if launcher:
        command = [sys.executable, "-m", "aclquant", "run", "--", *command]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        env=clean_environment() | settings,
        check=False,
    )


@pytest.fixture
def run() -> Run:
    """Run a program without cases and return what it prints; it must end well."""

    def begin(name: str, *arguments: str, errors: bool = False, **options: Any) -> str:
        done = start(PROGRAMS / f"{name}.py", *arguments, **options)
        assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stderr if errors else done.stdout

    return begin


# -- programs with cases ----------------------------------------------------------------------


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    named = parent.session.isinitpath(file_path)  # then pytest takes it for a module of tests
    return None if named else pytest_pycollect_makemodule(file_path, parent)


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    if module_path.parent == PROGRAMS and module_path.suffix == ".py":
        return Program.from_parent(parent, path=module_path)
    return None


def _constants(tree: ast.Module) -> dict[str, Any]:
    """Return the literals that a file assigns to names in capitals."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name.isupper():
                try:
                    found[name] = ast.literal_eval(node.value)
                except ValueError:
                    continue
    return found


def _cases(tree: ast.Module, constants: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield names and lines of the functions decorated by ``@case(...)``, one per parameter."""
    for node in tree.body:
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "case":
                parameters: list[str] = []
                for argument in decorator.args:
                    if isinstance(argument, ast.Starred):
                        parameters += constants[ast.unparse(argument.value)]
                    else:
                        parameters.append(ast.literal_eval(argument))
                for parameter in parameters:
                    yield f"{node.name}[{parameter}]", node.lineno
                if not parameters:
                    yield node.name, node.lineno


class Program(pytest.File):
    """A file with cases; other files of the folder have none."""

    def collect(self) -> Iterator[pytest.Item]:
        trees = [ast.parse(path.read_text()) for path in (PROGRAMS / "compare.py", self.path)]
        constants = {name: value for tree in trees for name, value in _constants(tree).items()}
        cases = list(_cases(trees[1], constants))
        missing = [name for name in constants.get("NEEDS", ()) if not _has(name)]
        for run, settings in constants.get("RUNS", {"": {}}).items():
            process = Process(self.path, constants.get("LAUNCHER", True), settings)
            for case, line in cases:
                name = f"{case}({run})" if run else case
                item = Case.from_parent(self, name=name, process=process, case=case, line=line)
                if missing:
                    item.add_marker(pytest.mark.skip(reason=f"{missing[0]} is not installed"))
                yield item


def _has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


class Process:
    """A process that runs the selected cases of a program."""

    def __init__(self, path: Path, launcher: bool, settings: dict[str, str]) -> None:
        self.path = path
        self.launcher = launcher
        self.settings = settings
        self.errors: dict[str, str | None] | None = None
        self.end = ""

    def run(self, cases: list[str]) -> None:
        self.errors = {}
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report"
            report.touch()
            try:
                done = start(
                    self.path, str(report), *cases, launcher=self.launcher, **self.settings
                )
                self.end = f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
                failed = done.returncode != 0
            except subprocess.TimeoutExpired as error:
                self.end, failed = str(error), True
            for line in report.read_text().splitlines():
                found = json.loads(line)
                self.errors[found["case"]] = found["error"]
        if failed and set(cases) == set(self.errors):  # after the last case
            self.errors[cases[-1]] = self.errors[cases[-1]] or self.end


class Failed(Exception):
    """What a case has reported."""


class Case(pytest.Item):
    """One case of a program."""

    def __init__(self, *, process: Process, case: str, line: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.process = process
        self.case = case
        self.line = line

    def runtest(self) -> None:
        process = self.process
        if process.errors is None:
            others = (item for item in self.session.items if isinstance(item, Case))
            process.run([item.case for item in others if item.process is process])
        assert process.errors is not None
        error = process.errors.get(self.case, f"the program ended before this case: {process.end}")
        if error:
            raise Failed(error)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any) -> Any:
        if isinstance(excinfo.value, Failed):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.line - 1, self.name
