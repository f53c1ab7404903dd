"""The end of the program, with threads that are still running: status 0 and silence, as NumPy."""

from __future__ import annotations

import pytest
from helpers.processes import run_python

PROGRAM = """
import sys, threading, time
import numpy as np, aclquant as aq
x, h, big = np.ones(8, np.float32), np.ones(8, np.float16), np.ones((512, 512), np.float32)

def kept():
    aq.quantize(x, 0.5)

def half():
    aq.quantize(h, [0.5] * 8, div_mode=False)

def threads_of_the_device():
    aq.quantize(big, 0.5)

def tensors():
    aq.quantize(aq.asarray(x), 0.5).numpy()

def plans():
    with aq.plan(aq.quantize, x, 0.5) as plan:
        plan(x), plan(x)

def streams():
    stream = aq.Stream()
    aq.quantize(x, 0.5, stream=stream)
    stream.close()

def loop(call):
    while True:
        call()

calls = [kept, half, threads_of_the_device, tensors, plans, streams]
for call in {calls}:
    for _ in range({threads}):
        threading.Thread(target=loop, args=(call,), daemon=True).start()
time.sleep({seconds})
{ending}
"""
ENDINGS = {
    "falls off the end": "",
    "sys.exit": "sys.exit(0)",
    "a call in an exit handler": "import atexit; atexit.register(kept)",
}


def test_c1_daemon_threads_at_the_end() -> None:
    for threads in (1, 2):
        run_python(PROGRAM.format(calls="calls", threads=threads, seconds=0.3, ending=""))


def test_calls_after_the_device_was_given_back() -> None:
    """In handlers that were registered before the import, and in finalisers of the last GC."""
    program = """
import atexit
atexit.register(lambda: print("handler", call()))
import numpy as np, aclquant as aq
call = lambda: (aq.quantize(np.ones(2, np.float32), 0.25), aq.asarray(np.zeros(1)).numpy())
call()

class Last:
    def __del__(self):
        print("finaliser", call())

cycle = [Last()]
cycle.append(cycle)
del cycle
"""
    found = "(array([4, 4], dtype=int8), array([0.]))"
    assert run_python(program) == f"handler {found}\nfinaliser {found}\n"


def test_calls_after_the_modules_are_gone() -> None:
    """What builtins hold is finalised last; a first call then failed with KeyError: 'aclquant'."""
    program = """
import builtins
import numpy as np, aclquant as aq
x = np.ones(2, np.float32)
if USED:
    aq.quantize(x, 0.5)

class Last:
    def __del__(self, aq=aq, x=x, print=print, names=("quantize", "asarray", "explain", "plan")):
        for name in names:
            try:
                found = getattr(aq, name)
                print(name, found(x, 0.5).tolist() if name == "quantize" else found)
            except ImportError as error:
                print(name, error)
        try:
            aq.aclnn.Abs(x, x)
        except ImportError as error:
            print("aclnn", error)
        print("end")

builtins.last = Last()
"""
    for used in (False, True):
        lines = run_python(f"USED = {used}" + program).splitlines()
        assert lines[-1] == "end"
        assert lines[0] == "quantize [2, 2]" if used else "shutting down" in lines[0]
        assert all("shutting down" in line for line in lines[2:-1])


@pytest.mark.nightly
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("calls", [f"calls[{n}:{n + 1}]" for n in range(6)] + ["calls"])
def test_c1_daemon_threads_at_the_end_often(calls: str, ending: str) -> None:
    for turn in range(12):
        run_python(
            PROGRAM.format(
                calls=calls, threads=1 + turn % 4, seconds=0.05 * turn, ending=ENDINGS[ending]
            )
        )


def test_threads_that_ended_do_not_keep_the_device() -> None:
    """With their end everything is given back in order: nothing is left at aclFinalize."""
    run_python(
        """
        import threading
        import numpy as np, aclquant as aq
        threads = [
            threading.Thread(target=lambda: aq.quantize(np.ones(8, np.float32), 0.5))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        import atexit
        from aclquant import backends
        backend = aq.backend()
        atexit._run_exitfuncs()
        assert not backend.usable
        """
    )


@pytest.mark.nightly
def test_threads_by_the_thousand() -> None:
    run_python(
        """
        import threading
        import numpy as np, aclquant as aq
        from aclquant._ffi import ffi
        x = np.arange(8, dtype=np.float32)

        def work():
            for _ in range(3):
                wrong.extend([1] if aq.quantize(x, 1.0).tolist() != x.tolist() else [])

        def counts():
            counters = ffi.new("aclquantCounters *")
            assert aq.backend().library.aclquantGetCounters(counters) == 0
            return counters.streams, counters.tensors, counters.executors, counters.deviceBuffers

        wrong = []
        work()
        before = counts()
        for _ in range(100):
            threads = [threading.Thread(target=work) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert not wrong
        assert counts() == before, (before, counts())
        """
    )
