"""Commands that find faults: what a code means, what was called, what differs."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .app import notes
from .plain import cannot_execute, require_program
from .status import FOUND, WRONG_USAGE, Complaint

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["diff", "doctor", "explain", "inspect", "needs", "op", "record", "replay", "trace"]

_PROGRAM: dict[str, Any] = {
    "context_settings": {"ignore_unknown_options": True, "allow_interspersed_args": False}
}
_command: Callable[[Any], Any] = click.argument(
    "command", nargs=-1, type=click.UNPROCESSED, metavar="-- PROGRAM [ARGUMENT]..."
)
_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


def _backend(default: str) -> Callable[[Any], Any]:
    return click.option(
        "--backend",
        default=default,
        show_default=True,
        metavar="host|cann|PATH",
        help="Which libraries.",
    )


def _show(value: Any) -> None:
    click.echo(json.dumps(value, indent=2))


@click.command(
    epilog=notes(
        """
Examples:
  aclquant explain 161002
  aclquant explain ACL_ERROR_RT_CONTEXT_NULL
  aclquant explain captured                        every code with this in its name
"""
    )
)
@click.argument("code")
@_json
def explain(code: str, as_json: bool) -> None:
    """Explain a status code of CANN.

    CODE is a number (hexadecimal after 0x), a name, or a part of a name.
    """
    from ..debug.advice import look_up

    found = look_up(code)
    if as_json:
        _show([one.as_dict() for one in found])
    elif len(found) > 4:
        for one in found:
            click.echo(f"{one.code} {one.name}: {one.meaning}")
    else:
        click.echo("\n\n".join(map(str, found)))


@click.command(
    epilog=notes(
        """
Examples:
  aclquant op aclnnQuantize
  aclquant op npu_quantize --backend cann
  aclquant op dynamic_quant --chip Ascend310P3 --json
"""
    )
)
@click.argument("name")
@_backend("host")
@click.option("--chip", "chips", multiple=True, help="Only this chip; may be repeated.")
@_json
def op(name: str, backend: str, chips: tuple[str, ...], as_json: bool) -> None:
    """Show an operator: prototype, formula, and what each chip accepts.

    NAME is a C name, with or without aclnn, or a name of aclquant or torch_npu. What a chip accepts
    is found by asking phase 1 of the host device, which needs no card.
    """
    from ..debug.operators import look_up

    page = look_up(name, backend=backend, chips=chips or None)
    if as_json:
        _show(page.as_dict())
    else:
        click.echo(page)


@click.command(
    epilog=notes(
        """
Example:
  aclquant doctor --json > report.json             to paste into a bug report

Exit status:
  0 healthy, 3 not
"""
    )
)
@_backend("")
@_json
def doctor(backend: str, as_json: bool) -> None:
    """Check libraries, driver, variables, packages and operators.

    The operators run on the backend that a call would use; where that is a card, their results are
    compared bit for bit with the host device.
    """
    from ..debug.doctor import doctor as examine

    report = examine(backend=backend)
    if as_json:
        _show(report.as_dict())
    else:
        click.echo(report)
    if not report.healthy:
        sys.exit(FOUND)


@click.command(
    epilog=notes(
        """
Examples:
  aclquant needs ./program
  aclquant needs torch_npu-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl --json

Exit status:
  0 everything it is linked with is there, 3 something is missing
"""
    )
)
@click.argument("target", type=click.Path(path_type=Path))
@_backend("host")
@_json
def needs(target: Path, backend: str, as_json: bool) -> None:
    """List the names of CANN that a program wants, and whether a backend has them.

    TARGET is a binary, a wheel, a Python file, or a directory. It is only read.
    """
    from ..debug.needs import needs as look

    try:
        found = look(target, backend=backend)
    except ModuleNotFoundError as error:
        if error.name != "elftools":
            raise
        raise Complaint("needs: pip install 'aclquant[elf]' for binaries") from None
    if as_json:
        _show(found.as_dict())
    else:
        click.echo(found)
    if not found.complete:
        sys.exit(FOUND)


def _require(name: str, command: tuple[str, ...]) -> None:
    if not command:
        raise Complaint(f"{name}: expected a program after --", WRONG_USAGE)
    require_program(name, command[0])


def _run(name: str, command: tuple[str, ...], environment: dict[str, str]) -> int:
    from ..debug.processes import run

    try:
        return run(command, environment)
    except OSError as error:
        raise cannot_execute(name, command[0], error) from None


@click.command(
    **_PROGRAM,
    epilog=notes(
        """
Examples:
  aclquant trace -- ./program                                 text on stderr
  aclquant trace -f aclnn -- python script.py                 only operators
  aclquant trace -o trace.json -- ./program                   for Perfetto and MindStudio Insight
  aclquant trace --summary -o calls.jsonl -- ./program
  aclquant trace --from calls.jsonl -o trace.json             another form, later

Exit status:
  the program's; 127 if there is none, 126 if it cannot be executed
