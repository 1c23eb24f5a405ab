"""References between nodes drawn at random: each is an edge, or one finding."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from doraflow.analysis.resolve import resolve
from doraflow.diagnostics import Sink, Span
from doraflow.ir import Input, Node, Operator, Output, PortReference
from tests.unit.analysis.graphs import SPAN

IDS = st.text("abc_-.1", min_size=1, max_size=4).filter(lambda text: not text.startswith("."))
PORTS = st.text("xyz_", min_size=1, max_size=3)


@dataclass(frozen=True)
class Case:
    """Nodes, with the edges that their references mean, and how many references mean nothing."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str, str, str], ...]
    wrong: int


def node_of(name: str, form: str, operators: list[str], outputs: list[str]) -> Node:
    """Make a node without inputs: of the form `plain`, `sole` or `several`, of which the last two have operators."""
    if form == "plain":
        return Node(name, "python", SPAN, outputs=tuple(Output(output, SPAN) for output in outputs))
    chosen = operators[:1] if form == "sole" else operators
    return Node(
        name,
        "operators",
        SPAN,
        outputs=tuple(Output(f"{operator}/{output}", SPAN) for operator in chosen for output in outputs),
        operators=tuple(Operator(operator, "python", "o.py", SPAN, SPAN, sole=form == "sole") for operator in chosen),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    names = draw(st.lists(IDS, min_size=1, max_size=5, unique=True))
    forms = st.sampled_from(["plain", "sole", "several"])
    several = st.lists(IDS, min_size=1, max_size=2, unique=True)
    nodes = [
        node_of(name, draw(forms), draw(several), draw(st.lists(PORTS, max_size=3, unique=True))) for name in names
    ]
    offered = [(node, output.id) for node in nodes for output in node.outputs]
    edges, wrong, read = [], 0, []
    for row, reader in enumerate(nodes):
        inputs = []
        for number in range(draw(st.integers(0, 4))):
            span = Span("flow.yml", row + 1, number + 1, row + 1, number + 2)
            if offered and draw(st.booleans()):
                producer, output = draw(st.sampled_from(offered))
                is_sole = any(operator.sole for operator in producer.operators)
                port = output.partition("/")[2] if is_sole and draw(st.booleans()) else output
                source = PortReference(producer.id, port)
                edges.append((producer.id, output, reader.id, f"i{number}"))
            else:
                source = PortReference(draw(st.sampled_from([*names, "nobody"])), "NOTHING")
                wrong += 1
            inputs.append(Input(f"i{number}", source, span, span))
        read.append(replace(reader, inputs=tuple(inputs)))
    return Case(tuple(read), tuple(edges), wrong)


@given(cases())
def test_every_reference_is_an_edge_or_one_finding(case: Case) -> None:
    sink = Sink()
    edges = resolve(case.nodes, sink)
    assert tuple((edge.producer, edge.output, edge.consumer, edge.input) for edge in edges) == case.edges
    assert len(sink.found) == case.wrong
    assert {finding.code for finding in sink.found} <= {"DF203", "DF204", "DF205"}


@given(cases())
def test_references_are_resolved_alike_whatever_the_order_of_the_nodes(case: Case) -> None:
    forwards, backwards = resolve(case.nodes, Sink()), resolve(tuple(reversed(case.nodes)), Sink())
    assert set(forwards) == set(backwards)
