"""What the tracer costs per call: a C program in a loop, without it and in each of its modes.

Run: python benchmarks/trace_overhead.py
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from aclquant.debug.processes import environment
from aclquant.stand_in import environment as plain


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        flags = [
            part
            for word in ("cflags", "libs")
            for part in shlex.split(
                subprocess.check_output([sys.executable, "-m", "aclquant", word], text=True)
            )
        ]
        source = Path(__file__).with_suffix(".c")
        program = folder / "loop"
        subprocess.run(["cc", "-O2", str(source), *flags, "-o", str(program)], check=True)

        def measure(variables: dict[str, str], calls: int = 400_000) -> float:
            return float(subprocess.check_output([program, str(calls)], env=variables, text=True))

        def traced(**settings: str) -> float:
            return measure(environment(settings), 100_000)

        base = measure(plain())
        output = {
            "without the tracer": base,
            "preloaded, filtered out": traced(
                ACLQUANT_TRACE="/dev/null", ACLQUANT_TRACE_FILTER="^no$"
            )
            - base,
            "written as text": traced(ACLQUANT_TRACE=f"{folder}/t.txt") - base,
            "written as JSON lines": traced(ACLQUANT_TRACE=f"{folder}/t.jsonl") - base,
        }
        for what, ns in output.items():
            print(f"{what:26} {ns:8.1f} ns per call")
    return 0


if __name__ == "__main__":
    sys.exit(main())
