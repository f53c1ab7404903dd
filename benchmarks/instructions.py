"""Instructions of one small call: a figure with little noise, to notice that a call became dearer.

    python benchmarks/instructions.py [--json]

Counts with ``valgrind --tool=callgrind``, which has to be installed: two runs that differ only in
the number of calls, so that start and end cancel out. Threads that serve a stream are included.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

SETUP = """
import sys, numpy as np, aclquant as aq
x = np.ones((4, 8), np.float32)
s = np.ones(8, np.float32)
y = np.empty((4, 8), np.int8)
h = x.astype(np.float16)
q = np.ones((4, 8), np.int8)
for _ in range(int(sys.argv[1])):
    {call}
"""
CALLS = {
    "quantize": "aq.quantize(x, s)",
    "quantize, out=": "aq.quantize(x, s, out=y)",
    "anti_quant": "aq.anti_quant(q, s)",
    "dynamic_quant_asymmetric": "aq.dynamic_quant_asymmetric(h)",
    "trans_quant_param": "aq.trans_quant_param(s)",
}
# The instructions of the start vary; with this number of calls that is less than 1 %.
FEW, MANY = 100, 20_100


def instructions(code: str, calls: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        # Hashes of strings would change the count from run to run.
        environment = os.environ | {"PYTHONHASHSEED": "0", "ACLQUANT_HOST_ISA": "scalar"}
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out"]
        done = subprocess.run(
            [*command, sys.executable, "-c", code, str(calls)],
            capture_output=True,
            text=True,
            env=environment,
            cwd=folder,
        )
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        sys.exit(done.stderr[-2000:])
    return int(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed")
    counts = {}
    for name, call in CALLS.items():
        code = SETUP.format(call=call)
        counts[name] = (instructions(code, MANY) - instructions(code, FEW)) // (MANY - FEW)
        if not options.json:
            print(f"{name}: {counts[name]} instructions", flush=True)
    if options.json:
        print(json.dumps(counts))


if __name__ == "__main__":
    main()
