"""The launcher's end of the control socket: requests in, replies and news out, all of it in the launcher's own loop.

What a request means is decided by who answers it; here are the socket, the bounds, and the subscriptions. Nothing here
waits: what a reader does not take is lost to it.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeAlias

import zmq
from doraflow_runtime.control.messages import (
    LARGEST_REQUEST,
    LEASE_SECONDS,
    Done,
    MessageError,
    Refusal,
    Subscribe,
    decode_request,
    encode_news,
    encode_reply,
)
from doraflow_runtime.control.places import SOCKET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doraflow_runtime.control.messages import News, Reply, Request, Topic

Peer: TypeAlias = tuple[bytes, ...]
"""What stands in front of a message to a client: its name, as ZeroMQ gives it out."""

MOST_SUBSCRIBERS = 64
MOST_AT_ONCE = 32
"""Requests that are answered before the launcher looks after its nodes again."""
_MOST_QUOTED = 300
_LINGER_MS = 200


class Watcher(Protocol):
    """What the server needs of the launcher's loop."""

    def on_readable(self, descriptor: int, callback: Callable[[], object] | None) -> None:
        """Call `callback` whenever `descriptor` can be read; None ends that."""

    def forget(self, descriptor: int) -> None:
        """Watch `descriptor` no more."""

    def call_later(self, seconds: float, callback: Callable[[], object]) -> None:
        """Call `callback` once, when `seconds` have passed."""


class Answerer(Protocol):
    """Who carries requests out. A reply that takes time is given to `answer` later."""

    def on_request(self, request: Request, answer: Callable[[Reply], None]) -> None:
        """Carry a request out, or refuse it; `answer` is to be called once."""

    def on_subscribed(self) -> None:
        """Learn that somebody wants news."""


class _Subscription:
    """Who wants news, under which id, of what, and until when (seconds of the monotonic clock)."""

    __slots__ = ("id", "topics", "until")

    def __init__(self, identifier: int, topics: frozenset[Topic], until: float) -> None:
        self.id = identifier
        self.topics = topics
        self.until = until


class ControlServer:
    """The control socket of one run. Single-threaded; ZeroMQ's own thread moves the bytes."""

    def __init__(self, directory: Path, loop: Watcher, answerer: Answerer, clock: Callable[[], float]) -> None:
        """Listen in the run's directory, for this user only. Raises OSError or zmq.ZMQError."""
        self._loop = loop
        self._answerer = answerer
        self._clock = clock
        self._subscriptions: dict[Peer, _Subscription] = {}
        # The address of a socket has room for 107 bytes; by descriptor the directory's path may be longer.
        self._directory = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._context = zmq.Context(io_threads=1)
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, _LINGER_MS)
        self._socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_REQUEST)
        try:
            self._socket.bind(f"ipc:///proc/self/fd/{self._directory}/{SOCKET}")
            os.chmod(SOCKET, 0o600, dir_fd=self._directory)
        except OSError:
            self.close()
            raise
        self._descriptor = int(self._socket.getsockopt(zmq.FD))
        loop.on_readable(self._descriptor, self._on_ready)
        self._on_ready()  # the descriptor tells of changes only, and one may have come before anyone watched it

    def close(self) -> None:
        """Send what was answered, for a moment, and stop listening. May be called twice."""
        if self._socket.closed:
            return
        self._loop.forget(int(self._socket.getsockopt(zmq.FD)))
        self._socket.close()
        self._context.term()
        os.close(self._directory)

    def wants(self, topic: Topic) -> bool:
        """Tell whether anyone wants news of a topic."""
        self._forget_expired()
        return any(topic in subscription.topics for subscription in self._subscriptions.values())

    def publish(self, topic: Topic, news: News) -> None:
        """Send news to everyone who wants them."""
        if not self._subscriptions:
            return
        self._forget_expired()
        for peer, subscription in self._subscriptions.items():
            if topic in subscription.topics:
                self._send(peer, encode_news(subscription.id, news))

    def pump(self) -> None:
        """Look for requests that the descriptor did not tell of; to be called now and then, and costs little."""
        self._on_ready()

    def _on_ready(self) -> None:
        """Take requests. The descriptor of a ZeroMQ socket tells of changes only, so all that is there is taken."""
        for _ in range(MOST_AT_ONCE):
            if self._socket.closed or not int(self._socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
                return
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self._take(frames)
        self._loop.call_later(0.0, self._on_ready)  # more may be there, and the descriptor will not say so again

    def _take(self, frames: list[bytes]) -> None:
        # What a REQ socket sends has an empty part in front, and it wants that back.
        head = 2 if len(frames) == 3 and not frames[1] else 1
        peer = tuple(frames[:head])
        try:
            identifier, request = decode_request(b"".join(frames[head:]))
        except MessageError as error:
            self._answer(peer, error.id or 1, Refusal(str(error)[:_MOST_QUOTED]))
            return
        answer = partial(self._answer, peer, identifier)
        if isinstance(request, Subscribe):
            answer(self._subscribe(peer, identifier, request))
        else:
            self._answerer.on_request(request, answer)

    def _subscribe(self, peer: Peer, identifier: int, request: Subscribe) -> Reply:
        self._forget_expired()
        if not request.topics:
            self._subscriptions.pop(peer, None)
            return Done("no news are sent any more")
        if peer not in self._subscriptions and len(self._subscriptions) >= MOST_SUBSCRIBERS:
            return Refusal(f"{MOST_SUBSCRIBERS} others are sent news already, which is the most", "end one of them")
        until = self._clock() + LEASE_SECONDS
        self._subscriptions[peer] = _Subscription(identifier, frozenset(request.topics), until)
        self._answerer.on_subscribed()
        return Done(f"news are sent for {LEASE_SECONDS} s")

    def _forget_expired(self) -> None:
        now = self._clock()
        for peer in [peer for peer, subscription in self._subscriptions.items() if subscription.until < now]:
            del self._subscriptions[peer]

    def _answer(self, peer: Peer, identifier: int, reply: Reply) -> None:
        self._send(peer, encode_reply(identifier, reply))

    def _send(self, peer: Peer, data: bytes) -> None:
        if self._socket.closed:
            return
        try:
            self._socket.send_multipart([*peer, data], zmq.NOBLOCK)
        except zmq.ZMQError:
            self._subscriptions.pop(peer, None)  # it is gone, or takes nothing any more
