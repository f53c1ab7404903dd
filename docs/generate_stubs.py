"""Write the stubs of the operations: ``aclquant/ops/public.pyi`` and ``aclquant/torch_npu.pyi``.

    python docs/generate_stubs.py

A decorator that adds keyword arguments cannot be typed in Python, so the signatures are derived
from the declarations in ``src/aclquant/ops/`` (`aclquant.operation`). A test compares the files.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

from aclquant import ops, torch_npu
from aclquant.operation import Operation, operation_of

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "aclquant"
HEAD = '''"""{title}

Written by docs/generate_stubs.py.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias, overload

import numpy.typing as npt

{imports}

Array: TypeAlias = npt.NDArray[Any]

__all__ = [
{names}]
'''
IMPORTS = """from ..device import Device
from ..dtypes import DTypeLike
from ..stream import Stream
from ..tensor import Tensor
from .common import Factor, Host, Operand"""
TORCH_NPU_IMPORTS = """from .dtypes import DTypeLike
from .ops.common import Factor, Host, Operand
from .tensor import Tensor"""
KINDS = {"Tensor": "Tensor", "Host": "Array"}


def _tuple(kinds: list[str]) -> str:
    return kinds[0] if len(kinds) == 1 else f"tuple[{', '.join(kinds)}]"


def _overload(
    name: str, declared: Operation, signature: inspect.Signature, kind: str
) -> Iterator[str]:
    result = KINDS[kind]
    count = len(declared.results)
    yield "@overload"
    # A Tensor can be read as an array as well: the first overload that fits counts.
    ignored = "  # type: ignore[overload-overlap]" if kind == "Tensor" else ""
    yield f"def {name}({ignored}"
    keyword_only = False
    for position, parameter in enumerate(signature.parameters.values()):
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            yield "    *,"
        annotation = kind if position == 0 else parameter.annotation
        if parameter.name == "out":
            annotation = f"{_tuple([f'{result} | None' if count > 1 else result] * count)} | None"
        annotation = {"stream": "Stream | None", "device": "Device | int | None"}.get(
            parameter.name, annotation
        )
        default = "" if parameter.default is parameter.empty else f" = {_text(parameter.default)}"
        yield f"    {parameter.name}: {annotation}{default},"
    yield f") -> {_tuple([result] * count)}: ..."


def _text(default: object) -> str:
    return f'"{default}"' if isinstance(default, str) else repr(default)


def stub(title: str, prefix: str) -> str:
    """Return the text of a stub; `prefix` is that of the functions' names."""
    names = torch_npu.__all__ if prefix else ops.__all__
    lines = [
        HEAD.format(
            title=title,
            imports=TORCH_NPU_IMPORTS if prefix else IMPORTS,
            names="".join(f'    "{name}",\n' for name in names),
        )
    ]
    for name in names:
        declared = operation_of(getattr(ops, name.removeprefix(prefix)))
        assert declared is not None
        signature = declared.torch_npu_signature if prefix else declared.signature
        for kind in KINDS:
            lines.extend(_overload(name, declared, signature, kind))
    return "\n".join(lines) + "\n"


FILES = {
    PACKAGE / "ops" / "public.pyi": stub("The operations, as type checkers see them.", ""),
    PACKAGE / "torch_npu.pyi": stub("torch_npu's functions, as type checkers see them.", "npu_"),
}


if __name__ == "__main__":
    for path, text in FILES.items():
        path.write_text(text)
