"""Where the package is, and signatures without annotations."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import aclquant
from aclquant._ffi.locate import HEADERS, LIBRARIES, bundled

PACKAGE = Path(aclquant.__file__).parent
INCLUDE = Path(bundled(HEADERS))
HOST_LIBRARY = Path(bundled(LIBRARIES)) / "libaclquant_host.so"


def plain_signature(function: Callable[..., Any]) -> str:
    """Return names, order, kinds and defaults of the arguments, without annotations."""
    got = signature(function)
    empty = Parameter.empty
    plain = got.replace(
        parameters=[p.replace(annotation=empty) for p in got.parameters.values()],
        return_annotation=empty,
    )
    return str(plain)
