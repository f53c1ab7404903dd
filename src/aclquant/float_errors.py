"""Conversions without NumPy's floating-point warnings and errors.

A number too large for a type becomes an infinity of it, whatever `numpy.seterr` says. Not with
`numpy.errstate`: it changes the thread's context, and a call inside a call (from the garbage
collector, in CPython up to 3.11) would change it in the middle of that.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

__all__ = ["quietly"]

R = TypeVar("R")

_in_context = int(np.__version__.partition(".")[0]) >= 2  # where NumPy keeps its error state
_quiet = contextvars.Context()
if _in_context:
    _quiet.run(np.seterr, all="ignore")


def quietly(function: Callable[..., R], *arguments: Any) -> R:
    """Call a NumPy function that may overflow or underflow."""
    if _in_context:
        return _quiet.copy().run(function, *arguments)
    with np.errstate(all="ignore"):
        return function(*arguments)
