"""The sending state of a connection, in Python: `doraflow_core.Line` is its compiled twin.

What the peer cannot take is kept by `Connection`, not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket


class Line:
    """The sending end of a socket that does not block; `Connection` says what its states mean."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.is_open = True
        self.has_ended = False
        self.has_waiting = False
        self.is_pressed = False

    def keep(self, data: memoryview | bytes) -> None:
        """Keep what the peer cannot take yet."""
        raise NotImplementedError

    def send(self, data: bytes) -> None:
        """Send some bytes; what the peer cannot take yet is kept."""
        if not self.is_open:
            return
        sent = 0
        if not self.has_waiting:
            try:
                sent = self._sock.send(data)
            except BlockingIOError:
                pass
            except OSError:
                self.is_open = False
                return
        if sent < len(data):
            self.keep(memoryview(data)[sent:])
