"""The same source compiles against CANN's headers and against ours, whichever it was written with.

cann_headers.txt says in which of its headers CANN declares each function that we have, and what
these headers include. From it follow both directions: what a header of CANN shows, the header of
the same name here shows too; and what ours shows, CANN's does. That the prototypes agree is
tested in test_headers.py.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from .test_headers import DIALECTS, HEADERS, INCLUDE, compile_source, prototypes, without_comments

OURS = [header for header in HEADERS if not header.startswith("aclquant/")]
EMPTY = {
    "aclnnop/aclnn_grouped_matmul_v3.h",
    "aclnnop/aclnn_recurrent_gated_delta_rule.h",
    "aclnnop/aclnn_util.h",
}
"""Headers of CANN that programs include without calling a function of them that we have."""


def _read() -> dict[str, tuple[set[str], set[str]]]:
    """Return CANN's headers: what each includes, what each declares."""
    text = Path(__file__).with_name("cann_headers.txt").read_text(encoding="ascii")
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        head, names = line.split(": ")
        header, _, included = head.partition(" < ")
        declared = set()
        for name in names.split():
            plain = name.removesuffix("+")
            declared |= {plain, f"{plain}GetWorkspaceSize"} if plain != name else {plain}
        assert header not in found, header
        found[header] = set(included.split()), declared
    return found


CANN = _read()


@cache
def _declared_here(header: str) -> frozenset[str]:
    found = (re.match(r"[^(]*?(\w+)\(", prototype) for prototype in prototypes(header))
    return frozenset(match[1] for match in found if match)


@cache
def _shown_here(header: str) -> frozenset[str]:
    included = re.findall(r'#include "(\w+/\w+\.h)"', without_comments(header))
    return _declared_here(header).union(*map(_shown_here, included))


@cache
def _shown_by_cann(header: str) -> frozenset[str]:
    included, declared = CANN.get(header, (set(), set()))
    return frozenset(declared).union(*map(_shown_by_cann, included))


def test_the_headers_are_those_of_cann() -> None:
    assert set(OURS) - EMPTY == set(CANN)
    assert set(OURS) >= EMPTY and not any(_declared_here(header) for header in EMPTY)


@pytest.mark.parametrize("header", CANN)
def test_what_a_header_of_cann_shows_ours_shows(header: str) -> None:
    assert _shown_by_cann(header) - _shown_here(header) == set()


@pytest.mark.parametrize("header", sorted(set(OURS) - EMPTY))
def test_what_our_header_shows_cann_shows(header: str) -> None:
    assert _shown_here(header) - _shown_by_cann(header) == set()


def test_the_list_has_every_function_and_no_other() -> None:
    ours = {name for header in OURS for name in _declared_here(header)}
    assert {name for _, declared in CANN.values() for name in declared} == ours


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_source_with_all_of_canns_headers_compiles(dialect: str, tmp_path: Path) -> None:
    """Each function is used, so that a declaration that is only commented out does not count."""
    lines = [f'#include "{header}"' for header in [*CANN, *sorted(EMPTY)]]
    lines.append("typedef void (*Any)(void);\nextern const Any all[];\nconst Any all[] = {")
    names = sorted(name for _, declared in CANN.values() for name in declared)
    cast = "(Any)" if dialect == "c11" else "reinterpret_cast<Any>"
    lines += [f"    {cast}({name})," for name in dict.fromkeys(names)]
    compile_source("\n".join([*lines, "};\n"]), dialect, tmp_path)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("header", ["acl/acl.h", "acl/acl_base.h", "aclnn/acl_meta.h"])
def test_one_header_is_enough_for_what_cann_shows_through_it(
    header: str, dialect: str, tmp_path: Path
) -> None:
    names = sorted(_shown_by_cann(header))
    uses = "\n".join(f"    (void)&{name};" for name in names)
    source = f'#include "{header}"\nvoid use(void);\nvoid use(void) {{\n{uses}\n}}\n'
    compile_source(source, dialect, tmp_path)
    assert INCLUDE.is_dir() and names
