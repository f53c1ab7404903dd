"""Prepared calls: `aclquant.plan`, and the ones that operators keep for themselves."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import threading
import weakref
from contextlib import closing
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import pytest
from helpers.processes import run_python

import aclquant as aq
from aclquant import kept, operation, prepared
from aclquant.thread_state import this_thread

from .support import HOST_LIBRARY

BF16 = np.dtype(ml_dtypes.bfloat16)
X = np.linspace(-3, 3, 32, dtype=np.float32).reshape(4, 8)
SCALES = np.linspace(0.01, 0.4, 8, dtype=np.float32)
POINTS = np.arange(8, dtype=np.int32)

CALLS: dict[str, tuple[Any, tuple[Any, ...], dict[str, Any]]] = {
    "quantize": (aq.quantize, (X, SCALES, POINTS, "qint8", 1), {}),
    "quantize without zero points": (aq.quantize, (X, SCALES, None, "quint8", -1), {}),
    "quantize packed": (aq.quantize, (X, SCALES, SCALES, "quint4x2", -1, False), {}),
    "quantize axis -2": (aq.quantize, (X, SCALES[:4, None].copy(), None, "qint8", -2, False), {}),
    "anti_quant": (aq.anti_quant, (np.arange(-16, 16, dtype=np.int8).reshape(4, 8), SCALES), {}),
    "anti_quant packed": (
        aq.anti_quant,
        (np.array([[0x76543210], [-1]], np.int32), SCALES),
        {"offset": SCALES, "dst_dtype": "bfloat16"},
    ),
    "trans_quant_param": (aq.trans_quant_param, (SCALES, SCALES * 99), {}),
    "dynamic": (aq.dynamic_quant_asymmetric, (X.astype(np.float16),), {}),
    "dynamic, smooth, groups, int4": (
        aq.dynamic_quant_asymmetric,
        (X.astype(BF16),),
        {
            "smooth_scales": np.ones((2, 8), BF16) * BF16.type(0.75),
            "group_index": np.array([1, 4], np.int32),
            "dst_type": "quint4x2",
        },
    ),
    "dynamic per tensor": (
        aq.dynamic_quant_asymmetric,
        (X.astype(np.float16),),
        {"quant_mode": "pertensor"},
    ),
}


@pytest.fixture(params=CALLS)
def case(request: pytest.FixtureRequest) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    return CALLS[request.param]


@pytest.fixture(autouse=True)
def fresh() -> None:
    aq.forget_plans()


def _arrays(result: Any) -> tuple[npt.NDArray[Any], ...]:
    return result if isinstance(result, tuple) else (result,)


def _same(a: Any, b: Any) -> bool:
    return all(
        x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()
        for x, y in zip(_arrays(a), _arrays(b), strict=True)
    )


def _long_way(function: Any, *arguments: Any, **named: Any) -> Any:
    with closing(aq.Stream()) as stream:  # a call with a stream is never replayed
        return function(*arguments, stream=stream, **named)


def _other(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Another array of the same shape."""
    return np.ascontiguousarray(x[::-1])


def test_plan_equals_the_function(case: tuple[Any, tuple[Any, ...], dict[str, Any]]) -> None:
    function, (x, *rest), named = case
    with aq.plan(function, x, *rest, **named) as prepared:
        for value in (x, _other(x), x):
            expected = _long_way(function, value, *rest, **named)
            assert _same(prepared(value), expected)
            out = tuple(np.full_like(y, 77) for y in _arrays(expected))
            given = out if isinstance(expected, tuple) else out[0]
            assert _same(prepared(value, out=given), expected)
            assert _same(out, expected)


def test_replayed_calls_equal_the_first(case: tuple[Any, tuple[Any, ...], dict[str, Any]]) -> None:
    function, (x, *rest), named = case
    for value in (x, x, x, _other(x), x):
        expected = _long_way(function, value, *rest, **named)
        assert _same(function(value, *rest, **named), expected)
    assert sum(entry is not None for entry in this_thread().prepared.values()) == 1


