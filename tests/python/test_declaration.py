"""One C prototype, taken apart."""

from __future__ import annotations

import pytest

from aclquant._ffi.declaration import Function, Parameter, parse


@pytest.mark.parametrize(
    ("text", "types", "names"),
    [
        ("int f(void);", [], []),
        ("int f()", [], []),
        ("int f(const char*a)", ["const char *"], ["a"]),
        ("int f(void **p, size_t n)", ["void **", "size_t"], ["p", "n"]),
        ("int f(const aclTensor *const *v)", ["const aclTensor * const *"], ["v"]),
        ("int f(const int64_t v[], int n[4])", ["const int64_t *", "int *"], ["v", "n"]),
        ("int f(void *, unsigned int)", ["void *", "unsigned int"], ["", ""]),
        (
            "int f(void (*done)(int, void *), int n)",
            ["void (*)(int, void *)", "int"],
            ["done", "n"],
        ),
        ("int f(const char *fmt, ...)", ["const char *", "..."], ["fmt", ""]),
        ("/* a, b( */ int\n f(int x) // c\n", ["int"], ["x"]),
    ],
)
def test_parameters(text: str, types: list[str], names: list[str]) -> None:
    function = parse(text)
    assert [p.type for p in function.parameters] == types
    assert [p.name for p in function.parameters] == names


def test_pointer_result() -> None:
    function = parse("const char *name(void);", "a.h")
    assert function == Function("name", "const char *", (), "a.h")
    assert function.pointer_type == "const char * (*)(void)"


def test_text_can_be_parsed_again() -> None:
    function = parse("aclnnStatus f(const aclTensor *x, bool flag, aclOpExecutor **executor)")
    assert parse(str(function)) == function
    assert function.parameters[1] == Parameter("bool", "flag")


@pytest.mark.parametrize("text", ["", "int x;", "f(int)", "typedef f(int)", "int f(int"])
def test_not_a_prototype(text: str) -> None:
    with pytest.raises(ValueError, match="not the prototype"):
        parse(text)
