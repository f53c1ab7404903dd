"""Drawn calls: how many, for which chip, and that the package and the reference agree."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from reference import A2, INFERENCE, Family, Refusal

import aclquant as aq

from . import tiers
from .compare import assert_same_bits

_SOC = os.environ.get("ACLQUANT_HOST_SOC", "Ascend910B1")
#: the product family of the device under test
FAMILY: Family = INFERENCE if _SOC.startswith("Ascend310P") else A2


def cases(normal: int, nightly: int) -> settings:
    """Draw ``normal`` cases, or ``nightly`` of them with ``--nightly``; a third on a 310P."""
    count = nightly if tiers.nightly else normal
    return settings(
        max_examples=count if FAMILY == A2 else count // 3,
        print_blob=True,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.filter_too_much,
        ],
    )


def agree(call: Callable[[], Any], reference: Callable[[], Any]) -> tuple[Any, Any] | None:
    """Both results, or None after both have refused (with the same status, if one is predicted)."""
    try:
        expected = reference()
    except Refusal as refusal:
        try:
            result = call()
        except aq.AclError as error:
            if refusal.code is not None:
                assert error.code == refusal.code, f"{error!r}, but the reference: {refusal}"
            return None
        raise AssertionError(f"accepted ({result!r}), but the reference: {refusal}") from refusal
    return call(), expected


def same(call: Callable[[], Any], reference: Callable[[], Any]) -> None:
    """The same bits, or two refusals."""
    both = agree(call, reference)
    if both is not None:
        assert_same_bits(*both)