def test_plan_on_tensors_is_asynchronous() -> None:
    x, scales = aq.asarray(X), aq.asarray(SCALES)
    expected = aq.quantize(X, SCALES)
    with aq.plan(aq.quantize, x, scales) as prepared:
        y = aq.empty(X.shape, "int8")
        assert prepared(x, out=y) is y
        assert _same(y.numpy(), expected)
        other = aq.asarray(_other(X))
        assert _same(prepared(other).numpy(), aq.quantize(_other(X), SCALES))


def test_every_attribute_is_part_of_the_key() -> None:
    x = np.arange(16, dtype=np.float32).reshape(4, 4)
    scales = np.array([1, 2, 4, 8], np.float32)
    variants: list[dict[str, Any]] = [
        {"axis": 0},
        {"axis": 1},
        {"dtype": "quint8"},
        {"dtype": "qint32"},
        {"div_mode": False},
        {"div_mode": False, "axis": -1},
        {"zero_points": np.array([1, 2, 3, 4], np.int32)},
    ]
    expected = [_long_way(aq.quantize, x, scales, **variant) for variant in variants]
    for _ in range(3):
        for variant, right in zip(variants, expected, strict=True):
            assert _same(aq.quantize(x, scales, **variant), right), variant


def test_a_value_that_only_equals_an_attribute_is_not_taken_for_it() -> None:
    for _ in range(3):
        aq.quantize(X, SCALES, axis=1)
    with pytest.raises(aq.ParameterError, match="axis"):
        aq.quantize(X, SCALES, axis=1.0)  # type: ignore[arg-type]


def test_values_of_scales_are_read_each_time() -> None:
    scales = SCALES.copy()
    for _ in range(3):
        before = aq.quantize(X, scales)
    scales *= 2
    assert _same(aq.quantize(X, scales), _long_way(aq.quantize, X, scales))
    assert not _same(aq.quantize(X, scales), before)


def test_a_plan_keeps_the_scales_it_was_made_with() -> None:
    scales = SCALES.copy()
    expected = aq.quantize(X, SCALES)
    with aq.plan(aq.quantize, X, scales) as prepared:
        scales[:] = 99
        assert _same(prepared(X), expected)


def test_strided_unaligned_and_foreign_arrays_take_the_long_way() -> None:
    wide = np.linspace(-3, 3, 64, dtype=np.float32).reshape(4, 16)
    raw = bytearray(4 * 32 + 1)
    unaligned = np.frombuffer(raw, np.uint8)[1:].view(np.float32).reshape(4, 8)
    unaligned[...] = X
    for _ in range(3):
        aq.quantize(X, SCALES)
    for x in (wide[:, ::2], np.asfortranarray(X), unaligned, X.astype(">f4")):
        assert _same(aq.quantize(x, SCALES), _long_way(aq.quantize, np.array(x, "f4"), SCALES))
    assert _same(aq.quantize(X.tolist(), SCALES), aq.quantize(X, SCALES))


def test_refusals_are_the_same_at_any_turn() -> None:
    for _ in range(4):
        with pytest.raises(aq.ParameterError) as caught:
            aq.quantize(X, SCALES[:5])
        assert caught.value.argument == "scales"
        aq.quantize(X, SCALES)


def test_caches_keep_no_array_alive() -> None:
    x, scales = X.copy(), SCALES.copy()
    for _ in range(3):
        y = aq.quantize(x, scales)
    references = [weakref.ref(array) for array in (x, scales, y)]
    del x, scales, y
    gc.collect()
    assert [reference() for reference in references] == [None] * 3


def test_the_cache_is_bounded() -> None:
    for n in range(1, 3 * kept.LIMIT):
        x = np.zeros((2, n), np.float32)
        for _ in range(2):
            aq.quantize(x, SCALES[:1])
    assert len(this_thread().prepared) <= kept.LIMIT


