"""Environment variables: every one is known, and what cannot be meant is said."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

import aclquant as aq
from aclquant import settings

GOOD = {
    "ACLQUANT_BACKEND": ["auto", "host", "/opt/somewhere"],
    "ACLQUANT_HOST_VERSION": ["8.5", "9.1.0", "8.0.RC3"],
    "ACLQUANT_HOST_DEVICES": ["1", "64"],
    "ACLQUANT_HOST_MEMORY_LIMIT": ["0", str(2**40)],
    "ACLQUANT_HOST_MEMORY": ["plain", "strict", "guarded"],
    "ACLQUANT_HOST_POISON": ["0", "1"],
    "ACLQUANT_HOST_THREADS": ["1", "256"],
    "ACLQUANT_HOST_ISA": ["scalar"],
    "ACLQUANT_HOST_BLAS": ["numpy", "own"],
}
BAD = {
    "ACLQUANT_HOST_VERSION": ["nine", "9"],
    "ACLQUANT_HOST_DEVICES": ["two", "0", "65", "-1", "1.0"],
    "ACLQUANT_HOST_MEMORY_LIMIT": ["1G", "1e9", str(2**64)],
    "ACLQUANT_HOST_MEMORY": ["Plain", "guard"],
    "ACLQUANT_HOST_POISON": ["yes"],
    "ACLQUANT_HOST_DELAY": ["60000001"],
    "ACLQUANT_HOST_THREADS": ["1e3", "-3", "0", "257", " 2"],
    "ACLQUANT_HOST_ISA": ["foo"],
    "ACLQUANT_HOST_BLAS": ["OWN", "mkl"],
}


@pytest.mark.parametrize("name", GOOD)
def test_good_values(name: str) -> None:
    for value in ["", *GOOD[name]]:
        assert settings.problems({name: value}, isas=["scalar"]) == []


@pytest.mark.parametrize("name", BAD)
def test_bad_values_are_named(name: str) -> None:
    """newcomer.md 2d: ISA=foo, THREADS=-3, MEMORY_LIMIT=1G were silently the default."""
    for value in BAD[name]:
        (problem,) = settings.problems({name: value})
        assert problem.startswith(f"{name} is {value!r}; allowed: ")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("ACLQUANT_BACKED", "ACLQUANT_BACKEND"),
        ("ACLQUANT_THREADS", "ACLQUANT_HOST_THREADS"),
        ("ACLQUANT_HOST_DEVICE", "ACLQUANT_HOST_DEVICES"),
        ("ACLQUANT_SOC", "ACLQUANT_HOST_SOC"),
        ("ACLQUANT_HOST_STRICT", "ACLQUANT_HOST_STRICT_SOC"),
    ],
)
def test_misspelled_names_are_corrected(name: str, near: str) -> None:
    assert settings.problems({name: "1"}) == [
        f"{name} is not a variable of aclquant; did you mean {near}?"
    ]


def test_a_name_like_no_other_is_not_corrected() -> None:
    assert settings.problems({"ACLQUANT_FOO": "1"}) == [
        "ACLQUANT_FOO is not a variable of aclquant"
    ]


def test_a_variant_that_this_machine_lacks() -> None:
    (problem,) = settings.problems({"ACLQUANT_HOST_ISA": "neon"}, isas=["scalar", "avx2"])
    assert problem.endswith("this machine can run: scalar, avx2")


def test_the_first_use_warns_once_and_info_lists_everything() -> None:
    program = (
        "import json, warnings; import aclquant as aq\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    aq.quantize([1.0], 1.0); aq.quantize([1.0], 1.0)\n"
        "print(json.dumps([str(w.message) for w in caught]))\n"
        "print(json.dumps(aq.backend().describe()['environment']))\n"
        "print(repr(aq.backend()))"
    )
    given = {"ACLQUANT_BACKEND": "host", "ACLQUANT_HOST_DEVICES": "many", "ACLQUANT_HOTS": "1"}
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ACLQUANT_")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=clean | given,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    first, second, *shown = done.stdout.splitlines()
    problems = settings.problems(given)
    assert len(problems) == 2
    assert json.loads(first) == [f"environment: {problem}" for problem in problems]
    assert json.loads(second) == {"read": given, "problems": problems}
    for line in problems:
        assert line in "\n".join(shown)


def test_the_table_agrees_with_the_device() -> None:
    isas = aq.backend().kernels
    if isas is not None:
        allowed = settings.VARIABLES["ACLQUANT_HOST_ISA"]
        assert all(allowed.accepts(name) for name in isas["usable"])  # type: ignore[attr-defined]
    assert all(re.fullmatch(r"ACLQUANT_[A-Z_]+", name) for name in settings.VARIABLES)
