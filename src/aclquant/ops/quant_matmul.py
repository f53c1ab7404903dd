"""Products of quantised matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes, errors
from ..backends import backend
from ..dtypes import DType, DTypeLike, as_dtype
from ..launch import operator
from ..plans import Arrangement, perform, replay
from .common import Array, Place, Stream, apart, operand, output, parameter
from .trans_quant_param import trans_quant_param

__all__ = ["quant_matmul"]

_NAME = "aclquant.quant_matmul"


def quant_matmul(
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
    out: Array | None = None,
    stream: Stream | None = None,
    device: Place = None,
) -> Any:
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
        Lengths of groups along m, n and k, which have scales of their own; the host device has
        none.
    y_scale : array_like or Tensor, optional
        For types of the 950 family.
    out : numpy.ndarray or Tensor, optional
        Where the result goes; it is returned.
    stream : Stream, optional
        The current stream by default.
    device : Device or int, optional
        The device of the arguments, or the current one, by default.

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
    if stream is None and device is None and y_scale is None:
        kind = (
            dtypes.int8
            if output_dtype is None
            else as_dtype(output_dtype, function=_NAME, argument="output_dtype")
        )
        if not _packs(scale, pertoken_scale, kind):
            arrays = (x1, x2, pertoken_scale, scale, offset, bias)
            checks = (x1_dtype, x2_dtype, pertoken_scale_dtype, scale_dtype)
            sizes = None if group_sizes is None else tuple(group_sizes)
            y = replay(_replayed, arrays, (kind, *checks, sizes), out)
            if y is not None:
                return y
    arrangement = _arrange(
        *(x1, x2, scale, offset, pertoken_scale, bias, output_dtype, x1_dtype, x2_dtype),
        *(pertoken_scale_dtype, scale_dtype, group_sizes, y_scale),
        out=out,
        stream=stream,
        device=device,
    )
    return perform(arrangement, stream, device)


def _arrange(
    x1: Any,
    x2: Any,
    scale: Any,
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
    *,
    out: Array | None = None,
    stream: Stream | None = None,
    device: Place = None,
) -> Arrangement:
    kind = (
        dtypes.int8
        if output_dtype is None
        else as_dtype(output_dtype, function=_NAME, argument="output_dtype")
    )
    x1 = operand(_NAME, "x1", x1, np.int8)
    x2 = operand(_NAME, "x2", x2, np.int8)
    scale = parameter(_NAME, "scale", scale, x1, np.float32)
    offset = parameter(_NAME, "offset", offset, x1, np.float32)
    pertoken_scale = parameter(_NAME, "pertoken_scale", pertoken_scale, x1, np.float32)
    bias = parameter(_NAME, "bias", bias, x1, _bias_type(bias))
    _check_type("x1_dtype", x1_dtype, x1)
    _check_type("x2_dtype", x2_dtype, x2)
    _check_type("pertoken_scale_dtype", pertoken_scale_dtype, pertoken_scale)
    _check_type("scale_dtype", scale_dtype, scale)
    y = output(_NAME, out, x1, _shape(x1, x2), kind.numpy)
    inputs: tuple[Any, ...] = (x1, x2, scale, offset, pertoken_scale, bias)
    if out is not None:
        inputs = tuple(apart(value, y) for value in inputs)
    x1, x2, scale, offset, pertoken_scale, bias = inputs
    if _packs(scale, pertoken_scale, kind):
        scale = trans_quant_param(scale, offset, stream=stream, device=device)
    groups = _group_size(group_sizes)
    if backend().library.has("aclnnQuantMatmulV5GetWorkspaceSize"):
        # x1 of int8 with x2 of int4 has its offset at the result.
        y_offset, x2_offset = (offset, None) if _is_mixed(x1, x2) else (None, offset)
        scales = (pertoken_scale, scale, parameter(_NAME, "y_scale", y_scale, x1, np.float32))
        rest = (None, x2_offset, y_offset, bias, False, False, groups, y)
        return Arrangement(operator("aclnnQuantMatmulV5"), (x1, x2, *scales, *rest), (y,))
    if groups or y_scale is not None:
        raise errors.NotSupportedError(
            "group_sizes and y_scale need aclnnQuantMatmulV5, which a newer CANN has",
            function=_NAME,
        )
    inputs = (x1, x2, scale, offset, pertoken_scale, bias)
    return Arrangement(operator("aclnnQuantMatmulV4"), (*inputs, False, False, y), (y,))


quant_matmul.arrange = _arrange  # type: ignore[attr-defined]


def _replayed(
    x1: Any,
    x2: Any,
    pertoken_scale: Any,
    scale: Any,
    offset: Any,
    bias: Any,
    kind: DType,
    *attributes: Any,
) -> Arrangement:
    """Arrange arrays that come in the order of the C call."""
    return _arrange(x1, x2, scale, offset, pertoken_scale, bias, kind, *attributes)


def _packs(scale: Any, pertoken_scale: Any, kind: DType) -> bool:
    """Tell whether the scales have to become words, which these results need."""
    plain = getattr(scale, "dtype", np.float32) == np.float32
    return plain and pertoken_scale is None and kind in (dtypes.int8, dtypes.float16)


def _is_mixed(x1: Array, x2: Array) -> bool:
    return x1.dtype == np.int8 and x2.dtype == np.int32


def _bias_type(bias: Any) -> Any:
    """Return the type for Python numbers: float32 once there is a float among them."""
    if bias is None or hasattr(bias, "dtype"):
        return np.int32
    return np.float32 if np.asarray(bias).dtype.kind == "f" else np.int32


def _shape(x1: Array, x2: Array) -> tuple[int, ...]:
    for name, x in (("x1", x1), ("x2", x2)):
        if x.ndim < 2:
            raise errors.ParameterError(
                function=_NAME,
                argument=name,
                got=f"shape {x.shape}",
                allowed="2 dimensions or more",
            )
    columns = x2.shape[-1]
    both = x1.dtype == np.int32 and x2.dtype == np.int32
    # Words of x2 lie along n, unless it is a view that has them along k, as x1 has.
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
            function=_NAME,
            argument="group_sizes",
            got=repr(sizes),
            allowed="three numbers from 0 to 65535: along m, n and k",
        )
    m, n, k = sizes
    return m << 32 | n << 16 | k


def _check_type(name: str, wanted: DTypeLike | None, value: Array | None) -> None:
    if wanted is None or value is None:
        return
    kind = as_dtype(wanted, function=_NAME, argument=name)
    packed = value.dtype == np.int32
    allowed = (dtypes.quint4x2, dtypes.int4) if packed else (as_dtype(value.dtype),)
    if kind not in allowed:
        raise errors.DtypeError(
            function=_NAME,
            argument=name,
            got=kind.name,
            allowed=f"{' or '.join(d.name for d in allowed)}, for {value.dtype.name}",
        )
