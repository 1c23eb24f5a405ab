"""Manifests beside nodes: what a `dora-node.yml` says of the ports of the program that it is about.

A manifest is about a node if its entry point is the node's path. It is advice: what does not fit is a warning, and the
dataflow's own annotations win. As in dora, only paths inside the project are looked at.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from doraflow import disk
from doraflow.diagnostics import Label, Severity, Sink
from doraflow.parser.document import TypeFile
from doraflow.parser.read import read_model
from doraflow.parser.sources import split_reference
from doraflow.parser.suggest import choices_text, nearest
from doraflow.parser.syntax import Entry, MappingNode, ScalarNode, head_span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.diagnostics import Span
    from doraflow.parser.document import Declared
    from doraflow.parser.files import Files
    from doraflow.parser.manifest_model import Manifest, ManifestPort
    from doraflow.parser.model import Node

FILE = "dora-node.yml"
DEEPEST = 64
"""How many folders up a manifest is looked for."""

_NO_FILES = frozenset({"dynamic", "shell"})


@dataclass(frozen=True, slots=True)
class _Read:
    """A manifest that can be used; `folder` is relative to the dataflow's."""

    model: Manifest
    syntax: MappingNode
    folder: str


class Manifests:
    """The manifests of one dataflow, each read once. Not thread-safe."""

    def __init__(self, files: Files, sink: Sink) -> None:
        self._files = files
        self._sink = sink
        self._nearest: dict[str, str | None] = {}
        self._read: dict[str, _Read | None] = {}
        self._used: dict[str, _Read] = {}

    def applied(self, nodes: Sequence[Declared]) -> tuple[Declared, ...]:
        """Give the nodes with the types that manifests give to their ports; what does not fit is reported."""
        return tuple(self._applied(declared) for declared in nodes)

    def type_files(self) -> tuple[TypeFile, ...]:
        """Give the custom types of the manifests that were used, as if each stood in a type file."""
        return tuple(file for read in self._used.values() for file in self._types(read))

    def _applied(self, declared: Declared) -> Declared:
        path = _local_path(declared.node)
        read = self._about(declared, path) if path is not None else None
        if read is None:
            return declared
        self._used[read.folder] = read
        node = declared.node
        _check_ports(declared, read, self._sink)
        return replace(
            declared,
            node=node.model_copy(
                update={
                    "input_types": {**_types_of(read.model.inputs), **node.input_types},
                    "output_types": {**_types_of(read.model.outputs), **node.output_types},
                }
            ),
        )

    def _about(self, declared: Declared, path: str) -> _Read | None:
        """Find the manifest that is about a program."""
        folder = self._folder(posixpath.dirname(path))
        read = self._manifest(folder) if folder is not None else None
        if folder is None or read is None:
            return None
        entry = posixpath.normpath(posixpath.join(folder, read.model.entrypoint.replace("\\", "/")))
        if entry == path:
            return read
        place = read.syntax.get("entrypoint")
        # A command in the dataflow's folder often has nothing to do with a manifest there.
        if "/" in path and place is not None:
            self._sink.warning(
                "DF308",
                f"the entry point in `{self._shown(folder)}` is `{entry}`, so it is not used for `{declared.node.id}`, "
                f"which runs `{path}`",
                head_span(place),
                help="correct `entrypoint`, which begins at the manifest's folder",
            )
        return None

    def _folder(self, folder: str) -> str | None:
        """Find the nearest folder with a manifest, from `folder` up to the dataflow's."""
        passed: list[str] = []
        here = folder
        while here not in self._nearest and len(passed) < DEEPEST:
            passed.append(here)
            if self._files.exists(posixpath.join(here, FILE)):
                self._nearest[here] = here
            elif not here:
                self._nearest[here] = None
            here = posixpath.dirname(here)
        found = next((self._nearest[step] for step in (*passed, here) if step in self._nearest), None)
        self._nearest |= dict.fromkeys(passed, found)
        return found

    def _manifest(self, folder: str) -> _Read | None:
        if folder not in self._read:
            self._read[folder] = self._read_manifest(folder)
        return self._read[folder]

    def _read_manifest(self, folder: str) -> _Read | None:
        from doraflow.parser.manifest_model import Manifest

        own = Sink()
        syntax = self._files.tree(posixpath.join(folder, FILE), "apiVersion")
        reading = read_model(Manifest, syntax, own) if syntax is not None else None
        fault = next((each for each in own.diagnostics() if each.severity is Severity.ERROR), None)
        if fault is not None:
            message = f"`{self._shown(folder)}` is not used: {fault.message}"
            self._sink.warning("DF308", message, fault.span, help=fault.help)
        return None if reading is None or fault is not None else _Read(reading.model, reading.tree, folder)

    def _shown(self, folder: str) -> str:
        return self._files.display(posixpath.join(folder, FILE))

    def _types(self, read: _Read) -> list[TypeFile]:
        types = read.syntax.get("types")
        found = []
        for entry in types.entries if isinstance(types, MappingNode) else ():
            prefix, _, name = entry.key.text.rpartition("/")
            if prefix.split("/")[0] != read.model.namespace:
                self._sink.warning(
                    "DF308",
                    f"`{entry.key.text}` does not lie under `{read.model.namespace}/`, the manifest's namespace, "
                    "so it is left out",
                    entry.key.span,
                    help=f"write `{read.model.namespace}/{entry.key.text}`",
                )
                continue
            short = Entry(replace(entry.key, text=name, value=name), entry.value)
            body = MappingNode((short,), entry.key.span)
            key = ScalarNode("types", "types", entry.key.span, plain=True)
            found.append(TypeFile(prefix, MappingNode((Entry(key, body),), entry.key.span)))
        return found


def _local_path(node: Node) -> str | None:
    """Give the path of a node that runs a file of the project, from the dataflow's folder."""
    path = node.path or ""
    if (
        not path
        or len(path) > disk.LONGEST_PATH
        or path in _NO_FILES
        or node.git is not None
        or path.startswith(("http://", "https://", "/"))
    ):
        return None
    normal = posixpath.normpath(path)
    return None if normal.startswith("../") else normal


def _types_of(ports: Mapping[str, ManifestPort]) -> dict[str, str]:
    return {name: port.type for name, port in ports.items() if port.type is not None}


def _check_ports(declared: Declared, read: _Read, sink: Sink) -> None:
    node = declared.node
    manifest = [Label(head_span(read.syntax.get("entrypoint") or read.syntax), "the manifest is here")]
    for kind, given, known in (
        ("input", [name for name, port in node.inputs.items() if split_reference(port.source)], read.model.inputs),
        ("output", node.outputs, read.model.outputs),
    ):
        for name in given:
            if name not in known:
                near = nearest(name, list(known))
                sink.warning(
                    "DF309",
                    f"the manifest of `{node.id}` has no {kind} `{name}`: its {kind}s are "
                    f"{choices_text(name, list(known))}",
                    _place(declared, f"{kind}s"),
                    related=manifest,
                    help=f"write `{near[0]}`, or add `{name}` to the manifest" if near else "add it to the manifest",
                )
    for name, port in read.model.inputs.items():
        if port.required is not False and name not in node.inputs and "inputs" not in declared.gaps:
            sink.warning(
                "DF309",
                f"the manifest of `{node.id}` needs the input `{name}`, which nothing is connected to",
                _place(declared, "inputs"),
                related=manifest,
                help=f"add `{name}: NODE/OUTPUT` to the `inputs`, or write `required: false` in the manifest",
            )


def _place(declared: Declared, key: str) -> Span:
    return declared.syntax.key_span(key) or head_span(declared.syntax.get("id") or declared.syntax)
