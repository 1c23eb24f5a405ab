"""Which other hosts of the dataflow are there: present, lost, ended, or of another build; a machine without I/O.

Only presence is settled here, from what was heard and when; times are seconds that the caller passes in.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from doraflow_runtime.fleet.messages import Beat, Sender

SILENCE = 3.0
"""Seconds without a word after which a host counts as lost."""

MOST_PAST = 64
"""Earlier lives of a launcher that are remembered; what one says that is older was overtaken long ago."""

Presence: TypeAlias = Literal["absent", "present", "lost", "ended", "strange"]
"""`absent`: it has not been heard yet. `lost`: it was, and is silent. `strange`: it runs another build."""

News: TypeAlias = Literal["joined", "rejoined", "began_anew", "returned", "lost", "ended", "strange"]
"""`rejoined`: another life of its launcher after one that had ended or was lost; `began_anew`: after one that was still
taken for alive. `returned`: the same life is heard again."""


@dataclass(slots=True)
class Host:
    """Another host as it is known here.

    `session` is the life of its launcher that is heard, `number` that of its last message. `lost_at` is since when it
    is not there, `was_going` whether this life was heard before it began to stop, `hears_us` whether it has heard us.
    """

    name: str
    lost_at: float
    presence: Presence = "absent"
    session: str = ""
    number: int = 0
    heard_at: float = 0.0
    beat: Beat | None = None
    was_going: bool = False
    hears_us: bool = False
    past: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_PAST))

    @property
    def has_started(self) -> bool:
        """Whether its nodes were told to start.

        A launcher that was heard first when it ended already is of an earlier run, and nobody starts with it.
        """
        is_known = self.presence in ("present", "ended") and self.was_going
        return is_known and self.beat is not None and self.beat.has_started

    @property
    def failed_to_start(self) -> bool:
        """Whether it stays only to tell that a node has failed before the start, which is that of whoever comes now."""
        stop = None if self.beat is None else self.beat.stop
        return stop is not None and bool(stop.node) and self.beat is not None and not self.beat.has_started

    @property
    def is_ready(self) -> bool:
        """Whether all its nodes are there, and it will hear that we start."""
        if self.has_started:
            return True
        return self.presence == "present" and self.hears_us and self.beat is not None and self.beat.phase == "ready"


class Membership:
    """The other hosts, in the order of the wiring table.

    `session` is the life of our own launcher, `plan` the digest of our build, `silence` after how many seconds without
    a word a host is lost.
    """

    def __init__(self, hosts: Iterable[str], session: str, plan: str, now: float, silence: float = SILENCE) -> None:
        self.hosts = {name: Host(name, now) for name in hosts}
        self._session = session
        self._plan = plan
        self.silence = silence

    def hear(self, sender: Sender, now: float) -> tuple[Host | None, News | None]:
        """Take note that a host was heard; gives it, and what is new of it. None for a word that is not to be heeded.

        That is one of an earlier life, or one that was overtaken. What a host of another build says is not to be heeded
        either, but it is news that it does.
        """
        host = self.hosts.get(sender.host)
        if host is None or sender.session in host.past:
            return None, None
        if sender.plan != self._plan:
            if host.presence in ("present", "strange"):
                return None, None
            host.presence = "strange"
            return host, "strange"
        if sender.session == host.session and (sender.number <= host.number or host.presence == "ended"):
            return None, None
        news = self._greet(host, sender)
        host.presence, host.heard_at, host.number = "present", now, sender.number
        return host, news

    def take(self, host: Host, beat: Beat, now: float) -> News | None:
        """Take what a host says of itself."""
        host.beat = beat
        host.hears_us = beat.seen_session == self._session
        host.was_going |= beat.phase in ("starting", "ready", "running")
        if beat.phase != "ended":
            return None
        host.presence, host.lost_at = "ended", now
        return "ended"

    def look(self, now: float) -> Iterator[Host]:
        """Find the hosts that have been silent for too long; each is told once."""
        for host in self.hosts.values():
            if host.presence == "present" and now - host.heard_at >= self.silence:
                host.presence, host.lost_at = "lost", now
                yield host

    def away_for(self, name: str, now: float) -> float:
        """Say for how many seconds a host has not been there; 0 for one that is."""
        host = self.hosts[name]
        return 0.0 if host.presence == "present" else now - host.lost_at

    def _greet(self, host: Host, sender: Sender) -> News | None:
        if sender.session == host.session:
            return "returned" if host.presence == "lost" else None
        before = host.presence
        if host.session:
            host.past.append(host.session)
        is_first = not host.session
        host.session, host.beat, host.was_going, host.hears_us = sender.session, None, False, False
        if is_first:
            return "joined"
        return "began_anew" if before == "present" else "rejoined"
