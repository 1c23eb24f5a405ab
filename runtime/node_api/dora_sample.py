"""Dora's writable sample over a loan: what `Node.send_output_raw` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from doraflow_runtime.node_api.loans import Loan


class Sample:
    """Memory for one message; a context manager that sends it, or for `send` by hand. Used by one thread.

    The memory must not be written any more once it is sent.
    """

    def __init__(self, loan: Loan) -> None:
        self._loan = loan
        self._is_sent = False

    def as_memoryview(self) -> memoryview:
        """Give the memory."""
        return self._loan.memory

    def send(self) -> None:
        """Send what was written. Raises RuntimeError the second time."""
        if self._is_sent:
            raise RuntimeError("the sample was sent already; ask `send_output_raw` for another one")
        self._is_sent = True
        self._loan.__exit__(None, None, None)

    def __enter__(self) -> memoryview:
        return self._loan.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_sent:
            self._is_sent = True
            self._loan.__exit__(kind, error, trace)
