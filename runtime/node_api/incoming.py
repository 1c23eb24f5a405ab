"""The receiving side of a node: its producers, their types and pools, and messages not yet made into arrays.

A message becomes an array when it is handed out; one that is dropped gives its slot back unread. Used under the
node's lock.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
from doraflow_runtime.formats.arrow import LayoutError, Rebuilder, from_stream, is_plain
from doraflow_runtime.node_api.events import Event
from doraflow_runtime.node_api.metadata import Metadata
from doraflow_runtime.node_api.preparing import MOST_TYPES
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.mapping import Mapping
from doraflow_runtime.shm.wire import Kind, WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from doraflow_runtime.contract import InputWiring, Link
    from doraflow_runtime.shm.connection import Connection
    from doraflow_runtime.shm.wire import Frame, Message, SlotName

REPORT_AFTER = 1024 * 1024
"""Bytes in slots that may be read from a connection before the producer is told: seldom enough to cost nothing for
small slots, and well below what a producer lets lie unread."""

_new = tuple.__new__  # of a named tuple: half the time of calling its class

LONGEST_QUOTE = 200


@dataclass(frozen=True, slots=True)
class Inlet:
    """A link that ends at this node.

    `is_held_back` says that its sender is told when a message leaves the queue, `at_once` how many such messages are
    told together, and `is_bounded` that the sender may not send more than it was told of. `is_timed` says that the
    input has a timeout.
    """

    link: int
    producer: str
    input: str
    is_held_back: bool
    is_bounded: bool
    at_once: int
    is_timed: bool = False

    @classmethod
    def of(cls, link: Link, port: InputWiring) -> Inlet:
        """Work out what a link and its input mean for every message."""
        held_back = port.queue_policy == "backpressure"
        is_bounded = held_back and link.producer != link.consumer
        return cls(link.index, link.producer, port.id, held_back, is_bounded, port.queue_size // 4, port.timeout > 0)


class Received(NamedTuple):
    """A message that waits in a queue; `rebuilder` is None for one that is an IPC stream."""

    producer: Feed
    inlet: Inlet
    message: Message
    rebuilder: Rebuilder | None

    def event(self, input_id: str) -> Event:
        """Make the event. A message that cannot be read becomes an ERROR, and its slot goes back."""
        sent_ns, encoded, record, content, slot = self.message
        metadata = Metadata(sent_ns, encoded)
        try:
            if encoded:
                _ = metadata.parameters
            payload = self.producer.payload(slot) if slot else pa.py_buffer(content)
        except ValueError as error:
            self.discard()
            return _unreadable(input_id, error)
        try:
            array = self.rebuilder.array(record, payload) if self.rebuilder else from_stream(payload)
        except LayoutError as error:
            return _unreadable(input_id, error)
        return _new(Event, ("INPUT", input_id, array, metadata))

    def asks_to_flush(self) -> bool:
        """Tell whether the message takes the place of those that wait: dora's `flush` in its metadata."""
        metadata = self.message.metadata
        if not metadata or b"flush" not in metadata:
            return False
        try:
            return Metadata(0, metadata).parameters.get("flush") is True
        except ValueError:
            return False  # told when the message is read

    def accept(self) -> None:
        """Note that the message left its queue: where senders are held back, its sender may send one more."""
        if self.inlet.is_held_back:
            self.producer.accept(self.inlet)

    def discard(self) -> None:
        """Let the message go unread."""
        if self.message.slot is not None:
            self.producer.discard(self.message.slot)


class Feed:
    """What messages come from, on this host or another: the types that were announced, and the links that are open.

    `clock_ns` is by how much its clock is ahead of ours.
    """

    clock_ns = 0

    def __init__(self) -> None:
        self.id: str | None = None
        self._types: dict[int, Rebuilder] = {}
        self._type_bytes = 0
        self._inlets: dict[int, Inlet] = {}

    def accept(self, inlet: Inlet) -> None:
        """Note that a message has left its queue."""
        raise NotImplementedError

    def payload(self, slot: SlotName) -> pa.Buffer:
        """Give a read-only buffer over a slot. Raises WireError where there are none."""
        raise WireError(f"slot {slot.slot} is not in any memory that this node shares")

    def discard(self, slot: SlotName) -> None:
        """Give a slot back unread."""

    def learn(self, frame: Frame) -> None:
        """Take a type that later messages name by its number. Raises WireError."""
        self._type_bytes += len(frame.body)
        if len(self._types) >= MOST_TYPES or frame.number == 0 or self._type_bytes > wire.MOST_TYPE_BYTES:
            raise WireError("too many types")
        try:
            kind = pa.ipc.read_schema(pa.py_buffer(frame.body)).field(0).type
        except (pa.ArrowException, OSError, IndexError) as error:
            raise WireError(f"a malformed type: {_short(str(error))}") from None
        if not is_plain(kind):
            raise WireError(f"the type {_short(str(kind))}, which has to travel as a stream")
        self._types[frame.number] = Rebuilder(kind)

    def _not_open(self, link: int) -> WireError:
        return WireError(f"link {link} is closed, or does not come from `{self.id}`")


