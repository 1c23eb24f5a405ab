"""A node added to a text: what was there stays, character by character, and means the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doraflow.diagnostics import Sink
from doraflow.parser.compose import compose
from doraflow.parser.syntax import MappingNode, SequenceNode
from doraflow.scaffold.addition import added
from doraflow.scaffold.answers import NodeAnswer

FLOWS = {
    "a list at the margin": "nodes:\n- id: a\n  path: a.py\nname: x\n",
    "no line end": "nodes:\n  - id: a\n    path: a.py",
    "windows": "nodes:\r\n  - id: a\r\n    path: a.py\r\n",
    "a document end": "nodes:\n  - id: a\n    path: a.py\n...\n",
    "a block at the end": "nodes:\n  - id: a\n    path: a.py\n    build: |\n      # no comment\n      make\n\n# end\n",
    "a flow item": "nodes:\n  - {id: a, path: src/deep/a.py}\nhosts:\n  b: {}\n",
}


@pytest.mark.parametrize("text", FLOWS.values(), ids=FLOWS.keys())
def test_the_new_node_is_the_last_and_nothing_else_has_changed(text: str) -> None:
    addition = added(text, "f.yml", NodeAnswer("fresh"), Sink())
    assert addition is not None
    tree = compose(addition.text, "f.yml", Sink())
    assert isinstance(tree, MappingNode)
    nodes = tree.get("nodes")
    assert isinstance(nodes, SequenceNode)
    last = nodes.items[-1]
    assert isinstance(last, MappingNode)
    assert [entry.value.text for entry in last.entries] == ["fresh", addition.script]  # type: ignore[union-attr]
    assert len(nodes.items) == 2
    before, after = text.splitlines(), addition.text.splitlines()
    assert [line for line in after if line in before] == before


@pytest.mark.parametrize("text", ["nodes: []\n", "nodes: [{id: a}]\n", "nodes: x\n", "name: x\n", "[]", ": :\n  - {"])
def test_a_list_that_is_not_written_line_by_line_is_left_alone(text: str) -> None:
    assert added(text, "f.yml", NodeAnswer("fresh"), Sink()) is None


@given(st.lists(st.sampled_from(["", "  # deep", "# end", "    # deeper", "   ", "..."]), max_size=6))
def test_comments_and_blank_lines_behind_the_list_never_come_between_a_node_and_its_keys(tail: list[str]) -> None:
    text = "\n".join(["nodes:", "  - id: a", "    path: a.py", *tail])
    if compose(text, "f.yml", Sink()) is None:
        return  # text behind the end of a document
    addition = added(text, "f.yml", NodeAnswer("b"), Sink())
    assert addition is not None
    lines = addition.text.split("\n")
    assert lines.index("    path: b.py") == lines.index("  - id: b") + 1
    tree = compose(addition.text, "f.yml", Sink())
    assert isinstance(tree, MappingNode)
    assert isinstance(nodes := tree.get("nodes"), SequenceNode)
    assert len(nodes.items) == 2
