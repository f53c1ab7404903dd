"""Runs kernels under the emulation, through its C interface."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .building import name_of

Array = np.ndarray[Any, Any]


class _Argument(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("bytes", ctypes.c_uint64),
        ("writable", ctypes.c_int32),
    ]


class _Launch(ctypes.Structure):
    _fields_ = [
        ("blocks", ctypes.c_uint32),
        ("key", ctypes.c_uint64),
        ("tiling", ctypes.c_void_p),
        ("tiling_bytes", ctypes.c_uint64),
        ("order", ctypes.c_uint32),
        ("schedule", ctypes.c_uint32),
        ("poison", ctypes.c_uint8),
        ("nan_wins", ctypes.c_uint8),
        ("skip_file", ctypes.c_char_p),
        ("skip_line", ctypes.c_int32),
    ]


class _Report(ctypes.Structure):
    _fields_ = [
        ("check", ctypes.c_int32),
        ("block", ctypes.c_uint32),
        ("line", ctypes.c_int32),
        ("file", ctypes.c_char * 128),
        ("text", ctypes.c_char * 512),
        ("loaded", ctypes.c_uint64),
        ("stored", ctypes.c_uint64),
        ("vectors", ctypes.c_uint64),
        ("scalars", ctypes.c_uint64),
        ("local_bytes", ctypes.c_uint64),
        ("copies", ctypes.c_uint64),
        ("elements", ctypes.c_uint64),
    ]


@dataclass(frozen=True)
class Options:
    """How a run is made: the order of blocks and instructions, and what fills fresh memory."""

    order: int = 0
    schedule: int = 0
    poison: int = 0xA5
    nan_wins: bool = True
    skip: tuple[str, int] = ("", 0)


@dataclass
class Report:
    """What became of a run; check 0 says that all was well."""

    check: int
    place: str
    text: str
    numbers: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.place}: check {self.check}: {self.text}" if self.check else "all well"


@dataclass
class Plan:
    """A tiling: the bytes the kernel reads, its key, and the number of cores."""

    tiling: bytes
    key: int
    blocks: int


class Emulation:
    """One chip's library."""

    def __init__(self, path: Path) -> None:
        self.library = ctypes.CDLL(str(path))
        self.library.emuChip.restype = ctypes.c_char_p
        self.library.emuKernels.restype = ctypes.c_char_p
        self.library.emuSites.restype = ctypes.c_char_p
        self.library.emuTile.restype = ctypes.c_uint64
        self.library.emuTraffic.restype = ctypes.c_uint64
        self.chip = str(self.library.emuChip().decode())
        self.cores = int(self.library.emuCores())
        self.inference = self.chip.startswith("Ascend310P")

    def kernels(self) -> list[str]:
        return str(self.library.emuKernels().decode()).split(",")

    def sites(self) -> list[tuple[str, int, str]]:
        """Return the synchronisation calls of the last run: file, line, what."""
        text = self.library.emuSites().decode()
        fields = [line.split(":") for line in text.splitlines()]
        return [(file, int(line), what) for file, line, what in fields]

    def tile(self, op: str, numbers: list[int], cores: int | None = None) -> Plan | None:
        tiling = ctypes.create_string_buffer(1024)
        key, blocks = ctypes.c_uint64(), ctypes.c_uint32()
        array = (ctypes.c_int64 * 16)(*numbers)
        size = self.library.emuTile(
            op.encode(),
            array,
            cores or self.cores,
            tiling,
            ctypes.byref(key),
            ctypes.byref(blocks),
        )
        return Plan(tiling.raw[:size], key.value, blocks.value) if size else None

    def traffic(self, op: str, numbers: list[int], cores: int | None = None) -> int:
        array = (ctypes.c_int64 * 16)(*numbers)
        return int(self.library.emuTraffic(op.encode(), array, cores or self.cores))

    def run(
        self,
        kernel: str,
        inputs: list[Array | None],
        outputs: list[Array | None],
        plan: Plan,
        options: Options = Options(),
    ) -> Report:
        arguments = (_Argument * (len(inputs) + len(outputs)))()
        for slot, array in zip(arguments, [*inputs, *outputs], strict=True):
            if array is not None:
                slot.data, slot.bytes = array.ctypes.data, array.nbytes
        for slot in arguments[len(inputs) :]:
            slot.writable = 1
        tiling = ctypes.create_string_buffer(plan.tiling, max(len(plan.tiling), 1))
        launch = _Launch(
            plan.blocks,
            plan.key,
            ctypes.addressof(tiling),
            len(plan.tiling),
            options.order,
            options.schedule,
            options.poison,
            options.nan_wins,
            options.skip[0].encode(),
            options.skip[1],
        )
        report = _Report()
        self.library.emuRun(
            kernel.encode(),
            arguments,
            len(arguments),
            ctypes.byref(launch),
            ctypes.byref(report),
        )
        names = [name for name, _ in _Report._fields_[5:]]
        return Report(
            report.check,
            f"{report.file.decode()}:{report.line} (block {report.block})",
            report.text.decode(),
            {name: getattr(report, name) for name in names},
        )


