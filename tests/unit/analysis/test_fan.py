from __future__ import annotations

import time

from doraflow.analysis.fan import check_fan
from doraflow.diagnostics import Sink, Span
from doraflow.ir import Edge, Graph, Input, Node, Output, PortReference, Timer
from tests.unit.analysis.graphs import graph_of

SPAN = Span("flow.yml", 1, 1, 1, 2)


def found(graph: Graph) -> list[tuple[str, str, str]]:
    sink = Sink()
    check_fan(graph, sink)
    return [(finding.severity, finding.code, finding.message) for finding in sink.found]


def star(readers: int, timer: Timer | None = None) -> Graph:
    """Make one node that all others read, by a timer if one is given."""
    names = [f"r{number}" for number in range(readers)]
    graph = graph_of(["hub", *names], [("hub", name) for name in names])
    if timer is None:
        return graph
    hub = Node("hub", "python", SPAN, "hub.py", inputs=(Input("t", timer, SPAN, SPAN),), outputs=(Output("x", SPAN),))
    return Graph("flow", "flow.yml", (hub, *graph.nodes[1:]), graph.edges, file="flow.yml")


def test_an_output_with_very_many_readers_is_a_note_with_its_cost() -> None:
    assert found(star(256)) == [
        (
            "note",
            "DF410",
            "`x` of `hub` is read by 256 inputs, and each message is written once for each: about 2.6 ms a message",
        )
    ]
    assert found(star(255)) == []


def test_few_readers_at_a_high_rate_are_told_with_the_share_of_time() -> None:
    kilohertz = Timer(10**6, "dora/timer/hz/1000")
    assert found(star(50, kilohertz)) == []
    assert found(star(60, kilohertz)) == [
        (
            "note",
            "DF410",
            (
                "`x` of `hub` is read by 60 inputs, and each message is written once for each: about 0.6 ms a message, "
                "which takes 60% of the sender's time if it sends 1000 times a second"
            ),
        )
    ]


def test_a_node_with_very_many_inputs_is_a_note() -> None:
    names = [f"s{number}" for number in range(256)]
    graph = graph_of([*names, "hub"], [(name, "hub") for name in names])
    assert found(graph) == [
        (
            "note",
            "DF411",
            (
                "`hub` has 256 inputs, whose queues hold 2560 messages: each message that it takes is looked for in "
                "all of them"
            ),
        )
    ]


def test_more_connections_than_files_are_a_warning_and_the_only_finding_of_the_node() -> None:
    assert found(star(1001)) == [
        (
            "warning",
            "DF409",
            (
                "`hub` needs 1001 connections, one for each node that it reads from or sends to, and a process may "
                "open 1024 files unless more are allowed: beyond 1000 connections no messages arrive"
            ),
        )
    ]
    assert [code for _, code, _ in found(star(1000))] == ["DF410"]


def test_the_limit_in_the_help_leaves_room() -> None:
    sink = Sink()
    check_fan(star(3000), sink)
    assert sink.found[0].help == ("start the dataflow after `ulimit -n 4096`, or let other nodes collect and pass on")


def test_many_links_between_two_nodes_are_one_connection() -> None:
    ports = tuple(Input(f"i{number}", PortReference("a", "x"), SPAN, SPAN) for number in range(2000))
    nodes = (
        Node("a", "python", SPAN, "a.py", outputs=(Output("x", SPAN),)),
        Node("b", "python", SPAN, "b.py", inputs=ports),
    )
    edges = tuple(Edge("a", "x", "b", port.id, SPAN) for port in ports)
    assert [code for _, code, _ in found(Graph("flow", "flow.yml", nodes, edges))] == ["DF410", "DF411"]


def test_a_star_of_ten_thousand_takes_no_time() -> None:
    graph = star(10_000)
    started = time.process_time()
    assert [code for _, code, _ in found(graph)] == ["DF409"]
    assert time.process_time() - started < 1
