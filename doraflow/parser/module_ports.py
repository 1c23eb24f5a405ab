"""The ports of modules: what must be connected, what may be, and which node inside produces an output.

References are only rewritten here; `doraflow.parser.modules` reads the files and walks through them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.diagnostics import Label, Span
from doraflow.parser.sources import split_reference
from doraflow.parser.suggest import choices_text, nearest
from doraflow.parser.syntax import MappingNode, SequenceNode, head_span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.diagnostics import Sink
    from doraflow.parser.document import Declared
    from doraflow.parser.model import ModuleHeader, Node
    from doraflow.parser.syntax import SyntaxNode

MODULE_SOURCE = "_mod"


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


def check_connections(declared: Declared, header: ModuleHeader, file: MappingNode, text: str, sink: Sink) -> None:
    """Judge what the node that includes a module connects: every required port, and only ports that exist.

    `text` is the text of the file that holds the including node.
    """
    node = declared.node
    ports = all_ports(header)
    misspelt = {nearest(port, ports)[0] for port in node.inputs if port not in ports and nearest(port, ports)}
    for port in header.inputs:
        if port not in node.inputs and port not in misspelt and "inputs" not in declared.gaps:
            sink.error(
                "DF121",
                f"the module `{header.name}` needs the input `{port}`, and `{node.id}` does not connect it",
                _gap(declared.syntax, text),
                related=_header_label(file, "inputs", f"`{header.name}` declares its inputs here"),
                help=f"add `{port}: NODE/OUTPUT` to the `inputs` of `{node.id}`",
            )
    for port in node.inputs:
        if port not in ports:
            near = nearest(port, ports)
            sink.error(
                "DF121",
                f"the module `{header.name}` has no input `{port}`: its inputs are {choices_text(port, ports)}",
                _input_key(declared.syntax, port),
                related=_header_label(file, "inputs", f"`{header.name}` declares its inputs here"),
                help=f"write `{near[0]}`" if near else f"remove `{port}`",
                replacement=near[0] if near and near[0] not in node.inputs else None,
            )


def all_ports(header: ModuleHeader) -> list[str]:
    """List the inputs of a module, those that must be connected first."""
    return [*header.inputs, *header.inputs_optional]


def check_port(port: str, header: ModuleHeader, span: Span, sink: Sink) -> None:
    """Judge a reference `_mod/port` at `span`: the module must have this input."""
    ports = all_ports(header)
    if port not in ports:
        near = nearest(port, ports)
        sink.error(
            "DF121",
            f"`{MODULE_SOURCE}/{port}` names no input of the module `{header.name}`: "
            f"its inputs are {choices_text(port, ports)}",
            span,
            help=f"write `{MODULE_SOURCE}/{near[0]}`" if near else f"add `{port}` to the `inputs` of the module",
            replacement=f"{MODULE_SOURCE}/{near[0]}" if near else None,
        )


def producers(node: Node, output: str) -> list[str]:
    """List the references under which a node offers an output: one, or one for each operator that has it."""
    found = [f"{node.id}/{output}"] if output in node.outputs else []
    if node.operator is not None and output in node.operator.outputs:
        found.append(f"{node.id}/{output}")
    operators = [operator.id for operator in node.operators or () if output in operator.outputs]
    return found + [f"{node.id}/{operator}/{output}" for operator in operators]


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
    is_whole = not any(child.gaps or (child.node.module and child.node.id not in nested) for child in inside)
    items = _port_list(file, "outputs")
    for position, output in enumerate(header.outputs):
        references: list[str | None] = []
        for child in inside:
            own = nested.get(child.node.id)
            references += producers(child.node, output) if own is None else [own[output]] if output in own else []
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
        near = nearest(port, list(outputs))
        sink.error(
            "DF121",
            f"the module `{module}` has no output `{port}`: its outputs are {choices_text(port, list(outputs))}",
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


def _gap(syntax: MappingNode, text: str) -> Span:
    """Mark where a node lacks an input: at `inputs`, or in the empty line after the node, or where it names the module.

    A line that holds a comment alone counts as empty.
    """
    span = syntax.key_span("inputs")
    if span is not None:
        return span
    lines = text.split("\n")
    after = lines[syntax.span.end_line].strip() if syntax.span.end_line < len(lines) else "end"
    if syntax.span.end_line + 1 < len(lines) and (not after or after.startswith("#")):
        column = min(syntax.span.column, len(lines[syntax.span.end_line]) + 1)
        line = syntax.span.end_line + 1
        return Span(syntax.span.file, line, column, line, column)
    module = syntax.get("module")
    return head_span(module if module is not None else syntax)
