"""The operations. Type checkers see public.pyi, which docs/generate_stubs.py writes."""

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
