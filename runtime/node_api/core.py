"""The working parts of a node behind its API: the two sides of the data plane, its timers and its launcher.

Methods that begin with an underscore expect the lock to be held. Waiting happens without the lock, so that one thread
can send while another waits for events.
"""

from __future__ import annotations

import os
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from doraflow_runtime.contract import CONTRACT_VERSION
from doraflow_runtime.node_api import log_lines
from doraflow_runtime.node_api.incoming import Producer, Received
from doraflow_runtime.node_api.launcher_link import LauncherLink
from doraflow_runtime.node_api.outgoing import Consumer
from doraflow_runtime.node_api.poller import Poller
from doraflow_runtime.node_api.queues import Queues
from doraflow_runtime.node_api.timers import Timers
from doraflow_runtime.protocol import NodeEvent, NodeState, next_state
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.connection import Connection, Folder, peer_user
from doraflow_runtime.shm.pool import Pool
from doraflow_runtime.shm.wire import WireError

if TYPE_CHECKING:
    from doraflow_runtime.contract import OutgoingLink
    from doraflow_runtime.node_api.joining import Seat

LEAST_SHARE = 4 * 1024 * 1024
"""Bytes of payloads that may lie unread with one consumer, however many there are: more than a reader lets pass before
it reports what it has seen."""

LINGER_SECONDS = 5.0
CONNECT_SECONDS = 5.0
BACKLOG = 4096
FRESH_NS = 1_000_000
"""How old the news may be while a node works off its queues: asking the kernel costs as much as a small message."""

TICK = None


