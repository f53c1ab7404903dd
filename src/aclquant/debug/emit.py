"""Write a self-contained program that repeats one recorded call: in C, or in Python."""

from __future__ import annotations

import base64
import os
import zlib
from typing import Any

from .. import errors
from .._ffi.declarations import functions
from ..codes import code_name
from ..operators import PHASE_ONE
from .recording import (
    Argument,
    RecordedCall,
    RecordedTensor,
    Recording,
    RecordingError,
    is_private,
    read_recording,
)
from .replay import Group, groups

__all__ = ["emit"]

_LIMIT = 64 << 20


def emit(
    recording: Recording | str | os.PathLike[str], language: str, *, call: int | None = None
) -> str:
    """Return a program that repeats one call and compares with what was recorded.

    Parameters
    ----------
    recording : Recording or path
        Where the call is.
    language : {"c", "python"}
        C needs only CANN's headers and libraries, Python needs aclquant and NumPy.
    call : int, optional
        Which one, counted from 1; by default the first that failed, else the last.

    Returns
    -------
    str
        The source. It ends with status 0 when everything is as recorded, else 1.

    Raises
    ------
    RecordingError
        When the recording is damaged or the tensors are too large for a source file (64 MiB).
    ParameterError
        When `language` is another one.
    """
    source = recording if isinstance(recording, Recording) else read_recording(recording)
    writers = {"c": _c, "python": _python}
    if language not in writers:
        raise errors.ParameterError(
            function="aclquant.debug.emit", argument="language", got=language, allowed="c, python"
        )
    recorded = source.call(source.failing if call is None else call)
    name = recorded.operator + PHASE_ONE
    if name not in functions:
        raise RecordingError(f"{name} is not declared in aclquant's headers")
    tensors = [t for a in recorded.arguments for t in a.tensors]
    if not recorded.refused:
        for argument in recorded.arguments:
            for tensor in argument.tensors:
                tensor.content()  # raises for what is missing
    size = sum(group.end - group.start for group in groups(tensors))
    if size > _LIMIT:
        raise RecordingError(
            f"the tensors of this call are {size} bytes, more than the {_LIMIT} of a source file"
        )
    return writers[language](recorded)


def _content(group: Group, refused: bool) -> bytes:
    content = bytearray(max(group.end - group.start, 1))
    for tensor in group.tensors:
        if not (tensor.missing or refused):
            begin = tensor.address - group.start + tensor.first
            content[begin : begin + tensor.nbytes] = tensor.content()
    return bytes(content)


def _place(found: list[Group], tensor: RecordedTensor) -> tuple[int, int]:
    for number, group in enumerate(found):
        if any(member is tensor for member in group.tensors):
            return number, tensor.address - group.start
    raise AssertionError("every tensor is in a group")


def _story(call: RecordedCall) -> list[str]:
    status = "did not return" if call.status is None else f"{call.status} {code_name(call.status)}"
    lines = [
        f"{call.operator} as recorded on {call.soc or 'an unknown chip'}, CANN {call.cann or '?'}"
    ]
    lines.append(f"recorded answer: {status}")
    lines += [line.replace("*/", "* /") for line in call.error.splitlines()[:6]]
    return lines


# ---- C ----

_C_HEAD = """\
/*
{story}
 *
 * cc {name}.c -I$ASCEND_HOME_PATH/include -L$ASCEND_HOME_PATH/lib64 -lascendcl -lnnopbase -lopapi
 * without a card: cc {name}.c $(aclquant cflags) $(aclquant libs --rpath)
 * Ends with 0 when the answer and all bytes are as recorded, else with 1.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acl/acl.h"
#include "aclnn/acl_meta.h"
#include "{header}"

#define CHECK(call)                                                                   \\
    do {{                                                                              \\
        const int status_ = (int)(call);                                              \\
        if (status_ != 0) {{                                                           \\
            const char *text_ = aclGetRecentErrMsg();                                 \\
            fprintf(stderr, "%s: %d\\n%s\\n", #call, status_, text_ ? text_ : "");       \\
            exit(2);                                                                  \\
        }}                                                                             \\
    }} while (0)

"""

_C_UPLOAD = """\
static void *upload(const unsigned char *bytes, size_t size) {
    void *pointer = NULL;
    CHECK(aclrtMalloc(&pointer, size, ACL_MEM_MALLOC_HUGE_FIRST));
    CHECK(aclrtMemcpy(pointer, size, bytes, size, ACL_MEMCPY_HOST_TO_DEVICE));
    return pointer;
}

"""

