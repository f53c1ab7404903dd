"""What is known of an operator: prototype, formula, and the types and shapes each chip takes.

Types and shapes are not written down here: phase 1 of the host device is asked, as each chip. A
refusal names the argument and what is allowed, so a call that is accepted is found step by step;
then the type of each tensor is varied.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import errors
from .._ffi import CData, ffi
from .._ffi.check import error_text
from .._ffi.declaration import Function
from .._ffi.declarations import functions
from .._ffi.library import Library, load
from .._ffi.locate import HEADERS, bundled
from ..operators import PHASE_ONE

__all__ = ["CHIPS", "OperatorPage", "look_up"]

CHIPS = ("Ascend910B1", "Ascend910_9391", "Ascend310P3", "Ascend950PR_9599")
"""One name of each chip family."""

_BLAME = re.compile(r"argument '([^']*)': got (.*); allowed: (.*)")
_DTYPES = (
    *("FLOAT", "FLOAT16", "BF16", "INT8", "UINT8", "INT16", "INT32", "INT64", "UINT64", "INT4"),
    *("BOOL", "DOUBLE", "FLOAT8_E4M3FN", "FLOAT8_E5M2", "HIFLOAT8", "FLOAT4_E2M1"),
)
_STEPS = 60


@dataclass
class OperatorPage:
    """What is known of an operator.

    Attributes
    ----------
    name : str
        Of its phase 2.
    header : str
        Where it is declared.
    prototype : str
        Of its phase 1.
    summary : str
        What it computes: the first sentences of its header.
    notes : str
        The comment at its prototype.
    outputs : list of str
        Arguments that it writes.
    python : str
        The function of aclquant that calls it; empty when there is none.
    page : str
        The page of the documentation.
    backend : str
        Which backend was asked, and whether it has the operator.
    there : bool
        Whether it has.
    chips : dict of str to dict
        Chip to ``example`` (an accepted call) and ``dtypes`` (argument to the types that are
        accepted when the others follow), or to ``refused``, a sentence.
    """

    name: str
    header: str
    prototype: str
    summary: str
    notes: str
    outputs: list[str]
    python: str
    page: str
    backend: str = ""
    there: bool = False
    chips: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        return dict(vars(self))

    def __str__(self) -> str:
        lines = [f"{self.name}  ({self.header})", f"  {self.summary}", "", self.prototype]
        if self.notes:
            lines += ["", *(f"  {line}" for line in self.notes.splitlines())]
        lines += ["", f"writes    {', '.join(self.outputs)}"]
        if self.python:
            lines.append(f"Python    {self.python}")
        lines += [f"page      {self.page}", f"backend   {self.backend}"]
        for chip, row in self.chips.items():
            lines += ["", chip]
            if "refused" in row:
                lines.append(f"  {row['refused']}")
                continue
            lines.append(f"  accepted  {row['example']}")
            lines += [f"  {name:9} {', '.join(types)}" for name, types in row["dtypes"].items()]
        return "\n".join(lines)


def look_up(name: str, *, backend: str = "", chips: tuple[str, ...] | None = None) -> OperatorPage:
    """Describe an operator.

    Parameters
    ----------
    name : str
        ``aclnnQuantize``, ``Quantize``, ``quantize`` or ``npu_quantize``.
    backend : str, optional
        Which backend to ask whether it has the operator; the host device by default.
    chips : tuple of str, optional
        As which chips to ask the host device; one of each family by default.

    Raises
    ------
    ParameterError
        When no header declares such an operator (near names are in the text), or the host device
        cannot behave as one of `chips`.
    """
    operator = _resolve(name)
    one = functions[operator + PHASE_ONE]
    from ..operators import operator as known

    summary, notes = _comments(one)
    python = _python_name(operator)
    page = OperatorPage(
        operator,
        one.header,
        _wrapped(one),
        summary,
        notes,
        [one.parameters[p].name for p in sorted(known(operator).outputs)],
        f"aclquant.{python}" if python else "",
        f"docs/ops/{python}.md" if python else "docs/ops/everyday.md",
    )
    library = load(backend or "host")
    page.there = library.has(one.name)
    page.backend = f"{library.name}: {'has it' if page.there else 'does not have it'}"
    host = load("host")
    if not host.has(one.name):
        return page
    for chip in CHIPS if chips is None else chips:
        with _as_chip(host, chip) as refusal:
            if refusal and chips is not None:
                raise errors.ParameterError(refusal, function="aclquant op")
            page.chips[chip] = {"refused": refusal} if refusal else _ask(host, one)
    return page


def _resolve(name: str) -> str:
    every = {n.removesuffix(PHASE_ONE) for n in functions if n.endswith(PHASE_ONE)}
    plain = re.sub(
        "[^a-z0-9]", "", name.lower().removeprefix("npu_").removesuffix(PHASE_ONE.lower())
    )
    found = {re.sub("^aclnn", "", o).lower(): o for o in every}
    operator = found.get(plain.removeprefix("aclnn"))
    if operator is None:
        known = {_python_name(o): o for o in sorted(every, reverse=True) if _python_name(o)}
        operator = known.get(name.removeprefix("npu_"))
    if operator is None:
        from difflib import get_close_matches

        near = [found[n] for n in get_close_matches(plain, found, n=4, cutoff=0.5)]
        raise errors.ParameterError(
            f"{name}: no header declares such an operator"
            + (f"; did you mean {', '.join(near)}?" if near else ""),
            function="aclquant op",
        )
    return operator


def _python_name(operator: str) -> str:
    """Return the Python function whose module names this C function."""
    return _python_names().get(operator, "")


def _python_names() -> dict[str, str]:
    if not _names:
        folder = Path(__file__).parent.parent / "ops"
        for path in sorted(folder.glob("*.py")):
            if path.stem not in ("__init__", "common"):
                name = "dynamic_quant" if path.stem == "dynamic" else path.stem
                for one in re.findall(r"\"(aclnn\w+)\"", path.read_text(encoding="utf-8")):
                    _names.setdefault(one, name)
        _names.setdefault("", "")
    return _names


_names: dict[str, str] = {}


def _comments(one: Function) -> tuple[str, str]:
    path = Path(os.path.join(bundled(HEADERS), one.header))
    text = path.read_text(encoding="utf-8")
    comments = re.findall(r"/\*(.*?)\*/", text, re.DOTALL)
    clean = [" ".join(re.sub(r"^\s*\*", "", c, flags=re.MULTILINE).split()) for c in comments]
    head = re.sub(r"^SPDX-License-Identifier: \S+ ", "", clean[0]) if clean else ""
    head = re.sub(r"An independent description of the binary interface.*", "", head).strip()
    before = text[: text.index(one.name + "(")]
    at = before.rpartition("/*")[2].partition("*/")
    beside = re.fullmatch(r"\s*[\w\s]+", at[2]) is not None  # nothing but the result's type between
    own = " ".join(re.sub(r"^\s*\*", "", at[0], flags=re.MULTILINE).split()) if beside else ""
    return head, "" if own == "Phase 2." else own


def _wrapped(one: Function) -> str:
    parts = [f"    {p.type}{'' if p.type.endswith('*') else ' '}{p.name}" for p in one.parameters]
    return f"{one.result} {one.name}(\n" + ",\n".join(parts) + ")"


@contextmanager
def _as_chip(host: Library, chip: str) -> Iterator[str]:
    """Let the host device behave as a chip; yield why it cannot, or an empty text."""
    host.aclInit(ffi.NULL)
    error_text(host)
    before = ffi.string(host.aclrtGetSocName()).decode()
    is_it = chip == before or not host.aclquantSetSocName(chip.encode())
    usable = is_it and not host.aclrtSetDevice(0)
    sentence = error_text(host).partition("] aclquantSetSocName: ")[2].partition("\n")[0]
    try:
        yield "" if usable else sentence or f"the host device cannot behave as {chip}"
    finally:
        if usable:
            host.aclrtResetDevice(0)
        if chip != before:
            host.aclquantSetSocName(before.encode())
        error_text(host)


@dataclass
class _Tensor:
    dtype: str = "FLOAT"
    shape: tuple[int, ...] = (16, 16)
    null: bool = False


class _Trial:
    """Arguments that are changed until phase 1 accepts them."""

    def __init__(self, host: Library, one: Function) -> None:
        self.host, self.one = host, one
        self.parameters = one.parameters[:-2]
        self.values: dict[str, Any] = {}
        self.seen: Counter[tuple[str, str]] = Counter()
        for parameter in self.parameters:
            self.values[parameter.name] = self._first(parameter.type)

    def _first(self, type_: str) -> Any:
        bare = type_.replace("const ", "")
        if bare == "aclTensor *":
            return _Tensor()
        if bare == "char *":
            return "rint"
        if bare in ("float", "double"):
            return 1.0
        if bare == "bool":
            return False
        return 0

    def copy(self) -> _Trial:
        """Return the same arguments, to change them."""
        other = _Trial(self.host, self.one)
        for name, value in self.values.items():
            plain = not isinstance(value, _Tensor)
            other.values[name] = value if plain else _Tensor(value.dtype, value.shape, value.null)
        return other

    def solve(self, pinned: str = "") -> str:
        """Change what is refused until nothing is; return the last refusal, or an empty text."""
        text = ""
        self.seen = Counter()
        for _ in range(_STEPS):
            text = self.ask()
            if not text:
                return ""
            found = _BLAME.search(text)
            if found is None or not self._follow(found[1], found[2], found[3], pinned):
                return text
        return text

    def _follow(self, name: str, got: str, allowed: str, pinned: str) -> bool:
        """Take the first of what is allowed for an argument that was not tried before."""
        if name not in self.values:
            return False
        value = self.values[name]
        if isinstance(value, _Tensor):
            for option in self._options(got, allowed):
                key = (name, repr(option))
                if self.seen[key] > 2 or (
                    name == pinned and isinstance(option, str) and option != "null"
                ):
                    continue
                self.seen[key] += 1
                if option == "null":
                    value.null = True
                elif isinstance(option, str):
                    value.dtype, value.null = option, False
                else:
                    value.shape, value.null = option, False
                return True
            return False
        for number in re.findall(r"-?\d+|'[^']*'|\"[^\"]*\"|[a-z]\w+", allowed):
            key = (name, number)
            if self.seen[key] > 2:
                continue
            self.seen[key] += 1
            if isinstance(value, str):
                self.values[name] = number.strip("'\"")
            elif re.fullmatch(r"-?\d+", number):
                self.values[name] = int(number)
            else:
                continue
            return True
        dtypes = [d for d in re.findall(r"\b[A-Z][A-Z0-9_]+\b", allowed) if d in _DTYPES]
        for dtype in dtypes if isinstance(value, int) else []:
            key = (name, dtype)
            if self.seen[key] <= 2:
                self.seen[key] += 1
                self.values[name] = int(ffi.integer_const(f"ACL_{dtype}"))
                return True
        return False

    def _options(self, got: str, allowed: str) -> Iterator[Any]:
        if got.startswith("dtype"):
            yield from (d for d in re.findall(r"\b[A-Z][A-Z0-9_]+\b", allowed) if d in _DTYPES)
            return
        if got == "null":
            yield from [(16, 16), (16,)]
        for shape in re.findall(r"\(([\d, ]*)\)", allowed):
            yield tuple(int(n) for n in shape.replace(" ", "").split(",") if n)
        ranks = [
            int(n)
            for n in re.findall(r"(?:rank|dimensions?) (\d)|(\d)-D|^(\d) to \d", allowed)
            for n in n
            if n
        ]
        for rank in ranks:
            yield (16,) * rank
        yield from [(16,), (1,), (16, 16), (1, 16), (16, 1), (1, 16, 16), (2,), ()]
        if "null" in allowed or "no " in allowed or "nothing" in allowed:
            yield "null"

    def ask(self) -> str:
        """Call phase 1; return the sentence of a refusal, or an empty text."""
        host, made = self.host, []
        arguments: list[Any] = []
        keep: list[Any] = []
        size, executor = ffi.new("uint64_t *"), ffi.new("aclOpExecutor **")
        try:
            for parameter in self.parameters:
                value = self.values[parameter.name]
                bare = parameter.type.replace("const ", "")
                if isinstance(value, _Tensor):
                    handle = ffi.NULL if value.null else self._tensor(value)
                    if handle:
                        made.append(("aclDestroyTensor", handle))
                elif bare == "char *":
                    handle = ffi.new("char[]", value.encode())
                    keep.append(handle)
                elif bare == "aclScalar *":
                    data = ffi.new("float *", 1.0)
                    handle = host.aclCreateScalar(data, ffi.integer_const("ACL_FLOAT"))
                    made.append(("aclDestroyScalar", handle))
                elif bare == "aclIntArray *":
                    handle = host.aclCreateIntArray([0], 1)
                    made.append(("aclDestroyIntArray", handle))
                elif bare.endswith("*"):
                    handle = ffi.NULL
                else:
                    handle = value
                arguments.append(handle)
            status = host.bind(self.one)(*arguments, size, executor)
            text = error_text(host)
            if not status:
                host.aclSetAclOpExecutorRepeatable(executor[0])
                host.aclDestroyAclOpExecutor(executor[0])
                return ""
            return text.splitlines()[0] if text else f"status {status}"
        finally:
            for destroy, handle in made:
                getattr(host, destroy)(handle)

    def _tensor(self, value: _Tensor) -> CData:
        shape = value.shape or ffi.NULL
        return self.host.aclCreateTensor(
            shape,
            len(value.shape),
            ffi.integer_const(f"ACL_{value.dtype}"),
            ffi.NULL,
            0,
            ffi.integer_const("ACL_FORMAT_ND"),
            shape,
            len(value.shape),
            ffi.cast("void *", 4096),
        )

    def text(self) -> str:
        """Write the arguments."""
        parts = []
        for parameter in self.parameters:
            name, value = parameter.name, self.values[parameter.name]
            if parameter.type.endswith("aclScalar *"):
                value = "FLOAT(1)"
            elif parameter.type.endswith("aclIntArray *"):
                value = "[0]"
            elif isinstance(value, _Tensor):
                shape = ",".join(map(str, value.shape))
                value = "null" if value.null else f"{value.dtype}[{shape}]"
            parts.append(f"{name}={value}")
        return ", ".join(parts)


def _ask(host: Library, one: Function) -> dict[str, Any]:
    trial = _Trial(host, one)
    last = trial.solve()
    if last:
        sentence = last.split("] ", 1)[-1]
        return {"refused": f"no accepted call was found by asking; the last refusal: {sentence}"}
    row: dict[str, Any] = {"example": trial.text(), "dtypes": {}}
    found: dict[str, set[str]] = {
        name: {value.dtype}
        for name, value in trial.values.items()
        if isinstance(value, _Tensor) and not value.null
    }
    attributes = [
        p.name
        for p in trial.parameters
        if p.type == "aclDataType" or re.search("dtype|dst_?type", p.name, re.IGNORECASE)
    ]
    for name in [*found, *attributes]:
        for dtype in _DTYPES:
            other = trial.copy()
            value = other.values[name]
            if isinstance(value, _Tensor):
                value.dtype = dtype
            else:
                other.values[name] = int(ffi.integer_const(f"ACL_{dtype}"))
            if other.solve(pinned=name):
                continue
            for tensor, known in found.items():  # whatever was accepted together counts
                kept = other.values[tensor]
                if not kept.null:
                    known.add(kept.dtype)
    row["dtypes"] = {name: [d for d in _DTYPES if d in known] for name, known in found.items()}
    return row
