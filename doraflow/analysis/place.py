"""Placement: which host each node runs on.

A node runs on the machine that its `deploy` names, and on host `local` where nothing is named.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from doraflow.ir import DEFAULT_HOST
from doraflow.parser.suggest import choices_text, nearest

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph, Node

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def place(graph: Graph, sink: Sink) -> Graph:
    """Give every node its host; with an inventory, a machine must stand in it.

    Without an inventory every name is a host.
    """
    inventory = tuple(host.name for host in graph.hosts)
    for node in graph.nodes:
        if node.machine is not None:
            _check(node, node.machine, inventory, sink)
    return replace(graph, nodes=tuple(_placed(node) for node in graph.nodes))


def _placed(node: Node) -> Node:
    host = node.machine or DEFAULT_HOST
    return node if node.host == host else replace(node, host=host)


def _check(node: Node, machine: str, inventory: tuple[str, ...], sink: Sink) -> None:
    if not _FILE_NAME.fullmatch(machine):
        sink.error(
            "DF105",
            f"`{machine}` cannot be a machine's name: files are named after it",
            node.machine_span,
            help="write up to 64 letters, digits, `_`, `-` and `.`, with none of the last two first; "
            "the machine's address stands in the inventory",
        )
    elif inventory and machine not in (*inventory, DEFAULT_HOST):
        near = nearest(machine, inventory)
        sink.error(
            "DF501",
            f"there is no machine `{machine}` in the inventory; its machines are {choices_text(machine, inventory)}",
            node.machine_span,
            label=f"`{node.id}` is to run there",
            help=f"to use the closest machine, write `{near[0]}`" if near else f"add `{machine}` under `hosts`",
        )
