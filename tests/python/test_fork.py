"""After fork the child has its own device, and nothing of the parent's."""

from __future__ import annotations

import pytest
from helpers.processes import run_python


def test_fork() -> None:
    output = run_python(
        """
        import os, warnings
        import numpy as np, aclquant as aq
        x = aq.asarray(np.float32([1, 2]))
        stream = aq.Stream()
        assert aq.quantize(np.float32([5]), 1.0) == 5
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for use in (x.numpy, stream.synchronize, lambda: aq.quantize(x, 1.0)):
                    try:
                        use()
                    except aq.ResourceError as error:
                        assert "parent" in str(error), error
                    else:
                        raise AssertionError(use)
                assert aq.quantize(np.float32([6]), 1.0) == 6
                assert aq.quantize(aq.asarray(np.float32([7])), 1.0).numpy() == 7
                del x, stream
                status = 0
            except BaseException as error:
                print(repr(error), flush=True)
            os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        assert aq.quantize(x, 1.0).numpy().tolist() == [1, 2]
        stream.close()
        print("done")
        """
    )
    assert output.strip() == "done"


def test_multiprocessing_fork_pool() -> None:
    output = run_python(
        """
        import multiprocessing
        import numpy as np, aclquant as aq
        def work(n):
            return int(aq.quantize(np.float32([n]), 1.0)[0])
        work(1)
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(pool.map(work, range(4)))
        """
    )
    assert output.strip() == "[0, 1, 2, 3]"


FIRST_CALL = """
import os, threading, time
import numpy as np
import aclquant as aq

def call():
    return aq.quantize(np.float32([1, 2]), 0.5).tolist() == [2, 4]

for _ in range({threads}):
    threading.Thread(target=call).start()
time.sleep({delay})
child = os.fork()
if child == 0:
    os._exit(0 if call() else 1)
for _ in range(1000):
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        break
    time.sleep(0.02)
else:
    os.kill(child, 9)
    os.waitpid(child, 0)
    raise SystemExit("the child hangs")
assert status == 0
"""


@pytest.mark.parametrize("delay", [0, 0.02])
def test_c2_fork_during_the_first_call_of_a_thread(delay: float) -> None:
    run_python(FIRST_CALL.format(threads=1, delay=delay))


@pytest.mark.nightly
@pytest.mark.parametrize("delay", [n / 500 for n in range(50)])
def test_c2_fork_at_any_moment_of_the_first_calls(delay: float) -> None:
    run_python(FIRST_CALL.format(threads=3, delay=delay))


@pytest.mark.nightly
def test_c2_fork_while_threads_make_calls() -> None:
    run_python(
        """
        import os, threading, time
        import numpy as np, aclquant as aq
        x, half = np.arange(8, dtype=np.float32), np.ones((2, 8), np.float16)
        stop = []

        def work():
            while not stop:
                aq.quantize(x, 1.0)
                aq.dynamic_quant(half)
                aq.quantize(aq.asarray(x), 1.0).numpy()

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for turn in range(200):
            child = os.fork()
            if child == 0:
                good = aq.quantize(x, 1.0).tolist() == x.tolist()
                os._exit(0 if good else 1)
            for _ in range(1000):
                done, status = os.waitpid(child, os.WNOHANG)
                if done:
                    break
                time.sleep(0.02)
            else:
                os.kill(child, 9)
                stop.append(1)
                raise SystemExit(f"child {turn} hangs")
            if status:
                stop.append(1)
                raise SystemExit(f"child {turn}: {status}")
        stop.append(1)
        """
    )
