"""explain, op, doctor, needs, inspect: what they answer, and how they end."""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from helpers.processes import run_python

import aclquant as aq
from aclquant.codes import all_codes
from aclquant.debug import advice, numbers, operators
from aclquant.debug.doctor import doctor

from .conftest import Command

# ---- explain ----


def test_every_code_has_a_meaning_and_a_next_step() -> None:
    codes = all_codes()
    assert len(codes) > 250
    for name, code in codes.items():
        (found,) = advice.look_up(name)
        assert found.code == code and found.meaning and found.name == name
        if code:
            assert found.causes or found.steps, name
        assert advice.look_up(str(code))[0].code == code
    assert advice._BY_NAME.keys() <= codes.keys()


def test_the_codes_of_pain_and_demand_have_their_own_advice() -> None:
    for code in (161001, 161002, 561002, 561003, 561103, 107002, 107027, 107030, 107025, 107033,
                 507015, 507035, 500000, 107000):  # fmt: skip
        (found,) = advice.look_up(code)
        assert found.name in advice._BY_NAME, found
        assert found.causes and found.steps


def test_explain_on_the_command_line(run: Command) -> None:
    assert "which argument" not in run("explain", "161002").stdout
    done = run("explain", "107002")
    assert done.returncode == 0 and done.stdout.startswith("107002 ACL_ERROR_RT_CONTEXT_NULL\n")
    assert "aclrtSetDevice was not called in this thread" in done.stdout
    listed = run("explain", "captured", "--json")
    assert {row["code"] for row in json.loads(listed.stdout)} >= {107027}
    assert run("explain", "0x274ea").stdout.startswith("161002 ACLNN_ERR_PARAM_INVALID\n")
    assert "0x2749a (160922): not a code" in run("explain", "0x2749a").stderr
    wrong = run("explain", "ACL_ERROR_RT_CONTEXT_NUL1")
    assert wrong.returncode == 1 and "did you mean ACL_ERROR_RT_CONTEXT_NULL" in wrong.stderr
    with pytest.raises(aq.ParameterError, match="not a code"):
        advice.look_up(4711)


# ---- op ----


@pytest.mark.parametrize(
    "name",
    ["aclnnQuantize", "Quantize", "quantize", "npu_quantize", "aclnnQuantizeGetWorkspaceSize"],
)
def test_an_operator_by_any_of_its_names(name: str) -> None:
    page = operators.look_up(name, chips=())
    assert page.name in ("aclnnQuantize", "aclnnAscendQuantV3") and page.there
    assert page.python == "aclquant.quantize" and page.page == "docs/ops/quantize.md"
    assert "round(x / scales + zeroPoints)" in page.summary or page.name != "aclnnQuantize"


def test_types_per_chip_come_from_phase_one(run: Command) -> None:
    chips = [part for chip in ("Ascend910B1", "Ascend310P3") for part in ("--chip", chip)]
    done = run("op", "aclnnQuantize", "--json", *chips)
    page = json.loads(done.stdout)["chips"]
    assert page["Ascend910B1"]["dtypes"]["x"] == ["FLOAT", "FLOAT16", "BF16"]
    assert page["Ascend310P3"]["dtypes"]["x"] == ["FLOAT", "FLOAT16"]
    assert page["Ascend910B1"]["dtypes"]["out"] == ["INT8", "UINT8", "INT32"]


def test_a_chip_that_does_not_exist_is_an_error(run: Command) -> None:
    """Issue 11: it ended with status 0."""
    for chip in ("foo", "Ascend950PR_9599"):
        done = run("op", "aclnnQuantize", "--chip", "Ascend910B1", "--chip", chip)
        assert done.returncode == 1 and not done.stdout
        assert f"'{chip}' is not supported" in done.stderr and "Ascend910B1" in done.stderr
    # In a process where no device is in use.
    refused = run_python("""
        from aclquant.debug import operators
        print(operators.look_up("aclnnQuantize").chips["Ascend950PR_9599"]["refused"])
    """)
    assert "Ascend 950 family is not implemented" in refused


@pytest.mark.parametrize("name", ["aclnnAscendAntiQuant", "aclnnDynamicQuantV2", "aclnnAdd"])
def test_an_accepted_call_is_found_for(name: str) -> None:
    row = operators.look_up(name, chips=("Ascend910B1",)).chips["Ascend910B1"]
    assert "refused" not in row, row
    assert all(row["dtypes"].values())


def test_op_on_the_command_line(run: Command) -> None:
    done = run("op", "dynamic_quant", "--chip", "Ascend910B1")
    assert done.returncode == 0, done.stderr
    assert (
        "aclnnStatus aclnnDynamicQuant" in done.stdout and "backend   host: has it" in done.stdout
    )
    wrong = run("op", "aclnnQuantise")
    suggestions = wrong.stderr.partition("did you mean ")[2].rstrip("?\n").split(", ")
    assert wrong.returncode == 1 and "aclnnQuantize" in suggestions


