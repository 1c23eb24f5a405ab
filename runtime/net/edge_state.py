"""How far an edge between hosts is, as far as the compiled core reads and changes it: its twins in Python.

`doraflow_core.OutboundState` and `InboundState` are the same structures in C. What follows from them is worked out in
`lanes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections import deque


@dataclass(slots=True, eq=False)
class OutboundState:
    """An edge at its sender: `last` is the number of the last message that was sent, `limit` of the last that may be.

    `heard` is that of the last one that was taken in. `packed` counts the messages in the open pack, which were given
    their numbers; `flying_bytes` includes them.
    """

    held: deque[Any]
    flying: deque[Any]
    may_drop: bool
    last: int = 0
    limit: int = 0
    heard: int = 0
    flying_bytes: int = 0
    packed: int = 0
    is_closing: bool = False


@dataclass(slots=True, eq=False)
class InboundState:
    """An edge at its reader: `taken` is the number of the last message that came in, `waiting` counts the queue.

    `told_taken` and `told_limit` are what its sender was told last.
    """

    queue_size: int
    is_bounded: bool
    taken: int = 0
    waiting: int = 0
    told_taken: int = 0
    told_limit: int = 0
