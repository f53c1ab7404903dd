"""``info``, ``run``, completion, and what C programs ask for."""

from __future__ import annotations

import click

from . import plain
from .app import notes

__all__ = [
    "cflags", "cmakedir", "completion", "includedir", "info", "libdir", "libs", "pkgconfigdir",
    "run", "toolkitdir",
]  # fmt: skip


def _directory(name: str, purpose: str) -> click.Command:
    def show() -> None:
        click.echo(plain.DIRECTORIES[name]())

    return click.Command(name, callback=show, help=f"Print the directory {purpose}.")


toolkitdir = _directory("toolkitdir", "for ASCEND_HOME_PATH and -DCANN_INSTALL_DIR")
includedir = _directory("includedir", "of the C headers")
libdir = _directory("libdir", "of the libraries to link C programs with")
pkgconfigdir = _directory("pkgconfigdir", "for PKG_CONFIG_PATH")
cmakedir = _directory("cmakedir", "for CMake's -Daclquant_DIR")


@click.command()
def cflags() -> None:
    """Print the compiler's options for C programs."""
    click.echo(plain.cflags())


@click.command(
    epilog=notes(
        """
Example:
  cc program.c $(aclquant cflags) $(aclquant libs --rpath) -o program
"""
    )
)
@click.option("--rpath", is_flag=True, help="Let the program find the libraries by itself.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def libs(names: tuple[str, ...], rpath: bool) -> None:
    """Print the linker's options for C programs.

    NAME: libraries instead of ascendcl nnopbase opapi, such as acl_rt nnopbase opapi_nn.
    """
    click.echo(plain.libs(names, rpath=rpath))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def info(as_json: bool) -> None:
    """Show the backend that a call would use, its libraries and devices."""
    click.echo(plain.info(as_json=as_json))


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    epilog=notes(
        """
Example:
  aclquant run -- python script.py

Exit status:
  the program's; 127 if there is none, 126 if it cannot be executed
"""
    ),
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- PROGRAM [ARGUMENT]...")
def run(command: tuple[str, ...]) -> None:
    """Run a program for CANN, such as one that uses torch_npu, on the host device.

    The program finds the host device under the names of CANN's libraries.
    """
    plain.run(command)


@click.command(
    epilog=notes(
        """
Examples:
  eval "$(aclquant completion bash)"                                       in ~/.bashrc
  eval "$(aclquant completion zsh)"                                        in ~/.zshrc
  aclquant completion fish > ~/.config/fish/completions/aclquant.fish
"""
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes aclquant's commands and options in a shell."""
    from click.shell_completion import get_completion_class

    from .app import app

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(app, {}, "aclquant", "_ACLQUANT_COMPLETE").source())