def test_each_thread_has_its_own() -> None:
    expected = aq.quantize(X, SCALES)
    wrong = []

    def work() -> None:
        for _ in range(200):
            if not _same(aq.quantize(X, SCALES), expected):
                wrong.append(threading.get_ident())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_threads_share_a_plan() -> None:
    values = [np.full((4, 8), i, np.float32) for i in range(4)]
    expected = [aq.quantize(value, SCALES) for value in values]
    wrong = []
    with aq.plan(aq.quantize, X, SCALES) as prepared:

        def work(index: int) -> None:
            for _ in range(200):
                if not _same(prepared(values[index]), expected[index]):
                    wrong.append(index)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_plan_refuses_what_does_not_fit() -> None:
    y = np.empty((4, 8), np.int8)
    frozen = y.copy()
    frozen.flags.writeable = False
    with aq.plan(aq.quantize, X, SCALES) as prepared:
        for x in (X[:2], X.astype(np.float16), X.tolist(), aq.asarray(X), np.asfortranarray(X)):
            with pytest.raises(aq.ParameterError, match="'x'"):
                prepared(x)
        for out in (y[:2], y.astype(np.uint8), frozen, (y, y), aq.empty((4, 8), "int8")):
            with pytest.raises(aq.ParameterError, match="'out'"):
                prepared(X, out=out)
        with pytest.raises(aq.ParameterError, match="memory that another argument uses"):
            prepared(X, out=X.reshape(-1).view(np.int8)[:32].reshape(4, 8))
        assert _same(prepared(X), aq.quantize(X, SCALES))  # nothing is spoilt


def test_plan_of_what_is_no_array_is_refused() -> None:
    ragged: Any = [[1, 2], [3]]
    for x in (ragged, np.ma.masked_array([1.0], [True])):
        with pytest.raises(aq.ParameterError) as caught:
            aq.plan(aq.quantize, x, 1.0)
        assert caught.value.argument == "x"
    with pytest.raises(aq.ParameterError, match="scales"):
        aq.plan(aq.quantize, X, ragged)


def test_plan_of_refused_arguments_is_refused() -> None:
    with pytest.raises(aq.DtypeError, match="argument 'x'"):
        aq.plan(aq.dynamic_quant_asymmetric, X)
    with pytest.raises(aq.ParameterError, match="function"):
        aq.plan(np.abs, X)
    with pytest.raises(aq.ParameterError, match="out"):
        aq.plan(aq.quantize, X, SCALES, out=np.empty((4, 8), np.int8))


def test_closed_plan() -> None:
    prepared = aq.plan(aq.quantize, X, SCALES)
    prepared.close()
    prepared.close()
    with pytest.raises(aq.ResourceError):
        prepared(X)


def test_replay_inside_with_stream_uses_that_stream() -> None:
    for _ in range(3):
        aq.quantize(X, SCALES)
    with closing(aq.Stream()) as stream:
        before = stream.submitted
        with stream:
            aq.quantize(X, SCALES)
        assert stream.submitted == before + 1


