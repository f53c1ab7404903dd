"""The command line: ``aclquant info | run | quantize | demo``, and what C programs ask for."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import __version__, backends, errors
from ._ffi.locate import bundled
from .dtypes import as_dtype
from .ops import quantize
from .packing import unpack_int4
from .stand_in import environment

__all__ = ["main"]

_LIBRARIES = bundled("_lib")
_INCLUDE = bundled("include")
_DIRECTORIES = {
    "includedir": (_INCLUDE, "of the C headers"),
    "libdir": (_LIBRARIES, "to link C programs with"),
    "pkgconfigdir": (_LIBRARIES / "pkgconfig", "for PKG_CONFIG_PATH"),
    "cmakedir": (_LIBRARIES / "cmake" / "aclquant", "for CMake's -Daclquant_DIR"),
}
_RANGES = {"qint8": (-128, 127), "quint8": (0, 255), "quint4x2": (-8, 7)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0, or 1 after an error said on stderr."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (errors.AclError, OSError, _Complaint) as error:
        sys.stderr.write(f"aclquant: {error}\n")
        return 1
    return 0


class _Complaint(Exception):
    """A wish that cannot be met, in the user's words."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aclquant", description="CANN's quantisation operators on NumPy arrays"
    )
    parser.add_argument("--version", action="version", version=f"aclquant {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    for name, (path, purpose) in _DIRECTORIES.items():
        command = commands.add_parser(name, help=f"print the directory {purpose}")
        command.set_defaults(run=lambda _, path=path: print(path))
    command = commands.add_parser("cflags", help="print the compiler's options for C programs")
    command.set_defaults(run=lambda _: print(shlex.quote(f"-I{_INCLUDE}")))
    command = commands.add_parser("libs", help="print the linker's options for C programs")
    command.add_argument("--rpath", action="store_true", help="let the program find them itself")
    command.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="libraries instead of ascendcl nnopbase opapi, such as acl_rt nnopbase opapi_nn",
    )
    command.set_defaults(run=_libs)

    command = commands.add_parser("info", help="print the backend, its libraries and devices")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(run=_info)

    command = commands.add_parser("run", help="run a program for CANN on the host device")
    command.add_argument("command", nargs=argparse.REMAINDER, metavar="-- PROGRAM ...")
    command.set_defaults(run=_run)

    command = commands.add_parser("quantize", help="quantise an array in a .npy file")
    command.add_argument("input", type=Path, metavar="INPUT.npy")
    command.add_argument("output", type=Path, metavar="OUTPUT.npy")
    _add_quantize_options(command)
    command.set_defaults(run=_quantize)

    command = commands.add_parser("demo", help="make a small array and quantise it")
    command.add_argument("directory", type=Path, nargs="?", default=Path("aclquant-demo"))
    command.set_defaults(run=_demo)
    return parser


def _add_quantize_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--dtype", choices=sorted(_RANGES), default="qint8", help="default: qint8")
    command.add_argument(
        "--axis", type=int, help="one scale for each index of this axis (default: one in all)"
    )
    command.add_argument(
        "--scale",
        default="auto",
        help="a number, a .npy file, or auto: the largest magnitude fits (the default)",
    )
    command.add_argument("--plot", type=Path, metavar="PNG", help="draw values and errors")


def _libs(options: argparse.Namespace) -> None:
    names: list[str] = options.names or ["ascendcl", "nnopbase", "opapi"]
    for name in names:
        if not (_LIBRARIES / f"lib{name}.so").exists():
            raise _Complaint(f"libs: there is no lib{name}.so in {_LIBRARIES}")
    flags = [f"-L{_LIBRARIES}"] + [f"-Wl,-rpath,{_LIBRARIES}"] * options.rpath
    # Each is kept, even if the linker drops unused ones by default: the program may run on a card.
    kept = ["-Wl,--push-state,--no-as-needed", *(f"-l{name}" for name in names), "-Wl,--pop-state"]
    print(shlex.join(flags + kept))


def _info(options: argparse.Namespace) -> None:
    active = backends.backend()
    print(json.dumps(active.describe(), indent=2) if options.json else active)


def _run(options: argparse.Namespace) -> None:
    command: list[str] = options.command
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        raise _Complaint("run: expected a program, such as: aclquant run -- python script.py")
    if shutil.which(command[0]) is None:
        raise _Complaint(f"run: no such program: {command[0]}")
    sys.stdout.flush()
    os.execvpe(command[0], command, environment())


def _demo(options: argparse.Namespace) -> None:
    folder: Path = options.directory
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(20)
    # Weights as trained networks have them: each output channel has its own spread.
    weights = random.standard_normal((64, 256)) * random.lognormal(-3, 0.6, (64, 1))
    np.save(folder / "weights.npy", weights.astype(np.float32))
    command = [str(folder / "weights.npy"), str(folder / "weights_qint8.npy"), "--axis", "0"]
    if _matplotlib_is_there():
        command += ["--plot", str(folder / "weights_qint8.png")]
    print(f"$ aclquant quantize {' '.join(command)}")
    _quantize(_parser().parse_args(["quantize", *command]))


