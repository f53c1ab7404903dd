"""``quantize`` and ``demo``."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .app import notes
from .status import WRONG_USAGE, Complaint

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ..files import NewFile
    from ..quantized_weight import Error
    from .array_files import Source

    Array = npt.NDArray[Any]

__all__ = ["demo", "quantize"]

_CODES = {
    "int8": "int8", "qint8": "int8", "uint8": "uint8", "quint8": "uint8", "int4": "int4",
    "quint4x2": "int4",
}  # fmt: skip
"""Names on the command line, and the codes they mean."""


class _Options(NamedTuple):
    input: str
    output: str
    dtype: str
    axis: int | None
    scale: str
    zero_point: str | None
    symmetric: bool | None
    name: str | None
    input_dtype: str | None
    format: str | None
    force: bool
    plot: Path | None
    as_json: bool


@click.command(
    epilog=notes(
        """
Examples:
  aclquant quantize weights.npy codes.npy --axis 0          a scale for each row
  aclquant quantize model.safetensors q.safetensors --name fc1.weight --axis 0
  aclquant quantize x.npy codes.npz --dtype uint8           scales and zero points in one file
  producer | aclquant quantize - - --format safetensors | consumer
""",
        """
Files:
  OUTPUT.npy          the codes; beside it OUTPUT.scale.npy (float32) and
                      OUTPUT.zero_point.npy (int32)
  OUTPUT.npz, OUTPUT.safetensors
                      codes, scales and zero_points in one file; the latter opens with
                      aclquant.QuantizedWeight.load, int4 packed two in a byte
""",
        """
What the numbers mean:
  value = (code - zero_point) * scale
  int8, uint8         also called qint8, quint8
  int4                one code in each int8; quint4x2: eight in each int32, element k of eight
                      in bits 4k to 4k+3
""",
        """
Exit status:
  0 done, 1 failed, 2 wrong usage, 130 interrupted. Unless it is 0, no file has changed.
""",
    )
)
@click.argument("input")
@click.argument("output")
@click.option(
    "--dtype",
    type=click.Choice(list(_CODES)),
    default="qint8",
    show_default=True,
    help="Type of the codes.",
)
@click.option(
    "--axis",
    type=int,
    help="One scale for each index of this dimension: 0 for each row of a matrix, -1 for each"
    " column. By default one for the whole array.",
)
@click.option(
    "--scale",
    metavar="NUMBER|FILE|auto",
    default="auto",
    show_default=True,
    help="auto: the range of the data just fits.",
)
@click.option(
    "--zero-point",
    metavar="NUMBER|FILE",
    help="With --scale: what is added before rounding; by default 0, for uint8 128.",
)
@click.option(
    "--symmetric/--asymmetric",
    default=None,
    help="Zero point 0 (uint8: 128), or a range from the least to the greatest value. By default"
    " uint8 is asymmetric, the others symmetric.",
)
@click.option("--name", help="Which array, where INPUT holds several.")
@click.option(
    "--input-dtype",
    type=click.Choice(["bfloat16", "float16", "float32", "float64"]),
    help="What INPUT holds, where it cannot say so: bfloat16 in .npy files.",
)
@click.option(
    "--format",
    type=click.Choice(["npy", "npz", "safetensors"]),
    help="Kind of OUTPUT, where its name does not say so. On stdout npz by default.",
)
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="PNG", help="Draw the errors.")
@click.option("--json", "as_json", is_flag=True, help="Report, and errors, as JSON.")
def quantize(**options: Any) -> None:
    """Quantise the array in the file INPUT and write codes, scales and zero points to OUTPUT.

    INPUT is a .npy, .npz or .safetensors file of float16, bfloat16, float32 or float64; - is
    stdin. OUTPUT is one of these, by its suffix; - is stdout. Arrays larger than memory are fine:
    the file is worked on block by block. Files that are there are kept unless --force is given,
    and INPUT is never touched.
    """
    report = _quantize(_Options(**options))
    out = sys.stderr if report["files"]["OUTPUT"] == "-" else sys.stdout
    out.write((json.dumps(report, indent=2) if options["as_json"] else _text(report)) + "\n")


@click.command(
    epilog=notes(
        """
