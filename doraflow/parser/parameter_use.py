"""What the parameters of an included module are used for: those that it refers to and is not given, and the others.

A parameter reaches the nodes inside as text, where they refer to it, and as a variable of their environment. So one
that nothing refers to may still be read by a program.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from doraflow.diagnostics import Label
from doraflow.parser.parameters import References, usable_names
from doraflow.parser.suggest import choices_text, nearest
from doraflow.parser.syntax import MappingNode, SequenceNode, head_span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doraflow.diagnostics import Span
    from doraflow.parser.inner_nodes import Surroundings
    from doraflow.parser.model import ModuleFile, Node
    from doraflow.parser.read import Reading
    from doraflow.parser.syntax import SyntaxNode

MOST_LABELS = 3
_VARIABLE = re.compile(r"PARAM_([A-Za-z0-9_]*)")


def check_parameter_use(around: Surroundings) -> None:
    """Report parameters that a module refers to and is not given, and those it is given and has no use for (DF122)."""
    if "params" in around.outer.gaps:
        return
    given = usable_names(around.outer.node.params)
    wanted = _wanted(around.file)
    missing = {name: spans for name, spans in wanted.spans.items() if not wanted.is_met(name, given)}
    unused = [name for name in given if not wanted.refers_to(name)]
    if around.file.gaps:
        unused = []  # what could not be read may refer to them
    for name, spans in missing.items():
        near = nearest(name, unused)
        if near:
            unused.remove(near[0])
            _tell_misspelt(near[0], name, spans, around)
        else:
            _tell_missing(name, spans, around)
    if unused:
        known = _read_by_programs(around, is_textual=bool(wanted.spans))
        for name in unused:
            if known is not None and name.upper() not in known:
                _tell_unused(name, list(wanted.spans), around)


def _wanted(module: Reading[ModuleFile]) -> References:
    found = References({})
    nodes = module.tree.get("nodes")
    found.add(module.tree.get("build"))
    for node in nodes.items if isinstance(nodes, SequenceNode) else ():
        if isinstance(node, MappingNode):
            for text in _texts(node):
                found.add(text)
    return found


def _texts(node: MappingNode) -> Iterator[SyntaxNode | None]:
    """List the values of a node in which references are filled in, or that see the environment."""
    yield node.get("args")
    yield node.get("build")
    for key in ("env", "params"):
        values = node.get(key)
        yield from (entry.value for entry in values.entries) if isinstance(values, MappingNode) else ()
    single, several = node.get("operator"), node.get("operators")
    for operator in (single, *(several.items if isinstance(several, SequenceNode) else ())):
        if isinstance(operator, MappingNode):
            yield operator.get("build")


def _read_by_programs(around: Surroundings, *, is_textual: bool) -> set[str] | None:
    """List the parameters, in upper case, whose variables the programs inside name; None if any may be read.

    A program that cannot be read is left out of account in a module that refers to its parameters by text.
    """
    nodes = around.file.model.nodes
    if not nodes or any(node.module is not None for node in nodes):
        return None  # of a module inside, the nodes see the variables too
    found: set[str] = set()
    for path in (path for node in nodes for path in _programs(node)):
        relative = posixpath.normpath(posixpath.join(around.folder, path))
        text = around.files.source(relative) if relative.endswith(".py") else None
        if text is None and not is_textual:
            return None
        names = _VARIABLE.findall(text or "")
        if "" in names:
            return None
        found.update(name.upper() for name in names)
    return found


def _programs(node: Node) -> Iterator[str]:
    operators = (*(node.operators or ()), *((node.operator,) if node.operator is not None else ()))
    if not operators:
        yield node.path or ""
    for operator in operators:
        yield operator.python.source if operator.python is not None else ""


def _tell_misspelt(written: str, meant: str, spans: Sequence[Span], around: Surroundings) -> None:
    entry = _entry(around, written)
    around.sink.warning(
        "DF122",
        f"the module `{around.file.model.module.name}` has no parameter `{written}`, and gets none for `{meant}`, "
        "so the reference to it is passed on as it stands",
        entry,
        related=[Label(spans[0], f"`{meant}` is referred to here")],
        help=f"write `{meant}`",
        replacement=meant,
    )


def _tell_missing(name: str, spans: Sequence[Span], around: Surroundings) -> None:
    around.sink.warning(
        "DF122",
        f"`{around.outer.node.id}` gives no parameter `{name}`, so the reference to it is passed on as it stands",
        spans[0],
        related=[around.inclusion(), *(Label(span, "and here") for span in spans[1 : MOST_LABELS + 1])],
        help=f"add `{name}: …` to the `params` of `{around.outer.node.id}`",
    )


def _tell_unused(name: str, known: list[str], around: Surroundings) -> None:
    module = around.file.model.module.name
    has = f"its parameters are {choices_text(name, known)}" if known else "it has no parameters"
    around.sink.warning(
        "DF122",
        f"nothing in the module `{module}` uses the parameter `{name}`: {has}",
        _entry(around, name),
        help=f"remove `{name}`, or refer to it inside the module as `$PARAM_{name.upper()}` in the `args` of a node",
    )


def _entry(around: Surroundings, name: str) -> Span:
    params = around.outer.syntax.get("params")
    span = params.key_span(name) if isinstance(params, MappingNode) else None
    return span or head_span(around.outer.syntax)
