"""The text of a lock file: version, placement and digests, in an order that depends on the dataflow alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow.codegen.yaml_text import yaml_text
from doraflow.parser.lock import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.parser.lock import Lock

_HEAD = "# Written by doraflow: commit it. `doraflow build` keeps to it, `doraflow lock` brings it up to date.\n"


@dataclass(frozen=True, slots=True)
class Pins:
    """What is to be pinned: machines by node, in the order of the dataflow, and digests by path."""

    placement: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.placement or self.files)


def lock_text(pins: Pins, profile: str | None, before: Lock | None) -> str:
    """Write a lock with new pins for one profile, or for the dataflow as it is; those of the others stay."""
    sections = {name: _pins_of(before, name) for name in (before.sections if before is not None else ())}
    sections[profile or ""] = pins
    table: dict[str, object] = {"version": VERSION, **_table(sections.pop("", Pins()))}
    others = {name: _table(sections[name]) for name in sorted(sections) if sections[name]}
    if others:
        table["profiles"] = others
    return _HEAD + yaml_text(table)


def _pins_of(lock: Lock | None, profile: str) -> Pins:
    section = lock.sections[profile] if lock is not None else None
    if section is None:
        return Pins()
    placement = {node: pinned.value for node, pinned in section.placement.items()}
    return Pins(placement, {path: pinned.value for path, pinned in section.files.items()})


def _table(pins: Pins) -> dict[str, object]:
    table: dict[str, object] = {}
    if pins.placement:
        table["placement"] = dict(pins.placement)
    if pins.files:
        table["files"] = {path: pins.files[path] for path in sorted(pins.files)}
    return table
