"""A backend that refuses with bare codes, as a card does: the host device explains its refusals."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from helpers.processes import run_python
from python import bare_cann

from .conftest import Command

# Refuses one operator that the host device accepts, and one for another reason.
STUBBORN = """
#include "aclnnop/aclnn_abs.h"
aclnnStatus aclnnAbsGetWorkspaceSize(const aclTensor *self, aclTensor *out, uint64_t *workspaceSize,
    aclOpExecutor **executor) {
    (void)self; (void)out; (void)workspaceSize; (void)executor;
    return 561103;
}
"""


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with libraries under CANN's names, which say nothing about their refusals."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "lib64").mkdir()
    library = bare_cann.build(folder, compiler)
    source = folder / "bare.c"
    text = source.read_text()
    start = text.index("\naclnnStatus aclnnAbsGetWorkspaceSize(")
    end = text.index("\n}\n", start) + 3
    source.write_text(text[:start] + STUBBORN + text[end:])
    command = [compiler, "-std=gnu11", "-shared", "-fPIC", f"-I{bare_cann.INCLUDE}", str(source)]
    for name in ("libascendcl.so", "libnnopbase.so", "libopapi.so"):
        target = folder / "lib64" / name
        if name == "libascendcl.so":
            subprocess.run([*command, "-ldl", f"-Wl,-soname,{name}", "-o", str(target)], check=True)
        else:
            target.symlink_to("libascendcl.so")
    del library
    return folder


def build(folder: Path, source: Path) -> Path:
    """Compile a program against the foreign libraries, without a run path."""
    program = folder / source.stem
    include = f"-I{bare_cann.INCLUDE}"
    command = ["cc", str(source), include, f"-L{folder}/lib64", "-lascendcl", "-o", str(program)]
    subprocess.run(command, check=True)
    return program


PROGRAMS = Path(__file__).parent / "programs"


def test_a_c_program_gets_the_sentence_through_the_tracer(foreign: Path, run: Command) -> None:
    program = build(foreign, PROGRAMS / "refused.c")
    bare = subprocess.run(
        [str(program)], capture_output=True, text=True, env={"LD_LIBRARY_PATH": f"{foreign}/lib64"}
    )
    assert bare.stdout == "status 161002\ntext none\n"
    done = run("trace", "--backend", foreign, "-f", "aclnn", "--", program)
    assert done.returncode == 1, done.stderr
    assert "argument 'scales': got dtype INT32; allowed: FLOAT, FLOAT16, BF16" in done.stderr
    # The program itself reads it too, where it asked CANN and got nothing.
    assert "text [161002 ACLNN_ERR_PARAM_INVALID]" in done.stdout


def test_a_c_program_under_record_gets_it_too(foreign: Path, run: Command, tmp_path: Path) -> None:
    from aclquant.debug.recording import read_recording

    done = run(
        "record", "--backend", foreign, "-o", "r", "--", build(foreign, PROGRAMS / "refused.c")
    )
    assert done.returncode == 1, done.stderr
    (call,) = read_recording(tmp_path / "r").calls
    assert call.refused and call.status == 161002
    assert "argument 'scales': got dtype INT32" in call.error
    again = run("replay", "r", "--backend", foreign)
    assert "1 of 1 calls as recorded" in again.stdout, again.stdout


def test_the_host_device_says_when_it_sees_nothing_wrong(foreign: Path, tmp_path: Path) -> None:
    output = run_python(
        """
        import numpy as np, aclquant as aq
        def call():
            try:
                aq.aclnn.aclnnAbs(np.ones(2, np.float32), np.empty(2, np.float32))
            except aq.AclError as error:
                print(error.code, "|", error)
        call()
        with aq.trace() as t:
            call()
        assert "accepts the same call" in t.errors[0].error, t.errors[0]
        """,
        ACLQUANT_BACKEND=str(foreign / "lib64" / "libascendcl.so"),
    )
    sentence = (
        "the host device, as Ascend910B1, accepts the same call: by its rules nothing is wrong"
    )
    assert output.count(sentence) == 2 and output.count("561103 |") == 2


def test_recorded_on_a_foreign_backend_and_replayed_here(
    foreign: Path, run: Command, tmp_path: Path
) -> None:
    from helpers.programs import EXAMPLES

    program = build(foreign, EXAMPLES / "c" / "quantize.c")
    done = run("record", "--backend", foreign, "-o", "card", "--", program)
    assert done.returncode == 0 and "127 -128" in done.stdout, done.stderr
    assert "y: equal: all 8 elements" in run("replay", "card").stdout
    assert "y: equal: all 8 elements" in run("replay", "card", "--backend", foreign).stdout


def test_the_doctor_compares_a_foreign_backend_with_the_host_device(
    foreign: Path, run: Command
) -> None:
    done = run("doctor", "--backend", foreign / "lib64" / "libascendcl.so")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok      smoke test   quantize" in done.stdout
