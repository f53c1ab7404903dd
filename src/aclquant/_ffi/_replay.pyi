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

def again(operation: object, /, *values_and_added: Any) -> Any: ...
def install(local: object, /) -> None: ...
