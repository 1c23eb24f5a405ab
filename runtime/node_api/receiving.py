"""How a node comes to its next event: what is there is taken, what is not is waited for.

This is the way in Python; where nothing unusual happens the compiled core goes it by itself. What an event's value is
made of is not known here.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from doraflow_runtime.protocol import NodeEvent, NodeState, next_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.node_api.core import Core
    from doraflow_runtime.node_api.events import EventType

E = TypeVar("E")

_LONGEST_SLICE = 0.1
"""Seconds that a thread waits for an event whose asker may have been cancelled meanwhile."""


class Receiver(Generic[E]):
    """The events of a node in one form: `take` takes a message that waits, `make` makes an event without a value."""

    __slots__ = ("_core", "_make", "_take_message")

    def __init__(self, core: Core, take: Callable[[], E | None], make: Callable[[EventType, str], E]) -> None:
        self._core = core
        self._take_message = take
        self._make = make

    def next(self, timeout: float | None) -> E | None:
        """Wait for the next event, at most so many seconds."""
        core = self._core
        with core.lock:
            if core.queues.count and core.state is NodeState.RUNNING and core.is_fresh():
                return self._take()
        deadline = None if timeout is None else time.monotonic() + timeout
        if core.queues.count or timeout is not None:
            core.poll()
        while True:
            event, since = self._look()
            left = None if deadline is None else deadline - time.monotonic()
            if event is not None or self._has_ended() or (left is not None and left <= 0):
                return event
            core.wait(left, since)

    async def next_async(self, timeout: float | None) -> E | None:
        """Wait in the event loop's default executor, for at most 0.1 seconds at a time."""
        import asyncio

        deadline = math.inf if timeout is None else time.monotonic() + timeout
        self._core.poll()
        while True:
            event, since = self._look()
            left = deadline - time.monotonic()
            if event is not None or self._has_ended() or left <= 0:
                return event
            slice_seconds = min(left, _LONGEST_SLICE)
            await asyncio.get_running_loop().run_in_executor(None, self._core.wait, slice_seconds, since)

    def _has_ended(self) -> bool:
        return self._core.state is NodeState.ENDED

    def _look(self) -> tuple[E | None, int]:
        """Take an event that is there, and note what the node has seen so far, to wait for more than that."""
        with self._core.lock:
            event = None if self._has_ended() else self._take()
            return event, self._core.rounds

    def _take(self) -> E | None:
        core = self._core
        if core.state is NodeState.STOPPING:
            core.state = next_state(core.state, NodeEvent.STOP_DELIVERED)
            return self._make("STOP", core.stop_cause)
        taken = self._take_message()
        if taken is not None:
            return taken
        closed = core.queues.take_closed()
        if closed is not None:
            return self._make("INPUT_CLOSED", closed)
        if core.queues.are_all_closed():
            core.stop_cause = "ALL_INPUTS_CLOSED"
            core.launcher.say(type="inputs_closed")
            core.state = next_state(core.state, NodeEvent.INPUTS_CLOSED)
            return self._take() if core.state is NodeState.STOPPING else None
        return None
