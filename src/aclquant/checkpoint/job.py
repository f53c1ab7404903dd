"""Quantising a checkpoint: the plan, its parts, and how a run that was killed is continued.

The plan follows from the headers of the input alone: which tensors there will be, and in which
output file. An output file is a part: it is written without a name, gets its name when all its
bytes are on the disk, and is then recorded. A run that was killed leaves finished parts and nothing
else; the next one writes those that are missing. Parts do not depend on each other, so they can be
written by several processes or machines that share the disk; the bytes are the same.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, as_completed
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import __version__, errors
from ..files import NewFile, write_all
from ..safetensors import File, Layout
from .fused import fused_groups
from .schemes import SCHEMES, Layer, Tensors, find_layers, outputs, write_layer
from .source import Model

__all__ = ["DESCRIPTION", "FORMATS", "MANIFEST", "STATE", "Summary", "quantize"]

FORMATS = ("ascendv1", "compressed-tensors")
DESCRIPTION = "quant_model_description.json"
MANIFEST = "aclquant_manifest.json"
STATE = ".aclquant"
_COPIED = ("*.json", "*.py", "*.txt", "*.jinja", "*.model", "*.tiktoken")
_CHUNK = 1 << 24
_NAMES = {"ascendv1": "quant_model_weights", "compressed-tensors": "model"}

Progress = Callable[[int], None]


class Summary(NamedTuple):
    """What `quantize` has done."""

    folder: Path
    layers: int
    """Layers that are quantised."""
    kept: int
    """Tensors that are as they were."""
    parts: int
    """Weight files."""
    continued: int
    """Weight files that an earlier run had finished."""
    read_bytes: int
    written_bytes: int
    """Bytes of tensors, of the whole checkpoint."""
    seconds: float


class _Unit(NamedTuple):
    """What is written together: a layer, or a tensor that is kept."""

    name: str
    layer: Layer | None
    made: Tensors
    read: int

    @property
    def size(self) -> int:
        return sum(dtype.itemsize * int(np.prod(shape)) for dtype, shape in self.made.values())


class _Part(NamedTuple):
    """One weight file, with all a worker needs to write it."""

    source: str
    folder: str
    file: str
    scheme: str
    format: str
    group: int
    units: tuple[_Unit, ...]
    places: dict[str, str]
    limits: dict[str, tuple[float, float]]

    @property
    def size(self) -> int:
        return sum(unit.size for unit in self.units)


def quantize(
    src: str | Path,
    dst: str | Path,
    scheme: str,
    *,
    format: str | None = None,
    include: list[str] | None = None,
    exclude: list[str] | None = None,
    calibration: str | Path | None = None,
    group_size: int | None = None,
    part_size: int = 1 << 30,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Summary:
    """Quantise a checkpoint into a folder that vllm-ascend and SGLang load.

    Call it again after it was interrupted, and it continues; the result is the same, byte for byte.

    Parameters
    ----------
    src : str or Path
        A Hugging Face folder with .safetensors files (float32, float16 or bfloat16), or one such
        file. It is only read.
    dst : str or Path
        A new or empty folder, or that of an earlier run with the same arguments.
    scheme : str
        "w8a8-dynamic", "w8a8", "w8a16", "w4a8-dynamic" or "w4a16".
    format : str, optional
        "ascendv1" or "compressed-tensors". By default ascendv1, and compressed-tensors for w4a16,
        which ascendv1 does not have.
    include, exclude : list of str, optional
        Regular expressions, searched in names of weights: what to quantise beside the usual, and
        what not. The usual: matrices named ``*.weight``, without embeddings, ``lm_head``, and
        routers of experts.
    calibration : str or Path, optional
        Ranges of each layer's input, for w8a8: a .json file ``{"module": [min, max]}``, or a
        .safetensors or .npz file with inputs that were recorded, one array for each module.
    group_size : int, optional
        Elements of a row that share a scale; 0 for whole rows. 128 for w4a16, otherwise 0.
    part_size : int, optional
        Most bytes of a weight file; a larger layer has a file for itself.
    executor : concurrent.futures.Executor, optional
        Runs the parts: a process pool, or ``dask.distributed.Client(...).get_executor()``. Workers
        need the same paths. By default this thread does the work.
    progress : callable, optional
        Called with the number of bytes read since the last call.

    Returns
    -------
    Summary
        Counts, bytes and seconds.

    Raises
    ------
    ParameterError
        When an argument or a tensor does not fit; the text names it.
    FileExistsError
        When `dst` holds something else.
    OSError
        When the disk has too little space, before anything is written.

    Notes
    -----
    Memory does not depend on the size of the model: weights are worked on in blocks of rows. The
    formulas and file formats are on the page "Checkpoints" of the documentation.

    Examples
    --------
    >>> import numpy as np, tempfile, aclquant as aq
    >>> from safetensors.numpy import save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = f"{folder}/model.safetensors"
    ...     save_file({"fc.weight": np.ones((4, 8), np.float32)}, model)
    ...     done = aq.checkpoint.quantize(model, f"{folder}/q", "w8a8-dynamic")
    ...     done.layers, aq.checkpoint.open(f"{folder}/q")["fc.weight"].shape
    (1, (4, 8))
    """
    began = time.monotonic()
    source, folder = Path(src), Path(dst)
    _apart(source, folder)
    model = Model(source)
    format = format or ("compressed-tensors" if scheme == "w4a16" else "ascendv1")
    group = (128 if scheme == "w4a16" else 0) if group_size is None else group_size
    _check_choice(model, scheme, format, group)
    layers = find_layers(model, include or [], exclude or [])
    _check_layers(model, layers)
    limits = _limits(calibration, scheme, layers)
    parts = _plan(model, folder, layers, scheme, format, group, limits, part_size)
    plan = _fingerprint(model, parts)
    tell = progress or (lambda _: None)

    finished = _finished(folder, plan)
    kept = len(model.tensors) - len(layers) - sum(1 for layer in layers if layer.bias)
    read, size = sum(u.read for p in parts for u in p.units), sum(p.size for p in parts)
    if finished:
        tell(read)
        seconds = time.monotonic() - began
        return Summary(folder, len(layers), kept, len(parts), len(parts), read, size, seconds)
    with _state(folder, plan) as state:
        todo = [part for part in parts if not _is_done(state, part)]
        _ask_for_space(folder, sum(part.size for part in todo))
        todo_read = sum(u.read for p in todo for u in p.units)
        tell(read - todo_read)
        if executor is None:
            for part in todo:
                _write_part(part, tell)
        else:
            _share(executor, todo, tell)
        _finish(model, folder, state, parts, layers, scheme, format, group, plan)
    seconds = time.monotonic() - began
    done = len(parts) - len(todo)
    return Summary(folder, len(layers), kept, len(parts), done, read, size, seconds)


def total_bytes(src: str | Path) -> int:
    """Return how many bytes `quantize` will read, for a progress bar."""
    return sum(place.entry.nbytes for place in Model(src).tensors.values())


def _apart(source: Path, folder: Path) -> None:
    try:
        a, b = source.resolve(), folder.resolve()
    except RuntimeError:  # a loop of symbolic links, before Python 3.13
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(folder)) from None
    if a == b or b in a.parents or a in b.parents:
        raise errors.ParameterError(
            f"DST, {folder}, and SRC, {source}, have to be apart: neither may lie in the other"
        )


def _check_choice(model: Model, scheme: str, format: str, group: int) -> None:
    if scheme not in SCHEMES:
        raise errors.ParameterError(
            function="aclquant.checkpoint.quantize",
            argument="scheme", got=repr(scheme), allowed=", ".join(SCHEMES),
        )  # fmt: skip
    if format not in FORMATS:
        raise errors.ParameterError(
            function="aclquant.checkpoint.quantize",
            argument="format", got=repr(format), allowed=" or ".join(FORMATS),
        )  # fmt: skip
    about = SCHEMES[scheme]
    if format == "ascendv1" and not about.ascendv1:
        raise errors.ParameterError(f"ascendv1 has no {scheme}; use the format compressed-tensors")
    if format == "compressed-tensors" and not about.compressed:
        raise errors.ParameterError(
            f"vllm-ascend does not load {scheme} from compressed-tensors; use the format ascendv1"
        )
    if group < 0 or (group and about.activations == "tensor"):
        raise errors.ParameterError(f"{scheme} has no groups; got the group size {group}")
    if group and scheme == "w4a8-dynamic":
        raise errors.ParameterError("w4a8-dynamic has a scale for each row; the group size is 0")
    if scheme == "w4a16" and (group < 32 or group % 32):
        raise errors.ParameterError(
            f"w4a16 takes group sizes that are multiples of 32; got {group}"
        )
    if "quantization_config" in model.config:
        raise errors.ParameterError(f"{model.path} is quantised already, as its config.json says")
    if model.repeated:
        name, one, two = model.repeated[0]
        raise errors.ParameterError(f"the tensor {name} is in {one} and in {two}")
    if model.index is not None:
        absent = sorted(set(model.index) - set(model.tensors))
        if absent:
            raise errors.ParameterError(
                f"the index names {len(absent)} tensors that no file has, such as {absent[0]}"
            )


def _check_layers(model: Model, layers: list[Layer]) -> None:
    if not layers:
        raise errors.ParameterError(
            "there is no weight to quantise; --include chooses some by name, such as "
            f"'{next(iter(model.tensors), '')}'"
        )
    chosen = {layer.prefix for layer in layers}
    prefixes = [n.removesuffix(".weight") for n in model.tensors if n.endswith(".weight")]
    for whole, parts in fused_groups(prefixes).items():
        inside = [part for part in parts if part in chosen]
        if inside and len(inside) < len(parts):
            rest = next(part for part in parts if part not in chosen)
            raise errors.ParameterError(
                f"loaders fuse {inside[0]} and {rest} into {whole}: quantise or exclude both"
            )


def _limits(
    calibration: str | Path | None, scheme: str, layers: list[Layer]
) -> dict[str, tuple[float, float]]:
    if SCHEMES[scheme].activations != "tensor":
        if calibration is not None:
            raise errors.ParameterError(f"{scheme} needs no calibration")
        return {}
    if calibration is None:
        raise errors.ParameterError(
            f"{scheme} has static scales for inputs: it needs a calibration file, with the range "
            "of the input of each layer: {module: [min, max]} in .json, or recorded inputs by "
            "module in .safetensors or .npz"
        )
    found = _read_calibration(Path(calibration))
    missing = [layer.prefix for layer in layers if layer.prefix not in found]
    if missing:
        raise errors.ParameterError(
            f"{calibration} lacks {len(missing)} of {len(layers)} layers, such as {missing[0]}"
        )
    for name, (low, high) in found.items():
        if not (np.isfinite([low, high]).all() and low <= high):
            raise errors.ParameterError(f"{calibration}: {name}: not a range: {low} to {high}")
    return {layer.prefix: found[layer.prefix] for layer in layers}


def _read_calibration(path: Path) -> dict[str, tuple[float, float]]:
    if path.suffix == ".json":
        try:
            ranges = json.loads(path.read_text(encoding="utf-8"))
            return {name: (float(low), float(high)) for name, (low, high) in ranges.items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise errors.ParameterError(
                f'{path}: expected {{"module": [min, max], ...}}: {error}'
            ) from None
    arrays: dict[str, Any] = {}
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    else:
        with File(path) as file:
            arrays = {name: file.read(name) for name in file.entries}
    as_floats = {n: a.astype(np.float32) for n, a in arrays.items() if a.size}
    return {name: (float(a.min()), float(a.max())) for name, a in as_floats.items()}


def _plan(
    model: Model,
    folder: Path,
    layers: list[Layer],
    scheme: str,
    format: str,
    group: int,
    limits: dict[str, tuple[float, float]],
    part_size: int,
) -> list[_Part]:
    """Put units into parts, in the order of the input."""
    by_name = {layer.weight: layer for layer in layers}
    with_layer = {layer.bias for layer in layers if layer.bias}
    groups: list[list[_Unit]] = [[]]
    room = part_size
    for name, place in model.tensors.items():
        if name in with_layer:
            continue
        layer = by_name.get(name)
        made: Tensors = {name: (place.entry.dtype, place.entry.shape)}
        read = place.entry.nbytes
        if layer is not None:
            bias = model.tensors[layer.bias].entry if layer.bias else None
            read += bias.nbytes if bias else 0
            kind = bias.dtype if bias else None
            made = outputs(layer, SCHEMES[scheme], format, group, model.dtype, kind)
        unit = _Unit(name, layer, made, read)
        if unit.size > room and groups[-1]:
            groups.append([])
            room = part_size
        groups[-1].append(unit)
        room -= unit.size
    parts = []
    for number, units in enumerate(groups, 1):
        names = {u.name for u in units} | {u.layer.bias for u in units if u.layer and u.layer.bias}
        part = _Part(
            source=str(model.folder.resolve()),
            folder=str(folder.resolve()),
            file=_file_name(format, number, len(groups)),
            scheme=scheme,
            format=format,
            group=group,
            units=tuple(units),
            places={name: model.tensors[name].file for name in names},
            limits={u.layer.prefix: limits[u.layer.prefix] for u in units if u.layer and limits},
        )
        parts.append(part)
    return parts


def _file_name(format: str, number: int, count: int) -> str:
    stem = _NAMES[format]
    return f"{stem}.safetensors" if count == 1 else f"{stem}-{number:05}-of-{count:05}.safetensors"


def _fingerprint(model: Model, parts: list[_Part]) -> dict[str, Any]:
    """Return what must be the same for a run to be continued: the input and the plan."""
    about = []
    for name in model.files:
        status = (model.folder / name).stat()
        about.append([name, status.st_size, status.st_mtime_ns])
    first = parts[0]
    plan = [[part.file, [[u.name, _described(u.made)] for u in part.units]] for part in parts]
    limits = [part.limits for part in parts]
    chosen = [first.scheme, first.format, first.group]
    text = json.dumps([__version__, chosen, about, plan, limits], sort_keys=True)
    return {
        "aclquant": __version__,
        "scheme": first.scheme,
        "format": first.format,
        "group_size": first.group,
        "plan": hashlib.sha256(text.encode()).hexdigest(),
    }


def _described(made: Tensors) -> list[Any]:
    return [[name, dtype.name, list(shape)] for name, (dtype, shape) in sorted(made.items())]


def _finished(folder: Path, plan: dict[str, Any]) -> bool:
    """Tell whether the checkpoint is there already; refuse a folder with anything else."""
    if not folder.exists():
        return False
    if not folder.is_dir():
        raise NotADirectoryError(20, "Not a directory", str(folder))
    manifest = folder / MANIFEST
    if manifest.is_file():
        if json.loads(manifest.read_text(encoding="utf-8")).get("plan") == plan["plan"]:
            shutil.rmtree(folder / STATE, ignore_errors=True)
            return True
        raise FileExistsError(17, "holds a checkpoint made with other options", str(folder))
    if not (folder / STATE).is_dir() and any(folder.iterdir()):
        raise FileExistsError(17, "is not empty", str(folder))
    return False


@contextmanager
def _state(folder: Path, plan: dict[str, Any]) -> Iterator[Path]:
    """Hold the folder of an unfinished run, alone."""
    state = folder / STATE
    state.mkdir(parents=True, exist_ok=True)
    with open(state / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileExistsError(17, "another run is at work here", str(folder)) from None
        path = state / "plan.json"
        if not path.exists():
            write_all(path, _json(plan))
        elif json.loads(path.read_text(encoding="utf-8")) != plan:
            raise FileExistsError(
                17,
                "holds an unfinished run with another input or other options; remove it, or give"
                " the same again",
                str(folder),
            )
        yield state
        # Nothing is left to continue.
        shutil.rmtree(state)


def _is_done(state: Path, part: _Part) -> bool:
    record = state / f"{part.file}.json"
    if not record.exists():
        return False
    path = Path(part.folder) / part.file
    size = json.loads(record.read_text(encoding="utf-8"))["size"]
    return path.is_file() and path.stat().st_size == int(size)


def _ask_for_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    needed = size + (1 << 20)
    if free < needed:
        raise OSError(
            28, f"too little space: {needed / 1e9:.3g} GB are needed, {free / 1e9:.3g} GB are free",
            str(folder),
        )  # fmt: skip


def _share(executor: Executor, parts: list[_Part], tell: Progress) -> None:
    futures = {executor.submit(_write_part, part): part for part in parts}
    try:
        for future in as_completed(futures):
            future.result()
            tell(sum(unit.read for unit in futures[future].units))
    finally:
        for future in futures:
            future.cancel()


def _write_part(part: _Part, tell: Progress = lambda _: None) -> str:
    """Write a weight file and record it; runs in any process."""
    tensors = {name: about for unit in part.units for name, about in unit.made.items()}
    layout = Layout(tensors, {"format": "pt"})
    path = Path(part.folder) / part.file
    with ExitStack() as stack, NewFile(path, replace=True) as new:
        files: dict[str, File] = {}

        def opened(name: str) -> File:
            file = part.places[name]
            if file not in files:
                files[file] = stack.enter_context(File(Path(part.source) / file))
            return files[file]

        new.file.write(layout.header)
        new.file.flush()
        os.truncate(new.file.fileno(), layout.size)

        def put(name: str, rows: Any, start: int = 0) -> None:
            layout.put(new.file, name, rows, start)

        for unit in part.units:
            if unit.layer is None:
                _copy(opened(unit.name), unit.name, new, layout.entries[unit.name].start)
            else:
                layer = unit.layer
                bias = opened(layer.bias).read(layer.bias) if layer.bias else None
                limits = part.limits.get(layer.prefix)
                write_layer(
                    layer, SCHEMES[part.scheme], part.format, part.group, unit.made,
                    opened(layer.weight), bias, limits, put,
                )  # fmt: skip
            tell(unit.read)
        digest = _digest(new)
    record = {"file": part.file, "size": layout.size, "sha256": digest}
    write_all(Path(part.folder) / STATE / f"{part.file}.json", _json(record), replace=True)
    return part.file


def _copy(file: File, name: str, new: NewFile, position: int) -> None:
    entry = file.entries[name]
    buffer = np.empty(min(_CHUNK, entry.nbytes), np.uint8)
    for start in range(0, entry.nbytes, _CHUNK):
        piece = buffer[: min(_CHUNK, entry.nbytes - start)]
        file.read_bytes(entry.start + start, piece)
        _write_at(new.file.fileno(), piece.data, position + start)


def _write_at(descriptor: int, data: memoryview, position: int) -> None:
    while data:
        count = os.pwrite(descriptor, data, position)
        data, position = data[count:], position + count


def _digest(new: NewFile) -> str:
    new.file.seek(0)
    digest, buffer = hashlib.sha256(), memoryview(bytearray(1 << 20))
    while count := new.file.readinto(buffer):  # type: ignore[attr-defined]
        digest.update(buffer[:count])
    return digest.hexdigest()


def _finish(
    model: Model,
    folder: Path,
    state: Path,
    parts: list[_Part],
    layers: list[Layer],
    scheme: str,
    format: str,
    group: int,
    plan: dict[str, Any],
) -> None:
    """Write what makes the weight files a checkpoint; the manifest comes last."""
    places = {name: part.file for part in parts for unit in part.units for name in unit.made}
    if len(parts) > 1:
        total = sum(part.size for part in parts)
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
        _put_json(folder / f"{_NAMES[format]}.safetensors.index.json", index)
    if model.path.is_dir():
        for pattern in _COPIED:
            for path in sorted(model.folder.glob(pattern)):
                own = path.name in ("config.json", DESCRIPTION, MANIFEST)
                if not own and not path.name.endswith(".index.json"):
                    write_all(folder / path.name, path.read_bytes(), replace=True)
    config = dict(model.config)
    if format == "ascendv1":
        _put_json(
            folder / DESCRIPTION, _description(parts, layers, SCHEMES[scheme].ascendv1, group)
        )
    else:
        config["quantization_config"] = _compressed_config(model, layers, scheme, group)
    if config:
        _put_json(folder / "config.json", config)
    records = [json.loads((state / f"{p.file}.json").read_text(encoding="utf-8")) for p in parts]
    sums = {record["file"]: record["sha256"] for record in records}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name not in sums and path.name != MANIFEST:
            sums[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest = {**plan, "layers": [layer.weight for layer in layers], "sha256": sums}
    _put_json(folder / MANIFEST, manifest)


def _description(parts: list[_Part], layers: list[Layer], kind: str, group: int) -> dict[str, Any]:
    biases = {layer.bias for layer in layers}
    types = {
        name: "FLOAT" if unit.layer is None or name in biases else kind
        for part in parts
        for unit in part.units
        for name in unit.made
    }
    return {
        "model_quant_type": kind,
        "version": "1.0.0",
        "group_size": group,
        "metadata": {},
        "optional": {},
        **types,
    }


def _compressed_config(
    model: Model, layers: list[Layer], scheme: str, group: int
) -> dict[str, Any]:
    about = SCHEMES[scheme]
    kept = [
        name.removesuffix(".weight")
        for name in model.tensors
        if name.endswith(".weight")
        and len(model.tensors[name].entry.shape) == 2
        and name not in {layer.weight for layer in layers}
    ]
    weights = {
        "num_bits": about.bits, "type": "int", "symmetric": True, "dynamic": False,
        "strategy": "group" if group else "channel", "group_size": group or None,
        "observer": "minmax", "observer_kwargs": {}, "block_structure": None, "actorder": None,
    }  # fmt: skip
    activations = {
        "num_bits": 8, "type": "int", "symmetric": True, "dynamic": about.activations == "token",
        "strategy": about.activations, "group_size": None, "observer": None, "observer_kwargs": {},
        "block_structure": None, "actorder": None,
    }  # fmt: skip
    packed = about.activations == "none"
    return {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized" if packed else "int-quantized",
        "quantization_status": "compressed",
        "config_groups": {
            "group_0": {
                "targets": ["Linear"],
                "weights": weights,
                "input_activations": None if packed else activations,
                "output_activations": None,
            }
        },
        "ignore": sorted(kept),
        "kv_cache_scheme": None,
    }


def _put_json(path: Path, value: object) -> None:
    write_all(path, _json(value), replace=True)


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
