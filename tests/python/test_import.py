"""What importing does not do."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from helpers.processes import run_python

import aclquant


def test_import_loads_no_library_and_starts_no_thread() -> None:
    output = run_python(
        """
        import sys, threading
        import aclquant, aclquant.cli, aclquant.aclnn, aclquant.torch_npu
        for name in aclquant.__all__:
            getattr(aclquant, name)
        with open("/proc/self/maps") as maps:
            text = maps.read()
        print("libaclquant" in text, "ascendcl" in text, threading.active_count())
        import os
        print(len(os.listdir("/proc/self/task")) <= 1 + int("openblas" in text) * os.cpu_count())
        """
    )
    assert output.split() == ["False", "False", "1", "True"]


def test_import_is_cheap() -> None:
    output = run_python(
        """
        import numpy, sys
        before = set(sys.modules)
        import aclquant
        print(*sorted({m.partition(".")[0] for m in set(sys.modules) - before}))
        """
    )
    modules = set(output.split())
    assert modules - sys.stdlib_module_names == {"aclquant"}
    assert not {"inspect", "pathlib", "subprocess", "ctypes", "asyncio"} & modules


def test_the_first_call_imports_nothing_slow_but_what_it_needs() -> None:
    output = run_python(
        """
        import numpy as np, sys
        before = set(sys.modules)
        import aclquant as aq
        aq.quantize(np.ones((4, 8), np.float32), 0.5)
        print(*sorted(set(sys.modules) - before))
        """
    )
    assert not {"cffi", "inspect", "numpy.typing", "pathlib"} & set(output.split())


def test_import_reads_no_environment_variable() -> None:
    run_python("import aclquant", ACLQUANT_BACKEND="/does/not/exist", ACLQUANT_HOST_SOC="nonsense")


def test_public_names_exist_and_are_listed() -> None:
    for name in aclquant.__all__:
        assert getattr(aclquant, name) is not None
    assert dir(aclquant) == aclquant.__all__


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(str(aclquant.__file__)).read_text())
    checking = next(n for n in tree.body if isinstance(n, ast.If))
    seen = {a.asname for n in ast.walk(checking) if isinstance(n, ast.ImportFrom) for a in n.names}
    assert seen == set(aclquant.__all__) - {"__version__"}
