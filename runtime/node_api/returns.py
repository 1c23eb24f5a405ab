"""What consumers give back by the heads of their rings, for a sender that needs it.

A consumer tells nobody of it but a sender that has asked; so whoever waits for memory or room asks first, and looks
once more after that (docs/wire-format.md). Nothing here waits. Used under the node's lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.node_api.outgoing import Consumer
from doraflow_runtime.shm.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from doraflow_runtime.node_api.far_links import AnyConsumer


class Returns:
    """The heads of the rings of a node's consumers. `hang_up` is for one that says nonsense there."""

    def __init__(self, consumers: Mapping[str, AnyConsumer], hang_up: Callable[[Consumer, WireError], None]) -> None:
        self._consumers = consumers
        self._hang_up = hang_up

    def look(self) -> bool:
        """Take what there is; tell whether there was anything."""
        return self._from_all(Consumer.look)

    def await_any(self) -> bool:
        """Take what there is, and have every consumer tell of what it gives back from now on."""
        return self._from_all(Consumer.await_returns)

    def catch_up(self, consumer: AnyConsumer) -> None:
        """Send what waits for a consumer as far as it may be, and have all tell of more: they share the room."""
        while isinstance(consumer, Consumer) and consumer.waiting and self.await_any():
            consumer.flush()

    def _from_all(self, take: Callable[[Consumer], bool]) -> bool:
        consumers = [each for each in self._consumers.values() if isinstance(each, Consumer)]
        return max([self._from(consumer, take) for consumer in consumers], default=False)  # none is left out

    def _from(self, consumer: Consumer, take: Callable[[Consumer], bool]) -> bool:
        if not consumer.connection.is_open:
            return False
        try:
            return take(consumer)
        except WireError as error:
            self._hang_up(consumer, error)
            return True
