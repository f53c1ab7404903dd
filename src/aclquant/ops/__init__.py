"""The operators: for each one its documented Python surface and the inference of its outputs.

What is legal is not decided here but by phase 1 of the device.
"""

from .anti_quant import anti_quant
from .dynamic_quant import dynamic_quant
from .dynamic_quant_asymmetric import dynamic_quant_asymmetric
from .quant_matmul import quant_matmul
from .quantize import quantize
from .trans_quant_param import trans_quant_param

__all__ = [
    "anti_quant",
    "dynamic_quant",
    "dynamic_quant_asymmetric",
    "quant_matmul",
    "quantize",
    "trans_quant_param",
]
