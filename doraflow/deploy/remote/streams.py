"""The two streams of the conversation on the host: lines and bytes that come in, answers that go out."""

from __future__ import annotations

import json
import os
import select
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SILENCE = 60.0
"""Seconds without a word after which whoever deploys counts as gone; it says something every few seconds."""
LONGEST_LINE = 64 << 20
_BEAT = 1.0


class HungUpError(Exception):
    """Whoever deploys is gone."""


class Incoming:
    """Requests and the bytes of files, from a descriptor that nobody else reads."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = bytearray()

    def line(self) -> bytes:
        """Wait for the next line. Raises HungUpError when there will be none."""
        position = 0
        while (end := self._rest.find(b"\n", position)) < 0:
            position = len(self._rest)
            if position > LONGEST_LINE:
                raise HungUpError
            self._rest += self._more()
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        return line

    def read(self, most: int) -> bytes:
        """Give up to `most` of the bytes that come next, at least one. Raises HungUpError."""
        if not self._rest:
            return self._more(most)
        data = bytes(self._rest[:most])
        del self._rest[:most]
        return data

    def has_ended(self) -> bool:
        """Tell whether the other side hung up; while it waits for an answer it has nothing to say."""
        return not self._rest and bool(select.select([self._descriptor], [], [], 0)[0])

    def _more(self, most: int = 1 << 18) -> bytes:
        if not select.select([self._descriptor], [], [], SILENCE)[0]:
            raise HungUpError
        data = os.read(self._descriptor, most)
        if not data:
            raise HungUpError
        return data


class Outgoing:
    """Answers, a line each."""

    def __init__(self, descriptor: int, incoming: Incoming) -> None:
        self._descriptor = descriptor
        self._incoming = incoming
        self._last = time.monotonic()

    def answer(self, table: Mapping[str, object], before: bytes = b"") -> None:
        """Send an answer. Raises HungUpError."""
        data = before + json.dumps(table).encode() + b"\n"
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            raise HungUpError from None
        self._last = time.monotonic()

    def beat(self) -> None:
        """Say once a second that work goes on, and notice when nobody hears it. Raises HungUpError."""
        if time.monotonic() - self._last < _BEAT:
            return
        if self._incoming.has_ended():
            raise HungUpError
        self.answer({"alive": True})

    def close(self) -> None:
        """Hang up."""
        with suppress(OSError):
            os.close(self._descriptor)
