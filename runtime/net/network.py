"""A node's part in links between hosts: its context, its sockets, and their place in the node's one epoll.

The descriptor of a ZeroMQ socket tells that something has changed, once: so all sockets are looked at before the node
sleeps, and whoever finds that something came in meanwhile rings a bell of the epoll's own. Used under the node's lock.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any

import zmq
from doraflow_runtime.net.listening import Listener
from doraflow_runtime.net.outgoing import FarConsumer
from doraflow_runtime.net.security import security

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doraflow_runtime.contract import NodeConfig, OutgoingLink
    from doraflow_runtime.net.sockets import Secure
    from doraflow_runtime.node_api.poller import Poller
    from doraflow_runtime.node_api.reception import Reception
    from doraflow_runtime.shm.pool import Pool

SESSION_BYTES = 16


class Network:
    """The links of a node to nodes of other hosts.

    Raises RuntimeError, naming the port, if it cannot listen.
    """

    def __init__(self, config: NodeConfig, poller: Poller, reception: Reception, pool: Pool) -> None:
        self._config = config
        self._poller = poller
        self._pool = pool
        self._session = secrets.token_bytes(SESSION_BYTES)
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._context: zmq.Context[Any] = zmq.Context()
        self._secure: Secure = security(config, self._context)
        self._consumers: list[FarConsumer] = []
        self._listener: Listener | None = None
        self._has_news = False
        poller.watch(self._bell, self._on_bell)
        if config.listen_far:
            self._listener = self._listen(reception)

    def connect(self, links: Iterable[OutgoingLink]) -> FarConsumer:
        """Connect to a node of another host, for all links that lead there."""
        greeting = self._config.dataflow, self._session
        consumer = FarConsumer(self._context, links, greeting, self._pool, self._secure, self._nudge)
        self._consumers.append(consumer)
        self._poller.watch(consumer.fileno(), self._on_news)
        self._poller.watch(int(consumer.monitor.get(zmq.FD)), self._on_news)
        self._nudge()  # a socket tells of nothing before it was looked at once
        return consumer

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
                self._nudge()
        if self._listener is not None:
            self._listener.tell(at_rest=is_idle)

    def leave(self) -> None:
        """Say that nothing more is sent."""
        for consumer in self._consumers:
            consumer.leave()

    @property
    def is_unfinished(self) -> bool:
        """Whether something was sent, or waits, that its reader has not taken in."""
        return any(consumer.is_unfinished for consumer in self._consumers)

    def close(self) -> None:
        """Close all sockets. What ZeroMQ has taken is still sent, for a moment."""
        if self._listener is not None:
            self._listener.close()
        self._context.term()
        os.close(self._bell)

    def _listen(self, reception: Reception) -> Listener:
        config = self._config
        try:
            made = Listener(self._context, config, reception, reception.inlets, self._secure, self._nudge)
        except zmq.ZMQError as error:
            port = config.listen_far.rpartition(":")[2]
            raise RuntimeError(
                f"node `{config.node.id}` cannot listen on port {port} for other hosts: {error.strerror}; "
                "end the program that uses it, or start all hosts with another `--port-base`"
            ) from None
        self._poller.watch(made.fileno(), self._on_news)
        self._nudge()
        return made

    def _on_news(self) -> None:
        self._has_news = True  # `tend` follows every wait

    def _on_bell(self) -> None:
        os.eventfd_read(self._bell)
        self._has_news = True

    def _nudge(self) -> None:
        os.eventfd_write(self._bell, 1)
