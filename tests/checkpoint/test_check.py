"""One test for each rule of ``checkpoint check``: a good checkpoint, broken in one way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import aclquant as aq
from aclquant.checkpoint.rules import RULES

from .models import BF16, load, tensors, write_model
from .test_quantize import ranges

LAYER = "model.layers.1.mlp.down_proj"
EXPERT = "model.layers.1.mlp.experts.0.up_proj"
Tensors = dict[str, np.ndarray]
Change = Callable[[Tensors, dict[str, Any]], None]


def build(tmp_path: Path, scheme: str, dtype: Any = BF16, **options: Any) -> Path:
    made = tensors(dtype, experts=2 if "w4" in scheme else 0, hidden=64)
    source = write_model(tmp_path / "model", made)
    if scheme == "w8a8":
        (tmp_path / "r.json").write_text(json.dumps(ranges(made)))
        options["calibration"] = tmp_path / "r.json"
    if scheme == "w4a8-dynamic":
        options["exclude"] = ["self_attn"]
    aq.checkpoint.quantize(source, tmp_path / "q", scheme, **options)
    return tmp_path / "q"


def broken(folder: Path, change: Change, *, full: bool = False) -> list[aq.checkpoint.Finding]:
    """Change tensors and description (or config), and check."""
    got = load(folder)
    path = folder / "quant_model_description.json"
    path = path if path.exists() else folder / "config.json"
    about = json.loads(path.read_text())
    change(got, about)
    path.write_text(json.dumps(about))
    file = next(folder.glob("*.safetensors"))
    save_file({name: np.ascontiguousarray(array) for name, array in got.items()}, file)
    found = aq.checkpoint.check(folder, full=full)
    return [finding for finding in found if finding.rule not in ("K19", "K21")]


def only(found: list[aq.checkpoint.Finding], rule: str, where: str, text: str) -> None:
    assert found, "nothing was found"
    assert {finding.rule for finding in found} == {rule}, found
    assert any(where in f.where and re.search(text, f.message) for f in found), found


@pytest.mark.parametrize("scheme", ["w8a8-dynamic", "w8a8", "w8a16", "w4a8-dynamic", "w4a16"])
@pytest.mark.parametrize("format", ["ascendv1", "compressed-tensors"])
def test_what_we_write_is_in_order(tmp_path: Path, scheme: str, format: str) -> None:
    if (scheme, format) in (("w4a16", "ascendv1"), ("w8a16", "compressed-tensors")):
        pytest.skip("the format has no such scheme")
    options = {"group_size": 32} if scheme == "w4a16" else {}
    folder = build(tmp_path, scheme, format=format, **options)
    found = aq.checkpoint.check(folder, full=True)
    allowed = {("K19", "note"), ("K06", "warning")}  # W4A16 is for experts
    assert {(f.rule, f.severity) for f in found} <= allowed, found


def change_tensor(name: str, function: Callable[[np.ndarray], np.ndarray]) -> Change:
    def change(got: Tensors, _: dict[str, Any]) -> None:
        got[name] = function(got[name])

    return change


def drop(name: str) -> Change:
    return lambda got, about: (got.pop(name), about.pop(name))[0]


def set_at(value: Any) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array.reshape(-1)[3] = value
        return array

    return change


CASES: dict[str, tuple[str, Any, Change, str, str, str]] = {
    "K04 not described": (
        "w8a8-dynamic", BF16, lambda _, about: about.pop(f"{LAYER}.weight_scale"),
        "K04", f"{LAYER}.weight_scale", "KeyError",
    ),
    "K04 not there": (
        "w8a8-dynamic", BF16, lambda _, about: about.update({"model.extra.weight": "FLOAT"}),
        "K04", "model.extra.weight", "no file has it",
    ),
    "K05 fused types differ": (
        "w8a8-dynamic", BF16,
        lambda _, about: about.update(
            {f"model.layers.0.self_attn.v_proj.{n}": "W8A16"
             for n in ("weight", "weight_scale", "weight_offset")}
        ),
        "K05", "model.layers.0.self_attn.qkv_proj", "W8A16: .*v_proj, W8A8_DYNAMIC: ",
    ),
    "K05 experts differ": (
        "w4a8-dynamic", BF16,
        lambda got, about: (
            about.update({f"{EXPERT}.weight": "FLOAT"}),
            got.update({f"{EXPERT}.weight": np.zeros((128, 64), BF16)}),
            [(got.pop(f"{EXPERT}.{n}"), about.pop(f"{EXPERT}.{n}"))
             for n in ("weight_scale", "weight_offset", "scale_bias")],
        )[0],
        "K05", "model.layers.1.mlp.experts", "FLOAT",
    ),
    "K06 unknown type": (
        "w8a8-dynamic", BF16, lambda _, about: about.update({"lm_head.weight": "W3A3"}),
        "K06", "lm_head.weight", "unknown type 'W3A3'",
    ),
    "K07 deq_scale missing": (
        "w8a8", BF16, drop(f"{LAYER}.deq_scale"), "K07", f"{LAYER}.deq_scale", "missing",
    ),
    "K08 shape of the scale": (
        "w8a8-dynamic", BF16, change_tensor(f"{LAYER}.weight_scale", lambda a: a.T),
        "K08", f"{LAYER}.weight_scale", r"\(1, 64\); expected \(64, 1\)",
    ),
    "K09 float weight": (
        "w8a8-dynamic", BF16,
        change_tensor(f"{LAYER}.weight", lambda a: a.astype(np.float32)),
        "K09", f"{LAYER}.weight", "F32; expected I8",
    ),
    "K11 zero": (
        "w8a8-dynamic", BF16, change_tensor(f"{LAYER}.weight_scale", set_at(0)),
        "K11", f"{LAYER}.weight_scale", r"1 of 64 are 0, the first at \(3, 0\)",
    ),
    "K11 infinite": (
        "w8a16", BF16, change_tensor(f"{LAYER}.weight_scale", set_at(np.inf)),
        "K11", f"{LAYER}.weight_scale", "not finite",
    ),
    "K11 negative": (
        "w8a8-dynamic", BF16, change_tensor(f"{LAYER}.weight_scale", set_at(-1)),
        "K11", f"{LAYER}.weight_scale", "below 0",
    ),
    "K11 lost in float16": (
        "w8a16", np.float16, change_tensor(f"{LAYER}.weight_scale", set_at(1e-8)),
        "K11", f"{LAYER}.weight_scale", "become 0 in float16",
    ),
    "K12 W8A16 offset": (
        "w8a16", BF16, change_tensor(f"{LAYER}.weight_offset", set_at(5)),
        "K12", f"{LAYER}.weight_offset", r"\(w - offset\).*\(w \+ offset\)",
    ),
    "K12 dynamic offset": (
        "w8a8-dynamic", BF16, change_tensor(f"{LAYER}.weight_offset", set_at(5)),
        "K12", f"{LAYER}.weight_offset", "has no offsets",
    ),
    "K13 words of trans_quant_param": (
        "w8a8", np.float16,
        change_tensor(
            f"{LAYER}.deq_scale",
            lambda a: aq.trans_quant_param(a.astype(np.int32).view(np.float32)),
        ),
        "K13", f"{LAYER}.deq_scale", "bit 46",
    ),
    "K13 float32 in a float16 model": (
        "w8a8", np.float16,
        change_tensor(f"{LAYER}.deq_scale", lambda a: a.astype(np.int32).view(np.float32)),
        "K13", f"{LAYER}.deq_scale", "bits as int64",
    ),
    "K13 int64 in a bfloat16 model": (
        "w8a8", BF16,
        change_tensor(f"{LAYER}.deq_scale", lambda a: a.view(np.int32).astype(np.int64)),
        "K13", f"{LAYER}.deq_scale", "a bfloat16 model has float32",
    ),
    "K13 upper bits": (
        "w8a8", np.float16, change_tensor(f"{LAYER}.deq_scale", lambda a: a + (1 << 33)),
        "K13", f"{LAYER}.deq_scale", "beyond 32 bits",
    ),
    "K11 deq_scale of bits": (
        "w8a8", np.float16, change_tensor(f"{LAYER}.deq_scale", set_at(0)),
        "K11", f"{LAYER}.deq_scale", "not above 0",
    ),
    "K14 group size": (
        "w4a8-dynamic", BF16, lambda _, about: about.update({"group_size": 256}),
        "K14", EXPERT, "group size",
    ),
    "K15 unreduced": (
        "w4a8-dynamic", BF16,
        change_tensor(f"{EXPERT}.scale_bias", lambda a: np.ones((len(a), 64), np.float32)),
        "K15", f"{EXPERT}.scale_bias", "not summed",
    ),
    "K15 wrong": (
        "w4a8-dynamic", BF16, change_tensor(f"{EXPERT}.scale_bias", lambda a: a / 8),
        "K15", f"{EXPERT}.scale_bias", r"is not 8 \* sum",
    ),
    "K16 int4 range": (
        "w8a8-dynamic", BF16,
        lambda _, about: about.update(
            {f"{LAYER}.{n}": "W4A4_DYNAMIC" for n in ("weight", "weight_scale", "weight_offset")}
        ),
        "K16", f"{LAYER}.weight", "int4, one in each int8, is -8 to 7",
    ),
    "K18 offset": (
        "w8a8", BF16, change_tensor(f"{LAYER}.input_offset", lambda a: a + np.float32(0.5)),
        "K18", f"{LAYER}.input_offset", "int8",
    ),
    "K20 NaN": (
        "w8a8-dynamic", BF16, change_tensor("lm_head.weight", set_at(np.nan)),
        "K20", "lm_head.weight", "NaN",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_rule(tmp_path: Path, name: str) -> None:
    scheme, dtype, change, rule, where, text = CASES[name]
    found = broken(build(tmp_path, scheme, dtype), change, full=True)
    if rule != "K14":
        only(found, rule, where, text)
    else:  # the shapes of scales do not fit then, either
        assert any(f.rule == rule and where in f.where and text in f.message for f in found)


def test_K01_files(tmp_path: Path) -> None:
    source = write_model(tmp_path / "model", tensors())
    folder = tmp_path / "q"
    aq.checkpoint.quantize(source, folder, "w8a8-dynamic", part_size=8000)
    index = folder / "quant_model_weights.safetensors.index.json"
    about = json.loads(index.read_text())
    about["weight_map"]["lm_head.weight"] = about["weight_map"]["model.embed_tokens.weight"]
    about["weight_map"]["ghost.weight"] = about["weight_map"]["model.embed_tokens.weight"]
    index.write_text(json.dumps(about))
    found = {(f.rule, f.where) for f in aq.checkpoint.check(folder)}
    assert {("K01", "lm_head.weight"), ("K01", "ghost.weight")} <= found
    file = sorted(folder.glob("*.safetensors"))[2]
    data = file.read_bytes()
    file.write_bytes(data[:-8])
    (finding,) = aq.checkpoint.check(folder)
    assert (
        finding.rule == "K01" and "not a whole" in finding.message and file.name in finding.message
    )
    file.unlink()
    (finding,) = aq.checkpoint.check(folder)
    assert finding.rule == "K01" and file.name in finding.message


def test_K02_unfinished(tmp_path: Path) -> None:
    (tmp_path / "q" / ".aclquant").mkdir(parents=True)
    found = aq.checkpoint.check(tmp_path / "q")
    assert found[-1].rule == "K02" or found[0].rule == "K02"


def test_K03_no_format(tmp_path: Path) -> None:
    only(aq.checkpoint.check(write_model(tmp_path / "m", tensors())), "K03", "m", "neither")
    folder = build(tmp_path, "w8a8-dynamic")
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": "fp8"}
    (folder / "config.json").write_text(json.dumps(config))
    only(aq.checkpoint.check(folder), "K03", "config.json", "fp8")


def test_K10_dynamic_w8a8_of_a_float16_model(tmp_path: Path) -> None:
    """Row 1 of the pain: refused with 161002 after the model was loaded."""
    for format in ("ascendv1", "compressed-tensors"):
        folder = build(tmp_path / format, "w8a8-dynamic", np.float16, format=format)
        only(aq.checkpoint.check(folder), "K10", f"{LAYER}.weight", "float16.*161002")


def test_K10_is_what_the_operator_says(tmp_path: Path) -> None:
    got = load(build(tmp_path, "w8a8-dynamic", np.float16))
    w, scale = got[f"{LAYER}.weight"], got[f"{LAYER}.weight_scale"][:, 0].astype(np.float16)
    x, token = aq.dynamic_quant(np.ones((2, w.shape[1]), np.float16))
    with pytest.raises(aq.AclError):
        aq.quant_matmul(x, w.T, scale, pertoken_scale=token, output_dtype="float16")


def test_K14_w4a8_group_size_of_256(tmp_path: Path) -> None:
    """Row 12 of the pain: refused after quantising for hours."""
    source = write_model(tmp_path / "model", tensors(experts=2))
    with pytest.raises(aq.ParameterError, match="the group size is 0"):
        aq.checkpoint.quantize(source, tmp_path / "q", "w4a8-dynamic", group_size=256)


def compressed(group: dict[str, Any]) -> Change:
    def change(_: Tensors, about: dict[str, Any]) -> None:
        first = about["quantization_config"]["config_groups"]["group_0"]
        for key, value in group.items():
            first[key].update(value)

    return change


@pytest.mark.parametrize(
    ("scheme", "group", "rule", "text"),
    [
        ("w8a8", {"input_activations": {"symmetric": False}}, "K17", "NotImplementedError"),
        ("w8a8", {"weights": {"strategy": "tensor"}}, "K17", "not taken"),
        ("w8a8-dynamic", {"input_activations": {"num_bits": 4}}, "K17", "not taken"),
        ("w8a8-dynamic", {"weights": {"symmetric": False}}, "K17", "symmetric"),
        ("w4a16", {"weights": {"strategy": "channel"}}, "K17", "W4A16 has 4 per group"),
        ("w4a16", {"weights": {"group_size": 48}}, "K14", "multiple of 32"),
        ("w4a8-dynamic", {"weights": {"group_size": 64}}, "K14", "group_size is set"),
    ],
)
def test_K17_combinations(
    tmp_path: Path, scheme: str, group: dict[str, Any], rule: str, text: str
) -> None:
    options = {"group_size": 32} if scheme == "w4a16" else {}
    folder = build(tmp_path, scheme, format="compressed-tensors", **options)
    found = broken(folder, compressed(group))
    assert any(f.rule == rule and text in f.message and f.severity == "error" for f in found), found


def test_compressed_ignore_and_missing(tmp_path: Path) -> None:
    folder = build(tmp_path, "w8a8-dynamic", format="compressed-tensors")

    def change(got: Tensors, about: dict[str, Any]) -> None:
        about["quantization_config"]["ignore"] = [LAYER]
        del got["model.layers.0.mlp.up_proj.weight_scale"]

    found = {(f.rule, f.where) for f in broken(folder, change)}
    assert ("K04", "lm_head.weight") in found and ("K04", f"{LAYER}.weight") in found


def test_K19_rounding_of_input_scale(tmp_path: Path) -> None:
    found = aq.checkpoint.check(build(tmp_path, "w8a8"))
    assert found and {(f.rule, f.severity) for f in found} == {("K19", "note")}
    assert "bfloat16, by 0.00" in found[0].message


def test_K21_checksums(tmp_path: Path) -> None:
    folder = build(tmp_path, "w8a8-dynamic")
    file = next(folder.glob("*.safetensors"))
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    assert not aq.checkpoint.check(folder)
    only(aq.checkpoint.check(folder, full=True), "K21", file.name, "another checksum")
    (folder / "tokenizer.json").unlink()
    found = aq.checkpoint.check(folder, full=True)
    assert {f.where for f in found} == {file.name, "tokenizer.json"}


def test_every_rule_has_its_section() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "checkpoints.md"
    headings = re.findall(r"^#+ (K\d\d) (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(headings) == RULES
    for rule, title in RULES.items():
        finding = aq.checkpoint.Finding(rule, "error", "x", "y")
        plain = re.sub(r"[^\w\- ]", "", f"{rule} {title}".lower()).strip().replace(" ", "-")
        assert finding.section == f"docs/checkpoints.md#{plain}"


def test_every_rule_is_tested() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    missing = [rule for rule in RULES if f"test_{rule}" not in text and f'"{rule} ' not in text]
    assert not missing
