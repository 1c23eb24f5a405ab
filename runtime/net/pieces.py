"""Messages from another host of which some pieces have come: where they are put together, on one connection.

Pure: nothing here takes bytes from a socket, or knows what the message is good for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
from doraflow_runtime.net.frames import LARGEST_PART
from doraflow_runtime.shm.wire import WireError

if TYPE_CHECKING:
    from doraflow_runtime.net.frames import Message
    from doraflow_runtime.shm.wire import Frame


class Whole(NamedTuple):
    """A message as its record told of it, and all of its content."""

    frame: Frame
    head: Message
    content: memoryview


class Pieces:
    """What has come of messages in pieces; of each link one at most, since its messages come in order."""

    def __init__(self) -> None:
        self._begun: dict[int, _Begun] = {}

    def begin(self, frame: Frame, head: Message, piece: memoryview) -> None:
        """Take the first piece of a message, which is not all of it. Raises WireError."""
        self.check_none(frame.link)
        if head.beside > LARGEST_PART:
            raise WireError(f"a message of {head.beside} bytes, and {LARGEST_PART} travel between hosts")
        begun = _Begun(frame, head)
        if begun.add(piece):
            raise WireError(f"message {head.number} is said to come in pieces, and is a single one")
        self._begun[frame.link] = begun

    def add(self, link: int, number: int, piece: memoryview) -> Whole | None:
        """Take the next piece of a message; gives the message with its last one. Raises WireError."""
        begun = self._begun.get(link)
        if begun is None or begun.head.number != number:
            raise WireError(f"a piece of message {number} on link {link}, which was not begun")
        if not begun.add(piece):
            return None
        del self._begun[link]
        return begun.whole()

    def check_none(self, link: int) -> None:
        """Raise WireError if the pieces of a message on a link have not all come."""
        if link in self._begun:
            raise WireError(f"message {self._begun[link].head.number} on link {link} was not ended")

    def clear(self) -> None:
        """Forget all: a sender begins anew on each connection."""
        self._begun.clear()


class _Begun:
    """A message of which not all has come.

    Its memory is taken from malloc and given back when no array lies in it any more. As messages follow each other, it
    is the same memory again and again, which nobody needs to see to and which costs no faults of pages.
    """

    __slots__ = ("_at", "_buffer", "_content", "frame", "head")

    def __init__(self, frame: Frame, head: Message) -> None:
        self.frame, self.head = frame, head
        try:
            self._buffer = pa.allocate_buffer(head.beside, memory_pool=pa.system_memory_pool())
        except MemoryError:
            raise WireError(f"there is no memory for a message of {head.beside} bytes") from None
        self._content = memoryview(self._buffer).cast("B")
        self._at = 0

    def add(self, piece: memoryview) -> bool:
        """Put a piece behind those that have come; True if it is the last one. Raises WireError."""
        end = self._at + len(piece)
        if not piece or end > self.head.beside:
            raise WireError(f"the pieces of message {self.head.number} are not as long as it says")
        self._content[self._at : end] = piece
        self._at = end
        return end == self.head.beside

    def whole(self) -> Whole:
        """Give the message, whose content cannot be written any more."""
        return Whole(self.frame, self.head, self._content.toreadonly())
