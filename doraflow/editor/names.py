"""Names where they stand: every place of a file that names a node, operator, port, type or file, and what it names.

One walk lists them all, so that definition, references and rename agree. Nothing here looks outside the file; what
lies behind a name elsewhere is for `doraflow.editor.definition`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from doraflow.editor.outline import entries_of
from doraflow.parser.module_ports import MODULE_SOURCE
from doraflow.parser.syntax import MappingNode, ScalarNode, items_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from doraflow.diagnostics import Span
    from doraflow.editor.outline import NodeOutline, Outline, Ports
    from doraflow.editor.positions import Place
    from doraflow.parser.syntax import SyntaxNode

_QUOTES = 2


class NameKind(StrEnum):
    """What a name names."""

    NODE = "node"
    OPERATOR = "operator"
    OUTPUT = "output"
    INPUT = "input"
    HEADER_INPUT = "input of the module"
    TYPE = "type"
    MACHINE = "machine"
    MODULE = "module file"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Name:
    """Something that is named: `owner` is the id of the node that a port or operator belongs to.

    The output or input of an operator has the operator's id and `/` before its `text`.
    """

    kind: NameKind
    text: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A place where a name stands: `start` and `end` are where it begins and ends in the text of `scalar`."""

    name: Name
    scalar: ScalarNode
    start: int
    end: int
    is_definition: bool = False

    @property
    def span(self) -> Span:
        """The name in its file; all of the scalar where that is escaped."""
        span, column = self.scalar.span, verbatim_column(self.scalar)
        if column is None or self.end - self.start == span.end_column - span.column:
            return span
        return replace(span, column=column + self.start, end_column=column + self.end)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What sources are read against: the nodes of the file by their ids, and whether it is a module."""

    nodes: Mapping[str, NodeOutline]
    is_module: bool


def names_in(outline: Outline) -> Iterator[Occurrence]:
    """List all names of a file, in no order to rely on."""
    scope = _Scope({node.name: node for node in reversed(outline.nodes)}, outline.header is not None)
    for node in outline.nodes:
        yield from _of_node(node, scope)
    for change in outline.changed:
        yield from (replace(each, is_definition=False) for each in _of_node(change, scope))
    yield from _of_header(outline)
    tree = outline.tree
    for entry in entries_of(tree.get("hosts")):
        yield _whole(Name(NameKind.MACHINE, entry.key.text), entry.key, is_definition=True)
    yield from _machine(tree.get("deploy"))
    for rule in items_of(tree.get("type_rules")):
        for entry in entries_of(rule):
            yield from _scalar_name(NameKind.TYPE, entry.value)


def name_at(names: Iterable[Occurrence], place: Place) -> Occurrence | None:
    """Find the name at a place; of two that touch there the one that begins there."""
    found = [each for each in names if place.within(each.scalar.span) and place.within(each.span)]
    return max(found, key=lambda each: (each.span.line, each.span.column), default=None)


def occurrences(names: Iterable[Occurrence], name: Name) -> list[Occurrence]:
    """List the places where a name stands, in the order of the file and each once."""
    found = {each.span: each for each in names if each.name == name}
    return sorted(found.values(), key=lambda each: each.span)


def _of_node(node: NodeOutline, scope: _Scope) -> Iterator[Occurrence]:
    if node.id is not None:
        yield _whole(Name(NameKind.NODE, node.name), node.id, is_definition=True)
    for operator in node.operators:
        if operator.id is not None:
            yield _whole(Name(NameKind.OPERATOR, operator.name, node.name), operator.id, is_definition=True)
    for prefix, ports in node.holders():
        yield from _of_ports(node, prefix, ports, scope)
        for value in _files(ports.syntax):
            yield from _scalar_name(NameKind.FILE, value)
    if node.module is not None:
        yield _whole(Name(NameKind.MODULE, node.module.text), node.module)
    yield from _machine(node.syntax.get("deploy"))


def _of_ports(node: NodeOutline, prefix: str, ports: Ports, scope: _Scope) -> Iterator[Occurrence]:
    def port(kind: NameKind, scalar: ScalarNode, *, is_definition: bool = False) -> Occurrence:
        return _whole(Name(kind, prefix + scalar.text, node.name), scalar, is_definition=is_definition)

    for line in ports.inputs:
        yield port(NameKind.INPUT, line.id, is_definition=True)
        if line.source is not None:
            yield from _of_source(line.source, scope)
    for output in ports.outputs:
        yield port(NameKind.OUTPUT, output, is_definition=True)
    for key, kind in _PORT_MAPS:
        for entry in ports.entries(key):
            yield port(kind, entry.key)
            if key.endswith("_types"):
                yield from _scalar_name(NameKind.TYPE, entry.value)
    for holder, key, kind in _port_values(ports.syntax):
        value = holder.get(key)
        if isinstance(value, ScalarNode) and value.value is not None:
            yield port(kind, value)


_PORT_MAPS = (
    ("input_types", NameKind.INPUT),
    ("output_types", NameKind.OUTPUT),
    ("output_framing", NameKind.OUTPUT),
    ("output_metadata", NameKind.OUTPUT),
)


def _port_values(syntax: MappingNode) -> Iterator[tuple[MappingNode, str, NameKind]]:
    """List the keys whose value is the id of a port."""
    yield syntax, "send_stdout_as", NameKind.OUTPUT
    yield syntax, "send_logs_as", NameKind.OUTPUT
    bridge = syntax.get("ros2")
    for topic in items_of(bridge.get("topics")) if isinstance(bridge, MappingNode) else ():
        if isinstance(topic, MappingNode):
            yield topic, "output", NameKind.OUTPUT
            yield topic, "input", NameKind.INPUT


def _files(syntax: MappingNode) -> Iterator[SyntaxNode | None]:
    for key in ("path", "python", "shared-library", "wasm"):
        value = syntax.get(key)
        yield value.get("source") if isinstance(value, MappingNode) else value


def _of_source(source: ScalarNode, scope: _Scope) -> Iterator[Occurrence]:
    text = source.text
    head, slash, port = text.partition("/")
    if head == "dora":
        if text.startswith("dora/logs/") and text.count("/") == _SLASHES_OF_LOGS:
            start = text.rindex("/") + 1
            yield _part(Name(NameKind.NODE, text[start:]), source, start, len(text))
        return
    if head == MODULE_SOURCE and scope.is_module:
        yield _part(Name(NameKind.HEADER_INPUT, port), source, len(head) + 1, len(text))
        return
    node = scope.nodes.get(head)
    outer = head.partition(".")[0]
    if node is None and outer != head and (including := scope.nodes.get(outer)) is not None and including.module:
        yield _part(Name(NameKind.NODE, outer), source, 0, len(outer))
        yield _part(Name(NameKind.OUTPUT, port, head), source, len(head) + 1, len(text))
        return
    yield _part(Name(NameKind.NODE, head), source, 0, len(head))
    if slash:
        yield from _of_port(port, len(head) + 1, source, node, head)


_SLASHES_OF_LOGS = 3


def _of_port(port: str, start: int, source: ScalarNode, node: NodeOutline | None, head: str) -> Iterator[Occurrence]:
    """Take the part of a source after the node apart: an output, or an operator and its output."""
    operators = {operator.name: operator for operator in node.operators} if node is not None else {}
    declared = {output.text for output in node.ports.outputs} if node is not None else set()
    first, slash, _ = port.partition("/")
    if slash and first in operators and port not in declared:
        yield _part(Name(NameKind.OPERATOR, first, head), source, start, start + len(first))
        yield _part(Name(NameKind.OUTPUT, port, head), source, start + len(first) + 1, len(source.text))
        return
    sole = next((operator for operator in operators.values() if operator.sole), None)
    canonical = f"{sole.name}/{port}" if sole is not None and port not in declared else port
    yield _part(Name(NameKind.OUTPUT, canonical, head), source, start, len(source.text))


def _of_header(outline: Outline) -> Iterator[Occurrence]:
    """List a module's own ports: its inputs, and its outputs as references to those inside."""
    for entry in outline.inputs:
        yield _whole(Name(NameKind.HEADER_INPUT, entry.text), entry, is_definition=True)
    senders: dict[str, Name] = {}
    for node in outline.nodes:
        for prefix, ports in node.holders():
            for output in ports.outputs:
                senders.setdefault(output.text, Name(NameKind.OUTPUT, prefix + output.text, node.name))
    for entry in outline.outputs:
        yield _whole(senders.get(entry.text, Name(NameKind.OUTPUT, entry.text)), entry)


def _machine(deploy: SyntaxNode | None) -> Iterator[Occurrence]:
    if isinstance(deploy, MappingNode):
        yield from _scalar_name(NameKind.MACHINE, deploy.get("machine"))


def _scalar_name(kind: NameKind, value: SyntaxNode | None) -> Iterator[Occurrence]:
    if isinstance(value, ScalarNode) and value.value is not None:
        yield _whole(Name(kind, value.text), value)


def _whole(name: Name, scalar: ScalarNode, *, is_definition: bool = False) -> Occurrence:
    return _part(name, scalar, 0, len(scalar.text), is_definition=is_definition)


def _part(name: Name, scalar: ScalarNode, start: int, end: int, *, is_definition: bool = False) -> Occurrence:
    return Occurrence(name, scalar, start, end, is_definition)


def verbatim_column(scalar: ScalarNode) -> int | None:
    """Give the column at which a scalar's text stands as it is; None if escapes or line breaks are in it."""
    span = scalar.span
    width = span.end_column - span.column
    if span.line != span.end_line:
        return None
    if width == len(scalar.text):
        return span.column
    return span.column + 1 if not scalar.plain and width == len(scalar.text) + _QUOTES else None
