"""Ports of several dataflows: what they use on the hosts that they share.

Each dataflow by itself is judged in `doraflow.analysis.between_hosts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.analysis.between_hosts import HIGHEST_PORT, by_address, listeners, port_range
from doraflow.diagnostics import Label, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph


@dataclass(frozen=True, slots=True)
class _Use:
    """The ports that a dataflow uses on hosts of one address, the first and the last of them."""

    graph: Graph
    host: str
    first: int
    last: int


def check_shared_ports(graphs: Sequence[Graph], sink: Sink) -> None:
    """Report dataflows that could not run side by side: their ports on a host overlap.

    Hosts are the same if their address is, or their name where they have none. Of two dataflows one host is told.
    """
    seen: dict[str, list[_Use]] = {}
    told: set[tuple[int, int]] = set()
    for number, graph in enumerate(graphs):
        for address, use in _uses(graph).items():
            for other in seen.get(address, ()):
                pair = (id(other.graph), number)
                if use.first <= other.last and other.first <= use.last and pair not in told:
                    told.add(pair)
                    _tell(use, other, sink)
            seen.setdefault(address, []).append(use)


def _uses(graph: Graph) -> dict[str, _Use]:
    """List the ports by address; a dataflow that runs on one host uses none."""
    grouped = by_address(graph)
    if sum(map(len, grouped.values())) < 2:
        return {}
    reading = listeners(graph)
    first, _ = port_range(graph)
    return {
        address: _Use(graph, hosts[0], first, first + sum(1 + len(reading.get(host, ())) for host in hosts) - 1)
        for address, hosts in grouped.items()
    }


def _tell(use: _Use, other: _Use, sink: Sink) -> None:
    begin = max(each.last for each in (*_uses(use.graph).values(), *_uses(other.graph).values())) + 1
    span = port_range(use.graph)[1] - port_range(use.graph)[0]
    help_text = f"launch one of them with `--port-base {begin}` on every host"
    if begin + span <= HIGHEST_PORT:
        help_text = (
            f"write `port_range: {begin}-{begin + span}` under `communication: remote:` in `{use.graph.file}`, "
            f"or {help_text}"
        )
    shared = (max(use.first, other.first), min(use.last, other.last))
    ports, them = f"the ports {shared[0]} to {shared[1]}", "them"
    if shared[0] == shared[1]:
        ports, them = f"port {shared[0]}", "it"
    sink.warning(
        "DF896",
        f"`{use.graph.file}` and `{other.graph.file}` both use {ports} of `{use.host}`, "
        f"so that the second to start finds {them} taken",
        _place(use),
        related=[Label(_place(other), "used here")],
        help=help_text,
    )


def _place(use: _Use) -> Span:
    """Give what sets the ports, or the first node on the host."""
    first = next(node for node in use.graph.nodes if node.host == use.host)
    return use.graph.setting_spans.get("communication") or first.machine_span or first.span
