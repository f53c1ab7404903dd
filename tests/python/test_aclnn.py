"""Operators by their C name and by declaration."""

from __future__ import annotations

import inspect
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from helpers.native import counters

import aclquant as aq
from aclquant import launch, operators
from aclquant._ffi import ffi
from aclquant._ffi.library import load

_TAIL = "uint64_t *workspaceSize, aclOpExecutor **executor)"


def test_names_with_and_without_prefix_are_one() -> None:
    assert aq.aclnn.AscendQuantV3 is aq.aclnn.aclnnAscendQuantV3
    assert "aclnnAscendQuantV3" in dir(aq.aclnn)
    assert "aclnnTransQuantParam" not in dir(aq.aclnn)


def test_every_listed_operator_has_a_signature_and_text() -> None:
    names = [name for name in dir(aq.aclnn) if name.startswith("aclnn")]
    assert len(names) > 150
    for name in names:
        function = getattr(aq.aclnn, name)
        assert name + "GetWorkspaceSize(" in function.__doc__
        assert list(inspect.signature(function).parameters)[-2:] == ["stream", "device"]


def test_keywords_are_the_c_names() -> None:
    y = np.empty((1, 2), np.int8)
    got = aq.aclnn.aclnnAscendQuantV3(
        np.float32([[1, 2]]),
        np.float32([2]),
        offset=None,
        sqrtMode=True,
        roundMode="floor",
        dstType="int8",
        axis=-1,
        y=y,
    )
    assert got is y
    assert y.tolist() == [[4, 8]]
    with pytest.raises(TypeError, match="missing a required argument"):
        aq.aclnn.aclnnAscendQuantV3(y)


def test_several_outputs_and_a_null_one() -> None:
    x = aq.asarray(np.float16([[1, 2]]))
    y, scale = aq.empty((1, 2), "int8"), aq.empty(1, "float32")
    outputs = aq.aclnn.aclnnDynamicQuantV2(x, None, None, "int8", y, scale, None)
    assert outputs == (y, scale, None)
    assert y.numpy().tolist() == [[64, 127]]


def test_numbers_for_dtypes_are_acl_codes() -> None:
    y = np.empty(1, ml_dtypes.bfloat16)
    aq.aclnn.aclnnAscendAntiQuant(np.int8([3]), np.float32([2]), None, 27, False, y)
    assert y == 6


def test_null_for_a_mandatory_argument() -> None:
    with pytest.raises(aq.NullError, match="argument 'x'") as caught:
        aq.aclnn.aclnnQuantize(None, np.float32([1]), None, "int8", 0, np.empty(1, np.int8))
    assert caught.value.code == 161001
    with pytest.raises(aq.ParameterError, match="argument 'roundMode'"):
        aq.aclnn.aclnnAscendQuantV3(
            *(np.float32([1]), np.float32([1]), None, False, None, "int8", -1, np.empty(1, np.int8))
        )


@pytest.mark.parametrize(
    ("position", "value", "text"),
    [
        (0, "text", "argument 'x': got str; allowed: Tensor, numpy.ndarray or None"),
        (3, "yes", "argument 'sqrtMode': got 'yes'"),
        (4, 3, "argument 'roundMode': got 3; allowed: a string or None"),
        (5, "int3", "argument 'dtype': got 'int3'"),
        (6, 1.5, "argument 'axis': got 1.5; allowed: an integer"),
    ],
)
def test_values_of_the_wrong_kind(position: int, value: Any, text: str) -> None:
    arguments: list[Any] = [np.float32([1]), np.float32([1]), None, False, "round", 2, -1]
    arguments.append(np.empty(1, np.int8))
    arguments[position] = value
    with pytest.raises(aq.ParameterError, match=text):
        aq.aclnn.aclnnAscendQuantV3(*arguments)


