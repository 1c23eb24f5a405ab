"""What each node asks of its machine, and which machines could take it if it were alone there.

A node asks by name, by labels, by the cores it is bound to, and by `cores` and `memory` of its `deploy`. Which of the
machines that fit it gets is decided in `doraflow.analysis.placement.assign`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.ir import DEFAULT_HOST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow.ir import Graph, Host, Node


@dataclass(frozen=True, slots=True)
class Demand:
    """What a node asks for: cores of its own, bytes of memory, labels, and the highest core that it is bound to."""

    cores: int = 0
    memory: int = 0
    labels: tuple[tuple[str, str], ...] = ()
    highest_core: int = -1

    @property
    def is_nothing(self) -> bool:
        """Whether any machine will do."""
        return not (self.cores or self.memory or self.labels or self.highest_core >= 0)

    def fits(self, host: Host) -> bool:
        """Tell whether an empty machine could take the node; what a machine does not say of itself is no bound."""
        return not self.unmet(host)

    def unmet(self, host: Host) -> str:
        """Name the first thing that a machine lacks, as part of a sentence; empty if it lacks nothing."""
        for key, value in self.labels:
            if host.labels.get(key) != value:
                return f"does not carry `{key}: {value}`"
        if host.cores is not None and max(self.cores, self.highest_core + 1) > host.cores:
            return f"has {host.cores} core{'s' if host.cores != 1 else ''}"
        if host.memory is not None and self.memory > host.memory:
            return f"has {size(host.memory)} of memory"
        return ""


def demand(node: Node) -> Demand:
    """Read what a node asks for."""
    labels = node.deployment.get("labels")
    cores, memory = node.deployment.get("cores"), node.deployment.get("memory")
    return Demand(
        cores=cores if isinstance(cores, int) else 0,
        memory=memory if isinstance(memory, int) else 0,
        labels=tuple((str(key), str(value)) for key, value in labels.items()) if isinstance(labels, dict) else (),
        highest_core=max(node.cpu_affinity, default=-1),
    )


def machines(graph: Graph) -> tuple[str, ...]:
    """List the machines that a node may be placed on: those of the inventory, and `local` where there is none.

    `local` counts beside an inventory only if some node names it.
    """
    names = tuple(host.name for host in graph.hosts)
    if not names or not graph.knows_machines:
        return (DEFAULT_HOST,)
    names_local = DEFAULT_HOST not in names and any(node.machine == DEFAULT_HOST for node in graph.nodes)
    return (*names, DEFAULT_HOST) if names_local else names


def size(count: int) -> str:
    """Write a number of bytes for people.

    >>> size(8 * 1024**3), size(1536), size(5)
    ('8 GiB', '1.5 KiB', '5 B')
    """
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            return f"{amount:.3g} {unit}"
        amount /= 1024
    return ""


def described(wanted: Demand) -> str:
    """Write what a node asks for, as a list for a sentence."""
    parts = [f"`{key}: {value}`" for key, value in wanted.labels]
    if wanted.highest_core >= 0:
        parts.append(f"core {wanted.highest_core}")
    if wanted.cores:
        parts.append(f"{wanted.cores} core{'s' if wanted.cores != 1 else ''}")
    if wanted.memory:
        parts.append(f"{size(wanted.memory)} of memory")
    return listed(parts)


def listed(parts: Sequence[str]) -> str:
    """Join parts as a sentence does."""
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1] if parts else ""
