"""dora's `cluster.yml` as a source of machines.

What only dora's coordinator and daemons need is read and judged, so that a fault is told here as dora tells it, and
then left aside.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doraflow.diagnostics import Label
from doraflow.parser.host_model import Cluster, Host
from doraflow.parser.read import read_model
from doraflow.parser.syntax import Entry, MappingNode, ScalarNode, SequenceNode, head_span, is_null

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.diagnostics import Sink
    from doraflow.parser.host_model import Machine

_CLUSTER_KEYS = frozenset({"coordinator", "machines", "zenoh_peer"})
_ENDPOINT = re.compile(r"(?!-)[A-Za-z0-9_./:\[\]-]+")


def is_cluster(syntax: MappingNode) -> bool:
    """Tell by its keys whether a file is a cluster file of dora's."""
    keys = {entry.key.text for entry in syntax.entries}
    return "hosts" not in keys and bool(keys & _CLUSTER_KEYS)


def read_cluster(syntax: MappingNode, sink: Sink) -> tuple[dict[str, Host], MappingNode] | None:
    """Read a cluster file: its machines by name, and the syntax of each by name; None after an error."""
    reading = read_model(Cluster, syntax, sink)
    machines = reading.tree.get("machines") if reading is not None else None
    if reading is None or machines is None:
        return None
    cluster = reading.model
    if not cluster.machines and "machines" not in reading.faulty:
        sink.error("DF502", "this cluster file lists no machine", head_span(machines), help="add `{id: …, host: …}`")
    _check_peer(cluster, reading.tree, sink)
    hosts: dict[str, Host] = {}
    entries: dict[str, Entry] = {}
    for machine, item in _pairs(cluster, machines):
        name = item.get("id")
        if not isinstance(name, ScalarNode):
            continue
        if machine.id in hosts:
            sink.error(
                "DF502",
                f"two machines have the id `{machine.id}`",
                name.span,
                related=[Label(entries[machine.id].key.span, "the first one is here")],
                help="give one of them another id",
            )
            continue
        hosts[machine.id] = _host(machine)
        entries[machine.id] = Entry(name, item)
    return hosts, MappingNode(tuple(entries.values()), machines.span)


def _pairs(cluster: Cluster, machines: object) -> Iterator[tuple[Machine, MappingNode]]:
    items = machines.items if isinstance(machines, SequenceNode) else ()
    for machine, item in zip(cluster.machines, items, strict=True):
        if isinstance(item, MappingNode):
            yield machine, item


def _host(machine: Machine) -> Host:
    """Make the entry of `hosts` that says the same."""
    shown = f"[{machine.host}]" if machine.port is not None and ":" in machine.host else machine.host
    user = f"{machine.user}@" if machine.user else ""
    port = f":{machine.port}" if machine.port is not None else ""
    return Host(address=machine.zenoh_addr or machine.host, labels=machine.labels, ssh=f"{user}{shown}{port}")


def _check_peer(cluster: Cluster, syntax: MappingNode, sink: Sink) -> None:
    peer = syntax.get("zenoh_peer")
    if peer is None or is_null(peer) or cluster.zenoh_peer is None:
        return
    if not _ENDPOINT.fullmatch(cluster.zenoh_peer):
        sink.error(
            "DF502",
            f"`zenoh_peer` is `{cluster.zenoh_peer}`, which is no endpoint",
            head_span(peer),
            help="write for example `tcp/10.0.0.1:5456`",
        )
    for _, item in _pairs(cluster, syntax.get("machines")):
        given = [entry for entry in item.entries if entry.key.text in ("zenoh_addr", "zenoh_port")]
        own = next((entry for entry in given if not is_null(entry.value)), None)
        if own is not None:
            sink.error(
                "DF109",
                f"`zenoh_peer` and `{own.key.text}` exclude one another: one endpoint for all, or one for each machine",
                own.key.span,
                related=[Label(head_span(peer), "`zenoh_peer` is given here")],
                help=f"remove `zenoh_peer` or `{own.key.text}`",
            )
            return
