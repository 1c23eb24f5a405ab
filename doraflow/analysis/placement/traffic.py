"""What travels over each edge, in bytes a second: the weight that placement keeps within one machine.

Where a type has no fixed size, or no timer tells the pace, a figure is assumed; whoever shows it says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.contract import ListOf, Scalar, Struct

from doraflow.analysis.memory import fixed_size
from doraflow.analysis.rates import Rates

if TYPE_CHECKING:
    from doraflow_runtime.contract import DataType

    from doraflow.ir import Edge, Graph

ASSUMED_RATE = 10.0
"""Messages a second where no timer tells."""

ASSUMED_BYTES = 1024
ASSUMED_BULK_BYTES = 1024**2
"""Of a message with bytes or lists of any length, such as an image."""

HEADER_BYTES = 64
"""What a message costs beside its payload: its frame, its record and its time."""

_BULK = frozenset({"Binary", "LargeBinary"})


@dataclass(frozen=True, slots=True)
class Flow:
    """What an edge carries: bytes a message, messages a second, and whether each of the two is assumed."""

    edge: Edge
    message_bytes: int
    per_second: float
    size_is_assumed: bool
    rate_is_assumed: bool

    @property
    def bytes_per_second(self) -> float:
        """The traffic of the edge."""
        return self.message_bytes * self.per_second

    @property
    def is_assumed(self) -> bool:
        """Whether a part of the figure is assumed."""
        return self.size_is_assumed or self.rate_is_assumed


def flows(graph: Graph) -> tuple[Flow, ...]:
    """Weigh every edge of a graph whose types are resolved, in the order of the file."""
    rates = Rates(graph)
    types = {(node.id, port.id): port.data_type for node in graph.nodes for port in node.outputs}
    return tuple(_flow(edge, types.get((edge.producer, edge.output)), rates) for edge in graph.edges)


def _flow(edge: Edge, kind: DataType | None, rates: Rates) -> Flow:
    rate = rates.of_edge(edge)
    size = fixed_size(kind)
    assumed = ASSUMED_BULK_BYTES if _is_bulk(kind) else ASSUMED_BYTES
    return Flow(
        edge,
        (assumed if size is None else size) + HEADER_BYTES,
        ASSUMED_RATE if rate is None else rate.per_second,
        size_is_assumed=size is None,
        rate_is_assumed=rate is None,
    )


def _is_bulk(kind: DataType | None) -> bool:
    """Tell whether values of a type hold bytes or lists without a bound.

    >>> _is_bulk(Scalar("LargeBinary")), _is_bulk(Scalar("Utf8")), _is_bulk(ListOf(Scalar("Float32")))
    (True, False, True)
    """
    if isinstance(kind, Scalar):
        return kind.name in _BULK
    if isinstance(kind, Struct):
        return any(_is_bulk(member.type) for member in kind.fields)
    return isinstance(kind, ListOf)
