"""Write docs/c-abi.md: each function of the C interface, each name that clients use, its state.

Run it after a change of headers, exports or refusals: ``python docs/generate_c_abi.py``. Everything
is read from the tree: ``include/``, the list of exports in ``tests/abi``, the sources of what is
refused, the prototypes that ``tests/abi/test_headers.py`` compares, and ``tests/abi/clients``.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "c-abi.md"
TESTS = ROOT / "tests" / "abi"
PHASE_1 = "GetWorkspaceSize"

# Letter in the tables: list of names in tests/abi/clients.
CLIENTS = {
    "E": "cann_examples",
    "R": "torch_npu_required",
    "L": "torch_npu_looked_up",
    "O": "torch_npu_operators",
    "C": "other_clients",
}


def declared() -> dict[str, str]:
    """Return name to header, for each function in ``include/``."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "include").rglob("*.h")):
        if path.name == "trace.h":  # the tracer's own, in another library
            continue
        text = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text("utf-8"), flags=re.DOTALL)
        prototypes = re.findall(
            r"^(?:ACL_FUNC_VISIBILITY|ACLNN_API|ACLQUANT_API) [^(;]*?(\w+)\(", text, re.MULTILINE
        )
        found |= dict.fromkeys(prototypes, path.relative_to(ROOT / "include").as_posix())
    return found


def exported() -> set[str]:
    """Return the functions that the host device exports."""
    return set((TESTS / "exported_functions.txt").read_text("utf-8").split())


def refused() -> set[str]:
    """Return the exported functions whose only answer is an error with a reason."""
    definition = re.compile(r"(\w+)\([^;{}]*\)\s*\{\s*return refuse\w*\(__func__")
    found: set[str] = set()
    for path in (ROOT / "ascend_kernels" / "host" / "api").glob("*.cpp"):
        found.update(definition.findall(path.read_text("utf-8")))
    return found


