"""Arguments that no program should pass: nothing may crash, hang or leave objects behind.

Run as a program, ``python -m runtime.fuzz operators|handles SEED CALLS``, in a separate process:
a crash is its exit status.
"""

from __future__ import annotations

import faulthandler
import math
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from helpers import everyday
from helpers.native import Buffer, counters, create, host, message, ok, pointer

from aclquant._ffi import ffi
from aclquant._ffi.declarations import functions

NULL = ffi.NULL

# -- operators --------------------------------------------------------------------------------

POOL_BYTES = 1 << 16
# Views that reach the same few bytes very often are the caller's own fault, and slow.
PATIENCE = 1 << 16
HUGE = [2**31 - 1, 2**31, 2**32, 2**33, 2**40, 2**61, 2**62, 2**63 - 1, -1, -(2**31), -(2**63)]
DTYPES = [0, 1, 2, 3, 4, 6, 9, 10, 11, 12, 27, 29, 30, 33, 36, 40, -1, 5, 99, 2**31 - 1]
ATTRIBUTE_INTS = [0, 1, 2, 3, 4, 27, 29, -1, -2, -3, 7, 2**31 - 1, -(2**31)]
KINDS = ("aclTensorList *", "aclScalar *", "aclScalarList *", "aclIntArray *", "aclBoolArray *")
TEXTS = [b"round", b"floor", b"ceil", b"trunc", b"pertoken", b"pertensor", b"perchannel", b"",
         b"%s%n", b"x" * 5000]  # fmt: skip

# All that the headers declare.
OPERATORS = sorted(
    name.removesuffix("GetWorkspaceSize")
    for name, function in functions.items()
    if function.header.startswith("aclnnop/") and name.endswith("GetWorkspaceSize")
)
EVERYDAY = set(everyday.OPERATORS)
PRODUCTS = {name for name in OPERATORS if "QuantMatmul" in name}

Shape = list[int]
Arguments = dict[str, Any]


def resized(shape: Shape, last: int) -> Shape:
    return [*shape[:-1], max(-(2**63), min(last, 2**63 - 1))]


