"""Nodes bound to the same processor cores of one host.

One list of several cores for several nodes is a pool that they share on purpose, and so is one core for three nodes or
more; two nodes on one core are mostly a slip of copying. Lists that only overlap are a note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.diagnostics import Label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.diagnostics import Sink
    from doraflow.ir import Graph, Node

MOST_BY_MISTAKE = 2
"""Nodes on one core that are still taken for a mistake."""


def check_affinity(graph: Graph, sink: Sink) -> Graph:
    """Report nodes that are in each other's way; the graph is returned as it is."""
    on_host: dict[str, dict[frozenset[int], list[Node]]] = {}
    for node in graph.nodes:
        if node.cpu_affinity:
            on_host.setdefault(node.host, {}).setdefault(frozenset(node.cpu_affinity), []).append(node)
        elif node.affinity_span is not None:
            _tell_empty(node, sink)
    for groups in on_host.values():
        for cores, nodes in groups.items():
            if len(cores) == 1 and len(nodes) == MOST_BY_MISTAKE:
                _tell_same(nodes, sink)
        _check_overlaps(groups, sink)
    return graph


def _check_overlaps(groups: Mapping[frozenset[int], Sequence[Node]], sink: Sink) -> None:
    """Note lists that overlap with an earlier one, once each; of two pools one may lie in the other."""
    first: dict[int, frozenset[int]] = {}
    for cores, nodes in groups.items():
        met = [(core, first[core]) for core in sorted(cores) if core in first]
        clash = next(((core, other) for core, other in met if not _is_pool_in_pool(cores, other)), None)
        if clash is not None:
            _tell_overlap(groups[clash[1]][0], nodes[0], clash[0], sink)
        for core in cores:
            first.setdefault(core, cores)


def _is_pool_in_pool(cores: frozenset[int], other: frozenset[int]) -> bool:
    return min(len(cores), len(other)) > 1 and (other <= cores or cores <= other)


def _tell_same(nodes: Sequence[Node], sink: Sink) -> None:
    first, second = nodes
    core = second.cpu_affinity[0]
    sink.warning(
        "DF504",
        f"`{second.id}` is bound to core {core} of `{second.host}`, and so is `{first.id}`: while one runs, the other "
        "waits, whatever the other cores do",
        second.affinity_span or second.span,
        related=[Label(first.affinity_span or first.span, f"`{first.id}` is bound to core {core} here")],
        help="give one of them another core",
    )


def _tell_overlap(first: Node, second: Node, core: int, sink: Sink) -> None:
    sink.note(
        "DF504",
        f"`{second.id}` may run on core {core} of `{second.host}`, and so may `{first.id}`, while their other cores "
        "differ",
        second.affinity_span or second.span,
        related=[Label(first.affinity_span or first.span, f"`{first.id}` may run on core {core} by this list")],
        help=f"take {core} out of one of the lists, or give both nodes the same list",
    )


def _tell_empty(node: Node, sink: Sink) -> None:
    sink.warning(
        "DF506",
        f"an empty `cpu_affinity` binds `{node.id}` to no core, so it may run on all, as without it",
        node.affinity_span,
        help="name the cores, or remove `cpu_affinity`",
    )
