"""Invariants of reading, for any values under the language's keys."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from doraflow.diagnostics import Sink
from doraflow.parser.compose import compose
from doraflow.parser.keys import InputOptions
from doraflow.parser.model import Dataflow, Host, Node, SingleOperator
from doraflow.parser.owners import known_keys
from doraflow.parser.read import read_model
from doraflow.parser.ros2_model import Ros2Bridge
from doraflow.parser.rules import check_nodes
from doraflow.parser.sources import parse_source
from doraflow.parser.syntax import MappingNode

PIECES = ["dora", "timer", "logs", "millis", "hz", "1", "/", "0", "-", "e"]
KINDS = (Dataflow, Node, SingleOperator, InputOptions, Ros2Bridge, Host)
KEYS = sorted({key for kind in KINDS for key in known_keys(kind)})
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(["a", "a/b", "dora/timer/millis/5", "always", "", "drop_oldest", "64MB", "LD_PRELOAD", "x y"]),
    st.text(max_size=5),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
NODES = st.fixed_dictionaries({}, optional=dict.fromkeys(known_keys(Node), VALUES))
FLOWS = st.fixed_dictionaries(
    {"nodes": st.lists(NODES, max_size=3)}, optional={key: VALUES for key in known_keys(Dataflow) if key != "nodes"}
)


@settings(max_examples=100, deadline=None)
@given(FLOWS)
def test_reading_gives_a_model_or_findings_with_places_and_never_raises(flow: dict[str, object]) -> None:
    text = json.dumps(flow, ensure_ascii=True, indent=1)
    sink = Sink()
    tree = compose(text, "f.yml", sink)
    if tree is None:
        assert sink.has_errors
        return
    reading = read_model(Dataflow, tree, sink)
    assert reading is not None or sink.has_errors
    if reading is not None:
        check_nodes(reading.model.nodes, reading.tree, sink)
    for found in sink.found:
        assert found.span is not None
        assert "{name}" not in found.message


@settings(max_examples=50, deadline=None)
@given(st.lists(NODES, max_size=2))
def test_one_fault_is_one_finding(nodes: list[dict[str, object]]) -> None:
    sink = Sink()
    tree = compose(json.dumps({"nodes": nodes}), "f.yml", sink)
    assert tree is None or isinstance(tree, MappingNode)
    if tree is not None:
        read_model(Dataflow, tree, sink)
    places = [(found.span, found.code, found.message) for found in sink.found]
    assert len(places) == len(set(places))


@given(st.text(max_size=30) | st.lists(st.sampled_from(PIECES)).map("".join))
def test_a_source_is_read_or_told_and_never_raises(text: str) -> None:
    sink = Sink()
    tree = compose('a: "x"', "f.yml", sink)
    assert tree is not None
    source = parse_source(text, tree.span, sink)
    assert (source is None) == (len(sink.found) == 1)
