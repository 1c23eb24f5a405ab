"""The stub package of a dataflow: `<name>_stubs/` with a module for each node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.contract import CONTRACT_VERSION

from doraflow.codegen.fileset import GeneratedFile
from doraflow.codegen.names import unique, variable_name
from doraflow.codegen.stubs.class_names import class_names
from doraflow.codegen.stubs.nodes import node_code, sent_types
from doraflow.codegen.stubs.structs import loan_code, struct_code, struct_types

if TYPE_CHECKING:
    import jinja2

    from doraflow.ir import Graph

RUNNABLE = ("python", "dynamic")


def stub_files(graph: Graph, templates: jinja2.Environment) -> list[GeneratedFile]:
    """Render the package. Nodes that run no Python of their own, and nodes of operators, have no module."""
    folder = f"{graph.name}_stubs"
    shared = {"dataflow": graph.name, "source": graph.source, "contract": CONTRACT_VERSION}
    structs = struct_types(graph)
    names = class_names(structs)
    loans = [code for code in (loan_code(struct, names) for struct in structs) if code]
    rows = [struct_code(struct, names) for struct in structs]
    uses_any = any("pa.Array[Any]" in member.python for row in rows for member in row.members)
    types = templates.get_template("types_stub.py.j2").render(**shared, structs=rows, loans=loans, uses_any=uses_any)
    files = [
        _file(f"{folder}/__init__.py", templates.get_template("package_stub.py.j2").render(**shared)),
        _file(f"{folder}/types.py", types),
        GeneratedFile(f"{folder}/py.typed", b""),
    ]
    sent = sent_types(graph)
    for node_id, module in stub_modules(graph).items():
        described = node_code(graph.node(node_id), sent, names)
        text = templates.get_template("node_stub.py.j2").render(**shared, node=described)
        files.append(_file(f"{folder}/{module}.py", text))
    return files


def stub_modules(graph: Graph) -> dict[str, str]:
    """Name the module of each node that has one, by the node's id."""
    nodes = [node.id for node in graph.nodes if node.kind in RUNNABLE]
    modules = unique(map(variable_name, nodes), taken=("types", "__init__"))
    return dict(zip(nodes, modules, strict=True))


def _file(path: str, text: str) -> GeneratedFile:
    return GeneratedFile(path, text.encode())