def likely(
    rng: random.Random, name: str, x: Shape
) -> tuple[dict[str, tuple[Shape, int]], Arguments]:
    """Tensors (shape and dtype) and attributes that the operator would probably accept."""
    floating: int = rng.choice([0, 1, 27])
    quantised: int = rng.choice([2, 2, 3, 29])
    last = x[-1] if x else 1
    one = rng.choice([[1], [last]])
    packed: Shape = {2: x, 29: x, 3: resized(x, last // 8) if x else x}[quantised]
    if name == "aclnnQuantize":
        axis, quantised = rng.choice([-1, 0]), rng.choice([2, 3, 4])
        one = rng.choice([[1], x[axis : axis + 1 or None] or [1]])
        points = rng.choice([2, 3, 4]) if floating != 27 else 27
        return {"x": (x, floating), "scales": (one, floating), "zeroPoints": (one, points),
                "out": (x, quantised)}, {"dtype": quantised, "axis": axis}  # fmt: skip
    if name.startswith("aclnnAscendQuant"):
        return {"x": (x, floating), "scale": (one, floating), "offset": (one, floating),
                "y": (packed, quantised)}, {"dstType": quantised, "axis": -1}  # fmt: skip
    if name == "aclnnAscendAntiQuant":
        y = resized(x, last * 8) if quantised == 3 and x else x
        one, scale, result = (
            rng.choice([[1], y[-1:] or [1]]),
            rng.choice([0, 27]),
            rng.choice([1, 27]),
        )
        return {"x": (x, quantised), "scale": (one, scale), "offset": (one, scale),
                "y": (y, result)}, {"dstType": result}  # fmt: skip
    if name.startswith("aclnnTransQuantParam"):
        vector, rounding = rng.choice([[last], [1, last]]), {"roundMode": rng.choice([0, 1])}
        return {"scale": (vector, 0), "offset": (rng.choice([vector, [1]]), 0),
                "out": (vector, rng.choice([9, 10]))}, rounding  # fmt: skip
    floating, mode = rng.choice([1, 27]), b"pertoken"
    if name[-1] in "34":
        mode = rng.choice([b"pertoken", b"pertensor", b"perchannel"])
    shape: Shape = {b"pertoken": x[:-1], b"pertensor": [1], b"perchannel": [*x[:-2], last]}[mode]
    grouped = name != "aclnnDynamicQuant" and mode != b"perchannel" and rng.random() < 0.3
    groups = rng.choice([1, 2, 5])
    smooth = [groups, last] if grouped else (x[-2:-1] if mode == b"perchannel" else [last])
    tensors = {
        "x": (x, floating), "smoothScalesOptional": (smooth, floating),
        "groupIndexOptional": ([groups], 3), "yOut": (packed, quantised),
        "scaleOut": (shape, 0), "offsetOut": (shape, 0),
    }  # fmt: skip
    symmetric = rng.random() < 0.5
    left_out = ["smoothScalesOptional"] if rng.random() < 0.4 else []
    left_out += [] if grouped else ["groupIndexOptional"]
    left_out += ["offsetOut"] if symmetric else []
    attributes = {
        "isSymmetrical": symmetric,
        "quantMode": ffi.new("char[]", mode),
        "dstTypeMax": 0.0,
    }
    return tensors, {**attributes, "left out": left_out}


def likely_product(
    rng: random.Random, name: str, x: Shape
) -> tuple[dict[str, tuple[Shape, int]], Arguments]:
    """The same for a product of integers: x is x1, with m and k as its last dimensions."""
    batch, m, k, n = x[:-2], x[-2], x[-1], rng.choice([1, 5, 8, 16])
    integers = rng.choice([2, 2, 2, 3, 29])
    turned = rng.random() < 0.5
    x2: Shape = [n, k] if turned else [k, n]
    width, result = n, rng.choice([1, 27, 2, 3])
    if integers == 3:  # eight numbers of four bits each
        x2 = [n, k] if turned else [k * 8 if -(2**60) < k < 2**60 else k, n]
        width = n if turned else n * 8
    x2 = [*rng.choice([[], batch, [1] * len(batch)]), *x2]
    packed = result in (1, 2) or rng.random() < 0.3
    scale = ([rng.choice([1, width])], rng.choice([9, 10] if packed else [0, 27]))
    tensors = {
        "x1": (x, integers), "x2": (x2, integers), "out": ([*batch, m, width], result),
        "scale": scale, "x2Scale": scale, "bias": ([width], rng.choice([3, 0, 27])),
        "offset": ([rng.choice([1, width])], 0), "x2Offset": ([rng.choice([1, width])], 0),
        "pertokenScaleOptional": ([m], 0), "x1Scale": ([m], 0),
        "yScale": ([1], 10), "x1Offset": ([m], 0), "yOffset": ([1], 0),
    }  # fmt: skip
    rare = 0.4 if result == 2 else 0.95  # offsets are for results of eight bits
    chances = {"bias": 0.6, "pertokenScaleOptional": 0.6, "x1Scale": 0.6}
    chances |= {"offset": rare, "x2Offset": rare}
    left_out = ["yScale", "x1Offset", "yOffset"]
    left_out += [name for name, chance in chances.items() if rng.random() < chance]
    return tensors, {
        "transposeX1": False,
        "transposeX2": turned,
        "groupSize": 0,
        "left out": left_out,
    }


def likely_everyday(
    rng: random.Random, name: str, x: Shape
) -> tuple[dict[str, tuple[Shape, int]], Arguments]:
    """The same for an everyday operator: tensors of one shape, or of shapes that repeat to it."""
    dtype = rng.choice([0, 0, 1, 27, 3, 9, 2, 4, 6, 11, 12, 16])
    smaller: Shape = [size if rng.random() < 0.5 else 1 for size in x]
    tensors: dict[str, tuple[Shape, int]] = {}
    for parameter in functions[name + "GetWorkspaceSize"].parameters[:-2]:
        if parameter.type.endswith("aclTensor *"):
            of = rng.choice([9, 3]) if parameter.name.lower().startswith("ind") else dtype
            of = 12 if parameter.name in ("mask", "condition") else of
            shape = rng.choice([x, x, x, x, smaller, [], x[:-1], [1]])
            tensors[parameter.name] = (shape, rng.choice([of, of, of, 0, 9, 12]))
    return tensors, {"left out": []}


def make_other(rng: random.Random, kind: str, made: Callable[[], Any]) -> tuple[Any, Any]:
    """A list, an array or a number, and what destroys it."""
    if kind == "aclTensorList *":
        tensors = [made() for _ in range(rng.choice([1, 2, 3, 40]))]
        listed = host.aclCreateTensorList(ffi.new("aclTensor *[]", tensors), len(tensors))
        return listed, host.aclDestroyTensorList
    if kind in ("aclScalar *", "aclScalarList *"):
        value = ffi.new("int64_t[2]", [rng.choice([0, 1, 2, -1, *HUGE]), 0])
        count = 1 if kind == "aclScalar *" else rng.choice([1, 2, 3])
        scalars = [
            host.aclCreateScalar(value, rng.choice([0, 3, 9, 11, 12, 16])) for _ in range(count)
        ]
        if kind == "aclScalar *":
            return scalars[0], host.aclDestroyScalar
        listed = host.aclCreateScalarList(ffi.new("aclScalar *[]", scalars), count)
        return listed, host.aclDestroyScalarList
    if kind == "aclIntArray *":
        values = [rng.choice([0, 1, 2, -1, -2, *HUGE]) for _ in range(rng.choice([0, 1, 1, 2, 3]))]
        return host.aclCreateIntArray(values, len(values)), host.aclDestroyIntArray
    assert kind == "aclBoolArray *", kind
    return host.aclCreateBoolArray([True, False, True], 3), host.aclDestroyBoolArray


class Pool:
    """Memory that tensors may point to: good, small, freed, unknown."""

    def __init__(self, rng: random.Random) -> None:
        self.large = Buffer(np.frombuffer(rng.randbytes(POOL_BYTES), np.uint8))
        self.small = Buffer(64)
        freed = Buffer(128)
        self.unknown = [NULL, pointer(8), pointer(2**63), pointer(2**64 - 64), freed.pointer]
        freed.free()

    def choose(self, rng: random.Random) -> Any:
        if rng.random() < 0.85:
            return self.large.pointer + rng.randrange(128)
        return self.small.pointer if rng.random() < 0.5 else rng.choice(self.unknown)


class Shapes:
    """Shapes that nearly fit each other: one x, and what operators derive from it."""

    def __init__(self, rng: random.Random, least_rank: int) -> None:
        self.rng = rng
        rank = max(least_rank, rng.choice([0, 1, 1, 2, 2, 2, 3, 3, 4, 8, 9, 25]))
        self.x = [rng.choice([0, 1, 2, 3, 8, 16, 32, 64]) for _ in range(rank)]
        while math.prod(self.x) > 4096:
            self.x[rng.randrange(rank)] = 1
        if rng.random() < 0.15 and rank:
            for _ in range(rng.choice([1, 2])):
                self.x[rng.randrange(rank)] = rng.choice(HUGE)

    def choose(self) -> list[int]:
        rng, x = self.rng, self.x
        last = x[-1] if x else 1
        derived = [[1], [last], x[-2:-1] or [1], x[:-1], [*x[:-1], last // 8], x, x, x, [2, last]]
        derived += [[*x[:-1], max(-(2**63), min(last * 8, 2**63 - 1))], [1] * len(x), [], [0]]
        shape = list(rng.choice(derived))
        if rng.random() < 0.05 and shape:
            shape[rng.randrange(len(shape))] = rng.choice([0, 1, 2, *HUGE])
        return shape

    def strides(self, shape: list[int]) -> list[int] | None:
        rng = self.rng
        if rng.random() < 0.6 or math.prod(max(size, 1) for size in shape) > PATIENCE:
            return None
        if rng.random() < 0.3:
            return [rng.choice([0, 1, -1, 2, 3, *HUGE]) for _ in shape]
        strides, step = [], rng.choice([1, 1, 2])
        for size in reversed(shape):
            strides.append(rng.choice([step, step, step, -step, 0]))
            step = min(step * max(size, 1), 2**62)
        if rng.random() < 0.4:
            rng.shuffle(strides)
        return strides[::-1]


def make_tensor(rng: random.Random, shapes: Shapes, pool: Pool, shape: Shape, dtype: int) -> Any:
    if rng.random() < 0.04:
        shape = shapes.choose()
    if rng.random() < 0.03:
        dtype = rng.choice(DTYPES)
    strides = shapes.strides(shape) if rng.random() < 0.4 else None
    storage = rng.choice([shape, [POOL_BYTES], [8]])
    offset = rng.choice([0, 1, 2, 7, 64, -1, -64, *HUGE]) if rng.random() < 0.1 else 0
    return host.aclCreateTensor(
        shape, len(shape), dtype, NULL if strides is None else strides, offset,
        rng.choice([0, 29, -1]) if rng.random() < 0.02 else 2,
        storage, len(storage), pool.choose(rng),
    )  # fmt: skip


def attribute(rng: random.Random, kind: str) -> Any:
    kind = kind if "*" in kind else kind.removeprefix("const ")
    if kind == "bool":
        return rng.random() < 0.5
    if kind in ("float", "double"):
        return rng.choice([0.0, 127.0, -1.0, math.inf, math.nan, 1e30])
    if kind in ("const char *", "char *"):
        return rng.choice([NULL, *(ffi.new("char[]", text) for text in TEXTS)])
    assert kind in ("int", "int8_t", "int32_t", "int64_t", "uint64_t", "aclDataType"), kind
    value = rng.choice(ATTRIBUTE_INTS)
    return value % 2**64 if kind == "uint64_t" else value % 128 if kind == "int8_t" else value


def call_operator(rng: random.Random, name: str, pool: Pool, on: Any) -> int:
    """Both phases; returns the status of the last one."""
    shapes = Shapes(rng, 2 if "Dynamic" in name or name in PRODUCTS else 0)
    plan = likely_everyday if name in EVERYDAY else likely_product if name in PRODUCTS else likely
    planned, attributes = plan(rng, name, shapes.x)
    attributes.setdefault("roundMode", ffi.new("char[]", b"round"))
    left_out = attributes.pop("left out", ["offset", "zeroPoints"] if rng.random() < 0.4 else [])
    tensors: list[Any] = []
    others: list[tuple[Any, Any]] = []
    arguments: list[Any] = []
    size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
    for parameter in functions[name + "GetWorkspaceSize"].parameters[:-2]:
        wild = rng.random() < 0.03
        kind = parameter.type.removeprefix("const ")
        if kind in KINDS:
            dtype = rng.choice([0, 0, 3, 12])
            others.append(
                make_other(
                    rng,
                    kind,
                    lambda dtype=dtype: make_tensor(rng, shapes, pool, shapes.x, dtype),
                )
            )
            arguments.append(NULL if wild else others[-1][0])
        elif "aclTensor" in parameter.type:
            made = make_tensor(rng, shapes, pool, *planned[parameter.name])
            tensors.append(made)
            arguments.append(
                NULL if (parameter.name in left_out) != (wild and rng.random() < 0.3) else made
            )
        elif parameter.name in attributes and not wild:
            arguments.append(attributes[parameter.name])
        else:
            arguments.append(attribute(rng, parameter.type))
    status = int(getattr(host, name + "GetWorkspaceSize")(*arguments, size, executor))
    if status == 0:
        dead = rng.choice(tensors) if tensors and rng.random() < 0.02 else NULL
        if dead != NULL:
            ok(host.aclDestroyTensor(dead))
            tensors.remove(dead)
        workspace = pool.large.pointer if rng.random() < 0.98 else pool.choose(rng)
        status = int(getattr(host, name)(workspace, size[0], executor[0], on))
    else:
        assert executor[0] == NULL, name
    assert status not in (200000, 207000), (name, status)
    for made in tensors:
        ok(host.aclDestroyTensor(made))
    for other, destroy in others:
        ok(destroy(other))
    return status


def fuzz_operators(rng: random.Random, calls: int) -> None:
    pool = Pool(rng)
    names = OPERATORS
    streams = [NULL, create(host.aclrtCreateStream)]
    ok(host.aclquantSetWorkspaceSize(64))
    done = failures = 0
    before = counters()
    for number in range(calls):
        name = names[number % len(names)]
        state = f"call {number} of {name}"
        status = call_operator(rng, name, pool, streams[number % 2])
        assert status == 0 or message(), state
        done += status == 0
        if number % 16 == 15:
            failures += sum(host.aclrtSynchronizeStream(s) == 507015 for s in streams)
            message()
    assert counters() == before, (before, counters())
    print(f"{calls} calls, {done} accepted, {failures} asynchronous errors")
    assert done > calls // 20 and failures > calls // 200


# -- handles ----------------------------------------------------------------------------------

# What these take from the client cannot be checked by anybody: real memory is given to them, or
# nothing at all. The others get anything.
SKIPPED = {
    "aclAppLog",  # variadic
    "aclrtHostRegister", "aclrtHostRegisterV2", "aclquantHostRegister",  # a promise about memory
    "aclquantHostRegisterRanges", "aclquantHostUnregisterRanges", "aclquantRunLaunch",  # structures
    "aclquantEndLaunch",  # waits for the end of a use that the structure speaks of
    # A later synchronise would wait for ever: for the client, or for its thread of reports.
    "aclquantStallStream", "aclrtLaunchCallback",
    "aclCreateTensorList", "aclCreateScalarList",
    "HcclSetConfig", "MsprofGetHashId",  # a union by value; text of the client
    "aclrtSetExceptionInfoCallback",  # functions of the client, and what they are given
    "aclrtExceptionInfoCallbackRegister", "aclrtExceptionInfoCallbackUnregister",
    *(f"aclrtGet{what}FromExceptionInfo"
      for what in ("TaskId", "StreamId", "ThreadId", "DeviceId", "ErrorCode")),
}  # fmt: skip
SETTINGS = [name for name in functions if name.startswith("aclquantSet")]
INTEGERS = {"int32_t": 31, "uint32_t": 32, "int64_t": 63, "uint64_t": 64, "size_t": 64, "int": 31}


def random_handle(rng: random.Random, known: list[Any]) -> Any:
    kind = rng.random()
    if kind < 0.6:
        return rng.choice(known)
    if kind < 0.7:
        return NULL
    base = ffi.cast("uintptr_t", rng.choice(known))
    return pointer(
        rng.choice(
            [rng.getrandbits(64), rng.getrandbits(47), int(base) + rng.choice([1, 8, 64, -64])]
        )
        % 2**64
    )


class Handles:
    """One of each kind, dead ones, and memory for results."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.scratch = ffi.new("unsigned char[]", 4096)
        self.known: list[Any] = [self.scratch]
        self.refresh()

    def refresh(self) -> None:
        """Clients destroy things; others are made. Old handles stay in the draw."""
        ok(host.aclrtSetDevice(0))
        dims = [2, 3]
        made = [
            create(host.aclrtCreateStream), create(host.aclrtCreateEvent),
            create(host.aclrtCreateEventExWithFlag, 9),
            create(host.aclrtMalloc, 64, 0), create(host.aclrtMallocHost, 64),
            host.aclCreateTensor(dims, 2, 0, NULL, 0, 2, dims, 2, self.scratch),
            host.aclCreateIntArray(dims, 2), host.aclCreateFloatArray([1.0], 1),
            host.aclCreateBoolArray([True], 1), host.aclCreateScalar(self.scratch, 0),
        ]  # fmt: skip
        lists = ffi.new(
            "aclTensor *[]", [host.aclCreateTensor(dims, 2, 0, NULL, 0, 2, dims, 2, NULL), NULL]
        )
        made.append(host.aclCreateTensorList(lists, 2))
        scalars = ffi.new("aclScalar *[]", [NULL])
        made.append(host.aclCreateScalarList(scalars, 1))
        size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
        x, y = (host.aclCreateTensor([4], 1, d, NULL, 0, 2, [4], 1, self.scratch) for d in (0, 2))
        one = host.aclCreateTensor([1], 1, 0, NULL, 0, 2, [1], 1, self.scratch)
        ok(
            host.aclnnAscendQuantV3GetWorkspaceSize(
                x, one, NULL, False, b"round", 2, -1, y, size, executor
            )
        )
        made += [x, y, one, executor[0]]
        context = ffi.new("aclrtContext *")
        if self.rng.random() < 0.2:
            ok(host.aclrtCreateContext(context, 0))
            made.append(context[0])
        self.known = [ffi.cast("void *", handle) for handle in [*self.known[-60:], *made]]

    def argument(self, name: str, kind: str, parameter: str) -> Any:
        rng = self.rng
        if "aclrtHostFunc" in kind:
            return rng.choice([NULL, ffi.cast("void *", _noop)])
        if kind == "aclrtStreamConfigHandle *":
            return NULL
        client_memory = name.startswith(("aclrtMemcpy", "aclCreate", "aclInitTensor"))
        if "*" in kind or kind in ("aclrtStream", "aclrtEvent", "aclrtContext"):
            opaque = any(
                kind in (f"const {t} *", f"{t} *")
                for t in ("aclTensor", "aclTensorList", "aclScalar", "aclScalarList", "aclIntArray",
                          "aclFloatArray", "aclBoolArray", "aclOpExecutor")
            )  # fmt: skip
            plain = kind in ("void *", "const void *") or "*" not in kind
            if opaque or (plain and not client_memory):
                return ffi.cast(kind, random_handle(rng, self.known))
            return NULL if rng.random() < 0.1 else ffi.cast(kind, self.scratch)
        if kind == "bool":
            return rng.random() < 0.5
        if kind in ("float", "double"):
            return rng.choice([0.0, 1.0, math.nan, -math.inf])
        if client_memory and parameter != "kind" and kind in ("size_t", "uint64_t"):
            return rng.randrange(40)
        if "imeout" in parameter:
            return rng.choice([-2, -1, 0, 1, 2]) if kind == "int32_t" else rng.choice([0, 1])
        if kind == "aclrtMallocConfig *":
            return NULL
        bits = INTEGERS.get(kind.removeprefix("const "))
        if bits is None:  # an enum
            return ffi.cast(kind, rng.choice([*range(-1, 8), 27, 29, 100, 2**31 - 1]))
        if kind in ("size_t", "uint64_t") and rng.random() < 0.8:
            return rng.randrange(64)
        value = rng.choice([0, 1, 2, -1, rng.getrandbits(bits), 2**bits - 1, 2 ** (bits - 1)])
        signed = bits in (31, 63)
        value %= 2 ** (bits + signed)
        return value - 2**bits if signed else value


@ffi.callback("void (void *)")  # type: ignore[untyped-decorator]
def _noop(_: Any) -> None:
    pass


def fuzz_handles(rng: random.Random, calls: int) -> None:
    chosen = [n for n in functions if host.has(n) and n not in SKIPPED and n not in SETTINGS]
    # Operators are many, and seldom accept what they get: each kind has half of the calls.
    kinds = [
        [name for name in chosen if not name.startswith("aclnn")] + ["aclquantResumeStream"],
        [name for name in chosen if name.startswith("aclnn")],
    ]
    handles = Handles(rng)
    done = 0
    for number in range(calls):
        if number % 40 == 0:
            handles.refresh()
            message()
        name = rng.choice(rng.choice(kinds))
        ffi.buffer(handles.scratch)[:] = b"\1\0" + b"\1" * 4094  # also a string, and booleans
        function = functions[name]
        arguments = [handles.argument(name, p.type, p.name) for p in function.parameters]
        status = getattr(host, name)(*arguments)
        done += isinstance(status, int) and status == 0
    print(f"{calls} calls of {len(chosen)} functions, {done} accepted")
    assert calls // 20 < done < calls


def main() -> int:
    mode, seed, calls = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    faulthandler.enable()
    ok(host.aclrtSetDevice(0))
    (fuzz_operators if mode == "operators" else fuzz_handles)(random.Random(seed), calls)
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
