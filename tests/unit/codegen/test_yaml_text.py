"""Generated YAML: byte for byte what PyYAML writes, and quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doraflow.codegen import yaml_text as module
from doraflow.codegen.yaml_text import yaml_text

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = st.sampled_from(
    ["a", "on", "No", "~", ".inf", "1e3", "...", ".5", "a b", 'a "b"', "a\\b", "\n", "é", "\u2028", "\x85", "\ufeff"]
)
TEXTS = st.one_of(
    st.text(max_size=12),
    WORDS,
    st.lists(st.one_of(WORDS, st.text(max_size=9)), max_size=60).map(" ".join),
    st.text(alphabet="ab -", min_size=100, max_size=300),
)
SCALARS = st.one_of(TEXTS, st.integers(), st.booleans(), st.none(), st.floats())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4), st.tuples(inner, inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_any_value_is_written_as_pyyaml_writes_it(value: dict[str, object]) -> None:
    assert yaml_text(value) == module._by_pyyaml(value)


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        "text",
        {"": 1},
        {"k" * 200: 1},
        {"a\nb": 1},
        {"a": {}, "b": [], "c": (), "d": [[]], "e": [{}], "f": [[1, [2]], {"g": [3]}]},
        {"a": [{"b": [{"c": "word " * 40, "d": ["word " * 40]}]}]},
        {"a": "x" * 300, "b": "y" * 119, "c": "z z" * 39},
        {"a": 1e300, "b": 0.5, "c": float("inf"), "d": -0.0, "e": 1e16, "f": 1e-7},
    ],
)
def test_values_of_every_kind_are_written_as_pyyaml_writes_them(value: object) -> None:
    assert yaml_text(value) == module._by_pyyaml(value)


def test_what_stands_twice_becomes_an_alias_as_with_pyyaml() -> None:
    shared, empty = ["x"], dict[str, object]()
    value = {"a": shared, "b": {"c": shared}, "d": empty, "e": empty}
    assert yaml_text(value) == module._by_pyyaml(value)
    assert "*id001" in yaml_text(value)


def test_ordinary_values_are_written_without_pyyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(value: object) -> str:
        raise AssertionError(value)

    monkeypatch.setattr(module, "_by_pyyaml", refuse)
    write: Callable[[object], str] = yaml_text
    node = {"id": "camera", "inputs": {"tick": {"source": "dora/timer/hz/30", "queue_size": 1, "timeout": 0.5}}}
    assert write({"nodes": [node], "args": "--rate '1:30' \"x\""}) == (
        "nodes:\n  - id: camera\n    inputs:\n      tick:\n        source: dora/timer/hz/30\n        queue_size: 1\n"
        '        timeout: 0.5\nargs: "--rate \'1:30\' \\"x\\""\n'
    )
