"""THE table of data types: name, ACL code, NumPy type, bits, packing, torch's number.

A `DType` answers three questions at once: which number the C interface uses (``code``), which NumPy
type carries the values (``numpy``), and how many values share one element (``packing``).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import ml_dtypes
import numpy as np

from .errors import DtypeError

if TYPE_CHECKING:
    import numpy.typing as npt


class TorchDType(Protocol):
    """torch.dtype, which is not imported."""

    @property
    def is_floating_point(self) -> bool:
        """Whether numbers of it have fractions."""
        ...

    @property
    def is_complex(self) -> bool:
        """Whether numbers of it have an imaginary part."""
        ...


DTypeLike: TypeAlias = "DType | str | int | np.dtype[Any] | type[Any] | TorchDType"
"""Whatever `as_dtype` understands."""


@dataclass(frozen=True, slots=True, eq=False)
class DType:
    """One data type.

    Attributes
    ----------
    name : str
        Lower-case name, torch's where torch has one.
    code : int
        Number of the ``aclDataType``.
    numpy : numpy.dtype
        Type of the array that holds it. NumPy keeps one int4 in a byte; device memory packs two.
    bits : int
        Bits per element in device memory.
    packing : int
        Logical values per element: 8 for ``quint4x2``, eight int4 in an int32; otherwise 1.
    torch_number : int or None
        Number of torch's ScalarType, as torch_npu's integer dtype arguments take it. Types that
        torch does not have are 256 + `code` there.

    Notes
    -----
    NumPy takes a DType wherever it takes a dtype. ``==`` compares with anything that `as_dtype`
    takes, and with a NumPy type by the type of the arrays: qint8 and int8 are different, but both
    equal ``np.dtype("int8")``. As for NumPy's dtypes, equal objects of different kinds do not
    always have the same hash.

    Examples
    --------
    >>> quint4x2.numpy, quint4x2.packing
    (dtype('int32'), 8)
    >>> np.zeros(2, bfloat16).dtype == bfloat16, int8 == "int8", qint8 == int8
    (True, True, False)
    """

    name: str
    code: int
    numpy: np.dtype[Any]
    bits: int
    packing: int = 1
    torch_number: int | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy type, under the name by which NumPy finds it."""
        return self.numpy

    def __eq__(self, other: object) -> bool:
        if isinstance(other, DType):
            return self is other
        if isinstance(other, (np.dtype, type)):
            found = _of_numpy(other)
            return found is not None and found.numpy == self.numpy
        return not isinstance(other, (int, np.integer)) and _find(other) is self

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"aclquant.{self.name}"

    def __reduce__(self) -> tuple[object, ...]:
        return as_dtype, (self.name,)


def _dtype(
    name: str, code: int, numpy: npt.DTypeLike, bits: int, number: int | None, packing: int = 1
) -> DType:
    return DType(name, code, np.dtype(numpy), bits, packing, number)


float32 = _dtype("float32", 0, np.float32, 32, 6)
float16 = _dtype("float16", 1, np.float16, 16, 5)
int8 = _dtype("int8", 2, np.int8, 8, 1)
int32 = _dtype("int32", 3, np.int32, 32, 3)
uint8 = _dtype("uint8", 4, np.uint8, 8, 0)
int16 = _dtype("int16", 6, np.int16, 16, 2)
uint16 = _dtype("uint16", 7, np.uint16, 16, 27)
uint32 = _dtype("uint32", 8, np.uint32, 32, 28)
int64 = _dtype("int64", 9, np.int64, 64, 4)
uint64 = _dtype("uint64", 10, np.uint64, 64, 29)
float64 = _dtype("float64", 11, np.float64, 64, 7)
bool_ = _dtype("bool", 12, np.bool_, 8, 11)
complex64 = _dtype("complex64", 16, np.complex64, 64, 9)
complex128 = _dtype("complex128", 17, np.complex128, 128, 10)
bfloat16 = _dtype("bfloat16", 27, ml_dtypes.bfloat16, 16, 15)
int4 = _dtype("int4", 29, ml_dtypes.int4, 4, None)
hifloat8 = _dtype("hifloat8", 34, np.uint8, 8, None)
float8_e5m2 = _dtype("float8_e5m2", 35, ml_dtypes.float8_e5m2, 8, 23)
float8_e4m3fn = _dtype("float8_e4m3fn", 36, ml_dtypes.float8_e4m3fn, 8, 24)
qint8 = _dtype("qint8", 2, np.int8, 8, 12)
quint8 = _dtype("quint8", 4, np.uint8, 8, 13)
qint32 = _dtype("qint32", 3, np.int32, 32, 14)
quint4x2 = _dtype("quint4x2", 3, np.int32, 32, 16, packing=8)

