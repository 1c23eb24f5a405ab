"""Locations in a file, and the mappings of the model that they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args, get_origin

from doraflow.parser.keys import Keys
from doraflow.parser.syntax import Entry, MappingNode, SequenceNode

if TYPE_CHECKING:
    from doraflow.parser.recovery import Location
    from doraflow.parser.syntax import SyntaxNode


def known_keys(kind: type[Keys]) -> list[str]:
    """List the keys of a mapping as a file spells them: its own in the order of the model, then those it shares."""
    names = sorted(kind.model_fields, key=lambda name: name not in kind.__annotations__)
    return [kind.model_fields[name].alias or name for name in names]


def descend(tree: MappingNode, location: Location) -> tuple[SyntaxNode, Entry | None, Location]:
    """Follow a location as far as the file goes: the value there, its entry if it has a key, and the steps taken."""
    node: SyntaxNode = tree
    entry: Entry | None = None
    present: list[int | str] = []
    for step in location:
        if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.items):
            node, entry = node.items[step], None
        elif isinstance(node, MappingNode) and isinstance(step, str) and (found := node.entry(step)) is not None:
            node, entry = found.value, found
        else:
            continue
        present.append(step)
    return node, entry, tuple(present)


def owner_of(root: type[Keys], location: Location) -> type[Keys]:
    """Find the mapping that a location leads to, by the types of the model's fields."""
    annotation: object = root
    for step in location:
        annotation = _without_wrapping(annotation)
        if isinstance(annotation, type) and issubclass(annotation, Keys):
            fields = annotation.model_fields
            annotation = next((field.annotation for name, field in fields.items() if step in (field.alias, name)), None)
        elif get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
        elif get_origin(annotation) is tuple:
            annotation = get_args(annotation)[0]
    found = _without_wrapping(annotation)
    return found if isinstance(found, type) and issubclass(found, Keys) else root


def _without_wrapping(annotation: object) -> object:
    """Take `Annotated` and `| None` off a type."""
    while True:
        if hasattr(annotation, "__metadata__"):
            annotation = get_args(annotation)[0]
        elif type(None) in get_args(annotation):
            annotation = next(part for part in get_args(annotation) if part is not type(None))
        else:
            return annotation


def with_article(noun: str) -> str:
    """Put `a` or `an` before a noun."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
