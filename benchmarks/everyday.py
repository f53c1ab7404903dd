"""Measure the everyday operators beside PyTorch on the CPU, in interleaved rounds.

    python benchmarks/everyday.py [--elements N] [--rounds N] [--threads N ...] [--only WORD]
                                  [--docs]

Both have the same number of threads and work on separate memory that is allocated beforehand.
The ratio is our time over PyTorch's in the same round (the median of all rounds): 2 is the most
that is allowed for 16 Mi elements and for products of matrices of 1024. The table is Markdown;
``--docs`` puts it into docs/performance/products_and_everyday.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any

import ml_dtypes
import numpy as np
import page
import torch
from measure import interleaved

import aclquant as aq
from aclquant import aclnn
from aclquant._ffi.library import load

Call = Callable[[], object]
COLUMNS = 4096
MOST = 2  # times PyTorch's time
TYPES = {
    "float32": (np.float32, torch.float32),
    "float16": (np.float16, torch.float16),
    "bfloat16": (ml_dtypes.bfloat16, torch.bfloat16),
}

UNARY = {
    "Abs": torch.abs, "Neg": torch.neg, "Sqrt": torch.sqrt, "Tanh": torch.tanh, "Erf": torch.erf,
    "Sin": torch.sin, "Cos": torch.cos, "Relu": lambda x, out: torch.clamp(x, min=0, out=out),
    "Silu": lambda x, out: torch.nn.functional.silu(x), "Rsqrt": torch.rsqrt,
    "Expm1": torch.expm1, "Floor": torch.floor, "Tan": torch.tan, "Atan": torch.atan,
    "Acos": torch.acos, "Sinh": torch.sinh, "Erfc": torch.erfc, "Exp2": torch.exp2,
    "Mish": lambda x, out: torch.nn.functional.mish(x),
}  # fmt: skip


def both(*shape: int, dtype: str = "float32") -> tuple[Any, torch.Tensor]:
    """Return the same random numbers for us and for PyTorch."""
    numbers = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    ours, theirs = TYPES[dtype]
    return aq.asarray(numbers.astype(ours)), torch.from_numpy(numbers).to(theirs)


def room(*shape: int, dtype: Any = np.float32) -> Any:
    """Return device memory for a result."""
    return aq.asarray(np.zeros(shape, dtype))


def products() -> Iterator[tuple[str, Call, Call]]:
    """Yield the products of matrices of 1024."""
    for dtype in ("float32", "float16", "bfloat16"):
        x, tx = both(1024, 1024, dtype=dtype)
        w, tw = both(1024, 1024, dtype=dtype)
        y, ty = room(1024, 1024, dtype=TYPES[dtype][0]), torch.empty_like(tx)
        turned = w.transpose(1, 0) if hasattr(w, "transpose") else w.T
        yield (
            f"matmul {dtype}",
            partial(aclnn.Matmul, x, w, y, 0),
            partial(torch.matmul, tx, tw, out=ty),
        )
        yield (
            f"linear {dtype}",
            partial(aclnn.Matmul, x, turned, y, 0),
            partial(torch.nn.functional.linear, tx, tw),
        )


def rest(elements: int) -> Iterator[tuple[str, Call, Call]]:
    """Yield the operators that go over memory."""
    rows = elements // COLUMNS
    shape = (rows, COLUMNS)
    x, tx = both(*shape)
    h, th = both(*shape, dtype="float16")
    y, ty = room(*shape), torch.empty(shape)
    g, tg = room(*shape, dtype=np.float16), torch.empty(shape, dtype=torch.float16)
    yield "add", lambda: aclnn.Add(x, x, 1, y), lambda: torch.add(tx, tx, out=ty)
    yield "mul", lambda: aclnn.Mul(x, x, y), lambda: torch.mul(tx, tx, out=ty)
    yield "exp", lambda: aclnn.Exp(x, y), lambda: torch.exp(tx, out=ty)
    yield "gelu", lambda: aclnn.Gelu(x, y), lambda: torch.nn.functional.gelu(tx)
    yield "sigmoid", lambda: aclnn.Sigmoid(x, y), lambda: torch.sigmoid(tx, out=ty)
    yield "softmax", lambda: aclnn.Softmax(x, 1, y), lambda: torch.softmax(tx, 1, out=ty)
    yield (
        "softmax float16",
        lambda: aclnn.Softmax(h, 1, g),
        lambda: torch.softmax(th, 1, out=tg),
    )
    yield (
        "layer_norm float16",
        lambda: aclnn.LayerNorm(h, [COLUMNS], None, None, 1e-5, g, None, None),
        lambda: torch.nn.functional.layer_norm(th, (COLUMNS,)),
    )
    one = room()
    yield (
        "sum",
        lambda: aclnn.ReduceSum(x, [0, 1], False, "float32", one),
        lambda: torch.sum(tx),
    )
    yield "max", lambda: aclnn.Max(x, one), lambda: torch.max(tx)
    column = room(COLUMNS)
    yield (
        "sum over dim 0",
        lambda: aclnn.ReduceSum(x, [0], False, "float32", column),
        lambda: torch.sum(tx, 0),
    )
    row = room(rows)
    yield (
        "sum over dim 1",
        lambda: aclnn.ReduceSum(x, [1], False, "float32", row),
        lambda: torch.sum(tx, 1),
    )
    yield (
        "cumsum",
        lambda: aclnn.Cumsum(x, 1, "float32", y),
        lambda: torch.cumsum(tx, 1, out=ty),
    )
    first, gamma, scales = room(rows, dtype=np.int64), room(COLUMNS), room(rows, 1)

    def rms() -> torch.Tensor:
        return torch.nn.functional.rms_norm(tx, (COLUMNS,), tx[0], 1e-5)

    best, places = room(rows, 16), room(rows, 16, dtype=np.int64)
    yield (
        "topk, 16 of a row",
        lambda: aclnn.Topk(x, 16, 1, True, True, best, places),
        lambda: torch.topk(tx, 16, 1),
    )
    order = np.random.default_rng(2).permutation(rows)
    index, t_index = aq.asarray(order), torch.from_numpy(order)
    yield (
        "index_select",
        lambda: aclnn.IndexSelect(x, 0, index, y),
        lambda: torch.index_select(tx, 0, t_index, out=ty),
    )
    where = np.random.default_rng(3).integers(0, COLUMNS, shape)
    wide, t_wide = aq.asarray(where), torch.from_numpy(where)
    yield (
        "gather",
        lambda: aclnn.Gather(x, 1, wide, y),
        lambda: torch.gather(tx, 1, t_wide, out=ty),
    )
    turned, t_turned = room(COLUMNS, rows), torch.empty(COLUMNS, rows)
    yield (
        "transposed copy",
        lambda: aclnn.InplaceCopy(turned, x.T),
        lambda: t_turned.copy_(tx.T),
    )
    for name, theirs in UNARY.items():
        yield name.lower(), partial(getattr(aclnn, name), x, y), partial(theirs, tx, out=ty)
    u, tu = aq.asarray(np.abs(np.asarray(x)) + 0.5), tx.abs() + 0.5
    yield "log", lambda: aclnn.Log(u, y), lambda: torch.log(tu, out=ty)
    yield "div", lambda: aclnn.Div(x, u, y), lambda: torch.div(tx, tu, out=ty)
    yield "pow 2.5", lambda: aclnn.PowTensorScalar(u, 2.5, y), lambda: torch.pow(tu, 2.5, out=ty)
    yield "pow 2", lambda: aclnn.PowTensorScalar(u, 2, y), lambda: torch.pow(tu, 2, out=ty)
    yield "pow", lambda: aclnn.PowTensorTensor(u, x, y), lambda: torch.pow(tu, tx, out=ty)
    yield "atan2", lambda: aclnn.Atan2(x, u, y), lambda: torch.atan2(tx, tu, out=ty)
    yield "maximum", lambda: aclnn.Maximum(x, u, y), lambda: torch.maximum(tx, tu, out=ty)
    yield "clamp", lambda: aclnn.Clamp(x, -1, 1, y), lambda: torch.clamp(tx, -1, 1, out=ty)
    yield "add float16", lambda: aclnn.Add(h, h, 1, g), lambda: torch.add(th, th, out=tg)
    yield "mul by a number", lambda: aclnn.Muls(x, 3, y), lambda: torch.mul(tx, 3, out=ty)
    yield (
        "add a row",
        lambda: aclnn.Add(x, x[:1], 1, y),
        lambda: torch.add(tx, tx[:1], out=ty),
    )
    less, t_less = room(*shape, dtype=np.bool_), torch.empty(shape, dtype=torch.bool)
    yield "lt", lambda: aclnn.LtTensor(x, u, less), lambda: torch.lt(tx, tu, out=t_less)
    yield (
        "cast to float16",
        lambda: aclnn.Cast(x, "float16", g),
        lambda: tg.copy_(tx),
    )
    yield (
        "cast from float16",
        lambda: aclnn.Cast(h, "float32", y),
        lambda: ty.copy_(th),
    )
    yield "mean", lambda: aclnn.Mean(x, [1], False, "float32", row), lambda: torch.mean(tx, 1)
    yield "argmax", lambda: aclnn.ArgMax(x, 1, False, first), lambda: torch.argmax(tx, 1)
    yield (
        "layer_norm",
        lambda: aclnn.LayerNorm(x, [COLUMNS], None, None, 1e-5, y, None, None),
        lambda: torch.nn.functional.layer_norm(tx, (COLUMNS,)),
    )
    yield "rms_norm", lambda: aclnn.RmsNorm(x, gamma, 1e-5, y, scales), rms
    condition, t_condition = aq.asarray(where > COLUMNS // 2), t_wide > COLUMNS // 2
    z, tz = room(*shape), torch.empty(shape)
    yield (
        "where",
        lambda: aclnn.SWhere(condition, x, y, z),
        lambda: torch.where(t_condition, tx, ty, out=tz),
    )


def measured(options: argparse.Namespace, threads: int) -> Iterator[tuple[str, list[float], float]]:
    """Yield each operator with our time and PyTorch's, and their ratio."""
    library: Any = load("host")
    library.aclquantSetThreadCount(threads)
    torch.set_num_threads(threads)
    stream = aq.current_stream()

    def finished(call: Call) -> Call:
        def run() -> None:
            call()
            stream.synchronize()

        return run

    cases = [*products()] if options.only in ("", "matmul", "linear") else []
    for name, ours, theirs in [*cases, *rest(options.elements)]:
        if options.only not in name:
            continue
        timings = interleaved({"ours": finished(ours), "torch": theirs}, options.rounds, budget=5)
        pairs = zip(timings["ours"].seconds, timings["torch"].seconds, strict=True)
        both = [timings[who].best for who in ("ours", "torch")]
        ratio = median(a / b for a, b in pairs)
        print(f"{threads} thread(s): {name}: {ratio:.2f}", flush=True)
        yield name, both, ratio


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--elements", type=int, default=1 << 24)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", default="")
    parser.add_argument("--docs", action="store_true", help="renew the page")
    options = parser.parse_args()
    rows: dict[str, list[str]] = {}
    missed: dict[str, str] = {}
    for number, threads in enumerate(options.threads):
        for name, both, ratio in measured(options, threads):
            times = [f"{seconds * 1e3:.2f}" for seconds in both] if number == 0 else []
            rows.setdefault(name, [name]).extend([*times, f"{ratio:.2f}"])
            if ratio > MOST:
                missed[name] = f"{missed[name]}, " if name in missed else f"{name} "
                missed[name] += f"{ratio:.2f}" + ("" if threads == 1 else f" ({threads} threads)")
    header = ["operator", "ours, ms", "PyTorch, ms"]
    header += [f"ratio, {threads} thread{'s'[: threads > 1]}" for threads in options.threads]
    text = f"Above {MOST}: {'; '.join(missed.values()) or 'none'}.\n\n"
    text += page.table(header, list(rows.values()))
    print(text)
    if options.docs:
        page.renew("products_and_everyday.md", "everyday.py --docs", text)


if __name__ == "__main__":
    main()
