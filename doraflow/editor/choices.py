"""The names that may stand as a value: sources, types, ports, files, machines, each by the key that it is written for.

What is written where comes as a `Context`; nothing here judges whether a choice is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.analysis.standard_types import TIMER_TYPE
from doraflow.editor.outline import entries_of, text_of
from doraflow.editor.producers import Producers
from doraflow.parser.module_ports import MODULE_SOURCE
from doraflow.parser.sources import LOG_LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from doraflow.editor.context import Context
    from doraflow.editor.outline import NodeOutline, Outline, Ports
    from doraflow.editor.positions import Place
    from doraflow.editor.snapshot import Snapshot

MOST_FILES = 500
"""How many files of a folder are offered."""

_TIMERS = ("millis/100", "secs/1", "hz/30", "micros/500", "nanos/1000000")
_OUTPUT_MAPS = ("output_types", "output_framing", "output_metadata")
_SUFFIXES: dict[str, tuple[str, ...]] = {
    "module": (".yml", ".yaml"),
    "path": (".py",),
    "python": (".py",),
    "source": (".py",),
    "shared-library": (".so", ".dylib", ".dll"),
    "wasm": (".wasm",),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that may be written; `kind` is `name`, `type`, `file` or `word`."""

    text: str
    kind: str = "name"
    detail: str = ""
    documentation: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known around the cursor: the outline of the file, if it can be had, and those of its modules."""

    folder: Path
    place: Place
    around: Outline | None
    outlines: Mapping[str, Outline]
    snapshot: Snapshot | None

    def node(self) -> NodeOutline | None:
        """Find the node that the cursor is in, as it is or as a profile changes it: the last to begin before."""
        nodes = (*self.around.nodes, *self.around.changed) if self.around is not None else ()
        before = (node for node in nodes if node.syntax.span.line <= self.place.line)
        return max(before, key=lambda node: (node.syntax.span.line, node.syntax.span.column), default=None)

    def ports(self) -> Ports | None:
        """Find what declares ports around the cursor: the operator it is in, else the node."""
        node = self.node()
        if node is None:
            return None
        inside = (each for each in reversed(node.operators) if self.place.within(each.ports.syntax.span))
        operator = next(inside, None)
        return operator.ports if operator is not None else node.ports


def value_choices(context: Context, here: Surroundings) -> Iterator[Choice]:
    """List the names that may stand where a value is being written."""
    path = tuple(step for step in context.path if isinstance(step, str))
    choices = _chooser(path)
    if choices is not None:
        yield from choices(context, here)


def port_keys(context: Context, here: Surroundings) -> list[Choice]:
    """List the ports that a map by port may name, and for the inputs of a module those of its header."""
    last = context.path[-1] if context.path else None
    ports, node = here.ports(), here.node()
    if here.around is not None and last == "nodes" and context.path[0] == "profiles":
        return [Choice(each.name, detail="node") for each in here.around.nodes]
    if ports is None or node is None:
        return []
    if last in _OUTPUT_MAPS:
        return [Choice(output.text) for output in ports.outputs]
    if last == "input_types":
        return [Choice(line.id.text, detail=text_of(line.source)) for line in ports.inputs]
    module = Producers(here.outlines).module(node, here.around) if here.around is not None else None
    if last == "inputs" and module is not None:
        return [
            Choice(port.text, detail=f"input of {text_of(module.header and module.header.get('name'))}")
            for port in module.inputs
        ]
    return []


def _chooser(path: Sequence[str]) -> Callable[[Context, Surroundings], Iterator[Choice]] | None:
    last, before = (path[-1] if path else ""), (path[-2] if len(path) > 1 else "")
    if before == "inputs" or (last == "source" and len(path) > 2 and path[-3] == "inputs"):
        return _sources
    if before in ("input_types", "output_types") or (before == "type_rules" and last in ("from", "to")):
        return _types
    if last == "machine":
        return _machines
    if last == "outputs":
        return _wanted_outputs
    if last in ("send_stdout_as", "send_logs_as"):
        return _own_outputs
    return _files if last in _SUFFIXES else None


def _sources(context: Context, here: Surroundings) -> Iterator[Choice]:
    own = here.node()
    around = here.around
    if around is not None:
        producers = Producers(here.outlines)
        others = [node for node in around.nodes if own is None or node.name != own.name]
        for node in others:
            for output in producers.of(node, around):
                yield Choice(f"{node.name}/{output.name}", detail=output.type_name)
        for port in around.inputs:
            yield Choice(f"{MODULE_SOURCE}/{port.text}", detail="input of this module")
    for timer in _TIMERS:
        yield Choice(f"dora/timer/{timer}", detail=TIMER_TYPE)
    yield Choice("dora/logs", detail="the log lines of all nodes")
    if context.typed.startswith("dora/logs/"):
        for level in LOG_LEVELS:
            yield Choice(f"dora/logs/{level}", detail="and above")
            for node in around.nodes if around is not None else ():
                if context.typed.startswith(f"dora/logs/{level}/"):
                    yield Choice(f"dora/logs/{level}/{node.name}")


def _types(context: Context, here: Surroundings) -> Iterator[Choice]:
    """List the types, first the one that the other end of the edge has."""
    from doraflow.analysis.type_library import standard_library
    from doraflow.editor.type_text import describe_type

    library = here.snapshot.library if here.snapshot is not None else standard_library()
    likely = _sent_type(context, here)
    if likely:
        yield Choice(likely, "type", "what the source sends")
    for urn in library.types:
        if urn != likely:
            yield Choice(urn, "type", documentation=describe_type(urn, library, here.snapshot))


def _sent_type(context: Context, here: Surroundings) -> str:
    ports = here.ports()
    if ports is None or here.around is None or context.path[-2] != "input_types":
        return ""
    source = next((text_of(line.source) for line in ports.inputs if line.id.text == context.path[-1]), "")
    found = Producers(here.outlines).find(source, here.around)
    return found.type_name if found is not None else ""


def _machines(_context: Context, here: Surroundings) -> Iterator[Choice]:
    hosts = entries_of(here.around.tree.get("hosts")) if here.around is not None else ()
    known = here.snapshot.made.graph.hosts if here.snapshot is not None and here.snapshot.made.graph else ()
    for name in dict.fromkeys([*(entry.key.text for entry in hosts), *(host.name for host in known)]):
        yield Choice(name, detail="machine")


def _wanted_outputs(_context: Context, here: Surroundings) -> Iterator[Choice]:
    """List the outputs that inputs read of this node and that it does not declare yet; in a header those inside."""
    node, around = here.node(), here.around
    if around is None:
        return
    if node is None:
        names = (name for inner in around.nodes for name, _, _ in inner.outputs())
        yield from (Choice(name) for name in dict.fromkeys(names))
        return
    declared = {name for name, _, _ in node.outputs()}
    read = (text_of(line.source) for other in around.nodes for _, ports in other.holders() for line in ports.inputs)
    wanted = (source.partition("/")[2] for source in read if source.partition("/")[0] == node.name)
    yield from (Choice(name, detail="read by another node") for name in dict.fromkeys(wanted) if name not in declared)


def _own_outputs(_context: Context, here: Surroundings) -> Iterator[Choice]:
    ports = here.ports()
    yield from (Choice(output.text) for output in (ports.outputs if ports is not None else ()))


def _files(context: Context, here: Surroundings) -> Iterator[Choice]:
    """List the files of the folder that is being written, those of a fitting kind, and the folders in it."""
    key = next(step for step in reversed(context.path) if isinstance(step, str))
    if key == "path":
        yield Choice("dynamic", "word", "the node is started by hand")
        yield Choice("shell", "word", "`args` is run by a shell")
    written, slash, _ = context.typed.rpartition("/")
    if written.startswith("/") or "://" in written:
        return
    try:
        entries = sorted((here.folder / written).iterdir())[:MOST_FILES]
    except OSError:
        return
    for entry in entries:
        is_folder = entry.is_dir()
        if not entry.name.startswith((".", "__")) and (is_folder or entry.suffix in _SUFFIXES[key]):
            yield Choice(f"{written}{slash}{entry.name}{'/' if is_folder else ''}", "file")
