"""The inventory: the machines of a dataflow's own `hosts` and of a file beside it, joined and judged together.

The file is one of doraflow's, with `hosts`, or dora's `cluster.yml`; its keys tell which. Whether a machine is known is
judged in `doraflow.analysis`.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.diagnostics import Label
from doraflow.parser.cluster import is_cluster, read_cluster
from doraflow.parser.files import read_tree
from doraflow.parser.host_model import Inventory
from doraflow.parser.read import read_model
from doraflow.parser.syntax import MappingNode

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from pathlib import Path

    from doraflow.diagnostics import Sink, Span
    from doraflow.parser.host_model import Host
    from doraflow.parser.model import Dataflow
    from doraflow.parser.syntax import SyntaxNode

FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Joined:
    """A dataflow with the hosts of its inventory file, and the syntax of these by name.

    `is_whole` is false where a part of the file could not be read: a machine that lacks may stand in that part.
    """

    dataflow: Dataflow
    syntax: MappingNode | None = None
    is_whole: bool = True


def with_inventory(dataflow: Dataflow, path: Path | None, texts: MutableMapping[str, str], sink: Sink) -> Joined:
    """Join the hosts of an inventory file to the dataflow's; of a host that both describe, the inventory's keys win.

    If nothing of the file can be read, the dataflow stays as it was.
    """
    if path is None:
        return Joined(dataflow)
    errors = len(sink.found)
    syntax = read_tree(path, path.as_posix(), texts, sink, "hosts")
    read = _read(syntax, sink) if syntax is not None else None
    if read is None:
        return Joined(dataflow, is_whole=False)
    hosts = dict(dataflow.hosts)
    for name, host in read[0].items():
        given = {key: getattr(host, key) for key in host.model_fields_set}
        hosts[name] = hosts[name].model_copy(update=given) if name in hosts else host
    return Joined(dataflow.model_copy(update={"hosts": hosts}), read[1], len(sink.found) == errors)


def check_hosts(hosts: Mapping[str, Host], sections: tuple[SyntaxNode | None, ...], sink: Sink) -> None:
    """Judge the machines together: their names, and that no two share an address.

    `sections` are the syntaxes that give machines by name, those whose keys win last.
    """
    places = [section for section in sections if isinstance(section, MappingNode)]
    seen: dict[str, str] = {}
    for name, host in hosts.items():
        span = _key_span(name, places)
        if not FILE_NAME.fullmatch(name):
            sink.error(
                "DF105",
                f"`{name}` cannot be a machine's name: files are named after it",
                span,
                help="write up to 64 letters, digits, `_`, `-` and `.`, with none of the last two first",
            )
        if host.address is None or is_loopback(host.address):
            continue
        other = seen.setdefault(host.address.lower(), name)
        if other != name:
            first = _value_span(other, "address", places)
            sink.warning(
                "DF512",
                f"`{other}` and `{name}` have one address, `{host.address}`: what counts as two machines may be one",
                _value_span(name, "address", places) or span,
                related=[Label(first, f"`{other}` has it here")] if first is not None else [],
                help="give each machine its own address, or use one name for both",
            )


def is_loopback(address: str) -> bool:
    """Tell whether an address leads to this machine alone."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address.lower() == "localhost"


def _read(syntax: MappingNode, sink: Sink) -> tuple[Mapping[str, Host], MappingNode | None] | None:
    if is_cluster(syntax):
        return read_cluster(syntax, sink)
    reading = read_model(Inventory, syntax, sink)
    if reading is None:
        return None
    section = reading.tree.get("hosts")
    return reading.model.hosts, section if isinstance(section, MappingNode) else None


def _key_span(name: str, places: list[MappingNode]) -> Span | None:
    return next((span for place in places if (span := place.key_span(name)) is not None), None)


def _value_span(name: str, key: str, places: list[MappingNode]) -> Span | None:
    """Find where a machine's value is given; a cluster file calls an address `zenoh_addr` or `host`."""
    for place in reversed(places):
        host = place.get(name)
        for spelling in (key, "zenoh_addr", "host"):
            value = host.get(spelling) if isinstance(host, MappingNode) else None
            if value is not None:
                return value.span
    return None
