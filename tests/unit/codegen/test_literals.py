"""Values as Python source: what is written evaluates to the value, in ruff's format."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doraflow.codegen.literals import docstring, literal

VALUES = st.recursive(
    st.text() | st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(VALUES)
def test_a_literal_means_its_value(value: object) -> None:
    assert ast.literal_eval(literal(value)) == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", '"plain"'),
        ("it's", '"it\'s"'),
        ('a "word"', "'a \"word\"'"),
        ("\"both\" 'quotes'", '"\\"both\\" \'quotes\'"'),
        ("line\nbreak \\ {{ x }} é", '"line\\nbreak \\\\ {{ x }} é"'),
        ((), "()"),
        ({"a": (1,)}, '{\n    "a": (1,),\n}'),
    ],
)
def test_a_literal_is_written_as_ruff_would(value: object, written: str) -> None:
    assert literal(value) == written
    source = f"x = {written}\n"
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "-"]
    formatted = subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout
    assert formatted == source


def test_what_has_no_literal_is_refused() -> None:
    with pytest.raises(TypeError, match="no literal for set"):
        literal({1})


@given(st.text())
def test_a_docstring_cannot_be_left(text: str) -> None:
    tree = ast.parse(f'"""A {docstring(text)} b."""')
    assert len(tree.body) == 1
    assert isinstance(tree.body[0], ast.Expr)
