"""The sockets between launchers: one that listens for all others, and one for each of them to speak to it.

What comes in is heard on the first, what goes out leaves by the others; so neither has to know which connection belongs
to whom. What a cut swallows is lost: whoever speaks says all that matters again. In the launcher's own loop.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import zmq
from doraflow_runtime.fleet.messages import LARGEST
from doraflow_runtime.keys.folder import KeyRingError
from doraflow_runtime.net import admission
from doraflow_runtime.net.events import read_events
from doraflow_runtime.net.security import secured
from doraflow_runtime.net.sockets import Attempts, connector, has, listener
from doraflow_runtime.net.transport import why_not

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.control.server import Watcher
    from doraflow_runtime.fleet.terms import Terms
    from doraflow_runtime.net.sockets import AnySocket
    from doraflow_runtime.net.transport import News

MOST_AT_ONCE = 256
MOST_THREADS = 64
"""Of ZeroMQ: as many as an affinity has bits."""


class LinkError(Exception):
    """The launcher cannot listen for the others, or not speak to them; the message says why."""


class Line:
    """The way to one other launcher. It is made again by itself, for ever; `refused` learns that it cannot be made."""

    def __init__(
        self, socket: AnySocket, monitor: AnySocket, attempts: Attempts, refused: Callable[[News], None]
    ) -> None:
        self._refused = refused
        self.monitor = monitor
        self._socket = socket
        self._attempts = attempts
        self._has_failed = False
        self.is_up = False

    def look(self) -> bool:
        """Take in what has become of the connection; True if it is there, and was not before."""
        was_up = self.is_up
        for news in read_events(self.monitor):
            self._on_news(news)
        return self.is_up and not was_up

    def send(self, data: bytes) -> None:
        """Send a message, which is lost if the other is not there."""
        try:
            self._socket.send(data, zmq.NOBLOCK)
        except zmq.ZMQError:
            return

    def close(self) -> None:
        """Send what was said, for a moment, and close."""
        self._socket.disable_monitor()
        self.monitor.close(0)
        self._socket.close()

    def _on_news(self, news: News) -> None:
        if news == "up":
            self.is_up, self._has_failed = True, False
            return
        if not self.is_up:
            if news != "cut" or not self._has_failed:  # a cut follows every other failure
                self._refused(news)
            self._has_failed = True
            self._attempts.again()  # by another of its keys it may be let in
        self.is_up = False


class Link:
    """The sockets of one launcher.

    `on_message` takes the host that has proved to send a message (empty where there are no keys) and its bytes, `on_up`
    the host whose launcher can be spoken to from now on, `tell` words for the log.
    """

    def __init__(
        self,
        terms: Terms,
        loop: Watcher,
        on_message: Callable[[str, bytes], None],
        on_up: Callable[[str], None],
        tell: Callable[[str], None],
    ) -> None:
        """Listen and begin to connect. Raises LinkError."""
        self._loop = loop
        self._on_message = on_message
        self._on_up = on_up
        # ZeroMQ looks names up in the thread that serves a socket: a dead name server must not stop the other hosts.
        self._context: zmq.Context[Any] = zmq.Context(min(MOST_THREADS, 1 + len(terms.endpoints)))
        self._admission: AnySocket | None = None
        self._judge: admission.Admission | None = None
        self._listener: AnySocket | None = None
        self._lines: dict[str, Line] = {}
        try:
            self._open(terms, tell)
        except zmq.ZMQError as error:
            self.close()
            raise LinkError(str(error.strerror).lower()) from None
        except KeyRingError as error:
            self.close()
            raise LinkError(f"{error.message}; {error.mend}") from None
        for descriptor in self._descriptors():
            loop.on_readable(descriptor, self.pump)
        # A descriptor tells of changes only, and one may have come before anyone watched it; whoever makes this link is
        # told of nothing before it has it.
        loop.call_later(0.0, self.pump)

    def send(self, host: str, data: bytes) -> None:
        """Send a message to the launcher of a host; it is lost if that is not there."""
        if self._listener is not None:
            self._lines[host].send(data)

    def pump(self) -> None:
        """Deal with all that has come; to be called now and then as well, and costs little."""
        if self._listener is None:
            return
        if self._admission is not None and self._judge is not None:
            admission.answer_waiting(self._admission, self._judge)
        for host, line in self._lines.items():
            if line.look():
                self._on_up(host)
        for _ in range(MOST_AT_ONCE):
            if self._listener is None or not has(self._listener, zmq.POLLIN):
                return
            self._take(self._listener.recv_multipart(zmq.NOBLOCK, copy=False))
        self._loop.call_later(0.0, self.pump)

    def close(self) -> None:
        """Send what was said, for a moment, and close. May be called twice."""
        if self._context.closed:
            return
        if self._listener is not None:
            for descriptor in self._descriptors():
                self._loop.forget(descriptor)
        for line in self._lines.values():
            line.close()
        for socket in (self._listener, self._admission):
            if socket is not None:
                socket.close(0)
        self._listener = None
        self._context.term()

    def _open(self, terms: Terms, tell: Callable[[str], None]) -> None:
        secure, ring = secured(terms.keys, terms.host, is_insecure=terms.insecure)
        if ring is not None:
            # In this loop, not in a thread: a process that has threads cannot fork with care.
            self._judge = admission.Admission(ring, tell)
            self._admission = admission.bind(self._context)
        self._listener = listener(self._context, terms.endpoint, secure, LARGEST)
        for place, (host, endpoint) in enumerate(terms.endpoints.items()):
            socket, monitor = connector(self._context, endpoint, host, secure, 2 << place % (MOST_THREADS - 1))
            words = f"the launcher of host `{host}` ({endpoint}) cannot be spoken to"
            attempts = Attempts(socket, endpoint, host, secure)
            self._lines[host] = Line(socket, monitor, attempts, partial(_tell_why, tell, words))

    def _descriptors(self) -> list[int]:
        sockets = [self._listener, self._admission, *(line.monitor for line in self._lines.values())]
        return [int(socket.get(zmq.FD)) for socket in sockets if socket is not None]

    def _take(self, parts: list[zmq.Frame]) -> None:
        if len(parts) != 2:
            return  # what no launcher says
        try:
            proved = str(parts[1].get("User-Id"))
        except zmq.ZMQError:
            proved = ""
        self._on_message(proved, parts[1].bytes)


def _tell_why(tell: Callable[[str], None], words: str, news: News) -> None:
    tell(f"{words}: {why_not(news)}")
