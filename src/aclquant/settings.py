"""The environment variables of aclquant: which there are, and which values mean something.

This table is the one list of them in Python. The host device reads its own in C++; tests compare
the names with what the sources read, and with the page docs/environment.md, which explains them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

__all__ = ["VARIABLES", "Variable", "problems", "read"]

_PREFIX = "ACLQUANT_"


class Variable(NamedTuple):
    """One environment variable."""

    allowed: str
    """What may be written, in words; empty where reading it tells: a path, the name of a chip."""
    pattern: str = ".*"
    least: int = 0
    most: int | None = None

    def accepts(self, value: str) -> bool:
        """Tell whether the value means something."""
        if re.fullmatch(self.pattern, value) is None:
            return False
        return self.most is None or self.least <= int(value) <= self.most


def _number(allowed: str, least: int = 0, most: int = (1 << 64) - 1) -> Variable:
    return Variable(allowed, "[0-9]+", least, most)


_SWITCH = Variable("0 or 1", "[01]")

VARIABLES: dict[str, Variable] = {
    "ACLQUANT_BACKEND": Variable(""),
    "ACLQUANT_HOST_LIBRARY": Variable(""),
    "ACLQUANT_HOST_SOC": Variable(""),
    "ACLQUANT_HOST_VERSION": Variable("major.minor[.patch]", r"\d+\.\d+(\..*)?"),
    "ACLQUANT_HOST_DEVICES": _number("a number from 1 to 64", 1, 64),
    "ACLQUANT_HOST_MEMORY_LIMIT": _number("a number of bytes, digits only"),
    "ACLQUANT_HOST_MEMORY": Variable("guarded, strict or plain", "guarded|strict|plain"),
    "ACLQUANT_HOST_POISON": _SWITCH,
    "ACLQUANT_HOST_REPORT": _SWITCH,
    "ACLQUANT_HOST_DELAY": _number("a number of microseconds, at most 60000000", most=60_000_000),
    "ACLQUANT_HOST_STRICT_SOC": _SWITCH,
    "ACLQUANT_HOST_WORKSPACE": _number("a number of bytes, digits only"),
    "ACLQUANT_HOST_THREADS": _number("a number from 1 to 256", 1, 256),
    "ACLQUANT_HOST_ISA": Variable("scalar, avx2, avx512 or neon", "scalar|avx2|avx512|neon"),
    "ACLQUANT_HOST_BLAS": Variable("numpy or own", "numpy|own"),
    "ACLQUANT_TRACE": Variable(""),
    "ACLQUANT_TRACE_FORM": Variable("text or json", "text|json"),
    "ACLQUANT_TRACE_FILTER": Variable(""),
    "ACLQUANT_TRACE_TIMES": _SWITCH,
    "ACLQUANT_RECORD": Variable(""),
    "ACLQUANT_RECORD_LIMIT": _number("a number of bytes, digits only"),
    "ACLQUANT_SYNC": _SWITCH,
}


def read(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables of aclquant that are set, known or not; empty ones count as unset."""
    found = os.environ if environment is None else environment
    return {name: found[name] for name in sorted(found) if name.startswith(_PREFIX) and found[name]}


def problems(
    environment: Mapping[str, str] | None = None, isas: Collection[str] | None = None
) -> list[str]:
    """Return a sentence for each variable that is unknown or whose value means nothing.

    Parameters
    ----------
    environment : mapping, optional
        The environment of this process by default.
    isas : collection of str, optional
        The variants of the kernels that this machine can run, if they are known.

    Examples
    --------
    >>> for problem in problems({"ACLQUANT_HOST_THREAD": "4", "ACLQUANT_HOST_DEVICES": "two"}):
    ...     print(problem)
    ACLQUANT_HOST_DEVICES is 'two'; allowed: a number from 1 to 64
    ACLQUANT_HOST_THREAD is not a variable of aclquant; did you mean ACLQUANT_HOST_THREADS?
    """
    found = []
    for name, value in read(environment).items():
        variable = VARIABLES.get(name)
        if variable is None:
            found.append(f"{name} is not a variable of aclquant{_did_you_mean(name)}")
        elif not variable.accepts(value):
            found.append(f"{name} is {value!r}; allowed: {variable.allowed}")
        elif name == "ACLQUANT_HOST_ISA" and isas is not None and value not in isas:
            found.append(f"{name} is {value!r}; this machine can run: {', '.join(isas)}")
    return found


def _did_you_mean(name: str) -> str:
    from difflib import get_close_matches

    # A part that is left out: ACLQUANT_SOC.
    ending = name.removeprefix(_PREFIX)
    for known in VARIABLES:
        if known.endswith(f"_{ending}") and known.startswith(_PREFIX):
            return f"; did you mean {known}?"
    # Without the prefix, which makes all of them alike.
    endings = [known.removeprefix(_PREFIX) for known in VARIABLES]
    near = get_close_matches(ending, endings, n=1, cutoff=0.54)
    return f"; did you mean {_PREFIX}{near[0]}?" if near else ""