_C_COMPARE = """\
static int compare(const char *name, const void *pointer, const unsigned char *expected, size_t size) {
    unsigned char *bytes = malloc(size);
    size_t equal = 0, first = size;
    if (bytes == NULL) exit(2);
    CHECK(aclrtMemcpy(bytes, size, pointer, size, ACL_MEMCPY_DEVICE_TO_HOST));
    for (size_t i = 0; i < size; ++i) {
        if (bytes[i] == expected[i]) {
            ++equal;
        } else if (first == size) {
            first = i;
        }
    }
    printf("%s: %zu of %zu bytes as recorded", name, equal, size);
    if (first != size) printf("; first other one at %zu: %02x, recorded %02x", first, bytes[first], expected[first]);
    printf("\\n");
    free(bytes);
    return equal == size ? 0 : 1;
}

"""


def _c(call: RecordedCall) -> str:
    one = functions[call.operator + PHASE_ONE]
    story = "\n".join(f" * {line}" for line in _story(call))
    text = [_C_HEAD.format(story=story, name=call.operator, header=one.header), _C_UPLOAD]
    tensors = [t for a in call.arguments for t in a.tensors]
    found = groups(tensors)
    for number, group in enumerate(found):
        text.append(_c_bytes(f"memory{number}", _content(group, call.refused)))
    checks: list[str] = []
    for number, data, name in _expected(call, found):
        text.append(_c_bytes(f"expected{number}", data))
        checks.append(
            f'    different |= compare("{name}", device{number}, expected{number}, sizeof expected{number});\n'
        )
    if checks:
        text.append(_C_COMPARE)
    text.append("int main(void) {\n    int different = 0;\n    aclrtStream stream = NULL;\n")
    text.append(
        "    uint64_t size = 0;\n    aclOpExecutor *executor = NULL;\n    void *workspace = NULL;\n"
    )
    text.append("    CHECK(aclInit(NULL));\n    CHECK(aclrtSetDevice(0));\n")
    text.append("    CHECK(aclrtCreateStream(&stream));\n")
    for number in range(len(found)):
        text.append(
            f"    unsigned char *device{number} = upload(memory{number}, sizeof memory{number});\n"
        )
    names: list[str] = []
    for position, argument in enumerate(call.arguments):
        declared, name = _c_value(position, one.parameters[position].type, argument, found)
        text.append(declared)
        names.append(name)
    inside = ", ".join([*names, "&size", "&executor"])
    text.append(f"\n    int status = (int){one.name}({inside});\n")
    text.append(
        "    if (status == 0 && size > 0) CHECK(aclrtMalloc(&workspace, size, ACL_MEM_MALLOC_HUGE_FIRST));\n"
        f"    if (status == 0) status = (int){call.operator}(workspace, size, executor, stream);\n"
        "    if (status == 0) status = (int)aclrtSynchronizeStream(stream);\n"
    )
    recorded = 0 if call.status is None else call.status
    text.append(
        f'    printf("{call.operator}: %d, recorded: '
        f'{"it did not return" if call.status is None else call.status}\\n", status);\n'
        "    if (status != 0) {\n        const char *why = aclGetRecentErrMsg();\n"
        '        printf("%s\\n", why != NULL ? why : "");\n    }\n'
        f"    different |= status != {recorded};\n"
    )
    if checks:
        text += ["    if (status == 0) {\n", *("    " + line for line in checks), "    }\n"]
    text.append("    aclrtDestroyStream(stream);\n    aclrtResetDevice(0);\n    aclFinalize();\n")
    text.append("    return different;\n}\n")
    return "".join(text)


def _expected(call: RecordedCall, found: list[Group]) -> list[tuple[int, bytes, str]]:
    """Return the bytes of each piece of memory after the call, and the names of its arguments."""
    result: list[tuple[int, bytes, str]] = []
    if not call.after or call.status:
        return result
    for number, group in enumerate(found):
        content = bytearray(_content(group, call.refused))
        names: list[str] = []
        for before, after in zip(call.arguments, call.after, strict=True):
            for old, new in zip(before.tensors, after.tensors, strict=True):
                if any(member is old for member in group.tensors):
                    if new.missing:
                        break
                    begin = old.address - group.start + old.first
                    content[begin : begin + new.nbytes] = new.content()
                    names.append(before.name)
        if {call.arguments[p].name for p in call.outputs} & set(names):
            result.append((number, bytes(content), ", ".join(names)))
    return result


def _c_bytes(name: str, data: bytes) -> str:
    rows = [
        "    " + ",".join(map(str, data[start : start + 24])) + ",\n"
        for start in range(0, len(data), 24)
    ]
    return f"static const unsigned char {name}[] = {{\n{''.join(rows)}}};\n\n"


