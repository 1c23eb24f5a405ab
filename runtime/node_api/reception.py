"""The receiving half of a node: producers that connect, what they send, and the queues that take it in.

Used under the node's lock; nothing here waits.
"""

from __future__ import annotations

import os
import select
import time
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa
from doraflow_runtime.node_api import log_lines
from doraflow_runtime.node_api.bytes_events import with_bytes
from doraflow_runtime.node_api.events import Event, Failure
from doraflow_runtime.node_api.incoming import Inlet, Received
from doraflow_runtime.node_api.intake import new_deadlines, new_far_source, new_producer, new_queues
from doraflow_runtime.node_api.measuring import Meter
from doraflow_runtime.node_api.metadata import Metadata
from doraflow_runtime.node_api.notices import Notice
from doraflow_runtime.node_api.queues import Queues
from doraflow_runtime.shm.connection import Connection, peer_process, peer_user
from doraflow_runtime.shm.wire import Kind, WireError

if TYPE_CHECKING:
    from doraflow_runtime.contract import NodeConfig
    from doraflow_runtime.node_api.bytes_events import BytesEvent
    from doraflow_runtime.node_api.incoming import Producer
    from doraflow_runtime.node_api.poller import Poller
    from doraflow_runtime.shm.connection import Folder
    from doraflow_runtime.shm.wire import Frame

BACKLOG = 4096
MOST_ROUNDS = 1024  # of reading what a sender has left: one that lives and floods is not heard out
TICK = None


