"""Where libraries are searched, in which order, and what became of each place.

Host device
    1. the file named by ``ACLQUANT_HOST_LIBRARY`` (nothing else is then tried),
    2. ``aclquant/_toolkit/lib64/libaclquant_host.so``, which the package brings along.

CANN
    1. the path given to ``use_backend`` or ``ACLQUANT_BACKEND`` (nothing else is then tried),
    2. what this process has already loaded (torch_npu, for instance),
    3. ``$ASCEND_HOME_PATH/lib64``, 4. ``$ASCEND_TOOLKIT_HOME/lib64``,
    5. ``/usr/local/Ascend/cann/lib64``, 6. ``/usr/local/Ascend/ascend-toolkit/latest/lib64``,
    7. the system's own search (``LD_LIBRARY_PATH``, ld.so.cache).

    The toolkit tree of the host device (``aclquant toolkitdir``) is not taken for a CANN.
    The place that has the runtime library must have the others. Operators are looked up in
    custom packages first (``ASCEND_CUSTOM_OPP_PATH``, then ``$ASCEND_OPP_PATH/vendors``), as
    torch_npu does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from .. import __path__ as _FOLDERS

__all__ = [
    "FEATURES", "HEADERS", "HOST_LIBRARY", "LIBRARIES", "META", "OPERATORS", "RUNTIME", "TOOLKIT",
    "Place", "bundled", "places",
]  # fmt: skip

HOST_LIBRARY = "libaclquant_host.so"

TOOLKIT = "_toolkit"
"""The folder of the package that is laid out like an installation of CANN."""

LIBRARIES = f"{TOOLKIT}/lib64"
HEADERS = f"{TOOLKIT}/include"

RUNTIME = ("libascendcl.so", "libacl_rt.so")
META = ("libnnopbase.so",)
OPERATORS = (("libopapi.so",), ("libopapi_nn.so", "libopapi_math.so"))
"""Operator libraries: one of these groups; the later one is the newer split."""

FEATURES = ("libopapi_cv.so", "libopapi_transformer.so")


class Place(NamedTuple):
    """One place to look at: a file, a directory, or (empty path) the dynamic loader itself."""

    path: str
    how: str
    loaded_only: bool = False

    def file(self, name: str) -> str:
        """Return what to hand to dlopen for the library `name` in this place."""
        return os.path.join(self.path, name) if self.path else name


def bundled(name: str) -> str:
    """Return the path of a file or folder that was built into the package, such as ``_kernels``.

    An editable install keeps the sources in the checkout and the built files in site-packages;
    the package's search path then has both. It was looked up at the import: finalisers may call
    after ``sys.modules`` was emptied.
    """
    paths = [os.path.join(folder, name) for folder in _FOLDERS]
    return next((path for path in paths if os.path.exists(path)), paths[0])


def places(backend: str) -> Iterator[Place]:
    """Yield the places for "host", "cann" or a path, in order."""
    if backend == "host":
        override = os.environ.get("ACLQUANT_HOST_LIBRARY")
        if override:
            yield Place(override, "ACLQUANT_HOST_LIBRARY")
            return  # what was named is not replaced by something else
        yield Place(os.path.join(bundled(LIBRARIES), HOST_LIBRARY), "bundled with aclquant")
    elif backend == "cann":
        yield Place("", "already loaded in this process", loaded_only=True)
        for variable in ("ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME"):
            root = os.environ.get(variable)
            if root and not _is_host_device(root):
                yield Place(os.path.join(root, "lib64"), variable)
        for root in ("cann", "ascend-toolkit/latest"):
            yield Place(f"/usr/local/Ascend/{root}/lib64", "default installation")
        yield Place("", "system loader")
    elif os.path.isdir(os.path.join(backend, "lib64")):
        yield Place(os.path.join(backend, "lib64"), "given path")
    else:
        yield Place(backend, "given path")


def _is_host_device(root: str) -> bool:
    """Tell whether a directory is the toolkit tree of an aclquant, which is not a CANN."""
    return os.path.exists(os.path.join(root, "lib64", HOST_LIBRARY))


def custom_operator_libraries() -> Iterator[Place]:
    """Yield the operator libraries of custom packages, in the order torch_npu uses."""
    roots = [root for root in os.environ.get("ASCEND_CUSTOM_OPP_PATH", "").split(":") if root]
    files = [(root, "ASCEND_CUSTOM_OPP_PATH") for root in roots]
    opp = os.environ.get("ASCEND_OPP_PATH")
    if opp:
        vendors = os.path.join(opp, "vendors")
        files += [(os.path.join(vendors, name), "custom vendor") for name in _vendors(vendors)]
    for root, how in files:
        path = os.path.join(root, "op_api", "lib", "libcust_opapi.so")
        # Code of another user is not run; root's is, for everybody.
        if os.path.isfile(path) and os.stat(path).st_uid in (0, os.getuid()):
            yield Place(path, how)


def _vendors(folder: str) -> list[str]:
    try:
        with open(os.path.join(folder, "config.ini"), encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return []
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "load_priority":
            return [name.strip() for name in value.split(",") if name.strip()]
    return []


def is_stub(path: str) -> bool:
    """Tell whether a library is one of the link-time stubs, which do nothing at run time."""
    return not {"devlib", "stub", "stubs"}.isdisjoint(path.split(os.sep))
