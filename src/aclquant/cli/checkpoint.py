"""``checkpoint quantize | check | diff | report``."""

from __future__ import annotations

import json
import math
import os
import sys
from concurrent.futures import BrokenExecutor, Executor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .app import LazyGroup, notes
from .status import FOUND, Complaint
from .table import Row

if TYPE_CHECKING:
    from ..checkpoint import Finding, LayerError

__all__ = ["check", "checkpoint", "diff", "quantize", "report"]

_SCHEMES = ("w8a8-dynamic", "w8a8", "w8a16", "w4a8-dynamic", "w4a16")
_FORMATS = ("ascendv1", "compressed-tensors")
_HERE = "aclquant.cli.checkpoint"
_ROWS = {
    "quantize": Row(f"{_HERE}:quantize", "Quantise a model on disk.", "Commands"),
    "check": Row(f"{_HERE}:check", "Say what a loader would refuse or get wrong.", "Commands"),
    "diff": Row(f"{_HERE}:diff", "Compare two checkpoints weight by weight.", "Commands"),
    "report": Row(f"{_HERE}:report", "Write a page with histograms and errors.", "Commands"),
}


@click.command(cls=LazyGroup, rows=_ROWS)
def checkpoint() -> None:
    """Quantise, check, compare and report models on disk, of any size.

    The formats are those that vllm-ascend and SGLang load: AscendV1, which msModelSlim writes, and
    compressed-tensors.
    """


