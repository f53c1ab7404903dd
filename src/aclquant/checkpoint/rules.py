"""What is wrong with a checkpoint: rules, each with its place in the documentation.

Every rule is a section of docs/checkpoints.md under its number. A finding names the rule, the
tensor or file, and what was found.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import ml_dtypes
import numpy as np

from .. import errors
from ..safetensors import NAMES
from .fused import fused_groups
from .job import DESCRIPTION, MANIFEST, STATE
from .quantized import GLOBALS, Checkpoint
from .source import read_json

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

__all__ = ["RULES", "Finding", "check"]

RULES = {
    "K01": "files are whole and there",
    "K02": "the checkpoint is finished",
    "K03": "the format is known",
    "K04": "every tensor is described, and every description has its tensor",
    "K05": "parts of a fused layer have one type",
    "K06": "the type is one that loaders know",
    "K07": "a layer has the tensors of its type",
    "K08": "shapes fit",
    "K09": "types of tensors fit",
    "K10": "dynamic W8A8 is not for float16 models",
    "K11": "scales are finite and above 0",
    "K12": "weight_offset is 0",
    "K13": "deq_scale is float32 or its bits",
    "K14": "group sizes fit the operator",
    "K15": "scale_bias is the reduced sum",
    "K16": "int4 codes are -8 to 7",
    "K17": "compressed-tensors has a combination that vllm-ascend takes",
    "K18": "input_offset is an int8 number",
    "K19": "input_scale survives bfloat16",
    "K20": "kept tensors are finite",
    "K21": "files are those of the manifest",
}
"""Number and title of each rule."""

_PAGE = "docs/checkpoints.md"


class Finding(NamedTuple):
    """Something that a loader would refuse or get wrong."""

    rule: str
    severity: str
    """"error": it fails or gives wrong numbers; "warning": it may; "note": worth knowing."""
    where: str
    """The tensor, layer or file."""
    message: str

    @property
    def section(self) -> str:
        """Place in the documentation."""
        title = RULES[self.rule].replace(",", "").replace(" ", "-").replace(";", "").lower()
        return f"{_PAGE}#{self.rule.lower()}-{title}"


class _Type(NamedTuple):
    """The tensors of a layer of AscendV1."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


_DYNAMIC = ("weight_scale", "weight_offset")
_STATIC = ("quant_bias", "input_scale", "input_offset", "deq_scale")
_TYPES = {
    "W8A8": _Type(_STATIC),
    "W8A8_DYNAMIC": _Type(_DYNAMIC),
    "W8A8_MIX": _Type(_DYNAMIC + _STATIC),
    "W8A16": _Type(_DYNAMIC),
    "W4A8_DYNAMIC": _Type(
        (*_DYNAMIC, "scale_bias"), ("weight_scale_second", "weight_offset_second")
    ),
    "W4A4_DYNAMIC": _Type(_DYNAMIC),
    "WFP8AFP8_DYNAMIC": _Type(_DYNAMIC),
    "W8A8_MXFP8": _Type(("weight_scale",)),
    "W4A8_MXFP": _Type(("weight_scale",)),
    "W4A4_MXFP4": _Type(("weight_scale",)),
}
"""Types whose tensors are checked; others are only looked up."""

_KNOWN = frozenset(
    [
        *_TYPES, "FLOAT", "W16A16S", "W8A8S", "W8A8SC", "W4A16", "W4A4_MXFP4_DUALSCALE",
        "W4A4_MXFP4_SVD", "W4A4_FLATQUANT_DYNAMIC", "W4A4_MXFP4_FLATQUANT", "W8A8FP8_DYNAMIC",
        "W4A16_MXFP4", "C8", "FAKQuant", "K_INT8", "INT8_DYNAMIC",
    ]
)  # fmt: skip
_EXPERTS_ONLY = ("W4A8_DYNAMIC", "W4A16")
_BF16 = np.dtype(ml_dtypes.bfloat16)
_FLOATS = (np.dtype(np.float32), np.dtype(np.float16), _BF16)
_BIT_46 = np.int64(1 << 46)