def test_replay_after_another_device_was_current() -> None:
    for _ in range(3):
        expected = aq.quantize(X, SCALES)
    library = aq.backend().library
    # Somebody else in this thread takes the device away and gives it back.
    assert library.aclrtSetDevice(0) == 0
    assert _same(aq.quantize(X, SCALES), expected)
    assert library.aclrtResetDevice(0) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_replay_in_a_forked_child() -> None:
    for _ in range(3):
        expected = aq.quantize(X, SCALES)
    child = os.fork()
    if child == 0:
        good = all(_same(aq.quantize(X, SCALES), expected) for _ in range(3))
        os._exit(0 if good else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert _same(aq.quantize(X, SCALES), expected)


def test_plan_on_tensors_refuses_other_views() -> None:
    square = aq.asarray(np.arange(9, dtype=np.float32).reshape(3, 3))
    tall = aq.asarray(np.arange(18, dtype=np.float32).reshape(6, 3))
    out = aq.empty((6, 3), "int8")
    with aq.plan(aq.quantize, square, 1.0) as prepared:
        for x in (square.T, tall[3:]):
            with pytest.raises(aq.ParameterError, match="'x'"):
                prepared(x)
        with pytest.raises(aq.ParameterError, match="'out'"):
            prepared(square, out=out[3:])
        assert prepared(square).numpy().tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


@pytest.mark.parametrize("tensor_x", [False, True])
@pytest.mark.parametrize("tensor_scales", [False, True])
def test_plan_takes_parameters_of_either_kind_and_keeps_copies(
    tensor_x: bool, tensor_scales: bool
) -> None:
    expected = aq.quantize(X, SCALES)
    x: Any = aq.asarray(X) if tensor_x else X
    scales: Any = aq.asarray(SCALES) if tensor_scales else SCALES.copy()
    with aq.plan(aq.quantize, x, scales) as prepared:
        if isinstance(scales, aq.Tensor):
            scales.write(SCALES * 3)
            scales.close()
        else:
            scales *= 3
        junk = [aq.asarray(np.full(8, 0.1, np.float32)) for _ in range(4)]
        y = prepared(x)
        assert _same(y.numpy() if tensor_x else y, expected)
        del junk


def test_owners_are_not_copied() -> None:
    with aq.plan(aq.quantize, X, SCALES) as prepared, aq.Buffer(8) as buffer:
        for owner in (prepared, buffer, aq.current_stream()):
            for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
                with pytest.raises(TypeError, match="one owner"):
                    attempt(owner)


def test_closing_a_plan_that_runs_elsewhere() -> None:
    for _ in range(20):
        prepared = aq.plan(aq.quantize, X, SCALES)
        seen: list[BaseException] = []

        def work(prepared: aq.Plan = prepared, seen: list[BaseException] = seen) -> None:
            try:
                while True:
                    prepared(X)
            except aq.AclError as caught:
                seen.append(caught)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        prepared.close()
        for thread in threads:
            thread.join()
        assert [type(one) for one in seen] == [aq.ResourceError] * 3


def test_kept_calls_do_not_hold_the_backend() -> None:
    gc.collect()
    # The list keeps what earlier tests left: nothing of it ends, and gives its place to another.
    before = [r for r in aq.backend().live if not r.internal]
    for _ in range(4):
        aq.quantize(X, SCALES)
    after = [r for r in aq.backend().live if not r.internal]
    assert [r for r in after if not any(r is one for one in before)] == []


def test_kept_calls_give_way_when_memory_is_short() -> None:
    output = run_python(
        """
        import numpy as np, aclquant as aq
        x, s = np.ones((64, 64), np.float32), np.ones(64, np.float32)
        for _ in range(4):
            assert aq.quantize(x, s).sum() == 4096
        for n in range(1, 40):
            for _ in range(3):
                aq.quantize(x[:, :n].copy(), s[:n])
        print("good")
        """,
        ACLQUANT_HOST_MEMORY_LIMIT="3000",
    )
    assert output.strip() == "good"


# What a prepared call must not be taken for. Each argument list is called four times after the one
# that it resembles: its turns are those of a first, a second, a prepared and a replayed call.

I8 = np.arange(-16, 16, dtype=np.int8).reshape(4, 8)
F16 = X.astype(np.float16)


def _bits(result: Any) -> list[tuple[str, tuple[int, ...], bytes]]:
    return [(y.dtype.str, y.shape, y.tobytes()) for y in _arrays(result)]


def _outcome(call: Any) -> Any:
    """The bits of the results, or the kind of the refusal."""
    try:
        return _bits(call())
    except aq.AclError as error:
        return type(error), error.argument


RESEMBLING: dict[str, list[tuple[Any, tuple[Any, ...], dict[str, Any]]]] = {
    "shapes": [
        (aq.quantize, (x, np.float32([0.5])), {})
        for x in (X, X.reshape(8, 4), X.reshape(2, 2, 8), X.reshape(32), X[:2], X[:0])
    ],
    "types of the input": [
        (aq.quantize, (X.astype(kind), np.ones(8, np.float32)), {})
        for kind in (np.float32, ">f4", np.float16, BF16, np.int32, np.float64)
    ],
    "types of the scales": [
        (aq.quantize, (BF, np.ones(8, kind)), {})
        for BF in (X.astype(BF16),)
        for kind in (BF16, np.float32, np.float16, ">f4")
    ],
    "shapes of the scales": [
        (aq.quantize, (X, s), {})
        for s in (SCALES, SCALES[:1].copy(), SCALES[:4].copy(), SCALES.reshape(1, 8))
    ],
    "orders": [
        (aq.quantize, (x, s), {})
        for x in (X, np.asfortranarray(X), X.repeat(2, 1)[:, ::2], X[::-1])
        for s in (SCALES, SCALES.repeat(2)[::2], SCALES[::-1])
    ],
    "arguments left out": [
        (aq.quantize, (X, SCALES, points), {}) for points in (POINTS, None, POINTS[:1], None)
    ],
    "ways to name a type": [
        (aq.quantize, (X, SCALES, POINTS), {"dtype": kind})
        for kind in ("qint8", aq.qint8, np.int8, np.dtype("u1"), 12, 13, 12.0, True, "quint8")
    ],
    "axes": [
        (aq.quantize, (np.ones((8, 8), np.float32) * SCALES, SCALES), {"axis": axis})
        for axis in (1, 0, -1, -2, True, False, 1.0, np.int64(0), None)
    ],
    "modes": [
        (aq.quantize, (X, SCALES, None, "qint8", -1, mode), {}) for mode in (True, False, 1, 0)
    ],
    "results": [
        (aq.anti_quant, (I8, SCALES), {"dst_dtype": kind})
        for kind in (None, "float16", "bfloat16", BF16, 1, 15)
    ],
    "checks": [
        (aq.anti_quant, (I8, SCALES), {"src_dtype": kind}) for kind in (None, "int8", "int32", 1)
    ],
    "dynamic attributes": [
        (aq.dynamic_quant, (F16,), named)
        for named in (
            {},
            {"dst_type": "int8"},
            {"dst_type": "quint4x2"},
            {"quant_mode": "pertensor"},
            {"quant_mode": "perchannel"},
            {"dst_type_max": 0},
            {"dst_type_max": -0.0},
            {"dst_type_max": 6.0},
            {"smooth_scales": np.ones(8, np.float16) * np.float16(0.5)},
        )
    ],
    "operators": [(f, (F16,), {}) for f in (aq.dynamic_quant, aq.dynamic_quant_asymmetric)],
    "rounding": [(aq.trans_quant_param, (SCALES,), {"round_mode": m}) for m in (0, 1, None, True)],
    "numbers": [
        (aq.quantize, (X, scale), {})
        for scale in (
            *(0.5, 0.25, 1, 2, True, 1e-300, 1e300, float("nan"), float("inf"), 2**53 + 1, 2**70),
            *(np.float32(0.3), np.float64(0.3), np.float16(0.3), np.int64(2), 16777217, -0.0, "1"),
        )
    ],
    "lists": [
        (aq.quantize, (X, scales), {})
        for scales in (
            *([0.5] * 8, SCALES.tolist(), tuple(SCALES.tolist()), [1] * 8, [2, 0.5] * 4, [0.5]),
            *([0.25] * 4, [], [[0.5] * 8], [True] * 8, [np.float32(0.5)] * 8, [None] * 8),
        )
    ],
    "zero points": [
        (aq.quantize, (X, 0.1, points), {})
        for points in (3, 4, 4.0, 4.5, [3], [4.5], [1, 2.5], 2**31, -(2**31), True, np.int64(5))
    ],
    "numbers in half precision": [
        (aq.quantize, (F16, scale, 1.5), {"div_mode": False})
        for scale in (0.1, 0.3, 70000.0, 3, [0.1] * 8, [3] * 8, [0.7] * 8)
    ],
    "bias": [
        (aq.quant_matmul, (I8, I8.T.copy(), 0.5), {"bias": bias, "output_dtype": "bfloat16"})
        for bias in ([1, 2, 3, 4], [1.5, 2, 3, 4], [4, 3, 2, 1], [0.5] * 4, [2**40] * 4)
    ],
}


@pytest.mark.parametrize("name", RESEMBLING)
def test_a_call_is_not_taken_for_one_that_resembles_it(name: str) -> None:
    calls = RESEMBLING[name]
    expected = [_outcome(lambda f=f, a=a, n=n: _long_way(f, *a, **n)) for f, a, n in calls]
    for _ in range(4):
        for (function, arguments, named), right in zip(calls, expected, strict=True):
            assert _outcome(lambda f=function, a=arguments, n=named: f(*a, **n)) == right
    for (function, arguments, named), right in zip(calls, expected, strict=True):
        for _ in range(4):
            assert _outcome(lambda f=function, a=arguments, n=named: f(*a, **n)) == right


SHORT: dict[str, tuple[Any, tuple[Any, ...], dict[str, Any]]] = {
    **CALLS,
    "number": (aq.quantize, (X, 0.5, 3), {}),
    "lists": (aq.quantize, (X, SCALES.tolist(), tuple(POINTS.tolist())), {}),
    "out": (aq.quantize, (X, SCALES), {"out": np.empty((4, 8), np.int8)}),
    "two outs": (
        aq.dynamic_quant,
        (F16,),
        {"out": (np.empty((4, 8), np.int8), np.empty(4, np.float32))},
    ),
}


@pytest.mark.skipif(prepared.extension is None, reason="the extension module is not there")
@pytest.mark.parametrize("name", SHORT)
def test_the_extension_replays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the second call nothing reaches Python's own way, whatever the values are."""
    function, (x, *rest), named = SHORT[name]
    others = {"number": (0.25, 7), "lists": ([0.5] * 8, (1,) * 8)}.get(name, tuple(rest))
    expected = [_bits(_long_way(function, x, *r, **named)) for r in (rest, others)]
    for _ in range(2):
        function(x, *rest, **named)

    def nothing(*arguments: Any) -> None:
        raise AssertionError("the long way")

    monkeypatch.setattr(operation, "again", nothing)
    for values, right in zip((rest, others), expected, strict=True):
        result = function(x, *values, **named)
        assert _bits(result) == right
        assert "out" not in named or result is named["out"]


@pytest.mark.skipif(prepared.extension is None, reason="the extension module is not there")
def test_the_extension_replays_calls_under_torch_npus_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = aq.quantize(X, SCALES, POINTS)
    for _ in range(2):
        aq.torch_npu.npu_quantize(X, SCALES, POINTS, "qint8")

    def nothing(*arguments: Any) -> None:
        raise AssertionError("the long way")

    monkeypatch.setattr(operation, "again", nothing)
    by_place = aq.torch_npu.npu_quantize(X, SCALES, POINTS, "qint8", 1)
    by_name = aq.torch_npu.npu_quantize(
        input=X, scales=SCALES, zero_points=POINTS, dtype="qint8", div_mode=True
    )
    assert _same(by_place, expected)
    assert _same(by_name, expected)
    monkeypatch.undo()
    for refused in ({"x": X}, {"input": X, "out": None}, {"input": X, "axis": 1}):
        with pytest.raises(TypeError, match="npu_quantize"):
            aq.torch_npu.npu_quantize(scales=SCALES, zero_points=POINTS, **refused)


def test_outputs_that_share_memory_with_inputs_are_right() -> None:
    expected = _long_way(aq.quantize, X, SCALES)
    for _ in range(4):
        x, y = X.copy(), np.empty((4, 8), np.int8)
        assert aq.quantize(x, SCALES, out=y) is y
        over = x.reshape(-1).view(np.int8)[:32].reshape(4, 8)
        assert aq.quantize(x, SCALES, out=over) is over
        assert _same(over, expected) and _same(y, expected)


def test_outputs_that_do_not_fit_are_refused_at_any_turn() -> None:
    frozen = np.empty((4, 8), np.int8)
    frozen.flags.writeable = False
    wide = np.empty((4, 16), np.int8)[:, ::2]
    for _ in range(4):
        aq.quantize(X, SCALES, out=np.empty((4, 8), np.int8))
        for out in (frozen, np.empty((4, 8), np.uint8), np.empty((8, 4), np.int8), [1], (frozen,)):
            with pytest.raises(aq.AclError):
                aq.quantize(X, SCALES, out=out)  # type: ignore[arg-type]
        assert _same(aq.quantize(X, SCALES, out=wide), _long_way(aq.quantize, X, SCALES))


def test_read_only_inputs_are_replayed() -> None:
    frozen = X.copy()
    frozen.flags.writeable = False
    for _ in range(4):
        assert _same(aq.quantize(frozen, SCALES), _long_way(aq.quantize, X, SCALES))


def test_subclasses_take_the_long_way_and_masks_are_refused() -> None:
    masked = np.ma.masked_array(X, X > 0)
    for _ in range(4):
        right = aq.quantize(X, SCALES)
        for x in (X.view(np.matrix), X.view(np.recarray), np.ma.masked_array(X)):
            assert _same(aq.quantize(x, SCALES), right)
        for arguments in ((masked, SCALES), (X, np.ma.masked_equal(SCALES, SCALES[0]))):
            with pytest.raises(aq.ParameterError, match="masked"):
                aq.quantize(*arguments)
        with pytest.raises(aq.ParameterError, match="masked"):
            aq.quantize(X, SCALES, out=np.ma.masked_equal(right, right[0, 0]))
    for make in (lambda: aq.asarray(masked), lambda: aq.plan(aq.quantize, masked, SCALES)):
        with pytest.raises(aq.ParameterError, match="masked"):
            make()


def test_values_without_a_dimension() -> None:
    for _ in range(4):
        aq.quantize(np.float32([3]), 1.0)
        assert aq.quantize(np.float32(3), 1.0) == 3
        assert aq.quantize(np.array(3, np.float32), np.float32([1])).shape == ()


def test_lists_and_outputs_are_not_kept_alive() -> None:
    class List(list[float]):
        """A list that can be referred to weakly."""

    x, y, scales = X.copy(), np.empty((4, 8), np.int8), List([0.5] * 8)
    for _ in range(4):
        aq.quantize(x, 0.5, out=y)
        aq.quantize(x, scales, out=y)
    references = [weakref.ref(one) for one in (x, y, scales)]
    del x, y, scales
    gc.collect()
    assert [reference() for reference in references] == [None] * 3


def test_the_chip_does_not_change_under_prepared_calls() -> None:
    aq.quantize(X, SCALES)
    library = aq.backend().library
    for refused in (
        library.aclquantSetSocName(b"Ascend310P3"),
        library.aclquantSetVersion(b"8.1.RC1"),
    ):
        assert refused == 207000
    library.aclGetRecentErrMsg()


def test_another_backend_has_calls_of_its_own() -> None:
    run_python(
        f"""
        import numpy as np, aclquant as aq
        from aclquant.thread_state import this_thread
        x, s = np.ones((4, 8), np.float32), np.ones(8, np.float32)
        for name in ("host", {str(HOST_LIBRARY)!r}, "host"):
            aq.use_backend(name)
            for _ in range(4):
                assert aq.quantize(x, s).sum() == 32
            assert aq.backend().name == name
            (entry,) = this_thread().prepared.values()
            assert entry.prepared.backend is aq.backend() and not entry.prepared.closed
        """
    )


def test_other_threads_run_while_a_call_waits() -> None:
    """Also what holds the stream back, which would else never let go."""
    run_python(
        """
        import threading
        import numpy as np, aclquant as aq
        x, s = np.ones((4, 8), np.float32), np.ones(8, np.float32)
        plan = aq.plan(aq.quantize, x, s)
        for call, stream in ((lambda: aq.quantize(x, s), aq.current_stream()),
                             (lambda: plan(x), plan._stream)):
            for _ in range(3):
                call()
            library = aq.backend().library
            assert library.aclquantStallStream(stream.handle) == 0
            timer = threading.Timer(0.05, library.aclquantResumeStream, (stream.handle,))
            timer.start()
            assert call().sum() == 32
            timer.join()
        plan.close()
        """
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_prepares_calls_of_its_own() -> None:
    for _ in range(3):
        expected = aq.quantize(X, 0.5)
    parents = aq.plan(aq.quantize, X, SCALES)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with pytest.raises(aq.ResourceError, match="parent"):
                parents(X)
            for _ in range(4):
                assert _same(aq.quantize(X, 0.5), expected)
            (entry,) = this_thread().prepared.values()
            assert entry.prepared.backend is aq.backend()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert _same(parents(X), _long_way(aq.quantize, X, SCALES))
    parents.close()


def test_everything_here_holds_without_the_extension() -> None:
    if prepared.extension is None:
        pytest.skip("this is that run")
    run_python(
        f"""
        import contextlib, io, sys
        sys.modules["aclquant._ffi._replay"] = None  # importing it fails
        import pytest
        from aclquant import prepared
        assert prepared.extension is None
        with contextlib.redirect_stdout(io.StringIO()) as text:
            status = pytest.main(["-q", "-p", "no:cacheprovider", {__file__!r}])
        assert status == 0, text.getvalue()
        """
    )
