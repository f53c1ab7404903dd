"""Lists what a wheel holds, and refuses build tools and symbols of a newer glibc.

usage: wheel_contents.py [--glibc 2.28] WHEEL
"""

from __future__ import annotations

import argparse
import collections
import io
import re
import sys
import zipfile
from pathlib import PurePosixPath

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

# Sources for cards are meant to be there: `aclquant kernels build` compiles them.
SOURCES = "aclquant/_kernels/"
BUILD_TOOLS = re.compile(r"(CMakeLists\.txt|/_ffi/generate\.py|\.cpp|\.c|\.cmake\.in)$")


def part(name: str) -> str:
    """Return the row of the table that a file belongs to."""
    path = PurePosixPath(name)
    if ".so" in path.suffixes:
        return str(path)
    if path.parts[0] != "aclquant":
        return "metadata"
    if path.parts[1] in ("_toolkit", "_kernels"):
        return f"aclquant/{path.parts[1]}/: other files"
    return "Python and its types"


def newest_glibc(data: bytes) -> tuple[int, ...]:
    """Return the newest version of glibc that an ELF file needs."""
    found: list[tuple[int, ...]] = [(0,)]
    for section in ELFFile(io.BytesIO(data)).iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for _, versions in section.iter_versions():
                for version in versions:
                    if match := re.fullmatch(r"GLIBC_([\d.]+)", version.name):
                        found.append(tuple(map(int, match[1].split("."))))
    return max(found)


def main() -> int:
    """Print the table; return 1 if something is in the wheel that should not be there."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--glibc")
    parser.add_argument("wheel")
    arguments = parser.parse_args()
    sizes: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0, 0])
    wrong = []
    with zipfile.ZipFile(arguments.wheel) as wheel:
        for entry in wheel.infolist():
            row = sizes[part(entry.filename)]
            for column, value in enumerate((1, entry.compress_size, entry.file_size)):
                row[column] += value
            if BUILD_TOOLS.search(entry.filename) and not entry.filename.startswith(SOURCES):
                wrong.append(f"{entry.filename}: a build tool")
            if arguments.glibc and ".so" in entry.filename:
                needed = newest_glibc(wheel.read(entry))
                if needed > tuple(map(int, arguments.glibc.split("."))):
                    wrong.append(f"{entry.filename}: needs glibc {'.'.join(map(str, needed))}")
    print("| part | files | KiB packed | KiB unpacked |\n|---|---|---|---|")
    rows = sorted(sizes.items(), key=lambda row: -row[1][1])
    total = [sum(row[column] for _, row in rows) for column in range(3)]
    for name, (files, packed, unpacked) in [*rows, ("total", total)]:
        print(f"| {name} | {files} | {packed / 1024:.0f} | {unpacked / 1024:.0f} |")
    for fault in wrong:
        print(fault, file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
