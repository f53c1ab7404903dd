"""Reports cases to ``harness.py``: runs in the client's environment, so it needs only Python."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable

_before = set(json.load(sys.stdin)) if not sys.stdin.isatty() else set()

# How the clients say that a function is not there, or that the host device refuses it by name.
_MISSING = re.compile(
    r"undefined symbol|symbol not found|no aclnn function for this call|not available|"
    r"ACL_ERROR_API_NOT_SUPPORT|207000|200001|symbols not available|has no attribute 'aclnn"
)


def case(name: str) -> Callable[[Callable[[], object]], None]:
    """Run a function as the case `name`: it passes if nothing is raised."""

    def run(body: Callable[[], object]) -> None:
        if name in _before:
            return
        print("#begin", name, flush=True)
        state, cause = "passed", ""
        try:
            body()
        except Exception as error:  # whatever a client raises
            text = " ".join(str(error).split())
            state = "missing" if _MISSING.search(text) else "failed"
            cause = f"{type(error).__name__}: {text}"[:300]
        print("#end", json.dumps({"name": name, "state": state, "cause": cause}), flush=True)

    return run


def done() -> None:
    """Say that all cases have run."""
    print("#done", flush=True)