_TABLE = (
    *(float32, float16, int8, int32, uint8, int16, uint16, uint32, int64, uint64, float64, bool_),
    *(complex64, complex128, bfloat16, int4, hifloat8, float8_e5m2, float8_e4m3fn),
    *(qint8, quint8, qint32, quint4x2),
)
_BY_NAME = {dtype.name: dtype for dtype in _TABLE}
_BY_NUMBER = {dtype.torch_number: dtype for dtype in _TABLE if dtype.torch_number is not None}
_BY_CODE: dict[int, DType] = {}
_BY_NUMPY: dict[np.dtype[Any], DType] = {}
for _row in _TABLE:
    _BY_CODE.setdefault(_row.code, _row)
    if _row is not hifloat8:
        _BY_NUMPY.setdefault(_row.numpy, _row)

CODES = {dtype: row.code for dtype, row in _BY_NUMPY.items()}
"""NumPy dtype to ACL code."""

__all__ = ["CODES", "DType", "DTypeLike", "as_dtype", "from_code"]
__all__ += [("bool_" if dtype is bool_ else dtype.name) for dtype in _TABLE]

_ALIASES = {"float": "float32", "half": "float16", "double": "float64", "bf16": "bfloat16"}
_ALIASES |= {"int": "int32", "short": "int16", "long": "int64", "bool_": "bool"}


def as_dtype(
    value: DTypeLike, *, function: str = "aclquant.as_dtype", argument: str = "dtype"
) -> DType:
    """Find the data type that `value` means.

    Parameters
    ----------
    value : object
        A `DType`; a name ("qint8", "quint4x2", "bfloat16", ...); a NumPy dtype or type, ml_dtypes'
        included, in either byte order; a torch dtype (torch is not imported); or a number as
        torch_npu's operators take them: torch's ScalarType, or 256 + ``aclDataType``.
    function, argument : str, optional
        Whom the error names.

    Returns
    -------
    DType
        The one and only object for this type.

    Raises
    ------
    DtypeError
        When it means no data type.

    Examples
    --------
    >>> as_dtype("quint4x2"), as_dtype(np.float16), as_dtype(12), as_dtype(256 + 29)
    (aclquant.quint4x2, aclquant.float16, aclquant.qint8, aclquant.int4)
    """
    if isinstance(value, DType):
        return value
    found = _find(value)
    if found is None:
        raise DtypeError(
            function=function,
            argument=argument,
            got=f"{value!r}{_did_you_mean(value)}",
            allowed=f"one of {', '.join(_BY_NAME)}, or the NumPy, ml_dtypes or torch type",
        )
    return found


def _find(value: Any) -> DType | None:
    """Find the data type of anything but a DType."""
    if isinstance(value, str):
        name = value.removeprefix("torch_npu.").removeprefix("torch.")
        return _BY_NAME.get(_ALIASES.get(name, name))
    if isinstance(value, (np.dtype, type)):
        return _of_numpy(value)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        number = operator.index(value)
        return _BY_CODE.get(number - 256) if number >= 256 else _BY_NUMBER.get(number)
    if "dtype" in type(value).__name__.lower():  # torch's, known by its text
        text = str(value)
        return _find(text) if text.startswith(("torch.", "torch_npu.")) else None
    return None


def _of_numpy(value: Any) -> DType | None:
    try:
        return _BY_NUMPY.get(np.dtype(value).newbyteorder("="))
    except TypeError:
        return None


def _did_you_mean(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    from difflib import get_close_matches

    near = get_close_matches(value.lower(), [*_BY_NAME, *_ALIASES], n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""


def from_code(code: int) -> DType:
    """Return the data type of an ``aclDataType`` number; the plain one where several share it."""
    return _BY_CODE[code]
