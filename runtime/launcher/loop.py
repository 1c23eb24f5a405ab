"""The launcher's one event loop: file descriptors and what to call when they are ready, or when time has passed.

It knows nothing of nodes. `run_once` waits at most as long as it is told.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import time
from collections.abc import Callable
from typing import TypeAlias

Callback: TypeAlias = Callable[[], object]

_READ = selectors.EVENT_READ
_WRITE = selectors.EVENT_WRITE


class Loop:
    """Calls back when a descriptor can be read or written. Not thread-safe.

    >>> import os
    >>> reader, writer = os.pipe()
    >>> loop, seen = Loop(), []
    >>> loop.on_readable(reader, lambda: seen.append(os.read(reader, 9)))
    >>> _ = os.write(writer, b"x")
    >>> loop.run_once(1.0); seen
    [b'x']
    >>> loop.close(); os.close(reader); os.close(writer)
    """

    __slots__ = ("_numbers", "_selector", "_timers")

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callback]] = []
        self._numbers = itertools.count()

    def call_later(self, seconds: float, callback: Callback) -> None:
        """Call `callback` once, when `seconds` have passed."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), callback))

    def on_readable(self, descriptor: int, callback: Callback | None) -> None:
        """Call `callback` whenever `descriptor` can be read; None ends that."""
        self._set(descriptor, _READ, callback)

    def on_writable(self, descriptor: int, callback: Callback | None) -> None:
        """Call `callback` whenever `descriptor` can be written; None ends that."""
        self._set(descriptor, _WRITE, callback)

    def forget(self, descriptor: int) -> None:
        """Watch `descriptor` no more; to be called before it is closed."""
        if descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)

    def run_once(self, timeout: float | None) -> None:
        """Wait until something is ready, at most `timeout` seconds, and make the calls that are due."""
        if self._timers:
            left = max(0.0, self._timers[0][0] - time.monotonic())
            timeout = left if timeout is None else min(left, timeout)
        # A wait that was interrupted, by a stop of this process as well, ends with its time without a look: what came
        # meanwhile is heard before anybody is judged by the clock.
        for key, ready in self._selector.select(timeout) or self._selector.select(0):
            for event in (_READ, _WRITE):
                if ready & event:
                    self._call(key.fd, event)
        self._call_due()

    def close(self) -> None:
        """Give the selector back; the descriptors stay open."""
        self._selector.close()

    def _call_due(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()

    def _call(self, descriptor: int, event: int) -> None:
        # An earlier call of the same round may have ended this watch.
        key = self._selector.get_map().get(descriptor)
        callback = key.data.get(event) if key is not None else None
        if callback is not None:
            callback()

    def _set(self, descriptor: int, event: int, callback: Callback | None) -> None:
        known = descriptor in self._selector.get_map()
        callbacks: dict[int, Callback] = dict(self._selector.get_key(descriptor).data) if known else {}
        if callback is None:
            callbacks.pop(event, None)
        else:
            callbacks[event] = callback
        if not callbacks:
            self.forget(descriptor)
        elif known:
            self._selector.modify(descriptor, sum(callbacks), callbacks)
        else:
            self._selector.register(descriptor, sum(callbacks), callbacks)
