"""Every example in a docstring runs and prints what it says; every public name has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import aclquant

_GENERATED = {"aclquant._ffi._types", "aclquant._ffi._functions", "aclquant.__main__"}
_MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(aclquant.__path__, "aclquant.")
    if name not in _GENERATED
]
# Modules whose examples need an extra, and the package which that brings.
_EXTRAS = {
    "aclquant.cli.": "click",
    "aclquant.checkpoint.": "safetensors",
    "aclquant.quantized_weight": "safetensors",
}


@pytest.mark.parametrize("name", ["aclquant", *_MODULES])
def test_examples(name: str) -> None:
    for prefix, package in _EXTRAS.items():
        if name.startswith(prefix):
            pytest.importorskip(package)
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS, raise_on_error=False)
    assert failed == 0


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in aclquant.__all__
        if name != "__version__" and callable(getattr(aclquant, name))
    ],
)
def test_public_name_is_documented_with_an_example(name: str) -> None:
    value = getattr(aclquant, name)
    text = inspect.getdoc(value) or ""
    assert len(text.splitlines()[0]) > 10
    # Errors show themselves in the examples of the functions that raise them.
    simple = isinstance(value, type) and issubclass(value, (aclquant.AclError, aclquant.Backend))
    if not simple:
        assert ">>> " in text, f"{name} has no example"
