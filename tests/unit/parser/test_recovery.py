"""After a fault the rest is read, and what is missing is known."""

from __future__ import annotations

import pytest

from doraflow.diagnostics import Sink
from doraflow.parser.compose import compose
from doraflow.parser.model import Dataflow
from doraflow.parser.read import Reading, read_model
from doraflow.parser.syntax import SequenceNode

GOOD = "  - {id: good, path: g.py, outputs: [x]}\n"


def read(text: str) -> tuple[Reading[Dataflow], list[str]]:
    sink = Sink()
    tree = compose(text, "f.yml", sink)
    assert tree is not None
    reading = read_model(Dataflow, tree, sink)
    assert reading is not None
    return reading, [found.code for found in sink.diagnostics()]


def node(text: str) -> tuple[Reading[Dataflow], list[str]]:
    return read(f"nodes:\n{GOOD}  - {text}\n")


def test_a_misspelt_key_is_read_as_the_one_that_was_meant() -> None:
    reading, codes = node("{id: b, pth: b.py, ouputs: [y], inputs: {x: {sorce: good/x}}}")
    assert codes == ["DF101", "DF101", "DF101"]
    assert reading.model.nodes[1].outputs == ("y",)
    assert reading.model.nodes[1].path == "b.py"
    assert reading.model.nodes[1].inputs["x"].source == "good/x"
    assert not reading.gaps


def test_of_two_keys_with_one_meaning_the_first_is_taken() -> None:
    reading, codes = node("{id: b, ouputs: [y], outpust: [z]}")
    assert codes == ["DF101", "DF101"]
    assert reading.model.nodes[1].outputs == ("y",)


def test_a_key_that_is_given_is_not_replaced_by_a_misspelt_one() -> None:
    reading, _ = node("{id: b, outputs: [y], ouputs: [z]}")
    assert reading.model.nodes[1].outputs == ("y",)


@pytest.mark.parametrize(
    ("text", "keys", "missing", "nameless"),
    [
        ("{id: b, max_restarts: many}", {}, set(), False),
        ("{id: b, foo: bar}", {}, set(), False),
        ("{id: b, outputs: [y, [z]]}", {"b": {"outputs"}}, set(), False),
        ("{id: b, outputs: y}", {"b": {"outputs"}}, set(), False),
        ("{id: b, inputs: {x: {queue_size: 1}}}", {"b": {"inputs"}}, set(), False),
        ("{id: b, inputs: {x: {source: good/x, queue_size: 0}}}", {"b": {"inputs"}}, set(), False),
        ("{id: b, operators: [{python: x.py}]}", {"b": {"operators"}}, set(), False),
        ("{id: b/c, path: x}", {}, {"b/c"}, False),
        ("{path: x}", {}, set(), True),
        ("7", {}, set(), True),
    ],
)
def test_what_is_missing_is_known(text: str, keys: dict[str, set[str]], missing: set[str], nameless: bool) -> None:
    reading, codes = node(text)
    assert len(codes) == 1
    assert reading.gaps.keys == keys
    assert reading.gaps.nodes == missing
    assert reading.gaps.nameless == nameless
    assert reading.model.nodes[0].outputs == ("x",)


def test_syntax_and_model_go_together() -> None:
    reading, _ = read("nodes:\n  - 7\n  - {id: a/b}\n" + GOOD + "  - {id: b, outputs: [[1], y]}\n")
    items = reading.tree.get("nodes")
    assert isinstance(items, SequenceNode)
    assert len(items.items) == len(reading.model.nodes) == 2
    assert [node.id for node in reading.model.nodes] == ["good", "b"]
    assert reading.model.nodes[1].outputs == ("y",)


def test_without_nodes_there_is_nothing() -> None:
    for text in ("name: x\n", "nodes: 7\n"):
        sink = Sink()
        tree = compose(text, "f.yml", sink)
        assert tree is not None
        assert read_model(Dataflow, tree, sink) is None
        assert len(sink.found) == 1


def test_a_number_as_a_key_is_told_once() -> None:
    _, codes = read("1: x\nnodes:\n  - {id: b, path: b.py, env: {2: y}, 3: z}\n")
    assert codes == ["DF103", "DF103", "DF103"]
