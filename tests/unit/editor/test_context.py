"""Where the cursor is, on text that need not parse."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doraflow.editor.context import context_at
from doraflow.editor.positions import Place

if TYPE_CHECKING:
    from collections.abc import Callable

    Cursor = Callable[[str], tuple[str, Place]]

NODE = "nodes:\n  - id: a\n"

KEYS = [
    ("no‸", (), set(), "no"),
    ("nodes:\n  - ‸", ("nodes", 0), set(), ""),
    ("nodes:\n- ‸", ("nodes", 0), set(), ""),
    (NODE + "    pa‸\n    outputs: [x]\n  - id: b\n    env: {}\n", ("nodes", 0), {"id", "outputs"}, "pa"),
    (NODE + "    outputs:\n    - x\n    in‸", ("nodes", 0), {"id", "outputs"}, "in"),
    (NODE + "    # a comment: here\n\n    ‸", ("nodes", 0), {"id"}, ""),
    (NODE + "    operator:\n      py‸", ("nodes", 0, "operator"), set(), "py"),
    ("nodes:\n- {id: a, ‸, path: x}\n", ("nodes", 0), {"id", "path"}, ""),
    (NODE + "    inputs: {x: {source: a/b, qu‸}}\n", ("nodes", 0, "inputs", "x"), {"source"}, "qu"),
    (NODE + "    \"inputs\":\n      'x':\n        so‸", ("nodes", 0, "inputs", "x"), set(), "so"),
    (NODE + "    outputs: [x\n    in‸", ("nodes", 0), {"id", "outputs"}, "in"),
    ("nodes:\r\n  - id: a\r\n    pa‸\r\n", ("nodes", 0), {"id"}, "pa"),
]
VALUES = [
    (NODE + "    inputs:\n      x: cam‸", ("nodes", 0, "inputs", "x"), "cam"),
    (NODE + '    inputs:\n      x: "cam‸era/image" # read', ("nodes", 0, "inputs", "x"), "cam"),
    (NODE + "    inputs: {x: cam‸, y: b/c}", ("nodes", 0, "inputs", "x"), "cam"),
    (NODE + "    inputs: {y: b/c, x: ‸", ("nodes", 0, "inputs", "x"), ""),
    (NODE + "    inputs: {\n      a: b/c,\n      x: d/‸\n    }", ("nodes", 0, "inputs", "x"), "d/"),
    ("nodes: [{id: a, inputs: {x: {source: ca‸", ("nodes", 0, "inputs", "x", "source"), "ca"),
    (NODE + "    outputs: [x, y‸]", ("nodes", 0, "outputs", 1), "y"),
    (NODE + "    outputs:\n      - x\n      - y‸", ("nodes", 0, "outputs", 0), "y"),
    ("strict_types: ‸", ("strict_types",), ""),
    ("a: b\nx: 'y: z‸'", ("x",), "y: z"),
]


@pytest.mark.parametrize(("text", "path", "siblings", "typed"), KEYS)
def test_a_key_is_begun(cursor: Cursor, text: str, path: tuple[object, ...], siblings: set[str], typed: str) -> None:
    context = context_at(*cursor(text))
    assert context is not None
    assert (context.path, set(context.siblings), context.typed, context.is_key) == (path, siblings, typed, True)


@pytest.mark.parametrize(("text", "path", "typed"), VALUES)
def test_a_value_is_begun(cursor: Cursor, text: str, path: tuple[object, ...], typed: str) -> None:
    context = context_at(*cursor(text))
    assert context is not None
    assert (context.path, context.typed, context.is_value) == (path, typed, True)


@pytest.mark.parametrize(
    ("text", "column", "end_column"),
    [
        ("x: cam‸era/image # c", 4, 16),
        ("x: 'cam‸era/image'", 5, 17),
        ("no‸des: []", 1, 6),
        ("x: {a: cam‸era/image, b: c}", 8, 20),
        ("x: ‸ # c", 4, 4),
    ],
)
def test_the_whole_word_is_replaced(cursor: Cursor, text: str, column: int, end_column: int) -> None:
    context = context_at(*cursor(text))
    assert context is not None
    assert (context.column, context.end_column) == (column, end_column)


def test_a_key_with_a_colon_is_known_as_such(cursor: Cursor) -> None:
    for text in ("no‸des: []", "x: {no‸des: []}"):
        context = context_at(*cursor(text))
        assert context is not None
        assert context.has_colon


@pytest.mark.parametrize(
    "text",
    [
        "# no‸",
        "nodes: # no‸",
        NODE + "    build: |\n      echo ‸",
        NODE + "    build: >-  # why\n      make\n      ‸",
        "‸" + "x" * 20_000,
    ],
)
def test_in_comments_and_blocks_of_text_nothing_is_written(cursor: Cursor, text: str) -> None:
    assert context_at(*cursor(text)) is None


@given(st.text(alphabet="ab:-[]{},'\"#| \n\t&*>?!%", max_size=80), st.data())
def test_no_text_is_too_odd(text: str, data: st.DataObject) -> None:
    lines = text.split("\n")
    line = data.draw(st.integers(1, len(lines)))
    context = context_at(text, Place(line, data.draw(st.integers(1, len(lines[line - 1]) + 1))))
    if context is not None:
        assert 1 <= context.column <= context.end_column <= len(lines[line - 1]) + 1


@pytest.mark.parametrize(
    "text",
    [
        "- " * 4000 + "x‸",
        "a" + " " * 9000 + "b‸",
        "[" * 9000 + "‸",
        '"\\' * 4500 + "‸",
        "nodes:\n" + "  - {id: a, inputs: {x: b/c}}\n" * 50_000 + "  - i‸",
        "nodes:\n" + ("  - a" + " " * 9000 + "b\n") * 200 + "  - i‸",
    ],
)
def test_no_text_takes_long(cursor: Cursor, text: str) -> None:
    source, place = cursor(text)
    begun = time.process_time()
    context_at(source, place)
    assert time.process_time() - begun < 1.0
