"""The nodes inside a module as the dataflow around it sees them: ids, references, paths, environment, parameters.

One node at a time; `doraflow.parser.modules` walks through the files.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.diagnostics import Label, Sink
from doraflow.parser.document import Declared
from doraflow.parser.module_ports import MODULE_SOURCE, check_port
from doraflow.parser.parameters import environment, fill_in
from doraflow.parser.sources import split_reference
from doraflow.parser.syntax import head_span
from doraflow.parser.wiring import rewired, source_span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.diagnostics import Span
    from doraflow.parser.files import Files
    from doraflow.parser.model import InputOptions, ModuleFile, Node, OperatorBody
    from doraflow.parser.module_ports import Entrance
    from doraflow.parser.read import Reading

_NOT_A_FILE = frozenset({"dynamic", "shell"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a module's nodes need to know of the outside.

    `outer` is the node that includes the module, `folder` the module file's folder relative to the dataflow's,
    `ports` are the inputs of the module.
    """

    outer: Declared
    file: Reading[ModuleFile]
    folder: str
    files: Files
    ports: Entrance
    sink: Sink

    def bound(self, port: str) -> tuple[InputOptions, Span] | None:
        """Look up what is connected to a port of the module, and where that is written."""
        options = self.outer.node.inputs.get(port)
        if options is None:
            return None
        span = source_span(self.outer.syntax, port)
        return options, self.outer.wired.get(span, span)

    def inclusion(self) -> Label:
        """Give the place in the dataflow that brings the module in."""
        module = self.outer.syntax.get("module") or self.outer.syntax
        return self.outer.module or Label(head_span(module), f"the module `{self.outer.node.id}` is included here")


def inner_node(inside: Declared, around: Surroundings) -> Declared:
    """Make the node that stands in the dataflow for `inside`, which stands in a module file."""
    node, syntax, outer = inside.node, inside.syntax, around.outer.node
    wired: dict[Span, Span] = {}
    siblings = around.file.gaps.nodes.union(sibling.id for sibling in around.file.model.nodes)

    def change(options: InputOptions, span: Span) -> InputOptions | None:
        split = split_reference(options.source)
        if split is None:
            return options
        head, port = split
        if head == MODULE_SOURCE:
            return _connected(options, port, span, wired, around)
        if head in siblings:
            return options.model_copy(update={"source": f"{outer.id}.{head}/{port}"})
        return options

    moved = rewired(node, syntax, change).model_copy(
        update={
            "id": f"{outer.id}.{node.id}",
            "env": _environment(node, outer),
            "args": node.args and fill_in(node.args, outer.params),
            "params": {name: fill_in(value, outer.params) for name, value in node.params.items()},
            "deploy": node.deploy or outer.deploy,
        }
    )
    return Declared(_with_paths(moved, around), syntax, around.inclusion(), wired, inside.gaps)


def _connected(
    options: InputOptions, port: str, span: Span, wired: dict[Span, Span], around: Surroundings
) -> InputOptions | None:
    """Put what is connected to a port in the place of `_mod/port`; None where nothing is, or no such port exists."""
    found = around.bound(port)
    if found is not None:
        bound, wired[span] = found
        return bound.model_copy(
            update={key: value for key, value in _own_options(options).items() if value is not None}
        )
    check_port(port, around.ports, span, around.sink)
    return None


def _own_options(options: InputOptions) -> dict[str, object]:
    return {
        "queue_size": options.queue_size,
        "queue_policy": options.queue_policy,
        "input_timeout": options.input_timeout,
    }


def _environment(node: Node, outer: Node) -> dict[str, str]:
    """Join the variables: the node's own win over those of the module's node, parameters win over both."""
    own = {name: fill_in(value, outer.params) for name, value in node.env.items()}
    return {**own, **{name: value for name, value in outer.env.items() if name not in own}, **environment(outer.params)}


def _with_paths(node: Node, around: Surroundings) -> Node:
    """Make the paths of a node relative to the dataflow's folder; inside a git checkout they stay as they are."""
    updated: dict[str, object] = {}
    if node.path is not None and node.git is None:
        updated["path"] = _moved_path(node.path, around)
    if node.operator is not None:
        updated["operator"] = node.operator.model_copy(update=_operator_paths(node.operator, around))
    if node.operators is not None:
        updated["operators"] = tuple(
            operator.model_copy(update=_operator_paths(operator, around)) for operator in node.operators
        )
    return node.model_copy(update=updated)


def _operator_paths(operator: OperatorBody, around: Surroundings) -> Mapping[str, object]:
    python = operator.python
    return {
        "python": python and python.model_copy(update={"source": _moved_path(python.source, around)}),
        "shared_library": operator.shared_library and _moved_path(operator.shared_library, around),
        "wasm": operator.wasm and _moved_path(operator.wasm, around),
    }


def _moved_path(path: str, around: Surroundings) -> str:
    """Rewrite a path that is relative to the module file. A bare name that is no file there is a command on PATH."""
    if path in _NOT_A_FILE or "://" in path or path.startswith("/"):
        return path
    moved = posixpath.normpath(posixpath.join(around.folder, path))
    is_command = "/" not in path and "." not in path and not around.files.exists(moved)
    return path if is_command else moved