class Core:
    """Everything of a node that talks to the outside."""

    def __init__(self, seat: Seat) -> None:
        config = seat.config
        self.config = config
        self.lock = threading.RLock()
        self._process = os.getpid()
        self.state = NodeState.JOINING
        self.stop_cause = "MANUAL"
        self.was_told_to_stop = False
        self.rounds = 0
        self._dispatched_ns = 0
        self.queues: Queues[Received | None] = Queues(
            config.node.inputs, self._drop, timers_are_clocks=config.exit_when_nodes_finish
        )
        self.pool = Pool(seat.run_directory / config.pools)
        self.consumers: dict[str, Consumer] = {}
        self._run_directory = seat.run_directory
        self._timers = Timers(config.node.inputs)
        self._producers: dict[int, Producer] = {}
        self._met: set[str] = set()
        self._incoming = {link.index: link for link in config.incoming}
        self._held_back = {port.id for port in config.node.inputs if port.queue_policy == "backpressure"}
        places = {port.id: port.queue_size for port in config.node.inputs}
        self._quarter = {link.index: places[link.input] // 4 for link in config.incoming}
        self._poller = Poller(self.lock)
        self._folder = Folder(str(seat.run_directory))
        self._listening = self._folder.listen(config.listen, BACKLOG)
        self._poller.watch(self._listening.fileno(), self._on_connection)
        self.launcher = LauncherLink(self._folder.connect(config.launcher, CONNECT_SECONDS))
        self._poller.watch(self.launcher.fileno(), self._on_launcher)
        self.launcher.say(type="hello", node=config.node.id, pid=os.getpid(), contract=CONTRACT_VERSION)

    # ---- waiting

    def wait(self, timeout: float | None, since: int) -> None:
        """Wait for something to happen, at most `timeout` seconds, and deal with all that has.

        `since` is `rounds` as it was when the caller saw that it had to wait: what has happened after that, in another
        thread, ends the wait at once.
        """
        with self.lock:
            if self.rounds != since or not self._poller.is_open or not self._poller.claim(timeout):
                return
        ready: list[int] = []
        try:
            with self.lock:
                for producer in self._producers.values():
                    producer.pay()
                self._tend()
                pause = self._timers.wait_seconds(time.monotonic_ns())
            waits = [seconds for seconds in (timeout, pause) if seconds is not None]
            ready = self._poller.poll(min(waits) if waits else None)
        finally:
            with self.lock:
                self._poller.release()
                self._dispatch(ready)

    def poll(self) -> None:
        """Deal with all that has happened, without waiting; not more often than FRESH_NS while messages wait."""
        with self.lock:
            if (self.is_fresh() and self.queues.count) or not self._poller.is_open:
                return
            ready = self._poller.poll(0)
            self._dispatch(ready)
            if ready:
                self._poller.tell()

    def is_fresh(self) -> bool:
        """Tell whether the kernel was asked for news just now."""
        return time.monotonic_ns() - self._dispatched_ns < FRESH_NS

    def _dispatch(self, ready: list[int]) -> None:
        self.rounds += 1
        self._dispatched_ns = time.monotonic_ns()
        self._poller.handle(ready)
        for name in self._timers.due(self._dispatched_ns):
            self.queues.put(name, TICK)
        self._tend()

    def _tend(self) -> None:
        """Send what waits: slots that are no longer read, and messages that a consumer had no room for."""
        for producer in self._producers.values():
            producer.give_back()
            self._press(producer.connection, wanted=producer.connection.has_waiting)
        for consumer in self.consumers.values():
            if consumer.has_waiting:
                consumer.flush()
                self.note_sent(consumer)

    # ---- what producers do

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
            self._producers[descriptor] = Producer(Connection(sock), self._run_directory, self._poller.wake)
            self._poller.watch(descriptor, partial(self._on_producer, descriptor))

    def _on_producer(self, descriptor: int) -> None:
        producer = self._producers[descriptor]
        try:
            for frame in producer.connection.receive():
                self._on_frame(producer, frame)
        except WireError as error:
            self._complain(f"closed the connection of `{producer.id or 'a stranger'}`: {error}")
            producer.connection.has_ended = True
        if producer.connection.has_ended:
            self._lose_producer(descriptor, producer)

    def _on_frame(self, producer: Producer, frame: wire.Frame) -> None:
        if producer.id is None:
            links = producer.greet(frame, self._incoming.values())
            if any(other is not producer and other.id == producer.id for other in self._producers.values()):
                name, producer.id = producer.id, None
                raise WireError(f"`{name}` is connected already")
            self._met.update(link.producer for link in links)
            return
        taken = producer.take(frame)
        if isinstance(taken, Received):
            self._let_in(taken)
        elif taken is not None:
            self.queues.close(self._incoming[taken].input)

    def _let_in(self, item: Received) -> None:
        link = self._incoming[item.link]
        may_wait = link.input not in self._held_back or link.producer == link.consumer
        if not may_wait and self.queues.is_full(link.input):
            item.discard()
            raise WireError(f"more messages on link {item.link} than it has credits for")
        self.queues.put(link.input, item, flush=item.asks_to_flush())

    def _lose_producer(self, descriptor: int, producer: Producer) -> None:
        self._poller.forget(descriptor)
        producer.connection.close()
        del self._producers[descriptor]
        if producer.id is not None:
            self._close_inputs(producer.id)

    def _close_inputs(self, producer: str) -> None:
        for link in self.config.incoming:
            if link.producer == producer:
                self.queues.close(link.input)

    # ---- what the launcher says

    def _on_launcher(self) -> None:
        for news in self.launcher.receive():
            match news.type:
                case "start" if self.state is NodeState.JOINING:
                    self._start()
                case "stop":
                    self._stop(NodeEvent.STOP)
                case "ended" if news.node not in self._met:
                    self._hear_out(news.node)
        if not self.launcher.is_open:
            self._poller.forget(self.launcher.fileno())
            self._stop(NodeEvent.LAUNCHER_LOST)

    def _hear_out(self, ended: str) -> None:
        """Judge who has ended; it may have connected just before: then its connection tells, not the launcher."""
        self._on_connection()
        for descriptor in [at for at, producer in self._producers.items() if producer.id is None]:
            self._on_producer(descriptor)
        if ended not in self._met:
            self._close_inputs(ended)

    def _stop(self, event: NodeEvent) -> None:
        self.was_told_to_stop = True
        self.state = next_state(self.state, event)

    def _start(self) -> None:
        by_consumer: dict[str, list[OutgoingLink]] = {}
        for link in self.config.outgoing:
            by_consumer.setdefault(link.link.consumer, []).append(link)
        share = max(LEAST_SHARE, self.pool.limit // 2 // max(1, len(by_consumer)))
        for name, links in by_consumer.items():
            self._connect(name, links, share)
        self._timers.start(time.monotonic_ns())
        self.state = next_state(self.state, NodeEvent.START)

    # ---- what consumers do

    def _connect(self, name: str, links: list[OutgoingLink], share: int) -> None:
        try:
            connection = Connection(self._folder.connect(links[0].address, CONNECT_SECONDS))
        except OSError:
            return  # the consumer has ended already; the launcher tells of it
        connection.send(wire.hello(self.config.node.id, self.config.pools))
        self.consumers[name] = Consumer(links, connection, self.pool, share)
        self._poller.watch(connection.fileno(), partial(self._on_consumer, name))

    def _on_consumer(self, name: str) -> None:
        consumer = self.consumers[name]
        try:
            consumer.receive()
        except WireError as error:
            self._complain(f"closed the connection of `{name}`: {error}")
            consumer.connection.has_ended = True
        if consumer.connection.has_ended:
            self._poller.forget(consumer.connection.fileno())
            consumer.lose()
        else:
            self.note_sent(consumer)

    def note_sent(self, consumer: Consumer) -> None:
        """Watch for a consumer that has to catch up."""
        with self.lock:
            self._press(consumer.connection, wanted=consumer.is_open and consumer.connection.has_waiting)

    def _press(self, connection: Connection, *, wanted: bool) -> None:
        if wanted != connection.is_pressed and connection.is_open:
            connection.is_pressed = wanted
            self._poller.want_writing(connection.fileno(), wanted=wanted)

    def accept(self, item: Received) -> None:
        """Note that a message left its queue: where senders are held back, its sender may send one more."""
        if self._incoming[item.link].input in self._held_back and item.producer.connection.is_open:
            item.producer.credit(item.link, self._quarter[item.link])

    def _drop(self, item: Received | None) -> None:
        if item is not None:
            item.discard()
            self.accept(item)

    def _complain(self, text: str) -> None:
        log_lines.write("warn", text, target="doraflow_runtime")

    # ---- the end

    def close(self) -> None:
        """Send what waits, for at most LINGER_SECONDS, and hang up. May be called more than once.

        A forked child shares the sockets of its parent, so it does nothing here.
        """
        if os.getpid() != self._process:
            return
        deadline = time.monotonic() + LINGER_SECONDS
        while self._has_waiting() and (left := deadline - time.monotonic()) > 0:
            self.wait(min(0.1, left), self.rounds)
        with self.lock:
            if not self._poller.is_open:
                return
            self.state = NodeState.ENDED
            self.queues.clear()
            self._tend()
            self._poller.close()
            for consumer in self.consumers.values():
                consumer.connection.close()
            for producer in self._producers.values():
                producer.leave()
            self._producers.clear()
            self._listening.close()
            self.launcher.close()
            self._folder.close()

    @property
    def is_closed(self) -> bool:
        """Whether the node has left the run."""
        return not self._poller.is_open

    def _has_waiting(self) -> bool:
        with self.lock:
            return self._poller.is_open and any(
                consumer.is_open and consumer.has_waiting for consumer in self.consumers.values()
            )
