"""torch_npu's functions, as type checkers see them.

Written by docs/generate_stubs.py.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias, overload

import numpy.typing as npt

from .dtypes import DTypeLike
from .ops.common import Factor, Host, Operand
from .tensor import Tensor

Array: TypeAlias = npt.NDArray[Any]

__all__ = [
    "npu_anti_quant",
    "npu_dynamic_quant",
    "npu_dynamic_quant_asymmetric",
    "npu_quant_matmul",
    "npu_quantize",
    "npu_trans_quant_param",
]

@overload
def npu_anti_quant(  # type: ignore[overload-overlap]
    x: Tensor,
    scale: Factor,
    *,
    offset: Factor | None = None,
    dst_dtype: DTypeLike | None = None,
    src_dtype: DTypeLike | None = None,
) -> Tensor: ...
@overload
def npu_anti_quant(
    x: Host,
    scale: Factor,
    *,
    offset: Factor | None = None,
    dst_dtype: DTypeLike | None = None,
    src_dtype: DTypeLike | None = None,
) -> Array: ...
@overload
def npu_dynamic_quant(  # type: ignore[overload-overlap]
    input: Tensor,
    *,
    smooth_scales: Factor | None = None,
    group_index: Factor | None = None,
    dst_type: DTypeLike | None = None,
    quant_mode: str = "pertoken",
    dst_type_max: float = 0.0,
) -> tuple[Tensor, Tensor]: ...
@overload
def npu_dynamic_quant(
    input: Host,
    *,
    smooth_scales: Factor | None = None,
    group_index: Factor | None = None,
    dst_type: DTypeLike | None = None,
    quant_mode: str = "pertoken",
    dst_type_max: float = 0.0,
) -> tuple[Array, Array]: ...
@overload
def npu_dynamic_quant_asymmetric(  # type: ignore[overload-overlap]
    input: Tensor,
    *,
    smooth_scales: Factor | None = None,
    group_index: Factor | None = None,
    dst_type: DTypeLike | None = None,
    quant_mode: str = "pertoken",
) -> tuple[Tensor, Tensor, Tensor]: ...
@overload
def npu_dynamic_quant_asymmetric(
    input: Host,
    *,
    smooth_scales: Factor | None = None,
    group_index: Factor | None = None,
    dst_type: DTypeLike | None = None,
    quant_mode: str = "pertoken",
) -> tuple[Array, Array, Array]: ...
@overload
def npu_quant_matmul(  # type: ignore[overload-overlap]
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
) -> Tensor: ...
@overload
def npu_quant_matmul(
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
) -> Array: ...
@overload
def npu_quantize(  # type: ignore[overload-overlap]
    input: Tensor,
    scales: Factor,
    zero_points: Factor | None,
    dtype: DTypeLike,
    axis: int = 1,
    div_mode: bool = True,
) -> Tensor: ...
@overload
def npu_quantize(
    input: Host,
    scales: Factor,
    zero_points: Factor | None,
    dtype: DTypeLike,
    axis: int = 1,
    div_mode: bool = True,
) -> Array: ...
@overload
def npu_trans_quant_param(  # type: ignore[overload-overlap]
    scale: Tensor,
    offset: Factor | None = None,
    round_mode: int | None = 0,
) -> Tensor: ...
@overload
def npu_trans_quant_param(
    scale: Host,
    offset: Factor | None = None,
    round_mode: int | None = 0,
) -> Array: ...
