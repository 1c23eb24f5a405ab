"""Modules: the nodes of a module file put in the place of the node that includes it, as deep as modules nest.

Ids become `outer.inner`. A single node inside is adapted in `doraflow.parser.inner_nodes`; what ports mean is judged in
`doraflow.parser.module_ports`.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from doraflow.diagnostics import Label, Sink
from doraflow.ir import BuildStep
from doraflow.parser.dialects.modernise import modernise
from doraflow.parser.document import Expansion, declared_nodes
from doraflow.parser.environment import allowed
from doraflow.parser.inner_nodes import Surroundings, inner_node
from doraflow.parser.model import ModuleFile
from doraflow.parser.module_ports import (
    MODULE_SOURCE,
    all_ports,
    check_connections,
    check_header,
    check_port,
    entrance,
    exported,
    outside_reference,
)
from doraflow.parser.parameter_use import check_parameter_use
from doraflow.parser.parameters import check_parameters, environment
from doraflow.parser.read import read_model
from doraflow.parser.recovery import Gaps
from doraflow.parser.rules import check_nodes
from doraflow.parser.sources import split_reference
from doraflow.parser.suggest import nearest
from doraflow.parser.syntax import head_span
from doraflow.parser.wiring import rewire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.diagnostics import Span
    from doraflow.parser.document import Declared
    from doraflow.parser.files import Files
    from doraflow.parser.keys import InputOptions
    from doraflow.parser.model import ModuleHeader
    from doraflow.parser.module_ports import Entrance
    from doraflow.parser.read import Reading
    from doraflow.parser.syntax import MappingNode, SyntaxNode

DEEPEST_NESTING = 8
MOST_NODES = 100_000

_MOVE = "move the module into the dataflow's folder, and give its path relative to the file that names it"
_CREATE = "create it, or correct the path"

Exports = dict[str, dict[str, str | None]]


@dataclass(frozen=True, slots=True)
class _Module:
    """A module file that was read; `relative` is its path from the dataflow's folder."""

    relative: str
    reading: Reading[ModuleFile]

    @property
    def header(self) -> ModuleHeader:
        return self.reading.model.module

    @property
    def syntax(self) -> MappingNode:
        return self.reading.tree


def expand_modules(nodes: Sequence[Declared], env: Mapping[str, str], files: Files, sink: Sink) -> Expansion:
    """Replace every node that includes a module; one whose module file cannot be read is missing from the result.

    `env` are the variables of the whole dataflow, which module builds see too.
    """
    expander = _Expander(files, env, sink)
    flat, _ = expander.expand(nodes, "", ())
    gaps = Gaps({}, frozenset(expander.missing), expander.nameless)
    return Expansion(tuple(flat), tuple(expander.builds), gaps)


def read_module(syntax: MappingNode, sink: Sink) -> Reading[ModuleFile] | None:
    """Read the syntax of a module file and judge it by itself; None after an error that leaves nothing."""
    reading = read_model(ModuleFile, syntax, sink)
    if reading is not None:
        check_header(reading.model.module, reading.tree, sink)
        check_nodes(reading.model.nodes, reading.tree, sink, reading.gaps)
    return reading


def expand_module_file(reading: Reading[ModuleFile], name: str, files: Files, sink: Sink) -> Expansion:
    """Give the nodes of a module file by itself, `name` in the folder of `files`, with its inputs left open."""
    expander = _Expander(files, {}, sink)
    ports = entrance(reading.model.module)
    inside = [_with_open_ports(declared, ports, sink) for declared in declared_nodes(reading)]
    flat, nested = expander.expand(inside, "", (name,))
    told = Sink() if reading.gaps or reading.faulty else sink  # what only follows of a fault is not told
    exports = exported(reading.model.module, reading.tree, inside, nested, told).values()
    gaps = Gaps({}, frozenset(expander.missing), expander.nameless)
    return Expansion(tuple(flat), tuple(expander.builds), gaps, frozenset(filter(None, exports)))


def _with_open_ports(declared: Declared, ports: Entrance, sink: Sink) -> Declared:
    def change(options: InputOptions, span: Span) -> InputOptions | None:
        split = split_reference(options.source)
        if split is None or split[0] != MODULE_SOURCE:
            return options
        check_port(split[1], ports, span, sink)
        return None

    return rewire(declared, change)


