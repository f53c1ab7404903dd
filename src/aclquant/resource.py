"""What all objects over a native resource have in common."""

from __future__ import annotations

import os
import warnings
from typing import NoReturn, TypeVar

from . import errors
from .backends import Backend
from .shown import Shown

__all__ = ["Resource"]

R = TypeVar("R", bound="Resource")


class Resource(Shown):
    """Owner of one native object: closed once, explicitly or at the end of a ``with`` block.

    Subclasses implement `_release`, and call this constructor last: what fails before, such as a
    deep recursion or Ctrl-C, leaves an object that counts as closed. `internal` objects are made
    by aclquant for itself.
    """

    internal = False
    _warns = True
    _hidden: tuple[str, ...] = ("abandon", "internal", "lose", "require_open")

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.closed = False
        backend.live.add(self)

    def close(self) -> None:
        """Release the native object; later calls do nothing."""
        if self.closed:
            return
        self.backend.require_usable()
        self.closed = True
        self._release()

    def abandon(self) -> None:
        """Release at the end of the backend, whoever still holds the object."""
        self._warns = False
        self.close()

    def lose(self) -> None:
        """Note, in a forked child, that the native object is the parent's."""

    def require_open(self) -> None:
        """Refuse the use of a closed object, or of one whose backend is gone."""
        if self.closed:
            raise errors.ResourceError(f"this {type(self).__name__} is closed")
        self.backend.require_usable()

    def _release(self) -> None:
        raise NotImplementedError

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} has one owner: it cannot be copied or pickled")

    def __enter__(self: R) -> R:
        self.require_open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "closed", True) or not self.backend.usable or self.backend.ending:
            return
        if self.backend.process != os.getpid():
            # A forked child drops the states of all other threads before the fork handlers run:
            # their objects belong to the parent.
            return
        if self._warns and not self.internal:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
        try:
            self.close()
        except errors.AclError as error:
            warnings.warn(f"closing {self!r}: {error}", ResourceWarning, stacklevel=2)
