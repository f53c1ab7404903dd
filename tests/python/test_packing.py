"""int4 packing: layout, exact round trip, refusals."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

import aclquant as aq

_SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4)
_PACKED = hnp.arrays(np.int32, _SHAPES)


@given(_PACKED)
def test_unpacking_then_packing_is_the_identity(packed: npt.NDArray[np.int32]) -> None:
    values = aq.unpack_int4(packed)
    assert values.dtype == np.int8
    assert values.shape == (*packed.shape[:-1], packed.shape[-1] * 8)
    again = aq.pack_int4(values)
    assert again.dtype == np.int32
    np.testing.assert_array_equal(again, packed)


@given(_PACKED)
def test_bits(packed: npt.NDArray[np.int32]) -> None:
    values = aq.unpack_int4(packed)
    for position in range(8):
        nibble = packed.view(np.uint32) >> np.uint32(4 * position) & np.uint32(15)
        np.testing.assert_array_equal(values[..., position::8] & 15, nibble)


def test_ml_dtypes_int4_both_ways() -> None:
    values = np.arange(-8, 8).astype(ml_dtypes.int4)
    packed = aq.pack_int4(values)
    assert [hex(word) for word in packed.view(np.uint32)] == ["0xfedcba98", "0x76543210"]
    again = aq.unpack_int4(packed, ml_dtypes.int4)
    assert again.dtype == ml_dtypes.int4
    assert again.astype(int).tolist() == list(range(-8, 8))


def test_strided_input() -> None:
    values = np.arange(-8, 8, dtype=np.int8)[::-1].reshape(8, 2).T
    np.testing.assert_array_equal(aq.unpack_int4(aq.pack_int4(values)), values)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.int8([0] * 7), aq.ParameterError),
        (np.int8(1), aq.ParameterError),
        (np.int8([8] * 8), aq.ParameterError),
        (np.int64([-9] * 8), aq.ParameterError),
        (np.float32([0] * 8), aq.DtypeError),
    ],
)
def test_pack_refuses(values: npt.NDArray[np.int8], kind: type[aq.AclError]) -> None:
    with pytest.raises(kind, match="argument 'x'"):
        aq.pack_int4(values)


@pytest.mark.parametrize(
    ("values", "kind"), [(np.int8([1]), aq.DtypeError), (np.int32(1), aq.ParameterError)]
)
def test_unpack_refuses(values: npt.NDArray[np.int32], kind: type[aq.AclError]) -> None:
    with pytest.raises(kind, match="argument 'x'"):
        aq.unpack_int4(values)
