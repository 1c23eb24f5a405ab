"""Who may connect to the sockets of a process: the answers to ZAP (RFC 27 of ZeroMQ), and the record of refusals.

libzmq asks once for each connection that has proved to hold some key; here that key is looked up in the ring. A folder
of keys that changed is read again, so that a key that was retired is refused without a restart.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import zmq
from doraflow_runtime.keys.folder import KeyRingError
from doraflow_runtime.keys.ring import read_ring
from doraflow_runtime.net.curve import DOMAIN
from zmq.utils import z85

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from doraflow_runtime.keys.ring import KeyRing

ENDPOINT = "inproc://zeromq.zap.01"
QUIET_SECONDS = 60.0
MOST_ADDRESSES = 256
IPV4_IN_IPV6 = b"::ffff:"
"""What stands before an IPv4 address where a socket listens for both."""

_VERSION = b"1.0"
_REQUEST_FRAMES = 7
_KEY_BYTES = 32


class Refusals:
    """Tells of refused connections, once in a minute for each address, so that a stranger cannot fill the logs."""

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._told: dict[str, tuple[float, int]] = {}

    def refuse(self, address: str, reason: str) -> None:
        """Take note of a refused connection."""
        now = self._clock()
        last, unsaid = self._told.get(address, (-QUIET_SECONDS, 0))
        if now - last < QUIET_SECONDS:
            self._told[address] = (last, unsaid + 1)
            return
        if address not in self._told and len(self._told) >= MOST_ADDRESSES:
            del self._told[next(iter(self._told))]
        self._told.pop(address, None)  # the order of the table is that of the last word on each
        self._told[address] = (now, 0)
        more = f"; {unsaid} more were refused since the last report" if unsaid else ""
        self._tell(f"refused a connection from {address}: {reason}{more}")


class Admission:
    """Answers ZAP requests by a ring of keys; used from one thread at a time.

    `tell` gets a line of text for the log, from the thread that answers.
    """

    def __init__(self, ring: KeyRing, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._ring = ring
        self._tell = tell
        self._refusals = Refusals(tell, clock)
        self._seen = self._stamp()

    def answer(self, request: Sequence[bytes]) -> list[bytes]:
        """Answer the frames of a request (without the envelope) with those of the reply."""
        if len(request) < _REQUEST_FRAMES - 1 or request[0] != _VERSION:
            return [_VERSION, request[1] if len(request) > 1 else b"", b"500", b"request not understood", b"", b""]
        _, number, domain, address, _, mechanism, *credentials = request
        host, reason = self._judge(domain, mechanism, credentials)
        if host is None:
            self._refusals.refuse(_printable(address), reason)
            return [_VERSION, number, b"400", b"no access", b"", b""]
        return [_VERSION, number, b"200", b"OK", host.encode(), b""]

    def _judge(self, domain: bytes, mechanism: bytes, credentials: Sequence[bytes]) -> tuple[str | None, str]:
        if domain != DOMAIN or mechanism != b"CURVE":
            return None, "it does not use CURVE"
        if len(credentials) != 1 or len(credentials[0]) != _KEY_BYTES:
            return None, "its key is damaged"
        host = self._current().host_of(z85.encode(credentials[0]).decode())
        return host, "its key is in no ring of this host"

    def _current(self) -> KeyRing:
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen = stamp
            try:
                fresh = read_ring(self._ring.folder, self._ring.host)
            except KeyRingError as error:
                self._tell(f"the keys were changed and cannot be read, so those of before hold: {error.message}")
            else:
                self._ring = fresh
        return self._ring

    def _stamp(self) -> int:
        """Every change of a key is a rename in the folder, which shows in the folder's own time."""
        try:
            return self._ring.folder.stat().st_mtime_ns
        except OSError:
            return 0


def bind(context: zmq.Context[Any]) -> zmq.Socket[Any]:
    """Bind the socket that libzmq asks for every connection to a server of `context`; one for each context.

    For a process with a loop of its own: whenever the socket is readable, `answer_waiting`.
    """
    socket: zmq.Socket[Any] = context.socket(zmq.ROUTER)
    socket.linger = 0
    socket.bind(ENDPOINT)
    return socket


def answer_waiting(socket: zmq.Socket[Any], admission: Admission) -> None:
    """Answer all requests that wait on a socket of `bind`."""
    while socket.poll(0):
        _answer_one(socket, admission)


def admit_in_background(context: zmq.Context[Any], admission: Admission) -> threading.Thread:
    """Answer from a thread of its own until `context` is ended; to be called before a server binds.

    A thread, because a node that computes for seconds must still let a peer come back, and because the readiness of
    a ZeroMQ socket is told by an edge that a foreign loop easily misses. It sleeps except while a peer connects, so no
    message is ever delayed by it. The thread ends with `context.term()`, and does not keep the process alive.
    """
    socket = bind(context)
    thread = threading.Thread(target=_serve, args=(socket, admission), name="admission", daemon=True)
    thread.start()
    return thread


def _serve(socket: zmq.Socket[Any], admission: Admission) -> None:
    try:
        while True:
            _answer_one(socket, admission)
    except zmq.ContextTerminated:
        pass
    finally:
        socket.close()


def _answer_one(socket: zmq.Socket[Any], admission: Admission) -> None:
    asker, delimiter, *request = socket.recv_multipart()
    socket.send_multipart([asker, delimiter, *admission.answer(request)])


def _printable(address: bytes) -> str:
    """An address comes from libzmq, not from the peer; still nothing that steers a terminal gets into a log."""
    text = address.removeprefix(IPV4_IN_IPV6).decode("ascii", "replace")
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:64]