def checked() -> set[str]:
    """Return the functions whose types a test compares with a prototype apart from the headers."""
    text = (TESTS / "prototypes.txt").read_text("utf-8")
    found = set(re.findall(r"(\w+)\(.*\)$", text, re.MULTILINE))
    tree = ast.parse((TESTS / "test_headers.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PROTOTYPES":
            assert isinstance(node.value, ast.Dict)
            return found | {ast.literal_eval(key) for key in node.value.keys if key is not None}
    raise LookupError("tests/abi/test_headers.py has no PROTOTYPES")


def clients() -> dict[str, set[str]]:
    """Return letter to names, for each list of names in ``tests/abi/clients``."""
    found = {}
    for letter, name in CLIENTS.items():
        lines = (TESTS / "clients" / f"{name}.txt").read_text("utf-8").splitlines()
        found[letter] = {line for line in lines if not line.startswith("#")}
    return found


def page() -> str:
    """Return the text of the page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    headers, exports, no, types, users = declared(), exported(), refused(), checked(), clients()

    def state(name: str) -> str:
        if name not in exports:
            return "absent"
        return "refused" if name in no else "implemented"

    def letters(*names: str) -> str:
        return " ".join(letter for letter, used in users.items() if not used.isdisjoint(names))

    yield from _introduction()
    yield from _summary(headers, state_of={name: state(name) for name in headers}, types=types)

    yield "## The runtime and the descriptors\n"
    for header in sorted(set(headers.values())):
        if header.startswith("aclnnop/"):
            continue
        yield f"### {header}\n"
        yield "| function | state | types | used by |\n|---|---|---|---|"
        for name in sorted(name for name, where in headers.items() if where == header):
            tick = "checked" if name in types else ""
            yield f"| `{name}` | {state(name)} | {tick} | {letters(name)} |"
        yield ""

    yield "## The operators\n"
    yield from _paragraph(
        "Two functions each, phase 1 (`...GetWorkspaceSize`) and phase 2, in the same state; those "
        "in one phase are marked. `types` says whether those of phase 1 are checked."
    )
    yield "| operator | header | state | types | used by |\n|---|---|---|---|---|"
    operators = {name: where for name, where in headers.items() if where.startswith("aclnnop/")}
    for name, header in sorted(operators.items()):
        if name.endswith(PHASE_1):
            continue
        both = name + PHASE_1 in operators
        first = name + PHASE_1 if both else name
        assert state(first) == state(name)
        tick = "checked" if first in types else ""
        phases = "" if both else " (one phase)"
        used = letters(name, first)
        yield f"| `{name}`{phases} | `{header[8:]}` | {state(name)} | {tick} | {used} |"
    yield ""
    yield from _torch_npu(users, exports, no)
    yield from _others(users, exports)


def _introduction() -> Iterator[str]:
    yield "# Every name of the C interface\n"
    yield from _paragraph(
        "How to use the interface is on [its own page](c-api.md). This one says for each function "
        "that the headers declare, and for each name that known clients use, what the host device "
        "does with it. It is made from the tree by `python docs/generate_c_abi.py`, and a test "
        "compares the two."
    )
    yield (
        "| word | meaning |\n|---|---|\n"
        "| implemented | exported, and does what it says |\n"
        "| refused | exported, because clients cannot be loaded without it; each call is an error "
        "with a reason (`tests/docs/test_c_abi.py` calls each) |\n"
        "| absent | declared for use with a card; the host device does not export it |\n"
        "| checked | `test_types_of_functions` in `tests/abi/test_headers.py` compares the types "
        "with CANN's documented ones, which are kept apart from the headers; the other functions "
        "agree with the host device and the binding, which are made from the same header |\n"
    )
    yield (
        "| letter | who uses it | list |\n|---|---|---|\n"
        "| E | the example programs of CANN's operators | `cann_examples.txt` |\n"
        "| R | torch_npu 2.13.0, which is not loaded without it | `torch_npu_required.txt` |\n"
        "| L | torch_npu 2.13.0, by `dlsym` | `torch_npu_looked_up.txt` |\n"
        "| O | torch_npu 2.13.0, as an operator | `torch_npu_operators.txt` |\n"
        "| C | ggml, PaddlePaddle or MindSpore | `other_clients.txt` |\n"
    )
    yield from _paragraph(
        "The lists are in `tests/abi/clients`; the first lines of each say how it was obtained."
    )


def _summary(headers: dict[str, str], state_of: dict[str, str], types: set[str]) -> Iterator[str]:
    yield "| headers | declared | implemented | refused | absent | types checked |"
    yield "|---|---|---|---|---|---|"
    for folder in sorted({header.split("/")[0] for header in headers.values()}):
        names = [name for name, header in headers.items() if header.startswith(f"{folder}/")]
        counts = [
            sum(state_of[name] == state for name in names)
            for state in ("implemented", "refused", "absent")
        ]
        numbers = " | ".join(str(n) for n in [len(names), *counts, len(types.intersection(names))])
        yield f"| `{folder}/` | {numbers} |"
    yield ""


def _torch_npu(users: dict[str, set[str]], exports: set[str], no: set[str]) -> Iterator[str]:
    required, looked_up, operators = users["R"], users["L"], users["O"]
    there = {name for name in operators if {name, name + PHASE_1} <= exports}
    yield "## What torch_npu gets\n"
    yield "| names | number | implemented | refused | absent |\n|---|---|---|---|---|"
    rows = (("required", required), ("looked up", looked_up), ("operators", operators))
    for title, names in rows:
        numbers = (len(names), len(names & exports - no), len(names & no), len(names - exports))
        yield f"| {title} | {' | '.join(str(n) for n in numbers)} |"
    yield ""
    yield from _paragraph("Operators stand without their prefix `aclnn` here.")
    yield "### Looked up, and absent\n"
    yield from _names(looked_up - exports)
    yield "### Operators that are there\n"
    yield from _names(there, drop="aclnn")
    yield "### Operators that are absent\n"
    yield from _paragraph("Calling one raises, see [torch_npu](torch_npu.md).")
    yield from _names(operators - there, drop="aclnn")


def _others(users: dict[str, set[str]], exports: set[str]) -> Iterator[str]:
    yield "## What other clients use, and is absent\n"
    for title, letter in (("CANN's examples", "E"), ("ggml, PaddlePaddle, MindSpore", "C")):
        yield f"{title}:\n"
        yield from _names(users[letter] - exports)


def _names(names: Collection[str], drop: str = "") -> Iterator[str]:
    """Yield a block of names; of operators, a paragraph for each initial."""
    if not names:
        yield "None.\n"
        return
    short = sorted(name.removeprefix(drop) for name in names)
    groups: Iterable[list[str]] = [short]
    if drop:
        groups = [[n for n in short if n[0] == c] for c in sorted({n[0] for n in short})]
    yield "```text"
    for group in groups:
        yield textwrap.fill(" ".join(group), 118, break_long_words=False, break_on_hyphens=False)
    yield "```\n"


def _paragraph(text: str) -> Iterator[str]:
    yield textwrap.fill(text, 140, break_long_words=False, break_on_hyphens=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
