"""The ports of modules: what must be connected, what may be, and which node inside produces an output.

References are only rewritten here; `doraflow.parser.modules` reads the files and walks through them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.diagnostics import Label, Span
from doraflow.parser.sources import split_reference
from doraflow.parser.suggest import MOST_COMPARED, Choices, listed, nearest
from doraflow.parser.syntax import MappingNode, SequenceNode, head_span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from doraflow.diagnostics import Sink
    from doraflow.parser.document import Declared
    from doraflow.parser.model import ModuleHeader, Node
    from doraflow.parser.syntax import SyntaxNode

MODULE_SOURCE = "_mod"


@dataclass(frozen=True, slots=True)
class Entrance:
    """The inputs of a module by name, made once for all that is looked up among them."""

    module: str
    inputs: Choices
    known: frozenset[str]


def entrance(header: ModuleHeader) -> Entrance:
    """Give the inputs of a module, those that must be connected first."""
    names = tuple(all_ports(header))
    return Entrance(header.name, Choices(names), frozenset(names))


def check_header(header: ModuleHeader, file: MappingNode, sink: Sink) -> None:
    """Judge a module's own lists of ports: no port twice, and none both required and optional."""
    for key, others in (("inputs", ()), ("inputs_optional", header.inputs), ("outputs", ())):
        items = _port_list(file, key)
        seen = set(others)
        for item in items.items if items is not None else ():
            name = getattr(item, "text", "")
            if name in seen:
                message = f"the port `{name}` stands twice in the header of the module `{header.name}`"
                sink.error("DF120", message, item.span, help="remove one of the two")
            seen.add(name)


def check_connections(
    declared: Declared, header: ModuleHeader, file: MappingNode, lines: Sequence[str], sink: Sink
) -> None:
    """Judge what the node that includes a module connects: every required port, and only ports that exist.

    `lines` are those of the file that holds the including node.
    """
    node = declared.node
    ports = entrance(header)
    unknown = {port: ports.inputs.near(port) for port in node.inputs if port not in ports.known}
    misspelt = {near[0] for near in unknown.values() if near}
    for port in header.inputs:
        if port not in node.inputs and port not in misspelt and "inputs" not in declared.gaps:
            sink.error(
                "DF121",
                f"the module `{header.name}` needs the input `{port}`, and `{node.id}` does not connect it",
                _gap(declared.syntax, lines),
                related=_header_label(file, "inputs", f"`{header.name}` declares its inputs here"),
                help=f"add `{port}: NODE/OUTPUT` to the `inputs` of `{node.id}`",
            )
    for port, near in unknown.items():
        sink.error(
            "DF121",
            f"the module `{header.name}` has no input `{port}`: its inputs are {ports.inputs.text(near)}",
            _input_key(declared.syntax, port),
            related=_header_label(file, "inputs", f"`{header.name}` declares its inputs here"),
            help=f"write `{near[0]}`" if near else f"remove `{port}`",
            replacement=near[0] if near and near[0] not in node.inputs else None,
        )


def all_ports(header: ModuleHeader) -> list[str]:
    """List the inputs of a module, those that must be connected first."""
    return [*header.inputs, *header.inputs_optional]


def check_port(port: str, ports: Entrance, span: Span, sink: Sink) -> None:
    """Judge a reference `_mod/port` at `span`: the module must have this input."""
    if port not in ports.known:
        near = ports.inputs.near(port)
        sink.error(
            "DF121",
            f"`{MODULE_SOURCE}/{port}` names no input of the module `{ports.module}`: "
            f"its inputs are {ports.inputs.text(near)}",
            span,
            help=f"write `{MODULE_SOURCE}/{near[0]}`" if near else f"add `{port}` to the `inputs` of the module",
            replacement=f"{MODULE_SOURCE}/{near[0]}" if near else None,
        )


