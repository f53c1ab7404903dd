"""No synchronisation call of the kernels is there in vain, and none is missing unseen."""

from __future__ import annotations

from .cases import FAMILIES
from .emulation import Emulation
from .mutation import mutants, try_without, written


def test_every_deletion_is_noticed(emulation: Emulation) -> None:
    missed = [
        f"{mutant.file}:{mutant.line} {mutant.text}"
        for mutant in mutants(emulation)
        if not try_without(emulation, mutant)
    ]
    assert missed == []


def test_every_synchronisation_call_runs_on_a_chip(libraries: dict[str, object]) -> None:
    """A call that the cases never run could not be missed."""
    ran = set()
    for path in libraries.values():
        emulation = Emulation(path)  # type: ignore[arg-type]
        for family in FAMILIES.values():
            for call in family(emulation.inference):
                call.case.run(emulation, cores=call.cores)
                ran |= {(file, line) for file, line, _ in emulation.sites()}
    assert [(file, line) for file, line, _ in written() if (file, line) not in ran] == []
