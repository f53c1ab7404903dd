"""pyACL, function by function: rows 1 to 18 of its conventions, and each function's results.

The module is imported as its users do, from the toolkit tree; it shares the host device of this
process with aclquant.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from aclquant.stand_in import environment

from .harness import TOOLKIT

FILE = TOOLKIT / "python" / "site-packages" / "acl.py"
H2D, D2H, D2D = 1, 2, 3


@pytest.fixture(scope="module")
def acl() -> Iterator[Any]:
    sys.path.append(str(FILE.parent))
    try:
        module = importlib.import_module("acl")
    finally:
        sys.path.remove(str(FILE.parent))
    assert module.__file__ == str(FILE)
    module.init()
    yield module
    for name in [name for name in sys.modules if name.split(".")[0] == "acl"]:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def device(acl: Any) -> Iterator[None]:
    assert acl.rt.set_device(0) == 0
    yield
    acl.rt.synchronize_device()
    acl.get_recent_err_msg()
    assert acl.rt.reset_device(0) == 0


@pytest.fixture
def stream(acl: Any) -> Iterator[int]:
    made, status = acl.rt.create_stream()
    assert status == 0 and made > 0
    yield made
    assert acl.rt.destroy_stream(made) == 0


@pytest.fixture
def memory(acl: Any) -> Iterator[int]:
    made, status = acl.rt.malloc(64, 0)
    assert status == 0 and made > 0
    yield made
    assert acl.rt.free(made) == 0


def run(program: str, **settings: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60,
        env={**environment(), **settings},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_row_1_to_2_start_and_end_in_a_new_process() -> None:
    program = """
import acl
version = acl.get_version()
assert len(version) == 4 and version[3] == 0 and all(type(n) is int for n in version), version
assert acl.get_recent_err_msg() is None
assert (acl.init(), acl.init()) == (0, 100002)
assert acl.rt.get_device() == (0, 107002)
acl.rt.set_device(0)
pointer, _ = acl.rt.malloc(8, 0)
assert acl.rt.reset_device_force(0) == 0 and acl.finalize() == 0
print(type(acl.rt.free(pointer)), acl.init("/nonexistent"))
"""
    assert run(program).startswith("<class 'int'> ")


def test_rows_3_to_6_arguments(acl: Any) -> None:
    assert acl.rt.malloc(0, 0) == (0, 100000)
    for call in (
        lambda: acl.rt.malloc("x", 0), lambda: acl.rt.malloc(size=8, policy=0),
        lambda: acl.rt.malloc(8), lambda: acl.rt.malloc(None, 0), lambda: acl.rt.malloc(8.0, 0),
        lambda: acl.rt.free(None), lambda: acl.init(3), lambda: acl.app_log(3, b"x"),
        lambda: acl.op.set_model_dir(3), lambda: acl.rt.launch_callback(3, None, 0, 0),
        lambda: acl.util.start_thread(None, 0),
    ):  # fmt: skip
        with pytest.raises(TypeError):
            call()
    with pytest.raises(OverflowError):
        acl.rt.set_device(2**32)
    assert acl.rt.free(0) == 100000
    pointer, status = acl.rt.malloc(np.int64(8), np.int32(0))  # whatever has __index__
    assert status == 0 and acl.rt.free(np.uint64(pointer)) == 0
    assert acl.rt.free(-1) != 0  # wraps: a wrong pointer, with a status and no exception


def test_row_7_a_new_thread_has_no_device(acl: Any) -> None:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(acl.rt.get_device()))
    thread.start()
    thread.join()
    assert found == [(0, 107002)] and acl.rt.get_device() == (0, 0)


def test_row_8_bytes_there_and_back(acl: Any, memory: int) -> None:
    """As Huawei's samples do it: also into the bytes of a zero array."""
    data = bytes(range(64))
    target = np.zeros(64, np.uint8).tobytes()
    to, source = acl.util.bytes_to_ptr(target), acl.util.bytes_to_ptr(data)
    assert acl.rt.memcpy(memory, 64, source, 64, H2D) == 0
    assert acl.rt.memcpy(to, 64, memory, 64, D2H) == 0
    assert np.frombuffer(target, np.uint8).tolist() == list(range(64))
    assert acl.rt.memcpy(to, 64, memory, 65, D2H) != 0
    assert "65" in acl.get_recent_err_msg()


