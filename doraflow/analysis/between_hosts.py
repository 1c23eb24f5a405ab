"""Links between hosts: which TCP port each listener has, and what every host is told of the others.

Ports follow from the dataflow alone, so that every host's table names the same ones: on each host the first of the
range belongs to its launcher, and the next ones, in the order of the file, to the nodes that read from other hosts.
Hosts with one address share its ports: each begins where the one before it ends. Over zenoh those that send have ports
too, so that other applications can listen to them; behind routers none has.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from doraflow_runtime.contract import DEFAULT_PORTS, Fabric, FarNode, Peer

from doraflow.analysis.placement.demand import listed
from doraflow.parser.inventory import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from doraflow_runtime.contract import InputWiring, Link

    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph, Input

HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a dataflow: that of each host's launcher, and those of nodes that read from other hosts."""

    launchers: dict[str, int]
    nodes: dict[str, int]


def ports(graph: Graph) -> Ports:
    """Give every listener its port, also beyond the end of a range that is too small."""
    first, _ = port_range(graph)
    reading = listeners(graph)
    launchers: dict[str, int] = {}
    nodes: dict[str, int] = {}
    for hosts in by_address(graph).values():
        counts = [1 + len(reading.get(host, ())) for host in hosts]
        for host, begin in zip(hosts, accumulate(counts, initial=first), strict=False):
            launchers[host] = begin
            nodes.update((node, begin + 1 + index) for index, node in enumerate(reading.get(host, ())))
    return Ports(launchers, nodes)


def by_address(graph: Graph) -> dict[str, list[str]]:
    """Group the hosts that nodes run on by address, or by name where they have none, in the order of the file.

    Loopback addresses are one: who listens there listens on all of them.
    """
    addresses = {host.name: host.address for host in graph.hosts}
    grouped: dict[str, list[str]] = {}
    for host in dict.fromkeys(node.host for node in graph.nodes):
        address = (addresses.get(host) or host).lower()
        grouped.setdefault("localhost" if is_loopback(address) else address, []).append(host)
    return grouped


def listeners(graph: Graph) -> dict[str, list[str]]:
    """List for every host the nodes that listen for other hosts, in the order of the file."""
    hosts = {node.id: node.host for node in graph.nodes}
    crossing = [edge for edge in graph.edges if hosts[edge.producer] != hosts[edge.consumer]]
    zenoh = fabric(graph)
    listening = {edge.consumer for edge in crossing}
    if zenoh is not None:
        listening = listening | {edge.producer for edge in crossing} if zenoh.mode == "peer" else set()
    found: dict[str, list[str]] = {}
    for node in graph.nodes:
        if node.id in listening:
            found.setdefault(node.host, []).append(node.id)
    return found


def port_range(graph: Graph) -> tuple[int, int]:
    """Give the first and the last port that may be listened on."""
    text = _remote(graph).get("port_range")
    if not isinstance(text, str):
        return DEFAULT_PORTS
    first, _, last = text.partition("-")
    return int(first), int(last)


def fabric(graph: Graph) -> Fabric | None:
    """Describe the zenoh network between hosts; None where links go over ZeroMQ."""
    remote = _remote(graph)
    if remote.get("transport") != "zenoh":
        return None
    endpoints, config = remote.get("connect"), remote.get("config")
    return Fabric(
        "client" if remote.get("mode") == "client" else "peer",
        "tls" if remote.get("protocol") == "tls" else "tcp",
        tuple(map(str, endpoints)) if isinstance(endpoints, list) else (),
        config if isinstance(config, str) else "",
    )


def is_insecure(graph: Graph) -> bool:
    """Tell whether links between hosts go without keys."""
    return _remote(graph).get("insecure") is True


def check_ports(graph: Graph, sink: Sink) -> Graph:
    """Report hosts on which the range of ports is too small; the graph is returned as it is."""
    first, last = port_range(graph)
    room = last - first + 1
    what = "reads from other hosts" if fabric(graph) is None else "has a link to another host"
    reading = listeners(graph)
    for hosts in by_address(graph).values() if reading else ():
        nodes = [node for host in hosts for node in reading.get(host, ())]
        needed = len(hosts) + len(nodes)
        if nodes and needed > room:
            help_text = f"write `port_range: {first}-{first + needed - 1}` under `communication: remote:`"
            if first + needed - 1 > HIGHEST_PORT:
                help_text = f"begin `port_range` at {HIGHEST_PORT - needed + 1} or lower"
            sink.error(
                "DF830",
                f"{_needing(hosts)} {needed} ports, one for {_launchers(hosts)} and one for each node that {what}, "
                f"and `{first}-{last}` has {room}",
                graph.setting_spans.get("communication")
                or graph.node(nodes[max(last - first + 1 - len(hosts), 0)]).span,
                help=help_text,
            )
    return graph


def _needing(hosts: Sequence[str]) -> str:
    if len(hosts) == 1:
        return f"host `{hosts[0]}` needs"
    return f"the hosts {listed([f'`{host}`' for host in hosts])} have one address, and need"


def _launchers(hosts: Sequence[str]) -> str:
    return "its launcher" if len(hosts) == 1 else "each launcher"


def peers(graph: Graph, given: Ports, hosts: Iterable[str]) -> tuple[Peer, ...]:
    """Describe all hosts: one without an address in the inventory is reached by its name."""
    addresses = {host.name: host.address for host in graph.hosts}
    return tuple(Peer(host, addresses.get(host) or host, given.launchers[host]) for host in hosts)


def far_nodes(
    graph: Graph, given: Ports, links: Iterable[Link], own: str, wire: Callable[[Input], InputWiring]
) -> tuple[FarNode, ...]:
    """Describe the nodes of other hosts that `links` of the host `own` join, in the order of the links."""
    found: dict[str, dict[str, None]] = {}
    for link in links:
        if graph.node(link.producer).host != own:
            found.setdefault(link.producer, {})
        if graph.node(link.consumer).host != own:
            found.setdefault(link.consumer, {})[link.input] = None
    return tuple(
        FarNode(
            name,
            graph.node(name).host,
            given.nodes.get(name, 0) if inputs else 0,
            tuple(wire(port) for port in graph.node(name).inputs if port.id in inputs),
        )
        for name, inputs in found.items()
    )


def _remote(graph: Graph) -> Mapping[str, object]:
    communication = graph.settings.get("communication")
    remote = communication.get("remote") if isinstance(communication, dict) else None
    return remote if isinstance(remote, dict) else {}
