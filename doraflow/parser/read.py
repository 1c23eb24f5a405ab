"""Syntax tree to model: one validation, with every fault told at the place that it concerns.

pydantic judges each value by the model; this module only puts its findings into words. Steps that pydantic puts into a
location but the file does not hold (the `source` of an input in its short form) are left out. After faults the rest is
read without what was wrong, so that later stages find what is wrong with the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar, get_args, get_origin

from pydantic import ValidationError

from doraflow.parser.keys import InputOptions, Keys
from doraflow.parser.kinds import describe
from doraflow.parser.meant_maps import as_map
from doraflow.parser.old_keys import NODE_SECTIONS, OLD_KEYS
from doraflow.parser.other_words import meanings
from doraflow.parser.recovery import NO_GAPS, PORT_KEYS, Cut, Gaps, gaps_of, shortened, without
from doraflow.parser.scalars import resolve
from doraflow.parser.shapes import as_list, as_single, list_in_place
from doraflow.parser.suggest import choices_text
from doraflow.parser.syntax import Entry, MappingNode, ScalarNode, SequenceNode, head_span, is_left_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

    from doraflow.diagnostics import Sink
    from doraflow.parser.recovery import Location
    from doraflow.parser.syntax import SyntaxNode

Model = TypeVar("Model", bound=Keys)

MOST_ROUNDS = 8
MOST_FAULTS = 1_000
"""How many faults are told of one file; after more of them no one can say what the rest is to be."""

MOST_DETAILS = 50_000

# Optional keys without which later stages would find faults that are none, or miss those that are.
_LEADING = PORT_KEYS | {
    *("path", "python", "wasm", "shared-library", "build", "git", "params", "deploy", "machine", "hosts"),
    *("input_types", "output_types", "type_rules"),
}


@dataclass(frozen=True, slots=True)
class Reading(Generic[Model]):
    """A model, the syntax that it was read from, and what of the nodes is missing.

    `tree` is the syntax that was given, without what could not be read: its lists are as long as the model's. `faulty`
    are the keys at the top with a fault somewhere below.
    """

    model: Model
    tree: MappingNode
    gaps: Gaps = NO_GAPS
    faulty: frozenset[str] = frozenset()


def read_model(kind: type[Model], tree: MappingNode, sink: Sink) -> Reading[Model] | None:
    """Read a mapping as `kind`, as far as it can be read; None if a key is lacking without which there is nothing.

    All faults are reported, each once; what the recovery from one brings about is not.
    """
    gaps, faulty = NO_GAPS, frozenset[str]()
    tree = _without_masses(tree)
    for round_number in range(MOST_ROUNDS):
        try:
            return Reading(kind.model_validate(_raw(tree), context=sink), tree, gaps, faulty)
        except ValidationError as error:
            details = _details(error, kind, tree)
        faults, cuts = _judged([_Fault(kind, tree, each, sink) for each in details[:MOST_FAULTS]])
        if round_number == 0:
            for fault in faults:
                fault.report()
            for left in details[MOST_FAULTS:]:
                sink.leave_out(_code(left))
        if len(details) > MOST_FAULTS or any(not cut.location for cut in cuts):
            return None
        faulty |= {str(cut.location[0]) for cut in cuts}
        gaps = gaps.joined(gaps_of(tree, cuts))
        tree = without(tree, cuts)
    return None


def _without_masses(tree: MappingNode) -> MappingNode:
    """Cut a list of nodes off where more of them are no nodes than are told of anyway, before each costs its time."""
    nodes = tree.get("nodes")
    if not isinstance(nodes, SequenceNode) or len(nodes.items) <= MOST_FAULTS:
        return tree
    faulty = (at for at, item in enumerate(nodes.items, 1) if not isinstance(item, MappingNode) or not item.entries)
    end = next(islice(faulty, MOST_FAULTS, None), None)
    if end is None:
        return tree
    cut = replace(nodes, items=nodes.items[:end])
    return replace(
        tree, entries=tuple(replace(each, value=cut) if each.value is nodes else each for each in tree.entries)
    )


def _details(error: ValidationError, kind: type[Keys], tree: MappingNode) -> list[ErrorDetails]:
    """List what pydantic found. Very much of it would take all memory: then the first of each list is judged alone."""
    if error.error_count() > MOST_DETAILS:
        try:
            kind.model_validate(_raw(shortened(tree, MOST_DETAILS // 10)))
        except ValidationError as shorter:
            if MOST_FAULTS < shorter.error_count() <= MOST_DETAILS:
                error = shorter
    return error.errors(include_url=False, include_input=False)


def _code(details: ErrorDetails) -> str:
    kind = details["type"]
    if kind == "fault":
        return str(details["ctx"]["code"])
    return {"extra_forbidden": "DF101", "missing": "DF102"}.get(kind, "DF103")


def _judged(faults: Sequence[_Fault]) -> tuple[list[_Fault], list[Cut]]:
    """Tell faults from what only follows of them, a required key that lacks as it is misspelt; and how to go on."""
    meant: set[Location] = set()
    cuts: dict[Location, Cut] = {}
    for fault in faults:
        key = fault.meant()
        place = (*fault.location[:-1], key or "")
        if key is not None and place not in meant and (key in _LEADING or fault.is_required(key)):
            meant.add(place)
            cuts[fault.present] = Cut(fault.present, key)
    causes = [fault for fault in faults if fault.details["type"] != "missing" or fault.location not in meant]
    causes = _without_foreign_keys(_without_lack_of_nodes(causes))
    for fault in causes:
        cuts.setdefault(fault.present, Cut(fault.unreadable(), unknown=fault.details["type"] == "extra_forbidden"))
    return causes, list(cuts.values())


def _without_lack_of_nodes(faults: list[_Fault]) -> list[_Fault]:
    """Leave out that there are no `nodes` where they stand under an old key, which is told."""
    if not any(fault.details["type"] == "extra_forbidden" and fault.location[0] in NODE_SECTIONS for fault in faults):
        return faults
    return [fault for fault in faults if fault.details["type"] != "missing" or fault.location != ("nodes",)]


def _without_foreign_keys(faults: list[_Fault]) -> list[_Fault]:
    """Leave out the keys at the top of a file none of whose keys is known, where one that is required lacks."""
    if not any(fault.details["type"] == "missing" and len(fault.location) == 1 for fault in faults):
        return faults
    foreign = [fault for fault in faults if fault.details["type"] == "extra_forbidden" and len(fault.location) == 1]
    if not foreign or len(foreign) < len(foreign[0].tree.entries):
        return faults
    return [fault for fault in faults if fault not in foreign]


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
        self.tree = tree
        self.details = details
        self.sink = sink
        self.location: Location = tuple(details["loc"])
        self.node, self.entry, self.present = _descend(tree, self.location)
        self.owner = _owner(root, self.location[:-1])
        self.near = self._near()

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

    def meant(self) -> str | None:
        """Give the key that an unknown one was meant to be, if that is not given as well."""
        if self.near is None:
            return None
        holder, _, _ = _descend(self.tree, self.present[:-1])
        return self.near if isinstance(holder, MappingNode) and holder.get(self.near) is None else None

    def _near(self) -> str | None:
        if self.details["type"] != "extra_forbidden" or self._is_ignored():
            return None
        return next(iter(meanings(str(self.location[-1]), self.owner.noun, known_keys(self.owner))), None)

    def unreadable(self) -> Location:
        """Tell what cannot be read: the value, or all of a mapping to which a key is required."""
        is_own = bool(self.present) and self.location == self.present
        return self.present[:-1] if is_own and self.is_required(self.location[-1]) else self.present

    def is_required(self, key: int | str) -> bool:
        """Tell whether the mapping that the fault stands in cannot lack a key."""
        fields = self.owner.model_fields
        field = next((field for name, field in fields.items() if key in (field.alias, name)), None)
        return field is not None and field.is_required()

    def _is_ignored(self) -> bool:
        """Tell whether this is a key of an input with a hyphen, which dora takes without a word and ignores."""
        key = str(self.location[-1])
        return self.owner is InputOptions and "-" in key and key.replace("-", "_") in InputOptions.model_fields

    def _unknown_key(self) -> None:
        key = str(self.location[-1])
        if self._is_ignored():
            self._ignored_key(key)
            return
        if self.entry is not None and self.entry.key.plain and not isinstance(resolve(key), str):
            return  # a number as a key is told by the builder of the tree
        span = self.entry.key.span if self.entry is not None else None
        known = known_keys(self.owner)
        if self.near is not None:
            help_text = f"write `{self.near}`"
        else:
            help_text = (
                OLD_KEYS.get(key) or f"the keys of {with_article(self.owner.noun)} are {choices_text(key, known, 50)}"
            )
        message = f"{with_article(self.owner.noun)} has no key `{key}`"
        self.sink.error("DF101", message, span, help=help_text, replacement=self.meant())

    def _ignored_key(self, key: str) -> None:
        known = key.replace("-", "_")
        span = self.entry.key.span if self.entry is not None else None
        message = f"an input has no key `{key}`: it is ignored, here as by dora, and the default of `{known}` holds"
        self.sink.warning("DF101", message, span, help=f"write `{known}`", replacement=known)

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
        # Nothing can be marked where a value is left out.
        is_at_key = self.location[-1] == "[key]" or is_left_out(self.node)
        span = self.entry.key.span if is_at_key and self.entry is not None else head_span(self.node)
        name, key = self._name()
        message = str(context["message"]).replace("{name}", name)
        help_text = None if context["help"] is None else str(context["help"]).replace("{key}", key)
        if help_text is None and context["code"] == "DF103":
            steps = [step for step in self.present if isinstance(step, str)]
            help_text = as_single(key, self.node, steps[-2] if len(steps) > 1 else "")
        replacement = None if context["replacement"] is None else str(context["replacement"])
        self.sink.error(str(context["code"]), message, span, help=help_text, replacement=replacement)

    def _wrong_shape(self) -> None:
        """Tell that a list or map is something else."""
        wants_list = self.details["type"] == "tuple_type"
        name, key = self._name()
        found = describe(self.node if isinstance(self.node, ScalarNode) else _raw(self.node))
        is_entry = bool(self.present) and isinstance(self.present[-1], int)
        steps = [step for step in self.present if isinstance(step, str)]
        parent = steps[-2] if len(steps) > 1 else ""
        help_text = as_list(key, self.node) if wants_list else as_map(key, self.node, parent, is_entry=is_entry)
        replacement = list_in_place(self.node) if wants_list else None
        message = f"{name} is {found}, expected {'a list' if wants_list else 'a map'}"
        self.sink.error("DF103", message, head_span(self.node), help=help_text, replacement=replacement)

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
        elif isinstance(node, MappingNode) and isinstance(step, str) and (found := node.entry(step)) is not None:
            node, entry = found.value, found
        else:
            continue
        present.append(step)
    return node, entry, tuple(present)


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


def with_article(noun: str) -> str:
    """Put `a` or `an` before a noun."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
