"""The life of a node and of its inputs, as tables without I/O.

Every rule on what follows what stands here; the node API asks these functions and never decides itself.
docs/nodes.md draws the diagrams from the tables.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class NodeState(StrEnum):
    """Where a node stands between its start and its end."""

    JOINING = "joining"  # said hello, waits for the others
    RUNNING = "running"
    STOPPING = "stopping"  # a STOP event is due
    ENDED = "ended"  # the STOP event was handed out: the stream is over


class NodeEvent(StrEnum):
    """What moves a node on."""

    START = "start"
    STOP = "stop"
    LAUNCHER_LOST = "launcher lost"
    INPUTS_CLOSED = "inputs closed"
    STOP_DELIVERED = "stop delivered"


NODE_TRANSITIONS: Mapping[NodeState, Mapping[NodeEvent, NodeState]] = MappingProxyType(
    {
        NodeState.JOINING: {
            NodeEvent.START: NodeState.RUNNING,
            NodeEvent.STOP: NodeState.STOPPING,
            NodeEvent.LAUNCHER_LOST: NodeState.STOPPING,
        },
        NodeState.RUNNING: {
            NodeEvent.STOP: NodeState.STOPPING,
            NodeEvent.LAUNCHER_LOST: NodeState.STOPPING,
            NodeEvent.INPUTS_CLOSED: NodeState.STOPPING,
        },
        NodeState.STOPPING: {NodeEvent.STOP_DELIVERED: NodeState.ENDED},
        NodeState.ENDED: {},
    }
)


class InputState(StrEnum):
    """Where an input stands; a timer stays open."""

    OPEN = "open"
    BROKEN = "broken"  # silent for its `input_timeout`: INPUT_CLOSED was said, the next message opens it again
    DRAINING = "draining"  # the producer is gone, its last messages are not read yet
    CLOSED = "closed"  # INPUT_CLOSED was handed out


def next_state(state: NodeState, event: NodeEvent) -> NodeState:
    """Follow the table; an event that the state does not know changes nothing.

    >>> next_state(NodeState.RUNNING, NodeEvent.STOP)
    <NodeState.STOPPING: 'stopping'>
    """
    return NODE_TRANSITIONS[state].get(event, state)


def all_closed(inputs: Iterable[InputState], *, has_timer: bool, timers_are_clocks: bool) -> bool:
    """Tell whether a node with these data inputs has nothing more to expect.

    A node without data inputs is a source and is never told to end. A timer never closes, so it keeps its node
    alive, unless the dataflow counts timers as clocks (`exit_when_nodes_finish`).
    """
    states = tuple(inputs)
    if not states or (has_timer and not timers_are_clocks):
        return False
    return all(state is InputState.CLOSED for state in states)
