"""The operator's end of the control socket: ask a run something, and read the news it sends.

Every wait has an end. What goes wrong is a ControlError of one sentence, with a word on what mends it.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Self

from doraflow_runtime.control.messages import (
    LARGEST_REPLY,
    MessageError,
    Refusal,
    Subscribe,
    Told,
    decode_answer,
    encode_request,
)
from doraflow_runtime.control.places import SOCKET

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from doraflow_runtime.control.messages import Answered, News, Reply, Request, Topic

DEFAULT_TIMEOUT = 5.0
_MOST_NEWS = 10_000


class ControlError(Exception):
    """A run cannot be asked; `help` states what mends it."""

    def __init__(self, message: str, help: str = "") -> None:  # noqa: A002 - as in a finding
        super().__init__(message)
        self.help = help


class NoSocketError(ControlError):
    """The run has no control socket."""


class TimeoutExpiredError(ControlError):
    """The run did not answer in time."""


class RefusedError(ControlError):
    """The run answered that it will not."""


class Client:
    """A connection to one run. Not thread-safe."""

    def __init__(self, directory: Path, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Connect to the run in `directory`; an answer may take `timeout` seconds. Raises ControlError."""
        try:
            import zmq
        except ImportError:
            raise ControlError("pyzmq is not installed, and runs are asked through it", "pip install pyzmq") from None
        self._zmq = zmq
        self._name = directory.name
        self._timeout = timeout
        self._last = 0
        self._news: list[News] = []
        try:
            self._directory = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            raise ControlError(f"`{self._name}` has ended", "`doraflow list` lists what runs") from None
        if not (directory / SOCKET).exists():
            os.close(self._directory)
            raise NoSocketError(
                f"`{self._name}` has no control socket: it has just begun, or pyzmq is missing where it runs",
                "`pip install pyzmq` for the launcher's Python and start it again; a signal ends it: `kill PID`",
            )
        self._context = zmq.Context(io_threads=1)
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_REPLY)
        self._socket.connect(f"ipc:///proc/self/fd/{self._directory}/{SOCKET}")

    def ask(self, request: Request, timeout: float | None = None) -> Reply:
        """Send a request and wait for its reply, for `timeout` seconds. Raises ControlError, also if it is refused.

        News that come meanwhile are kept for `next_news`.
        """
        self._last += 1
        patience = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + patience
        self._socket.send(encode_request(self._last, request))
        while (said := self._receive(deadline)) is not None:
            if isinstance(said, Told):
                self._keep(said.news)
            elif said.id == self._last:
                if isinstance(said.reply, Refusal):
                    raise RefusedError(said.reply.message, said.reply.help)
                return said.reply
        raise TimeoutExpiredError(
            f"`{self._name}` did not answer within {patience:g} s",
            "its launcher may be stopped or very busy: look at its process, or give it longer with `--timeout`",
        )

    def subscribe(self, *topics: Topic) -> None:
        """Ask for news of these topics for the next seconds, or renew that. Raises ControlError."""
        self.ask(Subscribe(tuple(topics)))

    def next_news(self, timeout: float) -> News | None:
        """Wait for the next news; None if none come within `timeout` seconds. Raises ControlError for nonsense."""
        if self._news:
            return self._news.pop(0)
        said = self._receive(time.monotonic() + timeout)
        return said.news if isinstance(said, Told) else None

    def close(self) -> None:
        """Hang up. May be called twice."""
        if not self._socket.closed:
            self._socket.close(linger=0)
            self._context.term()
            os.close(self._directory)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _keep(self, news: News) -> None:
        self._news.append(news)
        del self._news[:-_MOST_NEWS]

    def _receive(self, deadline: float) -> Answered | Told | None:
        """Wait for the next message until `deadline`; None if there is none."""
        left = max(0.0, deadline - time.monotonic())
        if not self._socket.poll(int(left * 1000) + 1, self._zmq.POLLIN):
            return None
        try:
            return decode_answer(self._socket.recv())
        except MessageError as error:
            raise ControlError(
                f"`{self._name}` answered with {error}", "use the doraflow that it was built with"
            ) from None
