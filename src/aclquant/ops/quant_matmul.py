"""Products of quantised matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes, errors
from ..backends import backend
from ..dtypes import DTypeLike
from ..invocation import Array, First, Invocation, Result
from ..operation import operation
from ..operators import operator
from .common import Factor, Operand, check_dtype, dtype, operand, parameter
from .trans_quant_param import trans_quant_param

__all__ = ["quant_matmul"]

_NAMES = {"x1Scale": "pertoken_scale", "x2Scale": "scale", "out": "output_dtype"}
_NAMES |= {"x2Offset": "offset", "yOffset": "offset", "groupSize": "group_sizes"}


@operation()
def quant_matmul(
    x1: Operand,
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
) -> Invocation | First:
    """Multiply int8 or int4 matrices and scale the sums: ``(x1 @ x2) * scale * pertoken_scale``.

    The sums are exact, in int32. An int32 `bias` is added to them, any other one after all scales.

    Parameters
    ----------
    x1 : array_like or Tensor
        ``(..., m, k)`` of int8; or of int32 or int4: see `x2`. Python numbers become int8.
    x2 : array_like or Tensor
        ``(..., k, n)`` of the type of `x1`. int32 means eight packed int4 along the last dimension,
        or, in a transposed view, along k. Batch dimensions are broadcast.
    scale : array_like, Tensor or float
        float32, bfloat16, or int64 from `trans_quant_param`: one, or one for each column. Python
        numbers become float32.
    offset : array_like, Tensor, float or None
        float32, one or one for each column; for int8 results. It takes effect through the words of
        `trans_quant_param`, which are made here when `scale` is float32.
    pertoken_scale : array_like, Tensor or None
        float32, one for each row of `x1`.
    bias : array_like, Tensor or None
        ``(n,)`` or ``(batch, 1, n)`` of int32, float32, bfloat16 or float16. Python integers become
        int32.
    output_dtype : dtype-like, optional
        int8 (the default), float16, bfloat16 or int32.
    x1_dtype, x2_dtype, pertoken_scale_dtype, scale_dtype : dtype-like, optional
        Only checks: the type of the argument; quint4x2 or int4 for packed int4.
    group_sizes : sequence of int, optional
        Elements along m, n and k that share a scale: ``[1, 128, 128]`` for int8 in blocks,
        ``[1, 1, 256]`` for int4 in groups, ``[0, 0, 256]`` for int8 times int4 in groups.
    y_scale : array_like or Tensor, optional
        For types of the 950 family.

    Returns
    -------
    numpy.ndarray or Tensor
        ``(..., m, n)`` of `output_dtype`, of the kind of `x1`.

    Raises
    ------
    DtypeError
        When types are not accepted together.
    ParameterError
        When shapes do not fit.
    NotSupportedError
        For `group_sizes` or `y_scale`, when the library has no ``aclnnQuantMatmulV5``.

    Notes
    -----
    Calls ``aclnnQuantMatmulV5``, or V4 where that is missing. With a float32 `scale`, no
    `pertoken_scale` and an int8 or float16 result it calls ``aclnnTransQuantParamV2`` or V3 first,
    as torch_npu's ``npu_quant_matmul`` does. Transposed views are taken as they are.

    Examples
    --------
    >>> import numpy as np, aclquant as aq
    >>> x1, x2 = np.int8([[1, -2, 3]]), np.int8([[7, -8], [9, 10], [-11, 12]])
    >>> aq.quant_matmul(x1, x2, [0.5, 0.25], output_dtype="int8", offset=[1.0, -2.0])
    array([[-21,   0]], dtype=int8)
    """
    kind = dtype("output_dtype", output_dtype, dtypes.int8)
    x1, x2 = operand("x1", x1, np.int8), operand("x2", x2, np.int8)
    factors: Any = parameter("scale", scale, x1, np.float32)
    offset = parameter("offset", offset, x1, np.float32)
    pertoken_scale = parameter("pertoken_scale", pertoken_scale, x1, np.float32)
    bias = parameter("bias", bias, x1, _bias_type(bias))
    check_dtype("x1_dtype", x1_dtype, x1)
    check_dtype("x2_dtype", x2_dtype, x2)
    check_dtype("pertoken_scale_dtype", pertoken_scale_dtype, pertoken_scale)
    check_dtype("scale_dtype", scale_dtype, factors)
    needs_packed = pertoken_scale is None and kind in (dtypes.int8, dtypes.float16)
    if needs_packed and factors is not None and factors.dtype == np.float32:
        return First("scale", trans_quant_param, (factors, offset))
    groups = _group_size(group_sizes)
    common = {
        **{"x1": x1, "x2": x2, "bias": bias, "out": Result(x1, _shape(x1, x2), kind.numpy)},
        **{"transposeX1": False, "transposeX2": False},
    }
    if operator("aclnnQuantMatmulV5").is_in(backend().library):
        # x1 of int8 with x2 of int4 has its offset at the result.
        at_y, at_x2 = (offset, None) if _is_mixed(x1, x2) else (None, offset)
        return Invocation(
            "aclnnQuantMatmulV5",
            _NAMES,
            **common,
            x1Scale=pertoken_scale,
            x2Scale=factors,
            yScale=parameter("y_scale", y_scale, x1, np.float32),
            x1Offset=None,
            x2Offset=at_x2,
            yOffset=at_y,
            groupSize=groups,
        )
    if groups or y_scale is not None:
        raise errors.NotSupportedError(
            "group_sizes and y_scale need aclnnQuantMatmulV5, which a newer CANN has"
        )
    return Invocation(
        "aclnnQuantMatmulV4",
        _NAMES,
        **common,
        scale=factors,
        offset=offset,
        pertokenScaleOptional=pertoken_scale,
    )


def _is_mixed(x1: Array, x2: Array) -> bool:
    return x1.dtype == np.int8 and x2.dtype == np.int32


def _bias_type(bias: Any) -> Any:
    """Return the type for Python numbers: float32 once there is a float among them."""
    if bias is None or hasattr(bias, "dtype"):
        return np.int32
    return np.float32 if operand("bias", bias, None).dtype.kind == "f" else np.int32


def _shape(x1: Array, x2: Array) -> tuple[int, ...]:
    for name, x in (("x1", x1), ("x2", x2)):
        if x.ndim < 2:
            raise errors.ParameterError(
                argument=name, got=f"shape {x.shape}", allowed="2 dimensions or more"
            )
    columns = x2.shape[-1]
    both = x1.dtype == np.int32 and x2.dtype == np.int32
    # Packed int4 of x2 lie along n, unless it is a view that has them along k, as x1 has.
    if (both and x1.shape[-1] != x2.shape[-2]) or _is_mixed(x1, x2):
        columns *= 8
    try:
        batch = np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    except ValueError:
        batch = x1.shape[:-2]  # for phase 1 to refuse
    return (*batch, x1.shape[-2], columns)


def _group_size(sizes: Sequence[int] | None) -> int:
    """Pack the lengths along m, n and k into one number."""
    if sizes is None:
        return 0
    if len(sizes) != 3 or not all(0 <= size < 1 << 16 for size in sizes):
        raise errors.ParameterError(
            argument="group_sizes",
            got=repr(sizes),
            allowed="three numbers from 0 to 65535: along m, n and k",
        )
    m, n, k = sizes
    return m << 32 | n << 16 | k
