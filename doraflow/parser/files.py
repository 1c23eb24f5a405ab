"""The files of one dataflow: where they lie, how messages call them, and their texts and trees.

One instance serves one load. Modules and type files are found relative to the dataflow's folder.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from doraflow import disk
from doraflow.parser.compose import compose
from doraflow.parser.text import read

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    from doraflow.diagnostics import Label, Sink
    from doraflow.parser.syntax import MappingNode

LARGEST_SOURCE = 2**20


class Files:
    """Reads files below `folder` and keeps their texts in `texts`, by display path. Not thread-safe.

    A text that `texts` holds from the start, one of an editor that is not saved yet, is taken for the file's.

    `included` holds, by the display path of a module file, the first place that includes it.
    """

    def __init__(self, folder: Path, shown: str, texts: MutableMapping[str, str], sink: Sink) -> None:
        self.folder = folder
        self.texts = texts
        self.included: dict[str, Label] = {}
        self._lines: dict[str, list[str]] = {}
        self._shown = shown
        self._sink = sink

    def display(self, relative: str) -> str:
        """Give the path that messages show for a file, in the form in which the user gave the dataflow's path."""
        return posixpath.normpath(posixpath.join(self._shown, relative))

    def tree(self, relative: str, key: str = "nodes") -> MappingNode | None:
        """Read and compose a file that begins with `key`; None after an error."""
        return read_tree(self.folder / relative, self.display(relative), self.texts, self._sink, key)

    def source(self, relative: str) -> str | None:
        """Read the source of a node, without a word about what is wrong with it; None if that cannot be done."""
        place = self.folder / relative
        try:
            return disk.read(place, LARGEST_SOURCE).decode("utf-8", "replace") if disk.is_file(place) else None
        except OSError:
            return None

    def lines(self, display: str) -> list[str]:
        """Give the lines of a file that was read, without their line feeds."""
        if display not in self._lines:
            self._lines[display] = self.texts.get(display, "").split("\n")
        return self._lines[display]

    def exists(self, relative: str) -> bool:
        """Tell whether there is a file."""
        return self.display(relative) in self.texts or disk.is_file(self.folder / relative)

    def names(self, relative: str) -> list[str]:
        """List the files of a folder by name, sorted; none if there is no such folder."""
        return disk.files_in(self.folder / relative)

    def holds(self, relative: str) -> bool:
        """Tell whether a path leads to something inside the folder, links followed."""
        target = disk.resolved(self.folder / relative)
        return not relative.startswith("/") and target.is_relative_to(disk.resolved(self.folder))


def read_tree(
    path: Path, display: str, texts: MutableMapping[str, str], sink: Sink, key: str = "nodes"
) -> MappingNode | None:
    """Read and compose a file, and keep its text, unless `texts` has it already; None after an error."""
    text = texts[display] if display in texts else read(path, display, sink)
    if text is None:
        return None
    texts[display] = text
    return compose(text, display, sink, key)
