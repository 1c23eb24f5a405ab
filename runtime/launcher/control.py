"""The launcher's socket in the run directory, on which nodes say hello and hear of start and stop.

A stream of JSON objects, one a line, each at most 64 KiB. A node says
`{"type": "hello", "node": ID, "pid": N, "contract": 1}` when it listens on its own socket, `{"type": "stop_all"}`
when an operator wants the whole dataflow to stop, `{"type": "alive"}` now and then if it may not be silent for long,
and `{"type": "inputs_closed"}` when it was told to end because nothing more comes in. Asked with `{"type": "measure"}`,
and at its end, it says what it has counted: `{"type": "metrics", "ports": ROWS, "is_last": BOOL}`.

The launcher says `{"type": "start"}`, `{"type": "stop"}`, and of other nodes `{"type": KIND, "node": ID}`: `ended` (a
producer's process is gone, for good; `error` says how it failed, if it did), `restarting` (a producer's process is
gone, another follows), `will_return` (a producer is about to be restarted) and `returned` (a reader, now with process
`pid`, listens again). What follows from a message is the supervisor's affair.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from doraflow_runtime.launcher.measuring import Counted, read_counted
from doraflow_runtime.shm.connection import Folder, peer_user

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from doraflow_runtime.launcher.loop import Loop

LONGEST_LINE = 64 * 1024
_CHUNK = 16 * 1024
_BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class Hello:
    """A node is there and listens."""

    node: str
    contract: int
    process: int = 0


@dataclass(frozen=True, slots=True)
class Alive:
    """A node shows that it has not hung."""


@dataclass(frozen=True, slots=True)
class InputsClosed:
    """A node was told to end, because all its inputs are closed."""


@dataclass(frozen=True, slots=True)
class StopAll:
    """An operator asks for the end of the dataflow."""


Message: TypeAlias = Hello | StopAll | Counted | Alive | InputsClosed


class ProtocolError(ValueError):
    """A line that is no message of this protocol."""


def parse(line: bytes) -> Message:
    """Read a line from a node. Raises ProtocolError.

    >>> parse(b'{"type": "hello", "node": "camera", "pid": 7, "contract": 1}')
    Hello(node='camera', contract=1, process=7)
    """
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise ProtocolError(f"not JSON: {line[:80]!r}") from None
    match said:
        case {"type": "hello", "node": str(node), "contract": int(contract), **rest}:
            number = rest.get("pid")
            return Hello(node, contract, number if isinstance(number, int) else 0)
        case {"type": "alive"}:
            return Alive()
        case {"type": "inputs_closed"}:
            return InputsClosed()
        case {"type": "stop_all"}:
            return StopAll()
        case {"type": "metrics", "ports": [*rows], "is_last": bool(is_last)}:
            counted = read_counted(rows, is_last=is_last)
            if counted is not None:
                return counted
    raise ProtocolError(f"not a message of the control protocol: {line[:80]!r}")


class Receiver(Protocol):
    """Who is told what connections say."""

    def on_message(self, connection: Connection, message: Message) -> None:
        """Take a message."""

    def on_fault(self, connection: Connection, error: ProtocolError) -> None:
        """Learn that a peer talks nonsense; the connection is closed already."""

    def on_closed(self, connection: Connection) -> None:
        """Learn that a peer has hung up; the connection is closed already."""


class Connection:
    """One process at the socket. `node` is set by the receiver once it knows who that is."""

    __slots__ = ("_inbox", "_loop", "_outbox", "_receiver", "_socket", "node")

    def __init__(self, sock: socket.socket, loop: Loop, receiver: Receiver) -> None:
        self.node: str | None = None
        self._socket = sock
        self._loop = loop
        self._receiver = receiver
        self._inbox = b""
        self._outbox = b""
        loop.on_readable(sock.fileno(), self._read)

    @property
    def is_open(self) -> bool:
        """Whether the connection can be used."""
        return self._socket.fileno() >= 0

    def tell(self, kind: str, **fields: str) -> None:
        """Send a message; to a peer that is gone it is lost."""
        self._outbox += json.dumps({"type": kind, **fields}).encode() + b"\n"
        self._flush()

    def close(self) -> None:
        """Hang up; may be called twice."""
        if self.is_open:
            self._loop.forget(self._socket.fileno())
            self._socket.close()

    def _read(self) -> None:
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            self._receiver.on_closed(self)
            return
        *lines, self._inbox = (self._inbox + data).split(b"\n")
        try:
            self._take(lines)
        except ProtocolError as error:
            self.close()
            self._receiver.on_fault(self, error)

    def _take(self, lines: list[bytes]) -> None:
        if max(map(len, (*lines, self._inbox))) > LONGEST_LINE:
            raise ProtocolError(f"a line of more than {LONGEST_LINE} bytes")
        for line in lines:
            if self.is_open:
                self._receiver.on_message(self, parse(line))

    def _flush(self) -> None:
        if not self.is_open:
            return
        try:
            sent = self._socket.send(self._outbox)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._outbox = b""  # the peer is gone; reading will tell
            return
        self._outbox = self._outbox[sent:]
        self._loop.on_writable(self._socket.fileno(), self._flush if self._outbox else None)


class ControlSocket:
    """The listening socket. Only processes of this user are let in."""

    __slots__ = ("_connections", "_listener", "_loop", "_receiver", "_user")

    def __init__(self, path: Path, loop: Loop, receiver: Receiver, user: int) -> None:
        """Listen at `path`, however long it is. Raises OSError."""
        self._loop = loop
        self._receiver = receiver
        self._user = user
        self._connections: list[Connection] = []
        folder = Folder(str(path.parent))
        try:
            self._listener = folder.listen(path.name, _BACKLOG)
        finally:
            folder.close()
        loop.on_readable(self._listener.fileno(), self._accept)

    def close(self) -> None:
        """Hang up on everyone and stop listening."""
        for connection in self._connections:
            connection.close()
        self._loop.forget(self._listener.fileno())
        self._listener.close()

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return  # it hung up again, or no descriptor is free: then it waits in the backlog
        if peer_user(sock) != self._user:
            sock.close()
            return
        sock.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        self._connections = [*(other for other in self._connections if other.is_open)]
        self._connections.append(Connection(sock, self._loop, self._receiver))
