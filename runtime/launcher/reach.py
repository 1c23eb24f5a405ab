"""Where the hosts of a dataflow are reached: addresses and ports as the bundle has them, and what the launch changes.

Nothing is connected here; ports are tried, so that one that is taken is told before anything starts.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.address_variables import unread, variables
from doraflow_runtime.launcher.findings import Finding, LaunchError, cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from doraflow_runtime.contract import HostWiring

PORT_VARIABLE = "DORAFLOW_PORT_BASE"
ANY_ADDRESS = "*"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - all interfaces: other hosts are to connect
HIGHEST_PORT = 65535

_NAME = re.compile(r"[0-9.]*[A-Za-z_-][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Changes:
    """What the command line changes: addresses by host, the first port of all hosts (0: none), where to listen."""

    addresses: dict[str, str] = field(default_factory=dict)
    port_base: int = 0
    listen: str = ANY_ADDRESS


UNCHANGED = Changes()


@dataclass(frozen=True, slots=True)
class Reach:
    """The addresses of the other hosts, and how far all ports are moved; `listen` is the address to listen on.

    Of the addresses of `unknown` hosts nothing was known when this was settled.
    """

    addresses: dict[str, str]
    offset: int
    listen: str = ANY_ADDRESS
    unknown: tuple[str, ...] = ()

    def endpoint(self, host: str, port: int) -> str:
        """Name the endpoint of a listener on another host.

        >>> Reach({"gpu": "10.0.0.2"}, 100).endpoint("gpu", 29401)
        'tcp://10.0.0.2:29501'
        """
        return f"tcp://{self.place(host, port)}"

    def own_endpoint(self, port: int) -> str:
        """Name the endpoint of a listener on this host."""
        return f"tcp://{_bracketed(self.listen)}:{port + self.offset}"

    def place(self, host: str, port: int) -> str:
        """Name the address and port of a listener on another host, without a protocol."""
        return f"{_bracketed(self.addresses[host])}:{port + self.offset}"

    def own_place(self, port: int) -> str:
        """Name the address and port of a listener on this host, without a protocol."""
        address = EVERYWHERE if self.listen == ANY_ADDRESS else self.listen
        return f"{_bracketed(address)}:{port + self.offset}"


def find_reach(wiring: HostWiring, changes: Changes, environment: Mapping[str, str]) -> Reach:
    """Settle addresses and ports: the command line comes first, then the environment, then the bundle.

    Raises LaunchError for a host that the dataflow has not, an address that cannot be or is not of this host,
    ports beyond the last, or those of two hosts in one place.
    """
    known = [peer.host for peer in wiring.peers]
    for host in changes.addresses:
        if host not in known and host != wiring.host:
            listed = ", ".join(f"`{name}`" for name in known) or "none"
            text = f"`--address` names the host `{host}`; the other hosts of this dataflow are: {listed}"
            raise LaunchError(
                Finding("DF831", text, help="give the address of one of them, as `--address HOST=ADDRESS`")
            )
    named = variables([wiring.host, *known])
    addresses = {
        peer.host: changes.addresses.get(peer.host) or environment.get(named[peer.host]) or peer.address
        for peer in wiring.peers
    }
    listen = _own_address(changes.listen) if wiring.peers else ANY_ADDRESS
    unknown = tuple(host for host, address in addresses.items() if not is_found(address))
    reach = Reach(addresses, _offset(wiring, changes, environment), listen, unknown)
    findings = unread(named, [host for host in known if host not in changes.addresses], environment)
    findings += [
        _unknown(host, addresses[host], named) for host in unknown if not _may_come(wiring, host, addresses[host])
    ]
    findings += _clashes(wiring, reach)
    if findings:
        raise LaunchError(*findings)
    return reach


def check_ports(wiring: HostWiring, reach: Reach) -> None:
    """Make sure that every port that this launcher and its nodes listen on can be had. Raises LaunchError."""
    ports = [("", wiring.port)] if wiring.peers else []
    ports += [(node.id, node.port) for node in wiring.nodes if node.port]
    findings = [
        _taken(node, port + reach.offset, error)
        for node, port in ports
        if (error := _try(reach.listen, port + reach.offset)) is not None
    ]
    if findings:
        raise LaunchError(*findings)


def _offset(wiring: HostWiring, changes: Changes, environment: Mapping[str, str]) -> int:
    given = environment.get(PORT_VARIABLE, "")
    base = changes.port_base or (int(given) if given.isdecimal() else 0)
    if given and not changes.port_base and not 1 <= base <= HIGHEST_PORT:
        text = f"`{PORT_VARIABLE}` is `{given}`, which is no port"
        raise LaunchError(Finding("DF832", text, help="set it to the first port that the hosts may listen on"))
    offset = base - min([wiring.port, *(peer.port for peer in wiring.peers)]) if base else 0
    highest = max([wiring.port, *(node.port for node in wiring.nodes), *(node.port for node in wiring.far)]) + offset
    if highest > HIGHEST_PORT:
        text = f"from {base} on, the ports of this dataflow go up to {highest}, and the last port is {HIGHEST_PORT}"
        raise LaunchError(Finding("DF832", text, help="begin lower with `--port-base`"))
    return offset


def _may_come(wiring: HostWiring, host: str, address: str) -> bool:
    """Tell whether an address may be known later: engines name a host when it is there, and ZeroMQ looks again.

    zenoh looks up but once the addresses that nodes of this host connect to: behind routers there are none.
    """
    if wiring.fabric is not None and any(node.host == host and node.inputs and node.port for node in wiring.far):
        return False
    try:
        address.encode("idna")
    except UnicodeError:
        return False
    return _NAME.fullmatch(address) is not None


def mend(host: str, hosts: Iterable[str]) -> str:
    """Say how another address of a host is given, which is one of `hosts`, those of the dataflow."""
    named = variables(hosts)[host]
    return f"launch with `--address {host}=ADDRESS`, set `{named}`, or put `address` under `hosts`"


def address_in(endpoint: str) -> str:
    """Give the address in an endpoint.

    >>> address_in("tcp://[fd00::2]:29400"), address_in("tcp://gpu:29400")
    ('fd00::2', 'gpu')
    """
    return endpoint.removeprefix("tcp://").rpartition(":")[0].strip("[]")


def is_found(address: str) -> bool:
    """Tell whether anything is known of an address; may wait for the system's name servers."""
    try:
        socket.getaddrinfo(address, None, _family(address), socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return True


def _family(address: str) -> socket.AddressFamily:
    """Look names up as those of IPv4, as ZeroMQ does."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _own_address(listen: str) -> str:
    """Give the address to listen on as numbers: ZeroMQ listens on no name. Raises LaunchError if it is not here."""
    if listen == ANY_ADDRESS:
        return listen
    try:
        found = str(socket.getaddrinfo(listen, None, _family(listen), socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError):
        why = "and nothing is known of that address"
    else:
        if _is_here(found):
            return found
        why = "which is no address of this host"
    text = f"`--listen` names `{listen}`, {why}"
    raise LaunchError(Finding("DF832", text, help="name an address of this host with `--listen`, or leave it out"))


def _is_here(address: str) -> bool:
    """Tell whether an address is one of this host."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.bind(place)
    except (OSError, UnicodeError):
        return False
    return True


def _clashes(wiring: HostWiring, reach: Reach) -> Iterator[Finding]:
    """Find hosts in one place with the same ports: at the build, which gives them out, their addresses differed."""
    places: dict[tuple[str, int], str] = {}
    for peer in wiring.peers:
        address = reach.addresses[peer.host]
        other = places.setdefault((address, peer.port), peer.host)
        if peer.port == wiring.port and reach.listen in (ANY_ADDRESS, address) and _is_here(address):
            other = wiring.host
        if other != peer.host:
            yield Finding(
                "DF832",
                f"hosts `{other}` and `{peer.host}` are both reached at `{address}`, with the same ports: the build "
                "gave them out for different addresses",
                help="give both an `address` under `hosts` and build again",
            )


def _unknown(host: str, address: str, hosts: Iterable[str]) -> Finding:
    return Finding(
        "DF831",
        f"host `{host}` cannot be found: nothing is known of the address `{address}`",
        help=mend(host, hosts),
    )


def _try(listen: str, port: int) -> OSError | None:
    """Listen for a moment; gives what the system has against it."""
    try:
        name = EVERYWHERE if listen == ANY_ADDRESS else listen  # numbers, see `_own_address`
        family, kind, protocol, _, address = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            trial.listen(1)
    except OSError as error:
        return error
    return None


def _taken(node: str, port: int, error: OSError) -> Finding:
    return Finding(
        "DF832",
        f"{f'`{node}`' if node else 'the launcher'} cannot listen on port {port} for the other hosts: {cause(error)}",
        node=node,
        help=f"end the program that listens there (`ss -ltnp 'sport = :{port}'` names it), "
        "or launch all hosts with another `--port-base`",
    )


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
