"""What happens on a card: arrays are copied, and refusals are explained by the host device."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.processes import run_python

from . import bare_cann


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    return bare_cann.build(tmp_path_factory.mktemp("bare"), compiler)


def test_arrays_are_copied_to_the_device_and_back(library: Path) -> None:
    run_python(
        """
        import numpy as np, ml_dtypes, aclquant as aq
        assert not aq.Device(0).capability("host_memory")
        assert not aq.backend().library.has("aclquantHostRegister")
        x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
        for view in (x, x.T, x[::-1, :, ::-2], np.broadcast_to(x[0], (5, 3, 4)), x[:0], x[0, 0, 0]):
            out = np.full((*view.shape, 2), 99, np.int8)[..., 0]
            got = aq.quantize(view, 1.0, out=out)
            assert got is out
            np.testing.assert_array_equal(got, view.astype(np.int8))
        x = np.array([[1, 2], [3, 4]], ml_dtypes.bfloat16)
        y, scale, offset = aq.dynamic_quant_asymmetric(x)
        assert y.tolist() == [[-128, 127]] * 2 and scale.shape == offset.shape == (2,)
        assert aq.quantize(aq.asarray(np.float32([3])), 1.0).numpy() == 3
        out = np.zeros(3, ">i4")
        aq.aclnn.aclnnQuantize(np.float32([1, 2, 300]), np.float32([1]), None, "int32", 0, out)
        assert out.tolist() == [1, 2, 300]
        """,
        ACLQUANT_BACKEND=str(library),
    )


def test_bare_refusal_is_explained_by_the_same_rules(library: Path) -> None:
    output = run_python(
        """
        import numpy as np, aclquant as aq
        for x in (np.float64([[1, 2]]), aq.asarray(np.float64([[1, 2]]))):
            try:
                aq.quantize(x, 1.0)
            except aq.DtypeError as error:
                print(error.code, error.argument, error.got, error.allowed, sep="|")
        try:
            aq.quantize(np.float32([[1, 2]]), [1.0, 2.0, 3.0])
        except aq.ParameterError as error:
            print(error.argument)
        assert aq.quantize(np.float32([5]), 1.0) == 5
        """,
        ACLQUANT_BACKEND=str(library),
    )
    lines = output.splitlines()
    allowed = "FLOAT, FLOAT16, BF16 (Ascend910B1); for example x.astype(np.float32)"
    assert lines == [f"161002|x|dtype DOUBLE|{allowed}"] * 2 + ["scales"]


def test_the_rules_are_those_of_the_same_chip(library: Path) -> None:
    output = run_python(
        f"""
        import numpy as np, ml_dtypes, aclquant as aq
        from aclquant._ffi.library import load
        private = load({str(library.with_name("libprivate_host.so"))!r})
        assert private.aclquantSetSocName(b"Ascend310P3") == 0
        assert aq.backend().soc == "Ascend310P3"
        try:
            aq.quantize(np.array([1, 2], ml_dtypes.bfloat16), 1.0)
        except aq.DtypeError as error:
            print(error.got, error.allowed)
        """,
        ACLQUANT_BACKEND=str(library),
    )
    assert (
        output.strip()
        == "dtype BF16 FLOAT, FLOAT16 (Ascend310P3); for example x.astype(np.float32)"
    )


def test_auto_wants_a_visible_device(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    for devices, expected in ((0, "host"), (1, "cann")):
        folder = tmp_path / f"cann{devices}"
        (folder / "lib64").mkdir(parents=True)
        library = bare_cann.build(folder, compiler, devices=devices)
        for name in ("libascendcl.so", "libnnopbase.so", "libopapi.so"):
            (folder / "lib64" / name).symlink_to(library)
        output = run_python(
            "import aclquant as aq; print(aq.backend().name)",
            ACLQUANT_BACKEND="auto",
            ASCEND_HOME_PATH=str(folder),
        )
        assert output.strip() == expected


def test_operators_and_tensors_behave_as_on_the_host_device(library: Path) -> None:
    """Run the tests of the surface again, with copies instead of lent memory."""
    here = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    files = [str(here / "test_ops.py"), str(here / "test_tensor.py")]
    environment = dict(
        os.environ,
        ACLQUANT_BACKEND=str(library),
        PYTHONPATH=os.pathsep.join(path for path in sys.path if path),
    )
    result = subprocess.run([*command, *files], capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout
