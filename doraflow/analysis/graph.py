"""The dataflow as a graph: declared nodes with their ports, environment, build steps and machine.

References between nodes become edges in `doraflow.analysis.resolve`; judgements on the whole are the passes' business.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from doraflow.analysis.arguments import read_arguments
from doraflow.analysis.deployment import read_deployment
from doraflow.analysis.operators import read_operators
from doraflow.analysis.ports import Holder, read_inputs, read_outputs
from doraflow.analysis.resolve import Unread, resolve
from doraflow.analysis.settings import DATAFLOW_SETTINGS, NODE_SETTINGS, settings_of
from doraflow.analysis.shared_text import told_once
from doraflow.diagnostics import Label
from doraflow.ir import BuildStep, Graph, Host, Node, PortReference, TypeRule
from doraflow.parser.syntax import MappingNode, SequenceNode, head_span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doraflow.diagnostics import Sink, Span
    from doraflow.ir import Edge, NodeKind, Operator
    from doraflow.parser import model
    from doraflow.parser.document import Declared, Document


def build_graph(document: Document, sink: Sink) -> Graph | None:
    """Make the graph of a document, as far as its names make sense; what does not is in `sink` and left out.

    Where two nodes have one id the graph has the first, but inputs may read outputs of either.
    """
    with told_once(sink) as found:
        _tell_repeats(document.nodes, found)
        if found.is_flooded:
            return None
        declared = tuple(_node(document, declared, found) for declared in document.nodes)
        edges = resolve(declared, found, _unread(document)) if not found.is_flooded else ()
    nodes = _unique(declared)
    edges = _between(nodes, edges)
    sources = {(edge.consumer, edge.input): PortReference(edge.producer, edge.output) for edge in edges}
    settings = settings_of(document.dataflow, document.syntax, DATAFLOW_SETTINGS)
    return Graph(
        name=document.name,
        source=document.source,
        nodes=tuple(_with_full_sources(node, sources) for node in nodes),
        edges=edges,
        hosts=tuple(_hosts(document)),
        type_rules=tuple(_type_rules(document)),
        strict_types=bool(document.dataflow.strict_types),
        exit_when_nodes_finish=bool(document.dataflow.exit_when_nodes_finish),
        settings=settings.values,
        setting_spans=settings.spans,
        file=document.file,
        builds=document.module_builds,
        incomplete=not document.is_whole or _has_loose_ports(sink),
        knows_machines=document.knows_machines,
        exports=document.exports,
    )


def _has_loose_ports(sink: Sink) -> bool:
    """Tell whether a module's port was not connected as it should be, so that edges are missing."""
    return any(finding.code == "DF121" for finding in sink.found)


def _unread(document: Document) -> Unread:
    senders = {declared.node.id for declared in document.nodes if declared.gaps - {"inputs"}}
    return Unread(document.missing, frozenset(senders), document.nameless)


def _node(document: Document, declared: Declared, sink: Sink) -> Node:
    node, syntax = declared.node, declared.syntax
    env = {**document.dataflow.env, **node.env}
    own = Holder(declared, node, syntax)
    inputs, outputs = read_inputs(own, sink), read_outputs(own, sink)
    operators, inner_inputs, inner_outputs = read_operators(declared, sink)
    path, args, affinity = syntax.get("path"), syntax.get("args"), syntax.get("cpu_affinity")
    settings = settings_of(node, syntax, NODE_SETTINGS)
    deployment = read_deployment(document, declared)
    folder = deployment.folder
    return Node(
        id=node.id,
        kind=kind_of(node),
        span=_id_span(declared),
        path=node.path or "",
        path_span=head_span(path) if path is not None else None,
        args=_arguments(node, head_span(args or syntax), sink),
        args_span=head_span(args) if args is not None else None,
        env=env,
        working_directory=folder,
        working_directory_span=deployment.folder_span,
        inputs=inputs + inner_inputs,
        outputs=outputs + inner_outputs,
        operators=operators,
        builds=tuple(_builds(declared, operators, env, folder)),
        git=node.git,
        machine=deployment.machine,
        machine_span=deployment.machine_span,
        cpu_affinity=node.cpu_affinity or (),
        affinity_span=affinity.span if isinstance(affinity, SequenceNode) else None,
        settings=settings.values,
        setting_spans={**deployment.settings.spans, **settings.spans},
        deployment=deployment.settings.values,
    )


