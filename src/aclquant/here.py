"""What each thread has chosen and prepared."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backends import Backend
    from .device import Device
    from .stream import Stream

__all__ = ["Calls", "forget_other_threads", "here", "other_threads"]


class Calls:
    """What operators look at first in every call: one object, for one look-up in the thread."""

    __slots__ = ("__weakref__", "backend", "blocks", "prepared", "replays", "thread")

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.blocks = 0
        """How many ``with device:`` and ``with stream:`` blocks the thread is in."""
        self.backend: Backend | None = None
        """Whose prepared calls these are."""
        self.prepared: dict[Any, Any] = {}
        self.replays: list[Any] = []
        """The same calls for the extension module, as far as it can replay them."""


_all: weakref.WeakSet[Calls] = weakref.WeakSet()


class _Here(threading.local):
    def __init__(self) -> None:
        self.calls = Calls()
        _all.add(self.calls)
        self.devices: list[Device] = []
        self.streams: list[Stream] = []
        self.own: dict[Device, Stream] = {}
        """The stream for each device that the thread uses when it has chosen none."""


here = _Here()


def other_threads() -> bool:
    """Tell whether other threads that have made calls are still alive."""
    me = threading.get_ident()
    return any(calls.thread != me for calls in list(_all))


def forget_other_threads() -> None:
    """Note, in a forked child, that no other thread is there."""
    mine = here.calls
    _all.clear()
    _all.add(mine)