class _Expander:
    """The walk through the module files of one dataflow."""

    def __init__(self, files: Files, env: Mapping[str, str], sink: Sink) -> None:
        self.builds: list[BuildStep] = []
        self.missing: set[str] = set()
        self.nameless = False
        self._files = files
        self._env = env
        self._sink = sink
        self._known: dict[str, _Module | None] = {}
        self._count = 0

    def expand(self, nodes: Sequence[Declared], folder: str, chain: tuple[str, ...]) -> tuple[list[Declared], Exports]:
        """Expand the nodes of one file; `chain` are the module files around it, outermost first."""
        flat: list[Declared] = []
        exports: Exports = {}
        for declared in nodes:
            if declared.node.module is None:
                flat.append(declared)
            else:
                included = self._include(declared, folder, chain)
                if included is not None:
                    flat += included[0]
                    exports[declared.node.id] = included[1]
        if not exports:
            return flat, exports
        return [self._rewire(declared, exports) for declared in flat], exports

    def _include(
        self, outer: Declared, folder: str, chain: tuple[str, ...]
    ) -> tuple[list[Declared], dict[str, str | None]] | None:
        """Give the nodes of a module and what its outputs lead to; None after an error that leaves a gap."""
        relative = None if self._sink.is_flooded else self._locate(outer, folder, chain)
        if relative is not None:
            place = head_span(outer.syntax.get("module") or outer.syntax)
            label = Label(place, f"the module `{outer.node.id}` is included here")
            self._files.included.setdefault(self._files.display(relative), label)
        module = self._load(relative) if relative is not None else None
        if module is None:
            self.missing.add(outer.node.id)
            return None
        header = module.header
        lines = self._files.lines(outer.syntax.span.file)
        quiet = Sink()  # what only follows of a fault in the header is not told
        told = quiet if "module" in module.reading.faulty else self._sink
        check_connections(outer, header, module.syntax, lines, told)
        check_parameters(outer.syntax.get("params"), self._sink)
        self._add_build(outer, outer.node.build, outer.syntax.get("build"))
        self._add_build(outer, module.reading.model.build, module.syntax.get("build"))
        inside = self._inside(outer, module)
        flat, nested = self.expand(inside, posixpath.dirname(module.relative), (*chain, module.relative))
        told = quiet if module.reading.gaps else told
        return flat, exported(header, module.syntax, inside, nested, told)

    def _inside(self, outer: Declared, module: _Module) -> list[Declared]:
        """Adapt the nodes of a module file to their place."""
        folder = posixpath.dirname(module.relative)
        around = Surroundings(outer, module.reading, folder, self._files, entrance(module.header), self._sink)
        inside = declared_nodes(module.reading)
        self._count += len(inside)
        if self._count > MOST_NODES:
            message = f"the modules expand to more than {MOST_NODES} nodes"
            self._refuse(outer, message, "split the dataflow into several")
            self.missing.add(outer.node.id)
            return []
        gaps = module.reading.gaps
        self.missing |= {f"{outer.node.id}.{name}" for name in gaps.nodes}
        self.nameless = self.nameless or gaps.nameless
        check_parameter_use(around)
        # What was to be read through a port that does not exist may have been meant for any node inside.
        lost = frozenset({"inputs"} if set(outer.node.inputs).difference(all_ports(module.header)) else ())
        nodes = (inner_node(declared, around) for declared in inside)
        return [replace(node, gaps=node.gaps | lost) if lost else node for node in nodes]

    def _rewire(self, declared: Declared, exports: Exports) -> Declared:
        """Lead the inputs that read a module's output to the node inside that produces it."""

        def change(options: InputOptions, span: Span) -> InputOptions | None:
            source = outside_reference(options.source, declared.wired.get(span, span), exports, self._sink)
            if source is None:
                lost.append(options.source)
                return None
            return options if source == options.source else options.model_copy(update={"source": source})

        lost: list[str] = []
        rewired = rewire(declared, change)
        return replace(rewired, gaps=rewired.gaps | {"inputs"}) if lost else rewired

    def _locate(self, outer: Declared, folder: str, chain: tuple[str, ...]) -> str | None:
        """Find the module file of a node; None after an error."""
        written = outer.node.module or ""
        relative = posixpath.normpath(posixpath.join(folder, written))
        if written.startswith("/"):
            message = f"the path `{written}` is absolute, and a module lies in the dataflow's folder"
            self._refuse(outer, message, _MOVE)
        elif not self._files.holds(relative):
            self._refuse(outer, f"the path `{written}` leads out of the dataflow's folder", _MOVE)
        elif relative in chain:
            drawn = " -> ".join((*chain[chain.index(relative) :], relative))
            self._refuse(outer, f"the module includes itself: {drawn}", "remove this node, or name another module")
        elif len(chain) >= DEEPEST_NESTING:
            message = f"modules nest more than {DEEPEST_NESTING} deep: {' -> '.join((*chain, relative))}"
            self._refuse(outer, message, "put the nodes of one of these modules in the place of the node that names it")
        elif not self._files.exists(relative):
            near = nearest(posixpath.basename(relative), self._files.names(posixpath.dirname(relative)))
            help_text = f"write `{posixpath.join(posixpath.dirname(written), near[0])}`" if near else _CREATE
            self._refuse(outer, f"there is no module file `{self._files.display(relative)}`", help_text)
        else:
            return relative
        return None

    def _load(self, relative: str) -> _Module | None:
        if relative not in self._known:
            self._known[relative] = self._read(relative)
        return self._known[relative]

    def _read(self, relative: str) -> _Module | None:
        syntax = self._files.tree(relative)
        if syntax is not None:
            syntax = modernise(syntax, self._files.texts[self._files.display(relative)], self._sink)
        reading = read_module(syntax, self._sink) if syntax is not None else None
        return None if reading is None else _Module(relative, reading)

    def _add_build(self, outer: Declared, text: str | None, syntax: SyntaxNode | None) -> None:
        """Keep the build commands of a module; they run once for each inclusion, in the dataflow's folder."""
        commands = tuple(line.strip() for line in (text or "").splitlines() if line.strip())
        if commands and syntax is not None:
            env = allowed({**self._env, **outer.node.env, **environment(outer.node.params)})
            self.builds.append(BuildStep(outer.node.id, commands, head_span(syntax), env=env))

    def _refuse(self, outer: Declared, message: str, help_text: str | None = None) -> None:
        place = outer.syntax.get("module") or outer.syntax
        related = [outer.module] if outer.module is not None else []
        self._sink.error("DF120", message, head_span(place), related=related, help=help_text)
