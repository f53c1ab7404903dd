"""Other programs under the tracer: their environment, and running them to their end."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from .._ffi.locate import LIBRARIES, bundled
from .session import TRACER

__all__ = ["environment", "run"]


def environment(
    settings: Mapping[str, str], *, backend: str = "host", base: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the environment in which a program runs under the tracer.

    Parameters
    ----------
    settings : mapping
        Variables of the tracer: ``ACLQUANT_TRACE`` and the others.
    backend : str
        "host": the program finds the host device under CANN's names. Anything else: it finds what
        it would find without us.
    base : mapping, optional
        What to start from; this process's environment by default.
    """
    found = dict(os.environ if base is None else base)
    if backend == "host":
        from ..stand_in import environment as stand_in

        found = stand_in(found)
    elif backend not in ("", "cann"):
        folder = os.path.join(backend, "lib64")
        folder = folder if os.path.isdir(folder) else backend
        folder = os.path.dirname(os.path.abspath(folder)) if os.path.isfile(folder) else folder
        others = found.get("LD_LIBRARY_PATH", "")
        found["LD_LIBRARY_PATH"] = f"{folder}:{others}" if others else folder
        found["ACLQUANT_BACKEND"] = backend
    library = os.path.join(bundled(LIBRARIES), TRACER)
    before = found.get("LD_PRELOAD", "")
    found["LD_PRELOAD"] = f"{library}:{before}" if before else library
    return found | dict(settings)


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program to its end and return its exit status, as a shell reports it.

    Signals that ask this process to end are handed on.

    Raises
    ------
    OSError
        When the program cannot be executed.
    """
    process = subprocess.Popen(list(command), env=dict(environment))
    handlers = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        handlers[number] = signal.signal(number, lambda n, _: process.send_signal(n))
    # Ctrl-C reaches the program by itself: the terminal sends it to both.
    handlers[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        status = process.wait()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return 128 - status if status < 0 else status
