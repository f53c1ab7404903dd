"""Commands that need nothing beside the package: facts for C programs, ``info`` and ``run``."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from .. import __version__, errors
from .._ffi.locate import HEADERS, LIBRARIES, TOOLKIT, bundled
from .status import FAILED, INTERRUPTED, NOT_EXECUTABLE, NOT_FOUND, WRONG_USAGE, Complaint

__all__ = [
    "DIRECTORIES", "cannot_execute", "cflags", "info", "libs", "main", "require_program", "run",
]  # fmt: skip

DIRECTORIES: dict[str, Callable[[], Path]] = {
    "toolkitdir": lambda: Path(bundled(TOOLKIT)),
    "includedir": lambda: Path(bundled(HEADERS)),
    "libdir": lambda: Path(bundled(LIBRARIES)),
    "pkgconfigdir": lambda: Path(bundled(LIBRARIES)) / "pkgconfig",
    "cmakedir": lambda: Path(bundled(LIBRARIES)) / "cmake" / "aclquant",
}


def cflags() -> str:
    """Return the compiler's options."""
    return shlex.quote(f"-I{DIRECTORIES['includedir']()}")


def libs(names: Sequence[str] = (), *, rpath: bool = False) -> str:
    """Return the linker's options for libraries under CANN's names."""
    folder = DIRECTORIES["libdir"]()
    chosen = names or ("ascendcl", "nnopbase", "opapi")
    for name in chosen:
        if not (folder / f"lib{name}.so").exists():
            raise Complaint(f"libs: there is no lib{name}.so in {folder}")
    flags = [f"-L{folder}"] + [f"-Wl,-rpath,{folder}"] * rpath
    # Each is kept, even if the linker drops unused ones by default: the program may run on a card.
    kept = ["-Wl,--push-state,--no-as-needed", *(f"-l{name}" for name in chosen), "-Wl,--pop-state"]
    return shlex.join(flags + kept)


def info(*, as_json: bool = False) -> str:
    """Return what a call would use."""
    from ..backends import backend

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is listed
        active = backend()
    return json.dumps(active.describe(), indent=2) if as_json else str(active)


def run(command: Sequence[str]) -> None:
    """Replace this process by a program that finds the host device under CANN's names."""
    from ..stand_in import environment

    if not command:
        raise Complaint(
            "run: expected a program, such as: aclquant run -- python script.py", WRONG_USAGE
        )
    require_program("run", command[0])
    sys.stdout.flush()
    try:
        os.execvpe(command[0], list(command), environment())
    except OSError as error:
        raise cannot_execute("run", command[0], error) from None


def require_program(command: str, program: str) -> None:
    """Refuse what cannot be run, as shells do; `command` is ours."""
    if shutil.which(program) is not None:
        return
    path = Path(program)
    if "/" not in program or not path.exists():
        raise Complaint(f"{command}: no such program: {program}", NOT_FOUND)
    why = "is a directory" if path.is_dir() else f"is not executable: chmod +x {program}"
    raise Complaint(f"{command}: {program} {why}", NOT_EXECUTABLE)


def cannot_execute(command: str, program: str, error: OSError) -> Complaint:
    """Return the complaint about a program that does not start, as a script without ``#!``."""
    return Complaint(f"{command}: {program}: {error.strerror}", NOT_EXECUTABLE)


def main(arguments: Sequence[str]) -> int:
    """Run the command line where click is not installed."""
    try:
        print(_answer(list(arguments)))
        sys.stdout.flush()
    except Complaint as complaint:
        sys.stderr.write(f"aclquant: {complaint}\n")
        return complaint.status
    except KeyboardInterrupt:
        return INTERRUPTED
    except (errors.AclError, OSError) as error:
        sys.stderr.write(f"aclquant: {error}\n")
        return FAILED
    return 0


def _answer(arguments: list[str]) -> str:
    name, rest = (arguments or ["--help"])[0], arguments[1:]
    if name == "--version":
        return f"aclquant {__version__}"
    if name in DIRECTORIES and not rest:
        return str(DIRECTORIES[name]())
    if name == "cflags" and not rest:
        return cflags()
    if name == "libs" and all(r == "--rpath" or r[:1] != "-" for r in rest):
        return libs([r for r in rest if r != "--rpath"], rpath="--rpath" in rest)
    if name == "info" and rest in ([], ["--json"]):
        return info(as_json=bool(rest))
    if name == "run" and rest[:1] not in (["--help"], ["-h"]):
        run(rest[1:] if rest[:1] == ["--"] else rest)
    asked = "help and the other commands need" if name.startswith("-") else f"'{name}' needs"
    there = ", ".join([*DIRECTORIES, "cflags", "libs", "info", "run"])
    raise Complaint(
        f"{asked} click and rich: pip install 'aclquant[cli]' (without them there are {there})"
    )
