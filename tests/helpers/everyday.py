"""The everyday operators, as the headers declare them, and arguments of every type for them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from aclquant._ffi import ffi
from aclquant._ffi.declarations import functions
from helpers.native import NULL, host

QUANTISATION = re.compile("(?<!Weight)Quant")
PHASE_1 = "GetWorkspaceSize"

# Names of phase 2.
OPERATORS = sorted(
    name.removesuffix(PHASE_1)
    for name, function in functions.items()
    if function.header.startswith("aclnnop/")
    and name.endswith(PHASE_1)
    and not QUANTISATION.search(name)
)

# All that aclDataType names, and one that it does not.
DTYPES = [*range(13), 16, 17, 27, 29, 30, *range(33, 42), 99]
BYTES = {2: 1, 4: 1, 12: 1, 1: 2, 6: 2, 7: 2, 27: 2, 9: 8, 10: 8, 11: 8, 16: 8, 17: 16}


def _tensor(shape: Sequence[int], dtype: int, data: Any) -> Any:
    dims = list(shape)
    return host.aclCreateTensor(dims, len(dims), dtype, NULL, 0, 2, dims, len(dims), data)


def _scalar(dtype: int) -> Any:
    one = {0: ("float *", 1.0), 11: ("double *", 1.0)}.get(dtype, ("int64_t *", 1))
    if dtype in (16, 17):
        return host.aclCreateScalar(ffi.new("double[2]", [1.0, 0.0]), dtype)
    return host.aclCreateScalar(ffi.new(*one), dtype if dtype < 12 else 0)


@contextmanager
def arguments(
    name: str, shape: Sequence[int], dtype: int, result: int, data: Any
) -> Iterator[list[Any]]:
    """Arguments of phase 1: tensors of one shape, results (not const) of another type."""
    with ExitStack() as stack:
        found: list[Any] = []

        def made(value: Any, destroy: Any) -> Any:
            stack.callback(destroy, value)
            return value

        for parameter in functions[name + PHASE_1].parameters[:-2]:
            kind = parameter.type
            if kind.endswith("aclTensor *"):
                written = not kind.startswith("const") or parameter.name.lower().endswith("out")
                of = result if written else dtype
                value = made(_tensor(shape, of, data), host.aclDestroyTensor)
            elif kind.endswith("aclTensorList *"):
                one = _tensor(shape, dtype, data)
                value = made(
                    host.aclCreateTensorList(ffi.new("aclTensor *[]", [one]), 1),
                    host.aclDestroyTensorList,
                )
            elif kind.endswith("aclScalar *"):
                value = made(_scalar(dtype), host.aclDestroyScalar)
            elif kind.endswith("aclScalarList *"):
                value = made(
                    host.aclCreateScalarList(ffi.new("aclScalar *[]", [_scalar(dtype)]), 1),
                    host.aclDestroyScalarList,
                )
            elif kind == "const aclIntArray *":
                value = made(host.aclCreateIntArray([0], 1), host.aclDestroyIntArray)
            elif kind == "const aclBoolArray *":
                value = made(host.aclCreateBoolArray([True] * 3, 3), host.aclDestroyBoolArray)
            elif "char *" in kind:
                value = ffi.new("char[]", b"none")
            elif kind == "aclDataType":
                value = result
            elif kind == "bool":
                value = True
            elif kind in ("float", "double"):
                value = 0.5
            else:
                value = 1 if parameter.name in ("k", "high", "repeats", "n", "m", "steps") else 0
            found.append(value)
        yield found
