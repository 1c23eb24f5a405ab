"""Placement: which host each node runs on.

A node runs on the machine that its `deploy` names, else on the first one that carries all labels it asks for, and on
host `local` where neither is given.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from doraflow.ir import DEFAULT_HOST
from doraflow.parser.suggest import Choices, choices_text

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph, Node

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def place(graph: Graph, sink: Sink) -> Graph:
    """Give every node its host; with an inventory, a machine must stand in it.

    Without an inventory every name is a host, and labels choose nothing. In one of which a part could not be read, what
    is not found is not missed.
    """
    inventory = Choices(tuple(host.name for host in graph.hosts) if graph.knows_machines else ())
    known = frozenset((*inventory.names, DEFAULT_HOST))
    nodes = []
    for node in graph.nodes:
        if node.machine is not None:
            _check_name(node, node.machine, sink)
            if inventory.names and node.machine not in known and _FILE_NAME.fullmatch(node.machine):
                _tell_unknown(node, node.machine, inventory, sink)
        by_label = _by_labels(node, graph, sink) if node.machine is None and graph.hosts else None
        nodes.append(_placed(node, node.machine or by_label or DEFAULT_HOST))
    return replace(graph, nodes=tuple(nodes))


def _placed(node: Node, host: str) -> Node:
    return node if node.host == host else replace(node, host=host)


def _by_labels(node: Node, graph: Graph, sink: Sink) -> str | None:
    """Choose the first machine that carries all labels that a node asks for; None where it asks for none."""
    wanted = node.deployment.get("labels")
    if not isinstance(wanted, dict) or not wanted:
        return None
    for host in graph.hosts:
        if all(host.labels.get(key) == value for key, value in wanted.items()):
            return host.name
    if not graph.knows_machines:
        return None
    asked = ", ".join(f"`{key}: {value}`" for key, value in wanted.items())
    carried = {f"{key}: {value}": None for host in graph.hosts for key, value in host.labels.items()}
    sink.error(
        "DF514",
        f"no machine carries the labels that `{node.id}` asks for: {asked}; "
        f"the labels in the inventory are {choices_text(next(iter(wanted)), tuple(carried))}",
        node.setting_spans.get("labels"),
        help="add the labels to one machine, ask for others, or name a `machine`",
    )
    return None


def _check_name(node: Node, machine: str, sink: Sink) -> None:
    if not _FILE_NAME.fullmatch(machine):
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
