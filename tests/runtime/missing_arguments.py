"""Every operator with one argument missing, dead or of another kind: a code, never a crash.

Run as a program, ``python -m runtime.missing_arguments``: a crash is its exit status.
"""

from __future__ import annotations

import faulthandler
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from helpers.everyday import PHASE_1, arguments
from helpers.native import NULL, Buffer, host, message, ok, pointer

from aclquant._ffi import ffi
from aclquant._ffi.declarations import functions

OPERATORS = sorted(
    name.removesuffix(PHASE_1)
    for name, function in functions.items()
    if function.header.startswith("aclnnop/") and name.endswith(PHASE_1)
)
CALLS = [((4, 4), 0), ((0, 4), 0), ((), 3), ((2, 3), 2)]
REFUSALS = {161001, 161002}
# CANN gives these codes instead.
MORE_REFUSALS = {"aclnnRotaryPositionEmbedding": {561002}}


def dead(kind: str, data: Any) -> Any:
    """Return a handle whose object was just destroyed; None if this type is not a handle."""
    one = ffi.new("int64_t *", 1)
    makers = {
        "aclTensor": lambda: host.aclCreateTensor([4], 1, 0, NULL, 0, 2, [4], 1, data),
        "aclTensorList": lambda: host.aclCreateTensorList(ffi.new("aclTensor *[]", [NULL]), 1),
        "aclScalar": lambda: host.aclCreateScalar(one, 9),
        "aclScalarList": lambda: host.aclCreateScalarList(ffi.new("aclScalar *[]", [NULL]), 1),
        "aclIntArray": lambda: host.aclCreateIntArray([1], 1),
        "aclBoolArray": lambda: host.aclCreateBoolArray([True], 1),
    }
    name = kind.removeprefix("const ").removesuffix(" *")
    if name not in makers:
        return None
    handle = makers[name]()
    destroy = name.replace("acl", "aclDestroy", 1)
    ok(getattr(host, destroy)(handle))
    return handle


@contextmanager
def wrong_values(kind: str, data: Any) -> Iterator[list[tuple[Any, bool]]]:
    """Values for a pointer, and whether they have to be refused."""
    if dead(kind, data) is None:
        yield [(NULL, False)]
        return
    with ExitStack() as stack:
        tensor = host.aclCreateTensor([4], 1, 0, NULL, 0, 2, [4], 1, data)
        stack.callback(host.aclDestroyTensor, tensor)
        numbers = host.aclCreateIntArray([1], 1)
        stack.callback(host.aclDestroyIntArray, numbers)
        other = numbers if "aclTensor *" in kind else tensor
        other = tensor if "List" in kind else other
        wrong = (dead(kind, data), other, pointer(8))
        yield [(NULL, False), *((ffi.cast(kind, value), True) for value in wrong)]


def call(name: str, given: list[Any], room: Any, *, refused: bool, where: str) -> bool:
    """Both phases; whether phase 1 accepts the arguments."""
    status = getattr(host, name + PHASE_1)(*given)
    text = message()
    if status != 0:
        assert status in REFUSALS | MORE_REFUSALS.get(name, set()), f"{where}: {status} {text}"
        assert "argument '" in text, f"{where}: {status} {text}"
        return False
    assert not refused, f"{where}: accepted"
    *_, size, executor = given
    status = getattr(host, name)(room, size[0], executor[0], NULL)
    assert status == 0, f"{where}, phase 2: {status} {message()}"
    ok(host.aclrtSynchronizeStream(NULL))
    return True


def variants(name: str, given: list[Any], room: Any) -> Iterator[tuple[list[Any], bool, str]]:
    """Arguments, whether they have to be refused, and what is wrong with them."""
    parameters = functions[name + PHASE_1].parameters[:-2]
    pointers = [number for number, p in enumerate(parameters) if "*" in p.type]
    size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
    nothing = [NULL if n in pointers else value for n, value in enumerate(given)]
    yield [*nothing, size, executor], False, "all null"
    yield [*nothing, NULL, NULL], True, "all and the results null"
    yield [*given, NULL, executor], True, "workspaceSize null"
    yield [*given, size, NULL], True, "executor null"
    for number in pointers:
        with wrong_values(parameters[number].type, room) as values:
            for value, refused in values:
                wrong = [*given[:number], value, *given[number + 1 :]]
                yield [*wrong, size, executor], refused, f"{parameters[number].name} {value}"


def main() -> int:
    faulthandler.enable()
    ok(host.aclrtSetDevice(0))
    room = Buffer(4096).pointer
    calls = accepted = 0
    for name in OPERATORS:
        for shape, dtype in CALLS:
            with arguments(name, shape, dtype, dtype, room) as good:
                for given, refused, what in variants(name, good, room):
                    where = f"{name} {shape} {dtype}, {what}"
                    accepted += call(name, given, room, refused=refused, where=where)
                    calls += 1
    print(f"{calls} calls of {len(OPERATORS)} operators, {accepted} accepted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
