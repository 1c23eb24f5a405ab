"""The lock against the dataflow: what it pins for this compilation, and where the two have drifted apart.

Placement itself heeds the pins, in `doraflow.analysis.placement`; nothing is read or written here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow.analysis.placement.demand import machines
from doraflow.diagnostics import Label
from doraflow.ir import Pin

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from doraflow.diagnostics import Sink, Span
    from doraflow.ir import Graph
    from doraflow.parser.lock import Section

_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Facts:
    """What a lock is held against: the files by path with their digests, and who asks for them, where that is known.

    `lock` is the path of the lock file, `dataflow` that of the dataflow, as messages show them, `options` what
    `doraflow lock` has to be given beside it.
    """

    lock: str
    dataflow: str
    files: Mapping[str, str]
    asked: Mapping[str, Label] = field(default_factory=dict)
    options: str = ""

    @property
    def mend(self) -> str:
        """What brings the lock up to date."""
        return f"run `doraflow lock {self.dataflow}{self.options}`, and commit what changes"


def pins_of(section: Section, freed: Collection[str], *, is_firm: bool) -> dict[str, Pin]:
    """Give the machines that a section of a lock has, by node; those of the nodes in `freed` are let go."""
    return {
        node: Pin(pinned.value, pinned.span, is_firm) for node, pinned in section.placement.items() if node not in freed
    }


def chosen_hosts(graph: Graph) -> dict[str, str] | None:
    """Give the machine of each node that names none, in the order of the file; None where there is no choice."""
    if not graph.knows_machines or len(machines(graph)) < 2:
        return None
    return {node.id: node.host for node in graph.nodes if node.machine is None}


def check_firm(graph: Graph, section: Section, facts: Facts, sink: Sink) -> None:
    """Report firm pins to machines that there are not, and nodes placed by choice that have no pin."""
    _check_lacking(graph, section, facts, sink)
    known = machines(graph)
    for node in graph.nodes:
        pin = graph.pins.get(node.id)
        if pin is not None and pin.is_firm and node.machine is None and pin.host not in known:
            sink.error(
                "DF894",
                f"the lock has `{node.id}` on `{pin.host}`, and there is no such machine",
                pin.span,
                related=[Label(node.span, f"`{node.id}` names no machine")],
                help="give the inventory with `--inventory`, or leave out `--frozen`",
            )


def _check_lacking(graph: Graph, section: Section, facts: Facts, sink: Sink) -> None:
    lacking = [name for name in chosen_hosts(graph) or () if name not in section.placement]
    if not lacking:
        return
    listed = ", ".join(f"`{name}`" for name in lacking[1 : _MOST_NAMED + 1])
    more = f" and {len(lacking) - 1 - _MOST_NAMED} more" if len(lacking) > _MOST_NAMED + 1 else ""
    sink.error(
        "DF897",
        f"`{lacking[0]}` is placed by choice, and `{facts.lock}` does not say where",
        graph.node(lacking[0]).span,
        notes=[f"nor does it say so of {listed}{more}"] if len(lacking) > 1 else (),
        help=f"{facts.mend}, or name a machine at the node: `deploy: {{machine: NAME}}`",
    )


def check_unpinned(graph: Graph, facts: Facts, sink: Sink) -> None:
    """Report that there is no lock where one is asked for, if anything were to be pinned."""
    chosen = list(chosen_hosts(graph) or ())
    if chosen:
        others = f"{len(chosen) - 1} other node{'s' if len(chosen) > 2 else ''}"
        sink.error(
            "DF892",
            f"`{chosen[0]}` is placed by choice, and there is no `{facts.lock}` that says where",
            graph.node(chosen[0]).span,
            notes=[f"nor is it said of {others}"] if len(chosen) > 1 else (),
            help=facts.mend,
        )


def check_drift(graph: Graph, section: Section, facts: Facts, sink: Sink) -> None:
    """Report every entry of a lock that is not what the dataflow gives now; a node that moved is told as such."""
    _check_placement(graph, section, facts, sink)
    for path, digest in facts.files.items():
        pinned = section.files.get(path)
        asked = facts.asked.get(path)
        related = [asked] if asked is not None else []
        if pinned is None:
            place = asked.span if asked is not None else None
            _tell(f"`{path}` is not in `{facts.lock}`", place, facts, sink)
        elif pinned.value != digest:
            message = f"`{path}` is not the file that `{facts.lock}` was made with"
            _tell(message, pinned.span, facts, sink, related)
    for path, pinned in section.files.items():
        if path not in facts.files:
            _tell(f"`{facts.lock}` pins `{path}`, which the dataflow does not read", pinned.span, facts, sink)


def _check_placement(graph: Graph, section: Section, facts: Facts, sink: Sink) -> None:
    chosen = chosen_hosts(graph)
    if chosen is None:
        for name, pinned in [*section.placement.items()][:1]:
            message = f"`{facts.lock}` has `{name}` on `{pinned.value}`, and there are no machines to choose from"
            sink.error("DF891", message, pinned.span, help="give the inventory with `--inventory`, or remove the lock")
        return
    for name, host in chosen.items():
        if name not in section.placement:
            message = f"`{name}` is placed on `{host}`, and not in `{facts.lock}`"
            _tell(message, graph.node(name).span, facts, sink)
    named = {node.id: node for node in graph.nodes}
    for name, pinned in section.placement.items():
        node = named.get(name)
        if node is None:
            _tell(f"`{facts.lock}` pins `{name}`, which is no node of the dataflow", pinned.span, facts, sink)
        elif node.machine is not None:
            message = f"`{facts.lock}` pins `{name}`, which names its machine itself: `{node.machine}`"
            related = [Label(node.machine_span, "named here")] if node.machine_span is not None else []
            _tell(message, pinned.span, facts, sink, related)


def _tell(message: str, span: Span | None, facts: Facts, sink: Sink, related: Collection[Label] = ()) -> None:
    sink.error("DF891", message, span, related=related, help=facts.mend)
