"""``kernels``: the bundled operators for cards."""

from __future__ import annotations

import json

import click

from .app import notes
from .status import FAILED, Complaint

__all__ = ["kernels"]


@click.group(
    epilog=notes(
        """
On a machine with a CANN toolkit:
  aclquant kernels build build/kernels
  aclquant kernels install build/kernels/custom_op/build_out/custom_opp_*.run ~/opp
  source ~/opp/vendors/aclquant/bin/set_env.bash
  aclquant kernels info
"""
    )
)
def kernels() -> None:
    """Operators in Ascend C for cards on which CANN lacks them.

    CANN's own tools build them. They have run under an emulation only; neither CANN's compiler
    nor a card has seen them.
    """


@kernels.command()
@click.argument("output", type=click.Path(file_okay=False))
@click.option("--toolkit", type=click.Path(), help="The CANN toolkit; by default ASCEND_HOME_PATH.")
@click.option(
    "--chip",
    "chips",
    multiple=True,
    help="ascend910b, ascend910_93 or ascend310p; several times for several. All by default.",
)
def build(output: str, toolkit: str | None, chips: tuple[str, ...]) -> None:
    """Build the package in the folder OUTPUT with CANN's msopgen and build script."""
    from .. import kernels as package

    try:
        run = package.build(
            output,
            toolkit=toolkit,
            chips=chips or package.CHIPS,
            log=lambda line: click.echo(line, err=True),
        )
    except RuntimeError as error:
        raise Complaint(str(error), FAILED) from error
    click.echo(run)


@kernels.command()
@click.argument("package", type=click.Path())
@click.argument("prefix", type=click.Path(file_okay=False))
def install(package: str, prefix: str) -> None:
    """Install PACKAGE, a custom_opp_*.run, in the folder PREFIX; print how programs find it."""
    from .. import kernels as bundled

    try:
        variables = bundled.install(package, prefix)
    except RuntimeError as error:
        raise Complaint(str(error), FAILED) from error
    for name, value in variables.items():
        click.echo(f"export {name}={value}")


@kernels.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def info(as_json: bool) -> None:
    """Show the sources, the toolkits and the installed packages that are found."""
    from .. import kernels as package

    found = package.find()
    facts = {
        "sources": str(package.sources()),
        "operators": list(package.OPERATORS),
        "chips": list(package.CHIPS),
        "toolkits": [str(place) for place in package.toolkits()],
        "packages": [entry._asdict() for entry in found],
    }
    if as_json:
        click.echo(json.dumps(facts, indent=2))
        return
    click.echo(f"sources    {facts['sources']}")
    click.echo(f"operators  {' '.join(package.OPERATORS)}")
    click.echo(f"chips      {' '.join(package.CHIPS)}")
    click.echo(f"toolkits   {' '.join(map(str, package.toolkits())) or 'none found'}")
    for entry in found:
        count = f"{len(entry.operators)} of {len(package.OPERATORS)} operators"
        click.echo(f"installed  {entry.library} ({entry.how}; {count})")
    if not found:
        click.echo("installed  none found (ASCEND_CUSTOM_OPP_PATH, ASCEND_OPP_PATH/vendors)")
