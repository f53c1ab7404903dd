"""Every prototype of the headers, parsed when it is first asked for.

Examples
--------
>>> functions["aclrtSetDevice"].parameters[0]
Parameter(type='int32_t', name='deviceId')
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ._functions import CONSTANTS, FUNCTIONS
from .declaration import Function, parse

__all__ = ["constants", "functions"]


class _Functions(Mapping[str, Function]):
    def __init__(self) -> None:
        self._parsed: dict[str, Function] = {}
        self._lines = {line.partition(" ")[0]: line for line in FUNCTIONS.splitlines()}

    def __getitem__(self, name: str) -> Function:
        function = self._parsed.get(name)
        if function is None:
            _, header, prototype = self._lines[name].split(" ", 2)
            function = self._parsed[name] = parse(prototype, header)
        return function

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


functions: Mapping[str, Function] = _Functions()
"""Name to `Function`, for each prototype in ``include/``."""

constants: Mapping[str, int] = CONSTANTS
"""Name to value, for each integer ``#define`` in ``include/``."""
