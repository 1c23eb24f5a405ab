"""The sockets of links between hosts: every one is made here, with its bounds, its heartbeats and its keys.

What is said on them is the affair of others. This module imports pyzmq, so it is imported by nodes that have a link to
another host, and by no other.
"""

from __future__ import annotations

import socket as sockets
import time
from typing import TYPE_CHECKING, Any, TypeAlias

import zmq
from doraflow_runtime.net.frames import LARGEST_PART

if TYPE_CHECKING:
    from collections.abc import Callable

    Secure: TypeAlias = Callable[["AnySocket", str, int], None]
    """Gives a socket its keys, before it binds or connects: for a listener the peer is empty, else a host's name.

    The number counts the attempts to connect that failed: a host whose keys are changed has two for a while.
    """

AnySocket: TypeAlias = "zmq.Socket[Any]"

HEARTBEAT_MS = 1000
SILENCE_MS = 3000
"""After which a connection counts as cut; TCP by itself would notice after many minutes."""

CONNECT_MS = 2000
RECONNECT_MS = (100, 2000)
ATTEMPT_SECONDS = 1.0
LINGER_MS = 1000
MOST_UNREAD = 65_536
"""Messages that lie unread on one connection: no honest sender is let have so many, see `lanes`. At this bound ZeroMQ
reads no heartbeat either, and takes the connection for cut."""

EVERYWHERE = "//*:"
"""What an endpoint on all addresses of this host holds."""

_ENDS = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED
_FAILURES = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
_WATCHED = _ENDS | _FAILURES | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL


def listener(context: zmq.Context[Any], endpoint: str, secure: Secure, largest: int = LARGEST_PART) -> AnySocket:
    """Listen for senders of other hosts, who send at most `largest` bytes at once.

    Raises zmq.ZMQError if the port cannot be had.
    """
    socket: AnySocket = context.socket(zmq.ROUTER)
    try:
        _set_up(socket)
        socket.set(zmq.ROUTER_MANDATORY, 1)  # what cannot be sent is said again later, so it must be known
        socket.set(zmq.MAXMSGSIZE, largest)
        socket.set(zmq.AFFINITY, 1)
        secure(socket, "", 0)
        if "[" in endpoint or (EVERYWHERE in endpoint and _has_both()):
            socket.set(zmq.IPV6, 1)
        socket.bind(endpoint)
    except BaseException:
        socket.close(0)
        raise
    return socket


def connector(
    context: zmq.Context[Any], endpoint: str, peer: str, secure: Secure, affinity: int = 0
) -> tuple[AnySocket, AnySocket]:
    """Connect to a reader on host `peer`, again and again; gives the socket, and one that tells of its connections.

    `affinity` has a bit for each of the context's threads that may serve the socket; 0 stands for all.
    """
    socket: AnySocket = context.socket(zmq.DEALER)
    try:
        _set_up(socket)
        # What a cut leaves unsent is forgotten: the link keeps its messages itself, and knows which have arrived.
        socket.set(zmq.IMMEDIATE, 1)
        socket.set(zmq.AFFINITY, affinity)
        socket.set(zmq.CONNECT_TIMEOUT, CONNECT_MS)
        socket.set(zmq.RECONNECT_IVL, RECONNECT_MS[0])
        socket.set(zmq.RECONNECT_IVL_MAX, RECONNECT_MS[1])
        secure(socket, peer, 0)
        if "[" in endpoint:
            socket.set(zmq.IPV6, 1)  # of a name it would look for nothing but IPv6
        monitor = socket.get_monitor_socket(_WATCHED)
        socket.connect(endpoint)
    except BaseException:
        socket.close(0)
        raise
    return socket, monitor


class Attempts:
    """Connects a socket of `connector` anew where it was refused, with the next of the peer's keys.

    A connection keeps the keys with which it was begun, however often ZeroMQ takes it up again.
    """

    def __init__(self, socket: AnySocket, endpoint: str, peer: str, secure: Secure) -> None:
        self._socket = socket
        self._endpoint = endpoint
        self._peer = peer
        self._secure = secure
        self._count = 0
        self._last = time.monotonic()

    def again(self) -> None:
        """Try the next key, unless one was tried a moment ago: a stranger's port is not to be hammered at."""
        now = time.monotonic()
        if now - self._last < ATTEMPT_SECONDS:
            return
        self._last = now
        self._count += 1
        self._socket.disconnect(self._endpoint)
        self._secure(self._socket, self._peer, self._count)
        self._socket.connect(self._endpoint)


def has(socket: AnySocket, events: int) -> bool:
    """Tell whether one of `events` (zmq.POLLIN, zmq.POLLOUT) is there; ZeroMQ deals with its own news meanwhile."""
    return bool(int(socket.get(zmq.EVENTS)) & events)


def _set_up(socket: AnySocket) -> None:
    socket.set(zmq.LINGER, LINGER_MS)
    socket.set(zmq.SNDHWM, 0)  # the lanes bound what is on its way; a second bound would only hide messages from them
    socket.set(zmq.RCVHWM, MOST_UNREAD)
    socket.set(zmq.MAXMSGSIZE, LARGEST_PART)
    socket.set(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
    socket.set(zmq.HEARTBEAT_TIMEOUT, SILENCE_MS)
    socket.set(zmq.HEARTBEAT_TTL, SILENCE_MS)
    socket.set(zmq.HANDSHAKE_IVL, SILENCE_MS)


def _has_both() -> bool:
    """Tell whether one socket can listen by IPv4 and IPv6: the kernel may have no IPv6, or none that is switched on."""
    try:
        with sockets.create_server(("::", 0), family=sockets.AF_INET6, dualstack_ipv6=True):
            return True
    except (OSError, ValueError):
        return False
