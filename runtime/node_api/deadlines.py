"""The inputs with an `input_timeout`: since when each is silent, and which have been silent for too long.

A deadline is armed by the first message, as in dora, and again by each that follows. What becomes of a silent input is
not decided here. Times are nanoseconds of the monotonic clock. `doraflow_core.Deadlines` is the compiled twin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from doraflow_runtime.contract import InputWiring


class Deadlines:
    """The armed deadlines of a node's inputs.

    >>> from doraflow_runtime.contract import InputWiring
    >>> deadlines = Deadlines([InputWiring("image", "camera/image", timeout=2.0)])
    >>> deadlines.overdue(10**12)
    []
    >>> deadlines.arm("image", 10**12)
    >>> deadlines.wait_seconds(10**12 + 5 * 10**8), deadlines.overdue(10**12 + 3 * 10**9)
    (1.5, ['image'])
    """

    __slots__ = ("_due", "_timeouts")

    def __init__(self, inputs: Iterable[InputWiring]) -> None:
        self._timeouts = {port.id: int(port.timeout * 1e9) for port in inputs if port.timeout and not port.interval_ns}
        self._due: dict[str, int] = {}

    def has(self, input_id: str) -> bool:
        """Tell whether an input has a timeout. A timer has none: it does not fail."""
        return input_id in self._timeouts

    def arm(self, input_id: str, now_ns: int) -> None:
        """Note that a message has come on an input that has a timeout."""
        self._due[input_id] = now_ns + self._timeouts[input_id]

    def disarm(self, input_id: str) -> None:
        """Expect nothing on an input any more: it is closed."""
        self._due.pop(input_id, None)

    def overdue(self, now_ns: int) -> list[str]:
        """Find the inputs that were silent for longer than they may; each is disarmed until its next message."""
        found = [name for name in self._timeouts if name in self._due and now_ns > self._due[name]]
        for name in found:
            del self._due[name]
        return found

    def wait_seconds(self, now_ns: int) -> float | None:
        """Tell how long until the next deadline; None while none is armed."""
        return max(0.0, (min(self._due.values()) + 1 - now_ns) / 1e9) if self._due else None
