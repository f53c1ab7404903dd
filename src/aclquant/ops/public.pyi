"""The operations, as type checkers see them.

Written by docs/generate_stubs.py.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias, overload

import numpy.typing as npt

from ..device import Device
from ..dtypes import DTypeLike
from ..stream import Stream
from ..tensor import Tensor
from .common import Factor, Host, Operand

Array: TypeAlias = npt.NDArray[Any]

__all__ = [
    "anti_quant",
    "dynamic_quant",
    "dynamic_quant_asymmetric",
    "quant_matmul",
    "quantize",
    "trans_quant_param",
]

@overload
def anti_quant(  # type: ignore[overload-overlap]
    x: Tensor,
    scale: Factor,
    *,
    offset: Factor | None = None,
    dst_dtype: DTypeLike | None = None,
    src_dtype: DTypeLike | None = None,
    out: Tensor | None = None,
    stream: Stream | None = None,
    device: Device | int | None = None,
) -> Tensor: ...
@overload
def anti_quant(
    x: Host,
    scale: Factor,
    *,
    offset: Factor | None = None,
    dst_dtype: DTypeLike | None = None,
    src_dtype: DTypeLike | None = None,
    out: Array | None = None,
    stream: Stream | None = None,
    device: Device | int | None = None,
) -> Array: ...
@overload
def dynamic_quant(  # type: ignore[overload-overlap]
    x: Tensor,
    *,
    smooth_scales: Factor | None = None,
    group_index: Factor | None = None,
    dst_type: DTypeLike | None = None,
    quant_mode: str = "pertoken",
    dst_type_max: float = 0.0,
    out: tuple[Tensor | None, Tensor | None] | None = None,
    stream: Stream | None = None,
    device: Device | int | None = None,
) -> tuple[Tensor, Tensor]: ...
@overload
def dynamic_quant(
    x: Host,
    *,
    smooth_scales: Factor | None = None,
    group_index: Factor | None = None,
    dst_type: DTypeLike | None = None,
    quant_mode: str = "pertoken",
    dst_type_max: float = 0.0,
    out: tuple[Array | None, Array | None] | None = None,
    stream: Stream | None = None,
    device: Device | int | None = None,
) -> tuple[Array, Array]: ...
@overload
def dynamic_quant_asymmetric(  # type: ignore[overload-overlap]
    x: Tensor,
    *,
    smooth_scales: Factor | None = None,
    group_index: Factor | None = None,
    dst_type: DTypeLike | None = None,
    quant_mode: str = "pertoken",
    out: tuple[Tensor | None, Tensor | None, Tensor | None] | None = None,
    stream: Stream | None = None,
    device: Device | int | None = None,
) -> tuple[Tensor, Tensor, Tensor]: ...
@overload
def dynamic_quant_asymmetric(
    x: Host,
    *,
    smooth_scales: Factor | None = None,
    group_index: Factor | None = None,
    dst_type: DTypeLike | None = None,
    quant_mode: str = "pertoken",
    out: tuple[Array | None, Array | None, Array | None] | None = None,
    stream: Stream | None = None,
    device: Device | int | None = None,
) -> tuple[Array, Array, Array]: ...
@overload
def quant_matmul(  # type: ignore[overload-overlap]
    x1: Tensor,
    x2: Operand,
    scale: Factor,
    *,
    offset: Factor | None = None,
    pertoken_scale: Factor | None = None,
    bias: Factor | None = None,
    output_dtype: DTypeLike | None = None,
    x1_dtype: DTypeLike | None = None,
    x2_dtype: DTypeLike | None = None,
    pertoken_scale_dtype: DTypeLike | None = None,
    scale_dtype: DTypeLike | None = None,
    group_sizes: Sequence[int] | None = None,
    y_scale: Factor | None = None,
    out: Tensor | None = None,
    stream: Stream | None = None,
    device: Device | int | None = None,
) -> Tensor: ...
@overload
def quant_matmul(
    x1: Host,
    x2: Operand,
    scale: Factor,
    *,
    offset: Factor | None = None,
    pertoken_scale: Factor | None = None,
    bias: Factor | None = None,
    output_dtype: DTypeLike | None = None,
    x1_dtype: DTypeLike | None = None,
    x2_dtype: DTypeLike | None = None,
    pertoken_scale_dtype: DTypeLike | None = None,
    scale_dtype: DTypeLike | None = None,
    group_sizes: Sequence[int] | None = None,
    y_scale: Factor | None = None,
    out: Array | None = None,
    stream: Stream | None = None,
    device: Device | int | None = None,
) -> Array: ...
@overload
def quantize(  # type: ignore[overload-overlap]
    x: Tensor,
    scales: Factor,
    zero_points: Factor | None = None,
    dtype: DTypeLike = "qint8",
    axis: int = 1,
    div_mode: bool = True,
    *,
    out: Tensor | None = None,
    stream: Stream | None = None,
    device: Device | int | None = None,
) -> Tensor: ...
@overload
def quantize(
    x: Host,
    scales: Factor,
    zero_points: Factor | None = None,
    dtype: DTypeLike = "qint8",
    axis: int = 1,
    div_mode: bool = True,
    *,
    out: Array | None = None,
    stream: Stream | None = None,
    device: Device | int | None = None,
) -> Array: ...
@overload
def trans_quant_param(  # type: ignore[overload-overlap]
    scale: Tensor,
    offset: Factor | None = None,
    round_mode: int | None = 0,
    *,
    out: Tensor | None = None,
    stream: Stream | None = None,
    device: Device | int | None = None,
) -> Tensor: ...
@overload
def trans_quant_param(
    scale: Host,
    offset: Factor | None = None,
    round_mode: int | None = 0,
    *,
    out: Array | None = None,
    stream: Stream | None = None,
    device: Device | int | None = None,
) -> Array: ...
