"""The operators of a node: how each is implemented, and its ports as ports of the node.

Whether this version can run an operator is judged in `doraflow.analysis.support`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.ports import Holder, read_inputs, read_outputs
from doraflow.analysis.settings import OPERATOR_SETTINGS, settings_of
from doraflow.diagnostics import Label
from doraflow.ir import Operator
from doraflow.parser.syntax import MappingNode, SequenceNode, head_span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.diagnostics import Sink
    from doraflow.ir import Input, OperatorLanguage, Output
    from doraflow.parser import model
    from doraflow.parser.document import Declared

SOLE_OPERATOR = "op"
"""The id of a node's one `operator` that is given none."""


def read_operators(
    declared: Declared, sink: Sink
) -> tuple[tuple[Operator, ...], tuple[Input, ...], tuple[Output, ...]]:
    """Read a node's operators, and all their inputs and outputs; a second operator of one id is left out."""
    operators: dict[str, Operator] = {}
    inputs: list[Input] = []
    outputs: list[Output] = []
    for operator, definition, body in _operators(declared):
        first = operators.setdefault(operator.id, operator)
        if first is not operator:
            _tell_twice(declared, operator, first, sink)
            continue
        holder = Holder(declared, definition, body, f"{operator.id}/")
        inputs += read_inputs(holder, sink)
        outputs += read_outputs(holder, sink)
    return tuple(operators.values()), tuple(inputs), tuple(outputs)


def _operators(declared: Declared) -> Iterator[tuple[Operator, model.OperatorBody, MappingNode]]:
    node, syntax = declared.node, declared.syntax
    single = syntax.get("operator")
    if node.operator is not None and isinstance(single, MappingNode):
        name = node.operator.id or SOLE_OPERATOR
        yield _operator(name, node.operator, single, sole=True), node.operator, single
    several = syntax.get("operators")
    if node.operators is not None and isinstance(several, SequenceNode):
        for definition, body in zip(node.operators, several.items, strict=True):
            if isinstance(body, MappingNode):
                yield _operator(definition.id, definition, body, sole=False), definition, body


def _operator(name: str, definition: model.OperatorBody, body: MappingNode, *, sole: bool) -> Operator:
    given = body.get("id")
    build = body.get("build")
    language, path = _implementation(definition)
    source = body.get(language)
    if isinstance(source, MappingNode):
        source = source.get("source")
    settings = settings_of(definition, body, OPERATOR_SETTINGS)
    return Operator(
        id=name,
        language=language,
        path=path,
        span=head_span(given or body),
        path_span=head_span(source or body),
        build=definition.build,
        build_span=head_span(build) if build is not None else None,
        sole=sole,
        conda_env=definition.python.conda_env if definition.python is not None else None,
        settings=settings.values,
        setting_spans=settings.spans,
    )


def _implementation(definition: model.OperatorBody) -> tuple[OperatorLanguage, str]:
    if definition.python is not None:
        return "python", definition.python.source
    if definition.shared_library is not None:
        return "shared-library", definition.shared_library
    return "wasm", definition.wasm or ""


def _tell_twice(declared: Declared, operator: Operator, first: Operator, sink: Sink) -> None:
    sink.error(
        "DF201",
        f"two operators of `{declared.node.id}` have the id `{operator.id}`; inputs could not tell them apart",
        operator.span,
        related=[Label(first.span, "the first one is here")],
        help="give one of them another id, and change the inputs that read from it",
    )
