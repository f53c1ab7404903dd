"""A torch_npu process traced, recorded, and replayed without torch."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.programs import installed

import aclquant as aq
from aclquant.debug.events import read_trace
from aclquant.debug.recording import read_recording

from .conftest import Command

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(not installed("torch-npu"), reason="torch_npu is not installed"),
]

PROGRAM = """
import torch, torch_npu

x = torch.linspace(-3, 3, 32).reshape(4, 8).npu()
codes = torch_npu.npu_quantize(x, torch.full((8,), 0.05).npu(), None, torch.qint8, 1)
codes2, scale = torch_npu.npu_dynamic_quant(x.half())
y = (x.t() + 1).contiguous()
x[:, ::2].add_(1)
torch.npu.synchronize()
print(codes.cpu().sum().item(), scale.cpu().shape)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def environment() -> dict[str, str]:
    return {"TORCH_DEVICE_BACKEND_AUTOLOAD": "1"}


def test_traced(program: Path, run: Command, tmp_path: Path) -> None:
    plain = run("run", "--", sys.executable, program, **environment())
    assert plain.returncode == 0, plain.stderr
    done = run("trace", "-o", "t.jsonl", "--", sys.executable, program, **environment())
    assert done.returncode == 0, done.stderr
    assert done.stdout == plain.stdout
    trace = read_trace(tmp_path / "t.jsonl")
    names = {call.function for call in trace}
    assert {"aclInit", "aclrtSetDevice", "aclCreateTensor"} <= names
    assert any(n.startswith("aclnnDynamicQuant") for n in names)
    assert trace.executions
    adds = [c for c in trace if re.fullmatch(r"aclnn(Inplace)?Adds?GetWorkspaceSize", c.function)]
    assert adds and all(next(iter(call.arguments.values()))["place"] == "dev" for call in adds), (
        sorted(names)
    )


def test_recorded_and_replayed_without_torch(program: Path, run: Command, tmp_path: Path) -> None:
    done = run("record", "-o", "r", "--", sys.executable, program, **environment())
    assert done.returncode == 0, done.stderr
    recording = read_recording(tmp_path / "r")
    operators = [call.operator for call in recording.calls]
    assert "aclnnInplaceAdd" in operators or "aclnnInplaceAdds" in operators, operators
    assert all(call.status == 0 for call in recording.calls)
    script = f"""
import sys
sys.modules["torch"] = None
import aclquant as aq
results = aq.debug.replay({str(tmp_path / "r")!r})
wrong = [str(r) for r in results if not r.same]
print(len(results), *wrong, sep="\\n")
sys.exit(bool(wrong))
"""
    again = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert again.returncode == 0, again.stdout + again.stderr
    assert int(again.stdout) == len(operators)
    assert "int main(void)" in aq.debug.emit(recording, "c")
