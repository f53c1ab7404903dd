"""Runs operators on the host device for another process: pickled calls in, pickled results out."""

from __future__ import annotations

import pickle
import sys

import ml_dtypes  # noqa: F401 - arrays of bfloat16

import aclquant as aq


def main() -> None:
    while True:
        try:
            function, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            result = getattr(aq.aclnn, function)(*arguments)
        except aq.AclError as error:
            result = RuntimeError(str(error))
        pickle.dump(result, sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
