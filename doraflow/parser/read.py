"""Syntax tree to model: one validation, with every fault told at the place that it concerns.

pydantic judges each value by the model; this module only puts its findings into words. Steps that pydantic puts into a
location but the file does not hold (the `source` of an input in its short form) are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, get_args, get_origin

from pydantic import ValidationError

from doraflow.parser.keys import Keys
from doraflow.parser.kinds import describe
from doraflow.parser.old_keys import OLD_KEYS
from doraflow.parser.suggest import choices_text, nearest
from doraflow.parser.syntax import Entry, MappingNode, ScalarNode, SequenceNode, head_span

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from doraflow.diagnostics import Sink
    from doraflow.parser.syntax import SyntaxNode

Model = TypeVar("Model", bound=Keys)
Location = tuple[int | str, ...]

_AS_A_MAP = "write a map, `NAME: value` on each line, without `-`"


def read_model(kind: type[Model], tree: MappingNode, sink: Sink) -> Model | None:
    """Read a mapping as `kind`; None after an error. All faults are reported, each once."""
    try:
        return kind.model_validate(_raw(tree), context=sink)
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            _Fault(kind, tree, details, sink).report()
        return None


def _raw(node: SyntaxNode) -> object:
    """Make what pydantic reads: maps and lists as such, nulls as None, every other scalar with its syntax."""
    if isinstance(node, MappingNode):
        return {entry.key.text: _raw(entry.value) for entry in node.entries}
    if isinstance(node, SequenceNode):
        return [_raw(item) for item in node.items]
    return None if node.value is None else node


class _Fault:
    """One finding of pydantic's, with what it concerns in the file."""

    def __init__(self, root: type[Keys], tree: MappingNode, details: ErrorDetails, sink: Sink) -> None:
        self.details = details
        self.sink = sink
        self.location: Location = tuple(details["loc"])
        self.node, self.entry, self.present = _descend(tree, self.location)
        self.owner = _owner(root, self.location[:-1])

    def report(self) -> None:
        """Add the finding to the sink."""
        kind = self.details["type"]
        if kind == "extra_forbidden":
            self._unknown_key()
        elif kind == "missing":
            self._missing_key()
        elif kind == "fault":
            self._own_fault()
        else:
            self._wrong_shape()

    def _unknown_key(self) -> None:
        key = str(self.location[-1])
        span = self.entry.key.span if self.entry is not None else None
        known = known_keys(self.owner)
        near = nearest(key, known)
        if near:
            help_text = f"write `{near[0]}`"
        else:
            help_text = (
                OLD_KEYS.get(key) or f"the keys of {_with_article(self.owner.noun)} are {choices_text(key, known, 50)}"
            )
        self.sink.error("DF101", f"{_with_article(self.owner.noun)} has no key `{key}`", span, help=help_text)

    def _missing_key(self) -> None:
        key = str(self.location[-1])
        self.sink.error(
            "DF102",
            f"this {self.owner.noun} lacks the key `{key}`, which is required",
            head_span(self.node),
            help=f"add `{key}: …`",
        )

    def _own_fault(self) -> None:
        context = self.details["ctx"]
        span = self.entry.key.span if self.location[-1] == "[key]" and self.entry is not None else head_span(self.node)
        name, key = self._name()
        message = str(context["message"]).replace("{name}", name)
        help_text = None if context["help"] is None else str(context["help"]).replace("{key}", key)
        self.sink.error(str(context["code"]), message, span, help=help_text)

    def _wrong_shape(self) -> None:
        """Tell that a list or map is something else."""
        wants_list = self.details["type"] == "tuple_type"
        name, key = self._name()
        found = describe(self.node if isinstance(self.node, ScalarNode) else _raw(self.node))
        help_text = None
        if wants_list and isinstance(self.node, ScalarNode):
            help_text = f"write `{key}: [{self.node.text}]`"
        elif not wants_list and isinstance(self.node, SequenceNode):
            help_text = _AS_A_MAP
        message = f"{name} is {found}, expected {'a list' if wants_list else 'a map'}"
        self.sink.error("DF103", message, head_span(self.node), help=help_text)

    def _name(self) -> tuple[str, str]:
        """Give the words for the value, and its key."""
        keys = [step for step in self.present if isinstance(step, str)]
        key = keys[-1] if keys else "nodes"
        is_entry = bool(self.present) and isinstance(self.present[-1], int)
        return (f"an entry of `{key}`" if is_entry else f"`{key}`"), key


def known_keys(kind: type[Keys]) -> list[str]:
    """List the keys of a mapping as a file spells them: its own in the order of the model, then those it shares."""
    names = sorted(kind.model_fields, key=lambda name: name not in kind.__annotations__)
    return [kind.model_fields[name].alias or name for name in names]


def _descend(tree: MappingNode, location: Location) -> tuple[SyntaxNode, Entry | None, Location]:
    """Follow a location as far as the file goes: the value there, its entry if it has a key, and the steps taken."""
    node: SyntaxNode = tree
    entry: Entry | None = None
    present: list[int | str] = []
    for step in location:
        if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.items):
            node, entry = node.items[step], None
        elif isinstance(node, MappingNode) and isinstance(step, str) and (found := _entry(node, step)) is not None:
            node, entry = found.value, found
        else:
            continue
        present.append(step)
    return node, entry, tuple(present)


def _entry(node: MappingNode, key: str) -> Entry | None:
    return next((entry for entry in node.entries if entry.key.text == key), None)


def _owner(root: type[Keys], location: Location) -> type[Keys]:
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


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
