"""The command ``aclquant``.

`table.COMMANDS` lists the commands. They are written with click, which comes with the ``cli``
extra; those in `plain` work without it.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

from .status import INTERRUPTED

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status; see `aclquant.cli.status`."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        try:
            from .app import main as with_click
        except ModuleNotFoundError as error:
            if error.name != "click":
                raise
            from .plain import main as without_click

            return without_click(given)
        except KeyboardInterrupt:  # while modules are imported
            sys.stderr.write("aclquant: interrupted\n")
            return INTERRUPTED
        return with_click(given)


def _show_warning(message: Warning | str, *_: object) -> None:
    """Write a warning as errors are written: one line, without a place in the sources."""
    sys.stderr.write(f"aclquant: {message}\n")
