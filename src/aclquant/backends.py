"""The one active backend: which libraries, opened how, and the state that belongs to them.

A backend is chosen by `use_backend`, else by ``ACLQUANT_BACKEND``, else "auto". It is loaded at
first use. A named backend is never replaced by another; "auto" takes CANN when it has a visible
device, else the host device.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import warnings
import weakref
from collections import Counter, deque
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, cast

from . import errors, forking, settings
from ._ffi import CData, ffi
from ._ffi.check import error_text, raise_for_status
from ._ffi.library import Library, load
from .bundled import stand_ins
from .shown import Shown
from .thread_state import forget_other_threads, local, other_threads

if TYPE_CHECKING:
    from .resource import Resource

__all__ = ["Backend", "backend", "use_backend"]

_DEBUGGING = ("ACLQUANT_TRACE", "ACLQUANT_RECORD", "ACLQUANT_SYNC")
ALREADY_INITIALISED = ffi.integer_const("ACL_ERROR_REPEAT_INITIALIZE")


class Backend(Shown):
    """A loaded and initialised backend; made by `backend`, not by hand.

    Examples
    --------
    >>> import aclquant as aq
    >>> aq.backend().name
    'host'
    >>> aq.backend().soc
    'Ascend910B1'
    """

    _hidden: tuple[str, ...] = (
        *("check", "deferred", "ending", "enter", "library", "live", "process"),
        *("require_usable", "shut_down", "visit", "warn", "why_unusable"),
    )

    def __init__(self, name: str, library: Library) -> None:
        self.name = name
        self.library = library
        self.usable = True
        self.process = os.getpid()
        self.ending = False
        """Whether the process ends without `shut_down`; finalisers then release nothing."""
        self.why_unusable = ""
        self.live: weakref.WeakSet[Resource] = weakref.WeakSet()
        self.deferred: deque[tuple[CData, CData, int]] = deque()
        self._device_uses: Counter[int] = Counter()
        if any(os.environ.get(name) for name in _DEBUGGING):
            # By name, as it stands above this module, and only now, as it is rarely wanted.
            session = importlib.import_module("aclquant.debug.session")
            session.from_environment(library)
        status = library.aclInit(ffi.NULL)
        if status not in (0, ALREADY_INITIALISED):
            raise_for_status(library, "aclInit", status)
        # Operators write their results whole: filling them first would only cost time.
        if library.has("aclquantSetPoison") and "ACLQUANT_HOST_POISON" not in os.environ:
            library.aclquantSetPoison(0)
        self.host_memory = self._has_host_memory()

    @cached_property
    def soc(self) -> str:
        """Name of the chip, such as Ascend910B1."""
        name = self.library.aclrtGetSocName()
        return str(ffi.string(name).decode()) if name else ""

    @cached_property
    def version(self) -> str:
        """Version of CANN that the libraries report; empty when they report none."""
        package = ffi.new("aclCANNPackageVersion *")
        get = "aclsysGetCANNVersion"
        if self.library.has(get):
            if not self.library.aclsysGetCANNVersion(
                ffi.integer_const("ACL_PKG_NAME_CANN"), package
            ):
                return str(ffi.string(package.version).decode())
            error_text(self.library)
        return ""

    @property
    def device_count(self) -> int:
        """Number of visible devices."""
        return _device_count(self.library)

    @property
    def libraries(self) -> list[dict[str, object]]:
        """One dictionary per opened library: path, real_path, how it was found, stub or not."""
        return self.library.describe()

    @property
    def kernels(self) -> dict[str, object] | None:
        """Variant of the host device's kernels in use, all that can run here, and their threads.

        None for a card. ``ACLQUANT_HOST_ISA`` and ``ACLQUANT_HOST_THREADS`` choose.
        """
        if not self.library.has("aclquantListIsas"):
            return None
        names = str(ffi.string(self.library.aclquantListIsas()).decode())
        return {
            "isa": str(ffi.string(self.library.aclquantGetIsa()).decode()),
            "usable": names.split(","),
            "threads": int(self.library.aclquantGetThreadCount()),
        }

    @cached_property
    def bundled_kernels(self) -> dict[str, str]:
        """Functions of aclquant that call an operator of the bundled kernel package, and which.

        Empty unless the package is installed and CANN lacks the operator on this chip; see
        `aclquant.kernels`.
        """
        return stand_ins(self.library, self.soc, self.version)

    def describe(self) -> dict[str, object]:
        """Return everything as plain data, ready for JSON."""
        return {
            "backend": self.name,
            "soc": self.soc,
            "version": self.version,
            "devices": self.device_count,
            "kernels": self.kernels,
            "bundled_kernels": self.bundled_kernels,
            "libraries": self.libraries,
            "environment": {"read": settings.read(), "problems": self._problems()},
        }

    def warn(self) -> None:
        """Warn about environment variables that are unknown or mean nothing."""
        for problem in self._problems():
            warnings.warn(f"environment: {problem}", UserWarning, stacklevel=2)

    def _problems(self) -> list[str]:
        kernels = self.kernels
        return settings.problems(isas=kernels and cast("list[str]", kernels["usable"]))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Backend belongs to this process: pickle its name, for use_backend")

    def __repr__(self) -> str:
        files = "".join(
            f"\n  {file.real_path} ({file.how}{', a stub library' if file.stub else ''})"
            for file in self.library.files
        )
        kernels = self.kernels
        if kernels is not None:
            usable = ", ".join(cast("list[str]", kernels["usable"]))
            files += f"\n  kernels: {kernels['isa']} (of {usable}), {kernels['threads']} thread(s)"
        if self.bundled_kernels:
            files += f"\n  bundled kernels: {', '.join(self.bundled_kernels)} (not in this CANN)"
        files += "".join(f"\n  {name}={value}" for name, value in settings.read().items())
        files += "".join(f"\n  problem: {problem}" for problem in self._problems())
        return (
            f"<Backend {self.name}: {self.soc}, CANN {self.version or 'unknown'}, "
            f"{self.device_count} device(s){files}>"
        )

    def check(self, function: str, status: int) -> None:
        """Raise the exception for a non-zero status of `function`."""
        if status:
            raise_for_status(self.library, function, status)

    def require_usable(self) -> None:
        """Refuse the use of an object whose backend is gone."""
        if not self.usable:
            raise errors.ResourceError(f"this object's backend {self.why_unusable}")

    def enter(self, device: int) -> None:
        """Make `device` current in this thread, if it is not."""
        if local.entered != (self, device):
            self.require_usable()
            self.check("aclrtSetDevice", self.library.aclrtSetDevice(device))
            self._device_uses[device] += 1
            local.entered = self, device

    def visit(self, device: int) -> AbstractContextManager[None]:
        """Make `device` current for a block, which may come between the steps of another call."""
        return _STAY if local.entered == (self, device) else _Visit(self, device)

    def shut_down(self, why: str) -> None:
        """Wait for all work, release everything that is ours, and give the library back."""
        if not self.usable:
            return
        for resource in list(self.live):
            with contextlib.suppress(errors.AclError):
                resource.abandon()
        for event, pointer, device in self.deferred:
            with contextlib.suppress(errors.AclError):
                self.enter(device)
            self.library.aclrtDestroyEvent(event)
            self.library.aclrtFree(pointer)
        self.deferred.clear()
        self.usable, self.why_unusable = False, why
        for device, uses in self._device_uses.items():
            for _ in range(uses):
                self.library.aclrtResetDevice(device)
        # Counted finalisation leaves other users of the process alone; plain aclFinalize does not.
        if self.library.has("aclFinalizeReference"):
            self.library.aclFinalizeReference(ffi.NULL)

    def _has_host_memory(self) -> bool:
        asks = self.library.has("aclquantGetCapability")
        number = ffi.integer_const("ACLQUANT_CAPABILITY_HOST_MEMORY")
        return asks and self.library.aclquantGetCapability(number) == 1


_NAMES = ("auto", "host", "cann")


class _Visit:
    """A block with another current device."""

    __slots__ = ("_backend", "_before", "_device")

    def __init__(self, backend: Backend, device: int) -> None:
        self._backend, self._device = backend, device
        self._before = local.entered

    def __enter__(self) -> None:
        self._backend.enter(self._device)

    def __exit__(self, *_: object) -> None:
        backend, device = self._before
        if backend is self._backend and self._backend.usable:
            self._backend.enter(device)


_STAY = contextlib.nullcontext()
_choice: str | None = None
_active: Backend | None = None
_warned = False


def backend() -> Backend:
    """Return the active backend, loading it at the first call.

    Returns
    -------
    Backend
        Readable as text; its `describe` gives plain data.

    Raises
    ------
    LibraryNotFoundError
        When the libraries are not there; the text lists every place tried.

    Examples
    --------
    >>> import aclquant as aq
    >>> aq.backend().describe()["devices"]
    1
    """
    return _active if _active is not None else _activate()


def active_backend() -> Backend | None:
    """Return the active backend; None before the first call."""
    return _active


def use_backend(name: str) -> None:
    """Choose the backend.

    Parameters
    ----------
    name : str
        "host", "cann", "auto" (CANN if it has a visible device, else the host device), or the
        path of a library, of a directory of libraries, or of a CANN installation.

    Raises
    ------
    LibraryNotFoundError
        When `name` is neither a backend nor a path, or when a backend is active and there is no
        such other one; the active one stays.
    ParameterError
        When `name` is not a string.
    ResourceError
        When objects of another, active backend are still open: close them first.

    Notes
    -----
    The libraries are loaded at first use. An active backend without open objects is shut down
    cleanly when another one is chosen; streams and workspaces that aclquant made for itself do not
    count.

    Examples
    --------
    >>> import aclquant as aq
    >>> aq.use_backend("host")
    """
    global _active, _choice
    if not isinstance(name, str):
        raise errors.ParameterError(
            function="aclquant.use_backend", argument="name", got=repr(name), allowed="a string"
        )
    if name not in _NAMES and "/" not in name and ".so" not in name and not os.path.exists(name):
        raise errors.LibraryNotFoundError(
            function="aclquant.use_backend",
            argument="name",
            got=repr(name),
            allowed="'auto', 'host', 'cann', or the path of a library or a directory",
        )
    with forking.lock:
        if _active is not None and name != (_choice or os.environ.get("ACLQUANT_BACKEND", "auto")):
            open_objects = [r for r in _active.live if not r.internal and not r.closed]
            if open_objects:
                kinds = Counter(type(r).__name__ for r in open_objects)
                raise errors.ResourceError(
                    "objects of the active backend are open: "
                    + ", ".join(f"{count} {kind}" for kind, count in kinds.items()),
                    function="aclquant.use_backend",
                )
            if name != "auto":
                load(name)  # what is not there does not replace what works
            _active.shut_down("was replaced by use_backend")
            _active = None
        _choice = name


def _activate() -> Backend:
    global _active, _warned
    with forking.lock:
        if _active is None:
            name = _choice or os.environ.get("ACLQUANT_BACKEND") or "auto"
            _active = _open_auto() if name == "auto" else Backend(name, load(name))
            if not _warned:
                _warned = True
                _active.warn()
        return _active


def _open_auto() -> Backend:
    with contextlib.suppress(errors.LibraryNotFoundError):
        library = load("cann")
        real = not any(file.stub for file in library.files)
        if real and _visible_devices(library):
            return Backend("cann", library)
    return Backend("host", load("host"))


def _visible_devices(library: Library) -> int:
    try:
        return _device_count(library)
    except errors.AclError:
        return 0


def _device_count(library: Library) -> int:
    count = ffi.new("uint32_t *")
    status = library.aclrtGetDeviceCount(count)
    if status:
        raise_for_status(library, "aclrtGetDeviceCount", status)
    return int(count[0])


def _at_exit() -> None:
    global _active
    if _active is None:
        return
    if other_threads():
        # Daemon threads may be in the middle of a call. Nothing is taken away from them: the end of
        # the process releases everything.
        _active.ending = True
    else:
        _active.shut_down("was shut down at the end of the program")
        _active = None  # handlers that were registered before this one, and finalisers, may call


def _after_fork() -> None:
    """Forget the parent's device: its handles mean nothing in the child."""
    global _active
    # First of all, so that objects which are collected meanwhile do not close what is the parent's.
    if _active is not None:
        _active.usable, _active.why_unusable = False, "belongs to the parent of this forked process"
        for resource in list(_active.live):
            resource.lose()
        _active = None
    forget_other_threads()
    local.entered = None, -1


atexit.register(_at_exit)
os.register_at_fork(after_in_child=_after_fork)