class Reception:
    """The producers of a node, by the descriptors of their connections, and its queues."""

    def __init__(self, config: NodeConfig, folder: Folder, poller: Poller) -> None:
        self.meter = Meter(config.node)
        self.queues = new_queues(config, self._drop, self._event, self._bytes_event)
        self.producers: dict[int, Producer] = {}
        self._poller = poller
        self._returning = set(config.returning)
        self._ended: set[str] = set()
        self.deadlines = new_deadlines(config, self.queues, self._note_fed)
        inputs = {port.id: port for port in config.node.inputs}
        self.inlets = tuple(Inlet.of(link, inputs[link.input]) for link in config.incoming)
        self._no_value = pa.array([], pa.uint64())
        self._listening = folder.listen(config.listen, BACKLOG)
        self.new_source = partial(new_far_source, self.queues, poller.gate)
        poller.watch(self._listening.fileno(), self._on_connection)

    def take(self) -> Event | None:
        """Hand out the message or tick that arrived first; None if nothing waits."""
        if not isinstance(self.queues, Queues):
            return self.queues.take_event()
        taken = self.queues.take()
        return None if taken is None else self._event(*taken)

    def take_bytes(self) -> BytesEvent | None:
        """Do what `take` does, with bytes as value. Raises TypeError for a message that has none; it is taken then."""
        if not isinstance(self.queues, Queues):
            return self.queues.take_bytes_event()
        taken = self.queues.take()
        return None if taken is None else self._bytes_event(*taken)

    def tick(self, input_id: str) -> None:
        """Let the tick of a timer in."""
        self.queues.put(input_id, TICK)

    def give_back(self) -> None:
        """Send back the slots that are no longer read."""
        for producer in self.producers.values():
            producer.give_back()
            has_waiting = producer.connection.has_waiting
            self._poller.press(producer.connection, wanted=has_waiting)
            if has_waiting:
                self._poller.gate.is_lagging = True

    def pay(self) -> None:
        """Tell every producer of the credits that it is owed: the node is going to wait."""
        for producer in self.producers.values():
            producer.pay()

    def hear_out(self, ended: str, error: str = "") -> None:
        """Judge who has ended for good; while it is connected its connection tells, not the launcher.

        `error` says how it failed, if it did: that is told behind its last message.
        """
        self._returning.discard(ended)
        self._ended.add(ended)
        self.hear_strangers()
        if error:
            for descriptor in self._connections_of(ended):
                self._hear_last_words(descriptor)
            fed = tuple(dict.fromkeys(inlet.input for inlet in self.inlets if inlet.producer == ended))
            self.queues.announce(Notice("NODE_FAILED", ended, Failure(error, fed)))
        if not self._connections_of(ended):
            self.close_inputs(ended)

    def await_return(self, producer: str) -> None:
        """Keep the inputs that a producer feeds open, although it may hang up: the launcher says how it goes on."""
        self._returning.add(producer)

    def note_restart(self, producer: str) -> None:
        """Take in the last words of a producer that is being started again, and tell the node of it."""
        self.await_return(producer)
        self._on_connection()
        # One that has not hung up may be of the next life already, whose messages come behind the notice.
        for descriptor in [at for at, known in self.producers.items() if known.id is None and _has_hung_up(at)]:
            self._on_producer(descriptor)
        for descriptor in self._connections_of(producer):
            self._hear_last_words(descriptor)
        self.queues.announce(Notice("NODE_RESTARTED", producer))

    def silence(self, now_ns: int) -> None:
        """Close the inputs that were silent for too long, until something comes again."""
        for name in self.deadlines.overdue(now_ns):
            if self.queues.silence(name):
                self.queues.announce(Notice("INPUT_CLOSED", name))

    def hear(self) -> None:
        """Take in what has come beside the connections."""
        for descriptor in [at for at, producer in self.producers.items() if producer.has_news()]:
            self._on_producer(descriptor)

    def hear_strangers(self) -> None:
        """Take in producers that have just connected, and their greetings."""
        self._on_connection()
        for descriptor in [at for at, producer in self.producers.items() if producer.id is None]:
            self._on_producer(descriptor)

    def lose(self, descriptor: int) -> None:
        """Hang up on a producer, and close its inputs unless it may come again, or has crashed.

        Of a crash the launcher tells, so that the node hears first that it was one.
        """
        producer = self.producers.pop(descriptor)
        self._poller.forget(descriptor)
        producer.hang_up()
        name = producer.id
        if name is not None and name not in self._returning and (producer.has_left or name in self._ended):
            self.close_inputs(name)

    def leave(self) -> None:
        """Read no more; arrays that were handed out stay valid."""
        for producer in self.producers.values():
            producer.leave()
        self.producers.clear()
        self._listening.close()

    def _on_connection(self) -> None:
        """Take in producers that connect; one of another user is turned away."""
        while True:
            try:
                sock, _address = self._listening.accept()
            except BlockingIOError:
                return
            if peer_user(sock) != os.geteuid():
                sock.close()
                continue
            descriptor = sock.fileno()
            producer = new_producer(Connection(sock), self._poller, self.queues, self._on_frame)
            producer.process = peer_process(sock)
            self.producers[descriptor] = producer
            self._poller.watch(descriptor, partial(self._on_producer, descriptor))

    def _on_producer(self, descriptor: int) -> None:
        producer = self.producers[descriptor]
        connection = producer.connection
        try:
            for frame in producer.receive():
                self._on_frame(producer, frame)
            if producer.id is not None:
                producer.read_on()
        except WireError as error:
            text = f"closed the connection of `{producer.id or 'a stranger'}`: {error}"
            log_lines.write("warn", text, target="doraflow_runtime")
            connection.has_ended = True
            if producer.id is not None:
                self.close_inputs(producer.id)  # nothing comes of it, although its process lives
        if connection.has_ended:
            self.lose(descriptor)
            self._poller.tell()  # it may not be the waiting thread that has noticed

    def _on_frame(self, producer: Producer, frame: Frame) -> None:
        if frame.kind == Kind.MESSAGE and producer.id is not None:
            self.let_in(producer.message(frame))
        else:
            self._take(producer, frame)

    def _take(self, producer: Producer, frame: Frame) -> None:
        if producer.id is not None:
            closed = producer.take(frame)
            if closed is not None:
                self.close(closed.input)
            return
        name = producer.greet(frame, self.inlets)
        for descriptor in self._connections_of(name):
            if self.producers[descriptor] is not producer:
                self._replace(descriptor, producer)
        self.welcome(name)

    def welcome(self, producer: str) -> None:
        """Open the inputs that a producer feeds: a process of it has connected."""
        self._ended.discard(producer)
        for inlet in self.inlets:
            if inlet.producer == producer and self.queues.begin_again(inlet.input):
                self.queues.announce(Notice("INPUT_RECOVERED", inlet.input))

    def _replace(self, descriptor: int, newcomer: Producer) -> None:
        """Let a producer's new connection take the place of an old one. Raises WireError if both are of one process."""
        old = self.producers[descriptor]
        name, newcomer.id = newcomer.id, None
        self._hear_last_words(descriptor)
        if descriptor in self.producers:
            if old.process == newcomer.process:
                raise WireError(f"`{name}` is connected already")
            self._returning.add(str(name))
            self.lose(descriptor)
        newcomer.id = name

    def _connections_of(self, producer: str) -> list[int]:
        return [descriptor for descriptor, known in self.producers.items() if known.id == producer]

    def _hear_last_words(self, descriptor: int) -> None:
        """Read what a producer has sent; it is lost at the end of that, if it has hung up."""
        for _ in range(MOST_ROUNDS):
            producer = self.producers.get(descriptor)
            if producer is None or not producer.connection.has_news():
                return
            self._on_producer(descriptor)

    def let_in(self, item: Received) -> None:
        """Put a message into its queue. Raises WireError for one that its sender has no credit for."""
        inlet = item.inlet
        if inlet.is_bounded and self.queues.is_full(inlet.input):
            item.discard()
            raise WireError(f"more messages on link {inlet.link} than it has credits for")
        self.queues.put(inlet.input, item, flush=item.asks_to_flush())
        if inlet.is_timed:
            self._note_fed(inlet.input)

    def _note_fed(self, input_id: str) -> None:
        self.deadlines.arm(input_id, time.monotonic_ns())
        if self.queues.recover(input_id):
            self.queues.announce(Notice("INPUT_RECOVERED", input_id))

    def _event(self, input_id: str, item: Received | Notice | None) -> Event:
        if item is None:
            self.meter.took(input_id, 0, 0, 0)
            return Event("INPUT", input_id, self._no_value, Metadata(time.time_ns()))
        if isinstance(item, Notice):
            return item.event()
        item.accept()
        message = item.message
        size = len(message.payload) if message.slot is None else message.slot.size
        self.meter.took(input_id, size, message.sent_ns - item.producer.clock_ns, self._poller.gate.rounds)
        event = item.event(input_id)
        if event.type == "ERROR":
            self.meter.failed(input_id)
        return event

    def _bytes_event(self, input_id: str, item: Received | Notice | None) -> BytesEvent:
        lies_in_slot = isinstance(item, Received) and item.message.slot is not None
        return with_bytes(self._event(input_id, item), lies_in_slot=lies_in_slot)

    def on_left(self, producer: str) -> None:
        """Judge a producer on another host that sends no more: one that may come again keeps its inputs open.

        Whether it has ended for good is told by the launcher.
        """
        if producer not in self._returning or producer in self._ended:
            self.close_inputs(producer)

    def close_inputs(self, producer: str) -> None:
        """Note that nothing more comes from a producer."""
        for inlet in self.inlets:
            if inlet.producer == producer:
                self.close(inlet.input)

    def close(self, input_id: str) -> None:
        """Note that nothing more comes in on an input."""
        self.queues.close(input_id)
        self.deadlines.disarm(input_id)

    def _drop(self, item: Received | Notice | None) -> None:
        if item is not None and not isinstance(item, Notice):
            item.discard()
            item.accept()


def _has_hung_up(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLRDHUP)
    return bool(poll.poll(0))