CODES = {"float32": 0, "float16": 1, "int8": 2, "int32": 3, "uint8": 4, "bfloat16": 27}
MODES = {"round": 1, "floor": 2, "ceil": 3, "trunc": 5}


def bits_of(name: str) -> int:
    return (
        4
        if name == "int4"
        else {"b": 16}.get(name[0], int(name.strip("abcdefghijklmnopqrstu") or 0))
    )


@dataclass
class Case:
    """A call of an operator: what the kernel gets and where its results go."""

    kernel: str
    op: str  # of the tiling
    numbers: list[int]
    inputs: list[Array | None]
    outputs: list[Array]

    def plan(self, emulation: Emulation, cores: int | None = None) -> Plan:
        plan = emulation.tile(self.op, self.numbers, cores)
        assert plan is not None, f"the tiling refuses {self.numbers}"
        return plan

    def run(
        self,
        emulation: Emulation,
        options: Options = Options(),
        cores: int | None = None,
    ) -> tuple[Report, list[Array]]:
        outputs = [np.zeros_like(array) for array in self.outputs]
        report = emulation.run(
            self.kernel, self.inputs, list(outputs), self.plan(emulation, cores), options
        )
        return report, outputs


def dynamic_quant(
    x: Array,
    smooth: Array | None = None,
    index: Array | None = None,
    *,
    int4: bool = False,
    asymmetric: bool = True,
    local: int = 0,
) -> Case:
    rows, cols = x.size // x.shape[-1], x.shape[-1]
    y = np.zeros((*x.shape[:-1], cols // 2 if int4 else cols), np.int8)
    parameters = [np.zeros(x.shape[:-1], np.float32) for _ in range(1 + asymmetric)]
    op = "aclquant_dynamic_quant" + ("_asymmetric" if asymmetric else "")
    return Case(
        name_of(op, x.dtype.name, "int4" if int4 else "int8"),
        "dynamic_quant",
        [
            local,
            rows,
            cols,
            int4,
            smooth is not None,
            0 if index is None else index.size,
            asymmetric,
        ],
        [x, smooth, index],
        [y, *parameters],
    )


def elementwise(
    op: str,
    x: Array,
    scale: Array,
    offset: Array | None,
    result: str,
    *,
    axis: int = -1,
    twice: bool = False,
    mode: str = "round",
    local: int = 0,
) -> Case:
    """Return a call of a static operator; with ":int4" behind its name, x is bytes of int4."""
    packed = op.endswith(":int4")
    op = op.split(":")[0]
    shape = (*x.shape[:-1], x.shape[-1] * 2) if packed else x.shape
    axis %= len(shape)
    outer = int(np.prod(shape[:axis], dtype=np.int64))
    inner = int(np.prod(shape[axis + 1 :], dtype=np.int64))
    kind = "int4" if packed else x.dtype.name
    out_shape = (*shape[:-1], shape[-1] // 2) if result == "int4" else shape
    dtype = np.dtype(np.int8) if result == "int4" else _dtype(result)
    width = scale.itemsize + (0 if offset is None else offset.itemsize)
    numbers = [
        local,
        outer,
        shape[axis],
        inner,
        scale.size,
        4 if packed else x.itemsize * 8,
        4 if result == "int4" else dtype.itemsize * 8,
        offset is not None,
        twice,
        MODES[mode],
        CODES[scale.dtype.name],
        0 if offset is None else CODES[offset.dtype.name],
        width,
    ]
    return Case(
        name_of(op, kind, result),
        "elementwise",
        numbers,
        [x, scale, offset],
        [np.zeros(out_shape, dtype)],
    )


def _dtype(name: str) -> np.dtype[Any]:
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)


def trans_quant_param(scale: Array, offset: Array | None = None, round_mode: int = 0) -> Case:
    offsets = 0 if offset is None else offset.size
    return Case(
        "aclquant_trans_quant_param_float32_int64",
        "trans_quant_param",
        [0, scale.size, offsets, round_mode],
        [scale, offset],
        [np.zeros(max(scale.size, offsets), np.int64)],
    )
