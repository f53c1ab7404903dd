"""Loaded libraries and their functions."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from ..errors import LibraryNotFoundError, SymbolNotFoundError
from . import CData, ffi
from .declaration import Function
from .declarations import functions
from .locate import (
    FEATURES,
    META,
    OPERATORS,
    RUNTIME,
    Place,
    custom_operator_libraries,
    is_stub,
    places,
)

__all__ = ["Library", "LibraryFile", "load", "open_file", "use_wrapper"]

_linker = ffi.dlopen(None)
_dlerror = _linker.dlerror  # bound now: binding it later would clear the error it should report


class LibraryFile(NamedTuple):
    """One opened file: what it was asked for, where it really is, and how it was found."""

    path: str
    real_path: str
    how: str
    stub: bool
    handle: CData


class Library:
    """The functions of a backend, bound when first used.

    ``library.aclrtMalloc`` is a cffi function pointer of the type that the headers declare.

    Parameters
    ----------
    name : str
        "host", "cann" or the path it was asked for.
    files : sequence of LibraryFile
        Opened files; names beginning with ``aclnn`` are looked up from the last to the first,
        all others from the first to the last.
    """

    def __init__(self, name: str, files: list[LibraryFile]) -> None:
        self.name = name
        self.files = tuple(files)

    def __getattr__(self, name: str) -> Any:
        function = functions.get(name)
        if function is None:
            if name.startswith("__"):
                raise AttributeError(name)
            raise SymbolNotFoundError("is not declared in aclquant's headers", function=name)
        return self.bind(function)

    def bind(self, function: Function) -> Any:
        """Return `function` as a callable of its declared type, and remember it.

        Raises
        ------
        SymbolNotFoundError
            When no file of this library has the symbol.
        """
        bound = self.__dict__.get(function.name)
        if bound is None:
            address = self._address(function.name)
            if not address:
                raise SymbolNotFoundError(
                    f"no such symbol in {', '.join(file.path for file in self.files)}",
                    function=function.name,
                )
            if _wrapper is not None and _wrapped is self:
                address = _wrapper(function.name.encode(), address)
            bound = ffi.cast(function.pointer_type, address)
            self.__dict__[function.name] = bound
        return bound

    def has(self, name: str) -> bool:
        """Tell whether a function of this name is exported."""
        return name in self.__dict__ or bool(self._address(name))

    @property
    def explains_refusals(self) -> bool:
        """Whether a refusal of phase 1 names the argument, what it got and what is allowed."""
        return self.has("aclquantVersion")

    def describe(self) -> list[dict[str, object]]:
        """Return one dictionary per opened file: path, real_path, how, stub."""
        return [
            {"path": f.path, "real_path": f.real_path, "how": f.how, "stub": f.stub}
            for f in self.files
        ]

    def __repr__(self) -> str:
        return f"<Library {self.name}: {', '.join(f.real_path for f in self.files)}>"

    def _address(self, name: str) -> CData:
        symbol = name.encode()
        files = reversed(self.files) if name.startswith("aclnn") else self.files
        for file in files:
            address = _linker.dlsym(file.handle, symbol)
            if address:
                return address
        return None


_loaded: dict[tuple[str, ...], Library] = {}
_wrapper: Any = None
_wrapped: Library | None = None


def use_wrapper(library: Library, wrapper: Any) -> None:
    """Bind `library`'s functions through `wrapper`, for the tracer; None ends that.

    What was bound before is looked up anew. Wrapped functions stay valid where they are held.
    """
    global _wrapper, _wrapped
    _wrapper, _wrapped = wrapper, library
    for name in [name for name in library.__dict__ if name not in ("name", "files")]:
        library.__dict__.pop(name, None)


def open_file(path: str) -> Library:
    """Open one library that is not a backend."""
    attempts: list[str] = []
    file = _open(path, Place(path, "given path"), attempts, "", now=True)
    if file is None:
        raise LibraryNotFoundError(attempts[-1].strip(), function="dlopen")
    return Library(path, [file])


def load(backend: str) -> Library:
    """Load the libraries of "host", "cann", or those at a path; once per process.

    Raises
    ------
    LibraryNotFoundError
        When they cannot be found or opened; the text lists each place and the loader's reason.
    """
    candidates = list(places(backend))
    key = (backend, *(place.path for place in candidates))
    library = _loaded.get(key)
    if library is None:
        library = _loaded[key] = _load(backend, candidates)
    return library


def _load(backend: str, candidates: list[Place]) -> Library:
    attempts: list[str] = []
    for place in candidates:
        if backend == "host" or os.path.isfile(place.path):
            file = _open(place.path, place, attempts, "aclInit", now=True)
            files = [file] if file else []
        else:
            files = _open_cann(place, attempts)
        library = Library(backend, files)
        if files and library.has("aclInit"):
            return library
        if files:
            attempts.append("    which has no aclInit: it is not a library of CANN's runtime")
    raise LibraryNotFoundError(
        f"no usable library for the backend '{backend}' (names: auto, cann, host; or a path)",
        function="aclquant.use_backend",
        detail="\n".join(["places tried, in order:", *attempts]),
    )


def _open_cann(place: Place, attempts: list[str]) -> list[LibraryFile]:
    if place.path and not os.path.isdir(place.path):
        attempts.append(f"  {place.path} ({place.how}): no such directory")
        return []
    runtime = _first(RUNTIME, place, attempts, "aclInit")
    meta = _first(META, place, attempts, "aclCreateTensor") if runtime else None
    if runtime is None or meta is None:
        return []
    operators: list[LibraryFile] = []
    for group in OPERATORS:
        opened = [_open(place.file(name), place, attempts, "") for name in group]
        operators = [file for file in opened if file]
        if operators:
            break
    if not operators:
        return []
    ignored: list[str] = []
    extra = [_open(place.file(name), place, ignored, "") for name in FEATURES]
    custom = [_open(p.path, p, ignored, "") for p in custom_operator_libraries()]
    # Names of operators are looked up from the end: the first custom package wins.
    return [runtime, meta, *operators, *(f for f in extra if f), *(f for f in custom[::-1] if f)]


def _first(
    names: tuple[str, ...], place: Place, attempts: list[str], symbol: str
) -> LibraryFile | None:
    for name in names:
        file = _open(place.file(name), place, attempts, symbol)
        if file is not None:
            return file
    return None


def _open(
    path: str, place: Place, attempts: list[str], symbol: str, *, now: bool = False
) -> LibraryFile | None:
    # Operator libraries of CANN have unresolved optional symbols: bind lazily, as torch_npu does.
    flags = (os.RTLD_NOW if now else os.RTLD_LAZY) | os.RTLD_LOCAL
    if place.loaded_only:
        flags |= os.RTLD_NOLOAD
    handle = _linker.dlopen(path.encode(), flags)
    if not handle:
        reason = _dlerror()
        text = ffi.string(reason).decode(errors="replace") if reason else "not loaded"
        attempts.append(f"  {path} ({place.how}): {text}")
        return None
    real_path = _real_path(path, handle, symbol)
    attempts.append(f"  {path} ({place.how}): opened {real_path}")
    return LibraryFile(path, real_path, place.how, is_stub(real_path), handle)


def _real_path(path: str, handle: CData, symbol: str) -> str:
    """Return the file behind a handle; the loader knows it for names without a directory."""
    if "/" not in path and symbol:
        info = ffi.new("Dl_info *")
        address = _linker.dlsym(handle, symbol.encode())
        if address and _linker.dladdr(address, info) and info.dli_fname:
            name: str = ffi.string(info.dli_fname).decode(errors="replace")
            return os.path.realpath(name)
    return os.path.realpath(path) if "/" in path else path
