"""The two-phase call: what it holds, gives back, and says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.native import counters

import aclquant as aq
from aclquant import launch, operators
from aclquant._ffi.library import load


def _counts() -> dict[str, int]:
    aq.forget_plans()  # calls kept for repetition are no leak
    aq.Buffer(1).close()
    found = counters()
    names = ("tensors", "executors", "scalars", "arrays", "lists", "deviceBuffers", "queuedTasks")
    return {name: found[name] for name in names}


def _quantize_bad(x: Any) -> None:
    aq.aclnn.aclnnQuantize(x, np.float64([1]), None, "int8", 0, np.empty(2, np.int8))


def test_a_failed_call_leaves_nothing_and_does_not_poison_the_next() -> None:
    x = np.float32([1, 2])
    aq.quantize(x, 1.0)
    before = _counts()
    for _ in range(3):
        with pytest.raises(aq.DtypeError, match="argument 'scales'"):
            _quantize_bad(x)
        with pytest.raises(aq.ParameterError):
            aq.aclnn.aclnnQuantize(x, "nonsense", None, "int8", 0, x)
        assert aq.quantize(x, 1.0).tolist() == [1, 2]
    assert _counts() == before


def test_an_error_is_not_said_twice() -> None:
    x = np.float32([1, 2])
    with pytest.raises(aq.AclError) as first:
        _quantize_bad(x)
    with pytest.raises(aq.AclError) as second:
        aq.quantize(x, [1.0, 2.0, 3.0], axis=0)
    assert "DOUBLE" in str(first.value)
    assert "DOUBLE" not in str(second.value)


def test_many_launches_stay_bounded() -> None:
    x = aq.asarray(np.arange(8, dtype=np.float32))
    y = aq.empty(8, "int8")
    aq.quantize(x, 1.0, out=y)
    aq.current_stream().synchronize()
    before = _counts()
    for _ in range(2000):
        aq.quantize(x, 1.0, out=y)
    aq.current_stream().synchronize()
    after = _counts()
    assert after["deviceBuffers"] <= before["deviceBuffers"] + 1
    assert after["tensors"] == before["tensors"] and after["executors"] == before["executors"]


def test_out_of_memory_for_the_workspace_gives_the_executor_back() -> None:
    library = load("host")
    x, y = aq.asarray(np.float32([1])), aq.empty(1, "int8")
    scale = aq.asarray(np.float32([1]))
    call = aq.aclnn.aclnnQuantize
    with aq.Stream() as stream:
        call(x, scale, None, "int8", 0, y, stream=stream)
        stream.synchronize()
        before = _counts()
        assert library.aclquantSetWorkspaceSize(1 << 60) == 0
        try:
            with pytest.raises(MemoryError):
                call(x, scale, None, "int8", 0, y, stream=stream)
        finally:
            assert library.aclquantSetWorkspaceSize(1024) == 0
        assert _counts() == before
        assert call(x, scale, None, "int8", 0, y, stream=stream) is y
        assert y.numpy() == 1
    stream.close()


def test_workspace_grows_while_work_is_queued() -> None:
    library = load("host")
    x, y = aq.asarray(np.float32([1])), aq.empty(1, "int8")
    with aq.Stream() as stream:
        assert library.aclquantStallStream(stream.handle) == 0
        for size in (64, 4096, 1 << 20, 100):
            assert library.aclquantSetWorkspaceSize(size) == 0
            aq.quantize(x, 1.0, out=y)
        assert library.aclquantSetWorkspaceSize(1024) == 0
        assert library.aclquantResumeStream(stream.handle) == 0
        stream.synchronize()
        assert y.numpy() == 1
    stream.close()


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("aclnnQuantize", ["out"]),
        ("aclnnAscendQuantV3", ["y"]),
        ("aclnnTransQuantParamV2", ["out"]),
        ("aclnnDynamicQuant", ["yOut", "scaleOut"]),
        ("aclnnDynamicQuantV4", ["yOut", "scaleOut", "offsetOut"]),
    ],
)
def test_outputs_are_found_in_the_declaration(name: str, outputs: list[str]) -> None:
    op = operators.operator(name)
    assert [op.parameters[position].name for position in sorted(op.outputs)] == outputs


def test_mixed_arguments_are_synchronous() -> None:
    x = aq.asarray(np.float32([[1, 2], [3, 4]]))
    y = aq.quantize(x, np.float32([1, 2]))
    assert isinstance(y, aq.Tensor)
    assert aq.current_stream().done()
    assert y.numpy().tolist() == [[1, 1], [3, 2]]
    z = aq.quantize(x.numpy(), aq.asarray(np.float32([1, 2])))
    assert isinstance(z, np.ndarray)
    assert z.tolist() == [[1, 1], [3, 2]]


def test_wrong_number_of_arguments() -> None:
    with pytest.raises(TypeError, match="takes 6 arguments, not 1"):
        launch.call(operators.operator("aclnnQuantize"), np.float32([1]))


def test_read_only_output_is_refused() -> None:
    out = np.empty(2, np.int8)
    out.flags.writeable = False
    with pytest.raises(aq.ParameterError, match="'out': got a read-only array"):
        aq.quantize(np.float32([1, 2]), 1.0, out=out)


def overlapping(shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    return np.lib.stride_tricks.as_strided(np.zeros(64, np.int8), shape, strides)


@pytest.mark.parametrize("strides", [(0, 1), (2, 0), (0, 0), (1, 1), (1, 2)])
def test_an_output_that_overlaps_itself_is_refused(strides: tuple[int, int]) -> None:
    """Issue 11: the last row won, silently."""
    x = np.float32([[1, 2], [3, 4]])
    if strides == (1, 2):  # a transpose does not overlap
        assert (aq.quantize(x, 1.0, out=overlapping((2, 2), strides)) == x).all()
        return
    text = r"argument 'out': got shape \(2, 2\) with (element_)?strides .*: elements share memory"
    with pytest.raises(aq.ParameterError, match=text):
        aq.quantize(x, 1.0, out=overlapping((2, 2), strides))
    tensor = aq.Tensor(aq.Buffer(8), (2, 2), "int8", strides)
    with pytest.raises(aq.ParameterError, match=text):
        aq.quantize(aq.asarray(x), 1.0, out=tensor)
    with pytest.raises(aq.ParameterError, match=r"argument 'out'.*: elements share memory"):
        aq.aclnn.aclnnNeg(x, np.lib.stride_tricks.as_strided(x.copy(), (2, 2), (0, 4)))
    with pytest.raises(aq.ParameterError, match=r"argument 'selfRef'.*: elements share memory"):
        aq.aclnn.aclnnInplaceNeg(np.lib.stride_tricks.as_strided(x.copy(), (2, 2), (0, 4)))
    with pytest.raises(aq.ParameterError, match=r"argument 'out'.*whose elements share memory"):
        aq.asarray(np.int8([[1, 2], [3, 4]])).numpy(out=overlapping((2, 2), strides))
    # Inputs may overlap, and outputs of one row have steps that say nothing.
    assert aq.quantize(np.broadcast_to(np.float32(3), (2, 2)), 1.0).tolist() == [[3, 3], [3, 3]]
    assert aq.quantize(x[:1], 1.0, out=overlapping((1, 2), (0, 1))).tolist() == [[1, 2]]


def test_outputs_beside_each_other_are_apart() -> None:
    """Columns of one array, of one Tensor; rows of a Tensor that overlap."""
    x = np.float16([[1, 2], [3, 5]])
    codes, scale, offset = aq.dynamic_quant_asymmetric(x)
    both = np.empty((2, 2), np.float32)
    aq.dynamic_quant_asymmetric(x, out=(None, both[:, 0], both[:, 1]))
    assert (both == np.stack([scale, offset], 1)).all()
    tensor = aq.empty((2, 2))
    out = aq.empty(x.shape, "int8")
    aq.dynamic_quant_asymmetric(aq.asarray(x), out=(out, tensor[:, 0], tensor[:, 1]))
    assert (tensor.numpy() == both).all() and (out.numpy() == codes).all()
    line = aq.empty(3)
    with pytest.raises(aq.ParameterError, match=r"'out\[2\]': got memory of out\[1\]"):
        aq.dynamic_quant_asymmetric(aq.asarray(x), out=(None, line[:2], line[1:]))


@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**40, 2**70])
@pytest.mark.parametrize("divide", [True, False])
def test_a_number_beyond_its_c_type_names_the_argument(number: int, divide: bool) -> None:
    """Issue 11: 'a number does not fit its C type', without the name."""
    x = np.float32([[1, 2]])
    if divide or number < 0:
        text = f"argument 'axis': got {number}; allowed: -2147483648 to 2147483647"
        with pytest.raises(aq.errors.RangeError, match=text) as caught:
            aq.quantize(x, 1.0, axis=number, div_mode=divide)
        assert isinstance(caught.value, aq.ParameterError)
    with pytest.raises(aq.ParameterError, match="argument 'dtype'"):
        aq.aclnn.aclnnQuantize(x, np.float32([1]), None, number, 0, np.empty((1, 2), np.int8))
    with pytest.raises(aq.ParameterError, match=r"argument 'dstTypeMax'.*a number"):
        aq.aclnn.aclnnDynamicQuantV4(
            x, None, None, "int8", True, "pertoken", 10**400, None, None, None
        )


def test_a_closed_stream_and_a_missing_argument_are_named() -> None:
    """newcomer.md 2d: both errors lacked the function, or the argument."""
    stream = aq.Stream()
    stream.close()
    x = np.float32([[1, 2]])
    with pytest.raises(aq.errors.ResourceError, match=r"aclquant.quantize: argument 'stream'"):
        aq.quantize(x, 1.0, stream=stream)
    with pytest.raises(TypeError, match=r"aclquant\.aclnn\.aclnnQuantize\(\): missing.*'scales'"):
        aq.aclnn.aclnnQuantize(x)


@pytest.mark.parametrize("way", ["misaligned", "byte order", "copied to the device"])
def test_an_output_begins_with_what_it_holds(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Operators change tensors in place, or write a part of them.

    Where an array cannot be used as it is, its stand-in began with arbitrary bytes.
    """
    x = np.arange(6, dtype=np.int32)
    if way == "misaligned":
        x = np.zeros(25, np.uint8)[1:].view(np.int32)
        x[:] = range(6)
    elif way == "byte order":
        x = x.astype(x.dtype.newbyteorder())
    else:
        monkeypatch.setattr(aq.backend(), "host_memory", False)
    aq.aclnn.InplaceAdds(x, 10, 1)
    assert x.tolist() == [10, 11, 12, 13, 14, 15]
    aq.aclnn.MaskedSelect(np.int32([1, 2, 3, 4, 5, 6]), np.bool_([0, 1, 0, 1, 0, 0]), x)
    assert x.tolist() == [2, 4, 12, 13, 14, 15]
