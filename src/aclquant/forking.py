"""No fork in the middle of what a child could not finish.

A forked child has one thread. Locks that others held in the parent stay locked there, and modules
that others were importing stay unfinished. So whatever imports on demand or activates a backend
holds `lock`, and a fork waits for it.
"""

from __future__ import annotations

import os
import threading

__all__ = ["lock"]

lock = threading.RLock()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
    )