@click.command(
    epilog=notes(
        """
Examples:
  aclquant checkpoint quantize Qwen3-8B Qwen3-8B-w8a8 --scheme w8a8-dynamic
  aclquant checkpoint quantize Qwen3-8B out --scheme w4a16 --exclude 'layers\\.0\\.'
  aclquant checkpoint quantize Qwen3-8B out --scheme w8a8 --calibration ranges.json
""",
        """
Interrupted? Give the same command again: it continues, and the result is the same, byte for byte.
""",
        """
Exit status:
  0 done, 1 failed, 2 wrong usage, 130 interrupted
""",
    )
)
@click.argument("src", type=click.Path(path_type=Path))
@click.argument("dst", type=click.Path(path_type=Path))
@click.option("--scheme", type=click.Choice(_SCHEMES), required=True)
@click.option(
    "--format", type=click.Choice(_FORMATS), help="ascendv1; for w4a16 compressed-tensors."
)
@click.option("--exclude", multiple=True, metavar="REGEX", help="Keep weights with such names.")
@click.option("--include", multiple=True, metavar="REGEX", help="Quantise these as well.")
@click.option(
    "--calibration",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="For w8a8: ranges of inputs, {module: [min, max]} in .json, or recorded inputs by module"
    " in .safetensors or .npz.",
)
@click.option("--group-size", type=int, metavar="N", help="Elements that share a scale; 0: a row.")
@click.option(
    "--part-size", default=1024, show_default=True, metavar="MB", help="Most of a weight file."
)
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes on this machine.")
@click.option("--dask", metavar="ADDRESS", help="Share the work over a dask cluster.")
@click.option("--json", "as_json", is_flag=True, help="Report, and errors, as JSON.")
def quantize(
    src: Path, dst: Path, part_size: int, workers: int | None, dask: str | None, as_json: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Quantise the model in the folder SRC, and write a folder DST that serving engines load.

    SRC has .safetensors files of float32, float16 or bfloat16, and is only read. Memory does not
    depend on the size of the model. DST is new, or that of an interrupted run.
    """
    from .. import checkpoint as engine
    from ..checkpoint.job import total_bytes
    from .progress import progress

    with ExitStack() as stack:
        executor = _executor(stack, workers, dask)
        advance = stack.enter_context(progress("quantising", total_bytes(src)))
        try:
            done = engine.quantize(
                src, dst, options["scheme"], format=options["format"],
                include=list(options["include"]), exclude=list(options["exclude"]),
                calibration=options["calibration"], group_size=options["group_size"],
                part_size=part_size << 20, executor=executor, progress=advance,
            )  # fmt: skip
        except FileExistsError as error:
            raise Complaint(f"DST: {error.filename} {error.strerror}") from None
        except BrokenExecutor as error:
            raise Complaint(f"a worker died; the same command continues ({error})") from None
    findings = engine.check(dst)
    if as_json:
        about = {n: str(v) if n == "folder" else v for n, v in done._asdict().items()}
        about["findings"] = [finding._asdict() for finding in findings]
        click.echo(json.dumps(about, indent=2))
        return
    rate = done.read_bytes / max(done.seconds, 1e-9)
    click.echo(f"quantised  {done.layers} weights; {done.kept} tensors are kept as they were")
    if done.continued:
        click.echo(f"continued  {done.continued} of {done.parts} files were there already")
    click.echo(f"read       {_size(done.read_bytes)} in {done.seconds:.1f} s, {_size(rate)}/s")
    click.echo(f"written    {_size(done.written_bytes)} in {done.parts} files")
    click.echo(f"saved      {done.folder}")
    if findings:
        click.echo(f"check      {_count(findings)}: aclquant checkpoint check {done.folder}")


def _executor(stack: ExitStack, workers: int | None, dask: str | None) -> Executor | None:
    if dask is not None:
        if workers is not None:
            raise Complaint("--workers and --dask exclude each other")
        try:
            from distributed import Client
        except ImportError:
            raise Complaint("--dask needs dask: pip install 'aclquant[dask]'") from None
        try:
            client = stack.enter_context(Client(dask, timeout=30))  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise Complaint(f"--dask {dask}: {error}") from None
        executor = client.get_executor(pure=False, retries=3)
        assert isinstance(executor, Executor)
        return executor
    if workers is None or workers == 1:
        return None
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Not fork: a forked child of a process with a device begins without one.
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin_worker, initargs=(workers,)
    )
    return stack.enter_context(pool)


def _begin_worker(workers: int) -> None:
    """Prepare a process of ``--workers``: Ctrl-C is for the main process, and so is its end."""
    import multiprocessing
    import signal
    import threading

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        # Without this, workers of a killed process would wait for work for ever.
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    # The processors are shared out among the workers.
    threads = max(1, len(os.sched_getaffinity(0)) // workers)
    os.environ.setdefault("ACLQUANT_HOST_THREADS", str(threads))


@click.command(
    epilog=notes(
        """
Examples:
  aclquant checkpoint check Qwen3-8B-w8a8
  aclquant checkpoint check Qwen3-8B-w8a8 --full --json
""",
        """
Exit status:
  0 no errors (there may be warnings), 3 errors, 1 the folder cannot be read
""",
    )
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--full", is_flag=True, help="Read all data and compare checksums as well.")
@click.option("--strict", is_flag=True, help="Exit with 3 for warnings as well.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_context
def check(context: click.Context, folder: Path, full: bool, strict: bool, as_json: bool) -> None:
    """Say what would fail, or be silently wrong, when the checkpoint in FOLDER is loaded.

    Each finding has the number of a rule; docs/checkpoints.md explains it.
    """
    from ..checkpoint import check as look

    findings = look(folder, full=full)
    if as_json:
        listed = [{**finding._asdict(), "section": finding.section} for finding in findings]
        click.echo(json.dumps({"findings": listed}, indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.severity} {finding.rule} {finding.where}: {finding.message}")
            click.echo(f"    see {finding.section}")
        click.echo(_count(findings))
    bad = {"error", "warning"} if strict else {"error"}
    if any(finding.severity in bad for finding in findings):
        context.exit(FOUND)


def _count(findings: list[Finding]) -> str:
    kinds = [finding.severity for finding in findings]
    parts = [
        f"{kinds.count(kind)} {kind}{'' if kinds.count(kind) == 1 else 's'}"
        for kind in ("error", "warning", "note")
        if kind in kinds or kind == "error"
    ]
    return ", ".join(parts)


@click.command(
    epilog=notes(
        """
Examples:
  aclquant checkpoint diff Qwen3-8B Qwen3-8B-w8a8
  aclquant checkpoint diff Qwen3-8B Qwen3-8B-w8a8 --min-snr 30 --json
""",
        """
Exit status:
  0 done, 3 a weight has less than --min-snr, 1 failed
""",
    )
)
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--min-snr", type=float, metavar="DB", help="Exit with 3 if a weight has less.")
@click.option("--top", type=int, metavar="N", help="Show the N worst only.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_context
def diff(
    context: click.Context, a: Path, b: Path, min_snr: float | None, top: int | None, as_json: bool
) -> None:
    """Compare the weights of B with those of A, the reference; the worst first.

    Both are dequantised.
    """
    from ..checkpoint import diff as compare

    found = compare(a, b)
    shown = found if top is None else found[:top]
    if as_json:
        click.echo(json.dumps({"weights": [_plain(error) for error in shown]}, indent=2))
    else:
        _table(shown)
    if min_snr is not None and any(error.snr_db < min_snr for error in found):
        context.exit(FOUND)


def _plain(error: LayerError) -> dict[str, Any]:
    about = error._asdict()
    about["snr_db"] = error.snr_db if math.isfinite(error.snr_db) else None
    return about


def _table(found: list[LayerError]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("weight", overflow="fold")
    table.add_column("type")
    for title in ("SNR, dB", "largest error", "mean error", "clipped"):
        table.add_column(title, justify="right")
    for error in found:
        ratio = "exact" if error.snr_db == math.inf else f"{error.snr_db:.2f}"
        table.add_row(
            error.name, error.type, ratio, f"{error.max_abs:.3g}", f"{error.mean_abs:.3g}",
            f"{error.saturated:.3%}",
        )  # fmt: skip
    # A pipe has no width: do not fold there.
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 200
    Console(width=width, markup=False, highlight=False).print(table)


@click.command(
    epilog=notes(
        """
Example:
  aclquant checkpoint report Qwen3-8B-w8a8 report.html --against Qwen3-8B
"""
    )
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--against", type=click.Path(path_type=Path), metavar="MODEL", help="The float model: errors."
)
@click.option("--force", is_flag=True, help="Replace OUT.")
def report(folder: Path, out: Path, against: Path | None, force: bool) -> None:
    """Write a page about the checkpoint in FOLDER to OUT.

    It has a table that sorts and filters, and histograms. It is one HTML file and needs no network.
    """
    from ..checkpoint import report as write

    try:
        write(folder, out, against=against, overwrite=force)
    except FileExistsError:
        raise Complaint(f"OUT: {out} is there already; --force replaces it") from None
    click.echo(f"saved      {out}")


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.3g} {unit}"
        count /= 1000
    raise AssertionError