# ---- doctor ----


def test_the_doctor_finds_this_installation_sound(run: Command) -> None:
    done = run("doctor", "--backend", "host", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0 and report["healthy"], report
    smoke = [c["text"] for c in report["checks"] if c["area"] == "smoke test"]
    assert smoke == ["quantize", "anti_quant", "dynamic_quant", "quant_matmul"]
    assert report["versions"]["numpy"] == np.__version__
    assert report["backend"]["soc"] == "Ascend910B1"


def sick(monkeypatch: pytest.MonkeyPatch, **environment: str) -> list[str]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return [str(check) for check in doctor(backend="host").checks]


def test_the_doctor_sees_what_is_wrong_with_variables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real, stub = tmp_path / "real" / "lib64", tmp_path / "devlib"
    for folder in (real, stub):
        folder.mkdir(parents=True)
        (folder / "libascendcl.so").write_bytes(b"\x7fELF")
    (stub / "libopapi.so").symlink_to("nowhere.so")
    lines = sick(
        monkeypatch,
        ASCEND_HOME_PATH=str(tmp_path / "real"),
        ASCEND_TOOLKIT_HOME=str(tmp_path / "gone"),
        ASCEND_CUSTOM_OPP_PATH=str(tmp_path / "none"),
        ASCEND_RT_VISIBLE_DEVICES="all",
        LD_LIBRARY_PATH=f"{stub}:{real}",
        ACLQUANT_HOST_DEVICE="2",
    )
    text = "\n".join(lines)
    for expected in (
        r"FAULT +environment +ASCEND_TOOLKIT_HOME is .*gone, which does not exist",
        r"WARNING +environment +ASCEND_HOME_PATH .* name two installations",
        r"WARNING +environment +ASCEND_HOME_PATH is set and ASCEND_OPP_PATH is not",
        r"WARNING +environment +ASCEND_CUSTOM_OPP_PATH names .*none",
        r"FAULT +environment +LD_LIBRARY_PATH has .*devlib: its libraries are stubs",
        r"FAULT +environment +ASCEND_RT_VISIBLE_DEVICES is 'all'",
        r"FAULT +environment +ACLQUANT_HOST_DEVICE is not a variable",
        r"FAULT +libraries +libascendcl.so: .*devlib.*a stub",
        r"WARNING +libraries +libascendcl.so: .*real.* is shadowed",
        r"FAULT +libraries +.*libopapi.so is a broken link to nowhere.so",
    ):
        assert re.search(expected, text), (expected, text)


def test_versions_that_do_not_fit_together_are_a_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for version, names in (("8.2.RC1", ["libascendcl.so"]), ("9.1.0", ["libopapi.so"])):
        folder = tmp_path / version / "lib64"
        folder.mkdir(parents=True)
        (tmp_path / version / "version.info").write_text(f"Version={version}\n")
        for name in names:
            (folder / name).write_bytes(b"\x7fELF")
    paths = ":".join(str(tmp_path / v / "lib64") for v in ("8.2.RC1", "9.1.0"))
    text = "\n".join(sick(monkeypatch, LD_LIBRARY_PATH=paths))
    assert "libraries of several versions are mixed: 8.2.RC1, 9.1.0" in text


def test_the_doctor_says_why_there_is_no_backend(run: Command) -> None:
    done = run("doctor", "--backend", "/nonexistent")
    assert done.returncode == 3 and "FAULT   backend" in done.stdout
    assert "places tried" in done.stdout


# ---- needs ----


def test_what_a_c_program_wants(client: Path, run: Command) -> None:
    pytest.importorskip("elftools")
    done = run("needs", client, "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 0 and found["complete"]
    assert found["names"]["aclnnAscendQuantV3"] == {
        "how": "linked", "state": "there", "signature": "known",
    }  # fmt: skip
    assert found["libraries"] == dict.fromkeys(
        ["libascendcl.so", "libnnopbase.so", "libopapi.so"], "there"
    )


def test_names_that_are_missing_and_refused(tmp_path: Path, run: Command) -> None:
    pytest.importorskip("elftools")
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    source = tmp_path / "wanting.c"
    source.write_text(
        "int aclrtNoSuchThing(void); int aclrtMalloc(void);\n"
        'const char *names[] = {"aclnnAdaptiveMaxPool2d", "aclnnAdd", "HcclNoSuchThing"};\n'
        "int f(void) { return aclrtNoSuchThing() + aclrtMalloc(); }\n"
    )
    library = tmp_path / "wanting.so"
    os.system(f"cc -shared -fPIC {source} -o {library}")
    wheel = tmp_path / "wanting-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(library, "wanting/_c.so")
        archive.writestr("wanting/__init__.py", "lib.aclrtSetDevice(0)\nname = 'aclnnQuantize'\n")
    for target in (wheel, tmp_path):
        found = aq.debug.needs(target)
        states = {name: (row["how"], row["state"]) for name, row in found.names.items()}
        assert states["aclrtNoSuchThing"] == ("linked", "missing")
        assert states["aclrtMalloc"] == ("linked", "there")
        assert states["aclnnAdd"] == ("looked up", "there")
        assert states["HcclNoSuchThing"] == ("looked up", "missing")
        assert states["aclnnAdaptiveMaxPool2d"][0] == "looked up"
        assert states["aclnnAdaptiveMaxPool2d"][1] in ("refused", "there")
        assert found.missing == ["aclrtNoSuchThing"] and not found.complete
    assert {"aclrtSetDevice", "aclnnQuantize"} <= set(aq.debug.needs(wheel).names)
    done = run("needs", wheel)
    assert done.returncode == 3 and "linked, missing: 1\n    aclrtNoSuchThing" in done.stdout


def test_needs_refuses_what_it_cannot_read(tmp_path: Path, run: Command) -> None:
    text = tmp_path / "a.txt"
    text.write_text("hello")
    assert "which is neither" in run("needs", text).stderr
    assert "does not exist" in run("needs", tmp_path / "b").stderr
    broken = tmp_path / "c.whl"
    broken.write_text("no archive")
    assert run("needs", broken).returncode == 1
    short = tmp_path / "d.so"
    short.write_bytes(b"\x7fELF\x02\x01")
    assert "wants nothing of CANN" in run("needs", short).stdout


# ---- diff and inspect ----


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ml_dtypes.bfloat16])
def test_steps_between_floats(dtype: type) -> None:
    one = np.array([1, -1, 0, np.inf], dtype)
    size = one.dtype.itemsize
    above = (one.view(f"u{size}") + np.array([1, 1, 1, 0], f"u{size}")).view(one.dtype)
    result = numbers.compare(one, above)
    assert (result.equal, result.largest, result.unit, result.first) == (1, 1, "ULP", (0,))


