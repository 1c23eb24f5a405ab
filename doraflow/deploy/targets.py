"""Where a deploy goes: the hosts of a dataflow that are meant, and how SSH reaches each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.ir import DEFAULT_HOST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow.diagnostics import Sink
    from doraflow.ir import Plan

BASE = "~/.local/share/doraflow"
"""Where versions lie on a host whose inventory names no other folder."""


@dataclass(frozen=True, slots=True)
class Target:
    """A host, its SSH destination, and the folder there below which the dataflow's versions lie."""

    host: str
    destination: str
    base: str = BASE


def targets_of(plan: Plan, only: Sequence[str], sink: Sink) -> tuple[Target, ...] | None:
    """Find the hosts that run something of a plan, or those in `only`; None after a finding (DF870)."""
    used = [host.host for host in plan.hosts]
    for name in only:
        if name not in used:
            _tell_unknown(name, used, sink)
    known = {host.name: host for host in plan.graph.hosts}
    targets = []
    for name in used if not only else [name for name in used if name in only]:
        host = known.get(name)
        destination = (host.ssh or host.address) if host is not None else None
        if host is None or destination is None:
            _tell_nowhere(name, plan, sink)
            continue
        targets.append(Target(name, destination, host.folder or BASE))
    if not used:
        sink.error("DF870", "the dataflow runs nothing on any host", help="add a node that is no dynamic one")
    return None if sink.has_errors else tuple(targets)


def _tell_unknown(name: str, used: Sequence[str], sink: Sink) -> None:
    from doraflow.parser.suggest import nearest

    near = nearest(name, used)
    listed = ", ".join(f"`{host}`" for host in [*near, *(host for host in used if host not in near)])
    mend = f"to name the closest, write `--host {near[0]}`" if near else f"write `--host {used[0]}`" if used else None
    sink.error("DF870", f"nothing of the dataflow runs on `{name}`; its hosts are: {listed}", help=mend)


def _tell_nowhere(name: str, plan: Plan, sink: Sink) -> None:
    nodes = ", ".join(f"`{node.id}`" for node in [node for node in plan.graph.nodes if node.host == name][:3])
    if name == DEFAULT_HOST and not any(host.name == name for host in plan.graph.hosts):
        sink.error(
            "DF870",
            f"no machine is named for {nodes}, so it would run here and cannot be deployed",
            help="write `deploy: {machine: NAME}` at the node, and `NAME: {ssh: user@address}` under `hosts`",
        )
        return
    sink.error(
        "DF870",
        f"`{name}`, which runs {nodes}, has neither `ssh` nor `address`, so nothing can be copied there",
        help=f"write `{name}: {{ssh: user@address}}` under `hosts`, or into the file given by `--inventory`",
    )
