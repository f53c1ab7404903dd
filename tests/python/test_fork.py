"""After fork the child has a device of its own, and nothing of the parent's."""

from __future__ import annotations

from .support import run_python


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
