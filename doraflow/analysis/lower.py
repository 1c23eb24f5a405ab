"""Lowering: the graph turned into what each host runs, with every link numbered in the order of the file.

A graph that comes here has no errors, so nothing is judged any more.
"""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from doraflow_runtime.contract import (
    CONTRACT_VERSION,
    HEALTH_CHECK_INTERVAL,
    HostWiring,
    InputWiring,
    Link,
    NodeWiring,
    OperatorWiring,
    OutputWiring,
    Process,
)

from doraflow.analysis import between_hosts
from doraflow.analysis.logs import log_rules
from doraflow.analysis.path_variables import begins_with_variable
from doraflow.ir import HostPlan, Plan, Timer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from doraflow_runtime.contract import RestartPolicy, Transport

    from doraflow.analysis.between_hosts import Ports
    from doraflow.ir import Graph, Input, Node

SHORTEST_TIMEOUT = 0.001
"""Seconds; what an `input_timeout` of 0 comes to, since 0 in a wiring table is for none."""


def lower(graph: Graph) -> Plan:
    """Make the plan of a graph: per host its processes and its wiring."""
    placed = {node.id: node.host for node in graph.nodes}
    links = _links(graph, placed, "zmq" if between_hosts.fabric(graph) is None else "zenoh")
    nodes: dict[str, list[Node]] = {host: [] for host in placed.values()}
    for node in graph.nodes:
        nodes[node.host].append(node)
    ports = between_hosts.ports(graph)
    near: dict[str, list[Link]] = {host: [] for host in nodes}
    for link in links:
        for host in dict.fromkeys((placed[link.producer], placed[link.consumer])):
            near[host].append(link)
    wirings = {node.id: _wiring(node, ports.nodes.get(node.id, 0)) for node in graph.nodes}
    plans = (_host_plan(graph, host, nodes[host], near[host], wirings) for host in nodes)
    return Plan(
        graph=graph,
        hosts=_joined(graph, tuple(plans), ports),
        sources=named_sources(graph),
    )


def named_sources(graph: Graph) -> tuple[str, ...]:
    """List the files that the nodes name, relative to the dataflow's folder, as far as they lie inside it."""
    zenoh = between_hosts.fabric(graph)
    paths = [*_sources(graph), *([zenoh.config] if zenoh is not None else [])]
    return tuple(dict.fromkeys(path for path in paths if _is_inside(path)))


def source_path(node: Node, path: str) -> str:
    """Give a path of a node, or of its operators, from the dataflow's folder: `deploy.working_dir` comes first.

    The name of a program without a slash is given back as it is, since it may be a command on PATH; and so is a path
    that begins with a variable of the host, since that leads elsewhere.

    >>> from doraflow.diagnostics import Span
    >>> from doraflow.ir import Node
    >>> node = Node("camera", "python", Span("f.yml", 1, 1, 1, 2), working_directory="nodes")
    >>> source_path(node, "./camera.py")
    'nodes/camera.py'
    """
    if (node.kind == "executable" and "/" not in path) or (node.kind != "operators" and begins_with_variable(path)):
        return path
    return posixpath.normpath(posixpath.join(node.working_directory, path))


def _links(graph: Graph, placed: dict[str, str], between: Transport) -> tuple[Link, ...]:
    return tuple(
        Link(
            index=index,
            producer=edge.producer,
            output=edge.output,
            consumer=edge.consumer,
            input=edge.input,
            transport="shm" if placed[edge.producer] == placed[edge.consumer] else between,
        )
        for index, edge in enumerate(graph.edges, start=1)
    )


def _joined(graph: Graph, plans: tuple[HostPlan, ...], ports: Ports) -> tuple[HostPlan, ...]:
    """Tell hosts of one another, where there are several."""
    if len(plans) < 2:
        return plans
    everyone = between_hosts.peers(graph, ports, [plan.host for plan in plans])
    is_insecure = between_hosts.is_insecure(graph)
    joined = []
    for index, plan in enumerate(plans):
        wiring = replace(
            plan.wiring,
            far=between_hosts.far_nodes(graph, ports, plan.wiring.links, plan.host, _input_wiring),
            peers=everyone[:index] + everyone[index + 1 :],
            port=ports.launchers[plan.host],
            insecure=is_insecure,
            fabric=between_hosts.fabric(graph),
        )
        joined.append(replace(plan, wiring=wiring))
    return tuple(joined)


def _host_plan(
    graph: Graph, host: str, nodes: Sequence[Node], links: Sequence[Link], wirings: Mapping[str, NodeWiring]
) -> HostPlan:
    ports = tuple(wirings[node.id] for node in nodes)
    interval = seconds(graph.settings, "health_check_interval") or HEALTH_CHECK_INTERVAL
    wiring = HostWiring(CONTRACT_VERSION, graph.name, host, ports, tuple(links), graph.exit_when_nodes_finish, interval)
    processes = (_process(graph, node) for node in nodes)
    return HostPlan(host, tuple(process for process in processes if process is not None), wiring)


def _wiring(node: Node, port: int) -> NodeWiring:
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
        spin_us=_whole(node.settings, "spin_us"),
        logs=log_rules(node),
        dynamic=node.kind == "dynamic",
        shared_memory_ready=_whole(node.settings, "shared_memory_ready"),
        huge_pages=node.settings.get("huge_pages") is True,
        port=port,
    )


def shared_memory(node: Node) -> int:
    """Say how many bytes of shared memory a node may have; 0 where that is left to the runtime."""
    return _whole(node.settings, "shared_memory_pool_size")


def _input_wiring(port: Input) -> InputWiring:
    return InputWiring(
        id=port.id,
        source=str(port.source),
        queue_size=port.queue_size,
        queue_policy=port.queue_policy,
        interval_ns=port.source.interval_ns if isinstance(port.source, Timer) else 0,
        data_type=port.data_type,
        timeout=0.0 if port.input_timeout is None else max(port.input_timeout, SHORTEST_TIMEOUT),
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
        restart_policy=_restart_policy(node),
        max_restarts=_whole(node.settings, "max_restarts"),
        restart_delay=seconds(node.settings, "restart_delay") or 0.0,
        max_restart_delay=seconds(node.settings, "max_restart_delay"),
        restart_window=seconds(node.settings, "restart_window"),
        health_check_timeout=seconds(node.settings, "health_check_timeout") or 0.0,
        startup_timeout=seconds(node.settings, "startup_timeout") or 0.0,
        finish_grace=seconds(node.settings, "finish_grace_secs"),
    )


def _restart_policy(node: Node) -> RestartPolicy:
    policy = node.settings.get("restart_policy")
    return "on-failure" if policy == "on-failure" else "always" if policy == "always" else "never"


def seconds(settings: Mapping[str, object], key: str) -> float | None:
    """Read a number of seconds; None where it is not given."""
    value = settings.get(key)
    return float(value) if isinstance(value, int | float) else None


def _whole(settings: Mapping[str, object], key: str) -> int:
    value = settings.get(key)
    return value if isinstance(value, int) else 0


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
