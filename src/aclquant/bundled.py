"""When an operator of the bundled kernel package stands in for one that CANN lacks."""

from __future__ import annotations

from ._ffi.library import Library

__all__ = ["stand_ins"]

# Function of aclquant: the operator of CANN it calls per token, and the bundled one.
_OPERATORS = {
    "dynamic_quant": ("aclnnDynamicQuantV2", "aclnnAclquantDynamicQuant"),
    "dynamic_quant_asymmetric": ("aclnnDynamicQuantV2", "aclnnAclquantDynamicQuantAsymmetric"),
}


def stand_ins(library: Library, soc: str, version: str) -> dict[str, str]:
    """Return which functions of aclquant call a bundled operator, and the name of each.

    That is so where CANN has no such operator on the chip (the inference series before CANN 9; or
    the library does not export it), and the package has it.
    """
    major = version.partition(".")[0]
    lacks = soc.startswith("Ascend310P") and major.isdecimal() and 0 < int(major) < 9
    return {
        name: bundled
        for name, (built_in, bundled) in _OPERATORS.items()
        if (lacks or not library.has(f"{built_in}GetWorkspaceSize"))
        and library.has(f"{bundled}GetWorkspaceSize")
    }
