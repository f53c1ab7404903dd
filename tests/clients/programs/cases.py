"""Reports cases to ``harness.py``: runs in the client's environment, so it needs only Python."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Callable

_before = set(json.load(sys.stdin)) if not sys.stdin.isatty() else set()

# How the clients say that a function is not there, or that the host device refuses it by name.
_MISSING = re.compile(
    r"undefined symbol|symbol not found|no aclnn function for this call|not available|"
    r"ACL_ERROR_API_NOT_SUPPORT|207000|200001|symbols not available|has no attribute 'aclnn|没找到|"
    r"aclnn\w+ not in |the host device does not run graphs"
)


def case(name: str) -> Callable[[Callable[[], object]], None]:
    """Run a function as the case `name`: it passes if nothing is raised.

    What it writes to stderr is part of the cause: some clients say only there what the host
    device answered.
    """

    def run(body: Callable[[], object]) -> None:
        if name in _before:
            return
        print("#begin", name, flush=True)
        state, cause = "passed", ""
        with tempfile.TemporaryFile() as errors:
            real = os.dup(2)
            os.dup2(errors.fileno(), 2)
            try:
                body()
            except Exception as error:  # whatever a client raises
                cause = f"{type(error).__name__}: {error}"
            finally:
                sys.stderr.flush()
                os.dup2(real, 2)
                os.close(real)
            errors.seek(0)
            said = errors.read().decode(errors="replace")
        sys.stderr.write(said)
        if cause:
            answer = re.search(r"\[\d{6} ACL[^\n]*|CANN failure [^;\n]*", said)
            if answer and answer[0] not in cause:
                cause = f"{answer[0]}: {cause}"
            # Without colours and times.
            cause = re.sub(r"\x1b\[[\d;]*m|\[\w+ \w+ +\d+ [\d:]+ \d+\]", "", cause)
            cause = " ".join(cause.split())[:300]
            state = "missing" if _MISSING.search(cause) else "failed"
        print("#end", json.dumps({"name": name, "state": state, "cause": cause}), flush=True)

    return run


def done() -> None:
    """Say that all cases have run."""
    print("#done", flush=True)
