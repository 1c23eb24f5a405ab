"""A sender on another host, as its reader sees it: its types, its edges, and what it has to be told.

Where a sender's connection ends is not known here: one that comes again goes on where it stood. Used under the node's
lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from doraflow_runtime.formats.arrow import flat_width
from doraflow_runtime.net import frames
from doraflow_runtime.net.frames import Stand
from doraflow_runtime.net.lanes import Inbound
from doraflow_runtime.net.pieces import Pieces
from doraflow_runtime.node_api.incoming import Feed, Received
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import doraflow_core
    from doraflow_runtime.formats.arrow import Rebuilder
    from doraflow_runtime.net.frames import Hello
    from doraflow_runtime.node_api.incoming import Inlet
    from doraflow_runtime.shm.wire import Frame

REPORT_AFTER = 1024 * 1024
"""Bytes after which a sender is told how far its reader is: it keeps them until then."""

_NOTHING = memoryview(b"")


NewSource: TypeAlias = "Callable[[Iterable[tuple[Inlet, Inbound]]], doraflow_core.Source | None]"


class FarProducer(Feed):
    """A node of another host that this one reads from, in one life of its process.

    `peer` names its present connection; `wants` tells that it waits to hear how far its reader is. `source` takes in
    the messages of packs, if there is such a thing; `new_source` makes it for inlets and lanes.
    """

    def __init__(
        self, greeting: Hello, inlets: Iterable[Inlet], queue_sizes: dict[str, int], new_source: NewSource
    ) -> None:
        super().__init__()
        self.id = self.name = greeting.producer
        self.session = greeting.session
        self.peer = b""
        self.wants = False
        self._all = {inlet.link: inlet for inlet in inlets if inlet.producer == greeting.producer}
        self._inlets = dict(self._all)
        self.lanes = {
            link: Inbound(queue_sizes[inlet.input], is_bounded=inlet.is_held_back) for link, inlet in self._all.items()
        }
        self._bytes = 0
        self._new_source = new_source
        self.source: doraflow_core.Source | None = None
        self._pieces = Pieces()
        for stand in self._checked(greeting):
            self.lanes[stand.link].begin(stand.at)

    def come_again(self, greeting: Hello) -> dict[str, int]:
        """Go on after a cut; gives how many messages were lost, by input. Raises WireError or LaneError."""
        lost: dict[str, int] = {}
        for stand in self._checked(greeting):
            missing = self.lanes[stand.link].resume(stand.at)
            if missing:
                lost[self._all[stand.link].input] = missing
        return lost

    def begin_connection(self, peer: bytes) -> None:
        """Take note of a new connection: types are described anew on each, and messages begun anew."""
        self.peer = peer
        self._pieces.clear()
        self._types.clear()
        self._type_bytes = 0
        self._bytes = 0
        self.wants = False
        self.source = self._new_source((inlet, self.lanes[link]) for link, inlet in self._inlets.items())
        self.set_clock(self.clock_ns)

    @property
    def lost(self) -> int:
        """How many messages were sent, or were to be, and never came in."""
        return sum(lane.lost for lane in self.lanes.values())

    def stands(self) -> list[Stand]:
        """Say of every edge where it stands."""
        return [Stand(link, *lane.told()) for link, lane in self.lanes.items()]

    def due(self, *, at_rest: bool) -> list[Stand]:
        """Say of the edges of which the sender has to be told where they stand; `at_rest` if the node will wait."""
        untold = self._bytes + (0 if self.source is None else self.source.untold)
        every = self.wants or untold >= REPORT_AFTER
        chosen = [
            (link, lane)
            for link, lane in self.lanes.items()
            if (every and lane.is_behind) or lane.is_due(at_rest=at_rest)
        ]
        if every:
            self._bytes = 0
            if self.source is not None:
                self.source.untold = 0
        return [Stand(link, *lane.told()) for link, lane in chosen]

    def learn(self, frame: Frame) -> None:
        """Take a type that later messages name by its number. Raises WireError."""
        super().learn(frame)
        if self.source is not None:
            kind = self._types[frame.number].kind
            self.source.learn(frame.number, kind, flat_width(kind))

    def set_clock(self, ahead_ns: int) -> None:
        """Take note by how much the clock of the producer's host is ahead of ours."""
        self.clock_ns = ahead_ns
        if self.source is not None:
            self.source.clock_ns = ahead_ns

    def take_records(self, data: memoryview, at: int) -> int:
        """Take in messages from a place of `data` on, as far as nobody else has to; gives where that ends."""
        if self.source is None:
            return at
        return self.source.take_records(data, at)

    def message(self, frame: Frame, number: int, beside: memoryview | None) -> tuple[Received, int] | None:
        """Take a message; gives it, and how many before it are missing. Raises WireError or LaneError.

        None if it is not there yet: it comes in pieces.
        """
        head = frames.read_message(frame, number)
        if frame.flags & frames.IN_PIECES:
            self._open(frame)
            self.lanes[frame.link].check(number)
            self._pieces.begin(frame, head, beside or _NOTHING)
            return None
        self._pieces.check_none(frame.link)
        if (0 if beside is None else len(beside)) != head.beside:
            raise WireError("a message whose payload is not as long as it says")
        return self._received(frame, head, head.content if beside is None else beside)

    def piece(self, frame: Frame, number: int, beside: memoryview | None) -> tuple[Received, int] | None:
        """Take the next piece of a message; with the last one, gives what `message` does. Raises the same."""
        whole = self._pieces.add(frame.link, number, beside or _NOTHING)
        return None if whole is None else self._received(*whole)

    def _open(self, frame: Frame) -> tuple[Inlet, Rebuilder | None]:
        """Give the link of a message, and its type unless it is a stream. Raises WireError."""
        inlet = self._inlets.get(frame.link)
        if inlet is None:
            raise self._not_open(frame.link)
        if frame.flags & wire.AS_STREAM:
            return inlet, None
        rebuilder = self._types.get(frame.number)
        if rebuilder is None:
            raise WireError(f"type {frame.number} was never announced")
        return inlet, rebuilder

    def _received(self, frame: Frame, head: frames.Message, content: memoryview) -> tuple[Received, int]:
        inlet, rebuilder = self._open(frame)
        missing = self.lanes[frame.link].take(head.number)
        self._bytes += len(content)
        message = wire.Message(head.sent_ns, head.metadata, head.record, content, None)
        return Received(self, inlet, message, rebuilder), missing

    def close_link(self, link: int) -> Inlet | None:
        """Take note that nothing more comes on a link; None if that is known. Raises WireError."""
        if link not in self._all:
            raise self._not_open(link)
        self._pieces.check_none(link)
        inlet = self._inlets.pop(link, None)
        if inlet is not None and self.source is not None:  # else it was said again after a cut
            self.source.close_link(link)
        return inlet

    def inlet(self, link: int) -> Inlet:
        """Give a link by its index."""
        return self._all[link]

    def accept(self, inlet: Inlet) -> None:
        """Note that a message has left its queue, which gives its sender a credit."""
        self.lanes[inlet.link].leave_queue()

    def _checked(self, greeting: Hello) -> tuple[Stand, ...]:
        if not self._all:
            raise WireError(f"`{greeting.producer}` does not feed this node")
        if len(greeting.stands) != len(self._all) or {stand.link for stand in greeting.stands} != set(self._all):
            raise WireError(f"`{greeting.producer}` was built with other links: build the bundle again for all hosts")
        return greeting.stands
