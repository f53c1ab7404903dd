"""Choosing a backend: by name, by environment, by path; never another one than asked for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.processes import run_python

import aclquant as aq
from aclquant._ffi.library import load
from aclquant._ffi.locate import is_stub, places

from .support import HOST_LIBRARY as HOST

_NO_CANN = {
    "ASCEND_HOME_PATH": None,
    "ASCEND_TOOLKIT_HOME": None,
    "ASCEND_OPP_PATH": None,
    "ASCEND_CUSTOM_OPP_PATH": None,
}


def test_description_is_readable_and_plain() -> None:
    active = aq.backend()
    plain = json.loads(json.dumps(active.describe()))
    assert plain["backend"] == active.name
    assert plain["devices"] == len(aq.devices()) >= 1
    for library in plain["libraries"]:
        assert Path(library["real_path"]).is_file()
        assert library["real_path"] in repr(active)


def test_auto_takes_the_host_device_where_there_is_no_cann() -> None:
    output = run_python(
        "import aclquant as aq; print(aq.backend().name)", ACLQUANT_BACKEND=None, **_NO_CANN
    )
    assert output.strip() == "host"


def test_named_backend_never_falls_back() -> None:
    output = run_python(
        """
        import aclquant as aq
        aq.use_backend("cann")
        for attempt in range(2):
            try:
                aq.devices()
            except aq.LibraryNotFoundError as error:
                print(error)
        """,
        ACLQUANT_BACKEND=None,
        **(_NO_CANN | {"ASCEND_HOME_PATH": "/nowhere/cann"}),
    )
    lines = output.splitlines()
    assert "  /nowhere/cann/lib64 (ASCEND_HOME_PATH): no such directory" in lines
    for place in ("already loaded", "/usr/local/Ascend/cann/lib64", "system loader"):
        assert any(place in line for line in lines)
    last = "aclquant.use_backend: no usable library for the backend 'cann' "
    assert len([line for line in lines if line.startswith(last)]) == 2


def test_environment_variable_names_the_backend() -> None:
    output = run_python(
        """
        import aclquant as aq
        try:
            aq.backend()
        except ImportError as error:
            print(type(error).__name__, "/nowhere/lib.so (given path)" in str(error))
        """,
        ACLQUANT_BACKEND="/nowhere/lib.so",
    )
    assert output.split() == ["LibraryNotFoundError", "True"]


def test_a_named_host_library_is_not_replaced_by_the_bundled_one(tmp_path: Path) -> None:
    missing = tmp_path / "nothing.so"
    output = run_python(
        """
        import aclquant as aq
        try:
            aq.backend()
        except aq.LibraryNotFoundError as error:
            print(error)
        """,
        ACLQUANT_BACKEND="host",
        ACLQUANT_HOST_LIBRARY=str(missing),
    )
    assert str(missing) in output and "ACLQUANT_HOST_LIBRARY" in output
    assert [place.path for place in places("host")][-1] == str(HOST)


def test_path_of_a_library_or_directory_is_a_backend() -> None:
    for path in (HOST, HOST.parent):
        output = run_python(
            f"""
            import numpy as np, aclquant as aq
            aq.use_backend({str(path)!r})
            print(aq.quantize(np.float32([2]), 1.0).tolist())
            """,
            ACLQUANT_BACKEND=None,
        )
        assert output.strip() == "[2]"


def test_cann_installation_is_found_by_its_variables(tmp_path: Path) -> None:
    """The filter libraries stand in for a CANN installation, one of them in its stub directory.

    Without the host device beside them, by which its own tree is recognised.
    """
    for folder in ("lib64", "devlib"):
        without = shutil.ignore_patterns(HOST.name)
        shutil.copytree(HOST.parent, tmp_path / folder, symlinks=True, ignore=without)
    output = run_python(
        """
        import aclquant as aq
        backend = aq.backend()
        print(backend.name, backend.libraries[0]["how"], backend.libraries[0]["path"])
        """,
        ACLQUANT_BACKEND="auto",
        **(_NO_CANN | {"ASCEND_HOME_PATH": str(tmp_path), "LD_LIBRARY_PATH": str(HOST.parent)}),
    )
    assert output.split() == ["cann", "ASCEND_HOME_PATH", f"{tmp_path}/lib64/libascendcl.so"]
    assert is_stub(str(tmp_path / "devlib" / "libascendcl.so"))
    assert not is_stub(str(tmp_path / "lib64" / "libascendcl.so"))


def test_symbol_missing_is_another_error_than_library_missing() -> None:
    library = load("host")
    with pytest.raises(aq.SymbolNotFoundError, match="not declared") as caught:
        _ = library.aclnnNeverHeardOf
    assert not isinstance(caught.value, ImportError)
    assert not library.has("aclnnNeverHeardOf")
    declared = "aclnnStatus aclnnNoneGetWorkspaceSize(const aclTensor *x, uint64_t *workspaceSize, "
    function = aq.aclnn.declare(declared + "aclOpExecutor **executor)")
    with pytest.raises(aq.SymbolNotFoundError, match=r"no such symbol in .*\.so"):
        function(None)


def test_switching_needs_closed_objects_and_is_clean() -> None:
    run_python(
        f"""
        import numpy as np, aclquant as aq
        aq.use_backend("host")
        stream = aq.Stream()
        tensor = aq.asarray(np.float32([1]))
        try:
            aq.use_backend({str(HOST)!r})
        except aq.ResourceError as error:
            assert "1 Stream" in str(error) and "1 Buffer" in str(error), error
        else:
            raise AssertionError
        assert aq.quantize(tensor, 1.0).numpy() == 1
        stream.close()
        kept = tensor
        del tensor
        kept.close()
        old = aq.backend()
        aq.use_backend({str(HOST)!r})
        assert aq.backend() is not old and not old.usable
        assert aq.quantize(np.float32([3]), 1.0) == 3
        try:
            kept.numpy()
        except aq.ResourceError:
            pass
        else:
            raise AssertionError
        """,
        ACLQUANT_BACKEND=None,
    )


def test_choosing_the_same_backend_again_changes_nothing() -> None:
    before = aq.backend()
    with aq.Event():
        aq.use_backend("host")
        assert aq.backend() is before


def test_unknown_soc_is_refused_at_first_use() -> None:
    output = run_python(
        """
        import aclquant as aq
        try:
            aq.backend()
        except aq.AclError as error:
            print(error)
        """,
        ACLQUANT_BACKEND="host",
        ACLQUANT_HOST_SOC="Ascend950PR_9589",
    )
    assert "aclInit: 500000 ACL_ERROR_INTERNAL_ERROR: " in output.splitlines()[-1]


def test_the_end_of_the_program_is_silent() -> None:
    """Open objects, queued work, a thread that sleeps: all is waited for and given back."""
    run_python(
        """
        import threading, time
        import numpy as np, aclquant as aq
        stream, event, host = aq.Stream(), aq.Event(), aq.HostBuffer(8)
        array = host.array()
        x = aq.asarray(np.zeros((1000, 1000), np.float32))
        kept = [aq.quantize(x, 1.0, stream=stream) for _ in range(20)]
        event.record(stream)
        aq.quantize(x, 1.0)
        threading.Thread(target=lambda: (aq.quantize(x, 1.0), time.sleep(60)), daemon=True).start()
        time.sleep(0.1)
        """
    )


def test_backend_tells_which_kernels_run() -> None:
    kernels = aq.backend().kernels
    assert kernels is not None
    usable = kernels["usable"]
    assert isinstance(usable, list) and usable[0] == "scalar" and kernels["isa"] in usable
    assert isinstance(kernels["threads"], int) and kernels["threads"] >= 1
    assert f"kernels: {kernels['isa']}" in repr(aq.backend())


def test_a_variant_is_forced_by_the_environment() -> None:
    code = "import aclquant as aq; print(aq.backend().kernels)"
    environment = {**os.environ, "ACLQUANT_HOST_ISA": "scalar", "ACLQUANT_HOST_THREADS": "3"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "'isa': 'scalar'" in done.stdout and "'threads': 3" in done.stdout


def test_a_backend_that_is_not_there_does_not_replace_one_that_works(tmp_path: Path) -> None:
    other = tmp_path / "libother.so"
    other.write_bytes(b"no library")
    run_python(
        f"""
        import numpy as np, aclquant as aq
        x = np.float32([3])
        assert aq.quantize(x, 1.0) == 3
        before = aq.backend()
        for name in ("nonsense", {str(other)!r}, "libc.so.6"):
            try:
                aq.use_backend(name)
            except aq.LibraryNotFoundError:
                pass
            else:
                raise AssertionError(name)
        try:
            aq.use_backend(5)
        except aq.ParameterError as error:
            assert error.argument == "name"
        assert aq.backend() is before
        assert aq.quantize(x, 1.0) == 3
        """
    )


@pytest.mark.parametrize("version", ["8", "nine", "9."])
def test_a_version_that_is_none_is_refused_at_first_use(version: str) -> None:
    run_python(
        f"""
        import numpy as np, aclquant as aq
        try:
            aq.quantize(np.float32([3]), 1.0)
        except aq.AclError as error:
            assert "ACLQUANT_HOST_VERSION is '{version}'" in str(error), error
        else:
            raise AssertionError
        """,
        ACLQUANT_HOST_VERSION=version,
    )


def test_a_backend_that_does_not_exist_is_refused_at_once() -> None:
    run_python(
        """
        import aclquant as aq
        for name in ("gpu", "npu:0", ""):
            try:
                aq.use_backend(name)
            except aq.LibraryNotFoundError as error:
                assert repr(name) in str(error)
            else:
                raise AssertionError(name)
        aq.use_backend("host")
        assert aq.backend().name == "host"
        """
    )
