"""Where the threads of a node meet: who waits on the epoll, the bell that interrupts him, and what each has seen.

`doraflow_core.Gate` is the compiled twin, which can also wait for an event and give it in one call. Nothing here waits
or knows what is waited for. Used under the node's lock, except for `ring`.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, TypeAlias, cast

from doraflow_runtime.compiled import is_compiled

if TYPE_CHECKING:
    import doraflow_core


class Gate:
    """The twin in Python.

    `rounds` counts how often news was dealt with, `dispatched_ns` is when that was last and `due_ns` when the next tick
    is due (-1 for never), both by the monotonic clock, as is `sign_due_ns`, when the launcher is to be shown that the
    node lives. `waiting` threads wait for the one that has claimed the epoll.
    `is_running` says that messages are what comes next, `is_lagging` that something waits for a peer that reads slowly.
    """

    def __init__(self) -> None:
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        # whoever can ring the bell holds the gate, so that its number is never another file's when it rings
        weakref.finalize(self, os.close, self._bell).atexit = False
        self.rounds = 0
        self.dispatched_ns = 0
        self.due_ns = -1
        self.sign_due_ns = -1
        self.waiting = 0
        self.is_claimed = False
        self.is_open = True
        self.is_running = False
        self.is_lagging = False

    def fileno(self) -> int:
        """Give the bell's descriptor."""
        return self._bell

    def ring(self) -> None:
        """Interrupt the thread that waits, if one does; may be called from anywhere."""
        if self.is_claimed:
            os.eventfd_write(self._bell, 1)

    def hush(self) -> None:
        """Note that the bell was heard."""
        os.eventfd_read(self._bell)


AnyGate: TypeAlias = "Gate | doraflow_core.Gate"


def new_gate(epoll: int, spin_ns: int) -> AnyGate:
    """Make the gate of a node whose epoll this is, compiled if it can be."""
    if not is_compiled():
        return Gate()
    import doraflow_core

    return doraflow_core.Gate(epoll, spin_ns)


def new_lock() -> threading.RLock:
    """Make the lock of a node, compiled if it can be."""
    if not is_compiled():
        return threading.RLock()
    import doraflow_core

    return cast("threading.RLock", doraflow_core.Lock())
