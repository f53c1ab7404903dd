"""The operators: for each one its documented Python surface and the form of its results.

Phase 1 of the device decides what is legal.
"""

from .public import (
    anti_quant,
    dynamic_quant,
    dynamic_quant_asymmetric,
    quant_matmul,
    quantize,
    trans_quant_param,
)

__all__ = [
    "anti_quant",
    "dynamic_quant",
    "dynamic_quant_asymmetric",
    "quant_matmul",
    "quantize",
    "trans_quant_param",
]
