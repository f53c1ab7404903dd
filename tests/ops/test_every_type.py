"""Every everyday operator with every type: what phase 1 accepts, phase 2 and the kernel can do."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.everyday import DTYPES, OPERATORS, PHASE_1, arguments
from helpers.native import NULL, host, message, ok, refused

from aclquant._ffi import ffi

SHAPES = [(), (1,), (1, 1), (4, 4), (0, 4)]
REFUSALS = {"aclnnRotaryPositionEmbedding": {161001, 161002, 561002}}
"""Where CANN gives another code than those two."""


@pytest.mark.parametrize("name", OPERATORS)
def test_what_is_accepted_runs(name: str, room: Any) -> None:
    """Row W5: COMPLEX128 passed phase 1 and failed in phase 2 on a size that was not known."""
    size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
    for shape in SHAPES:
        for dtype in DTYPES:
            for result in {dtype, 9, 12}:
                with arguments(name, shape, dtype, result, room) as given:
                    status = getattr(host, name + PHASE_1)(*given, size, executor)
                    what = f"{name} {shape} {dtype} -> {result}: {status}"
                    if status != 0:
                        text = message()
                        assert status in REFUSALS.get(name, {161001, 161002}), f"{what} {text}"
                        assert "argument '" in text, f"{what} {text}"
                        continue
                    status = getattr(host, name)(room, size[0], executor[0], NULL)
                    assert status == 0, f"{what}, phase 2: {status} {message()}"
                    assert host.aclrtSynchronizeStream(NULL) == 0, f"{what}: {message()}"


@pytest.mark.parametrize("shape", [(2**40, 2**40, 0), (0, 2**40, 2**40), (2**62, 4, 0, 3)])
def test_views_without_elements_may_be_as_large_as_they_like(
    shape: tuple[int, ...], room: Any
) -> None:
    """Row R8: the count of elements overflowed before it met 0, and a division by zero followed."""
    size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
    for name in OPERATORS:
        with arguments(name, shape, 0, 0, room) as given:
            status = getattr(host, name + PHASE_1)(*given, size, executor)
            if status == 0:
                assert getattr(host, name)(room, size[0], executor[0], NULL) == 0, message()
    ok(host.aclrtSynchronizeStream(NULL))


def test_kernels_never_see_an_address_between_two_elements(room: Any) -> None:
    """They walk rows by pointers to whole elements, so phase 2 refuses such an address."""
    size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
    for name in sorted({*OPERATORS} - {"aclnnTransMatmulWeight"}):  # which touches no memory
        for dtype in (0, 1, 9, 16):
            with arguments(name, (4, 4), dtype, dtype, room + 1) as given:
                if getattr(host, name + PHASE_1)(*given, size, executor) == 0:
                    ok(getattr(host, name)(room, size[0], executor[0], NULL))
                    refused(host.aclrtSynchronizeStream(NULL), 507015, "a multiple of")
                message()
