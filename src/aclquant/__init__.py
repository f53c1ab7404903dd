"""aclquant: CANN's quantisation operators for NumPy, on a card or on any Linux machine.

Importing it loads no library and reads no environment variable; the first call does. See `backend`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import forking as _forking

__version__ = "0.1.0"

_HOMES = {
    "errors": (
        *("AclError", "DeviceError", "DtypeError", "InternalError", "LibraryNotFoundError"),
        *("NotSupportedError", "NullError", "OutOfMemoryError", "ParameterError"),
        *("RangeError", "ResourceError", "SymbolNotFoundError"),
    ),
    "codes": ("explain",),
    "dtypes": (
        *("DType", "as_dtype", "bfloat16", "float16", "float32", "float8_e4m3fn", "float8_e5m2"),
        *("hifloat8", "int16", "int32", "int4", "int64", "int8", "qint32", "qint8", "quint4x2"),
        *("quint8", "uint16", "uint32", "uint64", "uint8"),
    ),
    "backends": ("Backend", "backend", "use_backend"),
    "device": ("Device", "current_device", "devices"),
    "stream": ("Event", "Stream", "current_stream"),
    "memory": ("Buffer", "HostBuffer"),
    "graphs": ("Graph", "capture"),
    "tensor": ("Tensor", "asarray", "empty"),
    "packing": ("pack_int4", "unpack_int4"),
    "debug.session": ("record", "trace"),
    "plans": ("Plan", "plan"),
    "kept": ("forget_plans",),
    "quantized_weight": ("QuantizedWeight", "quantize_weight"),
    "stand_in": ("activate",),
    "ops": (
        *("anti_quant", "dynamic_quant", "dynamic_quant_asymmetric", "quant_matmul", "quantize"),
        "trans_quant_param",
    ),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}
_MODULES = ("aclnn", "checkpoint", "debug", "errors", "torch_npu")

__all__ = sorted([*_HOME, *_MODULES, "__version__"])

if TYPE_CHECKING:
    from . import aclnn as aclnn
    from . import checkpoint as checkpoint
    from . import debug as debug
    from . import errors as errors
    from . import torch_npu as torch_npu
    from .backends import Backend as Backend
    from .backends import backend as backend
    from .backends import use_backend as use_backend
    from .codes import explain as explain
    from .debug.session import record as record
    from .debug.session import trace as trace
    from .device import Device as Device
    from .device import current_device as current_device
    from .device import devices as devices
    from .dtypes import DType as DType
    from .dtypes import as_dtype as as_dtype
    from .dtypes import bfloat16 as bfloat16
    from .dtypes import float8_e4m3fn as float8_e4m3fn
    from .dtypes import float8_e5m2 as float8_e5m2
    from .dtypes import float16 as float16
    from .dtypes import float32 as float32
    from .dtypes import hifloat8 as hifloat8
    from .dtypes import int4 as int4
    from .dtypes import int8 as int8
    from .dtypes import int16 as int16
    from .dtypes import int32 as int32
    from .dtypes import int64 as int64
    from .dtypes import qint8 as qint8
    from .dtypes import qint32 as qint32
    from .dtypes import quint4x2 as quint4x2
    from .dtypes import quint8 as quint8
    from .dtypes import uint8 as uint8
    from .dtypes import uint16 as uint16
    from .dtypes import uint32 as uint32
    from .dtypes import uint64 as uint64
    from .errors import AclError as AclError
    from .errors import DeviceError as DeviceError
    from .errors import DtypeError as DtypeError
    from .errors import InternalError as InternalError
    from .errors import LibraryNotFoundError as LibraryNotFoundError
    from .errors import NotSupportedError as NotSupportedError
    from .errors import NullError as NullError
    from .errors import OutOfMemoryError as OutOfMemoryError
    from .errors import ParameterError as ParameterError
    from .errors import RangeError as RangeError
    from .errors import ResourceError as ResourceError
    from .errors import SymbolNotFoundError as SymbolNotFoundError
    from .graphs import Graph as Graph
    from .graphs import capture as capture
    from .kept import forget_plans as forget_plans
    from .memory import Buffer as Buffer
    from .memory import HostBuffer as HostBuffer
    from .ops.public import anti_quant as anti_quant
    from .ops.public import dynamic_quant as dynamic_quant
    from .ops.public import dynamic_quant_asymmetric as dynamic_quant_asymmetric
    from .ops.public import quant_matmul as quant_matmul
    from .ops.public import quantize as quantize
    from .ops.public import trans_quant_param as trans_quant_param
    from .packing import pack_int4 as pack_int4
    from .packing import unpack_int4 as unpack_int4
    from .plans import Plan as Plan
    from .plans import plan as plan
    from .quantized_weight import QuantizedWeight as QuantizedWeight
    from .quantized_weight import quantize_weight as quantize_weight
    from .stand_in import activate as activate
    from .stream import Event as Event
    from .stream import Stream as Stream
    from .stream import current_stream as current_stream
    from .tensor import Tensor as Tensor
    from .tensor import asarray as asarray
    from .tensor import empty as empty


if not TYPE_CHECKING:  # type checkers know the names above, and no others

    def __getattr__(name: str) -> Any:
        home = _HOME.get(name)
        if home is None and name not in _MODULES:
            raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
        with _forking.lock:
            if home is None:
                return importlib.import_module(f"{__name__}.{name}")
            value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return __all__
