"""Leaves out each synchronisation call of the kernels in turn.

``python -m ascend_kernels.mutation`` (with ``tests`` in PYTHONPATH) prints the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .building import KERNELS, build
from .cases import FAMILIES, Call
from .emulation import Emulation, Options

Site = tuple[str, int]  # file and line


@dataclass
class Mutant:
    """A call that was left out: where it is, what it is, and what became of it."""

    file: str
    line: int
    what: str
    text: str
    calls: list[Call] = field(default_factory=list)
    caught: str = ""


def mutants(emulation: Emulation, families: list[str] | None = None) -> list[Mutant]:
    """Return the synchronisation calls that the cases run, with the cases that run each."""
    sources = {path.name: path.read_text("utf-8").splitlines() for path in _files()}
    found: dict[Site, Mutant] = {}
    for family in families or list(FAMILIES):
        for call in FAMILIES[family](emulation.inference):
            report, _ = call.case.run(emulation, Options(), call.cores)
            assert report.check == 0, f"{call.label}: {report}"
            for file, line, what in emulation.sites():
                text = sources[file][line - 1].strip()
                mutant = found.setdefault((file, line), Mutant(file, line, what, text))
                mutant.calls.append(call)
    return [found[site] for site in sorted(found)]


def try_without(emulation: Emulation, mutant: Mutant) -> bool:
    """Run the mutant's cases without it until the emulation notices."""
    for call in mutant.calls:
        options = Options(skip=(mutant.file, mutant.line))
        report, _ = call.case.run(emulation, options, call.cores)
        if report.check:
            mutant.caught = f"check {report.check}: {report.text}"
            return True
    return False


def written() -> Iterator[tuple[str, int, str]]:
    """Yield every synchronisation call in the kernels' sources: file, line, text."""
    for path in _files():
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            text = line.strip()
            if text.startswith(("ACLQUANT_FENCE(", "PipeBarrier<")) or (
                "PipeBarrier<" in text and not text.startswith("//")
            ):
                yield path.name, number, text


def _files() -> list[Path]:
    return sorted([*KERNELS.glob("*/op_kernel/*.cpp"), *KERNELS.glob("common/*.h")])


def main() -> None:
    libraries = build(Path(__file__).with_name("wrong_kernels.cpp"))
    for path in libraries.values():
        emulation = Emulation(path)
        all_mutants = mutants(emulation)
        for mutant in all_mutants:
            try_without(emulation, mutant)
        caught = [m for m in all_mutants if m.caught]
        print(f"{emulation.chip}: {len(caught)} of {len(all_mutants)} deletions noticed")
        for mutant in all_mutants:
            print(
                f"  {mutant.file}:{mutant.line} {mutant.what:<17} {mutant.caught or 'NOT NOTICED'}"
            )


if __name__ == "__main__":
    main()
