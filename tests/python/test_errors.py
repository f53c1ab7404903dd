"""The exception tree and the texts."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import aclquant as aq
from aclquant import errors
from aclquant._ffi.check import make_error

BUILTIN = {
    aq.AclError: RuntimeError,
    aq.ParameterError: ValueError,
    aq.DtypeError: TypeError,
    aq.RangeError: OverflowError,
    aq.NullError: ValueError,
    aq.ResourceError: ValueError,
    aq.OutOfMemoryError: MemoryError,
    aq.NotSupportedError: NotImplementedError,
    aq.DeviceError: RuntimeError,
    aq.InternalError: RuntimeError,
    aq.LibraryNotFoundError: ImportError,
    aq.SymbolNotFoundError: AttributeError,
}


def test_every_class_is_listed_here() -> None:
    kinds = {getattr(errors, name) for name in errors.__all__ if name[-5:] == "Error"}
    assert kinds == set(BUILTIN)


@pytest.mark.parametrize(("kind", "builtin"), BUILTIN.items())
def test_has_two_bases_and_survives_pickling(
    kind: type[aq.AclError], builtin: type[Exception]
) -> None:
    assert issubclass(kind, aq.AclError)
    assert issubclass(kind, builtin)
    error = kind(
        function="f",
        code=161002,
        code_name="N",
        argument="x",
        got="rank 9",
        allowed="rank 0 to 8",
        detail="first\nsecond",
        stage=errors.REFUSED,
    )
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is kind
    assert vars(twin) == vars(error)
    assert (
        str(twin)
        == str(error)
        == (
            "first\nsecond\nf: 161002 N: argument 'x': got rank 9; allowed: rank 0 to 8 "
            "(refused before anything ran on the device)"
        )
    )


def test_sentence_of_the_host_device_becomes_fields() -> None:
    text = (
        "[161002 ACLNN_ERR_PARAM_INVALID] aclnnQuantizeGetWorkspaceSize: "
        "argument 'scales': got dtype DOUBLE; allowed: FLOAT, FLOAT16, BF16\n"
        "[107000 ACL_ERROR_RT_PARAM_INVALID] aclrtMemcpy: something older"
    )
    error = make_error("other", 161002, text)
    assert isinstance(error, aq.DtypeError)
    assert error.function == "aclnnQuantizeGetWorkspaceSize"
    assert (error.argument, error.got) == ("scales", "dtype DOUBLE")
    assert error.allowed == "FLOAT, FLOAT16, BF16"
    assert "aclrtMemcpy: something older" in error.detail
    assert str(error).splitlines()[-1] == (
        "aclnnQuantizeGetWorkspaceSize: 161002 ACLNN_ERR_PARAM_INVALID: argument 'scales': "
        "got dtype DOUBLE; allowed: FLOAT, FLOAT16, BF16 "
        "(refused before anything ran on the device)"
    )


@pytest.mark.parametrize("name", ["unknown code", "", " ACLNN_ERR_INNER_FIND_KERNEL_ERROR"])
def test_the_sentence_is_found_whatever_stands_beside_the_code(name: str) -> None:
    """house.md W1: a code without a name in the library's list."""
    text = f"[561003 {name}] aclnnQuantMatmulV5GetWorkspaceSize: products of int8 and int4"
    error = make_error("other", 561003, text)
    assert error.message == "products of int8 and int4"
    assert error.function == "aclnnQuantMatmulV5GetWorkspaceSize"
    assert "products of int8 and int4" in str(error).splitlines()[-1]


def test_repr_and_args_carry_the_text() -> None:
    """newcomer.md D1: logging with %r, error lists of gather() and notebooks."""
    with pytest.raises(aq.AclError) as caught:
        aq.quantize(np.ones((2, 3)), 1.0)
    error = caught.value
    assert error.args == (str(error),)
    assert repr(error) == f"DtypeError({str(error)!r})"
    assert "argument 'x'" in repr(error)


@pytest.mark.parametrize("kind", BUILTIN)
@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))]
)
def test_copies_keep_everything(kind: type[aq.AclError], again: Any) -> None:
    error = kind("a sentence", function="f", code=4711, detail="before")
    error.found_by = "a user"  # type: ignore[attr-defined]
    twin = again(error)
    assert (type(twin), repr(twin), twin.args) == (kind, repr(error), error.args)
    assert vars(twin) == vars(error)


def test_foreign_text_is_kept() -> None:
    error = make_error("aclnnFooGetWorkspaceSize", 161002, "EZ1001: in the vendor's words")
    assert type(error) is aq.ParameterError
    assert "EZ1001: in the vendor's words" in str(error)
    assert str(error).splitlines()[-1].startswith("aclnnFooGetWorkspaceSize: 161002 ")


@pytest.mark.parametrize(
    ("function", "code", "kind", "stage"),
    [
        ("aclrtMalloc", 207001, aq.OutOfMemoryError, errors.REFUSED),
        ("aclrtSynchronizeStream", 507015, aq.DeviceError, errors.REPORTED),
        ("aclrtSynchronizeDevice", 207018, aq.OutOfMemoryError, errors.REPORTED),
        ("aclnnXGetWorkspaceSize", 161001, aq.NullError, errors.REFUSED),
        ("aclnnXGetWorkspaceSize", 561003, aq.InternalError, errors.REFUSED),
        ("aclrtSetDevice", 107001, aq.ParameterError, errors.REFUSED),
        ("aclrtFree", 107017, aq.ResourceError, errors.REFUSED),
        ("aclrtIpcOpenEventHandle", 207000, aq.NotSupportedError, errors.REFUSED),
        ("f", 4711, aq.AclError, errors.REFUSED),
    ],
)
def test_class_and_stage_follow_from_code(
    function: str, code: int, kind: type[aq.AclError], stage: str
) -> None:
    error = make_error(function, code, "")
    assert type(error) is kind
    assert (error.code, error.stage) == (code, stage)