Example:
  aclquant demo && ls aclquant-demo
"""
    )
)
@click.argument("directory", type=click.Path(path_type=Path), default=Path("aclquant-demo"))
def demo(directory: Path) -> None:
    """Make a matrix like the weights of a trained network, and quantise it.

    The files go to DIRECTORY, ./aclquant-demo by default; those of an earlier demo are replaced.
    """
    import numpy as np

    from ..files import NewFile

    directory.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(20)
    # Each output channel has its own spread.
    weights = random.standard_normal((64, 256)) * random.lognormal(-3, 0.6, (64, 1))
    with NewFile(directory / "weights.npy", replace=True) as new:
        np.save(new.file, weights.astype(np.float32))
    command = [str(directory / "weights.npy"), str(directory / "weights_qint8.npy"), "--axis", "0"]
    command.append("--force")
    if _matplotlib_is_there():
        command += ["--plot", str(directory / "weights_qint8.png")]
    click.echo(f"ran        aclquant quantize {shlex.join(command)}")
    quantize.main(command, standalone_mode=False)


def _quantize(options: _Options) -> dict[str, Any]:
    """Check everything, then work, then give the results their names; return the report."""
    from ..files import NewFiles
    from .array_files import Source, kind_of

    plot = options.plot
    if plot is not None and plot.suffix.lower() != ".png":
        raise Complaint(f"--plot: expected a file name ending in .png, got {plot}", WRONG_USAGE)
    if plot is not None and not _matplotlib_is_there():
        raise Complaint("--plot needs matplotlib: pip install 'aclquant[plot]'")
    if options.zero_point is not None and options.scale == "auto":
        raise Complaint("--zero-point goes with --scale NUMBER or FILE", WRONG_USAGE)
    to_stdout = options.output in ("-", "/dev/stdout")
    output = Path(options.output)
    if not to_stdout and output.is_dir():
        raise Complaint(f"OUTPUT: {options.output} is a directory; expected the name of a file")
    kind = kind_of(output, options.format or ("npz" if to_stdout else None), "OUTPUT")
    if kind == "npy" and to_stdout and options.scale == "auto":
        raise Complaint(
            "OUTPUT: .npy on stdout has no place for the scales; use --format npz or safetensors"
        )
    if kind == "safetensors" and options.dtype == "quint4x2":
        raise Complaint("quint4x2 is for .npy and .npz; .safetensors packs int4: --dtype int4")
    with (
        Source(options.input, options.name, options.input_dtype) as source,
        NewFiles(replace=options.force) as files,
    ):
        opened = _open_outputs(options, files, output, kind, to_stdout)
        return _work(options, source, kind, opened)


def _open_outputs(
    options: _Options, files: Any, output: Path, kind: str, to_stdout: bool
) -> dict[str, NewFile]:
    from ..files import same_file

    stem = (
        output.name.removesuffix(output.suffix) if output.suffix.lower() == ".npy" else output.name
    )
    paths = {"OUTPUT": output}
    if kind == "npy" and not to_stdout:
        for part in ("scale", "zero_point"):
            paths[f"OUTPUT.{part}.npy"] = output.with_name(f"{stem}.{part}.npy")
    if options.plot is not None:
        paths["--plot"] = options.plot
    inputs = {"INPUT": options.input, "--scale": options.scale, "--zero-point": options.zero_point}
    read = {n: p for n, p in inputs.items() if p and p not in ("-", "auto") and Path(p).exists()}
    seen: dict[str, Path] = {}
    for argument, path in paths.items():
        if argument == "OUTPUT" and to_stdout:
            continue
        for name, other in read.items():
            if same_file(path, [other]):
                raise Complaint(f"{argument}: {path} is the same file as {name}, {other}")
        for name, earlier in seen.items():
            if same_file(path, [earlier]):
                raise Complaint(f"{argument}: {path} is the same file as {name}")
        seen[argument] = path
    try:
        opened = {n: files.open(path) for n, path in paths.items() if path in seen.values()}
        if to_stdout:
            opened["OUTPUT"] = files.stream(sys.stdout.buffer, "-")
        return opened
    except FileExistsError as error:
        raise Complaint(f"{error.filename} is there already; --force replaces it") from None


def _work(
    options: _Options, source: Source, kind: str, files: dict[str, NewFile]
) -> dict[str, Any]:
    import numpy as np

    from .. import backends
    from ..packing import pack_bytes, pack_int4
    from ..quantized_weight import FORMATS, ErrorSum, QuantizedWeight, encode
    from .array_files import native, writer
    from .progress import progress

    codes_name = _CODES[options.dtype]
    form = FORMATS[codes_name]
    axis = _axis(options.axis, source.shape)
    shape, dtype = source.shape, form.numpy
    if options.dtype == "quint4x2":
        if not shape or shape[-1] % 8:
            raise Complaint(
                f"quint4x2: the last dimension has to be a multiple of 8, got {shape};"
                " --dtype int4 takes any"
            )
        shape, dtype = (*shape[:-1], shape[-1] // 8), np.dtype(np.int32)
    packs = kind == "safetensors" and form.bits == 4
    if packs:
        shape, dtype = ((int(np.prod(shape, dtype=np.int64)) + 1) // 2,), np.dtype(np.uint8)
    if source.fortran and (kind != "npy" or options.dtype == "quint4x2"):
        source.to_c_order()
    inner = len(source.shape) - 1 - axis if source.fortran and axis is not None else axis

    passes = 2 if options.scale == "auto" else 1
    with progress("quantising", source.nbytes * passes) as advance:
        scales, points, limits = _parameters(options, source, axis, inner, advance)
        weight = QuantizedWeight(
            np.broadcast_to(np.int8(0), source.shape), scales, points, axis, None, codes_name
        )
        target = writer(
            kind,
            files["OUTPUT"].file,
            dtype,
            shape,
            fortran=source.fortran,
            small={"scales": scales, "zero_points": points},
            metadata=weight.metadata(),
        )
        error = ErrorSum()
        charts = _Charts(limits, scales, form.low, form.high) if options.plot else None
        try:
            for start, block in source.blocks():
                part = slice(start, start + len(block)) if inner == 0 and scales.size > 1 else ...
                s, z = scales[part], points[part]
                codes = encode(block, s, z, codes_name, inner)
                wide = [1] * block.ndim
                if inner is not None and s.size > 1:
                    wide[inner] = s.size
                absolute = error.add(block, codes, s.reshape(wide), z.reshape(wide), codes_name)
                if charts:
                    charts.add(block, codes, absolute)
                if packs:
                    target.write(pack_bytes(codes))
                else:
                    target.write(pack_int4(codes) if options.dtype == "quint4x2" else codes)
                advance(block.size * source.dtype.itemsize)
            target.close()
        except BaseException:
            target.abandon()
            raise
    for part_name, array in (("scale", scales), ("zero_point", points)):
        if f"OUTPUT.{part_name}.npy" in files:
            np.save(files[f"OUTPUT.{part_name}.npy"].file, array)
    if charts:
        charts.draw(files["--plot"].file, source.dtype.name, options.dtype)
    active = backends.backend()
    saved = {name: str(new.path) for name, new in files.items()}
    return {
        "device": {"soc": active.soc, "backend": active.name},
        "input": {
            "dtype": native(source.dtype).name,
            "shape": list(source.shape),
            "nbytes": source.nbytes,
        },
        "output": {
            "dtype": options.dtype,
            "shape": list(weight.shape if packs else shape),
            "nbytes": int(np.prod(shape, dtype=np.int64)) * dtype.itemsize,
        },
        "scale": {"min": float(scales.min()), "max": float(scales.max()), "count": scales.size},
        "zero_point": {"min": int(points.min()), "max": int(points.max())},
        "error": _numbers(error.result()),
        "files": saved,
    }


def _numbers(error: Error) -> dict[str, float | None]:
    """Return the error for JSON, which has no infinity: null stands for an exact result."""
    import math

    return {n: v if math.isfinite(v) else None for n, v in error._asdict().items()}


def _text(report: dict[str, Any]) -> str:
    given, made, scale, zero = (report[n] for n in ("input", "output", "scale", "zero_point"))
    error, files = report["error"], report["files"]
    ratio = "exact" if error["snr_db"] is None else f"{error['snr_db']:.2f} dB"
    lines = {
        "device": f"{report['device']['soc']} ({report['device']['backend']})",
        "input": f"{given['dtype']} {tuple(given['shape'])}, {given['nbytes']} bytes",
        "output": f"{made['dtype']} {tuple(made['shape'])}, {made['nbytes']} bytes"
        f" ({made['nbytes'] / given['nbytes']:.3g} of the input)",
        "scale": f"{scale['min']:.6g} to {scale['max']:.6g} ({scale['count']})",
        "zero point": f"{zero['min']}"
        + (f" to {zero['max']}" if zero["max"] != zero["min"] else ""),
        "error": f"max {error['max_abs']:.6g}, mean {error['mean_abs']:.6g}",
        "SNR": ratio,
        "saved": files["OUTPUT"],
    }
    if error["saturated"]:
        lines["saturated"] = f"{error['saturated']:.3%} of the elements"
    if "OUTPUT.scale.npy" in files:
        lines["scales"] = files["OUTPUT.scale.npy"]
        lines["zeros"] = files["OUTPUT.zero_point.npy"]
    if "--plot" in files:
        lines["plotted"] = files["--plot"]
    return "\n".join(f"{name:10} {value}" for name, value in lines.items())


def _axis(wish: int | None, shape: tuple[int, ...]) -> int | None:
    if wish is None:
        return None
    if not -len(shape) <= wish < len(shape):
        allowed = f"{-len(shape)} to {len(shape) - 1}" if shape else "none"
        raise Complaint(f"--axis: got {wish}, expected {allowed} for the shape {shape}")
    return wish % len(shape)


def _parameters(
    options: _Options, source: Source, axis: int | None, inner: int | None, advance: Any
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32], tuple[float, float]]:
    """Return scales and zero points, and the range of all data (for a chart)."""
    import numpy as np

    from ..quantized_weight import extremes, scales_for

    name = _CODES[options.dtype]
    symmetric = name != "uint8" if options.symmetric is None else options.symmetric
    automatic = options.scale == "auto"
    if automatic or options.plot is not None:
        low, high = _range(source, inner, advance if automatic else lambda _: None, extremes)
        limits = float(low.min()), float(high.max())
    else:
        limits = 0.0, 0.0
    if automatic:
        scales, points = scales_for(low, high, name, symmetric=symmetric)
        return scales, points, limits
    scales = _given(options.scale, "--scale", np.float32)
    if not (np.isfinite(scales) & (scales > 0)).all():
        raise Complaint(f"--scale: expected finite float32 numbers above 0, got {options.scale}")
    expected = source.shape[axis] if axis is not None else 1
    if scales.size not in (1, expected):
        along = f"1 or {expected} for --axis {options.axis}" if axis is not None else "1"
        hint = "" if axis is not None else "; --axis says which dimension more would run along"
        raise Complaint(f"--scale: {options.scale} holds {scales.size}, expected {along}{hint}")
    if options.zero_point is None:
        return scales, np.full(scales.shape, 128 if name == "uint8" else 0, np.int32), limits
    points = _given(options.zero_point, "--zero-point", np.int32)
    if points.size not in (1, scales.size):
        raise Complaint(f"--zero-point: got {points.size}, expected 1 or {scales.size}, as --scale")
    return scales, np.broadcast_to(points, scales.shape).copy(), limits


def _range(source: Source, inner: int | None, advance: Any, extremes: Any) -> tuple[Array, Array]:
    import numpy as np

    lows, highs = [], []
    for start, block in source.blocks():
        low, high = extremes(block, inner)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise Complaint(_not_finite(source, start, block))
        lows.append(low)
        highs.append(high)
        advance(block.size * source.dtype.itemsize)
    if inner == 0:
        return np.concatenate(lows), np.concatenate(highs)
    return np.min(lows, axis=0), np.max(highs, axis=0)


def _not_finite(source: Source, start: int, block: Array) -> str:
    import numpy as np

    place = np.argwhere(~np.isfinite(block.astype(np.float32)))[0]
    value = float(block[tuple(place)])
    place = [int(n) for n in place]
    if place:
        place[0] += start
    if source.fortran:
        place.reverse()
    return f"{source.label}: expected finite values, got {value} at {tuple(place)}"


def _given(wish: str, argument: str, dtype: Any) -> Array:
    """Return numbers from the command line or a file, 1-D."""
    import numpy as np

    from .array_files import Source

    integers = np.dtype(dtype).kind == "i"
    kind = "an integer" if integers else "a number"
    try:
        values: Array = np.array([int(wish) if integers else float(wish)])
    except ValueError:
        if not Path(wish).exists():
            allowed = f"{kind}, a file" + ("" if integers else " or auto")
            raise Complaint(f"{argument}: expected {allowed}, got {wish!r}") from None
        if integers:
            try:
                values = np.load(wish, allow_pickle=False)
            except (ValueError, EOFError):
                raise Complaint(f"{argument}: {wish}: expected a .npy file of integers") from None
            if not isinstance(values, np.ndarray) or values.dtype.kind not in "iu":
                raise Complaint(f"{argument}: {wish}: expected a .npy file of integers") from None
        else:
            with Source(wish, None, None) as source:
                values = np.concatenate([np.atleast_1d(block) for _, block in source.blocks()])
    if integers and not (values.min() >= -(2**31) and values.max() < 2**31):
        raise Complaint(f"{argument}: expected int32, got {wish}")
    with np.errstate(over="ignore"):
        return values.reshape(-1).astype(dtype)


def _matplotlib_is_there() -> bool:
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


class _Charts:
    """Histograms of values, codes and errors, from blocks."""

    _BINS = 101

    def __init__(self, limits: tuple[float, float], scales: Array, low: int, high: int) -> None:
        import numpy as np

        self.edges = np.linspace(*limits, self._BINS + 1) if limits[0] < limits[1] else None
        self.values = np.zeros(self._BINS, np.int64)
        self.low, self.high = low, high
        self.codes = np.zeros(high - low + 1, np.int64)
        self.error_edges = np.linspace(0, float(scales.max()) / 2, self._BINS + 1)
        self.errors = np.zeros(self._BINS, np.int64)

    def add(self, block: Array, codes: Array, errors: Array) -> None:
        import numpy as np

        values = block.astype(np.float64)
        if self.edges is not None:
            self.values += np.histogram(values, self.edges)[0]
        shifted = codes.astype(np.int32).reshape(-1) - self.low
        self.codes += np.bincount(shifted, minlength=self.codes.size)
        # Clipped values have larger errors; they go into the last bin.
        inside = np.minimum(errors, self.error_edges[-1])
        self.errors += np.histogram(inside, self.error_edges)[0]

    def draw(self, file: Any, input_dtype: str, dtype: str) -> None:
        import numpy as np
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10, 3.2), layout="constrained")
        FigureCanvasAgg(figure)
        left, middle, right = figure.subplots(1, 3)
        if self.edges is not None:
            left.stairs(self.values, self.edges, fill=True, color="#4878a8")
        left.set(title=f"input ({input_dtype})", xlabel="value", ylabel="elements")
        edges = np.arange(self.low, self.high + 2) - 0.5
        middle.stairs(self.codes, edges, fill=True, color="#6a994e")
        middle.set(title=f"quantised ({dtype})", xlabel="code")
        right.stairs(self.errors, self.error_edges, fill=True, color="#bc4749")
        right.set(title="absolute error", xlabel="error")
        figure.savefig(file, dpi=120, format="png")
