"""What a binary, a wheel or a Python file wants of CANN, and whether a backend has it."""

from __future__ import annotations

import ast
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from .. import errors
from .._ffi.declarations import functions
from .._ffi.library import Library, load

__all__ = ["Needs", "needs"]

_NAME = re.compile(
    rb"\b(?:aclnn[A-Z]\w+|aclop[A-Z]\w+|acl(?:rt|mdl|tdt|prof|sys|grph|dvpp|nn|mdlRI)[A-Z]\w*|"
    rb"acl[A-Z][a-z]\w+|Hccl[A-Z]\w+|Msprof[A-Z]\w+|rt[A-Z][a-z]\w+|ge[A-Z][a-z]\w+)\b"
)
_LIBRARY = re.compile(
    rb"lib(?:ascendcl|acl_\w+|nnopbase|opapi\w*|hccl|ge_\w+|graph|ascend\w*|runtime|msprofiler|"
    rb"cust_opapi|profapi|tiling_api|register|platform|acl_op_compiler)\.so"
)
_MANGLED_GE = re.compile(r"^_ZNK?2ge")
_OPERATOR = re.compile(r"(aclnn\w+?)(?:GetWorkspaceSize)?$")
_TYPES = frozenset(
    ["aclTensor", "aclScalar", "aclIntArray", "aclFloatArray", "aclBoolArray", "aclTensorList",
     "aclScalarList", "aclOpExecutor", "aclDataType", "aclFormat", "aclError", "aclnnStatus",
     "aclDataBuffer", "aclTensorDesc"]
)  # fmt: skip


@dataclass
class Needs:
    """What a program wants, sorted by what a backend makes of it.

    Attributes
    ----------
    target : str
        What was looked at.
    backend : str
        Against which libraries.
    files : list of str
        Binaries and Python files in it that want anything.
    libraries : dict of str to str
        Sonames wanted, and "there" or "missing".
    names : dict of str to dict
        Name to ``state`` (there, refused, missing), ``how`` (linked, looked up, Python) and
        ``signature`` (known, unknown).
    """

    target: str
    backend: str
    files: list[str] = field(default_factory=list)
    libraries: dict[str, str] = field(default_factory=dict)
    names: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def missing(self) -> list[str]:
        """Names that the program is linked with and the backend does not have."""
        return [
            name
            for name, row in self.names.items()
            if row["state"] != "there" and row["how"] == "linked"
        ]

    @property
    def complete(self) -> bool:
        """Whether the program can be loaded: linked names and libraries are all there."""
        return not self.missing and "missing" not in self.libraries.values()

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return {**vars(self), "missing": self.missing, "complete": self.complete}

    def __str__(self) -> str:
        lines = [f"{self.target}, against {self.backend}"]
        if not self.names and not self.libraries:
            return f"{lines[0]}: wants nothing of CANN"
        for library, state in sorted(self.libraries.items()):
            lines.append(f"  {library:28} {state}")
        counts: dict[tuple[str, str], list[str]] = {}
        for name, row in sorted(self.names.items()):
            counts.setdefault((row["how"], row["state"]), []).append(name)
        for (how, state), names in sorted(counts.items()):
            lines.append(f"  {how}, {state}: {len(names)}")
            if state != "there":
                lines += [f"    {name}" for name in names]
        unknown = sorted(n for n, row in self.names.items() if row["signature"] == "unknown")
        if unknown:
            lines.append(f"  signature not known to aclquant: {len(unknown)}")
        lines.append(
            "it can be loaded" if self.complete else "it cannot be loaded: linked names are missing"
        )
        return "\n".join(lines)


def needs(target: str | os.PathLike[str], *, backend: str = "host") -> Needs:
    """List the names of CANN that a program wants.

    Parameters
    ----------
    target : path
        An ELF file, a wheel, a Python file, or a directory with any of them.
    backend : str
        "host", "cann", or a path, as for `aclquant.use_backend`.

    Returns
    -------
    Needs
        Nothing is loaded but the backend; the program is only read.

    Raises
    ------
    ImportError
        When pyelftools is not installed (``pip install 'aclquant[elf]'``).
    ParameterError
        When `target` is nothing of that kind.
    """
    path = Path(target)
    if not path.exists():
        raise errors.ParameterError(
            function="aclquant.debug.needs",
            argument="target",
            got=f"{path}, which does not exist",
            allowed="an ELF file, a wheel, a Python file or a directory",
        )
    library = load(backend)
    found = Needs(str(path), _describe(library))
    some = False
    for name, content in _contents(path):
        some = True
        _read(found, name, content)
    if not some:
        raise errors.ParameterError(
            function="aclquant.debug.needs",
            argument="target",
            got=f"{path}, which is neither",
            allowed="an ELF file, a wheel, a Python file or a directory",
        )
    for name, row in found.names.items():
        row["state"] = _state(library, name)
        row["signature"] = "known" if name in functions else "unknown"
    folders = [Path(file.real_path).parent for file in library.files]
    for name in found.libraries:
        there = any((folder / name).exists() for folder in folders)
        found.libraries[name] = "there" if there else "missing"
    return found


def _describe(library: Library) -> str:
    return f"{library.name} ({', '.join(file.real_path for file in library.files)})"


