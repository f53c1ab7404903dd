"""Checkpoints written by msModelSlim's format code: accepted by check, equal to ours.

Needs an interpreter with msmodelslim (and torch 2.13.0, accelerate, transformers): this one, or the
one that ``MSMODELSLIM_PYTHON`` names.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import aclquant as aq

from .models import BF16, load, tensors, write_model
from .test_quantize import is_layer, ranges

pytestmark = pytest.mark.nightly
PYTHON = os.environ.get("MSMODELSLIM_PYTHON", sys.executable)


@pytest.fixture(scope="module", autouse=True)
def msmodelslim() -> None:
    done = subprocess.run([PYTHON, "-c", "import msmodelslim"], capture_output=True)
    if done.returncode:
        pytest.skip("msmodelslim is not installed; MSMODELSLIM_PYTHON names an interpreter with it")


@pytest.mark.parametrize("dtype", [BF16, np.dtype(np.float16)])
@pytest.mark.parametrize("scheme", ["w8a8-dynamic", "w8a8", "w8a16", "w4a8-dynamic"])
def test_equal_to_ours(tmp_path: Path, scheme: str, dtype: Any) -> None:
    made = tensors(dtype, layers=1, experts=2 if "w4" in scheme else 0)
    source = write_model(tmp_path / "model", made)
    chosen = {name.removesuffix(".weight") for name in made if is_layer(name)}
    options: dict[str, Any] = {}
    if scheme == "w8a8":
        options["calibration"] = tmp_path / "ranges.json"
        options["calibration"].write_text(json.dumps(ranges(made)))
    aq.checkpoint.quantize(source, tmp_path / "ours", scheme, **options)
    (source / "layers.json").write_text(json.dumps(sorted(chosen)))
    script = Path(__file__).with_name("msmodelslim_writer.py")
    arguments = [str(source), str(tmp_path / "theirs"), scheme, *map(str, options.values())]
    done = subprocess.run(
        [PYTHON, str(script), *arguments], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]

    errors = [
        f for f in aq.checkpoint.check(tmp_path / "theirs", full=True) if f.severity == "error"
    ]
    if scheme == "w8a8-dynamic" and dtype == np.float16:
        assert {f.rule for f in errors} == {"K10"}
    else:
        assert not errors
    theirs, ours = load(tmp_path / "theirs"), load(tmp_path / "ours")
    assert set(theirs) == set(ours)
    for name, array in theirs.items():
        mine = ours[name]
        assert (mine.dtype, mine.shape) == (array.dtype, array.shape), name
        if name.endswith("scale_bias"):
            # Sums in float32, in torch's order, against one rounding of the exact sum.
            np.testing.assert_allclose(mine, array, rtol=1e-5, atol=1e-5)
        else:
            assert mine.tobytes() == array.tobytes(), name
    a, b = (
        json.loads((tmp_path / n / "quant_model_description.json").read_text())
        for n in ("theirs", "ours")
    )
    if scheme == "w4a8-dynamic":  # our choice, see docs/checkpoints.md
        assert a.pop("model_quant_type") != b.pop("model_quant_type")
    assert a == b
