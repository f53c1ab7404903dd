"""Checkpoints: values, formats, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import aclquant as aq

from .models import BF16, everything, load, symmetric, tensors, write_model

QUANTISED = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def is_layer(name: str) -> bool:
    return name.endswith(".weight") and name.split(".")[-2] in QUANTISED


def ranges(made: dict[str, np.ndarray]) -> dict[str, list[float]]:
    names = [name.removesuffix(".weight") for name in made if is_layer(name)]
    return {name: [-1.0 - n / 8, 2.0 + n / 16] for n, name in enumerate(names)}


def quantised(tmp_path: Path, made: dict[str, np.ndarray], scheme: str, **options: object) -> Path:
    source = write_model(tmp_path / "model", made, **options.pop("model", {}))  # type: ignore[arg-type]
    if scheme == "w8a8":
        path = tmp_path / "ranges.json"
        path.write_text(json.dumps(ranges(made)))
        options["calibration"] = path
    before = everything(source)
    aq.checkpoint.quantize(source, tmp_path / "q", scheme, **options)  # type: ignore[arg-type]
    assert everything(source) == before
    return tmp_path / "q"


@pytest.mark.parametrize("dtype", [BF16, np.float16, np.float32])
@pytest.mark.parametrize("scheme", ["w8a8-dynamic", "w8a16"])
@pytest.mark.parametrize("group", [0, 16])
def test_eight_bits(tmp_path: Path, dtype: object, scheme: str, group: int) -> None:
    made = tensors(dtype)
    folder = quantised(tmp_path, made, scheme, group_size=group)
    got = load(folder)
    description = json.loads((folder / "quant_model_description.json").read_text())
    kind = scheme.upper().replace("-", "_")
    assert description["model_quant_type"] == kind and description["group_size"] == group
    expected = set()
    for name, w in made.items():
        if not is_layer(name):
            if not name.endswith("q_proj.bias"):
                assert got[name].tobytes() == w.tobytes() and description[name] == "FLOAT"
                expected.add(name)
            continue
        codes, scales = symmetric(w, 8, group)
        np.testing.assert_array_equal(got[name], codes)
        np.testing.assert_array_equal(got[f"{name}_scale"], scales)
        np.testing.assert_array_equal(got[f"{name}_offset"], np.zeros_like(scales))
        expected |= {name, f"{name}_scale", f"{name}_offset"}
        assert {description[n] for n in (name, f"{name}_scale", f"{name}_offset")} == {kind}
        back = aq.checkpoint.open(folder)[name]
        step = np.repeat(scales, w.shape[1] // scales.shape[1], axis=1)
        assert (np.abs(back - w.astype(np.float32)) <= step * 0.501).all()
    bias = "model.layers.0.self_attn.q_proj.bias"
    assert got[bias].dtype == np.float32 and description[bias] == "FLOAT"
    np.testing.assert_array_equal(got[bias], made[bias].astype(np.float32))
    assert set(got) == expected | {n for n in made if n.endswith("bias")}
    assert set(description) >= set(got)
    assert "quantization_config" not in json.loads((folder / "config.json").read_text())
    names = set(everything(folder))
    assert {"tokenizer.json", "config.json"} <= names and "notes.bin" not in names
    assert not any(".aclquant" in name for name in names)


@pytest.mark.parametrize("dtype", [BF16, np.float16])
def test_static_w8a8(tmp_path: Path, dtype: object) -> None:
    made = tensors(dtype)
    got = load(quantised(tmp_path, made, "w8a8"))
    for prefix, (low, high) in ranges(made).items():
        codes, weight_scale = symmetric(made[f"{prefix}.weight"], 8)
        low, high = np.float32(low), np.float32(high)
        scale = high / np.float32(255) - low / np.float32(255)
        offset = np.rint(-low / scale) - np.float32(128)
        deq_scale = scale * weight_scale[:, 0]
        bias = made.get(f"{prefix}.bias", np.zeros(len(codes), np.float32)).astype(np.float32)
        quant_bias = np.rint(bias / deq_scale - codes.sum(axis=1).astype(np.float32) * offset)
        assert got[f"{prefix}.input_scale"] == scale and got[f"{prefix}.input_offset"] == offset
        np.testing.assert_array_equal(got[f"{prefix}.weight"], codes)
        np.testing.assert_array_equal(got[f"{prefix}.quant_bias"], quant_bias.astype(np.int32))
        stored = got[f"{prefix}.deq_scale"]
        if dtype == BF16:
            np.testing.assert_array_equal(stored, deq_scale)
        else:
            assert stored.dtype == np.int64
            np.testing.assert_array_equal(stored, deq_scale.view(np.int32).astype(np.int64))
        assert f"{prefix}.weight_scale" not in got


def test_static_w8a8_computes_the_layer(tmp_path: Path) -> None:
    """The tensors, used as the loaders use them, through the operators, give the float layer."""
    made = tensors()
    got = load(quantised(tmp_path, made, "w8a8"))
    prefix = "model.layers.0.self_attn.q_proj"
    low, high = ranges(made)[prefix]
    x = np.random.default_rng(2).uniform(low, high, (16, 32)).astype(np.float32)
    scale, offset = got[f"{prefix}.input_scale"], got[f"{prefix}.input_offset"]
    codes = aq.quantize(x, scale, offset.astype(np.int32), "qint8")
    sums = codes.astype(np.int32) @ got[f"{prefix}.weight"].astype(np.int32).T
    y = (sums + got[f"{prefix}.quant_bias"]) * got[f"{prefix}.deq_scale"]
    expected = x @ made[f"{prefix}.weight"].astype(np.float32).T + made[f"{prefix}.bias"].astype(
        np.float32
    )
    noise = np.square(y - expected).sum() / np.square(expected).sum()
    assert -10 * np.log10(noise) > 35


def test_w4a8_of_experts(tmp_path: Path) -> None:
    made = tensors(experts=2)
    folder = quantised(tmp_path, made, "w4a8-dynamic", include=None, exclude=["self_attn"])
    got = load(folder)
    checkpoint = aq.checkpoint.open(folder)
    for name in filter(lambda n: "experts" in n, made):
        codes, scales = symmetric(made[name], 4)
        packed = got[name].view(np.uint8)
        assert packed.shape == (codes.shape[0] // 2, codes.shape[1])
        nibbles = np.stack([packed & 15, packed >> 4], axis=1).reshape(codes.shape)
        np.testing.assert_array_equal(nibbles, codes.view(np.uint8) & 15)
        np.testing.assert_array_equal(got[f"{name}_scale"], scales)
        np.testing.assert_array_equal(checkpoint[name], codes * scales)
        parts = 16 if "down_proj" in name else 1
        bias = got[name.replace("weight", "scale_bias")]
        sums = (codes * scales.astype(np.float64)).reshape(len(codes), parts, -1).sum(axis=2) * 8
        np.testing.assert_allclose(bias, sums, rtol=1e-6, atol=1e-9)
    assert "model.layers.0.mlp.gate.weight" in got  # the router
    assert got["model.layers.0.mlp.gate.weight"].dtype == BF16


@pytest.mark.parametrize("dtype", [BF16, np.float16])
def test_w4a16(tmp_path: Path, dtype: object) -> None:
    made = tensors(dtype, hidden=64)
    folder = quantised(tmp_path, made, "w4a16", group_size=32)
    got = load(folder)
    config = json.loads((folder / "config.json").read_text())["quantization_config"]
    assert config["format"] == "pack-quantized" and "lm_head" in config["ignore"]
    assert config["config_groups"]["group_0"]["weights"]["group_size"] == 32
    for name in filter(is_layer, made):
        _, scales = symmetric(made[name], 4, 32)
        stored = got[f"{name}_scale"]
        np.testing.assert_array_equal(stored, scales.astype(dtype))
        n, k = made[name].shape
        rounded = np.repeat(stored.astype(np.float32), 32, axis=1)
        codes = np.clip(np.rint(made[name].astype(np.float32) / rounded), -8, 7).astype(int)
        words = got[f"{name}_packed"].view(np.uint32)
        unpacked = np.stack([(words >> (4 * i)) & 15 for i in range(8)], axis=2).reshape(n, k)
        np.testing.assert_array_equal(unpacked.astype(int) - 8, codes)
        assert got[f"{name}_shape"].tolist() == [n, k] and got[f"{name}_shape"].dtype == np.int32
        np.testing.assert_array_equal(aq.checkpoint.open(folder)[name], codes * rounded)


@pytest.mark.parametrize("scheme", ["w8a8-dynamic", "w8a8", "w4a8-dynamic"])
def test_compressed_tensors(tmp_path: Path, scheme: str) -> None:
    made = tensors(experts=2 if "w4" in scheme else 0)
    folder = quantised(tmp_path, made, scheme, format="compressed-tensors")
    got = load(folder)
    bits = 4 if "w4" in scheme else 8
    for name in filter(is_layer, made):
        codes, scales = symmetric(made[name], bits)
        if bits == 4:
            scales = scales.astype(BF16)
            codes = np.clip(
                np.rint(made[name].astype(np.float32) / scales.astype(np.float32)), -8, 7
            )
        np.testing.assert_array_equal(got[name], codes.astype(np.int8))
        np.testing.assert_array_equal(got[f"{name}_scale"], scales)
        if scheme == "w8a8":
            low, high = ranges(made)[name.removesuffix(".weight")]
            scale = got[name.replace("weight", "input_scale")]
            assert scale == np.float32(max(-low, high)) / np.float32(127)
    groups = json.loads((folder / "config.json").read_text())["quantization_config"][
        "config_groups"
    ]
    inputs = groups["group_0"]["input_activations"]
    assert inputs["dynamic"] is (scheme != "w8a8") and inputs["symmetric"] is True
    errors = [f for f in aq.checkpoint.check(folder, full=True) if f.severity == "error"]
    assert not errors


def test_calibration_from_recorded_inputs(tmp_path: Path) -> None:
    made = tensors(layers=1)
    source = write_model(tmp_path / "model", made)
    inputs = {
        name: np.float32([[low, 0.5], [0, high]]) for name, (low, high) in ranges(made).items()
    }
    np.savez(tmp_path / "inputs.npz", **inputs)
    (tmp_path / "ranges.json").write_text(json.dumps(ranges(made)))
    for name in ("inputs.npz", "ranges.json"):
        aq.checkpoint.quantize(source, tmp_path / name[:3], "w8a8", calibration=tmp_path / name)
    one, two = everything(tmp_path / "inp"), everything(tmp_path / "ran")
    assert one == two


def test_parts_and_shards(tmp_path: Path) -> None:
    """However input and output are cut into files, the tensors are the same."""
    made = tensors()
    whole = load(quantised(tmp_path / "a", made, "w8a8-dynamic"))
    folder = quantised(tmp_path / "b", made, "w8a8-dynamic", model={"shards": 3}, part_size=8000)
    files = sorted(path.name for path in folder.glob("*.safetensors"))
    assert len(files) > 4
    assert files[0] == f"quant_model_weights-00001-of-{len(files):05}.safetensors"
    parts = load(folder)
    assert set(parts) == set(whole)
    assert all(parts[name].tobytes() == whole[name].tobytes() for name in whole)
    index = json.loads((folder / "quant_model_weights.safetensors.index.json").read_text())
    assert set(index["weight_map"]) == set(whole) and set(index["weight_map"].values()) == set(
        files
    )
    assert index["metadata"]["total_size"] == sum(array.nbytes for array in whole.values())
    assert not aq.checkpoint.check(folder, full=True)


def test_blocks_of_rows_give_what_whole_weights_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tensors(experts=2)
    for scheme in ("w8a8-dynamic", "w4a8-dynamic", "w8a8"):
        one = everything(quantised(tmp_path / scheme / "a", made, scheme))
        monkeypatch.setattr("aclquant.checkpoint.schemes.ROWS", 100)
        two = everything(quantised(tmp_path / scheme / "b", made, scheme))
        monkeypatch.undo()
        one.pop("aclquant_manifest.json"), two.pop("aclquant_manifest.json")
        assert one == two


def test_weights_of_other_names_and_ranks(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    made = {
        "conv.weight": random.standard_normal((8, 3, 5)).astype(np.float32),
        "lstm.weight_ih": random.standard_normal((16, 7)).astype(np.float32),
    }
    from safetensors.numpy import save_file

    save_file(made, tmp_path / "m.safetensors")
    with pytest.raises(aq.ParameterError, match="no weight to quantise; --include"):
        aq.checkpoint.quantize(tmp_path / "m.safetensors", tmp_path / "q", "w8a8-dynamic")
    for scheme in ("w8a8-dynamic", "w4a8-dynamic"):
        folder = tmp_path / scheme
        aq.checkpoint.quantize(tmp_path / "m.safetensors", folder, scheme, include=["weight"])
        checkpoint = aq.checkpoint.open(folder)
        for name, w in made.items():
            codes, scales = symmetric(w, 8 if "w8" in scheme else 4)
            expected = codes.reshape(len(w), -1) * scales
            np.testing.assert_array_equal(checkpoint[name], expected.reshape(w.shape))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"scheme": "w4a16", "format": "ascendv1"}, "ascendv1 has no w4a16"),
        ({"scheme": "w8a16", "format": "compressed-tensors"}, "does not load w8a16"),
        ({"scheme": "w9a9"}, "w8a8-dynamic, w8a8"),
        ({"scheme": "w8a8"}, "needs a calibration file"),
        ({"scheme": "w8a16", "calibration": "x.json"}, "needs no calibration"),
        ({"scheme": "w8a16", "exclude": ["nonsense"]}, "'nonsense' matches no weight"),
        ({"scheme": "w8a16", "exclude": ["k_proj"]}, "loaders fuse .* into .*qkv_proj"),
        ({"scheme": "w8a16", "exclude": ["layers.1.mlp.up"]}, "gate_up_proj: quantise or exclude"),
        ({"scheme": "w8a16", "group_size": 24}, "not a multiple of the group size 24; keep it"),
        ({"scheme": "w4a16", "group_size": 16}, "multiples of 32"),
        ({"scheme": "w4a16"}, "group size 128; take --group-size 64, or keep it"),
        ({"scheme": "w4a8-dynamic", "group_size": 32}, "group size is 0"),
    ],
)
def test_refused_before_anything_is_written(
    tmp_path: Path, options: dict[str, object], text: str
) -> None:
    source = write_model(tmp_path / "model", tensors())
    with pytest.raises(aq.ParameterError, match=text):
        aq.checkpoint.quantize(source, tmp_path / "q", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "q").exists()


def test_folders_are_kept_apart(tmp_path: Path) -> None:
    source = write_model(tmp_path / "model", tensors(layers=1))
    for target in (source, source / "q", tmp_path, source / "config.json"):
        with pytest.raises(aq.ParameterError, match="have to be apart"):
            aq.checkpoint.quantize(source, target, "w8a16")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "theirs").write_text("x")
    with pytest.raises(FileExistsError, match="is not empty"):
        aq.checkpoint.quantize(source, tmp_path / "full", "w8a16")
    (tmp_path / "link").symlink_to(source)
    with pytest.raises(aq.ParameterError, match="have to be apart"):
        aq.checkpoint.quantize(source, tmp_path / "link", "w8a16")
    assert (tmp_path / "full" / "theirs").read_text() == "x"


def test_bad_numbers_are_named(tmp_path: Path) -> None:
    made = tensors(np.float32)
    name = "model.layers.1.mlp.up_proj.weight"
    made[name][5, 3] = np.inf
    source = write_model(tmp_path / "model", made)
    with pytest.raises(aq.ParameterError, match=rf"{name}: row 5 holds NaN or infinite"):
        aq.checkpoint.quantize(source, tmp_path / "q", "w8a8-dynamic")
    with pytest.raises(aq.ParameterError, match=r"row 5 holds NaN"):
        aq.checkpoint.quantize(source, tmp_path / "g", "w8a8-dynamic", group_size=8)


def test_too_little_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    source = write_model(tmp_path / "model", tensors())
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OSError, match="too little space"):
        aq.checkpoint.quantize(source, tmp_path / "q", "w8a16")
    assert not list((tmp_path / "q").glob("*.safetensors"))


def test_sources_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        aq.checkpoint.quantize(tmp_path / "none", tmp_path / "q", "w8a16")
    (tmp_path / "empty").mkdir()
    with pytest.raises(aq.ParameterError, match=r"has no \.safetensors files"):
        aq.checkpoint.quantize(tmp_path / "empty", tmp_path / "q", "w8a16")
    (tmp_path / "empty" / "pytorch_model.bin").touch()
    with pytest.raises(
        aq.ParameterError, match="pickled file; save the model with safe_serialization"
    ):
        aq.checkpoint.quantize(tmp_path / "empty", tmp_path / "q", "w8a16")
    source = write_model(tmp_path / "model", tensors(), quantization_config={"quant_method": "fp8"})
    with pytest.raises(aq.ParameterError, match="quantised already"):
        aq.checkpoint.quantize(source, tmp_path / "q", "w8a16")
    file = source / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(aq.ParameterError, match="not a whole"):
        aq.checkpoint.quantize(source, tmp_path / "q", "w8a16")
