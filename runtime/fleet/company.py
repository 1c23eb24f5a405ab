"""The company of launchers as one of them keeps it: who is there, what they say, and what is said to them.

Whoever stands differently says so at once, and everybody says all of it again each second; so nothing has to arrive,
and a launcher that comes later learns what it missed. What follows for the nodes of this host is decided by its crew.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from doraflow_runtime.fleet.clock import FIRST_BURST, Clock
from doraflow_runtime.fleet.far_nodes import FarNodes
from doraflow_runtime.fleet.gathering import Gathering
from doraflow_runtime.fleet.matters import Matters
from doraflow_runtime.fleet.membership import Membership
from doraflow_runtime.fleet.messages import (
    Answer,
    Ask,
    Beat,
    MessageError,
    Ping,
    Pong,
    Sender,
    Table,
    decode,
    encode,
)
from doraflow_runtime.fleet.questions import Questions
from doraflow_runtime.fleet.stops import is_hearsay, is_heeded, is_of_the_next
from doraflow_runtime.fleet.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from doraflow_runtime.control.server import Watcher
    from doraflow_runtime.fleet.clock import Estimate
    from doraflow_runtime.fleet.crew import Crew
    from doraflow_runtime.fleet.link import Link
    from doraflow_runtime.fleet.membership import Host, News
    from doraflow_runtime.fleet.messages import Message, NodeRow
    from doraflow_runtime.fleet.questions import Done
    from doraflow_runtime.fleet.terms import Terms

    MakeLink: TypeAlias = Callable[
        [Terms, Watcher, Callable[[str, bytes], None], Callable[[str], None], Callable[[str], None]], Link
    ]

PERIOD = 1.0

_WORDS: Mapping[News, tuple[str, str]] = {
    "joined": ("host_joined", "host `{}` is there"),
    "rejoined": ("host_rejoined", "host `{}` is there again: its launcher was started anew"),
    "began_anew": ("host_rejoined", "the launcher of host `{}` was started anew"),
    "returned": ("host_returned", "host `{}` is there again"),
    "ended": ("host_ended", "the nodes of host `{}` have ended, and so has its launcher"),
}


class Company:
    """The launchers of the other hosts. Single-threaded; nothing here waits.

    `homes` gives the host of each far node that is linked with a node of this host.
    """

    def __init__(self, terms: Terms, homes: Mapping[str, str], crew: Crew, loop: Watcher, make_link: MakeLink) -> None:
        now = time.monotonic()
        self.terms = terms
        self.members = Membership(terms.endpoints, terms.session, terms.plan, now)
        self.gathering = Gathering(now, terms.start_timeout)
        self.far = FarNodes(homes)
        self._crew = crew
        self._loop = loop
        self._clocks = {host: Clock() for host in terms.endpoints}
        self._questions = Questions()
        self._tables = Tables()
        self._number = 0
        self._is_to_tell = self._is_closed = False
        self._matters = Matters()
        self._of_the_next: set[str] = set()
        self._link = make_link(terms, loop, self._on_message, self._on_up, partial(self._trouble, "keys"))
        loop.call_later(0.0, self._turn)

    # ---- what the crew may ask

    @property
    def hosts(self) -> tuple[Host, ...]:
        """The other hosts, as they are known."""
        return tuple(self.members.hosts.values())

    def estimate(self, host: str) -> Estimate | None:
        """Say how far the clock of a host is off, if that was measured."""
        return self._clocks[host].estimate

    def may_start(self) -> bool:
        """Tell whether the nodes of this host may start now."""
        return self.gathering.may_start(self.hosts)

    def change(self) -> None:
        """Learn that this host stands differently; the others are told once the present round of the loop is over."""
        if not self._is_to_tell and not self._is_closed:
            self._is_to_tell = True
            self._loop.call_later(0.0, self._tell_all)

    def ask(self, hosts: Iterable[str], request: str, patience: float, done: Done) -> None:
        """Send a request to other hosts; `done` takes their answers after `patience` seconds at the latest."""
        names = [host for host in hosts if host in self.members.hosts]
        present = [host for host in names if self.members.hosts[host].presence == "present"]
        if self._questions.is_full:
            done(dict.fromkeys(names))
            return
        now = time.monotonic()

        def fill(answers: dict[str, str | None]) -> None:
            done({host: answers.get(host) for host in names})

        number = self._questions.ask(present, now, patience, fill)
        for host in present:
            self._say(host, Ask(number, request))
        self._loop.call_later(patience, lambda: self._questions.give_up(time.monotonic()))

    def is_understood(self) -> bool:
        """Tell whether every host that is there has the last table, so that this launcher may end."""
        return all(self._tables.is_read_by(host) for host in self.hosts if host.presence == "present")

    def lacks(self) -> tuple[str, ...]:
        """List the hosts that have not come yet, and hear here of a stop; none once the next start has begun."""
        if self._of_the_next or is_hearsay(self._crew.standing().stop, self.terms.host):
            return ()
        return tuple(host.name for host in self.hosts if host.presence == "absent")

    def close(self) -> None:
        """Say the last, and close the link."""
        if not self._is_closed:
            self._tell_all()
            self._is_closed = True
            self._questions.end()
            self._link.close()

    # ---- what is said to the others

    def _turn(self) -> None:
        if self._is_closed:
            return
        now = time.monotonic()
        self._link.pump()
        for host in self.members.look(now):
            message = (
                f"host `{host.name}` is lost: nothing was heard of it for more than {self.members.silence:g} s; "
                "the nodes here go on without it"
            )
            self._crew.tell("host_lost", message, host=host.name)
            self._crew.on_gathered()
        for name, host in self.members.hosts.items():
            self._repeat_table(host)
            self._beat(name)
            if host.presence == "present":
                self._say(name, Ping(time.time_ns()))
            elif host.presence != "ended":
                self._crew.on_silence(name, self.members.away_for(name, now))
        self._loop.call_later(PERIOD, self._turn)

    def _tell_all(self) -> None:
        self._is_to_tell = False
        if self._is_closed:
            return
        for name in self.members.hosts:
            self._renew_table(name)
            self._beat(name)

    def _renew_table(self, name: str) -> None:
        rows = () if name in self._of_the_next else self._crew.rows(name)
        if (table := self._tables.renew(name, rows)) is not None:
            self._say(name, table)

    def _repeat_table(self, host: Host) -> None:
        if (table := self._tables.unread(host)) is not None:
            self._say(host.name, table)

    def _beat(self, name: str) -> None:
        standing, host = self._crew.standing(), self.members.hosts[name]
        seen = self.far.seen(name, host.session)
        self._say(
            name,
            Beat(
                standing.phase,
                standing.has_started,
                standing.awaited,
                self._tables.revision(name),
                seen,
                host.session if host.presence in ("present", "ended") else "",
                None if name in self._of_the_next else standing.stop,
            ),
        )

    def _say(self, host: str, message: Message) -> None:
        if self._is_closed:
            return
        self._number += 1
        self._link.send(
            host, encode(Sender(self.terms.host, self.terms.session, self.terms.plan, self._number), message)
        )

    def _on_up(self, host: str) -> None:
        self._renew_table(host)
        self._repeat_table(self.members.hosts[host])
        self._beat(host)
        self._compare_clocks(host)  # what was asked before, when its first word came, was lost if it came earlier

    def _compare_clocks(self, host: str) -> None:
        for _ in range(FIRST_BURST):
            self._say(host, Ping(time.time_ns()))

    # ---- what the others say

    def _on_message(self, proved: str, data: bytes) -> None:
        try:
            sender, message = decode(data)
        except MessageError as error:
            self._trouble(proved, f"a launcher of host `{proved}` sent {error}" if proved else f"somebody sent {error}")
            return
        if sender.host != proved and not self.terms.insecure:
            self._trouble(proved, f"host `{proved}` has sent a message in the name of `{sender.host}`")
            return
        host, news = self.members.hear(sender, time.monotonic())
        if host is None:
            return
        if news is not None:
            self._greet(host, news)
        if news != "strange":
            self._take(host, message)

    def _greet(self, host: Host, news: News) -> None:
        if news == "strange":
            self._crew.tell(
                "host_strange",
                f"host `{host.name}` runs another build of this dataflow and is not joined: deploy the same bundle to "
                "all hosts",
                host=host.name,
            )
            return
        event, words = _WORDS[news]
        self._crew.tell(event, words.format(host.name), host=host.name)
        stop = self._crew.standing().stop
        if is_of_the_next(news, stop, self.terms.host, has_begun=bool(self._of_the_next)):
            self._of_the_next.add(host.name)  # it would be stopped by what is none of its start, or report it
        self._crew.on_life(host.name, host.session)
        self._clocks[host.name].forget()
        self.far.greet(host.name, host.session)
        self._compare_clocks(host.name)
        self._renew_table(host.name)
        self._repeat_table(host)
        self._beat(host.name)

    def _take(self, host: Host, message: Message) -> None:
        match message:
            case Beat():
                self._take_beat(host, message)
            case Table(revision=revision, nodes=rows):
                self._take_table(host, revision, rows)
            case Ping(sent_ns=sent):
                now = time.time_ns()
                self._say(host.name, Pong(sent, now, time.time_ns()))
            case Pong(asked_ns=asked, received_ns=received, sent_ns=sent):
                clock = self._clocks[host.name]
                if clock.take(asked, received, sent, time.time_ns()) and (estimate := clock.estimate) is not None:
                    self._crew.on_clock(host.name, estimate)
            case Ask(id=number, request=request):
                self._crew.on_request(request, partial(self._answer, host.name, number))
            case Answer(id=number, reply=reply):
                self._questions.take(number, host.name, reply)

    def _take_beat(self, host: Host, beat: Beat) -> None:
        heard_us = host.hears_us
        if self.members.take(host, beat, time.monotonic()) == "ended":
            event, words = _WORDS["ended"]
            self._crew.tell(event, words.format(host.name), host=host.name)
            for change in self.far.end_all(host.name):
                self._crew.on_far_change(change)
        has_started = self._crew.standing().has_started
        if beat.stop is not None and is_heeded(beat.stop, host, self.terms.host, has_started=has_started):
            self._crew.on_stop(beat.stop)
        if host.hears_us and not heard_us:
            self.change()
        self._crew.on_gathered()

    def _take_table(self, host: Host, revision: int, rows: tuple[NodeRow, ...]) -> None:
        for change in self.far.take(host.name, host.session, revision, rows):
            self._crew.on_far_change(change)
        self._beat(host.name)

    def _answer(self, host: str, number: int, reply: str) -> None:
        self._say(host, Answer(number, reply))

    def _trouble(self, matter: str, words: str) -> None:
        """Tell of trouble, the same not more often than once in a while."""
        if self._matters.is_to_tell(matter, words, time.monotonic()):
            self._crew.tell("host_refused", words)
