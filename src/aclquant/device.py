"""Devices, and which one a thread uses."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Concatenate, NoReturn, ParamSpec, Protocol, TypeVar

from . import backends as _backends
from . import errors
from ._ffi import ffi
from .backends import Backend
from .shown import Shown
from .thread_state import this_thread

__all__ = ["Device", "current_device", "devices", "on_its_device"]

P = ParamSpec("P")
R = TypeVar("R")


class OnDevice(Protocol):
    """An object that belongs to a device."""

    device: Device


S = TypeVar("S", bound=OnDevice)


def on_its_device(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Run a method with its object's device current in the thread."""

    @functools.wraps(method)
    def visiting(self: S, /, *arguments: P.args, **named: P.kwargs) -> R:
        with self.device.visit():
            return method(self, *arguments, **named)

    return visiting


class Device(Shown):
    """One device of the active backend.

    As a context manager it is the current device of the thread.

    Parameters
    ----------
    number : int, optional
        0 to ``len(devices()) - 1``.

    Examples
    --------
    >>> import aclquant as aq
    >>> with aq.Device(0) as device:
    ...     print(device.name)
    Ascend910B1
    """

    __slots__ = ("backend", "number")
    _hidden: tuple[str, ...] = ("enter", "visit")

    def __init__(self, number: int = 0) -> None:
        self.backend: Backend = _backends.backend()
        count = self.backend.device_count
        if not 0 <= number < count:
            raise errors.ParameterError(
                function="aclquant.Device",
                argument="number",
                got=str(number),
                allowed=f"0 to {count - 1}" if count else "nothing: there is no device",
            )
        self.number = number

    @property
    def name(self) -> str:
        """Name of the chip."""
        return self.backend.soc

    @property
    def memory(self) -> tuple[int, int]:
        """Free and total bytes of device memory."""
        free, total = ffi.new("size_t *"), ffi.new("size_t *")
        attribute = ffi.integer_const("ACL_HBM_MEM")
        with self.visit():
            status = self.backend.library.aclrtGetMemInfo(attribute, free, total)
        self.backend.check("aclrtGetMemInfo", status)
        return int(free[0]), int(total[0])

    def capability(self, name: str) -> bool:
        """Tell whether the device can do something.

        Parameters
        ----------
        name : str
            "host_memory": kernels can use lent host memory in place, without a copy.
        """
        if name != "host_memory":
            raise errors.ParameterError(
                function="aclquant.Device.capability",
                argument="name",
                got=repr(name),
                allowed="'host_memory'",
            )
        return self.backend.host_memory

    def enter(self) -> None:
        """Make this device current for the C calls of this thread."""
        self.backend.enter(self.number)

    def visit(self) -> AbstractContextManager[None]:
        """Make this device current for the C calls of a block."""
        return self.backend.visit(self.number)

    def synchronize(self) -> None:
        """Wait until all streams of the device are done.

        Raises
        ------
        DeviceError
            When work that was launched before went wrong.
        """
        with self.visit():
            status = self.backend.library.aclrtSynchronizeDevice()
        self.backend.check("aclrtSynchronizeDevice", status)

    def __enter__(self) -> Device:
        self.backend.require_usable()
        this_thread().devices.append(self)
        this_thread().blocks += 1
        return self

    def __exit__(self, *_: object) -> None:
        this_thread().devices.pop()
        this_thread().blocks -= 1

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Device):
            return NotImplemented
        return self.backend is other.backend and self.number == other.number

    def __hash__(self) -> int:
        return hash((id(self.backend), self.number))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Device belongs to this process: pickle its number")

    def __repr__(self) -> str:
        return f"Device({self.number})"


def devices() -> list[Device]:
    """Return the devices of the active backend.

    Examples
    --------
    >>> import aclquant as aq
    >>> aq.devices()
    [Device(0)]
    """
    return [Device(number) for number in range(_backends.backend().device_count)]


_default: Device | None = None


def current_device() -> Device:
    """Return the device that this thread uses: of the innermost ``with``, else number 0.

    Examples
    --------
    >>> import aclquant as aq
    >>> aq.current_device()
    Device(0)
    """
    global _default
    if this_thread().devices:
        return this_thread().devices[-1]
    default = _default
    if default is None or default.backend is not _backends.active_backend():
        default = _default = Device(0)
    return default


def as_device(device: Device | int | None) -> Device:
    """Return the Device for an argument ``device=``."""
    if device is None:
        return current_device()
    if isinstance(device, Device):
        return device
    if not isinstance(device, int) or isinstance(device, bool):
        raise errors.ParameterError(
            argument="device", got=repr(device), allowed="a Device, its number, or None"
        )
    return Device(device)
