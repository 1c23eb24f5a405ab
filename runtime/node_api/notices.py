"""News of other nodes and of inputs that wait among the messages, so that each is told in its place.

A notice stands in the order of arrival like a message and is handed out as an event; it carries no data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from doraflow_runtime.node_api.events import Event, FailureEvent

if TYPE_CHECKING:
    from doraflow_runtime.node_api.events import EventType, Failure


class Notice(NamedTuple):
    """`NODE_RESTARTED` and `NODE_FAILED` with the node's id, `INPUT_CLOSED` and `INPUT_RECOVERED` with the input's.

    `failure` is what a NODE_FAILED tells.
    """

    type: EventType
    id: str
    failure: Failure | None = None

    def event(self) -> Event:
        """Make the event."""
        return Event(self.type, self.id) if self.failure is None else FailureEvent.of(self.id, self.failure)
