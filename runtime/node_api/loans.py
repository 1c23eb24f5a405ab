"""Loans: memory that is written where the readers will read it, in Python; `doraflow_core.Loan` is its twin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.node_api import log_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Loan:
    """Writable memory for one message; a context manager.

    Entering gives the memory, leaving sends the message, leaving by an exception gives the memory back unsent. After
    that the memory belongs to the readers: writing raises ValueError, and arrays made over it must not be written any
    more. Used by one thread.
    """

    __slots__ = ("_finish", "_give_up", "_is_entered", "_is_open", "_output", "memory")

    def __init__(
        self, output: str, memory: memoryview, finish: Callable[[], None], give_up: Callable[[], None]
    ) -> None:
        self.memory = memory
        self._output = output
        self._finish = finish
        self._give_up = give_up
        self._is_open = True
        self._is_entered = False

    def __enter__(self) -> memoryview:
        if not self._is_open:
            raise RuntimeError("a loan can be used once; take another one for the next message")
        if self._is_entered:
            raise RuntimeError(f"this loan on `{self._output}` is being written already; take another one beside it")
        self._is_entered = True
        return self.memory

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_open:
            return
        self._is_open = False
        try:  # noqa: SIM105 - a context manager costs more than the rest of this method
            self.memory.release()
        except BufferError:
            pass  # an array over it is still there; that it must not be written is said
        if kind is None:
            self._finish()
        else:
            self._give_up()

    def __del__(self) -> None:
        if self._is_open:
            self._is_open = False
            self._give_up()
            log_lines.warn_of_dropped_loan(self._output)
