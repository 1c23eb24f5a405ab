"""Which nodes keep a dataflow going that has finished otherwise: dora's rule, as a pure decision.

A node is a straggler when nothing more can come in at it, it has not ended within its grace since, and no other node
does anything either: each is gone or has nothing more to come. A source, a node with a timer, a node that waits to be
started again, or one that is paused, keeps the dataflow going, and nobody is a straggler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from doraflow_runtime.launcher.members import Member


def stragglers(members: Iterable[Member], grace: float | None, now: float) -> tuple[tuple[Member, float], ...]:
    """Find the stragglers, with their grace in seconds; `grace` is that of nodes without one, None is for no end."""
    if grace is None:
        return ()
    return tuple((member, wait) for member, wait, since in _drained(members, grace) if now >= since + wait)


def next_straggler(members: Iterable[Member], grace: float | None) -> float | None:
    """Say when the next node becomes a straggler, as things stand."""
    return None if grace is None else min((since + wait for _, wait, since in _drained(members, grace)), default=None)


def _drained(members: Iterable[Member], grace: float) -> Iterator[tuple[Member, float, float]]:
    """Give the nodes that may become stragglers, their grace, and since when; none if any node goes on by itself."""
    found = []
    for member in members:
        if member.is_over or member.ladder is not None:
            continue
        if member.drained_at is None or member.is_paused or member.restart_at is not None:
            return
        own = member.process.finish_grace
        found.append((member, grace if own is None else own, member.drained_at))
    yield from found
