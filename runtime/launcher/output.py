"""The output of one node's process: both pipes read, cut into lines, and handed on.

The last records are kept for the report of a failure. What becomes of a line is decided in `node_logs`.
"""

from __future__ import annotations

import functools
import os
from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from doraflow_runtime.launcher.lines import LineSplitter

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.launcher.lines import Line
    from doraflow_runtime.launcher.loop import Loop
    from doraflow_runtime.launcher.records import Record, Stream

    Take: TypeAlias = Callable[[list[Line], Stream], list[Record]]

CHUNK = 16 * 1024
"""Bytes taken from a node at a time: the launcher serves all others before it takes more of one that floods it."""

_MOST_CHUNKS = 256  # read in a row once the process has ended: a descendant may write for ever
KEPT_LINES = 60


class NodeOutput:
    """The two pipes of a process. `take` is given the lines of each read, in order, and makes records of them."""

    __slots__ = ("_descriptors", "_loop", "_splitters", "_take", "last")

    def __init__(self, pipes: dict[Stream, int], loop: Loop, take: Take) -> None:
        self.last: deque[Record] = deque(maxlen=KEPT_LINES)
        self._loop = loop
        self._take = take
        self._descriptors = dict(pipes)
        self._splitters = {stream: LineSplitter() for stream in pipes}
        for stream, descriptor in pipes.items():
            loop.on_readable(descriptor, functools.partial(self._read, stream))

    def drain(self) -> None:
        """Read what the process left behind when it ended."""
        for stream in tuple(self._descriptors):
            for _ in range(_MOST_CHUNKS):
                if not self._read(stream):
                    break

    def close(self) -> None:
        """Read what is left, take unfinished lines as they are, and close the pipes."""
        self.drain()
        for stream in tuple(self._descriptors):
            self._end(stream)

    def _read(self, stream: Stream) -> bool:
        """Take one chunk; False if there is none now."""
        descriptor = self._descriptors.get(stream)
        if descriptor is None:
            return False
        try:
            data = os.read(descriptor, CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._end(stream)
            return False
        self._hand_on(self._splitters[stream].feed(data), stream)
        return True

    def _end(self, stream: Stream) -> None:
        descriptor = self._descriptors.pop(stream)
        self._loop.forget(descriptor)
        os.close(descriptor)
        self._hand_on(self._splitters[stream].finish(), stream)

    def _hand_on(self, lines: list[Line], stream: Stream) -> None:
        if lines:
            self.last.extend(self._take(lines, stream))
