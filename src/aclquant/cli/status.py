"""Exit statuses, and the error that a command raises to end with one line on stderr."""

from __future__ import annotations

__all__ = [
    "FAILED", "FOUND", "INTERRUPTED", "NOT_EXECUTABLE", "NOT_FOUND", "TERMINATED", "WRONG_USAGE",
    "Complaint",
]  # fmt: skip

FAILED = 1
"""The command could not do its work."""
WRONG_USAGE = 2
"""The command line is wrong."""
FOUND = 3
"""The command did its work, and found what it was told to look for: a fault, a difference."""
NOT_EXECUTABLE = 126
"""``run``, ``trace``, ``record``: the program is there but cannot be executed, as shells say it."""
NOT_FOUND = 127
"""``run``, ``trace``, ``record``: there is no such program, as shells say it."""
INTERRUPTED = 130
"""Ctrl-C."""
TERMINATED = 143
"""SIGTERM."""


class Complaint(Exception):
    """What the user has to hear, in one line and in the user's words."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status
