"""Lists what a wheel holds, and refuses what should not be there, or is missing.

Refused are build tools, tests, symbols of a newer glibc, and a size that only a mistake explains.

usage: wheel_contents.py [--glibc 2.28] WHEEL
"""

from __future__ import annotations

import argparse
import collections
import io
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

PARTS = re.compile(r"aclquant/|aclquant-[^/]+\.dist-info/")
# Sources for cards are meant to be there: `aclquant kernels build` compiles them.
SOURCES = "aclquant/_kernels/"
BUILD_TOOLS = re.compile(
    r"(CMakeLists\.txt|/_ffi/generate\.py|\.cpp|\.c|\.o|\.a|\.cmake\.in|\.inc|\.pyc)$"
)
NEEDED = [
    "aclquant/py.typed",
    "aclquant/_ffi/_functions.py",
    "aclquant/_ffi/_replay.abi3.so",
    "aclquant/_kernels/",
    "aclquant/_toolkit/include/acl/acl.h",
    "aclquant/_toolkit/lib64/cmake/aclquant/aclquantConfig.cmake",
    "aclquant/_toolkit/lib64/libaclquant_host.so",
    "aclquant/_toolkit/lib64/libaclquant_trace.so",
    "aclquant/_toolkit/lib64/libge_runner.so",
    "aclquant/_toolkit/lib64/libopapi.so",
    "aclquant/_toolkit/lib64/pkgconfig/aclquant.pc",
]
MOST = 8 * 1024 * 1024  # bytes packed, about twice the size of today


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


def table(wheel: zipfile.ZipFile) -> Iterator[str]:
    """Yield the lines of a table of the parts and their sizes."""
    sizes: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0, 0])
    for entry in wheel.infolist():
        row = sizes[part(entry.filename)]
        for column, value in enumerate((1, entry.compress_size, entry.file_size)):
            row[column] += value
    yield "| part | files | KiB packed | KiB unpacked |"
    yield "|---|---|---|---|"
    rows = sorted(sizes.items(), key=lambda row: -row[1][1])
    total = [sum(row[column] for _, row in rows) for column in range(3)]
    for name, (files, packed, unpacked) in [*rows, ("total", total)]:
        yield f"| {name} | {files} | {packed / 1024:.0f} | {unpacked / 1024:.0f} |"


def faults(wheel: zipfile.ZipFile, glibc: str | None = None) -> Iterator[str]:
    """Yield a sentence for each thing that is wrong with a wheel."""
    names = wheel.namelist()
    for needed in NEEDED:
        if not any(name.startswith(needed) for name in names):
            yield f"{needed}: missing"
    for name in names:
        if PARTS.match(name) is None:
            yield f"{name}: not a part of the package"
        elif BUILD_TOOLS.search(name) and not name.startswith(SOURCES):
            yield f"{name}: a build tool"
        elif glibc is not None and ".so" in PurePosixPath(name).suffixes:
            newest = newest_glibc(wheel.read(name))
            if newest > tuple(map(int, glibc.split("."))):
                yield f"{name}: needs glibc {'.'.join(map(str, newest))}"
    packed = sum(entry.compress_size for entry in wheel.infolist())
    if packed > MOST:
        yield f"{packed} bytes packed, at most {MOST} are expected"


def main() -> int:
    """Print the table and the faults; return 1 if there are any."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--glibc")
    parser.add_argument("wheel")
    arguments = parser.parse_args()
    with zipfile.ZipFile(arguments.wheel) as wheel:
        print(*table(wheel), sep="\n")
        wrong = list(faults(wheel, arguments.glibc))
    for fault in wrong:
        print(fault, file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