def test_zeros_signs_and_nans() -> None:
    a = np.array([0.0, np.nan, 1], np.float32)
    b = np.array([-0.0, np.float32(np.nan) * -1, 1], np.float32)
    result = numbers.compare(a, b)
    assert result.equal == 2 and result.first == (0,) and result.largest == 0
    with pytest.raises(aq.ParameterError, match="float32 of shape"):
        numbers.compare(a, b[:2])
    assert numbers.compare(np.zeros(0), np.zeros(0)).identical


def test_large_integers_and_complex() -> None:
    a, b = np.array([-(2**63), 5]), np.array([2**63 - 1, 5])
    assert numbers.compare(a, b).largest == 2**64 - 1
    assert numbers.compare(np.array([1 + 2j]), np.array([1 - 2j])).first == (0, 1)


def test_a_summary_counts() -> None:
    four = np.array([-8, -8, 7, 0], ml_dtypes.int4)
    s = numbers.summarize(four, bins=4)
    assert (s.saturated_low, s.saturated_high, s.zeros, s.counts.sum()) == (2, 1, 1, 4)
    f = numbers.summarize(np.array([np.nan, np.inf, 2, 0], np.float16))
    assert (f.nans, f.infinities, f.zeros, f.least, f.most) == (1, 1, 1, 0, 2)
    assert "nan" in str(numbers.summarize(np.zeros(0, np.float32)))


def test_quantised_beside_dequantised() -> None:
    q = np.array([[1, -128], [127, 0]], np.int8)
    text = numbers.describe(q, [0.5, 2.0], axis=0, original=[[0.4, -64], [250, 1]])
    assert "0,0            1          0.5          0.4          0.1" in text
    assert "1,0          127          254          250            4" in text
    assert "1 at the lowest value, 1 at the highest" in text
    with pytest.raises(aq.ParameterError):
        numbers.describe(q, [1.0, 2.0, 3.0], axis=0)


def test_diff_and_inspect_on_the_command_line(run: Command, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.int8([1, 2, 3]))
    np.save(tmp_path / "b.npy", np.int8([1, 2, 5]))
    assert run("diff", "a.npy", "a.npy").returncode == 0
    done = run("diff", "a.npy", "b.npy", "--plot", "d.png")
    assert done.returncode == 3 and "largest difference 2 LSB" in done.stdout
    assert (tmp_path / "d.png").read_bytes()[:4] == b"\x89PNG"
    shown = run("inspect", "a.npy", "--scale", "0.5")
    assert shown.returncode == 0 and "1.5" in shown.stdout, shown.stderr
    assert run("inspect", "a.npy", "--scale", "half").returncode == 2
    assert run("diff", "a.npy", tmp_path).returncode == 2
