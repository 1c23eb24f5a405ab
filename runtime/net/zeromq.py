"""ZeroMQ as the transport between hosts: DEALER to ROUTER over TCP, with CURVE.

The sockets are made in `sockets` and get their keys in `security`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import zmq
from doraflow_runtime.net.events import read_events
from doraflow_runtime.net.replays import watch_in_background
from doraflow_runtime.net.security import security
from doraflow_runtime.net.sockets import Attempts, connector, has, listener
from doraflow_runtime.net.straight import straight
from doraflow_runtime.net.transport import Arrival
from doraflow_runtime.node_api import log_lines
from doraflow_runtime.node_api.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import doraflow_core
    from doraflow_runtime.contract import NodeConfig, OutgoingLink
    from doraflow_runtime.net.sockets import AnySocket, Secure
    from doraflow_runtime.net.transport import News
    from doraflow_runtime.node_api.gate import AnyGate

PIECE_BYTES = 1024 * 1024
"""Bytes that ZeroMQ encrypts, sends and decrypts as one. In pieces of this size both hosts work on a large message at a
time, in memory that their processors still have at hand; smaller ones cost more calls, larger ones leave the cache."""


class ZeroMq:
    """A node's context, and how its sockets get their keys. Raises RuntimeError if the keys cannot be used."""

    def __init__(self, config: NodeConfig) -> None:
        self._config = config
        self._context: zmq.Context[Any] = zmq.Context()
        self._secure: Secure = security(config, self._context)

    def line(self, links: Sequence[OutgoingLink]) -> ZeroMqLine:
        """Connect to the reader at the end of `links`."""
        return ZeroMqLine(self._context, links[0].address, links[0].host, self._secure)

    def desk(self) -> ZeroMqDesk:
        """Listen for senders. Raises RuntimeError, naming the port, if that cannot be."""
        config = self._config
        try:
            return ZeroMqDesk(self._context, config, self._secure)
        except zmq.ZMQError as error:
            port = config.listen_far.rpartition(":")[2]
            raise RuntimeError(
                f"node `{config.node.id}` cannot listen on port {port} for other hosts: {error.strerror}; "
                "end the program that uses it, or start all hosts with another `--port-base`"
            ) from None

    def note_life(self, reader: str, life: str) -> None:
        """Do nothing: who is at an endpoint is proved by its key."""

    def audience(self) -> None:
        """Say that nobody else can listen: the links have two ends each."""

    def close(self) -> None:
        """End the context. What ZeroMQ has taken is still sent, for a moment."""
        self._context.term()


class ZeroMqLine:
    """A socket that connects again and again, and one that tells of its connections."""

    def __init__(self, context: zmq.Context[Any], address: str, host: str, secure: Secure) -> None:
        self._socket, self._monitor = connector(context, address, host, secure)
        self._attempts = Attempts(self._socket, address, host, secure)
        self.wire = straight(self._socket, int(self._monitor.get(zmq.FD)))

    def descriptors(self) -> Iterable[int]:
        """List what tells that the state of either socket may have changed."""
        return int(self._socket.get(zmq.FD)), int(self._monitor.get(zmq.FD))

    def news(self) -> Iterator[News]:
        """Tell what has become of the connection since."""
        return read_events(self._monitor)

    @property
    def piece_bytes(self) -> int:
        """Tell how much of a payload best goes beside one frame."""
        return PIECE_BYTES

    @property
    def is_writable(self) -> bool:
        """Whether ZeroMQ takes a frame now."""
        return has(self._socket, zmq.POLLOUT)

    @property
    def has_more(self) -> bool:
        """Whether something of the reader waits to be received."""
        return has(self._socket, zmq.POLLIN)

    def receive(self) -> bytes | None:
        """Take a frame of the reader, which sends frames of one part; None if none has come."""
        return b"".join(self._socket.recv_multipart(zmq.NOBLOCK)) if self.has_more else None

    def put(self, *parts: bytes | memoryview) -> None:
        """Hand parts to ZeroMQ, which copies the first and no other. What it cannot take is forgotten."""
        head, *beside = parts
        try:
            # Telling Python's threads that memory is free again costs more than to copy what a head may have.
            self._socket.send(head, zmq.NOBLOCK | zmq.SNDMORE if beside else zmq.NOBLOCK)
            if beside:
                self._socket.send_multipart(beside, zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return

    def try_again(self) -> None:
        """Try the next key of the reader's host."""
        self._attempts.again()

    def close(self) -> None:
        """Close both sockets; what ZeroMQ has taken is still sent, for a moment."""
        if self.wire is not None:
            self.wire.forget()
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close()


class ZeroMqDesk:
    """A socket that listens. Raises zmq.ZMQError if the port cannot be had."""

    def __init__(self, context: zmq.Context[Any], config: NodeConfig, secure: Secure) -> None:
        self._is_open_to_all = config.insecure
        self._socket: AnySocket = listener(context, config.listen_far, secure)
        self._core: doraflow_core.Desk | None = None
        if not config.insecure:
            watch_in_background(self._socket, _tell)

    def descriptors(self) -> Iterable[int]:
        """List what tells that the socket's state may have changed."""
        return (int(self._socket.get(zmq.FD)),)

    @property
    def has_more(self) -> bool:
        """Whether something waits to be received."""
        return has(self._socket, zmq.POLLIN)

    def join(self, gate: AnyGate, take: Callable[[Arrival], None], nudge: Callable[[], None]) -> bool:
        """Let the gate take in what it can; False if it takes nothing."""
        wire = None if isinstance(gate, Gate) else straight(self._socket)
        if wire is None or isinstance(gate, Gate):
            return False
        import doraflow_core

        self._core = doraflow_core.Desk(gate, wire, int(self._socket.get(zmq.FD)), Arrival, take, nudge)
        return True

    def bind(self, peer: bytes, source: doraflow_core.Source | None) -> None:
        """Let the messages of a connection go straight to a source."""
        if self._core is not None and source is not None:
            self._core.bind(peer, source)

    def release(self, peer: bytes) -> None:
        """Give all that comes on a connection to whoever receives."""
        if self._core is not None:
            self._core.release(peer)

    def receive(self) -> Arrival | None:
        """Take a message; None if none has come."""
        if self._core is not None:
            return self._core.receive()
        if not self.has_more:
            return None
        peer, *parts = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
        return Arrival(peer.bytes, tuple(memoryview(part.buffer) for part in parts), parts[0] if parts else peer)

    def proved(self, arrival: Arrival) -> str | None:
        """Name the host whose key the sender has proved to hold, empty for none; None where nobody is asked."""
        if self._is_open_to_all:
            return None
        try:
            return str(arrival.origin.get("User-Id"))
        except zmq.ZMQError:
            return ""

    def say(self, peer: bytes, frame: bytes) -> None:
        """Send a frame to a sender; one that is gone is told nothing."""
        try:
            self._socket.send_multipart((peer, frame), zmq.NOBLOCK)
        except zmq.ZMQError:
            return

    def close(self) -> None:
        """Close the socket; what ZeroMQ has taken is still sent, for a moment."""
        if self._core is not None:
            self._core.close()
        self._socket.close()


def _tell(text: str) -> None:
    log_lines.write("warn", text, target="doraflow_runtime")
