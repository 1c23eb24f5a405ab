"""A Unix stream socket that never blocks: frames come out as they are whole, bytes go in and leave when they can.

A connection is used under its node's lock; it has no thread of its own.
"""

from __future__ import annotations

import os
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING

from doraflow_runtime.shm.wire import FrameReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doraflow_runtime.shm.wire import Frame

CHUNK = 256 * 1024
MOST_PARTS = 512  # the kernel takes at most 1024 pieces in one sendmsg
_CREDENTIALS = struct.Struct("3i")


class Connection:
    """One end of a connection between two nodes.

    `is_open` says that both sides talk; `has_ended` that all was read and no more comes. In between, the peer is gone
    and its last words wait.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        self._socket = sock
        self._reader = FrameReader()
        self._buffer = bytearray(CHUNK)
        self._waiting: deque[memoryview] = deque()
        self.is_open = True
        self.has_ended = False

    def fileno(self) -> int:
        """Give the descriptor to wait on."""
        return self._socket.fileno()

    @property
    def has_waiting(self) -> bool:
        """Whether bytes wait for the peer to read."""
        return bool(self._waiting)

    def receive(self) -> list[Frame]:
        """Read what is there; `has_ended` turns True at the end. Raises WireError for bytes that are no frames."""
        try:
            count = self._socket.recv_into(self._buffer)
        except BlockingIOError:
            return []
        except OSError:
            count = 0  # a reset says the same as an end: the peer is gone
        if count == 0:
            self.is_open = False
            self.has_ended = True
            return []
        return self._reader.feed(memoryview(self._buffer)[:count])

    def send(self, parts: Sequence[bytes | memoryview]) -> None:
        """Send some bytes; what the peer cannot take yet waits for `flush`."""
        if not self.is_open:
            return
        if self._waiting:
            self._waiting.extend(memoryview(part).cast("B") for part in parts)
            return
        try:
            sent = self._socket.sendmsg(parts)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.is_open = False
            return
        self._keep(parts, sent)

    def flush(self) -> None:
        """Send what waits, as far as the peer takes it."""
        while self._waiting and self.is_open:
            parts = [self._waiting[index] for index in range(min(len(self._waiting), MOST_PARTS))]
            try:
                sent = self._socket.sendmsg(parts)
            except BlockingIOError:
                return
            except OSError:
                self.is_open = False
                return
            for part in parts:
                if sent < len(part):
                    self._waiting[0] = part[sent:]
                    return
                sent -= len(part)
                self._waiting.popleft()

    def close(self) -> None:
        """Close the socket; what still waits is lost."""
        self.is_open = False
        self.has_ended = True
        self._waiting.clear()
        self._socket.close()

    def _keep(self, parts: Sequence[bytes | memoryview], sent: int) -> None:
        for part in parts:
            size = len(part)
            if sent >= size:
                sent -= size
                continue
            self._waiting.append(memoryview(part).cast("B")[sent:])
            sent = 0


def peer_user(sock: socket.socket) -> int:
    """Ask the kernel which user the other end belongs to."""
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(raw)[1])


class Folder:
    """A directory by descriptor, so that sockets inside can be named however long its path is.

    The address of a Unix socket has room for 107 bytes; `/proc/self/fd/N/name` always fits.
    """

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def listen(self, name: str, backlog: int) -> socket.socket:
        """Listen on a socket inside, which only this user can reach. Raises OSError."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(self._address(name))
        os.chmod(name, 0o600, dir_fd=self._descriptor)
        listening.listen(backlog)
        listening.setblocking(False)  # noqa: FBT003
        return listening

    def connect(self, name: str, timeout: float) -> socket.socket:
        """Connect to a socket inside, waiting at most `timeout` seconds. Raises OSError, also for another user's."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(timeout)
        try:
            sock.connect(self._address(name))
            if peer_user(sock) != os.geteuid():
                raise PermissionError(f"the socket {name} belongs to another user")
        except OSError:
            sock.close()
            raise
        return sock

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._descriptor)

    def _address(self, name: str) -> str:
        return f"/proc/self/fd/{self._descriptor}/{name}"