def test_rows_9_and_10_converters(acl: Any) -> None:
    for wrong in (bytearray(4), "text", np.zeros(4), 3):
        with pytest.raises(ValueError):
            acl.util.bytes_to_ptr(wrong)
    assert acl.util.ptr_to_bytes(acl.util.bytes_to_ptr(b"abcd"), 4) == b"abcd"
    assert acl.util.ptr_to_bytes(acl.util.bytes_to_ptr(b""), 0) == b""
    for pointer, size in ((0, 4), (acl.util.bytes_to_ptr(b"abcd"), -1)):
        with pytest.raises(ValueError):
            acl.util.ptr_to_bytes(pointer, size)
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    with pytest.warns(Warning, match="deprecated"):
        assert acl.util.numpy_to_ptr(array) == array.ctypes.data
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert acl.util.numpy_to_ptr(array.T) == array.ctypes.data
    assert len(seen) == 2
    with pytest.raises(ValueError):
        acl.util.numpy_to_ptr([1])
    pointer, kept = acl.util.numpy_contiguous_to_ptr(array.T)
    assert pointer == kept.ctypes.data and kept.flags.c_contiguous and (kept == array.T).all()
    pointer, kept = acl.util.numpy_contiguous_to_ptr(array)
    assert pointer == array.ctypes.data and kept is array
    with pytest.raises(ValueError):
        acl.util.numpy_contiguous_to_ptr([1])
    view = acl.util.ptr_to_numpy(array.ctypes.data, (2, 6), array.dtype.num)
    view[0, 0] = 7  # a view of the same memory
    assert array[0, 0] == 7 and view.dtype == np.float32 and view.shape == (2, 6)
    assert acl.util.ptr_to_numpy(array.ctypes.data, (), 11).shape == ()
    for shape, number in (((2,), 17), ((2,), -1), ((-2,), 11)):
        with pytest.raises(ValueError):
            acl.util.ptr_to_numpy(array.ctypes.data, shape, number)
    with pytest.raises(ValueError):
        acl.util.ptr_to_numpy(0, (2,), 11)
    with pytest.raises(TypeError):
        acl.util.ptr_to_numpy(array.ctypes.data, [2], 11)


def test_rows_11_and_12_events(acl: Any, stream: int) -> None:
    event, status = acl.rt.create_event()
    later, other = acl.rt.create_event_with_flag(8)  # ACL_EVENT_TIME_LINE
    plain, third = acl.rt.create_event_ex_with_flag(1)
    assert (status, other, third) == (0, 0, 0)
    assert acl.rt.query_event(event) in ((0, 0), (1, 0))
    assert acl.rt.record_event(event, stream) == 0 and acl.rt.record_event(later, stream) == 0
    assert acl.rt.synchronize_event(event) == 0 and acl.rt.synchronize_stream(stream) == 0
    assert acl.rt.query_event(event) == (0, 0) and acl.rt.query_event_status(event) == (1, 0)
    elapsed, status = acl.rt.event_elapsed_time(event, later)
    assert type(elapsed) is float and elapsed >= 0 and status == 0
    assert acl.rt.record_event(plain, 0) == 0 and acl.rt.synchronize_event(plain) == 0
    assert acl.rt.event_elapsed_time(plain, plain) == (0.0, 107006)
    assert acl.rt.stream_wait_event(stream, plain) == 0
    assert acl.rt.synchronize_event_with_timeout(later, 1000) == 0
    assert acl.rt.reset_event(event, stream) == 0
    assert acl.rt.synchronize_stream_with_timeout(stream, 1000) == 0
    for made in (event, later, plain):
        assert acl.rt.destroy_event(made) == 0
    assert acl.rt.destroy_event(event) != 0 and acl.rt.record_event(0, stream) != 0


