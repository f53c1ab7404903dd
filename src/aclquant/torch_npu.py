"""The operators under torch_npu's names and signatures.

Documented calls run after changing one import::

    from aclquant import torch_npu
    torch_npu.npu_quantize(x, scales, zero_points, torch.qint8, axis=0)

The signatures are those of torch_npu 2.13. Arrays, aclquant's Tensors and CPU tensors go in; types
and shapes stand in the functions of aclquant itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .dtypes import DTypeLike
from .ops import (
    anti_quant,
    dynamic_quant,
    dynamic_quant_asymmetric,
    quant_matmul,
    quantize,
    trans_quant_param,
)

__all__ = [
    "npu_anti_quant",
    "npu_dynamic_quant",
    "npu_dynamic_quant_asymmetric",
    "npu_quant_matmul",
    "npu_quantize",
    "npu_trans_quant_param",
]


def npu_quantize(
    input: Any,
    scales: Any,
    zero_points: Any,
    dtype: DTypeLike,
    axis: int = 1,
    div_mode: bool = True,
) -> Any:
    """Quantise with given scales; see `aclquant.quantize`.

    Examples
    --------
    >>> import numpy as np
    >>> from aclquant import torch_npu
    >>> torch_npu.npu_quantize(np.float32([[1, 2]]), np.float32([0.5]), None, "torch.qint8")
    array([[2, 4]], dtype=int8)
    """
    return quantize(input, scales, zero_points, dtype, axis, div_mode)


def npu_anti_quant(
    x: Any,
    scale: Any,
    *,
    offset: Any = None,
    dst_dtype: DTypeLike | None = None,
    src_dtype: DTypeLike | None = None,
) -> Any:
    """Dequantise; see `aclquant.anti_quant`.

    Examples
    --------
    >>> import numpy as np
    >>> from aclquant import torch_npu
    >>> torch_npu.npu_anti_quant(np.int8([1, 2]), np.float32([2]), offset=np.float32([2]))
    array([6., 8.], dtype=float16)
    """
    return anti_quant(x, scale, offset=offset, dst_dtype=dst_dtype, src_dtype=src_dtype)


def npu_trans_quant_param(scale: Any, offset: Any = None, round_mode: int | None = 0) -> Any:
    """Pack scales and offsets; see `aclquant.trans_quant_param`.

    Examples
    --------
    >>> import numpy as np
    >>> from aclquant import torch_npu
    >>> torch_npu.npu_trans_quant_param(np.float32([1]))
    array([70369809530880])
    """
    return trans_quant_param(scale, offset, round_mode)


def npu_dynamic_quant_asymmetric(
    input: Any,
    *,
    smooth_scales: Any = None,
    group_index: Any = None,
    dst_type: DTypeLike | None = None,
    quant_mode: str = "pertoken",
) -> tuple[Any, Any, Any]:
    """Quantise each row by its own range; see `aclquant.dynamic_quant_asymmetric`.

    Examples
    --------
    >>> import numpy as np
    >>> from aclquant import torch_npu
    >>> torch_npu.npu_dynamic_quant_asymmetric(np.float16([[0, 255]]))[0]
    array([[-128,  127]], dtype=int8)
    """
    return dynamic_quant_asymmetric(
        input,
        smooth_scales=smooth_scales,
        group_index=group_index,
        dst_type=dst_type,
        quant_mode=quant_mode,
    )


def npu_dynamic_quant(
    input: Any,
    *,
    smooth_scales: Any = None,
    group_index: Any = None,
    dst_type: DTypeLike | None = None,
    quant_mode: str = "pertoken",
    dst_type_max: float = 0.0,
) -> tuple[Any, Any]:
    """Quantise each row by its own largest magnitude; see `aclquant.dynamic_quant`.

    Examples
    --------
    >>> import numpy as np
    >>> from aclquant import torch_npu
    >>> torch_npu.npu_dynamic_quant(np.float16([[1, -2, 4]]))[0]
    array([[ 32, -64, 127]], dtype=int8)
    """
    return dynamic_quant(
        input,
        smooth_scales=smooth_scales,
        group_index=group_index,
        dst_type=dst_type,
        quant_mode=quant_mode,
        dst_type_max=dst_type_max,
    )


def npu_quant_matmul(
    x1: Any,
    x2: Any,
    scale: Any,
    *,
    offset: Any = None,
    pertoken_scale: Any = None,
    bias: Any = None,
    output_dtype: DTypeLike | None = None,
    x1_dtype: DTypeLike | None = None,
    x2_dtype: DTypeLike | None = None,
    pertoken_scale_dtype: DTypeLike | None = None,
    scale_dtype: DTypeLike | None = None,
    group_sizes: Sequence[int] | None = None,
    y_scale: Any = None,
) -> Any:
    """Multiply quantised matrices; see `aclquant.quant_matmul`.

    Examples
    --------
    >>> import numpy as np
    >>> from aclquant import torch_npu
    >>> one = np.ones((2, 2), np.int8)
    >>> torch_npu.npu_quant_matmul(one, one, np.float32([0.5]), output_dtype="torch.int32")
    array([[2, 2],
           [2, 2]], dtype=int32)
    """
    return quant_matmul(
        x1,
        x2,
        scale,
        offset=offset,
        pertoken_scale=pertoken_scale,
        bias=bias,
        output_dtype=output_dtype,
        x1_dtype=x1_dtype,
        x2_dtype=x2_dtype,
        pertoken_scale_dtype=pertoken_scale_dtype,
        scale_dtype=scale_dtype,
        group_sizes=group_sizes,
        y_scale=y_scale,
    )
