"""How much memory messages can take on each host, as far as their types fix their sizes.

It is a bound for this runtime and not a forecast: every queue full, and every reader that may lag as far behind as its
sender lets it; what readers of `backpressure` links keep beside the message in hand is not counted. A message is taken
to hold one value of its type, which is what a typed `send` sends. The numbers below
are the runtime's own (`doraflow_runtime.shm.pool`, `node_api.preparing`, `node_api.core`); a test compares them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.contract import Scalar, Struct

from doraflow.analysis.lower import shared_memory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow_runtime.contract import DataType

    from doraflow.ir import Edge, Graph, Input, Node, Output

ALIGNMENT = 64
LARGEST_INLINE = 4096
"""A payload up to this size travels in its frame and never lies in a pool."""
SMALLEST_SLOT = 8 * 1024
SEGMENT = 4 * 1024**2
MOST_SLOTS = 64
POOL_LIMIT = 1024**3
MOST_NAMES_IN_A_SOCKET = 1024
"""How many messages in slots may lie in a connection, waiting for their reader: see docs/design/003."""
IN_HAND = 1
"""Messages that a reader works on while its queue fills up again."""

_WIDTHS: Mapping[str, int] = {
    "Boolean": 1,
    **dict.fromkeys(("Int8", "UInt8"), 1),
    **dict.fromkeys(("Int16", "UInt16"), 2),
    **dict.fromkeys(("Int32", "UInt32", "Float32"), 4),
    **dict.fromkeys(("Int64", "UInt64", "Float64"), 8),
}


@dataclass(frozen=True, slots=True)
class OutputMemory:
    """What the messages of one output can take: bytes of its node's pool, and of payloads in its readers' queues."""

    node: str
    output: Output
    message_bytes: int
    pool: int
    queues: int

    @property
    def total(self) -> int:
        """All bytes together."""
        return self.pool + self.queues


@dataclass(frozen=True, slots=True)
class HostMemory:
    """What messages can take on one host. `unknown` are the outputs that are not counted, as `node/output`."""

    host: str
    pools: int
    queues: int
    outputs: tuple[OutputMemory, ...]
    unknown: tuple[str, ...]

    @property
    def total(self) -> int:
        """All bytes together."""
        return self.pools + self.queues


def memory_bounds(graph: Graph) -> tuple[HostMemory, ...]:
    """Bound what the messages of each host's nodes can take; the hosts in the order in which nodes name them."""
    readers = _readers(graph)
    sizes = _sizes(graph)
    on_host: dict[str, list[Node]] = {}
    for node in graph.nodes:
        on_host.setdefault(node.host, []).append(node)
    return tuple(_of_host(host, nodes, readers, sizes) for host, nodes in on_host.items())


def fixed_size(kind: DataType | None) -> int | None:
    """Give the bytes of a payload with one value of a type; None if values differ in size.

    >>> fixed_size(Scalar("Float64")), fixed_size(Scalar("Utf8"))
    (64, None)
    """
    if isinstance(kind, Scalar):
        width = _WIDTHS.get(kind.name)
        return None if width is None else ALIGNMENT
    if isinstance(kind, Struct):
        total = 0
        for member in kind.fields:
            size = fixed_size(member.type)
            if size is None:
                return None
            total += size
        return total
    return None


def slot_size(size: int) -> int:
    """Give the size of the slot that a payload lies in: one of four for each power of two."""
    if size <= SMALLEST_SLOT:
        return SMALLEST_SLOT
    step = 1 << ((size - 1).bit_length() - 3)
    return (size + step - 1) & -step


def _sizes(graph: Graph) -> dict[int, int | None]:
    """Measure each type once; ports that have one type share the object, and to compare large structs would cost."""
    kinds = {id(port.data_type): port.data_type for node in graph.nodes for port in node.outputs}
    return {key: fixed_size(kind) for key, kind in kinds.items()}


def _readers(graph: Graph) -> dict[tuple[str, str], list[tuple[Edge, Input]]]:
    inputs = {(node.id, port.id): port for node in graph.nodes for port in node.inputs}
    readers: dict[tuple[str, str], list[tuple[Edge, Input]]] = {}
    for edge in graph.edges:
        port = inputs[edge.consumer, edge.input]
        readers.setdefault((edge.producer, edge.output), []).append((edge, port))
    return readers


def _of_host(
    host: str,
    nodes: Sequence[Node],
    readers: Mapping[tuple[str, str], list[tuple[Edge, Input]]],
    sizes: Mapping[int, int | None],
) -> HostMemory:
    pools = queues = 0
    counted: list[OutputMemory] = []
    unknown: list[str] = []
    for node in nodes:
        of_node: list[OutputMemory] = []
        limit = shared_memory(node) or POOL_LIMIT
        neighbours = len({edge.consumer for port in node.outputs for edge, _ in readers.get((node.id, port.id), ())})
        for port in node.outputs:
            reading = [entry for _, entry in readers.get((node.id, port.id), ())]
            size = sizes[id(port.data_type)]
            if reading and size is None:
                unknown.append(f"{node.id}/{port.id}")
            elif reading and size is not None:
                of_node.append(_of_output(node, port, size, reading, _most_held(limit, neighbours)))
        pools += min(limit, sum(output.pool for output in of_node))
        queues += sum(output.queues for output in of_node)
        counted += of_node
    return HostMemory(host, pools, queues, tuple(counted), tuple(unknown))


def _of_output(node: Node, port: Output, size: int, readers: Sequence[Input], held: int) -> OutputMemory:
    """Bound the memory of an output; `held` is how many bytes each of its readers may hold."""
    if size <= LARGEST_INLINE:
        waiting = sum(_places(reader) for reader in readers)
        return OutputMemory(node.id, port, size, 0, waiting * size)
    slots = 1 + sum(_places(reader) + IN_HAND + _unread(reader, size, held) for reader in readers)
    slot = slot_size(size)
    in_segment = max(1, min(MOST_SLOTS, SEGMENT // slot))
    pool = min(shared_memory(node) or POOL_LIMIT, -(-slots // in_segment) * in_segment * slot)
    return OutputMemory(node.id, port, size, pool, 0)


def _places(reader: Input) -> int:
    """Count the messages that wait: in the reader's queue, and as many again with a sender that must not wait."""
    return reader.queue_size * (2 if reader.queue_policy == "drop_oldest" else 1)


def _unread(reader: Input, size: int, held: int) -> int:
    """Count the messages that lie in a connection until their reader looks; a `backpressure` link has counted them."""
    if reader.queue_policy == "backpressure":
        return 0
    return min(MOST_NAMES_IN_A_SOCKET, held // size + 1)


def _most_held(limit: int, neighbours: int) -> int:
    """Say how many bytes one of a node's readers may hold: half of the node's memory, and its share of a quarter."""
    return limit // 2 + limit // 4 // max(1, neighbours)
