"""See, record and replay calls of CANN's C interface.

========================  ==========================================================================
`trace`, `record`         calls of this process, as a context manager
`debug` (this module)     ``aq.debug(sync=True)``: every launch waits and answers for itself
`read_recording`          a recording as calls and arrays
`replay`, `emit`          run recorded calls again; write a program that repeats one
`compare`, `summarize`    two arrays side by side; what is in one
`doctor`, `needs`         is this installation sound; what does a program want
========================  ==========================================================================

Other processes are traced by ``aclquant trace`` and ``aclquant record``.

Examples
--------
>>> import numpy as np, aclquant as aq
>>> print(aq.debug.compare(np.int8([1, 2]), np.int8([1, 5])))
1 of 2 elements are equal (50 %); largest difference 3 LSB (3); first at [1]: 2 and 5
>>> aq.debug(sync=True)  # every launch waits
>>> aq.debug(sync=False)
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .doctor import doctor as doctor
    from .emit import emit as emit
    from .needs import needs as needs
    from .numbers import compare as compare
    from .numbers import describe as describe
    from .numbers import summarize as summarize
    from .recording import RecordingError as RecordingError
    from .recording import read_recording as read_recording
    from .replay import replay as replay
    from .session import record as record
    from .session import trace as trace

_HOMES = {
    "compare": "numbers",
    "describe": "numbers",
    "doctor": "doctor",
    "emit": "emit",
    "needs": "needs",
    "read_recording": "recording",
    "record": "session",
    "RecordingError": "recording",
    "replay": "replay",
    "summarize": "numbers",
    "trace": "session",
}

__all__ = sorted(_HOMES)


def _resolve(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


class _Module(types.ModuleType):
    """The module, which can be called: ``aq.debug(sync=True)``.

    Functions with the name of their module win over it: ``aq.debug.replay`` is the function.
    """

    def __call__(self, *, sync: bool) -> None:
        """Choose whether every launch waits, so that the call that caused an error reports it."""
        from .session import set_sync

        set_sync(sync)

    def __getattribute__(self, name: str) -> Any:
        if name in _HOMES:
            return _resolve(name)
        return super().__getattribute__(name)


sys.modules[__name__].__class__ = _Module
