"""The command line on click: commands found by their rows, errors of one line, exit statuses."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from .. import __version__
from .status import FAILED, INTERRUPTED, TERMINATED, Complaint
from .table import COMMANDS, Row

__all__ = ["LazyGroup", "main", "notes"]


class LazyGroup(click.Group):
    """A group that knows its commands by their rows and imports one when it is used."""

    def __init__(self, *arguments: Any, rows: Mapping[str, Row], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.rows = rows

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the help."""
        return list(self.rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        row = self.rows.get(cmd_name)
        if row is None:
            return None
        module, _, attribute = row.home.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by sections, without importing them."""
        width = max(map(len, self.rows), default=0)
        for section in dict.fromkeys(row.section for row in self.rows.values()):
            with formatter.section(section):
                formatter.write_dl(
                    [
                        (name.ljust(width), row.help)
                        for name, row in self.rows.items()
                        if row.section == section
                    ]
                )


def notes(*paragraphs: str) -> str:
    """Return the end of a help text: examples and the like, with their line breaks kept."""
    return "\n\n".join("\b\n" + paragraph.strip("\n") for paragraph in paragraphs)


_EXIT = """
Exit status:
  0    done
  1    failed; one line on stderr says why
  2    wrong usage
  3    done, and found a fault or a difference (check, diff, doctor)
  126  run, trace, record: the program cannot be executed; 127: there is none
  130  interrupted by Ctrl-C; 143: by SIGTERM
"""


@click.command(
    cls=LazyGroup,
    rows=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=notes(
        """
Examples:
  aclquant quantize weights.npy codes.npy --axis 0
  aclquant run -- python script.py
  cc program.c $(aclquant cflags) $(aclquant libs --rpath)
""",
        _EXIT,
        "'aclquant COMMAND --help' explains a command.",
    ),
)
@click.version_option(__version__, message="aclquant %(version)s")
def app() -> None:
    """CANN's quantisation operators for arrays, checkpoints and C programs.

    No card is needed.
    """


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit status."""
    given = list(arguments)
    before = _terminate_cleanly()
    try:
        status = app.main(given, prog_name="aclquant", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except click.exceptions.Exit as exit:
        return int(exit.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("aclquant: interrupted\n")
        return INTERRUPTED
    except click.UsageError as error:
        hint = f" (see '{error.ctx.command_path} --help')" if error.ctx else ""
        text = " ".join(error.format_message().split())  # lists of choices have lines
        return _say(given, f"{text}{hint}", error.exit_code, "UsageError")
    except click.ClickException as error:
        return _say(given, error.format_message(), error.exit_code, type(error).__name__)
    except Complaint as complaint:
        return _say(given, str(complaint), complaint.status, "Complaint")
    except MemoryError as error:
        return _say(given, f"out of memory: {error}", FAILED, "MemoryError")
    except OSError as error:
        return _say(given, _sentence(error), FAILED, type(error).__name__)
    except Exception as error:
        if not _expected(error):
            raise
        from ..errors import BEFORE_CALL

        # The lines before the last one explain; the last one says everything.
        text = str(error).splitlines()[-1].removesuffix(f" ({BEFORE_CALL})")
        return _say(given, text, FAILED, type(error).__name__)
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
    return status if isinstance(status, int) else 0


def _terminate_cleanly() -> Any:
    """Let SIGTERM unwind the stack, so that temporary files are removed."""

    def end(*_: object) -> None:
        sys.exit(TERMINATED)

    try:
        if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            return signal.signal(signal.SIGTERM, end)
    except ValueError:  # not the main thread
        pass
    return None


def _expected(error: Exception) -> bool:
    errors = sys.modules.get("aclquant.errors")
    return errors is not None and isinstance(error, errors.AclError)


def _sentence(error: OSError) -> str:
    from ..files import NO_ROOM

    if error.strerror is None:
        return str(error)
    names = [
        os.fsdecode(n) for n in (error.filename, error.filename2) if isinstance(n, (str, bytes))
    ]
    if not names and error.errno in NO_ROOM:  # files are named, a stream is not
        names = ["stdout"]
    return ": ".join([*names, error.strerror])


def _say(arguments: list[str], message: str, status: int, kind: str) -> int:
    """Write an error; as JSON where the command line has ``--json``."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if "--json" in options and options[:1] != ["run"]:
        error = {"message": message, "type": kind, "status": status}
        sys.stdout.write(json.dumps({"error": error}, indent=2) + "\n")
    else:
        sys.stderr.write(f"aclquant: {message}\n")
    return status