def check(path: str | Path, *, full: bool = False) -> list[Finding]:
    """Return what would fail, or be silently wrong, when a checkpoint is loaded.

    Parameters
    ----------
    path : str or Path
        A folder in the formats ascendv1 or compressed-tensors.
    full : bool, optional
        Also read codes, kept tensors and, where there is a manifest, check all files against it.
        Otherwise headers and small tensors (scales and the like) are read.

    Returns
    -------
    list of Finding
        Errors first, then warnings and notes; empty when nothing was found.

    Raises
    ------
    FileNotFoundError
        When there is no such folder.

    Examples
    --------
    >>> import numpy as np, tempfile, aclquant as aq
    >>> from safetensors.numpy import save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_file({"fc.weight": np.ones((4, 8), np.float32)}, f"{folder}/model.safetensors")
    ...     _ = aq.checkpoint.quantize(f"{folder}/model.safetensors", f"{folder}/q", "w8a8-dynamic")
    ...     aq.checkpoint.check(f"{folder}/q", full=True)
    []
    """
    folder = Path(path)
    if not folder.exists():
        raise FileNotFoundError(2, "No such file or directory", str(folder))
    found = list(_unfinished(folder))
    try:
        checkpoint = Checkpoint(folder)
    except (errors.AclError, OSError) as error:
        text = error.message if isinstance(error, errors.AclError) else str(error)
        return [*found, Finding("K01", "error", str(folder), text)]
    with checkpoint:
        found += _Check(checkpoint, full).run()
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda finding: (order[finding.severity], finding.rule, finding.where))


def _unfinished(folder: Path) -> Iterator[Finding]:
    if (folder / STATE).is_dir():
        yield Finding(
            "K02", "error", STATE,
            "a run of 'checkpoint quantize' was interrupted here; the same command finishes it",
        )  # fmt: skip