def _quantize(options: argparse.Namespace) -> None:
    if options.plot is not None and options.plot.suffix != ".png":
        raise _Complaint(f"--plot: expected a file name ending in .png, got {options.plot}")
    if options.plot is not None and not _matplotlib_is_there():
        raise _Complaint("--plot needs matplotlib: pip install 'aclquant[plot]'")
    if options.input.resolve() == options.output.resolve():
        raise _Complaint("the output would overwrite the input")
    x = _load(options.input)
    low, high = _RANGES[options.dtype]
    axis = _axis(options.axis, x)
    scales = _scales(options.scale, x, axis, low, high)
    zero_point = 128 if options.dtype == "quint8" else 0
    if options.dtype == "quint4x2":
        result = _quantize_int4(x, scales, axis)
        values: npt.NDArray[Any] = unpack_int4(result)
    else:
        points = np.full(scales.shape, zero_point, np.int32)
        result = values = quantize(x, scales, points, options.dtype, axis or 0)
    output = options.output.with_name(options.output.name.removesuffix(".npy") + ".npy")
    np.save(output, result)
    scale_file = output.with_suffix(".scale.npy")
    np.save(scale_file, scales)

    shape = [1] * x.ndim
    if axis is not None and scales.size > 1:
        shape[axis] = scales.size
    back = (values.astype(np.float32) - zero_point) * scales.reshape(shape)
    error = np.abs(back - x.astype(np.float32))
    print(f"device     {backends.backend().soc} ({backends.backend().name})")
    print(f"input      {x.dtype.name} {x.shape}, {x.nbytes} bytes")
    print(
        f"output     {options.dtype} {result.shape}, {result.nbytes} bytes"
        f" ({result.nbytes / x.nbytes:.3g} of the input)"
    )
    print(f"scale      {scales.min():.6g} to {scales.max():.6g} ({scales.size})")
    print(f"error      max {error.max():.6g}, mean {error.mean():.6g}")
    print(f"SNR        {_snr(x, error):.2f} dB")
    print(f"saved      {output}")
    print(f"scales     {scale_file}")
    if options.plot is not None:
        _plot(options.plot, x, values, error, options.dtype)
        print(f"plotted    {options.plot}")


def _quantize_int4(
    x: npt.NDArray[Any], scales: npt.NDArray[np.float32], axis: int | None
) -> npt.NDArray[Any]:
    if scales.size > 1 and axis not in (x.ndim - 1, x.ndim - 2):
        raise _Complaint("quint4x2 takes --axis -1 or -2 only")
    where = -1 if axis is None else axis - x.ndim
    return np.asarray(
        quantize(x, (1 / scales).astype(x.dtype), None, as_dtype("quint4x2"), where, False)
    )


def _axis(wish: int | None, x: npt.NDArray[Any]) -> int | None:
    if wish is None:
        return None
    if not -x.ndim <= wish < x.ndim:
        raise _Complaint(f"--axis: got {wish}, expected {-x.ndim} to {x.ndim - 1} for {x.shape}")
    return wish % x.ndim


def _load(path: Path) -> npt.NDArray[Any]:
    try:
        x = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise _Complaint(f"{path}: {error}") from error
    if not isinstance(x, np.ndarray):
        raise _Complaint(f"{path}: expected one array (.npy), got an archive of several")
    kind = x.dtype.newbyteorder("=")
    if kind not in (np.float64, np.float32, np.float16):
        raise _Complaint(f"{path}: expected float16, float32 or float64, got {x.dtype}")
    if x.size == 0 or not np.isfinite(x).all():
        raise _Complaint(f"{path}: expected finite values, got {x.shape} with none or others")
    return x.astype(np.float32 if kind == np.float64 else kind)


def _scales(
    wish: str, x: npt.NDArray[Any], axis: int | None, low: int, high: int
) -> npt.NDArray[np.float32]:
    if wish == "auto":
        others = None if axis is None else tuple(n for n in range(x.ndim) if n != axis)
        largest = np.max(np.abs(x.astype(np.float32)), axis=others).reshape(-1)
        steps = np.float32((high - low) // 2)
        return np.asarray(np.where(largest > 0, largest / steps, 1), np.float32)
    try:
        scales = (
            _load(Path(wish)).astype(np.float32).reshape(-1)
            if wish.endswith(".npy")
            else np.array([float(wish)], np.float32)
        )
    except ValueError:
        raise _Complaint(f"--scale: expected a number, a .npy file or auto, got {wish!r}") from None
    if not (np.isfinite(scales) & (scales > 0)).all():
        raise _Complaint(f"--scale: expected finite numbers above 0, got {wish}")
    return scales


def _snr(x: npt.NDArray[Any], error: npt.NDArray[Any]) -> float:
    noise = float(np.sum(np.square(error, dtype=np.float64)))
    signal = float(np.sum(np.square(x, dtype=np.float64)))
    return 10 * float(np.log10(signal / noise)) if noise and signal else float("inf")


def _matplotlib_is_there() -> bool:
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def _plot(
    path: Path,
    x: npt.NDArray[Any],
    values: npt.NDArray[Any],
    error: npt.NDArray[Any],
    dtype: str,
) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, middle, right = figure.subplots(1, 3)
    low, high = _RANGES[dtype]
    left.hist(x.astype(np.float32).ravel(), bins=101, color="#4878a8")
    left.set(title=f"input ({x.dtype.name})", xlabel="value", ylabel="elements")
    bins = np.arange(low, high + 2) - 0.5
    middle.hist(values.ravel(), bins=bins.tolist(), color="#6a994e")
    middle.set(title=f"quantised ({dtype})", xlabel="code")
    right.hist(error.ravel(), bins=101, color="#bc4749")
    right.set(title="absolute error", xlabel="error")
    figure.savefig(path, dpi=120)
