"""What may stand against handing a plan to an engine: names that come out alike, hosts without bounds.

Each target calls those that matter to it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doraflow.targeting.needs import host_needs

if TYPE_CHECKING:
    from doraflow.diagnostics import Sink, Span
    from doraflow.ir import Plan

_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")


def tell_same_names(plan: Plan, sink: Sink) -> None:
    """Report hosts whose names are one DNS label (DF863)."""
    first: dict[str, str] = {}
    for needs in host_needs(plan):
        other = first.setdefault(needs.label, needs.host)
        if other != needs.host:
            sink.error(
                "DF863",
                f"the hosts `{other}` and `{needs.host}` are both called `{needs.label}` as a DNS label, and one would "
                "take the other's place",
                _place_of(plan, needs.host),
                help=f"rename `{needs.host}` in `deploy` and in the inventory, in more than case and punctuation",
            )


def tell_labels(plan: Plan, sink: Sink) -> None:
    """Report labels of the inventory that no Pod can select a machine by (DF865)."""
    for host in plan.graph.hosts:
        for key, value in host.labels.items():
            if not (_LABEL.fullmatch(key) and (not value or _LABEL.fullmatch(value))):
                sink.error(
                    "DF865",
                    f"the label `{key}: {value}` of `{host.name}` cannot be one of a cluster's: key and value are up "
                    "to 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends",
                    host.span,
                    help="rename the label in the inventory and where nodes ask for it",
                )


def tell_without_room(plan: Plan, sink: Sink) -> None:
    """Report the hosts of which the inventory gives neither cores nor memory (DF864).

    The words are the same for each engine, so that a build for several tells it once; the page says what follows where.
    """
    bare = [needs.host for needs in host_needs(plan) if needs.cores is None and needs.memory is None]
    if bare:
        listed = ", ".join(f"`{host}`" for host in bare)
        sink.note(
            "DF864",
            f"the inventory gives neither `cores` nor `memory` of {listed}, so that no engine bounds what runs there",
            _place_of(plan, bare[0]),
            help=f"write them under `hosts`, such as `{bare[0]}: {{cores: 4, memory: 8GB}}`",
        )


def _place_of(plan: Plan, host: str) -> Span | None:
    """Find the text that names a host: its entry in the inventory, else the first node that asks for it."""
    for known in plan.graph.hosts:
        if known.name == host and known.span is not None:
            return known.span
    return next((node.machine_span for node in plan.graph.nodes if node.host == host), None)
