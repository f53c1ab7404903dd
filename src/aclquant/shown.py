"""What `dir` and completion show of objects: not what only aclquant's own modules use."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Shown"]


class Shown:
    """An object whose `dir` leaves out the names in the ``_hidden`` of its classes."""

    __slots__ = ()
    _hidden: tuple[str, ...] = ()

    def __dir__(self) -> Iterable[str]:
        hidden = {name for kind in type(self).__mro__ for name in vars(kind).get("_hidden", ())}
        return sorted(set(super().__dir__()) - hidden)
