"""References to edges: every input that names a node's output, or why it cannot.

One wrong reference is one diagnostic; the edge is then left out and the passes go on with the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow.analysis.node_names import NodeNames
from doraflow.diagnostics import Label
from doraflow.ir import Edge, LogSubscription, PortReference
from doraflow.parser.suggest import Choices
from doraflow.parser.timers import timer_meant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.diagnostics import Sink
    from doraflow.ir import Input, Node


@dataclass(frozen=True, slots=True)
class Unread:
    """What could not be read of a dataflow, so that a reference to it may be right.

    `nodes` are the ids of nodes that are missing, `outputs` those of nodes that may have more outputs; `nameless` tells
    that a node is missing whose id is not known.
    """

    nodes: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    nameless: bool = False


NOTHING_UNREAD = Unread()


@dataclass(frozen=True, slots=True)
class _Names:
    """All that can be referred to: nodes by id, and of each node its outputs by the names they can be read under.

    `operators` leads from an operator to the first node that has one of this id, `inner` from what a node is called
    inside its module to the first node that is called so.
    Of two nodes with one id the first is listed, with the outputs of both.
    """

    nodes: Mapping[str, Node]
    outputs: Mapping[str, Mapping[str, str]]
    operators: Mapping[str, str]
    inner: Mapping[str, str]
    unread: Unread
    known: NodeNames
    own_operators: Mapping[str, Choices]
    pairs: frozenset[tuple[str, str]]
    _ports: dict[tuple[str, bool], Choices] = field(default_factory=dict)

    def ports(self, node: str, *, in_full: bool = False) -> Choices:
        """Give the outputs of a node as a user writes them, or all names under which they can be read."""
        found = self._ports.get((node, in_full))
        if found is None:
            known = self.outputs[node]
            short = () if in_full else tuple(name for name, output in known.items() if name != output)
            found = self._ports[node, in_full] = Choices(short or tuple(known))
        return found


@dataclass(frozen=True, slots=True)
class _Reader:
    """An input that refers to a node, with the node that has it."""

    node: Node
    port: Input
    wanted: PortReference

    def spoken(self, node_id: str) -> str:
        """Give a node's id as it is written where the reference stands, which may be inside a module."""
        return node_id.removeprefix(self.port.scope)


def resolve(nodes: Sequence[Node], sink: Sink, unread: Unread = NOTHING_UNREAD) -> tuple[Edge, ...]:
    """Connect the inputs of `nodes` to the outputs they name, in the order of the file."""
    names = _names(nodes, unread)
    edges = []
    for node in nodes:
        if sink.is_flooded:
            break
        for port in node.inputs:
            if isinstance(port.source, LogSubscription):
                _check_log(node, port, port.source, names, sink)
            if isinstance(port.source, PortReference):
                output = _find(_Reader(node, port, port.source), names, sink)
                if output is not None:
                    edges.append(Edge(port.source.node, output, node.id, port.id, port.source_span))
    return tuple(edges)


def _names(nodes: Sequence[Node], unread: Unread) -> _Names:
    by_id: dict[str, Node] = {}
    outputs: dict[str, dict[str, str]] = {}
    for node in nodes:
        by_id.setdefault(node.id, node)
        outputs.setdefault(node.id, {}).update(_output_names(node))
    own = {node.id: Choices(several) for node in nodes if (several := _several_operators(node))}
    pairs = frozenset((node, operator) for node, choices in own.items() for operator in choices.names)
    operators = {operator.id: node.id for node in reversed(nodes) for operator in node.operators if not operator.sole}
    inner = {node.id.rpartition(".")[2]: node.id for node in reversed(nodes) if "." in node.id}
    return _Names(by_id, outputs, operators, inner, unread, NodeNames(Choices(tuple(by_id))), own, pairs)


def _several_operators(node: Node) -> tuple[str, ...]:
    return tuple(operator.id for operator in node.operators if not operator.sole)


def _output_names(node: Node) -> dict[str, str]:
    """Map each name under which an output can be read to the output's id: those of a sole operator have two."""
    full = {output.id: output.id for output in node.outputs}
    prefixes = tuple(f"{operator.id}/" for operator in node.operators if operator.sole)
    short = {name.removeprefix(prefix): name for prefix in prefixes for name in full}
    return {**short, **full}


def _find(reader: _Reader, names: _Names, sink: Sink) -> str | None:
    producer = names.nodes.get(reader.wanted.node)
    if producer is None:
        if not (names.unread.nameless or reader.wanted.node in names.unread.nodes):
            _tell_unknown_node(reader, names, sink)
        return None
    output = names.outputs[producer.id].get(reader.wanted.port)
    if (
        output is None
        and producer.id not in names.unread.outputs
        and not _tell_unknown_operator(reader, producer, names, sink)
    ):
        _tell_unknown_output(reader, producer, names, sink)
    return output


def _tell_unknown_node(reader: _Reader, names: _Names, sink: Sink) -> None:
    wanted, scope = reader.wanted, reader.port.scope
    near = names.known.near(wanted.node, scope)
    timer = timer_meant(f"{wanted.node}/{wanted.port}")
    if timer is not None:
        message = f"there is no node `{wanted.node}`; a timer is `dora/timer/UNIT/N`"
        label = f"read by `{reader.node.id}`"
        sink.error("DF203", message, reader.port.source_span, label=label, help=f"write `{timer}`", replacement=timer)
        return
    closest = _another_order(reader, names) or _closest(reader, near, names)
    sink.error(
        "DF203",
        f"there is no node `{wanted.node}`; the nodes are {names.known.text(near, scope)}",
        reader.port.source_span,
        label=f"read by `{reader.node.id}`",
        related=[Label(closest.node.span, "the closest node is here")] if closest is not None else [],
        help=f"{closest.words} `{closest.reference}`"
        if closest is not None
        else f"add a node with the id `{wanted.node}`, or read from one of these",
        replacement=closest.reference if closest is not None and closest.is_exact else None,
    )


