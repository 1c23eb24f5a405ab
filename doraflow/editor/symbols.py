"""Document symbols: the nodes of a file with their operators and ports, for an editor's outline and breadcrumbs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from doraflow.editor.outline import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.diagnostics import Span
    from doraflow.editor.outline import NodeOutline, Outline, Ports


class SymbolKind(StrEnum):
    """What a symbol is, for the icon."""

    MODULE = "module"
    NODE = "node"
    OPERATOR = "operator"
    INPUT = "input"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Symbol:
    """Something that has a name: `span` is all of it, `name_span` lies inside and is shown when it is picked."""

    name: str
    kind: SymbolKind
    detail: str
    span: Span
    name_span: Span
    children: tuple[Symbol, ...] = ()


def symbols(outline: Outline) -> list[Symbol]:
    """List the nodes of a file in their order, after the header of a module."""
    return [*_header(outline), *(_node(node) for node in outline.nodes)]


def _header(outline: Outline) -> Iterator[Symbol]:
    header = outline.header
    if header is None:
        return
    ports = [Symbol(port.text, SymbolKind.INPUT, "", port.span, port.span) for port in outline.inputs]
    ports += [Symbol(port.text, SymbolKind.OUTPUT, "", port.span, port.span) for port in outline.outputs]
    name = header.get("name")
    yield Symbol(
        text_of(name) or "module",
        SymbolKind.MODULE,
        "module",
        header.span,
        name.span if name is not None else header.span,
        tuple(ports),
    )


def _node(node: NodeOutline) -> Symbol:
    operators = tuple(
        Symbol(
            operator.name,
            SymbolKind.OPERATOR,
            "",
            operator.ports.syntax.span,
            operator.id.span if operator.id is not None else operator.ports.syntax.span,
            tuple(_ports(operator.ports)),
        )
        for operator in node.operators
    )
    detail = text_of(node.module) or text_of(node.syntax.get("path"))
    name_span = node.id.span if node.id is not None else node.syntax.span
    children = (*_ports(node.ports), *operators)
    return Symbol(node.name or "(no id)", SymbolKind.NODE, detail, node.syntax.span, name_span, children)


def _ports(ports: Ports) -> Iterator[Symbol]:
    for line in ports.inputs:
        yield Symbol(line.id.text, SymbolKind.INPUT, text_of(line.source), line.id.span, line.id.span)
    for output in ports.outputs:
        yield Symbol(output.text, SymbolKind.OUTPUT, ports.type_of(output.text), output.span, output.span)
