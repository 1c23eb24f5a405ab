"""A file's names as they stand: its nodes, their operators and ports, and what each input reads.

Made from the syntax tree alone, so that it serves a file with faults. Whether a name is known is not asked here.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.analysis.operators import SOLE_OPERATOR
from doraflow.parser.syntax import MappingNode, ScalarNode, items_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.parser.syntax import Entry, SyntaxNode


@dataclass(frozen=True, slots=True)
class InputLine:
    """An input: its id, and the text of its source if there is one."""

    id: ScalarNode
    source: ScalarNode | None


@dataclass(frozen=True, slots=True)
class Ports:
    """What declares ports: a node or an operator."""

    syntax: MappingNode
    inputs: tuple[InputLine, ...]
    outputs: tuple[ScalarNode, ...]

    def entries(self, key: str) -> tuple[Entry, ...]:
        """List the entries of a map that stands under `key`."""
        return entries_of(self.syntax.get(key))

    def type_of(self, output: str) -> str:
        """Give the type of an output as written; empty if it has none."""
        types = self.syntax.get("output_types")
        return text_of(types.get(output)) if isinstance(types, MappingNode) else ""


@dataclass(frozen=True, slots=True)
class OperatorOutline:
    """An operator of a node; `id` is None where the one operator of a node has none."""

    id: ScalarNode | None
    ports: Ports
    sole: bool

    @property
    def name(self) -> str:
        """The id, given or not."""
        return self.id.text if self.id is not None else SOLE_OPERATOR


@dataclass(frozen=True, slots=True)
class NodeOutline:
    """A node of a file; `module` is the path of the module file that it includes."""

    id: ScalarNode | None
    syntax: MappingNode
    ports: Ports
    operators: tuple[OperatorOutline, ...]
    module: ScalarNode | None

    @property
    def name(self) -> str:
        """The id; empty if there is none."""
        return self.id.text if self.id is not None else ""

    def holders(self) -> Iterator[tuple[str, Ports]]:
        """List what declares ports, each with what stands before the ids of its ports: the operator's id and `/`."""
        yield "", self.ports
        for operator in self.operators:
            yield f"{operator.name}/", operator.ports

    def outputs(self) -> Iterator[tuple[str, ScalarNode, Ports]]:
        """List the outputs under the names by which inputs read them."""
        for output in self.ports.outputs:
            yield output.text, output, self.ports
        for operator in self.operators:
            prefix = "" if operator.sole else f"{operator.name}/"
            for output in operator.ports.outputs:
                yield f"{prefix}{output.text}", output, operator.ports


@dataclass(frozen=True, slots=True)
class Outline:
    """One file.

    `changed` are nodes as profiles change them. `inputs` and `outputs` are the ports of a module's header, the optional
    ones among the inputs.
    """

    file: str
    tree: MappingNode
    nodes: tuple[NodeOutline, ...]
    changed: tuple[NodeOutline, ...] = ()
    header: MappingNode | None = None
    inputs: tuple[ScalarNode, ...] = ()
    outputs: tuple[ScalarNode, ...] = ()

    def named(self, name: str) -> NodeOutline | None:
        """Find the node with an id."""
        return next((node for node in self.nodes if node.name == name), None)

    def beside(self, path: str) -> str:
        """Give the display path of a file that this one names relative to itself."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.file), path))


def outline(tree: MappingNode, file: str) -> Outline:
    """Make the outline of a file."""
    header = tree.get("module")
    nodes = tuple(_node(item) for item in items_of(tree.get("nodes")) if isinstance(item, MappingNode))
    changed = tuple(
        _node(change.value, change.key)
        for profile in entries_of(tree.get("profiles"))
        if isinstance(profile.value, MappingNode)
        for change in entries_of(profile.value.get("nodes"))
        if isinstance(change.value, MappingNode)
    )
    if not isinstance(header, MappingNode):
        return Outline(file, tree, nodes, changed)
    inputs = (*_names(header.get("inputs")), *_names(header.get("inputs_optional")))
    return Outline(file, tree, nodes, changed, header, inputs, _names(header.get("outputs")))


def text_of(node: SyntaxNode | None) -> str:
    """Give the text of a scalar; empty for anything else."""
    return node.text if isinstance(node, ScalarNode) else ""


def entries_of(node: SyntaxNode | None) -> tuple[Entry, ...]:
    """List the entries of a map; none of anything else."""
    return node.entries if isinstance(node, MappingNode) else ()


def _node(syntax: MappingNode, key: ScalarNode | None = None) -> NodeOutline:
    """Outline a node; `key` is its id where it stands in a map by id."""
    operators = []
    single = syntax.get("operator")
    if isinstance(single, MappingNode):
        operators.append(OperatorOutline(_scalar(single.get("id")), _ports(single), sole=True))
    operators += [
        OperatorOutline(_scalar(item.get("id")), _ports(item), sole=False)
        for item in items_of(syntax.get("operators"))
        if isinstance(item, MappingNode)
    ]
    operators += [
        OperatorOutline(entry.key, _ports(entry.value), sole=False)
        for entry in entries_of(syntax.get("operators"))
        if isinstance(entry.value, MappingNode)
    ]
    return NodeOutline(
        key or _scalar(syntax.get("id")), syntax, _ports(syntax), tuple(operators), _scalar(syntax.get("module"))
    )


def _ports(syntax: MappingNode) -> Ports:
    inputs = (InputLine(entry.key, _source(entry.value)) for entry in entries_of(syntax.get("inputs")))
    return Ports(syntax, tuple(inputs), _names(syntax.get("outputs")))


def _source(value: SyntaxNode) -> ScalarNode | None:
    return _scalar(value.get("source") if isinstance(value, MappingNode) else value)


def _names(node: SyntaxNode | None) -> tuple[ScalarNode, ...]:
    return tuple(item for item in items_of(node) if isinstance(item, ScalarNode) and item.value is not None)


def _scalar(node: SyntaxNode | None) -> ScalarNode | None:
    return node if isinstance(node, ScalarNode) and node.value is not None else None
