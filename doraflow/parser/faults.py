"""One finding of pydantic's, put into words: what it concerns in the file, what is wrong, and the edit that mends it.

Steps that pydantic puts into a location but the file does not hold (the `source` of an input in its short form) are
left out. Which findings only follow of others is for `doraflow.parser.causes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.parser.advice import advice
from doraflow.parser.identifiers import judge_node_id
from doraflow.parser.keys import InputOptions, Keys
from doraflow.parser.kinds import describe
from doraflow.parser.meant_maps import as_map
from doraflow.parser.old_keys import OLD_KEYS
from doraflow.parser.other_words import meanings
from doraflow.parser.owners import descend, known_keys, owner_of, with_article
from doraflow.parser.scalars import resolve
from doraflow.parser.shapes import as_list, as_single, list_in_place
from doraflow.parser.suggest import choices_text
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode, head_span, is_left_out

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from doraflow.diagnostics import Sink
    from doraflow.parser.recovery import Location


def code_of(details: ErrorDetails) -> str:
    """Give the code under which a finding of pydantic's is told."""
    kind = details["type"]
    if kind == "fault":
        return str(details["ctx"]["code"])
    return {"extra_forbidden": "DF101", "missing": "DF102"}.get(kind, "DF103")


class Fault:
    """One finding of pydantic's, with what it concerns in the file."""

    def __init__(self, root: type[Keys], tree: MappingNode, details: ErrorDetails, sink: Sink) -> None:
        self.tree = tree
        self.details = details
        self.sink = sink
        self.location: Location = tuple(details["loc"])
        self.node, self.entry, self.present = descend(tree, self.location)
        self.owner = owner_of(root, self.location[:-1])
        key = str(self.location[-1]) if self.location else ""
        value = self.entry.value if self.entry is not None else None
        is_unknown = details["type"] == "extra_forbidden"
        self.advice = advice(key, self.owner.noun, value) if is_unknown else None
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
        holder, _, _ = descend(self.tree, self.present[:-1])
        return self.near if isinstance(holder, MappingNode) and holder.get(self.near) is None else None

    def _near(self) -> str | None:
        if self.details["type"] != "extra_forbidden" or self._is_ignored() or self.advice is not None:
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
        if self.advice is not None:
            help_text = self.advice
        elif self.near is not None:
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
            help=self._lacking(key),
        )

    def _lacking(self, key: str) -> str:
        """Say how to add a key that lacks; it may stand there under another name, or deeper."""
        entries = self.node.entries if isinstance(self.node, MappingNode) else ()
        for entry in entries:
            name, value = entry.key.text, entry.value
            if key == "id" and name == "name" and isinstance(value, ScalarNode) and judge_node_id(value.text) is None:
                return f"write `id: {value.text}` in the place of `name: {value.text}`"
            if key == "nodes" and isinstance(value, MappingNode) and value.get(key) is not None:
                return f"take the line `{name}:` away, and move what stands below it to the left"
        return f"add `{key}: …`"

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
        empty: object = [] if isinstance(self.node, SequenceNode) else {}
        found = describe(self.node if isinstance(self.node, ScalarNode) else empty)
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
