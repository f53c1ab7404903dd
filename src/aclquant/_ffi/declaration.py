"""One C prototype, taken apart."""

from __future__ import annotations

import re
from typing import NamedTuple

_PROTOTYPE = re.compile(
    r"(?P<result>[\w\s*]+?)\s*\b(?P<name>[A-Za-z_]\w*)\s*\((?P<inside>.*)\)\s*;?$"
)
_POINTER_PARAMETER = re.compile(
    r"(?P<left>.*\(\s*\*\s*(?:const)?)\s*(?P<name>\w*)\s*(?P<right>\).*)$"
)
_NAMED = re.compile(r"(?P<type>.*[\s*])(?P<name>[A-Za-z_]\w*)$")
_TYPE_WORDS = frozenset(
    [
        "const",
        "char",
        "short",
        "int",
        "long",
        "float",
        "double",
        "unsigned",
        "signed",
        "void",
        "bool",
    ]
)


class Parameter(NamedTuple):
    """One parameter: its C type, written with single spaces, and its name (may be empty)."""

    type: str
    name: str


class Function(NamedTuple):
    """One function: name, result type, parameters and the header it came from.

    The last parameter of a function with a variable number of arguments has the type ``...``.
    """

    name: str
    result: str
    parameters: tuple[Parameter, ...]
    header: str = ""

    @property
    def pointer_type(self) -> str:
        """Return the type of a pointer to this function, as C text."""
        inside = ", ".join(parameter.type for parameter in self.parameters) or "void"
        return f"{self.result} (*)({inside})"

    def __str__(self) -> str:
        inside = ", ".join(
            f"{p.type}{'' if p.type.endswith('*') else ' '}{p.name}" for p in self.parameters
        )
        return f"{self.result}{'' if self.result.endswith('*') else ' '}{self.name}({inside})"


def parse(text: str, header: str = "") -> Function:
    """Take a C prototype apart.

    Parameters
    ----------
    text : str
        One prototype, with or without its semicolon and comments.
    header : str, optional
        Where it comes from, kept for messages.

    Raises
    ------
    ValueError
        When the text is not one prototype of a function.

    Examples
    --------
    >>> parse("aclError aclrtSetDevice(int32_t deviceId);")
    Function(name='aclrtSetDevice', result='aclError', \
parameters=(Parameter(type='int32_t', name='deviceId'),), header='')
    """
    flat = " ".join(re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.DOTALL).split())
    match = _PROTOTYPE.match(flat.removeprefix("extern "))
    if match is None or match["result"].strip() in ("", "typedef", "return"):
        raise ValueError(f"not the prototype of a C function: {text.strip()!r}")
    inside = match["inside"].strip()
    pieces = [] if inside in ("", "void") else _split(inside)
    return Function(match["name"], _spaced(match["result"]), tuple(map(_parameter, pieces)), header)


def _parameter(text: str) -> Parameter:
    pointer = _POINTER_PARAMETER.match(text)
    if pointer is not None:
        return Parameter(_spaced(pointer["left"] + pointer["right"]), pointer["name"])
    text = re.sub(r"(\w+)\s*\[\w*\]$", r"*\1", text)
    named = _NAMED.match(text)
    if named is None or named["name"] in _TYPE_WORDS or named["type"].strip() in ("const", ""):
        return Parameter(_spaced(text), "")
    return Parameter(_spaced(named["type"]), named["name"])


def _split(text: str) -> list[str]:
    """Split at the commas outside parentheses."""
    pieces, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            pieces.append(text[start:position].strip())
            start = position + 1
    return [*pieces, text[start:].strip()]


def _spaced(text: str) -> str:
    """Write a type with single spaces and its stars together: ``const char **``."""
    text = re.sub(r"\s*\*\s*", "*", " ".join(text.split()))
    return re.sub(r"(?<=\w)\*", " *", re.sub(r"\*(?=\w)", "* ", text)).strip()
