"""Where a reader hears all senders of other hosts over zenoh: one key for all of them, and one for each to be answered.

Nobody is asked for a key here: who may join the network, and say what in it, is settled by zenoh's own configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import zenoh
from doraflow_runtime.net.fabric.keys import answers_key, frames_key, producer_of, reader_key
from doraflow_runtime.net.fabric.line import TAG_BYTES
from doraflow_runtime.net.fabric.mailbox import Mailbox
from doraflow_runtime.net.fabric.writer import Letter, Writer
from doraflow_runtime.net.transport import Arrival
from zenoh.handlers import Callback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import doraflow_core
    from doraflow_runtime.net.fabric.session import Session
    from doraflow_runtime.node_api.gate import AnyGate

MOST_UNREAD = 65_536
"""Messages that lie unread: no honest senders are let have so many, see `lanes`."""

STRANGER = ""


class ZenohDesk:
    """What is sent to a node; `ends` are the dataflow, the run of this host, the senders that are known, and the node.

    `name` is what no other process has.
    """

    def __init__(
        self,
        session: Session,
        ends: tuple[str, str, Iterable[str], str],
        name: bytes,
        ring: Callable[[], None],
    ) -> None:
        self._dataflow, self._life, producers, self._consumer = ends
        self._name = name
        self._session: zenoh.Session | None = None
        self._token: zenoh.LivelinessToken | None = None
        self._unread: Mailbox[tuple[str, zenoh.ZBytes, zenoh.ZBytes | None]] = Mailbox(ring, MOST_UNREAD)
        # One for each sender: one that cannot be reached must not hold up what others are told.
        self.writers = {producer: Writer(self._put) for producer in (*producers, STRANGER)}
        session.when_open(self._declare)

    def descriptors(self) -> tuple[int, ...]:
        """List nothing: the bell is rung."""
        return ()

    def join(self, gate: AnyGate, take: Callable[[Arrival], None], nudge: Callable[[], None]) -> bool:
        """Leave the gate as it is: what comes is given out by `receive` alone."""
        del gate, take, nudge
        return False

    def bind(self, peer: bytes, source: doraflow_core.Source | None) -> None:
        """Leave all messages to `receive`."""

    def release(self, peer: bytes) -> None:
        """Leave all messages to `receive`."""

    @property
    def has_more(self) -> bool:
        """Whether something waits to be received."""
        return bool(self._unread)

    def receive(self) -> Arrival | None:
        """Take a message; None if none has come."""
        while (item := self._unread.take()) is not None:
            producer, payload, attachment = item
            beside = b"" if attachment is None else attachment.to_bytes()
            if len(beside) < TAG_BYTES:
                continue  # no message of a doraflow node
            peer, head = beside[:TAG_BYTES] + producer.encode(), memoryview(beside)[TAG_BYTES:]
            content = memoryview(payload.to_bytes())
            return Arrival(peer, (head, content) if head else (content,), None)
        return None

    def proved(self, arrival: Arrival) -> None:
        """Say that nobody is asked for a key."""

    def say(self, peer: bytes, frame: bytes) -> None:
        """Let a frame be put for a sender."""
        producer = peer[TAG_BYTES:].decode()
        writer = self.writers.get(producer) or self.writers[STRANGER]
        writer.write(Letter(frame, peer))

    def close(self) -> None:
        """Take nothing more; what waits is still put, for a moment."""
        for writer in self.writers.values():
            writer.close()

    def _declare(self, session: zenoh.Session) -> None:
        self._session = session
        dataflow, life, consumer = self._dataflow, self._life, self._consumer
        session.declare_subscriber(
            frames_key(dataflow, life, "*", consumer), Callback(self._on_message, indirect=False)
        )
        # The token comes last: whoever sees it can be heard.
        self._token = session.liveliness().declare_token(reader_key(dataflow, life, consumer, self._name.hex()))

    def _put(self, letter: Letter) -> None:
        if self._session is None:
            return
        tag, producer = letter.attachment[:TAG_BYTES], letter.attachment[TAG_BYTES:].decode()
        self._session.put(
            answers_key(self._dataflow, self._life, producer, self._consumer),
            letter.payload,
            attachment=tag,
            congestion_control=zenoh.CongestionControl.BLOCK,
            priority=zenoh.Priority.INTERACTIVE_HIGH,
            express=True,
        )

    def _on_message(self, sample: zenoh.Sample) -> None:
        self._unread.post((producer_of(str(sample.key_expr)), sample.payload, sample.attachment))
