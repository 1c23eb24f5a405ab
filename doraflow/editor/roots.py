"""Which dataflow a file belongs to: what kind of file it is, and the dataflows that would read it.

A file that no dataflow reads is left alone, as most YAML files are none of doraflow's; a module that nothing includes
is compiled by itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doraflow.diagnostics import Sink
from doraflow.editor.schema import Kind
from doraflow.parser.text import LARGEST_FILE, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MOST_SEARCHED = 300
"""How many files are looked into for the dataflows that include a module."""
MOST_OWNERS = 4
HIGHEST = 4
"""How many folders upwards a dataflow may lie from its module or type file."""

_MODULE = re.compile(r"^module\s*:\s*(?:#.*|\{.*)?$", re.MULTILINE)
_INCLUDE = re.compile(r"\bmodule\s*:")
_NODES = re.compile(r"^(?:nodes|[\"']nodes[\"'])\s*:|^\{[^\n]*\bnodes\b", re.MULTILINE)
_HOSTS = re.compile(r"^hosts\s*:", re.MULTILINE)
_TYPES = re.compile(r"^types\s*:", re.MULTILINE)
_YAML = (".yml", ".yaml")
_TYPES_FOLDER = "types"


def kind_of_text(text: str) -> Kind | None:
    """Tell by its keys at the top what kind of file a text is; None if it is none of the language's."""
    if _MODULE.search(text):
        return Kind.MODULE
    if _NODES.search(text):
        return Kind.DATAFLOW
    return Kind.INVENTORY if _HOSTS.search(text) else None


def roots_of(file: Path, texts: Mapping[str, str]) -> list[Path]:
    """List the dataflows to compile for a file that is open; `texts` are the open files, by path."""
    text = texts.get(file.as_posix(), "")
    kind = kind_of_text(text)
    if kind is Kind.DATAFLOW:
        return [file]
    if kind is Kind.MODULE:
        owners = [owner for owner, content in _dataflows(file.parent, texts) if _includes(content, file)]
        return owners[:MOST_OWNERS] or [file]
    folder = _above_types(file)
    if folder is not None and _TYPES.search(text):
        beside = (owner for owner, _ in _in_folder(folder, texts))
        return [owner for _, owner in zip(range(MOST_OWNERS), beside, strict=False)]
    return []


def _includes(content: str, module: Path) -> bool:
    for line in content.splitlines():
        code = line.partition("#")[0]
        key = _INCLUDE.search(code)
        if key is not None and module.name in code[key.end() :]:
            return True
    return False


def _above_types(file: Path) -> Path | None:
    """Give the folder in which a `types` folder with this file lies."""
    for folder in list(file.parents)[:HIGHEST]:
        if folder.name == _TYPES_FOLDER:
            return folder.parent
    return None


def _dataflows(folder: Path, texts: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """Give the dataflows in a folder and in those above it, nearest first, up to a repository's root."""
    looked_into = 0
    for above in [folder, *list(folder.parents)[:HIGHEST]]:
        for file, text in _in_folder(above, texts):
            looked_into += 1
            yield file, text
            if looked_into >= MOST_SEARCHED:
                return
        if (above / ".git").exists():
            return


def _in_folder(folder: Path, texts: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix in _YAML and path.is_file())[:MOST_SEARCHED]
    except OSError:
        return
    for file in files:
        text = texts.get(file.as_posix())
        if text is None:
            text = read(file, file.as_posix(), Sink(), LARGEST_FILE // 8)
        if text is not None and kind_of_text(text) is Kind.DATAFLOW:
            yield file, text
