# SPDX-License-Identifier: Apache-2.0
"""Make the wrappers of the tracer from the C headers, at build time.

Usage::

    python generate.py --include DIR --binding DIR --output DIR

Writes ``functions.h`` (one number per function), ``wrappers.inc`` (one wrapper per function) and
``tables.inc`` (names and kinds of the parameters, names of enumerators and of status codes). The
headers are read by ``generate.py`` of the Python binding, so both see the same declarations.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

OWN_HEADER = "aclquant/trace.h"
"""Declares the tracer itself, which is not traced."""

_ENUM = re.compile(r"typedef enum \w*\s*\{(.*)\}\s*(\w+)\s*;", re.DOTALL)
_NUMBERS = {
    "bool": "Bool",
    "float": "Float",
    "double": "Double",
    "aclFloat16": "Unsigned16",
    "int": "Signed32",
    "size_t": "Unsigned64",
    **{f"int{n}_t": f"Signed{n}" for n in (8, 16, 32, 64)},
    **{f"uint{n}_t": f"Unsigned{n}" for n in (8, 16, 32, 64)},
}
_ALIASES = {"aclError": "int32_t", "aclnnStatus": "int32_t"}
_OBJECTS = {
    "aclTensor": "Tensor",
    "aclTensorList": "TensorList",
    "aclScalar": "Scalar",
    "aclScalarList": "ScalarList",
    "aclIntArray": "Array",
    "aclBoolArray": "Array",
    "aclFloatArray": "Array",
    "aclOpExecutor": "Executor",
}


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--include", type=Path, required=True, help="directory of the headers")
    parser.add_argument("--binding", type=Path, required=True, help="directory of generate.py")
    parser.add_argument("--output", type=Path, required=True, help="directory to write into")
    options = parser.parse_args()
    sys.path.insert(0, str(options.binding))
    from declaration import parse
    from generate import read_headers

    read = read_headers(options.include)
    functions = [
        parse(prototype, header)
        for header, prototype in read.functions.values()
        if header != OWN_HEADER
    ]
    enums = dict(_enums(read.types))
    options.output.mkdir(parents=True, exist_ok=True)
    kinds = _Kinds(read.types, enums)
    headers = sorted({function.header for function in functions})
    _write(
        options.output / "functions.h",
        ["#pragma once", "#include <cstdint>"]
        + [f'#include "{header}"' for header in headers]
        + ["namespace aclq::trace {", "enum FunctionNumber : std::uint16_t {"]
        + [f"    F_{function.name}," for function in functions]
        + ["    kFunctionCount", "};", "}  // namespace aclq::trace"],
    )
    _write(options.output / "wrappers.inc", [_wrapper(f) for f in functions])
    _write(options.output / "tables.inc", _tables(functions, kinds, enums, read.constants))
    return 0


def _write(path, lines):
    text = "\n".join(["// Made from include/ by generate.py; do not edit.", *lines, ""])
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _enums(types):
    for text in types:
        found = _ENUM.match(text.strip())
        if found is None:
            continue
        value, members = -1, {}
        for entry in found[1].split(","):
            name, _, given = (part.strip() for part in entry.partition("="))
            if not name:
                continue
            value = _value(given, members) if given else value + 1
            members[name] = value
        yield found[2], members


def _value(text, members):
    text = re.sub(r"(?<=[0-9a-fA-F])[uUlL]+\b", "", text)
    return int(eval(text, {"__builtins__": {}}, dict(members)))


class _Kinds:
    """Which kind of value a C type is, as the tracer writes it."""

    def __init__(self, types, enums):
        self.enums = enums
        self.handles = set()
        for text in types:
            found = re.match(r"typedef (?:void|[\w ]+)\s*\*\s*(\w+)\s*;", text.strip())
            if found:
                self.handles.add(found[1])

    def of(self, text):
        """Return the kind and, for an enumeration, its name."""
        bare = text.replace("const ", "").strip()
        bare = _ALIASES.get(bare, bare)
        if bare in _NUMBERS:
            return _NUMBERS[bare], ""
        if bare in self.enums:
            return "Enum", bare
        if bare == "aclrtStream":
            return "Stream", ""
        if text in ("const char *",):
            return "Text", ""
        target = bare.removesuffix("*").strip()
        if bare.endswith("*") and "*" not in target:
            if target in _OBJECTS:
                return _OBJECTS[target], ""
            if target in _NUMBERS and not text.startswith("const ") and target != "bool":
                return "Out" + _NUMBERS[target], ""
            if target in self.handles:
                return "OutPointer", ""
            if target in self.enums and not text.startswith("const "):
                return "OutEnum", target
            if target == "int64_t":
                return "Int64s", ""
        if bare.endswith("**") and not text.startswith("const "):
            return "OutPointer", ""
        if bare.endswith("*") or bare in self.handles or bare == "void *":
            return "Pointer", ""
        return "Opaque", ""


def _wrapper(function):
    types = [parameter.type for parameter in function.parameters]
    names = [f"a{position}" for position in range(len(types))]
    if types and types[-1] == "...":
        # A printf-like function: its text is made here and handed on as one argument.
        declared = ", ".join(f"{t} {n}" for t, n in zip(types[:-1], names[:-1], strict=True))
        before = ", ".join([*names[:-2], '"%s"', "text"])
        return (
            f'extern "C" ACLQ_WRAPPER {function.result} {function.name}({declared}, ...) {{\n'
            f"    va_list more;\n    va_start(more, {names[-2]});\n"
            f"    char text[4096];\n    std::vsnprintf(text, sizeof text, {names[-2]}, more);\n"
            f"    va_end(more);\n"
            f"    return call<decltype(&{function.name})>"
            f"(functions[F_{function.name}], {before});\n}}"
        )
    declared = ", ".join(f"{t} {n}" for t, n in zip(types, names, strict=True)) or "void"
    arguments = ", ".join([f"functions[F_{function.name}]", *names])
    return (
        f'extern "C" ACLQ_WRAPPER {function.result} {function.name}({declared}) {{\n'
        f"    return call<decltype(&{function.name})>({arguments});\n}}"
    )


def _tables(functions, kinds, enums, constants):
    lines = []
    for enum, members in enums.items():
        entries = ", ".join(f'{{{value}, "{name}"}}' for name, value in members.items())
        lines.append(f"const EnumEntry kEnum_{enum}[] = {{{entries}}};")
    for function in functions:
        entries = []
        for parameter in function.parameters:
            if parameter.type == "...":
                continue
            kind, enum = kinds.of(parameter.type)
            members = f"kEnum_{enum}, {len(enums[enum])}" if enum else "nullptr, 0"
            entries.append(f'{{"{parameter.name}", "{parameter.type}", Kind::{kind}, {members}}}')
        if entries:
            inside = ", ".join(entries)
            lines.append(f"const Parameter kParameters_{function.name}[] = {{{inside}}};")
    lines.append("constinit Function functions[kFunctionCount] = {")
    for function in functions:
        fixed = [p for p in function.parameters if p.type != "..."]
        table = f"kParameters_{function.name}" if fixed else "nullptr"
        result = _result(function.result, kinds)
        lines.append(
            f'    {{"{function.name}", "{function.header}", '
            f"Kind::{result}, {table}, {len(fixed)}}},"
        )
    lines.append("};")
    lines.append("void* const kWrappers[kFunctionCount] = {")
    lines += [f"    reinterpret_cast<void*>(&::{function.name})," for function in functions]
    lines.append("};")
    codes = {}
    for name, value in constants.items():
        if re.match(r"ACL_SUCCESS|ACL_ERROR_|ACLNN_|HCCL_|HCCL_E", name):
            codes.setdefault(value, name)
    lines.append("const EnumEntry kCodes[] = {")
    lines += [f'    {{{value}, "{name}"}},' for value, name in sorted(codes.items())]
    lines.append("};")
    return lines


def _result(text, kinds):
    if text in ("aclError", "aclnnStatus"):
        return "Status"
    if text == "void":
        return "Nothing"
    kind = kinds.of(text)[0]
    plain = kind in ("Text", "Float") or kind.startswith(("Signed", "Unsigned"))
    return kind if plain else "Pointer"


if __name__ == "__main__":
    sys.exit(main())