class Producer(Feed):
    """A node that this one reads from; `id` is known once it has said hello. `process` is the one that connected.

    `has_left` tells that it ended the connection in order.
    """

    mapping: Mapping

    def __init__(self, connection: Connection, wake: Callable[[], None]) -> None:
        super().__init__()
        self.connection = connection
        self.process = 0
        self.has_left = False
        self._wake = wake
        self._owed: dict[int, int] = {}
        self._seen = 0
        self._seen_bytes = 0

    def greet(self, frame: Frame, inlets: Iterable[Inlet]) -> str:
        """Take the first frame, and give the producer's id; `inlets` are all that end at this node.

        Raises WireError if it is no greeting, or from nobody who feeds this node.
        """
        if frame.kind != Kind.HELLO:
            raise WireError("the first frame is no greeting")
        producer = wire.read_hello(frame.body)
        self._inlets = {inlet.link: inlet for inlet in inlets if inlet.producer == producer}
        if not self._inlets:
            raise WireError(f"`{_short(producer)}` does not feed this node")
        self.mapping = self._map(self.connection.take_descriptor())
        self.id = producer
        return producer

    def receive(self) -> list[Frame]:
        """Read what is there, to be dealt with before the next read. Raises WireError for bytes that are no frames."""
        return self.connection.receive() if self.id is not None else self.connection.receive_greeting()

    def has_news(self) -> bool:
        """Tell whether something came beside the connection: here nothing ever does."""
        return False

    def read_on(self) -> None:
        """Deal with what was read beyond the greeting and is no whole frame yet: here the connection keeps it."""

    def message(self, frame: Frame) -> Received:
        """Take a message. Raises WireError."""
        inlet = self._inlets.get(frame.link)
        if inlet is None:
            raise self._not_open(frame.link)
        message = wire.read_message(frame)
        if message.slot is not None:
            self._see(message.slot.size)
        if frame.flags & wire.AS_STREAM:
            return _new(Received, (self, inlet, message, None))
        rebuilder = self._types.get(frame.number)
        if rebuilder is None:
            raise WireError(f"type {frame.number} was never announced")
        return _new(Received, (self, inlet, message, rebuilder))

    def take(self, frame: Frame) -> Inlet | None:
        """Take a later frame that is no message; give the link on which nothing more comes. Raises WireError."""
        if frame.kind == Kind.TYPE:
            self.learn(frame)
            return None
        if frame.kind == Kind.LEFT:
            self.has_left = True
            return None
        if frame.kind != Kind.CLOSED:
            raise WireError(f"a frame of kind {frame.kind}, which a producer does not send")
        inlet = self._inlets.pop(frame.link, None)
        if inlet is None:
            raise self._not_open(frame.link)
        return inlet

    def accept(self, inlet: Inlet) -> None:
        """Note that a message has left its queue: where senders are held back, its sender may send one more."""
        if self.connection.is_open:
            self.credit(inlet.link, inlet.at_once)

    def payload(self, slot: SlotName) -> pa.Buffer:
        """Give a read-only buffer over a slot. Raises WireError if there is no such memory."""
        return self.mapping.payload(slot)

    def discard(self, slot: SlotName) -> None:
        """Give a slot back unread."""
        self.mapping.discard(slot)

    def give_back(self) -> None:
        """Send back the slots that are no longer read, and say what was read from the connection."""
        if self.id is None or not self.connection.is_open:
            return
        returned = self.mapping.returned
        if returned or self._seen_bytes >= REPORT_AFTER:
            self._report(wire.release([returned.popleft() for _ in range(len(returned))]))
        if self.connection.has_waiting:
            self.connection.flush()

    def credit(self, link: int, at_once: int) -> None:
        """Let the producer send one more message on a link; it is told when it is owed `at_once` of them."""
        owed = self._owed.get(link, 0) + 1
        if owed < at_once:
            self._owed[link] = owed
            return
        self._owed.pop(link, None)
        self.connection.send(wire.credit(link, owed))

    def pay(self) -> None:
        """Tell the producer of all that it is owed: this node is going to wait."""
        if self._owed and self.connection.is_open:
            self.connection.send(b"".join(wire.credit(link, count) for link, count in self._owed.items()))
            self._owed.clear()

    def hang_up(self) -> None:
        """Close the connection: nothing more is read, and slots go back no more."""
        self.connection.close()

    def leave(self) -> None:
        """Read no more. The connection, and with it every slot that an array still lies in, is kept for the arrays."""
        if self.id is None or not self.connection.is_open:
            self.hang_up()
            return
        self._say_goodbye()
        weakref.finalize(self.mapping, self.connection.close).atexit = False

    def _map(self, descriptor: int) -> Mapping:
        return Mapping(descriptor, self._wake)

    def _say_goodbye(self) -> None:
        self._report(wire.left())

    def _see(self, size: int) -> None:
        """Count a message in a slot."""
        self._seen += 1
        self._seen_bytes += size

    def _report(self, frames: bytes) -> None:
        """Send frames after the count of what was read: a slot never comes back before its message was seen."""
        seen = wire.seen(self._seen) if self._seen else b""
        self._seen = self._seen_bytes = 0
        self.connection.send(seen + frames)


def _unreadable(input_id: str, error: ValueError) -> Event:
    return Event("ERROR", f"a message on `{input_id}` cannot be read: {error}")


def _short(text: str) -> str:
    """Cut what a peer chose the length of."""
    return text if len(text) <= LONGEST_QUOTE else text[:LONGEST_QUOTE] + "…"
