"""Let programs written for CANN find the host device: by the environment, or in this process.

A program such as torch_npu loads CANN's libraries by name. The package has a library for each of
these names, all of them leading to the host device, in a tree laid out like an installation of
CANN. ``set_env.sh`` in that tree sets the same variables in a shell.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from . import errors
from ._ffi.locate import TOOLKIT, bundled

__all__ = ["activate", "environment"]

_TOOLKIT = Path(bundled(TOOLKIT))
_LIBRARIES = _TOOLKIT / "lib64"
_PYTHON = _TOOLKIT / "python" / "site-packages"


def _settings(given: Mapping[str, str]) -> dict[str, str]:
    return {
        # torch_npu hands out large pieces of memory itself: filling those shows nothing.
        "ACLQUANT_HOST_POISON": given.get("ACLQUANT_HOST_POISON", "0"),
        "ASCEND_HOME_PATH": str(_TOOLKIT),
        "ASCEND_TOOLKIT_HOME": str(_TOOLKIT),
        "ASCEND_OPP_PATH": str(_TOOLKIT / "opp"),
        "ACLQUANT_BACKEND": "host",
        # So torch_npu asks before each operator it calls by name, and raises at once.
        "ACL_OP_INIT_MODE": "1",
    }


def environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment in which a program for CANN runs on the host device.

    Parameters
    ----------
    base : Mapping[str, str], optional
        What to start from; this process's environment by default.

    Returns
    -------
    dict[str, str]
        With ``LD_LIBRARY_PATH``, the variables that tell where CANN is, and ``PYTHONPATH``. The
        host device's module ``acl`` comes last there, so that CANN's wins.

    Examples
    --------
    >>> from aclquant.stand_in import environment
    >>> environment({"HOME": "/root"})["ACL_OP_INIT_MODE"]
    '1'
    """
    found = dict(os.environ if base is None else base)
    found["LD_LIBRARY_PATH"] = ":".join([str(_LIBRARIES), *_paths(found, "LD_LIBRARY_PATH")])
    found["PYTHONPATH"] = ":".join([*_paths(found, "PYTHONPATH"), str(_PYTHON)])
    return found | _settings(found)


def _paths(environment: Mapping[str, str], name: str) -> list[str]:
    """Return the directories in a variable without ours, which go to their place once."""
    ours = (str(_LIBRARIES), str(_PYTHON))
    return [path for path in environment.get(name, "").split(":") if path and path not in ours]


def activate() -> None:
    """Make CANN's library names mean the host device in this process.

    Call it before anything loads CANN: before ``import torch`` where torch_npu is installed, as
    torch loads torch_npu by itself. ``import acl`` then finds the host device's stand-in for pyACL,
    unless there is another module of that name.

    Raises
    ------
    ResourceError
        When torch_npu, or CANN itself, is loaded already.

    Examples
    --------
    >>> import aclquant
    >>> aclquant.activate()
    """
    if "torch_npu" in sys.modules and not _is_ours("libascendcl.so"):
        raise errors.ResourceError(
            "torch_npu is loaded already, with other libraries; activate before importing torch",
            function="aclquant.activate",
        )
    # The loader takes later requests for these names to mean what it has loaded under them.
    for library in sorted(_LIBRARIES.glob("lib*.so")):
        if library.name not in ("libaclquant_host.so", "libaclquant_trace.so"):
            if _is_loaded(library.name) and not _is_ours(library.name):
                raise errors.ResourceError(
                    f"another {library.name} is loaded already", function="aclquant.activate"
                )
            ctypes.CDLL(str(library))
    os.environ.update(_settings(os.environ))
    if importlib.util.find_spec("acl") is None:
        sys.path.append(str(_PYTHON))


def _is_loaded(name: str) -> bool:
    try:
        ctypes.CDLL(name, mode=os.RTLD_NOLOAD)
    except OSError:
        return False
    return True


def _is_ours(name: str) -> bool:
    try:
        return hasattr(ctypes.CDLL(name, mode=os.RTLD_NOLOAD), "aclquantVersion")
    except OSError:
        return False
