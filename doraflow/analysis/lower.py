"""Lowering: the graph turned into what each host runs, with every link numbered in the order of the file.

A graph that comes here has no errors, so nothing is judged any more.
"""

from __future__ import annotations

import posixpath
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
    from collections.abc import Iterator, Sequence

    from doraflow.ir import Graph, Input, Node


def lower(graph: Graph) -> Plan:
    """Make the plan of a graph: per host its processes and its wiring."""
    placed = {node.id: node.host for node in graph.nodes}
    links = _links(graph, placed)
    nodes: dict[str, list[Node]] = {host: [] for host in placed.values()}
    for node in graph.nodes:
        nodes[node.host].append(node)
    near: dict[str, list[Link]] = {host: [] for host in nodes}
    for link in links:
        for host in dict.fromkeys((placed[link.producer], placed[link.consumer])):
            near[host].append(link)
    return Plan(
        graph=graph,
        hosts=tuple(_host_plan(graph, host, nodes[host], near[host]) for host in nodes),
        sources=tuple(dict.fromkeys(path for path in _sources(graph) if _is_inside(path))),
    )


def source_path(node: Node, path: str) -> str:
    """Give a path of a node, or of its operators, from the dataflow's folder: `deploy.working_dir` comes first.

    The name of a program without a slash is given back as it is, since it may be a command on PATH.

    >>> from doraflow.diagnostics import Span
    >>> from doraflow.ir import Node
    >>> node = Node("camera", "python", Span("f.yml", 1, 1, 1, 2), working_directory="nodes")
    >>> source_path(node, "./camera.py")
    'nodes/camera.py'
    """
    if node.kind == "executable" and "/" not in path:
        return path
    return posixpath.normpath(posixpath.join(node.working_directory, path))


def _links(graph: Graph, placed: dict[str, str]) -> tuple[Link, ...]:
    return tuple(
        Link(
            index=index,
            producer=edge.producer,
            output=edge.output,
            consumer=edge.consumer,
            input=edge.input,
            transport="shm" if placed[edge.producer] == placed[edge.consumer] else "zmq",
        )
        for index, edge in enumerate(graph.edges, start=1)
    )


def _host_plan(graph: Graph, host: str, nodes: Sequence[Node], links: Sequence[Link]) -> HostPlan:
    ports = tuple(_wiring(node) for node in nodes)
    wiring = HostWiring(CONTRACT_VERSION, graph.name, host, ports, tuple(links), graph.exit_when_nodes_finish)
    processes = (_process(graph, node) for node in nodes)
    return HostPlan(host, tuple(process for process in processes if process is not None), wiring)


def _wiring(node: Node) -> NodeWiring:
    return NodeWiring(
        id=node.id,
        inputs=tuple(_input_wiring(port) for port in node.inputs),
        outputs=tuple(OutputWiring(port.id, port.data_type) for port in node.outputs),
        operators=tuple(
            OperatorWiring(operator.id, "python", source_path(node, operator.path))
            for operator in node.operators
            if operator.language == "python"
        ),
        shared_memory=shared_memory(node),
        spin_us=_spin(node),
        shared_memory_ready=_bytes(node, "shared_memory_ready"),
        huge_pages=node.settings.get("huge_pages") is True,
    )


def _spin(node: Node) -> int:
    spin = node.settings.get("spin_us")
    return spin if isinstance(spin, int) else 0


def shared_memory(node: Node) -> int:
    """Say how many bytes of shared memory a node may have; 0 where that is left to the runtime."""
    return _bytes(node, "shared_memory_pool_size")


def _bytes(node: Node, key: str) -> int:
    size = node.settings.get(key)
    return size if isinstance(size, int) else 0


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
        path=source_path(node, node.path) if node.kind in ("python", "executable") else node.path,
        args=node.args,
        env=dict(node.env),
        working_directory=node.working_directory,
        cpu_affinity=node.cpu_affinity,
        place=_place(graph, node),
        spawn="exec" if node.settings.get("spawn") == "exec" else "fork",
    )


def _place(graph: Graph, node: Node) -> str:
    """Write where a node is defined, with the file's path from the dataflow's folder."""
    file = posixpath.relpath(node.span.file, posixpath.dirname(graph.file) or ".")
    return f"{file}:{node.span.line}:{node.span.column}"


def _sources(graph: Graph) -> Iterator[str]:
    for node in graph.nodes:
        if node.kind in ("python", "executable"):
            yield source_path(node, node.path)
        for operator in node.operators:
            yield source_path(node, operator.path)


def _is_inside(path: str) -> bool:
    return not path.startswith(("/", "../")) and path not in ("", ".", "..")