def _c_numbers(name: str, values: Any, kind: str = "int64_t") -> str:
    inside = ", ".join(map(str, values)) or "0"
    return f"    const {kind} {name}[] = {{{inside}}};\n"


def _c_tensor(name: str, tensor: RecordedTensor, found: list[Group]) -> str:
    number, offset = _place(found, tensor)
    return (
        _c_numbers(f"{name}_shape", tensor.shape)
        + _c_numbers(f"{name}_strides", tensor.strides)
        + _c_numbers(f"{name}_storage", tensor.storage)
        + f"    aclTensor *{name} = aclCreateTensor({name}_shape, {len(tensor.shape)}, "
        f"ACL_{tensor.dtype}, {name}_strides, {tensor.offset}, (aclFormat){tensor.format}, "
        f"{name}_storage, {len(tensor.storage)}, device{number} + {offset});\n"
    )


def _c_scalar(name: str, value: dict[str, Any]) -> str:
    data = ", ".join(str(byte) for byte in bytes.fromhex(value["bits"]))
    return (
        f"    unsigned char {name}_bits[] = {{{data}}}; /* {value['value']} */\n"
        f"    aclScalar *{name} = aclCreateScalar({name}_bits, ACL_{value['dtype']});\n"
    )


def _c_value(position: int, type_: str, argument: Argument, found: list[Group]) -> tuple[str, str]:
    name = argument.name if argument.name.isidentifier() else f"argument{position}"
    name = f"{name}_" if name in ("size", "executor", "stream", "workspace", "status") else name
    value, bare = argument.value, type_.replace("const ", "")
    if value is None:
        return "", "NULL"
    if isinstance(value, RecordedTensor):
        return _c_tensor(name, value, found), name
    if bare in ("aclTensorList *", "aclScalarList *"):
        kind = bare.removesuffix("List *")
        text, members = "", []
        for number, member in enumerate(value):
            one = f"{name}{number}"
            if member is None:
                members.append("NULL")
                continue
            text += _c_tensor(one, member, found) if kind == "aclTensor" else _c_scalar(one, member)
            members.append(one)
        text += f"    const {kind} *{name}_members[] = {{{', '.join(members) or 'NULL'}}};\n"
        create = kind.replace("acl", "aclCreate") + "List"
        return text + f"    {kind}List *{name} = {create}({name}_members, {len(value)});\n", name
    if bare == "aclScalar *":
        return _c_scalar(name, value), name
    for kind, element in (("Int", "int64_t"), ("Float", "float"), ("Bool", "bool")):
        if bare == f"acl{kind}Array *":
            numbers = [str(v).lower() if kind == "Bool" else v for v in value]
            text = "#include <stdbool.h>\n" if kind == "Bool" else ""
            text += _c_numbers(f"{name}_values", numbers, element)
            return (
                text
                + f"    acl{kind}Array *{name} = aclCreate{kind}Array({name}_values, {len(value)});\n",
                name,
            )
    if bare == "char *":
        escaped = "".join(
            c if c.isalnum() or c in " _-.,:;=/" else f"\\{ord(c):03o}" for c in value
        )
        return "", f'"{escaped}"'
    if isinstance(value, bool):
        return "", "true" if value else "false"
    if isinstance(value, str):  # a number that JSON does not have, else an address
        known = {"NaN": "(0.0 / 0.0)", "Infinity": "(1.0 / 0.0)", "-Infinity": "(-1.0 / 0.0)"}
        if value not in known:
            raise RecordingError(f"argument '{argument.name}' is an address ({value}) of {type_}")
        return "", known[value]
    if (
        isinstance(value, int)
        and "int" not in bare
        and bare not in ("bool", "size_t", "float", "double")
    ):
        return "", f"({bare}){value}"
    return "", str(value)


# ---- Python ----

_PYTHON_HEAD = '''\
"""
{story}

Ends with 0 when the answer and all values are as recorded, else with 1.
Needs aclquant and NumPy; ACLQUANT_BACKEND chooses where it runs.
"""

import base64
import sys
import zlib

import numpy as np

import aclquant as aq


def memory(text):
    return bytearray(zlib.decompress(base64.b85decode(text)))


def array(data, dtype, start, shape, strides):
    flat = np.frombuffer(data, aq.as_dtype(dtype).numpy) if dtype != "int4" else unpacked(data)
    steps = [step * flat.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(flat[start:], shape, steps)


def unpacked(data):
    pairs = np.frombuffer(data, np.uint8)
    nibbles = np.stack([pairs & 15, pairs >> 4], -1).reshape(-1).astype(np.int8)
    return np.where(nibbles > 7, nibbles - 16, nibbles).astype(aq.as_dtype("int4").numpy)


'''


