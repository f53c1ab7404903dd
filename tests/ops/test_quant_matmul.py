"""quant_matmul and dynamic_quant: drawn calls against the reference; every instruction set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from helpers import strategies as draws
from helpers.agreement import FAMILY, cases, same
from helpers.compare import assert_same_bits
from helpers.strategies import BFLOAT16, arrays, sometimes
from hypothesis import given
from hypothesis import strategies as st
from reference import A2, Spec
from reference import quant_matmul as reference
from reference.arithmetic import pack_int4
from reference.dynamic_quant import aclnn_dynamic_quant_v3

import aclquant as aq
from aclquant._ffi import ffi
from aclquant._ffi.library import load

LIBRARY = load("host")
ISAS: list[str] = ffi.string(LIBRARY.aclquantListIsas()).decode().split(",")
F32, INT8 = np.dtype(np.float32), np.dtype(np.int8)


@st.composite
def matrices(draw: st.DrawFn, int4: bool) -> tuple[Any, Any]:
    """x1 (..., m, k) and x2 (..., k, n), packed if int4."""
    m, k, n = (draw(st.integers(1, 20)) for _ in range(3))
    if int4:
        k, n = 8 * draw(st.integers(1, 3)), 8 * draw(st.integers(1, 3))
    batches = [draw(st.lists(st.sampled_from([1, 2]), max_size=2)) for _ in range(2)]
    if draw(sometimes(15)):
        batches = [[2, 3], [3, 2]]
    if int4 and not draw(sometimes(15)):
        batches[1] = []
    if draw(sometimes(20)):
        k = 0 if not int4 else k
    x1 = draw(arrays((*batches[0], m, k), INT8, ["bits", "ordinary"], strided=False))
    other = k + 1 if draw(sometimes(15)) and not int4 else k
    x2 = draw(arrays((*batches[1], other, n), INT8, ["bits", "ordinary"], strided=False))
    turned = draw(st.booleans())
    if turned:
        x2 = np.ascontiguousarray(x2.swapaxes(-1, -2))
    if int4:
        x1, x2 = pack_int4(x1 >> 4), pack_int4(x2 >> 4)
    elif draw(st.booleans()):
        x1 = draw(draws.layouts(x1))
    if turned:
        x2 = x2.swapaxes(-1, -2)
    return x1, x2


@st.composite
def words(draw: st.DrawFn, count: int) -> Any:
    """Scales of many sizes, any offset, any flag; sometimes any bits at all."""
    if draw(sometimes(6)):
        generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        return generator.integers(-(2**63), 2**63 - 1, count)
    scale = draw(arrays((count,), F32, ["ordinary", "small"], strided=False))
    offset = np.array(draw(st.lists(st.integers(0, 511), min_size=count, max_size=count)))
    flag = draw(st.integers(0, 1))
    found: Any = (scale / 64).view(np.uint32).astype(np.int64) | offset << 37 | flag << 46
    return found


@st.composite
def products(draw: st.DrawFn) -> dict[str, Any]:
    int4 = draw(sometimes(4))
    x1, x2 = draw(matrices(int4))
    k = x1.shape[-1]
    m, n = x1.shape[-2], x2.shape[-1]
    if int4 and x2.shape[-2] != k:
        n *= 8
    out = draw(st.sampled_from(["int8", "float16", "bfloat16", "int32"]))
    count = draw(st.sampled_from([1, n]))
    if draw(sometimes(20)):
        count = n + 1
    kind = {"int8": "words", "float16": "words"}.get(out, "float")
    per_token = out in ("float16", "bfloat16") and draw(st.booleans())
    if per_token:
        kind = "float"
    if draw(sometimes(12)):
        kind = draw(st.sampled_from(["words", "float"]))
    scale: Any
    if kind == "words":
        scale = draw(words(count)).astype(draw(st.sampled_from([np.int64, np.uint64])))
    else:
        bfloat = out in ("bfloat16", "int32") and draw(st.booleans())
        scale = draw(arrays((count,), BFLOAT16 if bfloat else F32))
    bias = None
    if draw(st.booleans()):
        types = [np.dtype(np.int32), np.dtype(np.int32), F32, BFLOAT16, np.dtype(np.float16)]
        shapes = [(n,), (n,), (n,), (*x1.shape[:-2], 1, n), (n + 1,)]
        bias = draw(arrays(draw(st.sampled_from(shapes)), draw(st.sampled_from(types))))
    offset = None
    if draw(st.booleans()) if out == "int8" else draw(sometimes(20)):
        offset = draw(arrays((draw(st.sampled_from([1, count])),), F32, strided=False))
    pertoken = None
    if per_token or draw(sometimes(20)):
        pertoken = draw(arrays((m + 1 if draw(sometimes(12)) else m,), F32))
    return {
        **{"x1": x1, "x2": x2, "scale": scale, "offset": offset, "pertoken_scale": pertoken},
        **{"bias": bias, "output_dtype": out},
    }


@cases(300, 6000)
@given(products())
def test_quant_matmul(arguments: dict[str, Any]) -> None:
    same(
        lambda: aq.quant_matmul(**arguments),
        lambda: reference.quant_matmul(**arguments, family=FAMILY),
    )


@cases(100, 3000)
@given(products(), st.booleans(), st.booleans(), st.booleans())
def test_third_and_fourth_version(
    arguments: dict[str, Any], third: bool, turn1: bool, turn2: bool
) -> None:
    """With the flags: what is seen transposed twice is not."""
    x1, x2, scale, offset, pertoken, bias, kind = arguments.values()
    one = x1.swapaxes(-1, -2) if turn1 else x1
    other = x2.swapaxes(-1, -2) if turn2 else x2
    n = x2.shape[-1]
    if x2.dtype == np.int32 and x1.shape[-1] != x2.shape[-2]:
        n *= 8
    batch = np.broadcast_shapes(x1.shape[:-2], (1,) * (x2.ndim - 2))
    spec = Spec(kind, (*batch, x1.shape[-2], n))
    y = spec.empty()
    flags = (turn1, turn2)

    def run() -> Any:
        if third:
            aq.aclnn.aclnnQuantMatmulV3(one, other, scale, offset, bias, *flags, y)
        else:
            aq.aclnn.aclnnQuantMatmulV4(one, other, scale, offset, pertoken, bias, *flags, y)
        return y

    def expected() -> Any:
        given = (one, other, scale, offset, None if third else pertoken, bias, *flags, spec)
        return reference.aclnn_quant_matmul_v4(*given, family=FAMILY)

    same(run, expected)


@cases(60, 1500)
@given(
    st.integers(1, 4),
    st.integers(1, 300),
    st.sampled_from(["float16", "bfloat16"]),
    st.sampled_from(["pertoken", "pertensor", "perchannel"]),
    st.integers(0, 2**32 - 1),
)
def test_dynamic_quant(rows: int, length: int, kind: str, mode: str, seed: int) -> None:
    dtype = BFLOAT16 if kind == "bfloat16" else np.dtype(np.float16)
    if FAMILY != A2:
        dtype, mode, length = np.dtype(np.float16), "pertoken", length // 32 * 32 + 32
    x = draws.fill((rows, length), dtype, "ordinary", seed)
    y, scale = aq.dynamic_quant(x, quant_mode=mode)
    specs = Spec("int8", x.shape), Spec("float32", scale.shape)
    wanted = aclnn_dynamic_quant_v3(x, None, None, 2, True, mode, *specs, None, FAMILY)
    assert_same_bits(y, wanted[0], "y")
    if mode == "pertoken":  # another mode has 1 / (127 / max), which is our choice
        assert_same_bits(scale, wanted[1], "scale")


# -- instruction sets and threads --------------------------------------------------------------


@pytest.fixture
def restored() -> Iterator[None]:
    isa, threads = ffi.string(LIBRARY.aclquantGetIsa()), LIBRARY.aclquantGetThreadCount()
    yield
    assert LIBRARY.aclquantSetIsa(isa) == 0
    assert LIBRARY.aclquantSetThreadCount(threads) == 0


SIZES = [
    (1, 1, 1),
    (1, 65, 1030),
    (5, 63, 4),
    (6, 64, 5),
    (7, 130, 131),
    (17, 1100, 66),
    (600, 70, 9),
]


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("extreme", [False, True], ids=["any", "extreme"])
def test_products_of_every_instruction_set(isa: str, threads: int, extreme: bool) -> None:
    """All layouts; with only -128, 127 the sums of two products are as large as can be."""
    assert LIBRARY.aclquantSetIsa(isa.encode()) == 0
    assert LIBRARY.aclquantSetThreadCount(threads) == 0
    generator = np.random.default_rng(7)
    for m, n, k in SIZES:
        shapes = (m, k), (k, n)
        a, b = (generator.integers(-128, 128, shape).astype(np.int8) for shape in shapes)
        if extreme:
            a, b = np.where(a < 0, -128, 127).astype(np.int8), np.where(b < 90, -128, 127)
            b = b.astype(np.int8)
        expected = (a.astype(np.int64) @ b.astype(np.int64)).astype(np.int32)
        right = [b, np.ascontiguousarray(b.T).T, np.repeat(b, 2, axis=1)[:, ::2], b[::-1][::-1]]
        for number, other in enumerate(right):
            left = a if number % 2 else np.ascontiguousarray(a.T).T
            y = aq.quant_matmul(left, other, 1.0, output_dtype="int32")
            assert_same_bits(y, expected, f"{isa} {m}, {n}, {k}, layout {number}")


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("isa", ISAS)
def test_sums_wrap_around(isa: str) -> None:
    """2**17 products of -128 by -128 are 2**31, one more than fits."""
    assert LIBRARY.aclquantSetIsa(isa.encode()) == 0
    x = np.full((1, 1 << 17), -128, np.int8)
    assert aq.quant_matmul(x, x.T, 1.0, output_dtype="int32").tolist() == [[-(2**31)]]
    bias = np.int32([-(2**31)])
    y = aq.quant_matmul(x, x.T, 1.0, bias=bias, output_dtype="int32")
    assert y.tolist() == [[0]]


def test_long_k_in_blocks() -> None:
    """More elements along k than are packed at a time, more rows than are taken together."""
    generator = np.random.default_rng(3)
    a = generator.integers(-128, 128, (530, 3000)).astype(np.int8)
    b = generator.integers(-128, 128, (3000, 40)).astype(np.int8)
    expected = (a.astype(np.float64) @ b.astype(np.float64)).astype(np.int32)  # exact below 2**53
    assert_same_bits(aq.quant_matmul(a, b, 1.0, output_dtype="int32"), expected)
    assert_same_bits(aq.quant_matmul(a.T.copy().T, b, 1.0, output_dtype="int32"), expected)


def test_int4_arrays_are_an_extension() -> None:
    a = np.arange(-8, 8).reshape(2, 8)
    b = np.arange(-8, 8).reshape(8, 2)
    y = aq.quant_matmul(
        a.astype(ml_dtypes.int4), b.astype(ml_dtypes.int4), 1.0, output_dtype="float16"
    )
    assert (y == a @ b).all()
