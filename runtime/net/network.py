"""A node's part in links between hosts: its transport, its readers and senders, and their place in the one epoll.

What a descriptor of a transport tells may be that something has changed, once (ZeroMQ's do): so all are looked at
before the node sleeps, and whoever finds that something came in meanwhile rings the bell. Used under the node's lock.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from doraflow_runtime.net.bell import Bell
from doraflow_runtime.net.listening import Listener
from doraflow_runtime.net.outgoing import FarConsumer
from doraflow_runtime.net.packing import PackCourier
from doraflow_runtime.net.transport import open_transport
from doraflow_runtime.shm.pool import RESERVE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from doraflow_runtime.contract import NodeConfig, OutgoingLink
    from doraflow_runtime.net.fabric.audience import Audience
    from doraflow_runtime.node_api.far_links import AnyConsumer
    from doraflow_runtime.node_api.launcher_link import News
    from doraflow_runtime.node_api.poller import Poller
    from doraflow_runtime.node_api.reception import Reception
    from doraflow_runtime.node_api.sending import Sender
    from doraflow_runtime.shm.pool import Pool

SESSION_BYTES = 16
MOST_ROUNDS = 64
ALLOCATOR_LEARNS = 16 * 1024 * 1024
AUDIENCE = "(zenoh)"
"""All that listens from outside of the dataflow; no node has this id."""


class Network:
    """The links of a node to nodes of other hosts.

    Raises RuntimeError, saying what to do, if it cannot listen or its transport cannot be had.
    """

    def __init__(self, config: NodeConfig, poller: Poller, reception: Reception, pool: Pool) -> None:
        self._config = config
        self._poller = poller
        self._pool = pool
        self._session = secrets.token_bytes(SESSION_BYTES)
        _teach_allocator()
        self._bell = Bell()
        self._transport = open_transport(config, self._bell.ring)
        self._consumers: list[FarConsumer] = []
        self._listener: Listener | None = None
        self._has_news = False
        self._audience: Audience | None = None
        self._is_seen = True
        self._courier = PackCourier(self._ship)
        poller.watch(self._bell.fileno(), self._on_bell)
        if config.hosts:
            desk = self._transport.desk()
            self._listener = Listener(desk, config, reception, reception.inlets, self._bell.ring)
            self._is_seen = desk.join(poller.gate, self._listener.take, self._bell.ring)
            self._watch(desk.descriptors())

    @property
    def is_seen(self) -> bool:
        """Whether the gate knows by itself when the node has to be tended: else it is after every wait."""
        return self._is_seen

    def connect(self, links: Sequence[OutgoingLink]) -> FarConsumer:
        """Connect to a node of another host, for all links that lead there."""
        greeting = self._config.dataflow, self._session
        line = self._transport.line(links)
        readers = {link.link.consumer for link in self._config.outgoing}
        share = self._pool.limit // RESERVE // len(readers)
        consumer = FarConsumer(line, links, greeting, self._pool, share, self._bell.ring, self._courier.call)
        self._consumers.append(consumer)
        self._watch(line.descriptors())
        return consumer

    def open_to_others(self, consumers: dict[str, AnyConsumer], sender: Sender) -> None:
        """Let applications outside of the dataflow listen, if the transport has a way for them."""
        audience = self._audience = self._transport.audience()
        if audience is not None:
            consumers[AUDIENCE] = audience
            for output, link in audience.links.items():
                sender.add_reader(output, (link, AUDIENCE))

    def unheard(self) -> dict[str, int]:
        """Count, by output, the messages that applications outside of the dataflow were to hear and did not."""
        return {} if self._audience is None else self._audience.dropped

    def tend(self, *, is_idle: bool) -> None:
        """Deal with all that came in; to be called after every wait, and before the next one.

        What comes in between a wait and the next one is left for after that: whoever waits for it is then told.
        `is_idle` says that no message waits for the node's own code, so that it is going to wait.
        """
        if self._has_news:
            self._has_news = False
            more = [consumer.look() for consumer in self._consumers]
            if self._listener is not None:
                more.append(self._listener.look())
            if any(more):
                self._bell.ring()
        if self._listener is not None:
            self._listener.tell(at_rest=is_idle)

    def hear(self, news: News) -> None:
        """Take in what the launcher says of a node, if that belongs to another host."""
        self._poller.gate.is_lagging = True
        match news.type:
            case "ended" | "restarting" if self._listener is not None and news.node in self._config.hosts:
                for _ in range(MOST_ROUNDS):
                    if not self._listener.look():
                        break  # what it has sent before is read first
            case "gone" | "away":
                for consumer in self._consumers:
                    if consumer.connection.name == news.node:
                        consumer.give_up(for_good=news.type == "gone")
            case "life":
                self._transport.note_life(news.node, news.life)
            case "clock" if self._listener is not None:
                self._listener.set_clock(news.node, news.offset)

    def leave(self) -> None:
        """Say that nothing more is sent."""
        for consumer in self._consumers:
            consumer.leave()

    @property
    def is_unfinished(self) -> bool:
        """Whether something was sent, or waits, that its reader has not taken in."""
        return any(consumer.is_unfinished for consumer in self._consumers)

    def close(self) -> None:
        """Close all connections. What the transport has taken is still sent, for a moment."""
        self._courier.end()
        self._consumers.clear()
        if self._listener is not None:
            self._listener.close()
        self._transport.close()
        self._bell.close()

    def _ship(self) -> None:
        """Hand on what was packed a moment ago."""
        with self._poller.lock:
            for consumer in self._consumers:
                consumer.is_deferred = False
                consumer.ship()

    def _watch(self, descriptors: Iterable[int]) -> None:
        for descriptor in descriptors:
            self._poller.watch(descriptor, self._on_news)
        self._bell.ring()  # a socket tells of nothing before it was looked at once

    def _on_news(self) -> None:
        self._has_news = True
        self._poller.gate.is_lagging = True  # `tend` then follows

    def _on_bell(self) -> None:
        self._bell.hush()
        self._on_news()


def _teach_allocator() -> None:
    """Let memory for large messages be used again instead of being given back to the system after each.

    glibc does so up to the largest size that was ever given back, and twice that at the end of its heaps; until then
    each message costs the faults of all its pages. These bytes are never touched, so they cost nothing.
    """
    bytes(ALLOCATOR_LEARNS)
