"""The binding: types and prototypes made from ``include/``, library search, symbol look-up.

``ffi`` is the compiled cffi object with every type of the headers. It is made at build time;
importing this package loads no library.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    ffi: Any  # the compiled object has more than cffi.FFI
else:
    try:
        from ._types import ffi
    except ImportError as error:
        raise ImportError(
            "aclquant._ffi._types is missing: it is generated when the package is built "
            "(pip install ., or run src/aclquant/_ffi/generate.py --include include "
            "--output src/aclquant/_ffi)"
        ) from error

CData = Any
"""What cffi hands out: opaque to type checkers."""

__all__ = ["CData", "ffi"]
