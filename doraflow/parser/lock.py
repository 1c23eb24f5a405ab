"""The lock file beside a dataflow, read: the machine that each node was given, and the digests of the files it reads.

Whether that still holds is judged in `doraflow.analysis`. A file that is no lock of ours is one finding at its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow import disk
from doraflow.diagnostics import Sink, Span
from doraflow.parser.compose import compose
from doraflow.parser.syntax import MappingNode, ScalarNode, head_span
from doraflow.parser.text import read

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from pathlib import Path

    from doraflow.parser.syntax import Entry, SyntaxNode

SUFFIX = ".doraflow.lock"
VERSION = 1

_SECTIONS = ("placement", "files")


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a lock says of one node or file: a machine, or a digest; and where."""

    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Section:
    """What is pinned for the dataflow as it is, or under one profile: machines by node, digests by path."""

    placement: Mapping[str, Pinned] = field(default_factory=dict)
    files: Mapping[str, Pinned] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file: its path as messages show it, its text, and its sections by profile, that of none under `""`."""

    file: str
    text: str
    sections: Mapping[str, Section]

    def section(self, profile: str | None) -> Section:
        """Give what is pinned under a profile, nothing where the lock does not know it."""
        return self.sections.get(profile or "", Section())


def lock_path(dataflow: Path) -> Path:
    """Name the lock file of a dataflow.

    >>> from pathlib import Path
    >>> lock_path(Path("robots/patrol.yml")).as_posix()
    'robots/patrol.doraflow.lock'
    """
    return dataflow.with_name(f"{dataflow.stem}{SUFFIX}")


def read_lock(dataflow: Path, sink: Sink, texts: MutableMapping[str, str]) -> Lock | None:
    """Read the lock of a dataflow, and keep its text; None if there is none, or after an error."""
    path = lock_path(dataflow)
    if not disk.exists(path):
        return None
    text = read(path, path.as_posix(), sink)
    if text is None:
        return None
    texts[path.as_posix()] = text
    return _Reading(path.as_posix(), dataflow.as_posix(), sink).lock(text)


class _Reading:
    """One file, and what to do if it is none of ours."""

    def __init__(self, file: str, dataflow: str, sink: Sink) -> None:
        self._file = file
        self._mend = f"take the file as it was from version control, or remove it and run `doraflow lock {dataflow}`"
        self._sink = sink
        self._is_ours = True

    def lock(self, text: str) -> Lock | None:
        """Read the text of the file."""
        own = Sink()
        tree = compose(text, self._file, own, "version")
        if tree is None or own.has_errors:
            first = own.diagnostics()[0] if own.found else None
            why = "it is empty" if first is None or first.code == "DF011" else first.message
            self._refuse(why, first.span if first is not None else None)
            return None
        if not self._knows(tree):
            return None
        sections = {"": self._section(tree, (*_SECTIONS, "version", "profiles"))}
        for entry in self._entries(tree.get("profiles"), "profiles"):
            sections[entry.key.text] = self._profile(entry)
        return Lock(self._file, text, sections) if self._is_ours else None

    def _knows(self, tree: MappingNode) -> bool:
        """Tell whether this version reads such a file."""
        version = tree.get("version")
        if not isinstance(version, ScalarNode) or type(version.value) is not int:
            self._refuse("it has no `version`", head_span(version or tree))
            return False
        if version.value != VERSION:
            message = f"`{self._file}` has version {version.value} of the format, and this doraflow reads {VERSION}"
            self._sink.error("DF890", message, version.span, help="update doraflow, or lock anew with this one")
            return False
        return True

    def _profile(self, entry: Entry) -> Section:
        if isinstance(entry.value, MappingNode):
            return self._section(entry.value, _SECTIONS)
        self._refuse(f"`{entry.key.text}` is no map", entry.key.span)
        return Section()

    def _section(self, tree: MappingNode, known: tuple[str, ...]) -> Section:
        stray = next((entry.key for entry in tree.entries if entry.key.text not in known), None)
        if stray is not None:
            self._refuse(f"a lock has no key `{stray.text}` there", stray.span)
        return Section(*(self._table(tree.get(name), name) for name in _SECTIONS))

    def _table(self, node: SyntaxNode | None, name: str) -> dict[str, Pinned]:
        found: dict[str, Pinned] = {}
        for entry in self._entries(node, name):
            if not isinstance(entry.value, ScalarNode) or not isinstance(entry.value.value, str):
                self._refuse(f"`{entry.key.text}` under `{name}` has no text", entry.key.span)
                break
            found[entry.key.text] = Pinned(entry.value.text, entry.value.span)
        return found

    def _entries(self, node: SyntaxNode | None, name: str) -> tuple[Entry, ...]:
        if node is None or isinstance(node, MappingNode):
            return node.entries if node is not None else ()
        self._refuse(f"`{name}` is no map", head_span(node))
        return ()

    def _refuse(self, why: str, span: Span | None) -> None:
        if not self._is_ours:
            return  # one file, one finding
        self._is_ours = False
        self._sink.error("DF890", f"`{self._file}` is no lock that doraflow wrote: {why}", span, help=self._mend)
