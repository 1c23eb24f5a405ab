"""The hosts of a run, asked through the launcher of one of them: how each stands, and what each answers.

The launcher that is asked hands requests on over its link to the others; a run of one host has only itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow_runtime.control.client import Client, ControlError, RefusedError
from doraflow_runtime.control.far_messages import Answers, AskOthers
from doraflow_runtime.control.messages import (
    Answered,
    AskMetrics,
    AskStatus,
    MessageError,
    Metrics,
    Refusal,
    Status,
    decode_answer,
    encode_request,
)

from doraflow.operate.asking import findings_of_control

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from doraflow_runtime.control.messages import HostState, Reply, Request
    from doraflow_runtime.control.registry import FoundRun

    from doraflow.diagnostics import Sink

_MARGIN_SECONDS = 1.0
"""What the launcher that is asked may take beyond the patience with the others."""


@dataclass(frozen=True, slots=True)
class HostView:
    """A host of a run: what it says of itself, and what its launcher measures.

    `seen` is how the host that was asked sees it, None for that host itself. `trouble` is why it has no `status`.
    """

    host: str
    status: Status | None = None
    metrics: Metrics | None = None
    seen: HostState | None = None
    trouble: str = ""

    @property
    def state(self) -> str:
        """How far its run is, or why that is not known."""
        if self.status is not None:
            return self.status.state
        return self.seen.state if self.seen is not None else "unknown"

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that it is known to have."""
        return tuple(node.node for node in self.status.nodes) if self.status is not None else ()


def look(client: Client, timeout: float, *, wants_metrics: bool = True) -> tuple[HostView, ...]:
    """Ask all hosts how they stand, the one of the client first. Raises ControlError if that one does not answer."""
    own = client.ask(AskStatus(), timeout)
    if not isinstance(own, Status):
        return ()
    measured = _measured(client, timeout) if wants_metrics else None
    views = [HostView(own.run.host, own, measured)]
    if not own.hosts:
        return tuple(views)
    stands = ask_others(client, AskStatus(), timeout)
    metrics = ask_others(client, AskMetrics(), timeout) if wants_metrics else {}
    for seen in own.hosts:
        said, counted = stands.get(seen.host), metrics.get(seen.host)
        views.append(
            HostView(
                seen.host,
                said if isinstance(said, Status) else None,
                counted if isinstance(counted, Metrics) else None,
                seen,
                said.message if isinstance(said, Refusal) else "",
            )
        )
    return tuple(views)


def survey(run: FoundRun, timeout: float, sink: Sink, *, wants_metrics: bool = True) -> tuple[HostView, ...]:
    """Ask all hosts of a run how they stand; nothing after a finding."""
    with findings_of_control(sink), Client(run.directory, timeout) as client:
        return look(client, timeout, wants_metrics=wants_metrics)
    return ()


def ask_others(client: Client, request: Request, timeout: float, hosts: Iterable[str] = ()) -> dict[str, Reply]:
    """Send a request to other hosts, to all if none is named, and give their answers. Raises ControlError."""
    text = encode_request(1, request).decode()
    asked = AskOthers(text, tuple(hosts), int(timeout * 1000))
    reply = client.ask(asked, timeout + _MARGIN_SECONDS)
    answers = reply.hosts if isinstance(reply, Answers) else ()
    return {answer.host: _read(answer.reply) for answer in answers}


def ask_host(client: Client, own: str, host: str, request: Request, timeout: float) -> Reply:
    """Send a request to one host, `own` being that of the client. Raises ControlError, also if it is refused."""
    if host == own:
        return client.ask(request, timeout)
    reply = ask_others(client, request, timeout, [host]).get(host, Refusal(f"host `{host}` has not answered"))
    if isinstance(reply, Refusal):
        raise RefusedError(reply.message, reply.help)
    return reply


def reasons(refused: Mapping[str, Refusal]) -> list[str]:
    """Say for each host why it refuses, with its name: a launcher speaks of its nodes, and not of itself."""
    return [
        each.message if f"`{host}`" in each.message else f"`{host}`: {each.message}" for host, each in refused.items()
    ]


def home_of(node: str, views: Sequence[HostView], wanted: str) -> str:
    """Find the host of a node, which is to be `wanted` if that is given. Raises ControlError if there is none."""
    chosen = chosen_hosts(views, wanted)
    found = next((view.host for view in chosen if node in view.nodes), "")
    if found:
        return found
    silent = [f"`{view.host}` ({view.state})" for view in chosen if view.status is None]
    if silent and not wanted:
        raise RefusedError(
            f"no host that answers has a node `{node}`, and these do not answer: {', '.join(silent)}",
            "see with `doraflow status` which hosts are there",
        )
    if silent:
        raise RefusedError(f"host `{wanted}` does not answer: {chosen[0].trouble or chosen[0].state}")
    known = [name for view in chosen for name in view.nodes]
    elsewhere = next((view.host for view in views if node in view.nodes), "")
    if elsewhere:
        raise RefusedError(
            f"`{node}` does not run on host `{wanted}`, but on `{elsewhere}`", f"write `--host {elsewhere}`"
        )
    raise unknown(f"there is no node `{node}` in this run; its nodes are", node, known)


def chosen_hosts(views: Sequence[HostView], wanted: str) -> tuple[HostView, ...]:
    """Keep the host that is wanted, or all where none is named. Raises ControlError for one that there is not."""
    if not wanted:
        return tuple(views)
    found = tuple(view for view in views if view.host == wanted)
    if not found:
        raise unknown(f"the run has no host `{wanted}`; its hosts are", wanted, [view.host for view in views])
    return found


def unknown(message: str, name: str, known: Sequence[str]) -> RefusedError:
    """Refuse a name that there is not, and list those that there are, the closest first."""
    from doraflow.parser.suggest import choices_text, nearest

    near = nearest(name, tuple(known))
    return RefusedError(
        f"{message}: {choices_text(name, tuple(known))}", f"to name the closest, write `{near[0]}`" if near else ""
    )


def _measured(client: Client, timeout: float) -> Metrics | None:
    try:
        reply = client.ask(AskMetrics(), timeout)
    except RefusedError:
        return None  # a run that measures nothing is told without metrics
    return reply if isinstance(reply, Metrics) else None


def _read(text: str) -> Reply:
    try:
        said = decode_answer(text.encode())
    except MessageError as error:
        return Refusal(f"it answered with {error}")
    return said.reply if isinstance(said, Answered) else Refusal("it answered with news")


__all__ = [
    "ControlError",
    "HostView",
    "ask_host",
    "ask_others",
    "chosen_hosts",
    "home_of",
    "look",
    "reasons",
    "survey",
]