def exported(
    header: ModuleHeader,
    file: MappingNode,
    inside: Sequence[Declared],
    nested: Mapping[str, Mapping[str, str | None]],
    sink: Sink,
) -> dict[str, str | None]:
    """Find who produces each output of a module; None for one that was reported.

    `inside` are the direct children, `nested` the outputs of those that are modules themselves. An output that nobody
    produces is not reported where a child, or what it sends, could not be read.
    """
    found: dict[str, str | None] = {}
    offered = _offered(inside, nested)
    is_whole = not any(child.gaps or (child.node.module and child.node.id not in nested) for child in inside)
    items = _port_list(file, "outputs")
    for position, output in enumerate(header.outputs):
        references = offered.get(output, [])
        found[output] = references[0] if len(references) == 1 else None
        if len(references) == 1:
            continue
        span = items.items[position].span if items is not None else file.span
        if references:
            names = ", ".join(f"`{reference}`" for reference in references)
            message = f"several nodes inside the module `{header.name}` produce its output `{output}`: {names}"
            sink.error("DF121", message, span, help="rename the outputs that stay inside")
        elif is_whole:
            message = f"no node inside the module `{header.name}` produces its output `{output}`"
            sink.error("DF121", message, span, help=f"add `{output}` to the `outputs` of the node that sends it")
    return found


def _offered(inside: Sequence[Declared], nested: Mapping[str, Mapping[str, str | None]]) -> dict[str, list[str | None]]:
    """List for each output the references under which the children offer it."""
    found: dict[str, list[str | None]] = {}
    for child in inside:
        own = nested.get(child.node.id)
        for output, reference in _producers(child.node) if own is None else own.items():
            found.setdefault(output, []).append(reference)
    return found


def _producers(node: Node) -> Iterator[tuple[str, str]]:
    """Give each output of a node once, and of each of its operators, with the reference to it."""
    for output in dict.fromkeys((*node.outputs, *(node.operator.outputs if node.operator is not None else ()))):
        yield output, f"{node.id}/{output}"
    for operator in node.operators or ():
        for output in dict.fromkeys(operator.outputs):
            yield output, f"{node.id}/{operator.id}/{output}"


def outside_reference(
    reference: str, span: Span, modules: Mapping[str, Mapping[str, str | None]], sink: Sink
) -> str | None:
    """Turn a reference to a module's output into one to the node inside; None if there is none.

    A reference to anything else is given back as it is.
    """
    split = split_reference(reference)
    outputs = modules.get(split[0]) if split is not None else None
    if split is None or outputs is None:
        return reference
    module, port = split
    if port not in outputs:
        near = nearest(port, list(outputs)) if len(outputs) <= MOST_COMPARED else []
        known = listed(near, outputs, len(outputs)) or "none"
        sink.error(
            "DF121",
            f"the module `{module}` has no output `{port}`: its outputs are {known}",
            span,
            help=f"write `{module}/{near[0]}`"
            if near
            else f"add `{port}` to the `outputs` of the module, or read one of its own",
            replacement=f"{module}/{near[0]}" if near else None,
        )
        return None
    return outputs[port]


def _port_list(file: MappingNode, key: str) -> SequenceNode | None:
    header = file.get("module")
    ports = header.get(key) if isinstance(header, MappingNode) else None
    return ports if isinstance(ports, SequenceNode) else None


def _header_label(file: MappingNode, key: str, text: str) -> list[Label]:
    header = file.get("module")
    if not isinstance(header, MappingNode):
        return []
    return [Label(header.key_span(key) or head_span(header), text)]


def _input_key(syntax: MappingNode, port: str) -> Span | None:
    inputs: SyntaxNode | None = syntax.get("inputs")
    return inputs.key_span(port) if isinstance(inputs, MappingNode) else None


def _gap(syntax: MappingNode, lines: Sequence[str]) -> Span:
    """Mark where a node lacks an input: at `inputs`, or in the empty line after the node, or where it names the module.

    A line that holds a comment alone counts as empty.
    """
    span = syntax.key_span("inputs")
    if span is not None:
        return span
    after = lines[syntax.span.end_line].strip() if syntax.span.end_line < len(lines) else "end"
    if syntax.span.end_line + 1 < len(lines) and (not after or after.startswith("#")):
        column = min(syntax.span.column, len(lines[syntax.span.end_line]) + 1)
        line = syntax.span.end_line + 1
        return Span(syntax.span.file, line, column, line, column)
    module = syntax.get("module")
    return head_span(module if module is not None else syntax)
