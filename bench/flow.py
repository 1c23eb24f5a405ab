"""What is run for one figure: nodes, their roles, and the edges between them, whatever peer carries them.

Nothing here starts a process; `bench.nodes.seat` reads in the node's process what `Flow.text` writes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

CASE_WAYS = ("copied", "loaned")
IN_FLIGHT = 64 << 20  # bytes that may be unread in a flood, for every peer
FEWEST, MOST = 4, 1000  # and messages


@dataclass(frozen=True, slots=True)
class Vertex:
    """A node: its role in `bench/nodes/roles.py`, and the node whose one output it reads."""

    id: str
    role: str
    reads: str | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """A dataflow. `is_lossless` asks each peer for its way of holding a fast sender back."""

    kind: str
    nodes: tuple[Vertex, ...]
    settings: dict[str, str] = field(default_factory=dict)
    is_lossless: bool = False

    @property
    def window(self) -> int:
        """How long the queues are: the same for every peer."""
        return int(self.settings["window"])

    def readers(self, node: str) -> list[str]:
        """The nodes that read from `node`."""
        return [other.id for other in self.nodes if other.reads == node]

    def text(self) -> str:
        """Write the flow for its node processes."""
        return json.dumps(asdict(self))


def flow(
    kind: str, nodes: list[Vertex], sinks: list[str], size: int = 8, *, is_lossless: bool = False, **settings: object
) -> Flow:
    """Make a flow whose messages end at `sinks`."""
    names = [node.id for node in nodes]
    shared = any(sum(other.reads == name for other in nodes) > 1 for name in names)
    given: dict[str, object] = {
        "size": size,
        "ways": ",".join(CASE_WAYS),
        "sinks": ",".join(str(names.index(sink)) for sink in sinks),
        "shared": int(shared),
        "count": len(nodes),
        "window": max(FEWEST, min(MOST, IN_FLIGHT // size)),
        **settings,
    }
    return Flow(kind, tuple(nodes), {name: str(value) for name, value in given.items()}, is_lossless)