def test_row_13_callbacks_run_in_the_subscribed_thread(acl: Any, stream: int) -> None:
    calls: list[tuple[int, object]] = []
    stop = threading.Event()
    argument = ["any object"]

    def process(given: list[object]) -> None:
        assert given == ["of the thread"]
        acl.rt.set_device(0)
        while not stop.is_set():
            acl.rt.process_report(50)
        acl.rt.reset_device(0)

    thread, status = acl.util.start_thread(process, ["of the thread"])
    assert status == 0 and acl.rt.subscribe_report(thread, stream) == 0
    both = threading.Barrier(2)  # the second call is not waited for by the stream

    def call(given: object) -> None:
        calls.append((threading.get_ident(), given))
        if len(calls) == 2:
            both.wait(30)

    assert acl.rt.launch_callback(call, argument, 1, stream) == 0
    assert acl.rt.synchronize_stream(stream) == 0 and len(calls) == 1
    assert acl.rt.launch_callback(call, argument, 0, stream) == 0
    both.wait(30)
    assert acl.rt.synchronize_stream(stream) == 0
    assert calls == [(thread, argument)] * 2 and calls[0][1] is argument
    assert acl.rt.unsubscribe_report(thread, stream) == 0
    stop.set()
    assert acl.util.stop_thread(thread) == 0
    assert acl.util.stop_thread(thread) == 100000  # it is gone


def test_an_error_in_a_callback_is_written_and_harms_nothing() -> None:
    program = """
import acl
acl.init(); acl.rt.set_device(0)
stream, _ = acl.rt.create_stream()
go = [True]
def process(_):
    acl.rt.set_device(0)
    while go: acl.rt.process_report(20)
thread, _ = acl.util.start_thread(process, 0)
acl.rt.subscribe_report(thread, stream)
def fails(_): raise KeyError("the callback's")
assert acl.rt.launch_callback(fails, 0, 1, stream) == 0
print(acl.rt.synchronize_stream(stream))
go.clear(); acl.util.stop_thread(thread)
"""
    text = run(program)
    assert text.startswith("0\n") and "the callback's" in text


def test_row_14_nobody_is_subscribed(acl: Any, stream: int) -> None:
    assert acl.rt.launch_callback(print, 0, 1, stream) == 107015
    assert not acl._calls  # nothing is kept of it


def test_row_15_submodules(acl: Any) -> None:
    for name in ("rt", "mdl", "media", "op", "blas", "util", "prof", "himpi", "fv"):
        module = importlib.import_module(f"acl.{name}")
        assert isinstance(module, ModuleType) and module is getattr(acl, name)
    from acl.rt import memcpy  # type: ignore[import-not-found]

    assert memcpy is acl.rt.memcpy
    assert not hasattr(acl.mdl, "load_from_file")  # how clients ask


def test_row_16_messages(acl: Any) -> None:
    assert acl.get_recent_err_msg() is None
    acl.rt.malloc(0, 0)
    assert "aclrtMalloc: argument 'size': got 0" in acl.get_recent_err_msg()
    assert acl.get_recent_err_msg() is None


def test_row_17_the_module_of_a_real_cann_wins(tmp_path: Any) -> None:
    (tmp_path / "acl.py").write_text("name = 'theirs'")
    variables = environment({**os.environ, "PYTHONPATH": str(tmp_path)})
    done = subprocess.run(
        [sys.executable, "-c", "import acl; print(acl.name)"],
        capture_output=True, text=True, env=variables,
    )  # fmt: skip
    assert done.stdout == "theirs\n"
    program = "import aclquant; aclquant.activate(); import acl; print(acl.name)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout == "theirs\n", done.stderr


def test_activate_gives_the_module() -> None:
    program = "import aclquant; aclquant.activate(); import acl; print(acl.init(), acl.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )  # fmt: skip
    assert done.stdout == f"0 {FILE}\n", done.stderr


def test_row_18_there_is_no_acl_beside_aclquant() -> None:
    import aclquant

    for folder in aclquant.__path__:
        assert not list((TOOLKIT.parent.parent).glob("acl.*")), folder
    done = subprocess.run([sys.executable, "-c", "import acl"], capture_output=True, text=True)
    assert done.returncode == 1 and "ModuleNotFoundError" in done.stderr


