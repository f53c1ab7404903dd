"""The reference against numbers that the descriptions of the operators give."""

from __future__ import annotations

from collections import Counter
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from reference import Spec
from reference import dynamic_quant as ref_dynamic_quant
from reference.arithmetic import unpack_int4

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
# How often each y occurs over all finite constants (other results: fewer than 69 each).
COUNTS = {
    ("float16", 8): {
        0: 46171, 127: 14106, -128: 2462, 126: 284, 120: 99, 112: 99, 96: 99, 64: 99, 124: 69,
    },
    ("float16", 4): {0: 53571, 7: 6706, -8: 2858, 6: 284, 4: 69},
    ("bfloat16", 8): {0: 32537, 127: 31262, -128: 1261, 126: 149},
}  # fmt: skip


@np.errstate(all="ignore")
def finite(dtype: np.dtype[Any]) -> Any:
    values = np.arange(65536, dtype=np.uint32).astype(np.uint16).view(dtype)
    return values[np.isfinite(values)]


@pytest.mark.parametrize(("name", "bits"), list(COUNTS))
def test_counts_over_constant_rows(name: str, bits: int) -> None:
    dtype = BFLOAT16 if name == "bfloat16" else np.dtype(name)
    rows = np.repeat(finite(dtype)[:, np.newaxis], 8, axis=1)
    target = "int8" if bits == 8 else "quint4x2"
    y, _, _ = ref_dynamic_quant.dynamic_quant_asymmetric(rows, dst_type=target)
    values = y if bits == 8 else unpack_int4(y)
    assert (values == values[:, :1]).all()
    found = Counter(values[:, 0].tolist())
    expected = COUNTS[name, bits]
    assert {value: found[value] for value in expected} == expected
    if name == "float16":
        assert sum(expected.values()) == len(rows) == 63488
    else:
        assert len(rows) == 65280


def test_symmetric_paths_differ_as_described() -> None:
    """Two ways to the scale: they differ for 9085 (int8) and 16511 (int4) half precision values."""
    amax = finite(np.dtype(np.float16))
    x = np.repeat(amax[amax > 0][:, np.newaxis], 8, axis=1)
    assert len(x) == 31743
    for y, count in ((Spec("int8", x.shape), 9085), (Spec("int4", x.shape), 16511)):
        scales = [
            ref_dynamic_quant.aclnn_dynamic_quant(x, None, y, Spec("float32", (len(x),)), old=old)[
                1
            ].view(np.uint32)
            for old in (True, False)
        ]
        assert int((scales[0] != scales[1]).sum()) == count
