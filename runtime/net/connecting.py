"""The connection to a reader on another host: taken up again whenever it is cut, with a line in the log for each turn.

What is said on it is the affair of `outgoing`. Used under the node's lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.net.transport import why_not
from doraflow_runtime.node_api import log_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from doraflow_runtime.contract import OutgoingLink
    from doraflow_runtime.net.transport import Line, News

MOST_AT_ONCE = 256


class FarConnection:
    """A line to a reader, and what has become of its connections.

    `must_greet` says that there is a connection on which nothing was said yet.
    """

    def __init__(self, line: Line, link: OutgoingLink) -> None:
        self.name, self.host, self.address = link.link.consumer, link.host, link.address
        self.must_greet = False
        self._told: set[News] = set()
        self._is_joined = False
        self._was_up = False
        self._line = line

    def has_news(self) -> bool:
        """Tell whether something came, or is to be said first."""
        return self.must_greet or self._line.has_more

    def can_greet(self) -> bool:
        """Tell whether a greeting is due and can be sent; it then counts as sent."""
        if not self.must_greet or not self._line.is_writable:
            return False
        self.must_greet = False
        return True

    def turns(self, *, was_up: bool) -> Iterator[bool]:
        """Read what has become of the connection: True for one that stands now, False for a cut.

        `was_up` says that the reader had answered on it.
        """
        for news in self._line.news():
            if news == "up":
                self.must_greet = self._is_joined = True
                yield True
                continue
            self._tell_of_cut(news, was_up=was_up)
            if not self._is_joined:
                self._line.try_again()
            self._is_joined = was_up = False
            yield False

    def note_answer(self, dropped: int) -> None:
        """Note that the reader has answered the greeting; `dropped` messages were lost meanwhile."""
        self._told.clear()
        if self._was_up:
            lost = f"; {dropped} messages on their way were dropped" if dropped else ""
            text = f"the link to `{self.name}` on `{self.host}` is there again{lost}"
            log_lines.write("warn" if dropped else "info", text, target="doraflow_runtime", fields={"dropped": dropped})
        self._was_up = True

    def receive(self, take: Callable[[bytes], None]) -> bool:
        """Give what has come to `take`, frame by frame; True if more may be there."""
        for _ in range(MOST_AT_ONCE):
            frame = self._line.receive()
            if frame is None:
                return False
            take(frame)
        return True

    def forget(self) -> None:
        """Pass over what an earlier connection has left: a reader says nothing before it is greeted."""
        while self._line.receive() is not None:
            pass

    def put(self, *parts: bytes | memoryview) -> None:
        """Hand over a message. What cannot be taken, since the connection is gone, is sent anew after the next one."""
        self._line.put(*parts)

    @property
    def piece_bytes(self) -> int:
        """How much of a payload best goes beside one frame."""
        return self._line.piece_bytes

    def warn(self, text: str) -> None:
        """Write a line that names the reader."""
        log_lines.write("warn", text, target="doraflow_runtime", fields={"consumer": self.name, "host": self.host})

    def tell(self, what: str) -> None:
        """Write a line that begins with the reader: what it does."""
        self.warn(f"`{self.name}` on `{self.host}` {what}")

    def tell_of_size(self, size: int, largest: int) -> None:
        """Tell of a message that was too large to be sent."""
        self.warn(f"a message of {size} bytes to `{self.name}` was dropped: {largest} travel between hosts")

    def close(self) -> None:
        """Close the connection; what was handed over is still sent, for a moment."""
        self._line.close()

    def _tell_of_cut(self, news: News, *, was_up: bool) -> None:
        where = f"the link to `{self.name}` on `{self.host}` ({self.address})"
        if was_up:
            self.warn(f"{where} is cut; it is taken up again")
        elif not self._is_joined and news not in self._told and not (news == "cut" and self._told):
            self._told.add(news)
            self.warn(f"{where} cannot be made: {why_not(news)}")