def test_it_refuses_another_libascendcl(tmp_path: Any) -> None:
    library = tmp_path / "libascendcl.so"
    command = ["cc", "-shared", "-o", library, "-Wl,-soname,libascendcl.so", "-x", "c", "/dev/null"]
    try:
        subprocess.run(command, check=True)
    except FileNotFoundError:
        pytest.skip("cc is not installed")
    program = f"import ctypes; ctypes.CDLL({str(library)!r}); import acl"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(FILE.parent)},
    )  # fmt: skip
    assert "ImportError: the libascendcl.so that is loaded is not the host device" in done.stderr
    assert str(FILE) in done.stderr


def test_properties(acl: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert acl.get_soc_name().startswith("Ascend")
    for info in (0, 1, 2):
        value, status = acl.get_device_capability(0, info)
        assert value > 0 and status == 0
    assert acl.get_device_capability(0, 99)[1] != 0
    assert [acl.data_type_size(code) for code in (0, 1, 2, 9, 12)] == [4, 2, 1, 8, 1]
    assert acl.data_type_size(999) == 0
    assert acl.app_log(3, "100 %s %n") is None
    assert "100 %s %n" in capfd.readouterr().err
    count, status = acl.rt.get_device_count()
    assert count >= 1 and status == 0 and acl.rt.get_run_mode() == (1, 0)
    for attribute in (0, 1):
        free, total, status = acl.rt.get_mem_info(attribute)
        assert 0 < free <= total and status == 0
    can, status = acl.rt.device_can_access_peer(0, 0)
    assert can in (0, 1) and type(status) is int
    assert type(acl.rt.device_enable_peer_access(0, 0)) is int
    assert type(acl.rt.device_disable_peer_access(0)) is int
    assert acl.op.set_model_dir(".") == 207000


def test_contexts(acl: Any) -> None:
    first, status = acl.rt.get_context()
    assert status == 0 and first > 0
    made, status = acl.rt.create_context(0)
    assert status == 0 and acl.rt.get_context() == (made, 0)
    assert acl.rt.set_context(first) == 0 and acl.rt.get_context() == (first, 0)
    assert acl.rt.destroy_context(made) == 0 and acl.rt.destroy_context(made) != 0
    assert acl.rt.create_context(99)[0] == 0


def test_streams(acl: Any) -> None:
    stream, status = acl.rt.create_stream_with_config(0, 1)
    assert status == 0
    assert acl.rt.synchronize_stream(stream) == 0 and acl.rt.synchronize_device() == 0
    assert acl.rt.synchronize_stream(0) == 0  # the default one
    assert acl.rt.destroy_stream(stream) == 0 and acl.rt.destroy_stream(stream) != 0


def test_memory(acl: Any, memory: int, stream: int) -> None:
    host, status = acl.rt.malloc_host(64)
    assert status == 0
    ctypes.memmove(host, bytes(range(64)), 64)
    assert acl.rt.memcpy_async(memory, 64, host, 64, H2D, stream) == 0
    other, _ = acl.rt.malloc(64, 0)
    assert acl.rt.synchronize_stream(stream) == 0
    assert acl.rt.memcpy(other, 64, memory, 64, D2D) == 0
    assert acl.rt.memset(memory, 64, 5, 8) == 0
    assert acl.rt.memcpy(host, 64, memory, 64, D2H) == 0
    assert acl.util.ptr_to_bytes(host, 10) == b"\x05" * 8 + b"\x08\x09"
    assert acl.rt.memcpy(host, 64, other, 64, D2H) == 0
    assert acl.util.ptr_to_bytes(host, 64) == bytes(range(64))
    assert acl.rt.free(other) == 0 and acl.rt.free_host(host) == 0
    assert acl.rt.free_host(0) != 0


def test_every_function_has_a_sentence_and_positional_arguments(acl: Any) -> None:
    import inspect

    found = 0
    for module in (acl, acl.rt, acl.util, acl.op):
        for name, function in vars(module).items():
            if isinstance(function, type(run)) and not name.startswith("_"):
                found += 1
                assert function.__doc__, name
                for parameter in inspect.signature(function).parameters.values():
                    assert parameter.kind is parameter.POSITIONAL_ONLY, name
    assert found == 59
    assert "stand-in" in acl.__doc__
    assert importlib.util.find_spec("acl") is not None
