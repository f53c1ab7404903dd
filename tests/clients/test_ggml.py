"""ggml's own test suite on its CANN backend, built from the source distribution of ggml-py.

test-backend-ops computes each case on the CANN backend and on ggml's CPU backend and compares them.
Every case is counted that both backends say they support. The suite needs a build of ggml, which
takes tens of minutes on one core; the gate runs a share of it where a build is kept.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from aclquant.stand_in import environment

from .harness import Case, Result, built, settle

VERSION = "0.10.1"
TARGETS = ("ggml", "ggml-cann", "test-backend-ops")
CASE = re.compile(r"^  ([A-Z][A-Z0-9_]*\(.*\)): (.*)$")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def _cases(build: Path, *arguments: str) -> list[Case]:
    """Run the suite in one process, which must come to its end."""
    libraries = [*(build / "vendor" / "ggml" / "src" / part for part in ("", "ggml-cann"))]
    variables = environment(dict(os.environ))
    before = variables.get("LD_LIBRARY_PATH", "")
    variables["LD_LIBRARY_PATH"] = os.pathsep.join([*map(str, libraries), before])
    program = str(build / "bin" / "test-backend-ops")
    found: dict[str, Case] = {}
    done = subprocess.run(
        [program, "test", "-b", "CANN0", *arguments],
        env=variables, capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    for line in COLOUR.sub("", done.stdout).splitlines():
        match = CASE.match(line)
        if match is None or "not supported" in match[2]:
            continue
        name, said = match.groups()
        state = "passed" if said.endswith("OK") else "failed"
        found[name] = Case(name, state, "" if state == "passed" else said[-160:])
    assert done.returncode in (0, 1), done.stdout[-2000:] + done.stderr[-2000:]
    return list(found.values())


# Operators whose cases run within seconds. Not POOL_2D: ggml pads images in memory that is too
# small, which is noticed unless memory from earlier cases is used again.
SHARE = "SUM_ROWS,GROUP_NORM,CONCAT"


def test_a_share_of_the_suite() -> None:
    """With a build that the nightly test left in CLIENT_ENVIRONMENTS."""
    kept = os.environ.get("CLIENT_ENVIRONMENTS", "")
    build = Path(kept) / f"ggml-{VERSION}" / "build-DGGML_BUILD_TESTS=ON"
    if not kept or not (build / "bin" / "test-backend-ops").exists():
        pytest.skip("CLIENT_ENVIRONMENTS has no build of ggml, which takes tens of minutes")
    cases = _cases(build, "-o", SHARE)
    assert len(cases) > 10
    assert not [case for case in cases if case.state != "passed"]


@pytest.mark.nightly
@pytest.mark.parametrize("graph", [False, True], ids=["eager", "captured"])
def test_the_suite_of_ggml(graph: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    kept = os.environ.get("CLIENT_ENVIRONMENTS")
    folder = Path(kept) / f"ggml-{VERSION}" if kept else tmp_path_factory.getbasetemp() / "ggml"
    options = ["-DGGML_BUILD_TESTS=ON", *(["-DUSE_ACL_GRAPH=ON"] if graph else [])]
    build = built(folder, "ggml-py", VERSION, options, TARGETS)
    ran = "test-backend-ops, " + ("captured graphs (USE_ACL_GRAPH)" if graph else "eager")
    command = "pytest --nightly tests/clients/test_ggml.py -k " + ("captured" if graph else "eager")
    settle(
        "ggml-captured" if graph else "ggml-eager",
        [Result("ggml-py", VERSION, ran, command, _cases(build))],
    )
