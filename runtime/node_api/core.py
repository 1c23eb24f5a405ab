"""The working parts of a node behind its API: one epoll, one lock, and the two sides of the data plane.

Methods that begin with an underscore expect the lock to be held. Waiting happens without the lock, so that one thread
can send while another waits for events.
"""

from __future__ import annotations

import os
import select
import threading
import time
from typing import TYPE_CHECKING

from doraflow_runtime.contract import CONTRACT_VERSION
from doraflow_runtime.node_api.incoming import Producer, Received
from doraflow_runtime.node_api.launcher_link import LauncherLink
from doraflow_runtime.node_api.outgoing import Consumer
from doraflow_runtime.node_api.queues import Queues
from doraflow_runtime.node_api.timers import Timers
from doraflow_runtime.protocol import NodeEvent, NodeState, next_state
from doraflow_runtime.shm import wire
from doraflow_runtime.shm.connection import Connection, Folder, peer_user
from doraflow_runtime.shm.pool import Pool
from doraflow_runtime.shm.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.contract import Link, OutgoingLink
    from doraflow_runtime.node_api.joining import Seat

LINGER_SECONDS = 5.0
CONNECT_SECONDS = 5.0
BACKLOG = 4096
TICK = None


class Core:
    """Everything of a node that talks to the outside."""

    def __init__(self, seat: Seat) -> None:
        config = seat.config
        self.config = config
        self.lock = threading.RLock()
        self.state = NodeState.JOINING
        self.stop_cause = "MANUAL"
        self.queues: Queues[Received | None] = Queues(
            config.node.inputs, _discard, timers_are_clocks=config.exit_when_nodes_finish
        )
        self.pool = Pool(seat.run_directory / config.pools)
        self.consumers: dict[str, Consumer] = {}
        self._run_directory = seat.run_directory
        self._timers = Timers(config.node.inputs)
        self._producers: dict[int, Producer] = {}
        self._met: set[str] = set()
        self._inputs = {link.index: link.input for link in config.incoming}
        self._held_back = {port.id for port in config.node.inputs if port.queue_policy == "backpressure"}
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._watched: dict[int, int] = {}
        self._is_waiting = False
        self._open_sockets(seat)

    def _open_sockets(self, seat: Seat) -> None:
        self._epoll = select.epoll()
        self._wake_descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._watch(self._wake_descriptor, self._on_wake)
        self._folder = Folder(str(seat.run_directory))
        self._listening = self._folder.listen(self.config.listen, BACKLOG)
        self._watch(self._listening.fileno(), self._on_connection)
        self.launcher = LauncherLink(self._folder.connect(self.config.launcher, CONNECT_SECONDS))
        self._watch(self.launcher.fileno(), self._on_launcher)
        self.launcher.say(type="hello", node=self.config.node.id, pid=os.getpid(), contract=CONTRACT_VERSION)

    # ---- waiting

    def wait(self, timeout: float | None) -> None:
        """Wait for something to happen, at most `timeout` seconds, and deal with all that has."""
        with self.lock:
            self._tend()
            pause = self._timers.wait_seconds(time.monotonic_ns())
            self._is_waiting = True
        waits = [seconds for seconds in (timeout, pause) if seconds is not None]
        ready = self._epoll.poll(min(waits) if waits else None)
        with self.lock:
            self._is_waiting = False
            self._dispatch(ready)

    def poll(self) -> None:
        """Deal with all that has happened, without waiting."""
        with self.lock:
            self._dispatch(self._epoll.poll(0))

    def _dispatch(self, ready: list[tuple[int, int]]) -> None:
        for descriptor, events in ready:
            handler = self._handlers.get(descriptor)
            if handler is not None:
                handler(events)
        for name in self._timers.due(time.monotonic_ns()):
            self.queues.put(name, TICK)
        self._tend()

    def _tend(self) -> None:
        """Send what waits: slots that are no longer read, and messages that a consumer had no room for."""
        for producer in tuple(self._producers.values()):
            if producer.id is not None:
                producer.give_back()
                self._watch_writing(producer.connection)
        for consumer in self.consumers.values():
            if consumer.has_waiting:
                consumer.flush()
            if consumer.is_open:
                self._watch_writing(consumer.connection)

    def wake(self) -> None:
        """Interrupt a thread that waits; may be called from anywhere, also by the garbage collector."""
        if self._is_waiting:
            os.eventfd_write(self._wake_descriptor, 1)

    def _watch(self, descriptor: int, handler: Callable[[int], None]) -> None:
        self._handlers[descriptor] = handler
        self._watched[descriptor] = select.EPOLLIN
        self._epoll.register(descriptor, select.EPOLLIN)

    def _watch_writing(self, connection: Connection) -> None:
        descriptor = connection.fileno()
        wanted = select.EPOLLIN | (select.EPOLLOUT if connection.has_waiting else 0)
        if descriptor in self._watched and self._watched[descriptor] != wanted:
            self._watched[descriptor] = wanted
            self._epoll.modify(descriptor, wanted)

    def _forget(self, descriptor: int) -> None:
        if self._watched.pop(descriptor, None) is not None:
            self._handlers.pop(descriptor, None)
            self._epoll.unregister(descriptor)

    # ---- what happens

    def _on_wake(self, _: int) -> None:
        os.eventfd_read(self._wake_descriptor)

    def _on_connection(self, _: int) -> None:
        """Take in producers that connect; one of another user is turned away."""
        while True:
            try:
                sock, _address = self._listening.accept()
            except BlockingIOError:
                return
            if peer_user(sock) != os.geteuid():
                sock.close()
                continue
            producer = Producer(Connection(sock), self._run_directory, self.wake)
            descriptor = sock.fileno()
            self._producers[descriptor] = producer
            self._watch(descriptor, lambda _, at=descriptor: self._on_producer(at))  # type: ignore[misc]

    def _on_producer(self, descriptor: int) -> None:
        producer = self._producers[descriptor]
        try:
            received = producer.receive(self.config.incoming)
        except WireError as error:
            self._complain(f"closed the connection of `{producer.id or 'a stranger'}`: {error}")
            producer.connection.is_open = False
            received = []
        if producer.id is not None:
            self._met.add(producer.id)
        for item in received:
            flush = bool(item.message.metadata) and _asks_to_flush(item)
            self.queues.put(self._inputs[item.link], item, flush=flush)
        if not producer.connection.is_open:
            self._lose_producer(descriptor, producer)

    def _lose_producer(self, descriptor: int, producer: Producer) -> None:
        self._forget(descriptor)
        producer.connection.close()
        del self._producers[descriptor]
        if producer.id is not None:
            self._close_inputs(producer.id)

    def _close_inputs(self, producer: str) -> None:
        for link in self.config.incoming:
            if link.producer == producer:
                self.queues.close(link.input)

    def _on_launcher(self, _: int) -> None:
        for news in self.launcher.receive():
            match news.type:
                case "start" if self.state is NodeState.JOINING:
                    self._start()
                case "stop":
                    self._stop(NodeEvent.STOP)
                case "ended" if news.node not in self._met:
                    # It may have connected just before it ended: then its connection tells, not the launcher.
                    self._on_connection(0)
                    if not any(producer.id is None for producer in self._producers.values()):
                        self._close_inputs(news.node)
                    else:
                        self._settle(news.node)
        if not self.launcher.is_open:
            self._forget(self.launcher.fileno())
            self._stop(NodeEvent.LAUNCHER_LOST)

    def _settle(self, ended: str) -> None:
        """Hear out those who have connected but not said who they are, then judge who has ended."""
        for descriptor in [at for at, producer in self._producers.items() if producer.id is None]:
            self._on_producer(descriptor)
        if ended not in self._met:
            self._close_inputs(ended)

    def _stop(self, event: NodeEvent) -> None:
        self.state = next_state(self.state, event)

    def _start(self) -> None:
        by_consumer: dict[str, list[OutgoingLink]] = {}
        for link in self.config.outgoing:
            by_consumer.setdefault(link.link.consumer, []).append(link)
        for name, links in by_consumer.items():
            self._connect(name, links)
        self._timers.start(time.monotonic_ns())
        self.state = next_state(self.state, NodeEvent.START)

    def _connect(self, name: str, links: list[OutgoingLink]) -> None:
        try:
            connection = Connection(self._folder.connect(links[0].address, CONNECT_SECONDS))
        except OSError:
            return  # the consumer has ended already; the launcher tells of it
        consumer = Consumer(links, connection, self.pool)
        connection.send([wire.hello(self.config.node.id, self.config.pools)])
        self.consumers[name] = consumer
        self._watch(connection.fileno(), lambda _, to=consumer: self._on_consumer(to))  # type: ignore[misc]

    def _on_consumer(self, consumer: Consumer) -> None:
        descriptor = consumer.connection.fileno()
        consumer.receive()
        if not consumer.is_open:
            self._forget(descriptor)
            consumer.lose()

    def _complain(self, text: str) -> None:
        from doraflow_runtime.node_api.log_lines import write

        write("warn", text, target="doraflow_runtime")

    # ---- messages handed over

    def note_sent(self, consumer: Consumer) -> None:
        """Watch for a consumer that has to catch up."""
        with self.lock:
            if consumer.is_open:
                self._watch_writing(consumer.connection)

    def accept(self, link: Link, item: Received) -> None:
        """Note that a message was handed out: where senders are held back, its sender may send one more."""
        if link.input in self._held_back and item.producer.connection.is_open:
            item.producer.credit(link.index)

    # ---- the end

    def close(self) -> None:
        """Send what waits, for at most LINGER_SECONDS, and hang up. May be called more than once."""
        deadline = time.monotonic() + LINGER_SECONDS
        while self._has_waiting() and time.monotonic() < deadline:
            self.wait(max(0.0, min(0.1, deadline - time.monotonic())))
        with self.lock:
            if self._epoll.closed:
                return
            self.state = NodeState.ENDED
            self.queues.clear()
            self._tend()
            for consumer in self.consumers.values():
                consumer.connection.close()
            for producer in self._producers.values():
                producer.connection.close()
            self._listening.close()
            self.launcher.close()
            self._folder.close()
            self._epoll.close()
            os.close(self._wake_descriptor)

    def _has_waiting(self) -> bool:
        with self.lock:
            return not self._epoll.closed and any(
                consumer.is_open and consumer.has_waiting for consumer in self.consumers.values()
            )


def _asks_to_flush(item: Received) -> bool:
    try:
        return item.metadata.parameters.get("flush") is True
    except ValueError:
        return False  # told when the message is read


def _discard(item: Received | None) -> None:
    if item is not None:
        item.discard()