def kind_of(node: model.Node) -> NodeKind:
    """Tell how a node is run.

    A script ends in `.py`; `dynamic` and `shell` are words of the language; anything else is a program.
    """
    if node.operator is not None or node.operators is not None:
        return "operators"
    if node.ros2 is not None:
        return "ros2"
    if node.hub is not None:
        return "hub"
    path = node.path or ""
    if path in ("dynamic", "shell"):
        return "dynamic" if path == "dynamic" else "shell"
    if path.startswith(("http://", "https://")):
        return "url"
    return "python" if path.endswith(".py") else "executable"


def _arguments(node: model.Node, span: Span, sink: Sink) -> tuple[str, ...]:
    """Split `args`; a `shell` node gets its text whole."""
    if not node.args:
        return ()
    return (node.args,) if node.path == "shell" else read_arguments(node.id, node.args, span, sink)


def _builds(declared: Declared, operators: Sequence[Operator], env: dict[str, str], folder: str) -> Iterator[BuildStep]:
    node, spot = declared.node, declared.syntax.get("build")
    if node.build and spot is not None:
        yield BuildStep(node.id, _commands(node.build), head_span(spot), folder, env)
    for operator in operators:
        if operator.build and operator.build_span is not None:
            yield BuildStep(f"{node.id}/{operator.id}", _commands(operator.build), operator.build_span, folder, env)


def _commands(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _tell_repeats(nodes: Sequence[Declared], sink: Sink) -> None:
    first: dict[str, Span] = {}
    for declared in nodes:
        name, span = declared.node.id, _id_span(declared)
        if name in first:
            sink.error(
                "DF201",
                f"two nodes have the id `{name}`; inputs could not tell them apart",
                span,
                related=[Label(first[name], "the first one is here")],
                help="give one of them another id, and change the inputs that read from it",
            )
        else:
            first[name] = span


def _id_span(declared: Declared) -> Span:
    return head_span(declared.syntax.get("id") or declared.syntax)


def _unique(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Keep the first node of each id."""
    first: dict[str, Node] = {}
    for node in nodes:
        first.setdefault(node.id, node)
    return tuple(first.values())


def _between(nodes: Sequence[Node], edges: Sequence[Edge]) -> tuple[Edge, ...]:
    """Leave out the edges from or to a port of a node that is not in the graph."""
    exits = {(node.id, port.id) for node in nodes for port in node.outputs}
    entries = {(node.id, port.id, port.source_span) for node in nodes for port in node.inputs}
    return tuple(
        edge
        for edge in edges
        if (edge.producer, edge.output) in exits and (edge.consumer, edge.input, edge.span) in entries
    )


def _with_full_sources(node: Node, sources: dict[tuple[str, str], PortReference]) -> Node:
    """Write the sources of inputs in full, so that an operator's output is never named without its operator."""
    if all(sources.get((node.id, port.id), port.source) == port.source for port in node.inputs):
        return node
    inputs = (replace(port, source=sources.get((node.id, port.id), port.source)) for port in node.inputs)
    return replace(node, inputs=tuple(inputs))


def _hosts(document: Document) -> Iterator[Host]:
    places = [node for node in (document.syntax.get("hosts"), document.inventory) if isinstance(node, MappingNode)]
    for name, host in document.dataflow.hosts.items():
        span = next((span for place in places if (span := place.key_span(name))), None)
        yield Host(name, host.address, dict(host.labels), span, host.cores, host.memory, host.ssh, host.folder)


def _type_rules(document: Document) -> Iterator[TypeRule]:
    syntax = document.syntax.get("type_rules")
    items = syntax.items if isinstance(syntax, SequenceNode) else ()
    for rule, item in zip(document.dataflow.type_rules, items, strict=True):
        ends = (item.get("from"), item.get("to")) if isinstance(item, MappingNode) else (None, None)
        source, target = (head_span(end) if end is not None else None for end in ends)
        yield TypeRule(rule.source, rule.target, head_span(item), source, target)
