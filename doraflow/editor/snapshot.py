"""One state of a dataflow as an editor sees it: what the compiler made of it, and the outlines of its files.

Features take a snapshot and a place; nothing here is ever changed once made, so a request may use one while the next is
being computed.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow.collector import held_back
from doraflow.diagnostics import Sink
from doraflow.editor.outline import entries_of, outline
from doraflow.parser.compose import compose
from doraflow.parser.dialects.modernise import modernise

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from doraflow.analysis.type_library import TypeLibrary
    from doraflow.editor.outline import Outline
    from doraflow.parser.syntax import Entry
    from doraflow.pipeline import Compilation

MOST_OUTLINES = 200
"""How many module files of one dataflow are looked into."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A dataflow, compiled.

    `outlines` leads from display paths to the files that could be read as YAML, `own_types` from the user's types to
    where they are defined. `modules` are the module files that are named, whether they could be read or not.
    """

    made: Compilation
    outlines: Mapping[str, Outline]
    library: TypeLibrary
    own_types: Mapping[str, Entry] = field(default_factory=dict)
    modules: frozenset[str] = frozenset()

    @property
    def file(self) -> str:
        """The display path of the dataflow."""
        return self.made.source.as_posix()

    def reads(self, file: str) -> bool:
        """Tell whether a file is the dataflow, one of its modules, or one of its type files."""
        types = posixpath.join(posixpath.dirname(self.file), "types", "")
        return file == self.file or file in self.modules or file.startswith(types)


@held_back()
def take_snapshot(source: Path, unsaved: Mapping[str, str]) -> Snapshot:
    """Compile a dataflow with the editor's texts and outline its files."""
    from doraflow.analysis.user_types import read_library
    from doraflow.pipeline import Options, check

    made = check(source, Options(unsaved=unsaved))
    type_files = made.document.type_files if made.document is not None else ()
    types = {
        f"{file.prefix}/{entry.key.text}": entry
        for file in type_files
        for entry in entries_of(file.syntax.get("types"))
    }
    outlines, modules = outlines_of(source.as_posix(), made.texts)
    return Snapshot(made, outlines, read_library(type_files, Sink()), types, modules)


def outlines_of(file: str, texts: Mapping[str, str]) -> tuple[dict[str, Outline], frozenset[str]]:
    """Outline a file and the module files that it and they name, as far as their texts are known; name the modules."""
    found: dict[str, Outline] = {}
    waiting = [file]
    for name in waiting:
        made = read_outline(texts[name], name) if name in texts and len(found) < MOST_OUTLINES else None
        if made is not None:
            found[name] = made
            named = (made.beside(node.module.text) for node in made.nodes if node.module is not None)
            known = set(waiting)
            waiting += [module for module in dict.fromkeys(named) if module not in known]
    return found, frozenset(waiting[1:])


def read_outline(text: str, file: str) -> Outline | None:
    """Outline a text, an old dialect as what it stands for; None if it is no YAML map."""
    tree = compose(text, file, Sink())
    modern = modernise(tree, text, Sink()) if tree is not None else None
    return outline(modern, file) if modern is not None else None
