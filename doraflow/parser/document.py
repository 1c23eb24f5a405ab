"""What the parser hands on: a dataflow with its modules expanded, its model, its syntax and its texts.

Names are not resolved here; `doraflow.analysis` does that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doraflow.parser.recovery import NO_GAPS, PROGRAM_KEY
from doraflow.parser.syntax import MappingNode, SequenceNode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from doraflow import ir
    from doraflow.diagnostics import Label, Span
    from doraflow.parser import model
    from doraflow.parser.read import Reading
    from doraflow.parser.recovery import Gaps


@dataclass(frozen=True, slots=True)
class Declared:
    """A node as declared, after the expansion of modules.

    `node` has its final id (`outer.inner`), its inputs rewritten to the nodes that produce them, its paths relative to
    the dataflow's folder and its parameters filled in. `syntax` is the node's mapping as written, in the dataflow or in
    the module file: an input that `node` lacks was an optional port left open, an environment name that `syntax` lacks
    came from the module's node. `module` is where the outermost module that holds the node is included.

    `wired` serves inputs that read a port of their module: it leads from the place of `_mod/port` inside the module to
    the place of the text that is connected to the port outside, which is where a wrong reference is mended.

    `gaps` are the keys of which a part could not be read: nothing is to be concluded from what `node` lacks there.
    """

    node: model.Node
    syntax: MappingNode
    module: Label | None = None
    wired: Mapping[Span, Span] = field(default_factory=dict)
    gaps: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Expansion:
    """The flat nodes of a dataflow, the build steps of its modules, outer ones first, and what is missing.

    `exports` are the outputs that a module file by itself offers to the outside, as `node/output`.
    """

    nodes: tuple[Declared, ...]
    builds: tuple[ir.BuildStep, ...] = ()
    gaps: Gaps = NO_GAPS
    exports: frozenset[str] = frozenset()


def declared_nodes(reading: Reading[model.Dataflow] | Reading[model.ModuleFile]) -> list[Declared]:
    """Join the nodes of a file that was read with their syntax and their gaps."""
    items = reading.tree.get("nodes")
    syntaxes = items.items if isinstance(items, SequenceNode) else ()
    return [
        Declared(node, syntax, gaps=reading.gaps.keys.get(node.id, frozenset()) - {PROGRAM_KEY})
        for node, syntax in zip(reading.model.nodes, syntaxes, strict=True)
        if isinstance(syntax, MappingNode)
    ]


@dataclass(frozen=True, slots=True)
class TypeFile:
    """A file of the user's own types; `prefix` comes from its folders and name (`myproject/sensors/v1`)."""

    prefix: str
    syntax: MappingNode


@dataclass(frozen=True, slots=True)
class Document:
    """A dataflow file, read.

    `name` is a safe identifier, `source` the file's base name, `file` the path as the user gave it. `nodes` is flat:
    modules are expanded. `dataflow.nodes` still holds the nodes as the file lists them; reserved names are out of every
    `env`, and `dataflow.hosts` holds the inventory's hosts too, whose syntax is `inventory`. `texts` maps the display
    path of each file that was read to its text.

    A document may come with errors in the sink: it is given whenever there are nodes, so that later stages find the
    rest. `missing` are the ids of nodes that could not be read at all (`outer.inner` inside a module), and `nameless`
    tells that there is one whose id is not known. `exports` is given for a module file, which stands for itself here:
    the outputs that the dataflow around it may read, as `node/output`. `included` maps the display path of each module
    file to the first place that includes it. `knows_machines` is false where a part of the inventory could not be read.
    """

    name: str
    source: str
    folder: Path
    file: str
    dataflow: model.Dataflow
    syntax: MappingNode
    nodes: tuple[Declared, ...]
    module_builds: tuple[ir.BuildStep, ...] = ()
    type_files: tuple[TypeFile, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    inventory: MappingNode | None = None
    knows_machines: bool = True
    missing: frozenset[str] = frozenset()
    nameless: bool = False
    exports: frozenset[str] | None = None
    included: Mapping[str, Label] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether all of the nodes could be read, so that something can be concluded from what they lack."""
        return not (self.missing or self.nameless or any(declared.gaps for declared in self.nodes))
