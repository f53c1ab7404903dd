"""The operators under torch_npu's names and signatures, on arrays.

A documented call runs after changing one import::

    from aclquant import torch_npu

    torch_npu.npu_quantize(x, scales, zero_points, torch.qint8, axis=0)

The signatures are those of torch_npu 2.13. Arrays, aclquant's Tensors and CPU tensors go in; types
and shapes stand in the functions of aclquant itself.

Examples
--------
>>> import numpy as np
>>> from aclquant import torch_npu
>>> torch_npu.npu_quantize(np.float32([[1, 2]]), np.float32([0.5]), None, "torch.qint8")
array([[2, 4]], dtype=int8)
>>> torch_npu.npu_anti_quant(np.int8([1, 2]), np.float32([2]), offset=np.float32([2]))
array([6., 8.], dtype=float16)
>>> torch_npu.npu_trans_quant_param(np.float32([1]))
array([70369809530880])
>>> torch_npu.npu_dynamic_quant(np.float16([[1, -2, 4]]))[0]
array([[ 32, -64, 127]], dtype=int8)
>>> torch_npu.npu_dynamic_quant_asymmetric(np.float16([[0, 255]]))[0]
array([[-128,  127]], dtype=int8)
>>> one = np.ones((2, 2), np.int8)
>>> torch_npu.npu_quant_matmul(one, one, np.float32([0.5]), output_dtype="torch.int32")
array([[2, 2],
       [2, 2]], dtype=int32)
"""

from __future__ import annotations

from . import ops
from .operation import torch_npu_function

npu_anti_quant = torch_npu_function(ops.anti_quant)
npu_dynamic_quant = torch_npu_function(ops.dynamic_quant)
npu_dynamic_quant_asymmetric = torch_npu_function(ops.dynamic_quant_asymmetric)
npu_quant_matmul = torch_npu_function(ops.quant_matmul)
npu_quantize = torch_npu_function(ops.quantize)
npu_trans_quant_param = torch_npu_function(ops.trans_quant_param)

__all__ = [
    "npu_anti_quant",
    "npu_dynamic_quant",
    "npu_dynamic_quant_asymmetric",
    "npu_quant_matmul",
    "npu_quantize",
    "npu_trans_quant_param",
]
