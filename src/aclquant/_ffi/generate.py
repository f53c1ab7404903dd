"""Make the Python side of the ABI from the C headers, at build time.

Usage::

    python generate.py --include DIR --output DIR

Writes two modules into the output directory:

``_types.py``
    an out-of-line ABI-mode cffi module (``ffi``) with every type, enumerator and
    integer constant of the headers, plus the dynamic linker's own functions;
``_functions.py``
    ``FUNCTIONS``, a line "name header prototype" for each function (one text: Python reads
    it in no time), and ``CONSTANTS``, name -> value for every integer ``#define``.

The headers are written in a restricted style: include guards, ``extern "C"``, integer
definitions, attribute macros, typedefs, enums, structs, prototypes. Anything else is an
error here, so that nothing can be lost silently.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cffi

LINKER = """
void *dlopen(const char *path, int flags);
void *dlsym(void *handle, const char *name);
char *dlerror(void);
typedef struct { const char *dli_fname; void *dli_fbase; const char *dli_sname; void *dli_saddr; }
    Dl_info;
int dladdr(const void *address, Dl_info *info);
"""

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_DIRECTIVE = re.compile(r"#\s*(\w+)\s*(.*)")
_WORD = re.compile(r"\b[A-Za-z_]\w*\b")
_ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")
_CONSTANT = re.compile(r"static const \w+ (\w+) = ([^;]+)$")
_INTEGER = re.compile(r"(-?)\(?\s*(-?)\s*(0[xX][0-9a-fA-F]+|\d+)[uUlL]*\s*\)?$")
_PROTOTYPE = re.compile(r"[\w\s*]+?\b(\w+)\s*\(.*\)$", re.DOTALL)


class Declarations(NamedTuple):
    """What the headers declare, in order."""

    types: list[str]
    functions: dict[str, tuple[str, str]]
    constants: dict[str, int]


def read_headers(include: Path) -> Declarations:
    """Preprocess every header below `include` and sort its declarations by kind."""
    reader = _Reader(include)
    for path in sorted(reader.include.rglob("*.h")):
        reader.read(path)
    return reader.result


class _Reader:
    """The part of the C preprocessor that our headers need."""

    def __init__(self, include: Path) -> None:
        self.include = include.resolve()
        self.result = Declarations([], {}, {})
        self.macros: dict[str, str] = {}
        self.seen: set[Path] = set()

    def read(self, path: Path) -> None:
        if path in self.seen:
            return
        self.seen.add(path)
        header = path.relative_to(self.include).as_posix()
        text = _COMMENT.sub(" ", path.read_text(encoding="utf-8")).replace("\\\n", " ")
        active = [True]
        pending: list[str] = []
        for line in text.splitlines():
            directive = _DIRECTIVE.match(line.strip())
            if directive is None:
                if all(active) and line.strip():
                    pending.append(self._expand(line))
                continue
            word, rest = directive.group(1), directive.group(2).strip()
            if word in ("if", "ifdef", "ifndef"):
                active.append(all(active) and self._condition(word, rest))
            elif word == "else":
                active[-1] = all(active[:-1]) and not active[-1]
            elif word == "endif":
                active.pop()
            elif not all(active):
                continue
            elif word == "include":
                self._declare(header, pending)
                pending = []
                self._include(path, rest)
            elif word == "define":
                self._define(path, rest)
            elif word not in ("pragma", "error", "undef"):
                raise SyntaxError(f"{path}: cannot handle #{word}")
        if active != [True]:
            raise SyntaxError(f"{path}: unbalanced #if")
        self._declare(header, pending)

    def _condition(self, word: str, rest: str) -> bool:
        if word == "ifdef":
            return rest in self.macros
        if word == "ifndef":
            return rest not in self.macros
        text = re.sub(
            r"defined\s*(?:\(\s*(\w+)\s*\)|(\w+))",
            lambda found: str((found.group(1) or found.group(2)) in self.macros),
            rest,
        )
        text = text.replace("&&", " and ").replace("||", " or ")
        text = re.sub(r"!(?!=)", " not ", text)
        text = _WORD.sub(
            lambda w: w[0] if w[0] in ("True", "False", "and", "or", "not") else "0", text
        )
        text = re.sub(r"(\d)[uUlL]+", r"\1", text)
        return bool(eval(text, {"__builtins__": {}}))

    def _include(self, path: Path, rest: str) -> None:
        name = rest.strip('<>"')
        for folder in (self.include, path.parent):
            if (folder / name).is_file():
                return self.read(self.include / (folder / name).resolve().relative_to(self.include))
        if rest.startswith('"'):
            raise FileNotFoundError(f"{path}: no header {name}")

    def _define(self, path: Path, rest: str) -> None:
        name, _, value = rest.partition(" ")
        if "(" in name:
            raise SyntaxError(f"{path}: function-like macro {rest}")
        value = self._expand(value.strip())
        self.macros[name] = value
        number = _integer(value)
        if number is not None:
            self.result.constants[name] = number

    def _expand(self, line: str) -> str:
        previous = None
        while line != previous:
            previous = line
            line = _WORD.sub(lambda word: self.macros.get(word[0], word[0]), line)
        return line

    def _declare(self, header: str, lines: list[str]) -> None:
        text = _ATTRIBUTE.sub(" ", "\n".join(lines))
        for declaration in _split(text):
            flat = " ".join(declaration.split())
            constant = _CONSTANT.match(flat)
            if constant is not None:
                number = _integer(constant.group(2))
                if number is None:
                    raise SyntaxError(f"{header}: {flat}")
                self.result.constants[constant.group(1)] = number
            elif flat.startswith(("_Static_assert", "static_assert")):
                continue
            elif not flat.startswith("typedef") and "{" not in flat and "(" in flat:
                prototype = _PROTOTYPE.match(flat)
                if prototype is None:
                    raise SyntaxError(f"{header}: {flat}")
                flat = re.sub(r"\(\s*\)$", "(void)", flat.removeprefix("extern "))
                self.result.functions[prototype.group(1)] = (header, flat)
            else:
                self.result.types.append(declaration.strip() + ";")


def _split(text: str) -> Iterator[str]:
    """Split at the semicolons outside braces."""
    depth = start = 0
    for position, character in enumerate(text):
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
        elif character == ";" and depth == 0:
            if text[start:position].strip():
                yield text[start:position]
            start = position + 1
    if text[start:].strip():
        raise SyntaxError(f"text after the last declaration: {text[start:].strip()[:80]}")


def _integer(text: str) -> int | None:
    match = _INTEGER.match(text.strip())
    if match is None:
        return None
    value = int(match.group(3), 0) if match.group(3) != "00" else 0
    return -value if bool(match.group(1)) != bool(match.group(2)) else value


def write(declarations: Declarations, output: Path) -> None:
    """Write ``_types.py`` and ``_functions.py`` into `output`."""
    output.mkdir(parents=True, exist_ok=True)
    builder = cffi.FFI()
    builder.set_source("aclquant._ffi._types", None)
    builder.cdef(LINKER)
    builder.cdef("\n".join(declarations.types))
    builder.cdef("".join(f"#define {k} {v}\n" for k, v in declarations.constants.items()))
    builder.emit_python_code(str(output / "_types.py"))
    lines = ['"""Made from include/ by generate.py; do not edit."""', "", 'FUNCTIONS = """\\']
    lines += [" ".join((name, *entry)) for name, entry in declarations.functions.items()]
    lines += ['"""', "", "CONSTANTS = {"]
    lines += [f"    {name!r}: {value}," for name, value in declarations.constants.items()]
    lines += ["}", ""]
    (output / "_functions.py").write_text("\n".join(lines), encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="make _types.py and _functions.py from C headers")
    parser.add_argument("--include", type=Path, required=True, help="directory of the headers")
    parser.add_argument("--output", type=Path, required=True, help="directory to write into")
    options = parser.parse_args(arguments)
    write(read_headers(options.include), options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
