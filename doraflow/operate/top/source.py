"""Where the screen gets what it shows: all living runs, asked over their control sockets, and their logs.

One thread looks, others may act: a look uses connections of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from doraflow_runtime.control.client import Client, ControlError
from doraflow_runtime.control.messages import AskMetrics, AskStatus, Done, Metrics, Status

from doraflow.operate.choosing import known_runs
from doraflow.operate.fleet import HostView, ask_host, ask_others

if TYPE_CHECKING:
    from doraflow_runtime.control.messages import Request
    from doraflow_runtime.control.registry import FoundRun

ANSWER_SECONDS = 2.0
OTHERS_SECONDS = 1.5
"""For the launchers of other hosts: a look is to be over before the next one is due, as far as that can be."""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it is shown; `trouble` says why it could not be asked, and then the rest is what was known before.

    `status` and `metrics` are those of the host that is asked, `others` what the other hosts of the run say.
    """

    name: str
    dataflow: str
    logs: str
    nodes: int
    started: str
    status: Status | None = None
    metrics: Metrics | None = None
    trouble: str = ""
    others: tuple[HostView, ...] = ()

    @property
    def hosts(self) -> tuple[HostView, ...]:
        """All hosts of the run, the one that is asked first."""
        own = self.status.run.host if self.status is not None else ""
        return (HostView(own, self.status, self.metrics), *self.others)


class Source(Protocol):
    """What the screen needs of the world."""

    def look(self) -> tuple[RunView, ...]:
        """Ask all runs how they stand."""

    def act(self, run: str, request: Request, host: str = "") -> str:
        """Ask a run, or one host of it, to do something; give what it answered, or why it will not."""

    def log(self, run: RunView, node: str, text: str, count: int) -> list[tuple[str, str]]:
        """Give the last lines that hold `text` of a node's log, or of all, each with its level; the newest last."""

    def close(self) -> None:
        """Hang up."""


class LiveSource:
    """The runs of this user on this machine."""

    def __init__(self) -> None:
        self._clients: dict[str, Client] = {}
        self._measured: dict[str, Metrics] = {}

    def look(self) -> tuple[RunView, ...]:
        """Ask all runs how they stand."""
        living = [run for run in known_runs() if run.is_alive]
        for name in self._clients.keys() - {run.name for run in living}:
            self._clients.pop(name).close()
            self._measured.pop(name, None)
        return tuple(self._view(run) for run in living)

    def act(self, run: str, request: Request, host: str = "") -> str:
        """Ask a run, or one host of it, to do something; give what it answered, or why it will not."""
        found = next((found for found in known_runs() if found.name == run), None)
        if found is None:
            return f"`{run}` has ended"
        try:
            with Client(found.directory, ANSWER_SECONDS) as client:
                own = found.facts.host
                reply = ask_host(client, own, host or own, request, ANSWER_SECONDS)
        except ControlError as error:
            return str(error)
        return reply.message if isinstance(reply, Done) else ""

    def log(self, run: RunView, node: str, text: str, count: int) -> list[tuple[str, str]]:
        """Give the last lines that hold `text` of a node's log, or of all, each with its level; the newest last."""
        from doraflow.logs.folders import read_run
        from doraflow.logs.query import Query
        from doraflow.logs.reader import ends_of, read_last

        try:
            folder = read_run(Path(run.logs))
            query = Query(nodes=(node,) if node else (), text=text)
            records = read_last(folder, query, count, ends_of(folder))
        except OSError as error:
            return [("error", f"the logs cannot be read: {error.strerror}")]
        return [
            (record.level, f"{record.timestamp[11:23]} {record.node} {line}")
            for record in records
            for line in record.lines()
        ]

    def close(self) -> None:
        """Hang up."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _view(self, run: FoundRun) -> RunView:
        facts = run.facts
        known = RunView(facts.name, facts.dataflow, facts.logs, facts.nodes, facts.started)
        try:
            client = self._clients.get(run.name)
            if client is None:
                client = self._clients[run.name] = Client(run.directory, ANSWER_SECONDS)
            client.subscribe("metrics")
            while (news := client.next_news(0.0)) is not None:
                if isinstance(news, Metrics):
                    self._measured[run.name] = news
            status = client.ask(AskStatus())
            others = _others(client, status) if isinstance(status, Status) and status.hosts else ()
        except ControlError as error:
            if (client := self._clients.pop(run.name, None)) is not None:
                client.close()
            return RunView(known.name, known.dataflow, known.logs, known.nodes, known.started, trouble=str(error))
        told = status if isinstance(status, Status) else None
        measured = self._measured.get(run.name)
        return RunView(
            known.name, known.dataflow, known.logs, known.nodes, known.started, told, measured, others=others
        )


def _others(client: Client, status: Status) -> tuple[HostView, ...]:
    """Ask the other hosts of a run. Raises ControlError."""
    stands = ask_others(client, AskStatus(), OTHERS_SECONDS)
    counted = ask_others(client, AskMetrics(), OTHERS_SECONDS)
    views = []
    for seen in status.hosts:
        said, metrics = stands.get(seen.host), counted.get(seen.host)
        views.append(
            HostView(
                seen.host,
                said if isinstance(said, Status) else None,
                metrics if isinstance(metrics, Metrics) else None,
                seen,
            )
        )
    return tuple(views)