"""
    ),
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Chrome JSON (.json), JSON lines (.jsonl), trace_view.json in a directory, else text.",
)
@click.option("-f", "--filter", "pattern", default="", help="Regular expression of functions.")
@click.option(
    "--summary", is_flag=True, help="Print calls, errors and times per function at the end."
)
@click.option("--sync", is_flag=True, help="Let every launch wait: errors stand at their own call.")
@click.option(
    "--from", "source", type=click.Path(path_type=Path), help="Read JSON lines instead of running."
)
@_backend("host")
@_command
def trace(
    output: Path | None,
    pattern: str,
    summary: bool,
    sync: bool,
    source: Path | None,
    backend: str,
    command: tuple[str, ...],
) -> None:
    """Run a program and write down its calls of CANN's functions.

    Every function of CANN's interface that the program calls is seen, whether it is linked or
    looked up at run time.
    """
    from ..debug.events import read_trace

    if source is not None:
        found = read_trace(source)
        if output is not None:
            found.save(output)
        if summary or output is None:
            click.echo(found.summary_text() if summary else found)
        return
    _require("trace", command)
    from ..debug.processes import environment

    settings = {"ACLQUANT_TRACE_FILTER": pattern, "ACLQUANT_SYNC": "1" if sync else ""}
    as_text = output is None or (output.suffix not in (".json", ".jsonl") and not output.is_dir())
    if as_text and not summary:
        settings["ACLQUANT_TRACE"] = "-" if output is None else str(output.resolve())
        settings["ACLQUANT_TRACE_FORM"] = "text"
        if output is not None:
            output.write_text("", encoding="utf-8")
        sys.exit(_run("trace", command, environment(settings, backend=backend)))
    with tempfile.TemporaryDirectory(prefix="aclquant-trace-") as folder:
        lines = Path(folder) / "trace.jsonl" if output is None else _lines_for(output)
        settings |= {
            "ACLQUANT_TRACE": str(lines),
            "ACLQUANT_TRACE_FORM": "json",
            "ACLQUANT_TRACE_TIMES": "1",
        }
        status = _run("trace", command, environment(settings, backend=backend))
        found = read_trace(lines)
        if output is not None and output.suffix != ".jsonl":
            found.save(output)
            lines.unlink()
        if summary:
            click.echo(found.summary_text(), err=output is None)
    sys.exit(status)


def _lines_for(output: Path) -> Path:
    """Make the empty file of JSON lines from which `output` is written, or which is `output`.

    It lies beside the result, so that a killed tracer leaves something to convert.
    """
    place = output / "trace_view.json" if output.is_dir() else output
    lines = place if place.suffix == ".jsonl" else place.with_name(f"{place.name}.partial.jsonl")
    try:
        lines.write_text("", encoding="utf-8")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(output)) from None
    return lines.resolve()


@click.command(
    **_PROGRAM,
    epilog=notes(
        """
Examples:
  aclquant record -o bug -- ./program
  aclquant record -o bug -f 'QuantMatmul' --limit 1000000 -- python script.py

Exit status:
  the program's; 127 if there is none, 126 if it cannot be executed
"""
    ),
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Directory, without a recording in it.",
)
@click.option("-f", "--filter", "pattern", default="", help="Regular expression of operators.")
@click.option("--limit", type=click.IntRange(0), help="Bytes of a tensor whose values are kept.")
@click.option("--force", is_flag=True, help="Replace a recording.")
@_backend("host")
@_command
def record(
    output: Path,
    pattern: str,
    limit: int | None,
    force: bool,
    backend: str,
    command: tuple[str, ...],
) -> None:
    """Run a program and keep its operator calls with their tensors.

    Every launch waits, so that the memory can be read. What was recorded before a crash or a kill
    is readable.
    """
    _require("record", command)
    from ..debug.processes import environment
    from ..debug.recording import has_recording, remove_recording

    if has_recording(output):
        if not force:
            raise Complaint(
                f"record: {output} has a recording: name another directory, or replace it (--force)"
            )
        remove_recording(output)
    settings = {
        "ACLQUANT_RECORD": str(output.resolve()),
        "ACLQUANT_TRACE_FILTER": pattern,
        "ACLQUANT_RECORD_LIMIT": "" if limit is None else str(limit),
    }
    sys.exit(_run("record", command, environment(settings, backend=backend)))


@click.command(
    epilog=notes(
        """
Examples:
  aclquant replay bug                               list the calls, run them, compare
  aclquant replay bug --backend cann --json
  aclquant replay bug --list
  aclquant replay bug --emit c > reproducer.c       the first failing call, else the last
  aclquant replay bug --call 3 --emit python > reproducer.py

Exit status:
  0 everything is as recorded, 3 something differs
