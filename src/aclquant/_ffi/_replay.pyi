from collections.abc import Mapping
from typing import Any

class Replay:
    def __init__(
        self,
        owner: object,
        record: int,
        run: int,
        operation: object,
        arguments: tuple[tuple[Any, ...], ...],
        results: tuple[tuple[Any, ...], ...],
    ) -> None: ...
    def run(self, *arguments_and_out: Any) -> Any: ...

class Binder:
    def __init__(
        self,
        operation: object,
        names: tuple[str | None, ...],
        defaults: tuple[Any, ...],
        required: object,
        positional: int,
    ) -> None: ...
    def again(self, arguments: tuple[Any, ...], named: Mapping[str, Any], /) -> Any: ...

def install(local: object, /) -> None: ...
