"""What a service manager is told of a run, where one has started the launcher: ready, stopping, and signs of life.

That is systemd's protocol: lines in a datagram to the socket that `NOTIFY_SOCKET` names. Elsewhere nothing is done.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

from doraflow_runtime.launcher.findings import cause
from doraflow_runtime.warm.variables import SOCKET_VARIABLE, WATCHDOG_PROCESS_VARIABLE, WATCHDOG_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from doraflow_runtime.control.messages import RunState
    from doraflow_runtime.launcher.console import Console
    from doraflow_runtime.launcher.loop import Loop

_STARTING_PAUSE = 0.1
_PAUSE = 1.0
"""Seconds between looks at the run, while it starts and afterwards."""
_SIGNS_IN_TIMEOUT = 2
"""How many signs of life are given within the time that the service manager waits for one, as systemd advises."""

_STATUS: Mapping[RunState, str] = {
    "starting": "STATUS=waiting for the nodes to join",
    "running": "READY=1\nSTATUS=all nodes have started",
    "stopping": "STOPPING=1\nSTATUS=stopping",
}


@contextlib.contextmanager
def notified(
    phase: Callable[[], RunState], environment: Mapping[str, str], loop: Loop, console: Console
) -> Iterator[None]:
    """Tell the service manager, if there is one, how the run goes while the block lasts."""
    address = environment.get(SOCKET_VARIABLE, "")
    if not address.startswith(("/", "@")):
        yield
        return
    notifier = Notifier(address, _watchdog_seconds(environment), phase, loop, console)
    loop.call_later(0.0, notifier.look)
    try:
        yield
    finally:
        notifier.close()


class Notifier:
    """Tells one service manager of one run; `watchdog` is in seconds, 0 for none. A lost datagram is told once."""

    __slots__ = ("_address", "_console", "_is_closed", "_is_lost", "_loop", "_phase", "_socket", "_told", "_watchdog")

    def __init__(
        self, address: str, watchdog: float, phase: Callable[[], RunState], loop: Loop, console: Console
    ) -> None:
        # An address that begins with `@` is no file: the kernel writes a zero there.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog = watchdog
        self._phase = phase
        self._loop = loop
        self._console = console
        self._told: RunState | None = None
        self._is_lost = self._is_closed = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def look(self) -> None:
        """Tell what has changed, and give a sign of life; then look again after a moment."""
        if self._is_closed:
            return
        self._tell()
        pause = _STARTING_PAUSE if self._told == "starting" else _PAUSE
        if self._watchdog:
            self._send("WATCHDOG=1")
            pause = min(pause, self._watchdog / _SIGNS_IN_TIMEOUT)
        self._loop.call_later(pause, self.look)

    def close(self) -> None:
        """Tell the last, also of a run that was over between two looks."""
        self._tell()
        if self._told != "stopping":
            self._send(_STATUS["stopping"])
        self._is_closed = True
        self._socket.close()

    def _tell(self) -> None:
        phase = self._phase()
        if phase != self._told:
            self._told = phase
            self._send(_STATUS[phase])

    def _send(self, text: str) -> None:
        try:
            self._socket.sendto(text.encode(), socket.MSG_DONTWAIT, self._address)
        except OSError as error:
            if not self._is_lost:
                self._is_lost = True
                message = f"the service manager cannot be told how the run goes: {cause(error)}"
                self._console.progress("unnotified", message)


def _watchdog_seconds(environment: Mapping[str, str]) -> float:
    """Read after how many seconds without a sign of life this process would be killed; 0 for never."""
    if environment.get(WATCHDOG_PROCESS_VARIABLE, str(os.getpid())) != str(os.getpid()):
        return 0.0
    text = environment.get(WATCHDOG_VARIABLE, "")
    return int(text) / 1_000_000 if text.isascii() and text.isdecimal() else 0.0
