"""What the wiring of a host says of its links to others: who is reached how, on which ports, and with which keys.

The names of variables and files are those of the runtime's launcher; a test compares them.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.targeting.names import dns_label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doraflow_runtime.contract import HostWiring

ADDRESS_VARIABLE = "DORAFLOW_ADDRESS_"
PRIVATE = ".secret"
PUBLIC = ".public"
OLD_PUBLIC = ".public.old"

_PORT = re.compile(r":([0-9]{1,5})(?:[?#].*)?$")
_NOT_IN_NAMES = re.compile(r"[^A-Z0-9]")


@dataclass(frozen=True, slots=True)
class LinkNeeds:
    """Another host of the dataflow: its names, the environment variable that gives its address, and the address.

    `port` is that of its launcher, `own_ports` are those on which nodes here listen for it, and `its_ports` those on
    which its nodes listen for this host.
    """

    host: str
    label: str
    unit: str
    variable: str
    address: str
    port: int
    own_ports: tuple[int, ...]
    its_ports: tuple[int, ...]


def address_variables(hosts: Iterable[str]) -> dict[str, str]:
    """Name the environment variables by which launchers are given the addresses of hosts.

    Those of names that come out alike end in a digest of the name.

    >>> address_variables(["base-station", "gpu"])
    {'base-station': 'DORAFLOW_ADDRESS_BASE_STATION', 'gpu': 'DORAFLOW_ADDRESS_GPU'}
    """
    plain = {host: ADDRESS_VARIABLE + _NOT_IN_NAMES.sub("_", host.upper()) for host in hosts}
    often = Counter(plain.values())
    made = {host: name if often[name] == 1 else _longer(host, name) for host, name in plain.items()}
    if len(set(made.values())) < len(made):  # a host is called as another one's longer name
        return {host: _longer(host, name) for host, name in plain.items()}
    return made


def link_needs(dataflow: str, wiring: HostWiring) -> tuple[LinkNeeds, ...]:
    """List the other hosts of the dataflow, in its order: launchers of all hosts talk with each other."""
    own, its = _ports_by_host(wiring)
    variables = address_variables([wiring.host, *(peer.host for peer in wiring.peers)])
    return tuple(
        LinkNeeds(
            host=peer.host,
            label=dns_label(peer.host),
            unit=dns_label(f"{dataflow}-{peer.host}"),
            variable=variables[peer.host],
            address=peer.address,
            port=peer.port,
            own_ports=tuple(dict.fromkeys(own.get(peer.host, ()))),
            its_ports=tuple(dict.fromkeys(its.get(peer.host, ()))),
        )
        for peer in wiring.peers
    )


def open_ports(wiring: HostWiring) -> tuple[int, ...]:
    """List the ports on which a host listens for others: its launcher's, and those of nodes that read from them."""
    if not wiring.peers:
        return ()
    return tuple(dict.fromkeys([wiring.port, *(node.port for node in wiring.nodes if node.port)]))


def router_ports(wiring: HostWiring) -> tuple[int, ...]:
    """List the ports of routers of zenoh that nodes connect to, wherever those are."""
    endpoints = wiring.fabric.connect if wiring.fabric is not None else ()
    found = (_PORT.search(endpoint) for endpoint in endpoints)
    return tuple(dict.fromkeys(int(match[1]) for match in found if match is not None))


def ranges(ports: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Join ports that follow each other: the first and the last of each range.

    >>> ranges([5, 1, 2, 3, 5])
    ((1, 3), (5, 5))
    """
    joined: list[tuple[int, int]] = []
    for port in sorted(set(ports)):
        if joined and joined[-1][1] == port - 1:
            joined[-1] = (joined[-1][0], port)
        else:
            joined.append((port, port))
    return tuple(joined)


def key_files(wiring: HostWiring) -> tuple[str, ...]:
    """List the files with the keys that a host needs: its own secret one, and everybody's public ones."""
    if not wiring.peers or wiring.insecure:
        return ()
    everybody = (wiring.host, *(peer.host for peer in wiring.peers))
    return (f"{wiring.host}{PRIVATE}", *(f"{host}{PUBLIC}" for host in everybody))


def old_key_files(keys: Iterable[str]) -> tuple[str, ...]:
    """Name the files of public keys that are admitted beside the present ones, as long as they are not retired.

    >>> old_key_files(["edge.secret", "edge.public"])
    ('edge.public.old',)
    """
    return tuple(f"{name.removesuffix(PUBLIC)}{OLD_PUBLIC}" for name in keys if name.endswith(PUBLIC))


def _longer(host: str, variable: str) -> str:
    return f"{variable}_{hashlib.sha256(host.encode()).hexdigest()[:8].upper()}"


def _ports_by_host(wiring: HostWiring) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Give by other host the ports of nodes here that read from it, and of nodes there that read from here."""
    homes = {node.id: node.host for node in wiring.far}
    ports = {node.id: node.port for node in wiring.nodes}
    own: dict[str, list[int]] = {}
    its: dict[str, list[int]] = {}
    for link in wiring.links:
        if link.producer in homes and ports[link.consumer]:
            own.setdefault(homes[link.producer], []).append(ports[link.consumer])
    for node in wiring.far:
        if node.port:
            its.setdefault(node.host, []).append(node.port)
    return own, its
