"""A placement summed up for people and tools: who runs where and why, what each link carries, what each host holds.

The numbers are made here; how they are shown is the command's affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.analysis.memory import memory_bounds
from doraflow.analysis.placement.decide import Placed, decide, links_between_machines

if TYPE_CHECKING:
    from doraflow.ir import Graph


@dataclass(frozen=True, slots=True)
class LinkLoad:
    """What travels from one host to another: its edges as `node/output`, and bytes a second.

    `is_assumed` tells that a size or a pace among them is assumed.
    """

    sender: str
    receiver: str
    outputs: tuple[str, ...]
    bytes_per_second: int
    is_assumed: bool


@dataclass(frozen=True, slots=True)
class HostLoad:
    """A host with its nodes, and the bytes that messages can take there; `uncounted` outputs have no fixed size."""

    host: str
    nodes: tuple[str, ...]
    pool_bytes: int
    queue_bytes: int
    uncounted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The placement of a whole dataflow."""

    nodes: tuple[Placed, ...]
    links: tuple[LinkLoad, ...]
    hosts: tuple[HostLoad, ...]


def summarise(graph: Graph) -> Summary:
    """Sum up the placement of a graph that has been checked without errors."""
    on_host: dict[str, list[str]] = {}
    for node in graph.nodes:
        on_host.setdefault(node.host, []).append(node.id)
    links = tuple(
        LinkLoad(
            sender,
            receiver,
            tuple(dict.fromkeys(f"{flow.edge.producer}/{flow.edge.output}" for flow in flows)),
            round(sum(flow.bytes_per_second for flow in flows)),
            any(flow.is_assumed for flow in flows),
        )
        for (sender, receiver), flows in links_between_machines(graph).items()
    )
    hosts = tuple(
        HostLoad(bound.host, tuple(on_host[bound.host]), bound.pools, bound.queues, bound.unknown)
        for bound in memory_bounds(graph)
    )
    return Summary(decide(graph).placed, links, hosts)
