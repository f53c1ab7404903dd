"""Every code of the headers is explained, and nothing else is."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import aclquant as aq
from aclquant._ffi import declarations
from aclquant.codes import code_name, explanations

_CODE = re.compile(r"ACL_ERROR_|ACLNN_ERR_|ACL_SUCCESS$|ACLNN_SUCCESS$")


def test_constants_and_explanations_are_the_same_set() -> None:
    constants = {name for name in declarations.constants if _CODE.match(name)}
    assert len(constants) > 200
    graph_engine = {n for n in explanations() if n.startswith("ACL_ERROR_GE_")} - constants
    assert len(graph_engine) == 38
    ours = set(explanations()) - graph_engine
    assert ours == constants


def test_every_number_finds_its_name() -> None:
    for name, value in declarations.constants.items():
        if _CODE.match(name) and value:
            assert declarations.constants[code_name(value)] == value


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (161002, "161002 ACLNN_ERR_PARAM_INVALID: "),
        (561105, "561105 ACLNN_ERR_INNER_KEY_CONFLICT: "),
        (0, "0 ACL_SUCCESS: success"),
        (145021, "145021 ACL_ERROR_GE_SHAPE_INVALID: graph engine: "),
        (42, "42: not a code that aclquant knows"),
    ],
)
def test_explain(code: int, text: str) -> None:
    assert aq.explain(code).startswith(text)
    assert aq.explain(f" {code}") == aq.explain(np.int64(code)) == aq.explain(code)


def test_names_are_explained() -> None:
    for name in explanations():
        number, found, *_ = aq.explain(name).replace(":", "").split()
        assert found == code_name(int(number))


@pytest.mark.parametrize("code", ["", "nonsense", "1e3", None, True, 1.0, b"161002", [161002]])
def test_what_is_not_a_code_is_refused(code: Any) -> None:
    """newcomer.md 2d: the text '161002' was "not a code that aclquant knows"."""
    with pytest.raises(aq.ParameterError, match="argument 'code'"):
        aq.explain(code)