"""
    )
)
@click.argument("directory", type=click.Path(path_type=Path))
@_backend("host")
@click.option("--soc", default="", help="Chip of the host device; by default the recorded one.")
@click.option("--call", "number", type=click.IntRange(1), help="Only this call.")
@click.option("--compare/--no-compare", default=True, help="Whether differences end with status 3.")
@click.option("--list", "only_list", is_flag=True, help="Only list the calls.")
@click.option(
    "--emit", type=click.Choice(["python", "c"]), help="Print a program that repeats a call."
)
@_json
def replay(
    directory: Path,
    backend: str,
    soc: str,
    number: int | None,
    compare: bool,
    only_list: bool,
    emit: str | None,
    as_json: bool,
) -> None:
    """Run recorded calls again and compare their outputs with the recorded ones."""
    from ..debug.emit import emit as write
    from ..debug.recording import read_recording
    from ..debug.replay import replay as run

    recording = read_recording(directory)
    for note in recording.notes:
        click.echo(f"note: {note}", err=True)
    if emit is not None:
        click.echo(write(recording, emit, call=number), nl=False)
        return
    if only_list:
        for position, call in enumerate(recording.calls, 1):
            click.echo(f"{position}: {call}")
        return
    results = run(recording, backend=backend, call=number, soc=soc)
    if as_json:
        _show([result.as_dict() for result in results])
    else:
        for result in results:
            click.echo(result)
        same = sum(result.same for result in results)
        click.echo(f"{same} of {len(results)} calls as recorded")
    if compare and not all(result.same for result in results):
        sys.exit(FOUND)


def _load(path: Path) -> npt.NDArray[np.generic]:
    import numpy as np

    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise Complaint(f"{path}: {error}") from error
    if not isinstance(array, np.ndarray):
        raise Complaint(f"{path}: expected one array (.npy), got an archive of several")
    return array


def _need_plot(path: Path | None) -> None:
    from importlib.util import find_spec

    if path is not None and find_spec("matplotlib") is None:
        raise Complaint("--plot needs matplotlib: pip install 'aclquant[plot]'")


@click.command(
    epilog=notes(
        """
Examples:
  aclquant diff card.npy host.npy --plot difference.png
  aclquant diff recording-on-card recording-on-host

Exit status:
  0 equal, 3 different
"""
    )
)
@click.argument("a", type=click.Path(path_type=Path, exists=True))
@click.argument("b", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--plot", type=click.Path(path_type=Path), help="Draw both and their difference (PNG)."
)
@_json
def diff(a: Path, b: Path, plot: Path | None, as_json: bool) -> None:
    """Compare two arrays (.npy) or two recordings, bit by bit."""
    from ..debug import numbers
    from ..debug.replay import compare_recordings

    if a.is_dir() != b.is_dir():
        raise Complaint("diff: expected two .npy files or two recordings", WRONG_USAGE)
    if a.is_dir():
        rows = compare_recordings(a, b)
        same = all(row.same for row in rows)
        if as_json:
            _show([row.as_dict() for row in rows])
        else:
            for row in rows:
                click.echo(row)
    else:
        _need_plot(plot)
        x, y = _load(a), _load(b)
        result = numbers.compare(x, y)
        same = result.identical
        if as_json:
            _show(result.as_dict())
        else:
            click.echo(result)
        if plot is not None:
            numbers.plot(plot, x, y)
    if not same:
        sys.exit(FOUND)


@click.command(
    epilog=notes(
        """
Examples:
  aclquant inspect codes.npy --scale scales.npy --axis 0
  aclquant inspect bug                              the calls of a recording and what is in them
  aclquant inspect bug --html report.html           one page to look at or to send
"""
    )
)
@click.argument("target", type=click.Path(path_type=Path, exists=True))
@click.option("--scale", help="A number or a .npy file: show dequantised values too.")
@click.option("--offset", default="0", help="The same for the offset.")
@click.option("--axis", type=int, help="Which axis scale and offset belong to.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw a histogram (PNG).")
@click.option("--html", type=click.Path(path_type=Path), help="Write a report of a recording.")
@_json
def inspect(
    target: Path,
    scale: str | None,
    offset: str,
    axis: int | None,
    plot: Path | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Show what is in an array (.npy) or in a recording."""
    from ..debug import numbers

    if target.is_dir():
        from ..debug.recording import read_recording
        from ..debug.report import report, rows
        from ..files import write_all

        recording = read_recording(target)
        if html is not None:
            if html.suffix.lower() not in (".html", ".htm"):
                message = f"--html: got {html}, expected a name in .html or .htm"
                raise Complaint(message, WRONG_USAGE)
            write_all(html, report(recording).encode(), replace=True)
            click.echo(f"saved {html}")
        elif as_json:
            _show(rows(recording))
        else:
            for note in recording.notes:
                click.echo(f"note: {note}", err=True)
            for position, call in enumerate(recording.calls, 1):
                click.echo(f"{position}: {call}")
        return
    if html is not None:
        raise Complaint("--html needs a recording, not an array", WRONG_USAGE)
    _need_plot(plot)
    array = _load(target)
    if as_json:
        _show(numbers.summarize(array).as_dict())
    elif scale is not None:
        click.echo(numbers.describe(array, _numbers(scale), offset=_numbers(offset), axis=axis))
    else:
        click.echo(numbers.summarize(array))
    if plot is not None:
        numbers.plot(plot, array)


def _numbers(text: str) -> Any:
    if os.path.splitext(text)[1] == ".npy":
        return _load(Path(text))
    try:
        return float(text)
    except ValueError:
        raise Complaint(f"expected a number or a .npy file, got {text!r}", WRONG_USAGE) from None
