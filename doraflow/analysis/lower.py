"""Lowering: the graph turned into what each host runs, with every link numbered in the order of the file.

A graph that comes here has no errors, so nothing is judged any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.contract import (
    CONTRACT_VERSION,
    HostWiring,
    InputWiring,
    Link,
    NodeWiring,
    OperatorWiring,
    OutputWiring,
    Process,
)

from doraflow.ir import HostPlan, Plan, Timer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.ir import Graph, Input, Node


def lower(graph: Graph) -> Plan:
    """Make the plan of a graph: per host its processes and its wiring."""
    links = _links(graph)
    placed = {node.id: node.host for node in graph.nodes}
    hosts = tuple(dict.fromkeys(placed.values()))
    return Plan(
        graph=graph,
        hosts=tuple(_host_plan(graph, host, links, placed) for host in hosts),
        sources=tuple(dict.fromkeys(_sources(graph))),
    )


def _links(graph: Graph) -> tuple[Link, ...]:
    hosts = {node.id: node.host for node in graph.nodes}
    return tuple(
        Link(
            index=index,
            producer=edge.producer,
            output=edge.output,
            consumer=edge.consumer,
            input=edge.input,
            transport="shm" if hosts[edge.producer] == hosts[edge.consumer] else "zmq",
        )
        for index, edge in enumerate(graph.edges, start=1)
    )


def _host_plan(graph: Graph, host: str, links: tuple[Link, ...], placed: dict[str, str]) -> HostPlan:
    nodes = tuple(node for node in graph.nodes if node.host == host)
    near = tuple(link for link in links if host in (placed[link.producer], placed[link.consumer]))
    wiring = HostWiring(CONTRACT_VERSION, graph.name, host, tuple(_wiring(node) for node in nodes), near)
    return HostPlan(host, tuple(filter(None, (_process(graph, node) for node in nodes))), wiring)


def _wiring(node: Node) -> NodeWiring:
    return NodeWiring(
        id=node.id,
        inputs=tuple(_input_wiring(port) for port in node.inputs),
        outputs=tuple(OutputWiring(port.id, port.data_type) for port in node.outputs),
        operators=tuple(OperatorWiring(operator.id, "python", operator.path) for operator in node.operators),
    )


def _input_wiring(port: Input) -> InputWiring:
    return InputWiring(
        id=port.id,
        source=str(port.source),
        queue_size=port.queue_size,
        queue_policy=port.queue_policy,
        interval_ns=port.source.interval_ns if isinstance(port.source, Timer) else 0,
        data_type=port.data_type,
    )


def _process(graph: Graph, node: Node) -> Process | None:
    """Make the launcher's row of a node; None for a kind that no launcher starts."""
    if node.kind not in ("python", "executable", "shell", "operators"):
        return None
    return Process(
        node=node.id,
        kind=node.kind,
        path=node.path,
        args=node.args,
        env=dict(node.env),
        working_directory=node.working_directory,
        cpu_affinity=node.cpu_affinity,
        place=f"{graph.source}:{node.span.line}:{node.span.column}",
    )


def _sources(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        if node.kind in ("python", "executable"):
            yield node.path
        for operator in node.operators:
            yield operator.path
