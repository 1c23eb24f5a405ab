"""The parser's front door: a path to a document, with everything that the dataflow's files say.

The steps stand in `load` in their order; each is a module of its own.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from doraflow import disk
from doraflow.parser.dialects.modernise import modernise
from doraflow.parser.document import Declared, Document, Expansion, TypeFile, declared_nodes
from doraflow.parser.environment import allowed, check_environment
from doraflow.parser.files import Files, read_tree
from doraflow.parser.inventory import check_hosts, with_inventory
from doraflow.parser.link_rules import check_links
from doraflow.parser.manifests import Manifests
from doraflow.parser.model import Dataflow
from doraflow.parser.profiles import with_profile
from doraflow.parser.read import read_model
from doraflow.parser.rules import check_has_nodes, check_nodes
from doraflow.parser.syntax import MappingNode

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

    from doraflow.diagnostics import Sink

_TYPES_FOLDER = "types"
_UNSAFE = re.compile(r"[^a-z0-9_]+")


def load(
    path: Path,
    sink: Sink,
    inventory: Path | None = None,
    texts: MutableMapping[str, str] | None = None,
    profile: str | None = None,
) -> Document | None:
    """Read a dataflow with its modules, its type files and its inventory; None after an error that leaves no nodes.

    `profile` is the name of the profile to lay over it. Spans show `path` as it is given, with forward slashes.
    `texts`, if given, gets the text of every file that was read, so that errors can be shown with their lines even
    where there is no document.

    >>> from pathlib import Path
    >>> from doraflow.diagnostics import Sink
    >>> sink = Sink()
    >>> load(Path("absent.yml"), sink) is None, sink.diagnostics()[0].message
    (True, '`absent.yml` cannot be read: there is no such file')
    """
    texts = {} if texts is None else texts
    display = path.as_posix()
    syntax = read_tree(path, display, texts, sink)
    if syntax is not None:
        syntax = modernise(syntax, texts[display], sink)
    if syntax is None:
        return None
    if isinstance(syntax.get("module"), MappingNode):
        return _module_by_itself(syntax, path, texts, sink)
    reading = read_model(Dataflow, with_profile(syntax, profile, sink), sink)
    if reading is None:
        return None
    dataflow, syntax = reading.model, reading.tree
    if not reading.faulty:
        check_has_nodes(syntax, sink)
    check_nodes(dataflow.nodes, syntax, sink, reading.gaps)
    check_environment(syntax.get("env"), sink)
    if sink.is_flooded:
        return None
    files = Files(path.parent, path.parent.as_posix(), texts, sink)
    expansion = _expand(declared_nodes(reading), dataflow, files, sink)
    manifests = Manifests(files, sink)
    nodes = manifests.applied(expansion.nodes)
    type_files = (*_type_files(files), *manifests.type_files())
    joined = with_inventory(dataflow, inventory, texts, sink)
    dataflow = joined.dataflow
    check_hosts(dataflow.hosts, (syntax.get("hosts"), joined.syntax), sink)
    check_links(syntax.get("communication"), sink)
    return Document(
        name=dataflow_name(dataflow.name, path),
        source=path.name,
        folder=path.parent,
        file=display,
        dataflow=dataflow.model_copy(update={"env": allowed(dataflow.env)}),
        syntax=syntax,
        nodes=tuple(_without_reserved(declared) for declared in nodes),
        module_builds=expansion.builds,
        type_files=type_files,
        texts=texts,
        inventory=joined.syntax,
        knows_machines=joined.is_whole and "hosts" not in reading.faulty,
        missing=reading.gaps.nodes | expansion.gaps.nodes,
        nameless=reading.gaps.nameless or expansion.gaps.nameless,
        included=files.included,
    )


def dataflow_name(given: str | None, path: Path) -> str:
    """Make the name of a dataflow: its `name`, else the file's stem, or the folder's name for a `dataflow.yml`.

    The result is a safe identifier of lower-case letters, digits and `_` that does not begin with a digit.
    """
    fallback = disk.resolved(path).parent.name if path.stem == "dataflow" else path.stem
    for candidate in (given, fallback):
        name = _UNSAFE.sub("_", (candidate or "").lower()).strip("_")
        if name:
            return f"flow_{name}" if name[0].isdigit() else name
    return "dataflow"


def _module_by_itself(syntax: MappingNode, path: Path, texts: MutableMapping[str, str], sink: Sink) -> Document | None:
    """Read a module file as if it were a dataflow whose first messages come from somewhere else."""
    from doraflow.parser.modules import expand_module_file, read_module

    reading = read_module(syntax, sink)
    if reading is None:
        return None
    files = Files(path.parent, path.parent.as_posix(), texts, sink)
    expansion = expand_module_file(reading, path.name, files, sink)
    return Document(
        name=dataflow_name(reading.model.module.name, path),
        source=path.name,
        folder=path.parent,
        file=path.as_posix(),
        dataflow=Dataflow(nodes=()),
        syntax=reading.tree,
        nodes=tuple(_without_reserved(declared) for declared in expansion.nodes),
        module_builds=expansion.builds,
        type_files=_type_files(files),
        texts=texts,
        missing=reading.gaps.nodes | expansion.gaps.nodes,
        nameless=reading.gaps.nameless or expansion.gaps.nameless,
        included=files.included,
        exports=expansion.exports,
    )


def _expand(nodes: list[Declared], dataflow: Dataflow, files: Files, sink: Sink) -> Expansion:
    if all(declared.node.module is None for declared in nodes):
        return Expansion(tuple(nodes))
    from doraflow.parser.modules import expand_modules

    return expand_modules(nodes, dataflow.env, files, sink)


def _without_reserved(declared: Declared) -> Declared:
    env = allowed(declared.node.env)
    if len(env) == len(declared.node.env):
        return declared
    node = declared.node.model_copy(update={"env": env})
    return replace(declared, node=node)


def _type_files(files: Files) -> tuple[TypeFile, ...]:
    """Read the user's own types, `types/**/*.yml` beside the dataflow, in the order of their paths."""
    folder = files.folder / _TYPES_FOLDER
    found = [relative for relative in disk.files_below(folder) if relative.endswith(".yml")]
    trees = ((relative, files.tree(f"{_TYPES_FOLDER}/{relative}", "types")) for relative in found)
    return tuple(TypeFile(relative.removesuffix(".yml"), tree) for relative, tree in trees if tree is not None)