def _contents(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if path.is_dir():
        # os.walk passes over folders that vanish or cannot be read.
        files = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
        for inner in sorted(files):
            if inner.is_file() and not inner.is_symlink():
                yield from _contents_of(inner, str(inner.relative_to(path)))
    else:
        yield from _contents_of(path, path.name)


def _contents_of(path: Path, name: str) -> Iterator[tuple[str, IO[bytes]]]:
    if path.suffix in (".whl", ".zip"):
        try:
            archive = zipfile.ZipFile(path)
        except zipfile.BadZipFile as error:
            raise errors.ParameterError(
                f"{path}: {error}", function="aclquant.debug.needs"
            ) from error
        with archive:
            for entry in archive.infolist():
                if _is_binary_name(entry.filename) or entry.filename.endswith(".py"):
                    yield entry.filename, BytesIO(archive.read(entry))
    else:
        with path.open("rb") as file:
            head = file.read(4)
            file.seek(0)
            if head == b"\x7fELF" or path.suffix == ".py":
                yield name, file


def _is_binary_name(name: str) -> bool:
    return bool(re.search(r"\.so(\.\d+)*$", name)) or ".data/scripts/" in name


def _read(found: Needs, name: str, file: IO[bytes]) -> None:
    if name.endswith(".py"):
        names = set(_python_names(file.read()))
        libraries: set[str] = set()
        wanted = {n: "Python" for n in names}
    else:
        wanted, libraries = _elf_names(file)
    if not wanted and not libraries:
        return
    found.files.append(name)
    for library in libraries:
        found.libraries.setdefault(library, "")
    for one, how in wanted.items():
        before = found.names.get(one)
        if before is None or (before["how"] != "linked" and how == "linked"):
            found.names[one] = {"how": how}


def _elf_names(file: IO[bytes]) -> tuple[dict[str, str], set[str]]:
    from elftools.common.exceptions import ELFError
    from elftools.elf.dynamic import DynamicSection
    from elftools.elf.elffile import ELFFile
    from elftools.elf.sections import SymbolTableSection

    wanted: dict[str, str] = {}
    libraries: set[str] = set()
    own: set[str] = set()
    try:
        elf = ELFFile(file)
        for section in elf.iter_sections():
            if isinstance(section, DynamicSection):
                libraries |= {
                    str(tag.needed)  # type: ignore[attr-defined]
                    for tag in section.iter_tags("DT_NEEDED")
                    if _LIBRARY.fullmatch(tag.needed.encode())  # type: ignore[attr-defined]
                }
            elif isinstance(section, SymbolTableSection) and section.name == ".dynsym":
                for symbol in section.iter_symbols():
                    if symbol["st_shndx"] != "SHN_UNDEF":
                        own.add(symbol.name)
                    elif _is_ours(symbol.name):
                        wanted[symbol.name] = "linked"
        for section in elf.iter_sections():
            if section.name in (".rodata", ".data", ".rodata.str", ".data.rel.ro"):
                for text in _NAME.findall(section.data()):
                    one = text.decode()
                    if one not in own and _looked_up(one):
                        wanted.setdefault(one, "looked up")
    except ELFError:
        return {}, set()
    return wanted, libraries


def _is_ours(name: str) -> bool:
    return bool(_NAME.fullmatch(name.encode()) or _MANGLED_GE.match(name))


def _looked_up(name: str) -> bool:
    """Tell whether a text in a binary is a function's name, not a type's or a message's word."""
    return name in functions or (
        name.startswith(("aclnn", "aclrt", "aclmdl", "aclop", "Hccl", "Msprof"))
        and name not in _TYPES
    )


def _python_names(text: bytes) -> Iterator[str]:
    """Yield names in strings and attributes: those that ctypes, cffi and dlsym look up."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for found in _NAME.findall(node.value.encode(errors="replace")):
                if _looked_up(found.decode()):
                    yield found.decode()
        elif isinstance(node, ast.Attribute) and node.attr in functions:
            yield node.attr


def _state(library: Library, name: str) -> str:
    if name.startswith("_Z"):
        return "there" if _has_neighbour(library, name) else "missing"
    if library.has(name) or _has_neighbour(library, name):
        return "there"
    return "refused" if _is_refused(library, name) else "missing"


def _neighbours(library: Library, pattern: str) -> Iterator[Path]:
    for file in library.files:
        yield from sorted(Path(file.real_path).parent.glob(pattern))


def _defined(path: Path) -> frozenset[str]:
    found = _defined_cache.get(path)
    if found is None:
        from elftools.elf.elffile import ELFFile
        from elftools.elf.sections import SymbolTableSection

        with path.open("rb") as file:
            section = ELFFile(file).get_section_by_name(".dynsym")
            assert isinstance(section, SymbolTableSection)
            names = [s.name for s in section.iter_symbols() if s["st_shndx"] != "SHN_UNDEF"]
        found = _defined_cache[path] = frozenset(names)
    return found


_defined_cache: dict[Path, frozenset[str]] = {}


def _has_neighbour(library: Library, name: str) -> bool:
    return any(name in _defined(path) for path in _neighbours(library, "libge_runner.so"))


def _is_refused(library: Library, name: str) -> bool:
    """Tell whether the host device has the name only to refuse it, for torch_npu's sake."""
    return any(name in _defined(path) for path in _neighbours(library, "libaclnn_ops_infer.so"))
