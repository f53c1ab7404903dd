"""The operators: for each one its documented Python surface and the form of its results.

Phase 1 of the device decides what is legal.
"""

from .public import *  # noqa: F403  (its __all__ is the list)
from .public import __all__ as __all__