@dataclass(frozen=True, slots=True)
class _Closest:
    """What a reference to no node was meant to be; `is_exact` tells that it leads to an output."""

    node: Node
    words: str
    reference: str
    is_exact: bool = True


def _another_order(reader: _Reader, names: _Names) -> _Closest | None:
    """Say what to write where all names are right, but stand in the wrong order or lack the node before them."""
    wanted = reader.wanted
    if names.outputs.get(wanted.port, {}).get(wanted.node) is not None:
        reference = f"{reader.spoken(wanted.port)}/{wanted.node}"
        return _Closest(names.nodes[wanted.port], "the node stands first: write", reference)
    full = f"{wanted.node}/{wanted.port}"
    owner = names.operators.get(wanted.node)
    if owner is not None and full in names.outputs[owner]:
        words = f"`{wanted.node}` is an operator of `{owner}`: write"
        return _Closest(names.nodes[owner], words, f"{reader.spoken(owner)}/{full}")
    return None


def _closest(reader: _Reader, near: Sequence[str], names: _Names) -> _Closest | None:
    """Choose among the nodes near to a reference the first that has the output, or one like it."""
    wanted, scope = reader.wanted, reader.port.scope
    words = "to read from the closest node, write"
    nodes = [names.nodes.get(f"{scope}{name}") or names.nodes[name] for name in near]
    if not nodes and wanted.node in names.inner:
        words = "to read from the node inside the module, write"
        nodes = [names.nodes[names.inner[wanted.node]]]
    if not nodes:
        return None
    node = next((node for node in nodes if wanted.port in names.outputs[node.id]), nodes[0])
    known = names.outputs[node.id]
    port = wanted.port if wanted.port in known else next(iter(names.ports(node.id).near(wanted.port)), wanted.port)
    return _Closest(node, words, f"{reader.spoken(node.id)}/{port}", port in known)


def _tell_unknown_operator(reader: _Reader, producer: Node, names: _Names, sink: Sink) -> bool:
    """Report a reference whose operator does not exist; False where the operator is not what is wrong."""
    operators = names.own_operators.get(producer.id)
    name, slash, rest = reader.wanted.port.partition("/")
    if operators is None or (producer.id, name) in names.pairs:
        return False
    node = reader.spoken(producer.id)
    near = operators.near(name)
    listed = operators.text(near)
    if slash:
        message = f"`{producer.id}` has no operator `{name}`; its operators are {listed}"
        meant = f"{node}/{near[0]}/{rest}" if near else None
        mend = f"to read from the closest operator, write `{meant}`" if meant else None
    else:
        outputs = names.outputs[producer.id]
        senders = [operator for operator in operators.names if f"{operator}/{name}" in outputs]
        message = f"`{node}/{name}` names none of the operators of `{producer.id}`, which are {listed}"
        meant = f"{node}/{(senders or operators.names)[0]}/{name}"
        mend = f"write `{meant}`"
    sink.error(
        "DF205",
        message,
        reader.port.source_span,
        label=f"read by `{reader.node.id}`",
        related=[Label(producer.span, "the node is here")],
        help=mend or f"add an operator with the id `{name}`, or read from one of these",
        replacement=meant,
    )
    return True


def _tell_unknown_output(reader: _Reader, producer: Node, names: _Names, sink: Sink) -> None:
    wanted, node = reader.wanted.port, reader.spoken(producer.id)
    choices = names.ports(producer.id)
    near = choices.near(wanted) or names.ports(producer.id, in_full=True).near(wanted)
    meant = f"{node}/{near[0]}" if near else None
    if meant:
        mend = f"to read the closest output, write `{meant}`"
    else:
        mend = f"add `{wanted}` to the outputs of `{producer.id}`" + (
            ", or read one of its own" if choices.names else ""
        )
    sink.error(
        "DF204",
        f"`{producer.id}` has no output `{wanted}`",
        reader.port.source_span,
        label=f"read by `{reader.node.id}`",
        related=[Label(producer.span, f"declares {choices.text(near)}" if choices.names else "declares no outputs")],
        help=mend,
        replacement=meant,
    )


def _check_log(node: Node, port: Input, source: LogSubscription, names: _Names, sink: Sink) -> None:
    """Warn of a log subscription to a node that does not exist: nothing would ever arrive."""
    if source.node is None or source.node in names.nodes or source.node in names.unread.nodes or names.unread.nameless:
        return
    near = names.known.near(source.node)
    meant = f"dora/logs/{source.level}/{near[0]}" if near else None
    sink.warning(
        "DF203",
        f"there is no node `{source.node}`, so `{port.id}` of `{node.id}` gets nothing; "
        f"the nodes are {names.known.text(near)}",
        port.source_span,
        help=f"to read the log of the closest node, write `{meant}`"
        if meant
        else f"add a node with the id `{source.node}`, or read the log of another one",
        replacement=meant,
    )
