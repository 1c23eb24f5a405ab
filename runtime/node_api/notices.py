"""News of other nodes and of inputs that wait among the messages, so that each is told in its place.

A notice stands in the order of arrival like a message and is handed out as an event; it carries no data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from doraflow_runtime.node_api.events import Event

if TYPE_CHECKING:
    from doraflow_runtime.node_api.events import EventType


class Notice(NamedTuple):
    """`NODE_RESTARTED` with the id of the node, `INPUT_CLOSED` or `INPUT_RECOVERED` with the id of the input."""

    type: EventType
    id: str

    def event(self) -> Event:
        """Make the event."""
        return Event(self.type, self.id)
