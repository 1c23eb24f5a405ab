"""Placement told: which host each node runs on, and what stands against it.

The choice is made in `doraflow.analysis.placement`; here its findings become diagnostics.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from doraflow.analysis.placement.decide import decide
from doraflow.analysis.placement.demand import Demand, demand, described, machines
from doraflow.diagnostics import Label
from doraflow.ir import DEFAULT_HOST
from doraflow.parser.inventory import FILE_NAME
from doraflow.parser.suggest import Choices, choices_text

if TYPE_CHECKING:
    from doraflow.analysis.placement.decide import Decision, Refused
    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph, Host, Node

_MOST_SHOWN = 4


def place(graph: Graph, sink: Sink) -> Graph:
    """Give every node its host; with an inventory, a machine must stand in it.

    A node that names none gets one of the inventory, by `doraflow.analysis.placement`. Without an inventory every name
    is a host, and all other nodes are on `local`. In one of which a part could not be read, what is not found is not
    missed.
    """
    inventory = Choices(tuple(host.name for host in graph.hosts) if graph.knows_machines else ())
    known = frozenset((*inventory.names, DEFAULT_HOST))
    for node in graph.nodes:
        if node.machine is not None:
            _check_name(node, node.machine, sink)
            if inventory.names and node.machine not in known and FILE_NAME.fullmatch(node.machine):
                _tell_unknown(node, node.machine, inventory, sink)
    if sink.is_flooded:
        return graph
    decision = decide(graph)
    for refused in decision.refused:
        if sink.is_flooded:
            break
        _tell_refused(graph.node(refused.node), refused, decision, graph, sink)
    where = {placed.node: placed.host for placed in decision.placed}
    for moved in decision.moved:
        _tell_moved(graph.node(moved.node), where[moved.node], moved.reason, graph, sink)
    return replace(graph, nodes=tuple(_placed(node, where[node.id]) for node in graph.nodes))


def _placed(node: Node, host: str) -> Node:
    return node if node.host == host else replace(node, host=host)


def _tell_refused(node: Node, refused: Refused, decision: Decision, graph: Graph, sink: Sink) -> None:
    """Name the constraint that cannot be met."""
    hosts = {host.name: host for host in graph.hosts}
    wanted = demand(node)
    if not refused.candidates and wanted.labels and not any(_carries(wanted.labels, host) for host in graph.hosts):
        _tell_labels(node, wanted.labels, graph, sink)
        return
    if node.machine is not None:
        full = _fullness(hosts[node.machine], decision, graph)
        asked = described(replace(wanted, labels=(), highest_core=-1))
        message = f"`{node.machine}` has no room for `{node.id}`, which asks for {asked}: {full}"
        help_text = "ask for less in `deploy`, name another machine, or correct the inventory"
    elif refused.candidates:
        taken = [_fullness(hosts[name], decision, graph) for name in refused.candidates if name in hosts]
        message = f"no machine has room left for `{node.id}`, which asks for {described(wanted)}: {'; '.join(taken)}"
        help_text = "ask for less in `deploy`, add a machine to the inventory, or name machines for the others"
    else:
        lacks = [f"`{name}` {wanted.unmet(hosts[name])}" for name in machines(graph) if name in hosts]
        message = f"no machine can take `{node.id}`, which asks for {described(wanted)}: {', '.join(lacks)}"
        help_text = "ask for what one of the machines has, or correct the inventory"
    keys = ("cores", "memory", "labels")
    span = next((node.setting_spans[key] for key in keys if key in node.setting_spans), node.affinity_span)
    related = [Label(host.span, f"`{host.name}` is described here") for host in graph.hosts if host.span is not None]
    sink.error("DF515", message, span or node.span, related=related[:_MOST_SHOWN], help=help_text)


def _tell_moved(node: Node, host: str, reason: str, graph: Graph, sink: Sink) -> None:
    """Say that a node is not where the lock has it: of its own accord only what cannot stay moves."""
    pin = graph.pins[node.id]
    sink.note(
        "DF893",
        f"`{node.id}` moves from `{pin.host}` to `{host}`: {reason}",
        node.span,
        related=[Label(pin.span, f"pinned to `{pin.host}` here")],
        help=f"make `{pin.host}` fit for it again, or commit the lock that `doraflow build` writes",
    )


def _carries(labels: tuple[tuple[str, str], ...], host: Host) -> bool:
    return all(host.labels.get(key) == value for key, value in labels)


def _fullness(host: Host, decision: Decision, graph: Graph) -> str:
    """Say who has taken a machine."""
    refused = {node.node for node in decision.refused}
    there = [graph.node(entry.node) for entry in decision.placed if entry.host == host.name]
    taken = {node.id: Demand(demand(node).cores, demand(node).memory) for node in there if node.id not in refused}
    listed = [f"`{name}` has {described(part)}" for name, part in taken.items() if not part.is_nothing]
    has = described(Demand(host.cores or 0, host.memory or 0))
    return f"of the {has} of `{host.name}`, {', '.join(listed)}" if listed else f"`{host.name}` has {has}"


def _tell_labels(node: Node, labels: tuple[tuple[str, str], ...], graph: Graph, sink: Sink) -> None:
    asked = ", ".join(f"`{key}: {value}`" for key, value in labels)
    carried = {f"{key}: {value}": None for host in graph.hosts for key, value in host.labels.items()}
    sink.error(
        "DF514",
        f"no machine carries the labels that `{node.id}` asks for: {asked}; "
        f"the labels in the inventory are {choices_text(labels[0][0], tuple(carried))}",
        node.setting_spans.get("labels"),
        help="add the labels to one machine, ask for others, or name a `machine`",
    )


def _check_name(node: Node, machine: str, sink: Sink) -> None:
    if not FILE_NAME.fullmatch(machine):
        sink.error(
            "DF105",
            f"`{machine}` cannot be a machine's name: files are named after it",
            node.machine_span,
            help="write up to 64 letters, digits, `_`, `-` and `.`, with none of the last two first; "
            "the machine's address stands in the inventory",
        )


def _tell_unknown(node: Node, machine: str, inventory: Choices, sink: Sink) -> None:
    near = inventory.near(machine)
    sink.error(
        "DF501",
        f"there is no machine `{machine}` in the inventory; its machines are {inventory.text(near)}",
        node.machine_span,
        label=f"`{node.id}` is to run there",
        help=f"to use the closest machine, write `{near[0]}`" if near else f"add `{machine}` under `hosts`",
        replacement=near[0] if near else None,
    )
