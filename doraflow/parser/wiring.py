"""Changing what the inputs of a node read, wherever the node keeps its inputs: at itself or in its operators.

What to change them to is the caller's affair.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from doraflow.parser.syntax import MappingNode, SequenceNode, head_span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from doraflow.diagnostics import Span
    from doraflow.parser.document import Declared
    from doraflow.parser.keys import InputOptions
    from doraflow.parser.model import Node
    from doraflow.parser.syntax import SyntaxNode

    Change = Callable[[InputOptions, Span], InputOptions | None]


def rewire(declared: Declared, change: Change) -> Declared:
    """Put every input through `change`, which gets it with the place of its source text; None leaves it out."""
    return replace(declared, node=rewired(declared.node, declared.syntax, change))


def rewired(node: Node, syntax: MappingNode, change: Change) -> Node:
    """Put every input of `node` through `change`; see `rewire`."""
    updated: dict[str, object] = {"inputs": _changed(node.inputs, syntax, change)}
    single = syntax.get("operator")
    if node.operator is not None and isinstance(single, MappingNode):
        inputs = _changed(node.operator.inputs, single, change)
        updated["operator"] = node.operator.model_copy(update={"inputs": inputs})
    several = syntax.get("operators")
    if node.operators is not None and isinstance(several, SequenceNode):
        updated["operators"] = tuple(
            operator.model_copy(update={"inputs": _changed(operator.inputs, item, change)})
            for operator, item in zip(node.operators, several.items, strict=True)
            if isinstance(item, MappingNode)
        )
    return node.model_copy(update=updated)


def source_span(holder: MappingNode, port: str) -> Span:
    """Give the place of the source text of an input; `holder` is the node or operator that has `inputs`."""
    inputs = holder.get("inputs")
    value: SyntaxNode | None = inputs.get(port) if isinstance(inputs, MappingNode) else None
    if isinstance(value, MappingNode):
        value = value.get("source") or value
    return head_span(value if value is not None else holder)


def _changed(inputs: Mapping[str, InputOptions], holder: MappingNode, change: Change) -> dict[str, InputOptions]:
    results = ((port, change(options, source_span(holder, port))) for port, options in inputs.items())
    return {port: options for port, options in results if options is not None}
