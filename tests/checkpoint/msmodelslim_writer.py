"""Writes a checkpoint with msModelSlim's own format code; run by an interpreter that has it.

Usage: ``python msmodelslim_writer.py MODEL TARGET SCHEME [RANGES]``. MODEL is a Hugging Face folder
with one .safetensors file. Formulas, layers of the quantised model and writer are msModelSlim's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from msmodelslim import ir
from msmodelslim.core.quant_service.modelslim_v1.save.ascendv1 import (
    AscendV1Config,
    AscendV1Saver,
)
from msmodelslim.core.quant_service.modelslim_v1.save.interface import (
    AscendV1GlobalModelDtypeInterface,
)
from msmodelslim.ir.api.impl.int_quantization import calculate_int_qparam, int_quantize
from msmodelslim.ir.qal import QDType, QScope, QStorage
from msmodelslim.model import IModel
from safetensors.torch import load_file
from torch import nn


class Adapter(IModel, AscendV1GlobalModelDtypeInterface):
    def __init__(self, path: Path, dtype: torch.dtype) -> None:
        self._path, self._dtype = path, dtype

    model_type = "test"
    trust_remote_code = False

    @property
    def model_path(self) -> Path:
        return self._path

    def get_global_model_torch_dtype(self) -> torch.dtype:
        return self._dtype


class Kept(nn.Module):
    """A module that is not quantised."""


def quantised(weight: torch.Tensor, bias: Any, scheme: str, limits: Any) -> nn.Module:
    bits = QDType.INT4 if scheme.startswith("w4") else QDType.INT8
    w = weight.to(torch.float32)
    w_param = calculate_int_qparam(w.amin(1), w.amax(1), bits, QScope.PER_CHANNEL, True)
    turned = int_quantize(QStorage(QDType.FLOAT, w.T.contiguous()), w_param)
    codes = QStorage(bits, turned.value.T.contiguous())
    if scheme == "w8a8":
        low, high = (torch.tensor([x], dtype=torch.float32) for x in limits)
        x_param = calculate_int_qparam(low, high, QDType.INT8, QScope.PER_TENSOR, False)
        return ir.W8A8StaticFakeQuantLinear(x_param, w_param, codes, bias)
    kinds = {
        "w8a8-dynamic": ir.W8A8DynamicPerChannelFakeQuantLinear,
        "w8a16": ir.W8A16StaticPerChannelFakeQuantLinear,
        "w4a8-dynamic": ir.W4A8DynamicFakeQuantLinear,
    }
    return kinds[scheme](None, w_param, codes, bias)


def place(root: nn.Module, path: str, module: nn.Module) -> None:
    *parents, last = path.split(".")
    for name in parents:
        if not hasattr(root, name):
            root.add_module(name, Kept())
        root = getattr(root, name)
    root.add_module(last, module)


def main(source: Path, target: Path, scheme: str, ranges: dict[str, Any]) -> None:
    tensors = load_file(source / "model.safetensors")
    layers = set(json.loads((source / "layers.json").read_text()))
    model = Kept()
    for name, tensor in tensors.items():
        prefix, _, last = name.rpartition(".")
        if last != "weight":
            continue
        bias = tensors.get(f"{prefix}.bias")
        if prefix in layers:
            module = quantised(tensor, bias, scheme, ranges.get(prefix))
        else:
            module = Kept()
            module.weight = nn.Parameter(tensor, requires_grad=False)
        place(model, prefix, module)
    target.mkdir()
    config = AscendV1Config(save_directory=str(target), part_file_size=0)
    dtype = tensors["lm_head.weight"].dtype
    saver = AscendV1Saver(model, config, Adapter(source, dtype))
    saver.post_run()


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[4]).read_text()) if len(sys.argv) > 4 else {}
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], given)
