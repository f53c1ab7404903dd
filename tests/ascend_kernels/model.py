"""What the operators move, and how long that takes at least on an Ascend910B1.

From the kernels' own tiling functions. ``python -m ascend_kernels.model`` (with ``tests`` in
PYTHONPATH) prints the table of docs/ascend_kernels.md.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .building import build
from .emulation import Case, Emulation, dynamic_quant, elementwise

CLOCK = 1.85e9  # cycles per second
CORES = 48
MEMORY_RATE = 32  # bytes per cycle and core, between global memory and the core
LANES = 64  # floats per cycle; halves are twice as many, so the vector column is an upper estimate

ROWS = 4096


def cases(rows: int, cols: int) -> dict[str, Case]:
    x = np.zeros((rows, cols), np.float16)
    columns = np.ones(cols, np.float16)
    codes = np.zeros((rows, cols), np.int8)
    packed = np.zeros((rows, cols // 2), np.int8)
    single = np.ones(1, np.float32)
    return {
        "dynamic_quant_asymmetric, int8": dynamic_quant(x),
        "dynamic_quant, int8": dynamic_quant(x, asymmetric=False),
        "dynamic_quant_asymmetric, int4": dynamic_quant(x, int4=True),
        "dynamic_quant_asymmetric, smooth": dynamic_quant(x, columns),
        "quantize, one scale": elementwise("aclquant_quantize", x, single, None, "int8"),
        "ascend_quant, a scale per column": elementwise(
            "aclquant_ascend_quant", x, columns, columns, "int8"
        ),
        "ascend_quant, int4": elementwise("aclquant_ascend_quant", x, columns, columns, "int4"),
        "anti_quant, int8": elementwise("aclquant_anti_quant", codes, single, single, "float16"),
        "anti_quant, int4": elementwise(
            "aclquant_anti_quant:int4", packed, single, single, "float16"
        ),
    }


def table(emulation: Emulation) -> list[str]:
    """Return the rows of the table; `emulation` is that of the Ascend910B1."""
    lines = [
        "| operator, float16 | shape | key | cores | MB moved | bytes per element "
        "| memory, µs | vector, µs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for cols, rows in ((4096, ROWS), (14336, 512), (65536, 1)):
        small = cases(min(rows, CORES), cols)
        for name, case in cases(rows, cols).items():
            if rows != ROWS and not name.startswith("dynamic_quant_asymmetric, int8"):
                continue
            plan = case.plan(emulation)
            moved = emulation.traffic(case.op, case.numbers)
            seconds = moved / plan.blocks / MEMORY_RATE / CLOCK
            # Lanes per element do not depend on the number of rows; fewer rows are run.
            sample = small[name]
            report, _ = sample.run(emulation)
            assert report.check == 0, report
            lanes = report.numbers["elements"] / (min(rows, CORES) * cols)
            vector = lanes * rows * cols / plan.blocks / LANES / CLOCK
            lines.append(
                f"| {name} | {rows} x {cols} | {plan.key} | {plan.blocks} | {moved / 1e6:.1f} | "
                f"{moved / (rows * cols):.2f} | {seconds * 1e6:.1f} | {vector * 1e6:.1f} |"
            )
    return lines


def main() -> None:
    libraries = build(Path(__file__).with_name("wrong_kernels.cpp"))
    print("\n".join(table(Emulation(libraries["Ascend910B1"]))))


if __name__ == "__main__":
    main()
