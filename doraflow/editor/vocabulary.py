"""The words of the language by where they may stand: keys, allowed words and descriptions, looked up by path.

The JSON schema is the one source; a path is the keys and list positions that lead to a value. Nothing here looks at a
file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.editor.schema import Schema

Path: TypeAlias = tuple[str | int, ...]
Part: TypeAlias = Mapping[str, object]

_DEFINITIONS = "#/$defs/"
_BOOLEANS = ("true", "false")


@dataclass(frozen=True, slots=True)
class Key:
    """A key that may stand in a map: what it is for, and whether a list or map is its value."""

    name: str
    description: str
    required: bool = False
    deprecated: bool = False
    default: str | None = None
    words: tuple[str, ...] = ()
    holds_many: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What one kind of file may say."""

    schema: Schema

    def keys(self, path: Path) -> tuple[Key, ...]:
        """List the keys of the map at `path`; none where no map stands, or where its keys are ids."""
        return tuple(
            self._key(name, part, form)
            for form in self._forms(path)
            for name, part in _mapping(form.get("properties")).items()
        )

    def key(self, path: Path) -> Key | None:
        """Look up the key that `path` ends in; None if it is an id or a list's position."""
        return next((key for key in self.keys(path[:-1]) if key.name == path[-1]), None) if path else None

    def words(self, path: Path) -> tuple[str, ...]:
        """List the words that the value at `path` may be, booleans among them."""
        return _words(self._forms(path))

    def is_list(self, path: Path) -> bool:
        """Tell whether a list stands at `path`."""
        return any("items" in form for form in self._forms(path))

    def is_map(self, path: Path) -> bool:
        """Tell whether a map stands at `path`, of keys or of ids."""
        return any("object" in _types(form) for form in self._forms(path))

    def _key(self, name: str, part: object, owner: Part) -> Key:
        forms = list(self._resolved(part))
        own = _mapping(part)
        required = owner.get("required")
        description = own.get("description") or next(
            (form["description"] for form in forms if "description" in form), ""
        )
        default = own.get("default")
        return Key(
            name,
            str(description),
            required=isinstance(required, list) and name in required,
            deprecated=own.get("deprecated") is True,
            default=None if default is None else str(default).lower() if isinstance(default, bool) else str(default),
            words=_words(forms),
            holds_many=any({"object", "array"} & set(_types(form)) for form in forms),
        )

    def _forms(self, path: Path) -> list[Part]:
        forms = list(self._resolved(self.schema))
        for step in path:
            forms = [resolved for form in forms for below in _below(form, step) for resolved in self._resolved(below)]
        return forms

    def _resolved(self, part: object) -> Iterator[Part]:
        """Give the schemas that a schema stands for: what it refers to, and each of its choices."""
        form = _mapping(part)
        reference, choices = form.get("$ref"), form.get("anyOf")
        if isinstance(reference, str):
            definitions = _mapping(self.schema.get("$defs"))
            yield from self._resolved(definitions.get(reference.removeprefix(_DEFINITIONS)))
        elif isinstance(choices, list):
            for choice in choices:
                yield from self._resolved(choice)
        else:
            yield form


def _below(form: Part, step: str | int) -> Iterator[object]:
    if isinstance(step, int):
        if "items" in form:
            yield form["items"]
        return
    properties = _mapping(form.get("properties"))
    if step in properties:
        yield properties[step]
    elif isinstance(form.get("additionalProperties"), Mapping):
        yield form["additionalProperties"]


def _words(forms: list[Part]) -> tuple[str, ...]:
    words: list[str] = []
    for form in forms:
        allowed = form.get("enum")
        words += map(str, allowed) if isinstance(allowed, list) else ()
        words += _BOOLEANS if _types(form) in (["boolean"], ["boolean", "null"]) else ()
    return tuple(dict.fromkeys(words))


def _types(form: Part) -> list[str]:
    kinds = form.get("type")
    return [str(kind) for kind in kinds] if isinstance(kinds, list) else [str(kinds)]


def _mapping(part: object) -> Part:
    return part if isinstance(part, Mapping) else {}