class _Check:
    """One look at a checkpoint."""

    def __init__(self, checkpoint: Checkpoint, full: bool) -> None:
        self.checkpoint, self.full = checkpoint, full
        self.model = checkpoint.model
        self.tensors = {name: place.entry for name, place in self.model.tensors.items()}
        self.found: list[Finding] = []
        self.fp16 = self.model.dtype == "float16"

    def run(self) -> list[Finding]:
        self._files()
        if self.checkpoint.format == "ascendv1":
            self._ascendv1()
        elif self.checkpoint.format == "compressed-tensors":
            self._compressed()
        else:
            self._error(
                "K03", str(self.model.path), f"neither {DESCRIPTION} nor a quantization_config"
            )
        if self.full:
            self._kept()
            self._manifest()
        return self.found

    def _add(self, rule: str, severity: str, where: str, message: str) -> None:
        self.found.append(Finding(rule, severity, where, message))

    def _error(self, rule: str, where: str, message: str) -> None:
        self._add(rule, "error", where, message)

    def _files(self) -> None:
        for name, one, two in self.model.repeated:
            self._error("K01", name, f"is in {one} and in {two}")
        index = self.model.index
        if index is not None:
            for name, file in index.items():
                if name not in self.tensors:
                    self._error("K01", name, f"the index places it in {file}, which lacks it")
            for name, place in self.model.tensors.items():
                if index.get(name) != place.file:
                    self._error(
                        "K01", name, f"is in {place.file}; the index says {index.get(name)}"
                    )

    # AscendV1

    def _ascendv1(self) -> None:
        description = self.checkpoint.description
        types = {
            name: kind
            for name, kind in description.items()
            if isinstance(kind, str) and name not in GLOBALS
        }
        for name in types:
            if name not in self.tensors and not name.endswith(".quant_type"):
                self._error("K04", name, f"is described as {types[name]}, and no file has it")
        for name in self.tensors:
            if name not in types:
                self._error("K04", name, f"is not in {DESCRIPTION}: loaders end with a KeyError")
        if self.checkpoint.config:
            method = self.checkpoint.config.get("quant_method")
            message = f"quantization_config says {method!r}, and loaders may follow it"
            self._add("K03", "warning", "config.json", message)
        weights = {n: k for n, k in types.items() if n.endswith(".weight") and n in self.tensors}
        self._fused({name.removesuffix(".weight"): kind for name, kind in weights.items()})
        layers = {
            weight.tensor: weight
            for weight in self.checkpoint.weights.values()
            if weight.type != "FLOAT"
        }
        for name, kind in types.items():
            if kind not in _KNOWN and not kind.endswith(("FLATQUANT_DYNAMIC", "_FLATQUANT")):
                self._error("K06", name, f"has the unknown type {kind!r}")
        named = {n for n, k in types.items() if k in _TYPES and n in self.tensors and _is_code(n)}
        for name in sorted(named | set(layers)):
            kind = types.get(name, "")
            if kind in _TYPES:
                self._layer(name, kind, _number(description.get("group_size")))

    def _fused(self, types: dict[str, str]) -> None:
        for whole, parts in fused_groups(types).items():
            kinds = defaultdict(list)
            for part in parts:
                kinds[types[part]].append(part)
            if len(kinds) > 1:
                text = ", ".join(f"{kind}: {names[0]}" for kind, names in sorted(kinds.items()))
                self._error("K05", whole, f"its parts have different types: {text}")

    def _layer(self, name: str, kind: str, group: int) -> None:
        stem = f"{name.removesuffix('.weight')}."
        expected = _TYPES[kind]
        missing = [n for n in expected.required if f"{stem}{n}" not in self.tensors]
        for part in missing:
            self._error("K07", f"{stem}{part}", f"{kind} needs it, and it is missing")
        if kind in _EXPERTS_ONLY and ".experts." not in name:
            message = f"vllm-ascend takes {kind} for experts only, and this is an ordinary layer"
            self._add("K06", "warning", name, message)
        shape = self.tensors[name].shape
        if not shape:
            self._error("K08", name, "is a single number")
            return
        n, k = shape[0], math.prod(shape[1:])
        if kind == "W4A8_DYNAMIC":
            n *= 2
        self._weight_type(name, kind)
        columns = k // group if group and kind in ("W8A8_DYNAMIC", "W8A16", "W4A8_DYNAMIC") else 1
        if group and columns and k % group:
            self._error("K14", name, f"rows of {k} elements, and the group size is {group}")
        if kind == "W4A8_DYNAMIC" and group:
            self._error("K14", name, f"W4A8 of experts takes the group size 0 only, got {group}")
        if kind.endswith(("MXFP8", "MXFP", "MXFP4")):
            self._mx(stem, n, k if kind == "W8A8_MXFP8" else 2 * k)
            return
        for part in ("weight_scale", "weight_offset"):
            self._shape(f"{stem}{part}", [(n, columns), (n,)] if columns == 1 else [(n, columns)])
            self._types(f"{stem}{part}", _FLOATS)
        for part in ("quant_bias", "deq_scale"):
            self._shape(f"{stem}{part}", [(n,), (n, 1)])
        for part in ("input_scale", "input_offset"):
            self._shape(f"{stem}{part}", [(1,), ()])
        self._types(f"{stem}quant_bias", (np.dtype(np.int32),))
        self._scales(f"{stem}weight_scale")
        self._scales(f"{stem}input_scale")
        self._offset(f"{stem}weight_offset", kind)
        self._deq_scale(f"{stem}deq_scale")
        self._input(stem)
        if kind == "W8A8_DYNAMIC" and self.fp16:
            message = (
                "the model runs in float16, so its scales become float16, which the operator"
                " refuses (161002); run the model in bfloat16"
            )
            self._error("K10", name, message)
        if kind == "W4A8_DYNAMIC":
            self._scale_bias(name, stem, n, k)
        if kind == "W4A4_DYNAMIC" and self.full:
            self._int4(name)

    def _mx(self, stem: str, n: int, k: int) -> None:
        name = f"{stem}weight_scale"
        self._shape(name, [(n, k // 32)])
        self._types(name, (np.dtype(np.uint8),))

    def _weight_type(self, name: str, kind: str) -> None:
        allowed: tuple[np.dtype[Any], ...] = (np.dtype(np.int8),)
        if "FP8" in kind:
            allowed = (np.dtype(ml_dtypes.float8_e4m3fn),)
        elif "FP4" in kind or kind == "W4A8_MXFP":
            allowed = (np.dtype(np.uint8),)
        self._types(name, allowed)

    def _shape(self, name: str, allowed: list[tuple[int, ...]]) -> None:
        entry = self.tensors.get(name)
        if entry is not None and entry.shape not in allowed:
            text = " or ".join(map(str, allowed))
            self._error("K08", name, f"has the shape {entry.shape}; expected {text}")

    def _types(self, name: str, allowed: tuple[np.dtype[Any], ...]) -> None:
        entry = self.tensors.get(name)
        if entry is not None and entry.dtype not in allowed:
            text = " or ".join(NAMES[dtype] for dtype in allowed)
            self._error("K09", name, f"holds {NAMES[entry.dtype]}; expected {text}")

    def _floats(self, name: str) -> Array | None:
        entry = self.tensors.get(name)
        if entry is None or entry.dtype not in _FLOATS:
            return None
        return self.checkpoint.read(name).astype(np.float32)

    def _scales(self, name: str) -> None:
        scales = self._floats(name)
        if scales is None:
            return
        for what, wrong in (
            ("0", scales == 0), ("below 0", scales < 0), ("not finite", ~np.isfinite(scales)),
        ):  # fmt: skip
            count = int(np.count_nonzero(wrong))
            if count:
                place = tuple(int(i) for i in np.argwhere(wrong)[0])
                self._error(
                    "K11", name, f"{count} of {scales.size} are {what}, the first at {place}"
                )
        if self.fp16 and not name.endswith("input_scale"):
            lost = int(np.count_nonzero((scales > 0) & (scales.astype(np.float16) == 0)))
            if lost:
                self._error(
                    "K11", name, f"{lost} of {scales.size} become 0 in float16, the model's type"
                )

    def _offset(self, name: str, kind: str) -> None:
        offsets = self._floats(name)
        if offsets is None or not offsets.any():
            return
        count = int(np.count_nonzero(offsets))
        if kind == "W8A16":
            message = (
                f"{count} of {offsets.size} are not 0: msModelSlim means (w - offset) * scale, the"
                " operator computes (w + offset) * scale, and vllm-ascend hands them on unchanged"
            )
            self._error("K12", name, message)
        else:
            self._error("K12", name, f"{count} of {offsets.size} are not 0; {kind} has no offsets")

    def _deq_scale(self, name: str) -> None:
        entry = self.tensors.get(name)
        if entry is None:
            return
        bf16 = self.model.dtype == "bfloat16"
        if entry.dtype == np.int64:
            words = self.checkpoint.read(name)
            if (words & _BIT_46).any() and not (words < 0).any():
                message = (
                    "bit 46 is set: these are words of npu_trans_quant_param; the format has the 32"
                    " bits of the float32"
                )
                self._error("K13", name, message)
                return
            if (words != words.astype(np.int32)).any():
                self._error("K13", name, "numbers beyond 32 bits are not those of a float32")
                return
            scales = words.astype(np.int32).view(np.float32)
            wrong = int(np.count_nonzero(~(np.isfinite(scales) & (scales > 0))))
            if wrong:
                self._error("K11", name, f"{wrong} of {scales.size} are not finite or not above 0")
            if bf16:
                self._error("K13", name, "is int64; a bfloat16 model has float32")
        elif entry.dtype == np.float32:
            self._scales(name)
            if not bf16:
                message = f"is float32; a model in {self.model.dtype} has the bits as int64"
                self._error("K13", name, message)
        else:
            self._error(
                "K13", name, f"holds {NAMES[entry.dtype]}; expected F32, or I64 with its bits"
            )

    def _input(self, stem: str) -> None:
        offset = self._floats(f"{stem}input_offset")
        if offset is not None:
            wrong = (offset != np.rint(offset)) | (offset < -128) | (offset > 127)
            if wrong.any():
                value = float(offset.reshape(-1)[0])
                message = f"is {value:g}; loaders turn it into an int8"
                self._error("K18", f"{stem}input_offset", message)
        scale = self._floats(f"{stem}input_scale")
        if scale is None or not (np.isfinite(scale) & (scale > 0)).all():
            return
        rounded = scale.astype(_BF16).astype(np.float32)
        lost = float(np.max(np.abs(rounded - scale) / scale))
        if lost > 2**-8:
            self._error("K19", f"{stem}input_scale", f"changes by {lost:.3g} in bfloat16")
        elif lost and f"{stem}deq_scale" in self.tensors:
            message = (
                f"loaders round it to bfloat16, by {lost:.2g} of itself; deq_scale was computed"
                " from the float32"
            )
            self._add("K19", "note", f"{stem}input_scale", message)

    def _scale_bias(self, name: str, stem: str, n: int, k: int) -> None:
        bias = f"{stem}scale_bias"
        entry = self.tensors.get(bias)
        if entry is None:
            return
        if entry.shape == (n, k) and k not in (1, 16):
            message = (
                "is the matrix of products, not summed: msModelSlim writes it so for names it does"
                " not know, and loaders add it up without the factor 8"
            )
            self._add("K15", "warning", bias, message)
            return
        self._shape(bias, [(n, 1), (n, 16)])
        self._types(bias, (np.dtype(np.float32),))
        weight = self.checkpoint.weights.get(name)
        scale = self.tensors.get(f"{stem}weight_scale")
        if not self.full or weight is None or scale is None or scale.shape != (n, 1):
            return
        if entry.shape not in ((n, 1), (n, 16)) or k % entry.shape[1]:
            return
        stored = self.checkpoint.read(bias)
        for start, stop in self.checkpoint.blocks(weight):
            codes, scales, _ = self.checkpoint.codes(weight, start, stop)
            parts = codes.reshape(len(codes), entry.shape[1], -1)
            expected = 8 * parts.sum(axis=2, dtype=np.int64) * scales.astype(np.float64)
            # Sums in float32, in any order, are off by less than this.
            bound = (
                8 * np.abs(parts).sum(axis=2, dtype=np.int64) * scales * parts.shape[2] * 2.0**-24
            )
            wrong = np.abs(stored[start:stop] - expected) > bound + 1e-30
            if wrong.any():
                row = start + int(np.argwhere(wrong)[0][0])
                self._error("K15", bias, f"row {row} is not 8 * sum(code * scale)")
                return

    def _int4(self, name: str) -> None:
        weight = self.checkpoint.weights.get(name)
        if weight is None:
            return
        for start, stop in self.checkpoint.blocks(weight):
            codes = self.checkpoint.read(name, start, stop)
            if codes.size and (codes.min() < -8 or codes.max() > 7):
                message = (
                    f"codes {codes.min()} to {codes.max()}; int4, one in each int8, is -8 to 7"
                )
                self._error("K16", name, message)
                return

    # compressed-tensors

    def _compressed(self) -> None:
        config = self.checkpoint.config
        if config.get("quant_method") != "compressed-tensors":
            message = f"quant_method is {config.get('quant_method')!r}, which is not checked here"
            self._error("K03", "config.json", message)
            return
        groups = config.get("config_groups") or {}
        kinds = {name: self._combination(name, group) for name, group in groups.items()}
        kind = next(iter(kinds.values()), "")
        if not groups:
            self._error("K17", "config.json", "config_groups is empty")
        types = {
            weight.name.removesuffix(".weight"): weight.type
            for weight in self.checkpoint.weights.values()
            if weight.name.endswith(".weight") and len(weight.shape) == 2
        }
        self._fused(types)
        ignored = config.get("ignore") or []
        for weight in self.checkpoint.weights.values():
            prefix = weight.name.removesuffix(".weight")
            if weight.type == "FLOAT":
                if prefix in types and not _ignored(prefix, ignored):
                    message = "is not quantised, and 'ignore' does not name it"
                    if prefix.rpartition(".")[2] not in ("embed_tokens", "wte", "wpe"):
                        self._error("K04", weight.name, message)
            else:
                if _ignored(prefix, ignored):
                    self._error("K04", weight.name, "is quantised, and 'ignore' names it")
                self._compressed_layer(
                    weight.tensor, weight.stem, kind, next(iter(groups.values()))
                )

    def _combination(self, name: str, group: dict[str, Any]) -> str:
        weights, inputs = group.get("weights") or {}, group.get("input_activations")
        bits, strategy = weights.get("num_bits"), weights.get("strategy")
        where = f"config_groups.{name}"
        if weights.get("type", "int") != "int":
            return ""
        if inputs is None:
            if bits == 4 and strategy == "group" and not weights.get("dynamic"):
                size = _number(weights.get("group_size"))
                if size < 32 or size % 32:
                    self._error(
                        "K14", where, f"the group size is {size}; expected a multiple of 32"
                    )
                return "W4A16"
            message = (
                f"weights of {bits} bits per {strategy} without activations; W4A16 has 4 per group"
            )
            self._error("K17", where, message)
            return ""
        symmetric = weights.get("symmetric", True) and inputs.get("symmetric", True)
        dynamic = inputs.get("dynamic")
        if not symmetric:
            message = (
                "asymmetric; vllm-ascend takes symmetric weights and activations only"
                " (NotImplementedError), though msModelSlim's static preset writes asymmetric ones"
            )
            self._error("K17", where, message)
            return ""
        if bits == 8 and strategy == "channel" and inputs.get("num_bits") == 8:
            if dynamic and inputs.get("strategy") == "token":
                return "W8A8_DYNAMIC"
            if not dynamic and inputs.get("strategy") == "tensor":
                return "W8A8"
        if bits == 4 and strategy in ("channel", "group") and dynamic:
            if _number(weights.get("group_size")) > 0:
                self._error(
                    "K14", where, "W4A8 of experts has a scale for each row; group_size is set"
                )
            return "W4A8_DYNAMIC"
        message = (
            f"{bits} bits per {strategy} with {inputs.get('strategy')} activations is not taken"
        )
        self._error("K17", where, message)
        return ""

    def _compressed_layer(self, name: str, stem: str, kind: str, group: dict[str, Any]) -> None:
        shape = self.tensors[name].shape
        n, scale = shape[0], f"{stem}weight_scale"
        size = _number((group.get("weights") or {}).get("group_size"))
        if scale not in self.tensors:
            self._error("K07", scale, "is missing")
            return
        columns = 1
        if kind == "W4A16":
            k = shape[1] * 8
            columns = k // size if size else 1
            self._types(name, (np.dtype(np.int32),))
            self._types(f"{stem}weight_shape", (np.dtype(np.int32), np.dtype(np.int64)))
            if f"{stem}weight_shape" not in self.tensors:
                self._error("K07", f"{stem}weight_shape", "is missing")
            elif self.tensors[f"{stem}weight_shape"].dtype.kind == "i":
                stored = self.checkpoint.read(f"{stem}weight_shape").tolist()
                if stored != [n, k]:
                    self._error("K08", f"{stem}weight_shape", f"says {stored}, the codes {[n, k]}")
        self._shape(scale, [(n, columns), (n,)] if columns == 1 else [(n, columns)])
        self._types(scale, _FLOATS)
        self._scales(scale)
        if kind == "W8A8":
            if f"{stem}input_scale" not in self.tensors:
                self._error("K07", f"{stem}input_scale", "static activations need it")
            self._shape(f"{stem}input_scale", [(1,), ()])
            self._scales(f"{stem}input_scale")
            self._input(stem)
            if f"{stem}input_zero_point" in self.tensors:
                self._error(
                    "K17", f"{stem}input_zero_point", "asymmetric activations are not taken"
                )
        if kind == "W8A8_DYNAMIC" and self.fp16:
            message = (
                "the model runs in float16, so its scales do; the operator refuses them (161002)"
            )
            self._error("K10", name, message)
        if kind in _EXPERTS_ONLY and ".experts." not in name:
            message = f"vllm-ascend takes {kind} for experts only, and this is an ordinary layer"
            self._add("K06", "warning", name, message)
        if kind == "W4A8_DYNAMIC" and self.full:
            self._int4(name)

    # Data

    def _kept(self) -> None:
        for name, entry in self.tensors.items():
            if entry.dtype not in _FLOATS or math.prod(entry.shape) == 0 or name.endswith("_scale"):
                continue
            rows = entry.shape[0] if entry.shape else 1
            step = max(1, (1 << 22) * rows // math.prod(entry.shape))
            for start in range(0, rows, step):
                block = self.checkpoint.read(name, start, start + step).astype(np.float32)
                if not np.isfinite(block).all():
                    self._error("K20", name, f"holds NaN or infinity at row {start} or after")
                    break

    def _manifest(self) -> None:
        folder = self.model.folder
        for name, digest in read_json(folder / MANIFEST).get("sha256", {}).items():
            path = folder / name
            if not path.is_file():
                self._error("K21", name, "is in the manifest, and missing")
            elif _sha256(path) != digest:
                self._error("K21", name, "has another checksum than in the manifest")


def _ignored(prefix: str, patterns: list[str]) -> bool:
    import re

    return any(
        re.match(pattern[3:], prefix) if pattern.startswith("re:") else pattern == prefix
        for pattern in patterns
    )


def _is_code(name: str) -> bool:
    return name.endswith(".weight")


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def as_json(findings: list[Finding]) -> str:
    """Return findings as the command line writes them with ``--json``."""
    return json.dumps(
        {"findings": [{**f._asdict(), "section": f.section} for f in findings]}, indent=2
    )
