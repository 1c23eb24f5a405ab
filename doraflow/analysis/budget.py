"""What nodes need against what the inventory says their host has: memory and processor cores.

Only what is written down is compared: a host without `memory` or `cores`, or none at all, gives no finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.lower import shared_memory
from doraflow.analysis.memory import POOL_LIMIT
from doraflow.analysis.ports import written_id
from doraflow.diagnostics import Label

if TYPE_CHECKING:
    from doraflow.analysis.memory import HostMemory
    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph, Host, Node

_MEBIBYTE = 1024**2
_LARGEST = 3


def check_budget(graph: Graph, sink: Sink) -> Graph:
    """Report hosts that have too little; the graph is returned as it is."""
    hosts = {host.name: host for host in graph.hosts}
    for node in graph.nodes:
        host = hosts.get(node.host)
        if host is not None and host.cores is not None:
            _check_cores(node, host, host.cores, sink)
        _check_ready(node, sink)
    if any(host.memory is not None for host in graph.hosts):
        from doraflow.analysis.memory import memory_bounds

        nodes = {node.id: node for node in graph.nodes}
        for bound in memory_bounds(graph):
            host = hosts.get(bound.host)
            if host is not None and host.memory is not None and bound.total > host.memory:
                _tell_memory(bound, host, host.memory, nodes, sink)
    return graph


def _check_cores(node: Node, host: Host, cores: int, sink: Sink) -> None:
    beyond = [core for core in node.cpu_affinity if core >= cores]
    if not beyond:
        return
    last = "only core 0" if cores == 1 else f"{cores} cores, 0 to {cores - 1}"
    sink.error(
        "DF505",
        f"`{node.id}` is bound to core {beyond[0]}, and `{host.name}` has {last}: the node would not start there",
        node.affinity_span or node.span,
        related=[Label(host.span, f"`{host.name}` is described here")] if host.span is not None else [],
        help="name cores that the machine has, or correct `cores` in the inventory",
    )


def _check_ready(node: Node, sink: Sink) -> None:
    """Judge what a node wants to have ready against what it may have at all."""
    ready, limit = node.settings.get("shared_memory_ready"), shared_memory(node)
    if not isinstance(ready, int) or ready <= (limit or POOL_LIMIT):
        return
    bound = f"its `shared_memory_pool_size` of {_size(limit)}" if limit else f"the {_size(POOL_LIMIT)} of every node"
    sink.error(
        "DF104",
        f"`{node.id}` asks for {_size(ready)} of shared memory at its start, and may have no more than {bound}",
        node.setting_spans.get("shared_memory_ready") or node.span,
        help=f"lower `shared_memory_ready`, or write `shared_memory_pool_size: {ready}` beside it",
    )


def _tell_memory(bound: HostMemory, host: Host, memory: int, nodes: dict[str, Node], sink: Sink) -> None:
    largest = sorted(bound.outputs, key=lambda output: -output.total)[:_LARGEST]
    uncounted = f"; outputs without a fixed size ({len(bound.unknown)}) are not counted" if bound.unknown else ""
    sink.warning(
        "DF503",
        f"messages on `{host.name}` can take {_size(bound.total)}, and it has {_size(memory)} of memory",
        host.span or nodes[largest[0].node].span,
        related=[
            Label(
                output.output.span,
                f"`{output.node}/{written_id(nodes[output.node], output.output.id)}` can take {_size(output.total)}: "
                f"{output.message_bytes} bytes a message",
            )
            for output in largest
        ],
        notes=[
            f"{_size(bound.pools)} in shared memory and {_size(bound.queues)} in queues, if all are full{uncounted}",
        ],
        help="shorten the queues of their readers, or let some nodes run on another machine",
    )


def _size(count: int) -> str:
    """Write a number of bytes for people."""
    if not count:
        return "nothing"
    if count >= 1024 * _MEBIBYTE:
        return f"{count / 1024 / _MEBIBYTE:.3g} GiB"
    return f"{count / _MEBIBYTE:.3g} MiB"
