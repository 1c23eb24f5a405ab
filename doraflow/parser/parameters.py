"""Parameters of modules: their names, and their place in arguments and environment.

A parameter `speed` is written `$PARAM_SPEED` or `${_param.speed}` inside the module.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow.diagnostics import Label
from doraflow.parser.syntax import MappingNode, ScalarNode, head_span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from doraflow.diagnostics import Sink, Span
    from doraflow.parser.syntax import SyntaxNode

_NAME = re.compile(r"[A-Za-z0-9_]+")
_ILLEGAL_RUN = re.compile(r"[^A-Za-z0-9_]+")
_REFERENCE = re.compile(r"\$PARAM_([A-Za-z0-9_]*)|\$\{_param\.([^{}]*)\}")


def check_parameters(syntax: SyntaxNode | None, sink: Sink) -> None:
    """Judge the names of a `params` map: letters, digits and `_`, and no two that differ in case only."""
    if not isinstance(syntax, MappingNode):
        return
    seen: dict[str, Span] = {}
    for entry in syntax.entries:
        name, span = entry.key.text, entry.key.span
        if not _NAME.fullmatch(name):
            message = f"`{name}` cannot be the name of a parameter: only letters, digits and `_` are allowed"
            sink.error("DF122", message, span, help=f"write `{_ILLEGAL_RUN.sub('_', name).strip('_') or 'name'}`")
        elif name.upper() in seen:
            sink.error(
                "DF122",
                f"`{name}` and another parameter are both `$PARAM_{name.upper()}`; one of the two would be lost",
                span,
                related=[Label(seen[name.upper()], "the other stands here")],
                help="rename one of the two",
            )
        seen.setdefault(name.upper(), span)


def usable_names(names: Iterable[str]) -> list[str]:
    """List the names that `check_parameters` has nothing against."""
    first = {name.upper(): name for name in reversed(list(names))}
    return [name for name in reversed(first.values()) if _NAME.fullmatch(name)]


def environment(parameters: Mapping[str, str]) -> dict[str, str]:
    """Give the variables by which the nodes of a module see its parameters.

    >>> environment({"speed": "2.0"})
    {'PARAM_SPEED': '2.0'}
    """
    return {f"PARAM_{name.upper()}": value for name, value in parameters.items()}


def fill_in(text: str, parameters: Mapping[str, str]) -> str:
    """Put values for references, in one pass: a value that looks like a reference is left alone.

    >>> fill_in("--speed $PARAM_SPEED --mode ${_param.mode} $PARAM_X", {"speed": "2.0", "mode": "turbo"})
    '--speed 2.0 --mode turbo $PARAM_X'
    """
    by_variable = {name.upper(): value for name, value in parameters.items()}

    def value_of(match: re.Match[str]) -> str:
        found = by_variable.get(match[1]) if match[1] is not None else parameters.get(match[2])
        return match[0] if found is None else found

    return _REFERENCE.sub(value_of, text)


@dataclass(frozen=True, slots=True)
class References:
    """The parameters that texts refer to, each with the places where they do, in the order of the texts.

    A reference of the form `$PARAM_NAME` stands under its name in lower case, as it meets any case.
    """

    spans: dict[str, list[Span]]
    exact: set[str] = field(default_factory=set)

    def add(self, value: SyntaxNode | None) -> None:
        """Add the references in a value, if it is a text."""
        if not isinstance(value, ScalarNode):
            return
        for match in _REFERENCE.finditer(value.text):
            name = match[1].lower() if match[1] is not None else match[2]
            if match[1] is None:
                self.exact.add(name)
            places = self.spans.setdefault(name, [])
            if name and head_span(value) not in places:
                places.append(head_span(value))

    def is_met(self, name: str, given: Collection[str]) -> bool:
        """Tell whether a parameter that is referred to is given."""
        return name in given if name in self.exact else name.lower() in {each.lower() for each in given}

    def refers_to(self, name: str) -> bool:
        """Tell whether there is a reference that a given parameter meets."""
        return name in self.spans or (name.lower() in self.spans and name.lower() not in self.exact)
