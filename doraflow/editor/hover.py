"""Hover: what stands under the pointer, explained in Markdown: a key, a source, a type, a node.

Keys are described by the language's schema, everything else by what the compiler made of the dataflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.analysis.type_names import parse_type_name
from doraflow.editor.completion import key_documentation
from doraflow.editor.names import NameKind, name_at, names_in
from doraflow.editor.producers import Producers
from doraflow.editor.type_text import describe_type, layout_text
from doraflow.ir import LogSubscription, Timer
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode

if TYPE_CHECKING:
    from doraflow.diagnostics import Span
    from doraflow.editor.names import Name
    from doraflow.editor.outline import Outline
    from doraflow.editor.positions import Place
    from doraflow.editor.snapshot import Snapshot
    from doraflow.editor.vocabulary import Path, Vocabulary
    from doraflow.ir import Input
    from doraflow.parser.syntax import SyntaxNode

_NANOSECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Hover:
    """An explanation in Markdown, and the text that it is about."""

    text: str
    span: Span


def hover(file: str, place: Place, snapshot: Snapshot, vocabulary: Vocabulary) -> Hover | None:
    """Explain what stands at a place; None if there is nothing to say."""
    around = snapshot.outlines.get(file)
    if around is None:
        return None
    path, scalar, is_key = path_at(around.tree, place)
    if scalar is None:
        return None
    read = _input_at(scalar.span, snapshot) if not is_key else None
    if read is not None:
        return Hover(_source_text(scalar.text, read, around, snapshot), scalar.span)
    found = name_at(names_in(around), place)
    said = _name_text(found.name, around, snapshot) if found is not None else ""
    if found is not None and said:
        return Hover(said, found.span)
    key = vocabulary.key(path)
    return Hover(f"**{key.name}**\n\n{key_documentation(key)}", scalar.span) if key is not None else None


def path_at(tree: MappingNode, place: Place) -> tuple[Path, ScalarNode | None, bool]:
    """Find the scalar at a place: the path that leads to it, the scalar, and whether it is a key."""
    path: list[str | int] = []
    node: SyntaxNode | None = tree
    while node is not None and not isinstance(node, ScalarNode):
        below: SyntaxNode | None = None
        if isinstance(node, SequenceNode):
            for index, item in enumerate(node.items):
                if place.within(item.span):
                    path.append(index)
                    below = item
                    break
        else:
            for entry in node.entries:
                if place.within(entry.key.span):
                    return (*path, entry.key.text), entry.key, True
                if place.within(entry.value.span):
                    path.append(entry.key.text)
                    below = entry.value
                    break
        node = below
    return tuple(path), node, False


def _input_at(span: Span, snapshot: Snapshot) -> Input | None:
    """Find the input of the compiled graph whose source stands at a span."""
    nodes = snapshot.made.graph.nodes if snapshot.made.graph is not None else ()
    return next((port for node in nodes for port in node.inputs if port.source_span == span), None)


def _source_text(written: str, read: Input, around: Outline, snapshot: Snapshot) -> str:
    lines: list[str] = []
    if isinstance(read.source, Timer):
        lines.append(f"**{written}**: a tick every {read.source.interval_ns / _NANOSECONDS:g} s")
        lines += [layout_text(read.data_type)] if read.data_type is not None else []
    elif isinstance(read.source, LogSubscription):
        lines.append(f"**{written}**: log lines of {f'`{read.source.node}`' if read.source.node else 'all nodes'}")
    else:
        produced = Producers(snapshot.outlines).find(written, around)
        type_name = produced.type_name if produced is not None else ""
        lines.append(f"**{read.source.port}** of `{read.source.node}`" + (f": `{type_name}`" if type_name else ""))
        inferred = layout_text(read.data_type) if read.data_type is not None else ""
        described = _type_text(type_name, snapshot) or inferred
        lines += [described] if described else []
    wait = "the oldest is dropped" if read.queue_policy == "drop_oldest" else "the sender waits"
    lines.append(f"Queue: {read.queue_size} message{'' if read.queue_size == 1 else 's'}, then {wait}.")
    return "\n\n".join(lines)


def _name_text(name: Name, around: Outline, snapshot: Snapshot) -> str:
    if name.kind is NameKind.TYPE:
        said = _type_text(name.text, snapshot)
        return f"**{name.text}**\n\n{said}" if said else ""
    if name.kind is NameKind.NODE:
        return _node_text(name.text, around, snapshot)
    if name.kind is NameKind.OUTPUT:
        return _output_text(name, around, snapshot)
    return ""


def _node_text(node_id: str, around: Outline, snapshot: Snapshot) -> str:
    node = around.named(node_id)
    if node is None:
        return ""
    outputs = ", ".join(f"`{each.name}`" for each in Producers(snapshot.outlines).of(node, around))
    inputs = ", ".join(f"`{line.id.text}`" for _, ports in node.holders() for line in ports.inputs)
    parts = [f"**{node_id}**", f"Inputs: {inputs or 'none'}", f"Outputs: {outputs or 'none'}"]
    return "\n\n".join(parts)


def _output_text(name: Name, around: Outline, snapshot: Snapshot) -> str:
    produced = Producers(snapshot.outlines).find(f"{name.owner}/{name.text}", around)
    if produced is None:
        return ""
    edges = snapshot.made.graph.edges if snapshot.made.graph is not None else ()
    readers = [f"`{edge.consumer}`" for edge in edges if (edge.producer, edge.output) == (name.owner, name.text)]
    typed = f": `{produced.type_name}`" if produced.type_name else ""
    said = _type_text(produced.type_name, snapshot) if typed else ""
    read = f"Read by {', '.join(dict.fromkeys(readers))}." if readers else ""
    return "\n\n".join(part for part in (f"**{produced.name}** of `{name.owner}`{typed}", said, read) if part)


def _type_text(text: str, snapshot: Snapshot) -> str:
    name = parse_type_name(text)
    return describe_type(name.base, snapshot.library, snapshot) if name is not None else ""
