"""The harness must be able to fail: what it promises to notice, it notices."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import abi, native
from helpers.abi import Host, Operand, f32, given, int4, out, unpacked
from helpers.compare import assert_same_bits

from aclquant._ffi import ffi

ARGUMENTS = (f32(1, 2), f32(1), None, 2, 0)


def poke(host: Host, buffer: native.Buffer, offset: int) -> None:
    data = np.full(1, 0xEE, np.uint8)
    place = native.pointer(native.address(buffer.pointer) + offset)
    assert host.c.aclrtMemcpy(place, 1, ffi.from_buffer(data), 1, 1) == 0


@pytest.mark.parametrize(
    ("which", "offset"), [(0, 64), (2, 63), (2, 65), (2, 67)], ids=["input", "low", "gap", "high"]
)
def test_a_stray_write_is_noticed(host: Host, which: int, offset: int) -> None:
    y = out((2,), "int8", strides=(2,))
    with host.call("aclnnQuantize", *ARGUMENTS, y) as call:
        assert call.launch() == 0
        assert call.results()[0].tolist() == [1, 2]
        poke(host, call.placed[which].buffer, offset)
        with pytest.raises(AssertionError, match="wrote where it must not"):
            call.results()


def test_a_write_of_a_refused_call_is_noticed(host: Host) -> None:
    with host.call("aclnnQuantize", *ARGUMENTS, out((3,), "int8")) as call:
        assert call.status == 161002
        poke(host, call.placed[2].buffer, 64)
        with pytest.raises(AssertionError, match="wrote something"):
            call.assert_nothing_written()


def test_a_leak_is_noticed() -> None:
    pointer = ffi.new("void **")
    with pytest.raises(AssertionError, match="left behind"), abi.host() as host:
        assert host.c.aclrtMalloc(pointer, 8, 0) == 0
    assert host.c.aclrtFree(pointer[0]) == 0


def test_the_wrong_argument_is_noticed(host: Host) -> None:
    with pytest.raises(AssertionError, match="argument 'x'"):
        host.refused("aclnnQuantize", *ARGUMENTS, out((3,), "int8"), argument="x")
    host.refused("aclnnQuantize", *ARGUMENTS, out((3,), "int8"), argument="out")


@pytest.mark.parametrize(
    "view",
    [
        f32([[1, 2, 3], [4, 5, 6]]),
        f32([[1, 2, 3], [4, 5, 6]]).T,
        np.asfortranarray(f32([[1, 2, 3], [4, 5, 6]])),
        f32([[1, 2, 3], [4, 5, 6]])[:, ::-1],
        f32(1, 2, 3, 4, 5, 6, 7, 8)[1::3],
        np.broadcast_to(f32([[1], [2]]), (2, 5)),
        np.array(5, np.float32),
    ],
    ids=["dense", "transposed", "fortran", "reversed", "sliced", "broadcast", "no-dimensions"],
)
def test_views_are_described_as_they_are(
    view: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    operand: Operand = given(view)
    assert_same_bits(operand.view(operand.storage), view)


def test_int4_is_packed_low_nibble_first() -> None:
    operand = int4([1, -2, 3, -4, 5, -6, 7, -8])
    assert operand.storage.tobytes().hex() == "e1c3a587"
    assert unpacked(operand.storage).tolist() == [1, -2, 3, -4, 5, -6, 7, -8]