def test_declared_text_is_as_good_as_a_header() -> None:
    function = aq.aclnn.declare(
        "aclnnStatus aclnnQuantizeGetWorkspaceSize(const aclTensor* x, const aclTensor* s,"
        "const aclTensor* z, aclDataType t, int32_t axis, aclTensor* result, " + _TAIL
    )
    result = np.empty(2, np.int8)
    assert (
        function(np.float32([1, 2]), np.float32([1]), None, t="int8", axis=0, result=result)
        is result
    )
    assert result.tolist() == [1, 2]


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "aclnnStatus aclnnFoo(void *workspace)",
        "aclnnStatus aclnnFooGetWorkspaceSize(const aclTensor *x)",
        "aclnnStatus aclnnFooGetWorkspaceSize(unknown_t x, " + _TAIL,
    ],
)
def test_declarations_that_are_none(text: str) -> None:
    with pytest.raises(aq.ParameterError):
        aq.aclnn.declare(text)


def test_one_phase_and_unknown_names() -> None:
    with pytest.raises(aq.SymbolNotFoundError, match="one phase"):
        _ = aq.aclnn.aclnnTransQuantParam
    with pytest.raises(AttributeError, match=r"aclquant\.aclnn\.declare"):
        _ = aq.aclnn.aclnnFoo
    assert not hasattr(aq.aclnn, "__wrapped__")


def test_unsupported_c_type_is_said() -> None:
    function = aq.aclnn.declare("aclnnStatus aclnnFooGetWorkspaceSize(void **p, " + _TAIL)
    with pytest.raises(aq.ParameterError, match=r"C type 'void \*\*' \('p'\)"):
        function(None)


_KINDS = """aclnnStatus aclnnKindsGetWorkspaceSize(const aclIntArray *ints,
    const aclFloatArray *floats, const aclBoolArray *bools,
    const aclScalar *scalar, const aclScalarList *scalars,
    const aclTensorList *tensors, double number, uint64_t count, bool flag, const char *text, """


def test_lists_and_scalars_become_c_objects_and_go_away() -> None:
    """The conversions alone: no operator of ours takes these types yet."""
    library = load("host")
    op = operators.declare(_KINDS + _TAIL)
    aq.current_device().enter()

    def counts() -> tuple[int, ...]:
        found = counters()
        return found["tensors"], found["scalars"], found["arrays"], found["lists"]

    before = counts()
    running = launch.Call(op, library, None, True)
    tensor = aq.asarray(np.float32([1]))
    values = [[1, -2], (0.5,), [True, False, True], 3, [1.5, True], [tensor, None], 2, 7, 1, "abc"]
    made = [c(running, i, v) for i, (c, v) in enumerate(zip(op.converters, values, strict=True))]
    size = ffi.new("uint64_t *")
    for handle, get, expected in (
        (made[0], library.aclGetIntArraySize, 2),
        (made[1], library.aclGetFloatArraySize, 1),
        (made[2], library.aclGetBoolArraySize, 3),
        (made[4], library.aclGetScalarListSize, 2),
        (made[5], library.aclGetTensorListSize, 2),
    ):
        assert get(handle, size) == 0
        assert size[0] == expected
    assert made[6:9] == [2.0, 7, True]
    assert ffi.string(made[9]) == b"abc"
    assert counts() == tuple(a + b for a, b in zip(before, (1, 3, 3, 2), strict=True))
    running.release()
    assert counts() == before
    for position, value in ((0, [1.5]), (1, ["a"]), (3, [1, 2]), (3, "a")):
        running = launch.Call(op, library, None, True)
        with pytest.raises(aq.ParameterError):
            op.converters[position](running, position, value)
        running.release()
    assert counts() == before


def test_output_of_foreign_byte_order_is_filled() -> None:
    out = np.zeros(3, ">i4")
    aq.aclnn.aclnnQuantize(np.float32([1, 2, 300]), np.float32([1]), None, "int32", 0, out)
    assert out.tolist() == [1, 2, 300]
