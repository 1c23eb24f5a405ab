"""What a target has to know of each host: its name, its room, whom it talks with, and how long it takes to stop.

The times are those of the runtime's launcher; a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow.analysis.memory import memory_bounds
from doraflow.targeting.links import LinkNeeds, key_files, link_needs, open_ports, router_ports
from doraflow.targeting.names import dns_label

if TYPE_CHECKING:
    from doraflow.ir import Plan

GRACE = 5
"""Seconds that nodes have to end when they are asked to, and again after SIGTERM."""

START_TIMEOUT = 120
"""Seconds that nodes have to join."""

LAST_PATIENCE = 5
"""Seconds that the launcher gives to what it has killed."""

_MARGIN = 5
STOP_SECONDS = 2 * GRACE + LAST_PATIENCE + _MARGIN
"""Seconds after which a launcher that was asked to stop has ended, whatever its nodes do."""

START_SECONDS = START_TIMEOUT + STOP_SECONDS
"""Seconds after which a launcher has either started all nodes or ended."""

MIB = 1024**2
_ROOM = 64 * MIB
"""For sockets, tables and what nodes put into /dev/shm on their own."""


@dataclass(frozen=True, slots=True)
class HostNeeds:
    """A host as engines see it. `label` is its name as a DNS label, `unit` that of the dataflow on it.

    `memory` and `cores` are those of the inventory, None where it does not say; `shared_memory` is in bytes. `ports`
    are the TCP ports that it listens on for other hosts, first that on which launchers talk; `keys` are the files that
    hold its keys. `routers` are the ports of routers that its nodes connect to, wherever those are.
    """

    host: str
    label: str
    unit: str
    shared_memory: int
    cores: int | None = None
    memory: int | None = None
    labels: dict[str, str] = field(default_factory=dict)
    links: tuple[LinkNeeds, ...] = ()
    ports: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()
    routers: tuple[int, ...] = ()


def host_needs(plan: Plan) -> tuple[HostNeeds, ...]:
    """List the hosts of a plan in its order."""
    known = {host.name: host for host in plan.graph.hosts}
    pools = {bound.host: bound.pools for bound in memory_bounds(plan.graph)}
    made = []
    for each in plan.hosts:
        machine = known.get(each.host)
        made.append(
            HostNeeds(
                host=each.host,
                label=dns_label(each.host),
                unit=dns_label(f"{plan.graph.name}-{each.host}"),
                shared_memory=_whole_mib(_ROOM + pools.get(each.host, 0)),
                cores=machine.cores if machine is not None else None,
                memory=machine.memory if machine is not None else None,
                labels=dict(machine.labels) if machine is not None else {},
                links=link_needs(plan.graph.name, each.wiring),
                ports=open_ports(each.wiring),
                keys=key_files(each.wiring),
                routers=router_ports(each.wiring),
            )
        )
    return tuple(made)


def _whole_mib(size: int) -> int:
    return -(-size // MIB) * MIB
