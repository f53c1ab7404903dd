"""What each thread has chosen and prepared."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backends import Backend
    from .device import Device
    from .stream import Stream

__all__ = ["ThreadState", "forget_other_threads", "local", "other_threads", "this_thread"]


class ThreadState:
    """The choices of a thread and the calls that it keeps: one object, for one look-up."""

    __slots__ = (
        *("__weakref__", "backend", "blocks", "devices", "own", "prepared", "replays", "streams"),
        "thread",
    )

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.blocks = 0
        """How many ``with device:`` and ``with stream:`` blocks the thread is in."""
        self.devices: list[Device] = []
        self.streams: list[Stream] = []
        self.own: dict[Device, Stream] = {}
        """The stream for each device that the thread uses when it has chosen none."""
        self.backend: Backend | None = None
        """Whose prepared calls these are."""
        self.prepared: dict[Any, Any] = {}
        self.replays: list[Any] = []
        """The same calls for the extension module, as far as it can launch them."""


class _Local(threading.local):
    """Without `__init__`, for threads that end: they close what they kept, and ask where they are.

    That must not give them a new state.
    """

    entered: tuple[Backend | None, int] = None, -1
    """The backend and the device that are current for C calls of the thread."""
    state: ThreadState | None = None


local = _Local()
_all: weakref.WeakSet[ThreadState] = weakref.WeakSet()


def this_thread() -> ThreadState:
    """Return the state of this thread."""
    state = local.state
    if state is None:
        state = local.state = ThreadState()
        _all.add(state)
    return state


def other_threads() -> bool:
    """Tell whether other threads that have made calls are still alive."""
    me = threading.get_ident()
    return any(state.thread != me for state in list(_all))


def forget_other_threads() -> None:
    """Note, in a forked child, that no other thread is there."""
    mine = this_thread()
    _all.clear()
    _all.add(mine)
