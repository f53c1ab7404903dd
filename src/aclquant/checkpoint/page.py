"""A checkpoint as one HTML page: a table that sorts and filters, histograms of the codes."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from .. import errors
from ..files import write_all
from .compare import LayerError, diff
from .quantized import Checkpoint, Weight

__all__ = ["report"]


def report(
    path: str | Path,
    out: str | Path,
    *,
    against: str | Path | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a page about a quantised checkpoint; it needs no other file and no network.

    Parameters
    ----------
    path : str or Path
        The checkpoint.
    out : str or Path
        The page: a name that ends in ``.html`` or ``.htm``.
    against : str or Path, optional
        The float model. With it the page has errors, the worst layer first.
    overwrite : bool, optional
        Whether a file that is there is replaced.

    Returns
    -------
    Path
        `out`.

    Raises
    ------
    FileExistsError
        When `out` is there and `overwrite` is false.
    ParameterError
        When the checkpoint is damaged, `against` does not fit, or `out` has another suffix.

    Examples
    --------
    >>> import numpy as np, tempfile, aclquant as aq
    >>> from safetensors.numpy import save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = f"{folder}/model.safetensors"
    ...     save_file({"fc.weight": np.ones((4, 8), np.float32)}, model)
    ...     _ = aq.checkpoint.quantize(model, f"{folder}/q", "w8a8-dynamic")
    ...     page = aq.checkpoint.report(f"{folder}/q", f"{folder}/q.html", against=model)
    ...     page.name, "fc.weight" in page.read_text()
    ('q.html', True)
    """
    target = Path(out)
    if target.suffix.lower() not in (".html", ".htm"):  # a mistyped name never costs a weight file
        raise errors.ParameterError(
            function="aclquant.checkpoint.report",
            argument="out",
            got=str(out),
            allowed="a name that ends in .html or .htm",
        )
    if target.exists() and not overwrite:
        raise FileExistsError(17, "File exists", str(target))
    found = {error.name: error for error in diff(against, path)} if against is not None else {}
    with Checkpoint(path) as checkpoint:
        layers = [
            _about(checkpoint, weight, found.get(weight.name))
            for weight in checkpoint.weights.values()
            if weight.type != "FLOAT"
        ]
        kept = sum(1 for weight in checkpoint.weights.values() if weight.type == "FLOAT")
        data = {
            "summary": {
                "folder": checkpoint.model.path.name,
                "format": checkpoint.format,
                "types": ", ".join(sorted({layer["type"] for layer in layers})) or "none",
                "quantised": f"{len(layers)} weights; {kept} are kept as they were",
                "compared with": Path(against).name if against is not None else "nothing",
            },
            "sort": "snr_db" if found else "name",
            "layers": layers,
        }
    template = files("aclquant.checkpoint").joinpath("page.html").read_text(encoding="utf-8")
    # "</" would end the script element that holds the data.
    text = json.dumps(data, ensure_ascii=False, allow_nan=False).replace("</", "<\\/")
    write_all(target, template.replace("@DATA@", text).encode(), replace=overwrite)
    return target


def _about(checkpoint: Checkpoint, weight: Weight, error: LayerError | None) -> dict[str, Any]:
    low, high = (-8, 7) if weight.bits == 4 else (-128, 127)
    counts = np.zeros(high - low + 1, np.int64)
    least, greatest = math.inf, 0.0
    for start, stop in checkpoint.blocks(weight):
        codes, scales, _ = checkpoint.codes(weight, start, stop)
        counts += np.bincount(codes.astype(np.int32).reshape(-1) - low, minlength=counts.size)
        least, greatest = min(least, float(scales.min())), max(greatest, float(scales.max()))
    total = max(int(counts.sum()), 1)
    about: dict[str, Any] = {
        "name": weight.name, "type": weight.type, "shape": list(weight.shape), "low": low,
        "codes": counts.tolist(), "at_ends": int(counts[0] + counts[-1]) / total,
        "scale_min": _finite(least), "scale_max": _finite(greatest),
    }  # fmt: skip
    if error is not None:
        about["snr_db"] = "exact" if error.snr_db == math.inf else _finite(error.snr_db)
        about["max_abs"], about["saturated"] = _finite(error.max_abs), error.saturated
    return about


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
