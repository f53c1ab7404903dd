"""What each thread has chosen and prepared."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backends import Backend
    from .device import Device
    from .stream import Stream

__all__ = ["Calls", "here"]


class Calls:
    """What operators look at first in every call: one object, for one look-up in the thread."""

    __slots__ = ("backend", "blocks", "prepared", "replays")

    def __init__(self) -> None:
        self.blocks = 0
        """How many ``with device:`` and ``with stream:`` blocks the thread is in."""
        self.backend: Backend | None = None
        """Whose prepared calls these are."""
        self.prepared: dict[Any, Any] = {}
        self.replays: list[Any] = []
        """The same calls for the extension module, as far as it can replay them."""


class _Here(threading.local):
    def __init__(self) -> None:
        self.calls = Calls()
        self.devices: list[Device] = []
        self.streams: list[Stream] = []
        self.own: dict[Device, Stream] = {}
        """The stream for each device that the thread uses when it has chosen none."""


here = _Here()
