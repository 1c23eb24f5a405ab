"""The open pack of a reader on another host, in Python: `doraflow_core.Outbox` is its compiled twin.

The core copies small messages one behind the other into a pack, which travels as one message of ZeroMQ. In Python
nothing is packed: every message goes the way for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doraflow_runtime.net.lanes import Outbound


class Outbox:
    """What was not handed to the network yet.

    `types` are those that were announced on this connection. `is_up` says that the reader has answered the greeting,
    `has_left` that it reads no more, `is_deferred` that somebody was asked to hand on the pack a moment later. `parcel`
    and `pack` are the types in which the core keeps a pack that it sends on `wire` by itself.
    """

    wire: object

    def __init__(self, lanes: dict[int, Outbound[Any]], types: set[int], parcel: type, pack: type) -> None:
        del parcel, pack
        self.wire = None
        self.lanes = lanes
        self.types = types
        self.packed = 0
        self.is_up = False
        self.has_left = False
        self.is_deferred = False

    def seal(self) -> tuple[bytes, list[tuple[int, int, int]]] | None:
        """Give the pack and, for each edge in it, its link, the last number and the bytes; None if it is empty."""
        return None
