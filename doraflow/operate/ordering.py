"""Orders for single nodes, or for all: each goes to the host that has the node, through the host that is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.control.client import Client, RefusedError
from doraflow_runtime.control.messages import Done, Refusal

from doraflow.operate.asking import findings_of_control
from doraflow.operate.fleet import ask_host, ask_others, chosen_hosts, home_of, look, reasons

if TYPE_CHECKING:
    from doraflow_runtime.control.messages import Pause, Reply, Restart, Resume
    from doraflow_runtime.control.registry import FoundRun

    from doraflow.diagnostics import Sink


def order(run: FoundRun, request: Pause | Restart | Resume, host: str, timeout: float, sink: Sink) -> str | None:
    """Give an order to the host of its node, and say what was answered; None after a finding.

    A `host` that is named is the only one that is asked. Without a node the order is for all.
    """
    with findings_of_control(sink), Client(run.directory, timeout) as client:
        views = look(client, timeout, wants_metrics=False)
        own = views[0].host if views else ""
        if request.node or host:
            home = home_of(request.node, views, host) if request.node else chosen_hosts(views, host)[0].host
            reply = ask_host(client, own, home, request, timeout)
            words = reply.message if isinstance(reply, Done) else ""
            return f"{words} (on `{home}`)" if len(views) > 1 else words
        return _order_all(client, request, [view.host for view in views], timeout)
    return None


def _order_all(client: Client, request: Pause | Restart | Resume, hosts: list[str], timeout: float) -> str:
    """Give an order to all hosts. Raises RefusedError for those that cannot do it, when all were asked."""
    if len(hosts) < 2:
        reply = client.ask(request, timeout)
        return reply.message if isinstance(reply, Done) else ""
    replies = {hosts[0]: _ask_own(client, request, timeout), **ask_others(client, request, timeout)}
    refused = {host: each for host, each in replies.items() if isinstance(each, Refusal)}
    done = {host: each.message for host, each in replies.items() if isinstance(each, Done)}
    told = ", ".join(f"{each} on `{host}`" for host, each in done.items())
    if refused:
        mend = next((each.help for each in refused.values() if each.help), "")
        raise RefusedError("; ".join([*reasons(refused), *([f"done: {told}"] if told else [])]), mend)
    return told


def _ask_own(client: Client, request: Pause | Restart | Resume, timeout: float) -> Reply:
    """Give an order to the host that is asked, whose refusal is no reason to spare the others."""
    try:
        return client.ask(request, timeout)
    except RefusedError as error:
        return Refusal(str(error), error.help)
