"""What ZeroMQ tells of a connection: that it stands, that it is cut, that the other end was not who it should be.

Only reads; what follows from an event is decided by those who asked.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import zmq
from doraflow_runtime.net.sockets import has
from zmq.utils.monitor import parse_monitor_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow_runtime.net.sockets import AnySocket
    from doraflow_runtime.net.transport import News

_NEWS: dict[int, News] = {
    zmq.EVENT_HANDSHAKE_SUCCEEDED: "up",
    zmq.EVENT_DISCONNECTED: "cut",
    zmq.EVENT_HANDSHAKE_FAILED_AUTH: "refused",
    zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "refused",
}

_HUNG_UP = (errno.EPIPE, errno.ECONNRESET, errno.ECONNABORTED)


def read_events(monitor: AnySocket) -> Iterator[News]:
    """Read what has happened since, without waiting."""
    while has(monitor, zmq.POLLIN):
        parts = monitor.recv_multipart(zmq.NOBLOCK)
        told = parse_monitor_message(parts)
        news = _NEWS.get(told["event"])
        if news is not None:
            yield news
        elif told["event"] == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            # If time is over, the error is whatever ZeroMQ met last; only these say that the other side hung up.
            yield "refused" if told["value"] in _HUNG_UP else "silent"
