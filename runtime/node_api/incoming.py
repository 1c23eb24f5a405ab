"""The receiving side of a node: its producers, their types and pools, and messages not yet made into arrays.

A message becomes an array when it is handed out; one that is dropped gives its slot back unread. Used under the
node's lock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from doraflow_runtime.formats.arrow import from_stream, rebuild
from doraflow_runtime.node_api.metadata import Metadata
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.mapping import Mapping
from doraflow_runtime.shm.wire import Kind, WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from doraflow_runtime.contract import Link
    from doraflow_runtime.shm.connection import Connection
    from doraflow_runtime.shm.wire import Frame, Message

MOST_TYPES = 4096
_POOLS = re.compile(r"pools/[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Received:
    """A message that waits in a queue."""

    producer: Producer
    link: int
    message: Message
    type: pa.DataType | None
    metadata: Metadata

    def array(self) -> pa.Array[Any]:
        """Make the array. Raises WireError or LayoutError for a payload that does not fit its record."""
        slot = self.message.slot
        payload = self.producer.mapping.payload(slot) if slot else pa.py_buffer(self.message.payload)
        if self.type is None:
            return from_stream(payload)
        return rebuild(self.type, self.message.record, payload)

    def discard(self) -> None:
        """Let the message go unread."""
        if self.message.slot is not None:
            self.producer.mapping.discard(self.message.slot)


class Producer:
    """A node that this one reads from; `id` is known once it has said hello."""

    mapping: Mapping

    def __init__(self, connection: Connection, run_directory: Path, wake: Callable[[], None]) -> None:
        self.connection = connection
        self.id: str | None = None
        self._run_directory = run_directory
        self._wake = wake
        self._types: dict[int, pa.DataType] = {}
        self._links: set[int] = set()

    def receive(self, links: Iterable[Link]) -> list[Received]:
        """Read the messages that are there; `links` are all that end at this node. Raises WireError on nonsense."""
        received = []
        for frame in self.connection.receive():
            if self.id is None:
                self._greet(frame, links)
            elif frame.kind == Kind.TYPE:
                self._learn(frame)
            elif frame.kind == Kind.MESSAGE:
                received.append(self._message(frame))
            else:
                raise WireError("a frame that a producer does not send")
        return received

    def give_back(self) -> None:
        """Send back the slots that are no longer read."""
        returned = self.mapping.returned if self.id is not None else None
        while returned:
            self.connection.send([wire.release(returned.popleft())])
        self.connection.flush()

    def credit(self, link: int) -> None:
        """Let the producer send one more message on a link."""
        self.connection.send([wire.credit(link, 1)])

    def _greet(self, frame: Frame, links: Iterable[Link]) -> None:
        if frame.kind != Kind.HELLO:
            raise WireError("the first frame is no greeting")
        producer, pools = wire.read_hello(frame.body)
        self._links = {link.index for link in links if link.producer == producer}
        if not self._links or not _POOLS.fullmatch(pools):
            raise WireError(f"`{producer}` does not feed this node")
        self.mapping = Mapping(self._run_directory / pools, self._wake)
        self.id = producer

    def _learn(self, frame: Frame) -> None:
        if len(self._types) >= MOST_TYPES or frame.number == 0:
            raise WireError("too many types")
        try:
            self._types[frame.number] = pa.ipc.read_schema(pa.py_buffer(frame.body)).field(0).type
        except (pa.ArrowException, OSError, IndexError) as error:
            raise WireError(f"a malformed type: {error}") from None

    def _message(self, frame: Frame) -> Received:
        if frame.link not in self._links:
            raise WireError(f"link {frame.link} does not come from `{self.id}`")
        message = wire.read_message(frame)
        kind = None if frame.flags & wire.AS_STREAM else self._types.get(frame.number)
        if kind is None and not frame.flags & wire.AS_STREAM:
            raise WireError(f"type {frame.number} was never announced")
        return Received(self, frame.link, message, kind, Metadata(message.sent_ns, message.metadata))
