"""The pytest plug-in, used as a project would use it."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

# An editable install has a finder that is imported before pytest knows of the plug-in.
EDITABLE = ("-W", "ignore:Module already imported so cannot be rewritten")
QUIET = ("-p", "no:cacheprovider", *EDITABLE)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project; its tests run in this process."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return pytester


def test_a_device_and_a_trace(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import numpy as np, aclquant as aq

        def test_numbers(acl_device, acl_trace):
            with acl_trace("^aclnn") as trace:
                y = aq.quantize(np.array([1.5, 2.5], np.float32), 1.0, device=acl_device)
            assert y.tolist() == [2, 2] and not trace.errors
            assert "aclnnQuantize" in str(trace) or "aclnnAscendQuant" in str(trace)

        def test_backend(acl_backend):
            assert acl_backend.name == "host"
        """
    )
    project.runpytest(*QUIET, "--acl-backend", "host").assert_outcomes(passed=2)


def test_what_is_left_behind_fails_the_test(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import aclquant as aq, pytest
        from aclquant._ffi import ffi

        kept = []

        def leak():
            library = aq.backend().library
            pointer, event = ffi.new("void **"), ffi.new("aclrtEvent *")
            assert not library.aclrtMalloc(pointer, 64, 0) and not library.aclrtCreateEvent(event)
            kept.append((library, pointer[0], event[0]))

        def test_leaks(acl_device):
            leak()

        def test_is_tidy(acl_device):
            with aq.Buffer(64):
                pass

        def test_end():
            for library, pointer, event in kept:
                library.aclrtFree(pointer)
                library.aclrtDestroyEvent(event)
        """
    )
    result = project.runpytest(*QUIET)
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(
        ["*ERROR at teardown of test_leaks*", "*objects of CANN behind: 1 events, 1 deviceBuffers"]
    )
    project.runpytest(*QUIET, "--no-acl-leak-check").assert_outcomes(passed=3)


def test_card_tests_are_skipped_without_one(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import pytest

        @pytest.mark.acl_card
        def test_card(acl_device):
            raise AssertionError
        """
    )
    result = project.runpytest(*QUIET, "--strict-markers", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*needs an Ascend card; the backend is the host device*"])
    missing = project.runpytest_subprocess(*QUIET, "-rs", "--acl-backend", "cann")
    missing.assert_outcomes(skipped=1)
    missing.stdout.fnmatch_lines(["*needs an Ascend card: *"])


def test_nothing_is_loaded_by_projects_that_use_nothing_of_it(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys

        def test_nothing():
            assert "aclquant.backends" not in sys.modules and "numpy" not in sys.modules
        """
    )
    project.runpytest_subprocess(*QUIET).assert_outcomes(passed=1)
    project.runpytest_subprocess("--help", *EDITABLE).stdout.fnmatch_lines(["*--acl-backend=NAME*"])
