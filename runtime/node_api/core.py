"""The working parts of a node behind its API: the two sides of the data plane, its timers and its launcher.

Methods that begin with an underscore expect the lock to be held. Waiting happens without the lock, so that one thread
can send while another waits for events.
"""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING

from doraflow_runtime.contract import CONTRACT_VERSION, Link, OutgoingLink
from doraflow_runtime.node_api import log_lines
from doraflow_runtime.node_api.courier import Courier
from doraflow_runtime.node_api.far_links import open_network
from doraflow_runtime.node_api.gate import new_lock
from doraflow_runtime.node_api.greeting import CONNECT_SECONDS, greet
from doraflow_runtime.node_api.intake import tie
from doraflow_runtime.node_api.launcher_link import LauncherLink
from doraflow_runtime.node_api.measuring import Counts
from doraflow_runtime.node_api.outgoing import Consumer, links_by_consumer
from doraflow_runtime.node_api.own_memory import make_pool
from doraflow_runtime.node_api.poller import Poller
from doraflow_runtime.node_api.reception import Reception
from doraflow_runtime.node_api.returns import Returns
from doraflow_runtime.node_api.timers import Timers
from doraflow_runtime.protocol import NodeEvent, NodeState, next_state
from doraflow_runtime.shm.connection import Connection, Folder, peer_process
from doraflow_runtime.shm.wire import WireError

if TYPE_CHECKING:
    from doraflow_runtime.node_api.far_links import AnyConsumer
    from doraflow_runtime.node_api.joining import Seat
    from doraflow_runtime.node_api.launcher_link import News
    from doraflow_runtime.node_api.sending import Sender

LINGER_SECONDS = 5.0
TAP = "tap"
TAP_LINK = 65535
TAP_QUEUE = 16
TAP_SHARE = 32
"""The part of the node's memory that one who looks on may hold while more than half of it is in use."""
FRESH_NS = 200_000
"""How old the news may be while a node works off its queues: asking the kernel costs as much as a small message."""


