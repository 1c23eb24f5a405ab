"""The nodes of this host as others have to know of them, and the other hosts as they are shown to an operator.

Only reads; how a node stands is settled elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.control.messages import HostState
from doraflow_runtime.fleet.messages import NodeRow, fit
from doraflow_runtime.launcher.members import Guest

if TYPE_CHECKING:
    from doraflow_runtime.contract import HostWiring
    from doraflow_runtime.fleet.clock import Estimate
    from doraflow_runtime.fleet.membership import Host
    from doraflow_runtime.launcher.members import Member
    from doraflow_runtime.launcher.scene import Scene


def rows_for(host: str, scene: Scene) -> tuple[NodeRow, ...]:
    """Say where the nodes stand that a host has to know of, in the order of the links."""
    errors = scene.failures.errors
    names = dict.fromkeys([*linked_with(host, scene.run.wiring), *errors])
    return tuple(_row(node, scene.members.peer(node), errors.get(node, "")) for node in names)


def linked_with(host: str, wiring: HostWiring) -> tuple[str, ...]:
    """List the nodes of this host that are linked with nodes of another."""
    there = {node.id for node in wiring.far if node.host == host}
    found: dict[str, None] = {}
    for link in wiring.links:
        if link.consumer in there:
            found[link.producer] = None
        elif link.producer in there:
            found[link.consumer] = None
    return tuple(found)


def host_state(host: Host, clock: Estimate | None, now: float) -> HostState:
    """Say how another host stands at `now`, on the clock of its membership."""
    state = host.beat.phase if host.presence == "present" and host.beat is not None else host.presence
    return HostState(
        host.name,
        "starting" if state == "present" else state,
        None if clock is None else clock.offset_ns // 1000,
        None if clock is None else clock.error_ns // 1000 + 1,
        max(0, int((now - host.heard_at) * 1000)) if host.heard_at else 0,
    )


def _row(node: str, member: Member | Guest | None, error: str) -> NodeRow:
    if member is None:
        return NodeRow(node, "ended" if error else "there", 0, fit(error))
    if isinstance(member, Guest):
        return NodeRow(node, "absent" if member.connection is None else "there", max(0, member.visits - 1))
    if member.is_over:
        return NodeRow(node, "ended", member.restarts.count, fit(error))
    is_restarting = member.restart_at is not None
    return NodeRow(node, "restarting" if is_restarting else "there", member.restarts.count - is_restarting)
