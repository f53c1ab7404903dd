from collections.abc import Callable
from typing import Any

class Replay:
    def __init__(
        self,
        owner: object,
        record: int,
        run: int,
        function: object,
        attributes: tuple[Any, ...],
        arguments: tuple[Any, ...],
        results: tuple[tuple[tuple[int, ...], Any], ...],
    ) -> None: ...
    def run(self, *arguments_and_out: Any) -> Any: ...

def install(here: object, function: Callable[..., Any]) -> None: ...
def replay(
    function: Callable[..., Any],
    arrays: tuple[Any, ...],
    attributes: tuple[Any, ...],
    out: Any = None,
    /,
) -> Any: ...
