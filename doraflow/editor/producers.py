"""What an input can read, and what a source leads to: outputs by node, through modules to the node that sends.

Works on outlines, so that it serves files with faults; `doraflow.analysis.resolve` is what judges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doraflow.parser.module_ports import MODULE_SOURCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from doraflow.editor.outline import NodeOutline, Outline
    from doraflow.parser.syntax import ScalarNode


@dataclass(frozen=True, slots=True)
class Produced:
    """An output: the name to read it by, the entry that declares it, its type as written, and the node's id."""

    name: str
    entry: ScalarNode
    type_name: str
    node: str


class Producers:
    """Looks outputs up in the files of one dataflow. Every module file is looked into once, however often included."""

    def __init__(self, outlines: Mapping[str, Outline]) -> None:
        self._outlines = outlines
        self._exports: dict[str, dict[str, Produced]] = {}
        self._nodes: dict[str, dict[str, NodeOutline]] = {}

    def of(self, node: NodeOutline, around: Outline) -> list[Produced]:
        """List what a node of the file `around` offers; for a module its header's outputs."""
        own = [Produced(name, entry, ports.type_of(entry.text), node.name) for name, entry, ports in node.outputs()]
        module = self.module(node, around)
        if module is None:
            return own
        inner = self._exported(module).values()
        return own + [Produced(each.name, each.entry, each.type_name, f"{node.name}.{each.node}") for each in inner]

    def find(self, source: str, around: Outline) -> Produced | None:
        """Find the output that a source leads to; None for timers, logs and what is not there."""
        head, _, port = source.partition("/")
        node, holder = self.node(head, around)
        if node is None:
            return None
        found = (each for each in self.of(node, holder) if port == each.name)
        return next(found, None) or _by_full_name(node, port)

    def node(self, head: str, around: Outline) -> tuple[NodeOutline | None, Outline]:
        """Find a node by its id, with its file; `outer.inner` leads into the module that `outer` includes."""
        while True:
            names = self._named(around)
            if head in names or "." not in head:
                return names.get(head), around
            outer, _, head = head.partition(".")
            including = names.get(outer)
            module = self.module(including, around) if including is not None else None
            if module is None:
                return None, around
            around = module

    def module(self, node: NodeOutline, around: Outline) -> Outline | None:
        """Give the module file that a node includes; None if there is none or it could not be read."""
        return self._outlines.get(around.beside(node.module.text)) if node.module is not None else None

    def _named(self, around: Outline) -> dict[str, NodeOutline]:
        if around.file not in self._nodes:
            self._nodes[around.file] = {node.name: node for node in reversed(around.nodes) if node.name}
        return self._nodes[around.file]

    def _exported(self, module: Outline) -> dict[str, Produced]:
        """Find what stands inside for each output of a module's header; a module inside itself offers nothing."""
        if module.file not in self._exports:
            self._exports[module.file] = {}
            offered: dict[str, Produced] = {}
            for node in module.nodes:
                for each in self.of(node, module):
                    offered.setdefault(each.name, each)
                    offered.setdefault(each.entry.text, each)
            self._exports[module.file] = {
                port.text: Produced(port.text, inner.entry, inner.type_name, inner.node)
                if (inner := offered.get(port.text)) is not None
                else Produced(port.text, port, "", "")
                for port in module.outputs
            }
        return self._exports[module.file]


def header_input(source: str, around: Outline) -> ScalarNode | None:
    """Find the port of a module's header that `_mod/port` names."""
    head, _, port = source.partition("/")
    return next((entry for entry in around.inputs if head == MODULE_SOURCE and entry.text == port), None)


def _by_full_name(node: NodeOutline, port: str) -> Produced | None:
    """Find an output of a node's one operator by the name with the operator's id."""
    for operator in node.operators:
        for entry in operator.ports.outputs if operator.sole else ():
            if port == f"{operator.name}/{entry.text}":
                return Produced(entry.text, entry, operator.ports.type_of(entry.text), node.name)
    return None
