"""``quantize`` and ``demo``."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from .. import backends
from ..dtypes import as_dtype
from ..ops import quantize as quantize_array
from ..packing import unpack_int4
from .status import Complaint

__all__ = ["demo", "quantize"]

_RANGES = {"qint8": (-128, 127), "quint8": (0, 255), "quint4x2": (-8, 7)}


@click.command()
@click.argument("input", type=click.Path(path_type=Path), metavar="INPUT.npy")
@click.argument("output", type=click.Path(path_type=Path), metavar="OUTPUT.npy")
@click.option("--dtype", type=click.Choice(sorted(_RANGES)), default="qint8", show_default=True)
@click.option(
    "--axis", type=int, help="One scale for each index of this axis (default: one in all)."
)
@click.option(
    "--scale",
    default="auto",
    show_default=True,
    help="A number, a .npy file, or auto: the largest magnitude fits.",
)
@click.option(
    "--plot", type=click.Path(path_type=Path), metavar="PNG", help="Draw values and errors."
)
def quantize(**options: Any) -> None:
    """Quantise an array in a .npy file."""
    _quantize(SimpleNamespace(**options))


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), default=Path("aclquant-demo"))
def demo(directory: Path) -> None:
    """Make a small array and quantise it."""
    directory.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(20)
    # Weights as trained networks have them: each output channel has its own spread.
    weights = random.standard_normal((64, 256)) * random.lognormal(-3, 0.6, (64, 1))
    np.save(directory / "weights.npy", weights.astype(np.float32))
    command = [str(directory / "weights.npy"), str(directory / "weights_qint8.npy"), "--axis", "0"]
    if _matplotlib_is_there():
        command += ["--plot", str(directory / "weights_qint8.png")]
    print(f"$ aclquant quantize {' '.join(command)}")
    quantize.main(command, standalone_mode=False)


def _quantize(options: SimpleNamespace) -> None:
    if options.plot is not None and options.plot.suffix != ".png":
        raise Complaint(f"--plot: expected a file name ending in .png, got {options.plot}")
    if options.plot is not None and not _matplotlib_is_there():
        raise Complaint("--plot needs matplotlib: pip install 'aclquant[plot]'")
    if options.input.resolve() == options.output.resolve():
        raise Complaint("the output would overwrite the input")
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
        result = values = quantize_array(x, scales, points, options.dtype, axis or 0)
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
        raise Complaint("quint4x2 takes --axis -1 or -2 only")
    where = -1 if axis is None else axis - x.ndim
    return np.asarray(
        quantize_array(x, (1 / scales).astype(x.dtype), None, as_dtype("quint4x2"), where, False)
    )


def _axis(wish: int | None, x: npt.NDArray[Any]) -> int | None:
    if wish is None:
        return None
    if not -x.ndim <= wish < x.ndim:
        raise Complaint(f"--axis: got {wish}, expected {-x.ndim} to {x.ndim - 1} for {x.shape}")
    return wish % x.ndim


def _load(path: Path) -> npt.NDArray[Any]:
    try:
        x = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise Complaint(f"{path}: {error}") from error
    if not isinstance(x, np.ndarray):
        raise Complaint(f"{path}: expected one array (.npy), got an archive of several")
    kind = x.dtype.newbyteorder("=")
    if kind not in (np.float64, np.float32, np.float16):
        raise Complaint(f"{path}: expected float16, float32 or float64, got {x.dtype}")
    if x.size == 0 or not np.isfinite(x).all():
        raise Complaint(f"{path}: expected finite values, got {x.shape} with none or others")
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
        raise Complaint(f"--scale: expected a number, a .npy file or auto, got {wish!r}") from None
    if not (np.isfinite(scales) & (scales > 0)).all():
        raise Complaint(f"--scale: expected finite numbers above 0, got {wish}")
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
