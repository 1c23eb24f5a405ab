"""Node skeletons: a script for each Python node that uses its generated stub, runs, ends, and passes mypy.

Pure: a checked graph in, files out. A skeleton handles every input and sends through every output; what it sends are
empty values of the right type.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from doraflow.codegen.fileset import GeneratedFile
from doraflow.codegen.layout import call, import_from
from doraflow.codegen.names import unique, variable_name
from doraflow.codegen.stubs.class_names import class_names
from doraflow.codegen.stubs.nodes import node_code, sent_types
from doraflow.codegen.stubs.package import stub_modules
from doraflow.codegen.stubs.structs import struct_types
from doraflow.codegen.templating import environment
from doraflow.ir import PortReference
from doraflow.scaffold.samples import sample

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doraflow.codegen.stubs.class_names import ClassNames
    from doraflow.codegen.stubs.nodes import EventCode, NodeCode
    from doraflow.ir import Graph, Node

_SEND_COLUMN = 20
_SOURCE_COLUMN = 12


@dataclass(frozen=True, slots=True)
class CaseCode:
    """What is done for an input: the class of its event, what is printed of it, and whether the outputs are sent."""

    event: str
    input: str
    shown: str | None
    sends: bool


@dataclass(frozen=True, slots=True)
class SkeletonCode:
    """A skeleton as data: `counts` if it ends after some messages, `ends_with_data` if a closed input ends it.

    A timer never closes, so that a node with one would run until it is stopped.
    """

    node: str
    dataflow: str
    name: str
    imports: tuple[str, ...]
    cases: tuple[CaseCode, ...]
    sends: tuple[str, ...]
    counts: bool
    ends_with_data: bool


def skeleton_files(graph: Graph, wanted: Sequence[str] | None = None) -> list[GeneratedFile]:
    """Render the skeletons of the Python nodes whose script lies in the project, or of those `wanted` alone.

    Nodes that share a script have one skeleton, that of the first.
    """
    names = class_names(struct_types(graph))
    sent, modules = sent_types(graph), stub_modules(graph)
    template = environment().get_template("node_skeleton.py.j2")
    files: dict[str, GeneratedFile] = {}
    for node in graph.nodes:
        path = script_of(node)
        if path is not None and path not in files and (wanted is None or node.id in wanted):
            stub = node_code(node, sent, names)
            code = _skeleton(graph, node, stub, names, f"{graph.name}_stubs", modules[node.id])
            files[path] = GeneratedFile(path, template.render(code=code).encode())
    return list(files.values())


def script_of(node: Node) -> str | None:
    """Give the path of a node's Python script in the project; None if it runs something else."""
    path = PurePosixPath(node.working_directory) / node.path
    is_inside = not path.is_absolute() and ".." not in path.parts and "$" not in str(path)
    return path.as_posix() if node.kind == "python" and path.suffix == ".py" and is_inside else None


def _skeleton(graph: Graph, node: Node, stub: NodeCode, names: ClassNames, package: str, module: str) -> SkeletonCode:
    column = _SEND_COLUMN if node.inputs else _SOURCE_COLUMN
    attributes = unique(variable_name(port.id) for port in node.outputs)
    samples = [sample(port.data_type, names, column + 4) for port in node.outputs]
    from_stub = [stub.name, *(event.name for event in stub.events), *(["InputClosed", "Stop"] if node.inputs else [])]
    classes = [name for each in samples for name in each.classes]
    ticks = [not isinstance(port.source, PortReference) for port in node.inputs]
    return SkeletonCode(
        node=node.id,
        dataflow=graph.name,
        name=stub.name,
        imports=(
            *(["import pyarrow as pa"] if any(each.needs_pyarrow for each in samples) else []),
            import_from(f"{package}.{module}", from_stub),
            *([import_from(f"{package}.types", classes)] if classes else []),
        ),
        cases=tuple(_cases(stub.events, ticks)),
        sends=tuple(
            call(f"node.outputs.{attribute}.send", [each.code], column)
            for attribute, each in zip(attributes, samples, strict=True)
        ),
        counts=not node.inputs or (any(ticks) and (bool(node.outputs) or all(ticks))),
        ends_with_data=any(ticks) and not all(ticks),
    )


def _cases(events: Sequence[EventCode], ticks: Sequence[bool]) -> Iterator[CaseCode]:
    """Describe what is done for each input; the outputs are sent at a timer, or else at the first input."""
    sending = ticks.index(True) if any(ticks) else 0
    for position, event in enumerate(events):
        shown = None
        if event.content is not None:
            counted = "event.values" if event.row else "event.value"
            shown = f"len({counted})"
        yield CaseCode(event.name, event.input, shown, position == sending)
