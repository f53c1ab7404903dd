"""Activation after another CANN is loaded: argument 1 is a directory to build that CANN in."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import aclquant

other = f"{sys.argv[1]}/libascendcl.so"
build = ["cc", "-shared", "-o", other, "-Wl,-soname,libascendcl.so", "-x", "c"]
subprocess.run([*build, "/dev/null"], check=True)
ctypes.CDLL(other)
try:
    aclquant.activate()
except aclquant.ResourceError as error:
    print(error)
