"""What the nodes of this host are told of other hosts: nodes there that ended, failed or began again, and their clocks.

What is so is found by the company of launchers; here it becomes words for nodes, for the log, and for the report.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doraflow_runtime.fleet.clock import Estimate
    from doraflow_runtime.fleet.far_nodes import FarChange
    from doraflow_runtime.launcher.judging import Judge
    from doraflow_runtime.launcher.loop import Loop
    from doraflow_runtime.launcher.scene import Scene

LAST_WORDS = 0.2
"""Seconds for which readers are not told of the end of a far node: what it sent last may still be on its way."""
CLOCK_STEP_NS = 20_000
CLOCK_SECONDS = 10.0
"""Readers are told of a clock that is off by this much more or less than they know, and else every so often: one of
them may have been started again."""


class FarNews:
    """Tells the nodes of one run."""

    __slots__ = ("_away", "_clocks", "_ending", "_judge", "_loop", "_nodes", "_scene")

    def __init__(self, scene: Scene, judge: Judge, loop: Loop) -> None:
        self._loop = loop
        self._ending: set[str] = set()
        self._scene = scene
        self._judge = judge
        self._nodes: dict[str, list[str]] = {}
        for node in scene.run.wiring.far:
            self._nodes.setdefault(node.host, []).append(node.id)
        self._away: set[str] = set()
        self._clocks: dict[str, tuple[int, float]] = {}

    def take(self, change: FarChange) -> None:
        """Tell what has become of a node on another host."""
        joining, node = self._scene.joining, change.node
        match change.what:
            case "ended":
                self._note_end(change)
            case "restarting":
                where = f"`{node}` on host `{change.host}`"
                self._scene.console.progress("far_restarting", f"{where} is started again", node=node, host=change.host)
                if joining.is_started:
                    joining.tell_readers(node, "restarting")
            case "began_again":
                self._ending.discard(node)
                joining.far_began_again(node)

    def take_life(self, host: str, life: str) -> None:
        """Tell those who send to a host's nodes which run of it is there: over zenoh the keys of links carry that."""
        if self._scene.run.wiring.fabric is not None:
            for node in self._nodes.get(host, ()):
                self._scene.joining.far_is_of(node, life)

    def take_clock(self, host: str, estimate: Estimate) -> None:
        """Tell the readers of a host's nodes how far its clock is off."""
        now, (told, at) = time.monotonic(), self._clocks.get(host, (0, -CLOCK_SECONDS))
        if not self._scene.joining.is_started:
            return
        if abs(estimate.offset_ns - told) < CLOCK_STEP_NS and now - at < CLOCK_SECONDS:
            return
        self._clocks[host] = estimate.offset_ns, now
        for node in self._nodes.get(host, ()):
            self._scene.joining.tell_readers(node, "clock", offset=str(estimate.offset_ns))

    def take_silence(self, host: str, seconds: float, away_after: float | None) -> None:
        """Let senders drop what they have for a host that has been lost for too long."""
        if away_after is None or seconds < away_after or not self._scene.joining.is_started:
            self._away.discard(host)
            return
        nodes = self._nodes.get(host, ())
        if host not in self._away:
            self._away.add(host)
            message = f"host `{host}` has been away for {seconds:.0f} s: its nodes are not waited for any more"
            self._scene.console.progress("host_away", message, host=host)
        for node in nodes:
            self._scene.joining.tell_senders(node, "away")

    def _note_end(self, change: FarChange) -> None:
        if change.error:
            self._scene.failures.add_far(change.host, change.node, change.error)
            words = f"`{change.node}` on host `{change.host}` {change.error}"
            self._scene.console.progress("far_failed", words, node=change.node, host=change.host)
        self._ending.add(change.node)
        self._loop.call_later(LAST_WORDS, partial(self._close, change))

    def _close(self, change: FarChange) -> None:
        """Let a node be at its end, unless it has begun again meanwhile."""
        if change.node in self._ending:
            self._ending.discard(change.node)
            self._scene.joining.far_ended(change.node, change.error)
            self._judge.note_drained(change.node)
