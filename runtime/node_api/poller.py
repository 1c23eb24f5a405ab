"""One epoll for all threads of a node: one of them waits on it, the others wait for that one to have news.

Two threads that wait on an epoll each may take the event that the other waits for. So a thread claims the epoll, and
the others are woken after it has dealt with what it found. Used under the node's lock, except for `poll` and `wake`.
"""

from __future__ import annotations

import select
import threading
import time
from typing import TYPE_CHECKING

from doraflow_runtime.node_api.gate import new_gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from doraflow_runtime.shm.connection import Connection

_CLOSE_SECONDS = 1.0
_MILLISECOND = 0.001
_MOST_SELECTED = 1024  # select takes no descriptor from here on


class Poller:
    """The descriptors of a node and what to do when one is ready.

    `lock` is the node's, `gate` tells who waits. A wait looks for `spin_ns` nanoseconds before the thread sleeps.
    """

    def __init__(self, lock: threading.RLock, spin_ns: int = 0) -> None:
        self.lock = lock
        self._changed = threading.Condition(lock)
        self._epoll = select.epoll()
        self.gate = new_gate(self._epoll.fileno(), spin_ns)
        self._spin_ns = spin_ns
        self._handlers: dict[int, Callable[[], None]] = {}
        self.watch(self.gate.fileno(), self.gate.hush)

    def watch(self, descriptor: int, handler: Callable[[], None]) -> None:
        """Call `handler` whenever there is something to read."""
        self._handlers[descriptor] = handler
        self._epoll.register(descriptor, select.EPOLLIN)

    def press(self, connection: Connection, *, wanted: bool) -> None:
        """Wake also when there is room to write, or no longer."""
        if wanted != connection.is_pressed and connection.is_open:
            connection.is_pressed = wanted
            self._epoll.modify(connection.fileno(), select.EPOLLIN | select.EPOLLOUT if wanted else select.EPOLLIN)

    def forget(self, descriptor: int) -> None:
        """Watch a descriptor no longer; to be called before it is closed."""
        if self._handlers.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def claim(self, timeout: float | None) -> bool:
        """Take the epoll for this thread; False if another has it, after waiting until that one has news.

        Not to be called once `is_open` is False.
        """
        if self.gate.is_claimed:
            self.gate.waiting += 1
            try:
                self._changed.wait(timeout)
            finally:
                self.gate.waiting -= 1
            return False
        self.gate.is_claimed = True
        return True

    def poll(self, timeout: float | None) -> list[int]:
        """Wait for descriptors that are ready, at most `timeout` seconds. Without the lock, unless `timeout` is 0.

        May come back up to a millisecond early: epoll counts in whole ones, and the rest of a wait is one of its own.
        """
        if self._spin_ns and timeout != 0 and (ready := self._spin(timeout)):
            return ready
        if timeout:
            if timeout >= _MILLISECOND:
                timeout = int(timeout / _MILLISECOND) * _MILLISECOND
            elif self._epoll.fileno() < _MOST_SELECTED:
                select.select([self._epoll], [], [], timeout)
                timeout = 0
        found = self._epoll.poll(timeout)
        if not found and timeout:
            found = self._epoll.poll(0)  # a wait in which the process was stopped ends with its time, without a look
        return [descriptor for descriptor, _ in found]

    @property
    def is_claimed(self) -> bool:
        """Whether a thread waits, and deals with what happens."""
        return self.gate.is_claimed

    @property
    def is_open(self) -> bool:
        """Whether it was not closed."""
        return self.gate.is_open

    def _spin(self, timeout: float | None) -> list[int]:
        """Look again and again: a sleeping thread takes longer to wake than a message to arrive."""
        end = time.monotonic_ns() + min(self._spin_ns, int(timeout * 1e9) if timeout is not None else self._spin_ns)
        while not (ready := self._epoll.poll(0)) and time.monotonic_ns() < end:
            pass
        return [descriptor for descriptor, _ in ready]

    def release(self) -> None:
        """Give the epoll back, and wake those who wait."""
        self.gate.is_claimed = False
        self.notify()

    def notify(self) -> None:
        """Wake those who wait for the thread that waits on the epoll."""
        self._changed.notify_all()

    def tell(self) -> None:
        """Wake everyone: this thread has dealt with what another may be waiting for."""
        self.wake()
        self.notify()

    def handle(self, ready: list[int]) -> None:
        """Call the handlers of descriptors; one that was forgotten meanwhile has none."""
        for descriptor in ready:
            handler = self._handlers.get(descriptor)
            if handler is not None:
                handler()

    def wake(self) -> None:
        """Interrupt the thread that waits; may be called from anywhere, also by the garbage collector."""
        self.gate.ring()

    def close(self) -> None:
        """Send waiting threads on their way, and close."""
        gate = self.gate
        gate.is_open = False  # first: those who are woken must not wait again
        if gate.is_claimed:
            self.wake()
            gate.waiting += 1
            self._changed.wait_for(lambda: not gate.is_claimed, _CLOSE_SECONDS)
            gate.waiting -= 1
        gate.is_claimed = False
        self._handlers.clear()
        self._epoll.close()