class Core:
    """Everything of a node that talks to the outside."""

    def __init__(self, seat: Seat) -> None:
        config = seat.config
        self.config = config
        self.lock = new_lock()
        self._process = os.getpid()
        self._state = NodeState.JOINING
        self.stop_cause = "MANUAL"
        self.was_told_to_stop = False
        self.sign_ns = int(config.sign_seconds * 1e9)
        self.closed_links: set[int] = set()
        self.pool = make_pool(config.node)
        self.consumers: dict[str, AnyConsumer] = {}
        self.returns = Returns(self.consumers, self.hang_up)
        self._timers = Timers(config.node.inputs)
        self._poller = Poller(self.lock, config.node.spin_us * 1000)
        self.gate = self._poller.gate
        self._folder = Folder(str(seat.run_directory))
        self._courier = Courier(self._deliver)
        self._reception = Reception(config, self._folder, self._poller)
        self.queues = self._reception.queues
        self.meter = self._reception.meter
        self._network = open_network(config, self._poller, self._reception, self.pool)
        self.sender: Sender | None = None
        self.take, self.take_bytes = self._reception.take, self._reception.take_bytes
        tie(self._poller, self.queues, self.lock, FRESH_NS, self._tick, self._tend, self.show_life)
        self.gate.sign_due_ns = 0 if self.sign_ns else -1
        self.launcher = LauncherLink(self._folder.connect(config.launcher, CONNECT_SECONDS))
        self._poller.watch(self.launcher.fileno(), self._on_launcher)
        self.launcher.say(type="hello", node=config.node.id, pid=os.getpid(), contract=CONTRACT_VERSION)

    @property
    def state(self) -> NodeState:
        """Where the node stands."""
        return self._state

    @state.setter
    def state(self, state: NodeState) -> None:
        self._state = state
        self.gate.is_running = state is NodeState.RUNNING

    @property
    def rounds(self) -> int:
        """How often the node has dealt with news: whoever has to wait notes it, and waits for more."""
        return self.gate.rounds

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
                self._reception.pay()
                self._tend()
                pauses = self._pauses()
            waits = [seconds for seconds in (timeout, *pauses) if seconds is not None]
            ready = self._poller.poll(min(waits) if waits else None)
        finally:
            with self.lock:
                self._poller.release()
                self._dispatch(ready)

    def poll(self) -> None:
        """Deal with all that has happened, without waiting; not more often than FRESH_NS while messages wait."""
        with self.lock:
            if not self.gate.is_claimed:
                self.gate.is_claimed = False  # the compiled gate lets go of the event that it handed out last
            if (self.is_fresh() and self.queues.count) or not self._poller.is_open:
                return
            if self.sign_ns:
                self.show_life()
            self.returns.look()
            self._look()

    def _pauses(self) -> tuple[float | None, ...]:
        """Say after how many seconds a node that waits has to wake by itself."""
        now = time.monotonic_ns()
        if self.sign_ns:
            self.show_life()
        sign = max(0.0, (self.gate.sign_due_ns - now) / 1e9) if self.sign_ns else None
        return self._timers.wait_seconds(now), self._reception.deadlines.wait_seconds(now), sign

    def show_life(self) -> None:
        """Tell the launcher, not more often than it needs, that this node's code has come by."""
        now = time.monotonic_ns()
        if now >= self.gate.sign_due_ns:
            self.gate.sign_due_ns = now + self.sign_ns
            self.launcher.show_life()

    def _look(self) -> None:
        ready = self._poller.poll(0)
        self._dispatch(ready)
        if ready:
            self._poller.tell()

    def is_fresh(self) -> bool:
        """Tell whether the kernel was asked for news just now."""
        return time.monotonic_ns() - self.gate.dispatched_ns < FRESH_NS

    def _dispatch(self, ready: list[int]) -> None:
        self.gate.rounds += 1
        self.gate.dispatched_ns = time.monotonic_ns()
        self._poller.handle(ready)
        self._reception.hear()
        self._tick()
        self._tend()

    def _tick(self) -> None:
        """Let the ticks in that are due, and close the inputs that were silent for too long."""
        self._reception.silence(self.gate.dispatched_ns)
        for name in self._timers.due(self.gate.dispatched_ns):
            self._reception.tick(name)
        self.gate.due_ns = self._timers.next_ns

    def _tend(self) -> None:
        """Send what waits: slots that are no longer read, and messages that a consumer had no room for."""
        self.gate.is_lagging = False
        self._reception.give_back()
        for consumer in self.consumers.values():
            if consumer.has_waiting:
                consumer.flush()
                self.note_sent(consumer)
        if self._network is not None:
            self._network.tend(is_idle=not self.queues.count)
            self.gate.is_lagging |= not self._network.is_seen  # the gate then leaves every round to this method

    # ---- what the launcher says

    def _on_launcher(self) -> None:
        for news in self.launcher.receive():
            match news.type:
                case "start" if self.state is NodeState.JOINING:
                    self._start()
                case "stop":
                    self._stop(NodeEvent.STOP)
                case "measure":
                    self._tell_counts()
                case "tap":
                    self._tap(news.output, news.address)
                case _:
                    self._hear_of_peer(news)
        if not self.launcher.is_open:
            self._poller.forget(self.launcher.fileno())
            self._stop(NodeEvent.LAUNCHER_LOST)

    def _hear_of_peer(self, news: News) -> None:
        if self._network is not None:
            self._network.hear(news)
        match news.type:
            case "ended":
                self._reception.hear_out(news.node, news.error)
            case "will_return":
                self._reception.await_return(news.node)
            case "restarting":
                self._reception.note_restart(news.node)
            case "returned" if self.state is not NodeState.JOINING:
                self._connect_again(news.node, news.process)

    def _tell_counts(self) -> None:
        """Tell the launcher what was counted so far."""
        undelivered = dict.fromkeys(self.meter.outputs, 0) | (self._network.unheard() if self._network else {})
        for link in self.config.outgoing:
            consumer = self.consumers.get(link.link.consumer)
            if consumer is not None:
                undelivered[link.link.output] += consumer.dropped.get(link.link.input, 0)
        queues = self.queues
        counts = Counts(queues.dropped(), queues.waiting(), queues.taken(), undelivered)
        for line in self.meter.lines(counts):
            self.launcher.say(**line)

    def _stop(self, event: NodeEvent) -> None:
        self.was_told_to_stop = True
        self.state = next_state(self.state, event)

    def _start(self) -> None:
        for name in links_by_consumer(self.config.outgoing):
            self._connect(name)
        if self._network is not None and self.sender is not None:
            self._network.open_to_others(self.consumers, self.sender)
        self._timers.start(time.monotonic_ns())
        self.gate.due_ns = self._timers.next_ns
        self.state = next_state(self.state, NodeEvent.START)

    # ---- what consumers do

    def _connect_again(self, name: str, process: int) -> None:
        """Connect to the new process of a consumer, unless that was done before the launcher spoke of it."""
        before = self.consumers.get(name)
        if isinstance(before, Consumer):
            if before.connection.is_open and before.process == process:
                return
            self._lose(before)
        self._connect(name)
        after = self.consumers.get(name)
        if isinstance(before, Consumer) and isinstance(after, Consumer) and after is not before:
            after.inherit(before)

    def _connect(self, name: str) -> None:
        by_consumer = links_by_consumer(self.config.outgoing)
        links = by_consumer.get(name)
        if links is None:
            return
        if self._network is not None and links[0].host:
            self._take_in(name, self._network.connect(links), links)
            return
        # All shares together are a quarter: beside the half that is there for anyone, a quarter is never held.
        self._join(name, links, self.pool.limit // 4 // max(1, len(by_consumer)))

    def _tap(self, output: str, address: str) -> None:
        """Send copies of an output to one more reader, for as long as it reads; it holds nobody back."""
        name = f"{TAP} {address}"
        link = Link(TAP_LINK, self.config.node.id, output, name, TAP)
        if self.sender is None or name in self.consumers or output not in self.meter.outputs:
            return  # a node that has not started has no sender yet
        self._join(name, [OutgoingLink(link, address, TAP_QUEUE, "drop_oldest")], self.pool.limit // TAP_SHARE)
        if name in self.consumers:
            self.sender.add_reader(output, (TAP_LINK, name))

    def _join(self, name: str, links: list[OutgoingLink], share: int) -> None:
        try:
            sock = self._folder.connect(links[0].address, CONNECT_SECONDS)
        except OSError:
            return  # the consumer has ended already; the launcher tells of it
        process, connection = peer_process(sock), Connection(sock)
        if not greet(connection, self.config.node.id, self.pool.for_readers, self._reception.hear_strangers):
            connection.close()
            text = f"cannot send to `{name}`: too many descriptors are on their way between processes"
            log_lines.write("warn", text, target="doraflow_runtime")
            return
        consumer = Consumer(links, connection, self.pool, share, process)
        self._poller.watch(connection.fileno(), partial(self._on_consumer, consumer))
        self._take_in(name, consumer, links)

    def _take_in(self, name: str, consumer: AnyConsumer, links: list[OutgoingLink]) -> None:
        self.consumers[name] = consumer
        for link in links:
            if link.link.index in self.closed_links:
                consumer.close_link(link.link.index)

    def _on_consumer(self, consumer: Consumer) -> None:
        try:
            consumer.receive()
        except WireError as error:
            self.hang_up(consumer, error)
            return
        if consumer.connection.has_ended:
            self.note_end(consumer)
        else:
            self.note_sent(consumer)

    def note_end(self, consumer: Consumer) -> None:
        """Take back what a consumer held that has ended."""
        self._lose(consumer)
        name = self._name_of(consumer)
        if name.startswith(f"{TAP} ") and self.sender is not None:
            self.sender.remove_reader((TAP_LINK, name))
            del self.consumers[name]

    def _name_of(self, consumer: Consumer) -> str:
        return next(name for name, other in self.consumers.items() if other is consumer)

    def hang_up(self, consumer: Consumer, error: WireError) -> None:
        """Close the connection of a consumer that sends nonsense, and say so."""
        name = self._name_of(consumer)
        log_lines.write("warn", f"closed the connection of `{name}`: {error}", target="doraflow_runtime")
        self._lose(consumer)

    def _lose(self, consumer: Consumer) -> None:
        self._poller.forget(consumer.connection.fileno())
        consumer.lose()
        self.note_news()  # whoever waits for this consumer hears nothing more of it
        self._poller.tell()

    def note_news(self) -> None:
        """Note that a thread which was about to wait may have nothing to wait for."""
        self.gate.rounds += 1

    def note_sent(self, consumer: AnyConsumer) -> None:
        """Watch for a consumer that has to catch up."""
        with self.lock:
            self.returns.catch_up(consumer)
            if isinstance(consumer, Consumer):
                self._poller.press(consumer.connection, wanted=consumer.is_open and consumer.connection.has_waiting)
            if consumer.has_waiting:
                self.gate.is_lagging = True
                self._courier.call()

    def _deliver(self) -> bool:
        """Send what waits, unless a thread waits that does it; False if nothing more waits."""
        with self.lock:
            if not self._has_waiting():
                self._courier.rest()
                return False
            if not self._poller.is_claimed:
                self._look()
            return True

    # ---- the end

    def close(self) -> None:
        """Send what waits, for at most LINGER_SECONDS, and hang up. May be called more than once.

        A forked child shares the sockets of its parent, so it does nothing here.
        """
        if os.getpid() != self._process:
            return
        deadline = time.monotonic() + LINGER_SECONDS
        if self._network is not None:
            with self.lock:
                self._network.leave()
        while self._is_unfinished() and (left := deadline - time.monotonic()) > 0:
            self.wait(min(0.1, left), self.rounds)
        with self.lock:
            if not self._poller.is_open:
                return
            self._tell_counts()
            self.state = NodeState.ENDED
            self.queues.clear()
            self._tend()
            self._poller.close()
            for consumer in self.consumers.values():
                consumer.close()
            self._reception.leave()
            if self._network is not None:
                self._network.close()
            self.launcher.close()
            self._folder.close()
            self.pool.close()

    @property
    def is_closed(self) -> bool:
        """Whether the node has left the run."""
        return not self._poller.is_open

    def _has_waiting(self) -> bool:
        with self.lock:
            return self._poller.is_open and any(each.is_open and each.has_waiting for each in self.consumers.values())

    def _is_unfinished(self) -> bool:
        with self.lock:
            is_flying = self._network is not None and self._poller.is_open and self._network.is_unfinished
            return is_flying or self._has_waiting()
