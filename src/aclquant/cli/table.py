"""The table of commands: ``aclquant --help`` reads it and imports none of the modules behind it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["COMMANDS", "Row"]


class Row(NamedTuple):
    """One command: where it is, and its line in ``aclquant --help``."""

    home: str
    """``module:attribute`` of a `click.Command`."""
    help: str
    section: str


_ARRAYS, _CHECKPOINTS, _DEBUG, _PROGRAMS = "Arrays", "Checkpoints", "Finding faults", "C programs"

COMMANDS = {
    "quantize": Row("aclquant.cli.arrays:quantize", "Quantise an array in a file.", _ARRAYS),
    "demo": Row("aclquant.cli.arrays:demo", "Make a small array and quantise it.", _ARRAYS),
    "checkpoint": Row(
        "aclquant.cli.checkpoint:checkpoint", "Quantise, check and compare models.", _CHECKPOINTS
    ),
    "info": Row("aclquant.cli.basic:info", "Show the backend and its devices.", _DEBUG),
    "explain": Row("aclquant.cli.debugging:explain", "Explain a status code.", _DEBUG),
    "op": Row("aclquant.cli.debugging:op", "Show an operator and what each chip accepts.", _DEBUG),
    "doctor": Row("aclquant.cli.debugging:doctor", "Check the installation.", _DEBUG),
    "needs": Row("aclquant.cli.debugging:needs", "List what a program wants of CANN.", _DEBUG),
    "trace": Row("aclquant.cli.debugging:trace", "Run a program and write down its calls.", _DEBUG),
    "record": Row(
        "aclquant.cli.debugging:record",
        "Run a program and keep its calls with their tensors.",
        _DEBUG,
    ),
    "replay": Row("aclquant.cli.debugging:replay", "Run recorded calls again and compare.", _DEBUG),
    "diff": Row("aclquant.cli.debugging:diff", "Compare two arrays or recordings.", _DEBUG),
    "inspect": Row(
        "aclquant.cli.debugging:inspect", "Show what is in an array or a recording.", _DEBUG
    ),
    "run": Row("aclquant.cli.basic:run", "Run a program for CANN on the host device.", _PROGRAMS),
    "kernels": Row(
        "aclquant.cli.kernels:kernels", "Operators for cards: build, install, info.", _PROGRAMS
    ),
    "cflags": Row("aclquant.cli.basic:cflags", "Print the compiler's options.", _PROGRAMS),
    "libs": Row("aclquant.cli.basic:libs", "Print the linker's options.", _PROGRAMS),
    "toolkitdir": Row(
        "aclquant.cli.basic:toolkitdir", "Print what stands for a CANN installation.", _PROGRAMS
    ),
    "includedir": Row("aclquant.cli.basic:includedir", "Print where the headers are.", _PROGRAMS),
    "libdir": Row("aclquant.cli.basic:libdir", "Print where the libraries are.", _PROGRAMS),
    "pkgconfigdir": Row("aclquant.cli.basic:pkgconfigdir", "Print PKG_CONFIG_PATH.", _PROGRAMS),
    "cmakedir": Row("aclquant.cli.basic:cmakedir", "Print -Daclquant_DIR of CMake.", _PROGRAMS),
    "completion": Row("aclquant.cli.basic:completion", "Print a shell's completion.", "Shell"),
}
"""Every command of the first level, in the order of the help. To add one, add its row."""
