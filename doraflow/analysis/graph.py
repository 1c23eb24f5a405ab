"""The dataflow as a graph: declared nodes with their ports, environment, build steps and machine.

References between nodes become edges in `doraflow.analysis.resolve`; judgements on the whole are the passes' business.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from doraflow.analysis.ports import read_inputs, read_outputs
from doraflow.analysis.resolve import resolve
from doraflow.diagnostics import Label
from doraflow.ir import BuildStep, Graph, Host, Node, Operator, TypeRule
from doraflow.parser.syntax import MappingNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.diagnostics import Sink, Span
    from doraflow.ir import Input, NodeKind, OperatorLanguage, Output
    from doraflow.parser import model
    from doraflow.parser.document import Declared, Document

SINGLE_OPERATOR = "op"

_CARRIED = (
    "name",
    "description",
    "pattern",
    "restart_policy",
    "max_restarts",
    "restart_delay",
    "max_restart_delay",
    "restart_window",
    "startup_timeout",
    "health_check_timeout",
    "finish_grace_secs",
    "send_stdout_as",
    "send_logs_as",
    "min_log_level",
    "max_log_size",
    "max_rotated_files",
    "shared_memory_pool_size",
)


def build_graph(document: Document, sink: Sink) -> Graph | None:
    """Make the graph of a document; None when nothing of it can be analysed because names are not unique."""
    nodes = tuple(_node(document, declared, sink) for declared in document.nodes)
    if not _unique(nodes, sink):
        return None
    edges = resolve(nodes, sink)
    dataflow = document.dataflow
    return Graph(
        name=document.name,
        source=document.source,
        nodes=nodes,
        edges=edges,
        hosts=tuple(_hosts(document)),
        type_rules=tuple(_type_rules(document)),
        strict_types=dataflow.strict_types,
        exit_when_nodes_finish=dataflow.exit_when_nodes_finish,
        settings=_settings(dataflow, ("health_check_interval",)),
    )


def _node(document: Document, declared: Declared, sink: Sink) -> Node:
    node, syntax = declared.node, declared.syntax
    deploy = node.deploy or document.dataflow.deploy
    env = {**document.dataflow.env, **node.env}
    inputs, outputs, operators = _ports(declared, sink)
    path = syntax.get("path")
    args = syntax.get("args")
    return Node(
        id=node.id,
        kind=kind_of(node),
        span=_span_of(syntax, "id"),
        path=node.path or "",
        path_span=path.span if path is not None else None,
        args=_split_args(node, args.span if args is not None else syntax.span, sink),
        args_span=args.span if args is not None else None,
        env=env,
        working_directory=(deploy.working_dir if deploy else None) or ".",
        inputs=inputs,
        outputs=outputs,
        operators=operators,
        builds=tuple(_builds(declared, env, operators)),
        git=node.git,
        machine=deploy.machine if deploy else None,
        machine_span=_machine_span(syntax, document.syntax),
        cpu_affinity=node.cpu_affinity or (),
        settings=_settings(node, _CARRIED),
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


def _ports(declared: Declared, sink: Sink) -> tuple[tuple[Input, ...], tuple[Output, ...], tuple[Operator, ...]]:
    node, syntax = declared.node, declared.syntax
    inputs = list(read_inputs(node, syntax, "", sink))
    outputs = list(read_outputs(node, syntax, "", sink))
    operators = []
    for name, definition, body in _operators(node, syntax):
        inputs += read_inputs(definition, body, f"{name}/", sink)
        outputs += read_outputs(definition, body, f"{name}/", sink)
        operators.append(_operator(name, definition, body))
    return tuple(inputs), tuple(outputs), tuple(operators)


def _operators(node: model.Node, syntax: MappingNode) -> Iterator[tuple[str, model.OperatorBody, MappingNode]]:
    single = syntax.get("operator")
    if node.operator is not None and isinstance(single, MappingNode):
        yield node.operator.id or SINGLE_OPERATOR, node.operator, single
    several = syntax.get("operators")
    if node.operators is not None and isinstance(several, SequenceNode):
        for definition, body in zip(node.operators, several.items, strict=True):
            if isinstance(body, MappingNode):
                yield definition.id, definition, body


def _operator(name: str, definition: model.OperatorBody, body: MappingNode) -> Operator:
    build = body.get("build")
    language, path = _implementation(definition)
    source = body.get(language)
    if isinstance(source, MappingNode):
        source = source.get("source")
    return Operator(
        id=name,
        language=language,
        path=path,
        span=body.key_span("id") or body.entries[0].key.span,
        path_span=source.span if source is not None else body.span,
        build=definition.build,
        build_span=build.span if build is not None else None,
    )


def _implementation(definition: model.OperatorBody) -> tuple[OperatorLanguage, str]:
    if definition.python is not None:
        return "python", definition.python.source
    if definition.shared_library is not None:
        return "shared-library", definition.shared_library
    return "wasm", definition.wasm or ""


def _builds(declared: Declared, env: dict[str, str], operators: tuple[Operator, ...]) -> Iterator[BuildStep]:
    node = declared.node
    spot = declared.syntax.get("build")
    if node.build and spot is not None:
        yield BuildStep(node.id, _commands(node.build), spot.span, env=env)
    for operator in operators:
        if operator.build and operator.build_span is not None:
            yield BuildStep(f"{node.id}/{operator.id}", _commands(operator.build), operator.build_span, env=env)


def _commands(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _split_args(node: model.Node, span: Span, sink: Sink) -> tuple[str, ...]:
    """Split `args` as a shell would, without a shell; a `shell` node gets its text whole."""
    if not node.args:
        return ()
    if node.path == "shell":
        return (node.args,)
    try:
        return tuple(shlex.split(node.args))
    except ValueError:
        sink.error(
            "DF115",
            f"the quotes in `args` of `{node.id}` are not balanced, so the arguments cannot be told apart",
            span,
            help="close the quote, or write `\\` before a quote that is part of an argument",
        )
        return ()


def _unique(nodes: tuple[Node, ...], sink: Sink) -> bool:
    first: dict[str, Span] = {}
    unique = True
    for node in nodes:
        if node.id not in first:
            first[node.id] = node.span
            continue
        unique = False
        sink.error(
            "DF201",
            f"two nodes have the id `{node.id}`; inputs could not tell them apart",
            node.span,
            related=[Label(first[node.id], "the first one is here")],
            help="give one of them another id, and change the inputs that read from it",
        )
    return unique


def _span_of(syntax: MappingNode, key: str) -> Span:
    value = syntax.get(key)
    return value.span if value is not None else syntax.entries[0].key.span


def _machine_span(*mappings: MappingNode) -> Span | None:
    for mapping in mappings:
        deploy = mapping.get("deploy")
        machine = deploy.get("machine") if isinstance(deploy, MappingNode) else None
        if machine is not None:
            return machine.span
    return None


def _hosts(document: Document) -> Iterator[Host]:
    syntax = document.syntax.get("hosts")
    for name, host in document.dataflow.hosts.items():
        span = syntax.key_span(name) if isinstance(syntax, MappingNode) else None
        yield Host(name=name, address=host.address, labels=dict(host.labels), span=span)


def _type_rules(document: Document) -> Iterator[TypeRule]:
    syntax = document.syntax.get("type_rules")
    items = syntax.items if isinstance(syntax, SequenceNode) else ()
    for rule, item in zip(document.dataflow.type_rules, items, strict=True):
        yield TypeRule(rule.source, rule.target, item.span)


def _settings(keys: model.Node | model.Dataflow, names: tuple[str, ...]) -> dict[str, object]:
    """Collect the keys that were given, in the order of `names`."""
    return {name: getattr(keys, name) for name in names if name in keys.model_fields_set}
