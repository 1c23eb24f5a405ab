"""The record of connections that said what CURVE does not let through: recorded traffic, changed traffic, noise.

libzmq hangs up on them by itself; here that is told. Who may connect at all is the affair of `admission`.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import zmq
from zmq.utils.monitor import parse_monitor_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.net.sockets import AnySocket

QUIET_SECONDS = 60.0
TOLD = "hung up on a connection: what it said was recorded earlier, was changed under way or is meant for another key"

_FAILURES = zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
_END = zmq.EVENT_MONITOR_STOPPED


class Alarms:
    """Tells of such connections, once in a minute, so that a stranger cannot fill the logs."""

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._last = -QUIET_SECONDS
        self._unsaid = 0

    def raise_one(self) -> None:
        """Take note of a connection."""
        now = self._clock()
        if now - self._last < QUIET_SECONDS:
            self._unsaid += 1
            return
        more = f"; {self._unsaid} more since the last report" if self._unsaid else ""
        self._last, self._unsaid = now, 0
        self._tell(f"{TOLD}{more}")


def watch_in_background(listener: AnySocket, tell: Callable[[str], None]) -> threading.Thread:
    """Tell of what a listening socket hangs up on, from a thread of its own until the socket is closed.

    A thread for the reason that admission has one; it sleeps until something is wrong.
    """
    monitor = listener.get_monitor_socket(_FAILURES | _END)
    thread = threading.Thread(target=_watch, args=(monitor, Alarms(tell)), name="replays", daemon=True)
    thread.start()
    return thread


def _watch(monitor: AnySocket, alarms: Alarms) -> None:
    try:
        while (event := parse_monitor_message(monitor.recv_multipart())["event"]) != _END:
            if event & _FAILURES:
                alarms.raise_one()
    except zmq.ContextTerminated:
        pass
    finally:
        monitor.close(0)