def _python(call: RecordedCall) -> str:
    from ..dtypes import from_code

    story = "\n".join(line.replace("\\", "\\\\").replace('"', "'") for line in _story(call))
    text = [_PYTHON_HEAD.format(story=story)]
    tensors = [t for a in call.arguments for t in a.tensors]
    for tensor in tensors:
        if is_private(tensor.format):
            raise RecordingError("a tensor has a private format, which only the C program can make")
    found = groups(tensors)
    for number, group in enumerate(found):
        text.append(f"memory{number} = memory(\n{_python_text(_content(group, call.refused))})\n")
    names: list[str] = []
    for position, argument in enumerate(call.arguments):
        name = argument.name if argument.name.isidentifier() else f"argument{position}"
        name = f"{name}_" if name in ("lambda", "from", "in", "is", "aq", "np", "sys") else name
        names.append(name)
        text.append(f"{name} = {_python_value(argument, found, from_code)}\n")
    text.append("\nstatus, why = 0, ''\ntry:\n")
    text.append(f"    aq.aclnn.{call.operator}({', '.join(names)})\n")
    text.append("except aq.AclError as error:\n    status, why = error.code, str(error)\n")
    recorded = "it did not return" if call.status is None else str(call.status)
    text.append(
        f'print("{call.operator}:", status, "recorded: {recorded}")\nprint(why, end="\\n" if why else "")\n'
    )
    text.append(f"different = status != {call.status or 0}\n")
    if call.after and not call.status:
        for position in call.outputs:
            old = call.arguments[position]
            for member, (before, after) in enumerate(
                zip(old.tensors, call.after[position].tensors, strict=True)
            ):
                if after.missing:
                    continue
                got = (
                    f"{names[position]}[{member}]"
                    if isinstance(old.value, list)
                    else names[position]
                )
                text.append(_python_check(got, before, after, from_code))
    text.append("sys.exit(different)\n")
    return "".join(text)


def _python_text(data: bytes) -> str:
    packed = base64.b85encode(zlib.compress(data, 9)).decode()
    rows = [packed[start : start + 88] for start in range(0, len(packed), 88)]
    return "".join(f"    {row!r}\n" for row in rows)


def _python_array(tensor: RecordedTensor, data: str, start: int, from_code: Any) -> str:
    dtype = from_code(tensor.code)
    return f"array({data}, {dtype.name!r}, {start}, {list(tensor.shape)}, {list(tensor.strides)})"


def _python_value(argument: Argument, found: list[Group], from_code: Any) -> str:
    def tensor_text(tensor: RecordedTensor) -> str:
        number, offset = _place(found, tensor)
        bits = from_code(tensor.code).bits
        start = offset * 8 // bits + tensor.offset
        return _python_array(tensor, f"memory{number}", start, from_code)

    def scalar_text(value: dict[str, Any]) -> str:
        name = from_code_name(value["dtype"], from_code)
        return f"np.frombuffer(bytes.fromhex({value['bits']!r}), aq.as_dtype({name!r}).numpy)[0]"

    value = argument.value
    if isinstance(value, RecordedTensor):
        return tensor_text(value)
    if isinstance(value, dict):
        return scalar_text(value)
    if isinstance(value, list):
        parts = [
            tensor_text(v)
            if isinstance(v, RecordedTensor)
            else scalar_text(v)
            if isinstance(v, dict)
            else repr(v)
            for v in value
        ]
        return f"[{', '.join(parts)}]"
    if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
        return f"float({value!r})"
    if isinstance(value, str) and "char" not in argument.type:
        raise RecordingError(f"argument '{argument.name}' is an address ({value})")
    return repr(value)


def from_code_name(name: str, from_code: Any) -> str:
    """Return aclquant's name of a data type, from ACL's."""
    from .._ffi import ffi

    return str(from_code(int(ffi.integer_const(f"ACL_{name}"))).name)


def _python_check(got: str, before: RecordedTensor, after: RecordedTensor, from_code: Any) -> str:
    start = after.offset - after.first * 8 // from_code(after.code).bits
    expected = _python_array(after, "expected", start, from_code)
    return (
        f"expected = memory(\n{_python_text(after.content())})\n"
        f"comparison = aq.debug.compare({expected}, {got})\n"
        f'print("{got}:", comparison)\n'
        f"different |= not comparison.identical and not status\n"
    )
