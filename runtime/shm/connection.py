"""A Unix stream socket that never blocks: frames come out as they are whole, bytes go in and leave when they can.

A connection is used under its node's lock; it has no thread of its own.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING

from doraflow_runtime.shm.chosen import Line
from doraflow_runtime.shm.wire import FrameReader, WireError

if TYPE_CHECKING:
    from doraflow_runtime.shm.wire import Frame

CHUNK = 64 * 1024  # small enough for the allocator to have it at hand
MOST_PARTS = 512  # the kernel takes at most 1024 pieces in one sendmsg
MOST_BYTES = 256 * 1024  # and a socket has room for fewer bytes than these
_CREDENTIALS = struct.Struct("3i")
_DESCRIPTOR = struct.Struct("i")


class Connection(Line):
    """One end of a connection between two nodes.

    `is_open` says that both sides talk; `has_ended` that all was read and no more comes. In between, the peer is gone
    and its last words wait. `has_waiting` says that bytes wait for the peer to read,
    `is_pressed` that somebody waits for the moment when the peer can take them.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        super().__init__(sock)
        self._socket = sock
        self._reader = FrameReader()
        self._waiting: deque[memoryview] = deque()
        self._descriptors: list[int] = []

    def fileno(self) -> int:
        """Give the descriptor to wait on."""
        return self._socket.fileno()

    def receive(self) -> list[Frame]:
        """Read what is there; `has_ended` turns True at the end. Raises WireError for bytes that are no frames."""
        try:
            data = self._socket.recv(CHUNK)
        except BlockingIOError:
            return []
        except OSError:
            data = b""  # a reset says the same as an end: the peer is gone
        if not data:
            self.is_open = False
            self.has_ended = True
            return []
        return self._reader.feed(data)

    def receive_greeting(self) -> list[Frame]:
        """Read the first frame like `receive`, and keep the descriptor that comes with it for `take_descriptor`."""
        try:
            room = socket.CMSG_SPACE(_DESCRIPTOR.size)
            data, extra, _, _ = self._socket.recvmsg(CHUNK, room, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return []
        except OSError:
            data, extra = b"", []
        self._descriptors += [number for item in extra for number in _descriptors(*item)]
        if not data:
            self.is_open = False
            self.has_ended = True
            return []
        return self._reader.feed(data)

    def take_rest(self) -> bytes:
        """Give what was read and is no whole frame yet to somebody who reads on in this connection's place."""
        return self._reader.take_rest()

    def has_news(self) -> bool:
        """Tell whether there is something to read, or the end."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def take_descriptor(self) -> int:
        """Give the descriptor that came with the greeting. Raises WireError unless there was just one."""
        if len(self._descriptors) != 1:
            raise WireError("a greeting without the one descriptor of the sender's memory")
        return self._descriptors.pop()

    def greet(self, data: bytes, descriptor: int) -> bool:
        """Send the first bytes with a descriptor; False while too many are on their way between processes."""
        try:
            socket.send_fds(self._socket, [data], [descriptor])
        except OSError as error:
            if error.errno == errno.ETOOMANYREFS:
                return False
            self.is_open = False
        return True

    def keep(self, data: memoryview | bytes) -> None:
        """Let bytes that the peer cannot take yet wait for `flush`."""
        self._waiting.append(memoryview(data))
        self.has_waiting = True

    def flush(self) -> None:
        """Send what waits, as far as the peer takes it."""
        while self.has_waiting and self.is_open:
            parts = self._first_parts()
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
            self.has_waiting = bool(self._waiting)

    def _first_parts(self) -> list[memoryview]:
        """Give as much of what waits as a socket may take at once."""
        parts: list[memoryview] = []
        size = 0
        for part in self._waiting:
            parts.append(part)
            size += len(part)
            if size >= MOST_BYTES or len(parts) == MOST_PARTS:
                break
        return parts

    def close(self) -> None:
        """Close the socket; what still waits is lost."""
        self.is_open = False
        self.has_ended = True
        self._waiting.clear()
        self.has_waiting = False
        while self._descriptors:
            os.close(self._descriptors.pop())
        self._socket.close()


def _descriptors(level: int, kind: int, data: bytes) -> list[int]:
    if (level, kind) != (socket.SOL_SOCKET, socket.SCM_RIGHTS):
        return []
    whole = len(data) - len(data) % _DESCRIPTOR.size
    return [number for (number,) in _DESCRIPTOR.iter_unpack(data[:whole])]


def peer_user(sock: socket.socket) -> int:
    """Ask the kernel which user the other end belongs to."""
    return int(_peer(sock)[1])


def peer_process(sock: socket.socket) -> int:
    """Ask the kernel which process connected, or listened, at the other end."""
    return int(_peer(sock)[0])


def _peer(sock: socket.socket) -> tuple[int, ...]:
    return _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))


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
