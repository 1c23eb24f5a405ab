"""The whole bundle: every generated file of a plan, with the sources and the runtime beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.codegen.fileset import GeneratedFile
from doraflow.codegen.launcher import launcher_file
from doraflow.codegen.manifest import with_manifest
from doraflow.codegen.picture import html, mermaid
from doraflow.codegen.requirements import requirements_file
from doraflow.codegen.resolved import resolved_file
from doraflow.codegen.stubs.package import stub_files
from doraflow.codegen.templating import environment
from doraflow.codegen.wiring import wiring_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.codegen.fileset import FileSet
    from doraflow.ir import Plan

_CORE_TYPES = "doraflow_core.pyi"


def generate(
    plan: Plan,
    sources: Sequence[GeneratedFile],
    runtime_files: Mapping[str, bytes],
    inputs: Mapping[str, bytes],
    version: str,
    targets: Sequence[GeneratedFile] = (),
) -> FileSet:
    """Generate the bundle of a plan.

    `sources` are the node sources by their path below `nodes/`; `runtime_files` the runtime's modules by their path
    below the package; `inputs` what the compiler read, whose digests go into the manifest; `targets` the files that
    deploy targets add. Pure: the same arguments give the same bytes.
    """
    templates = environment()
    files = [resolved_file(plan.graph), requirements_file(plan, {file.path: file.content for file in sources})]
    for host in plan.hosts:
        files += [launcher_file(plan, host, templates), wiring_file(host)]
    files += stub_files(plan.graph, templates)
    files += [
        GeneratedFile("graph.mmd", mermaid(plan.graph).encode()),
        GeneratedFile("graph.html", html(plan.graph).encode()),
        GeneratedFile("runtime/dora/__init__.py", templates.get_template("dora.py.j2").render().encode()),
    ]
    files += [GeneratedFile(f"nodes/{file.path}", file.content, file.executable) for file in sources]
    files += [GeneratedFile(_runtime_path(path), content) for path, content in runtime_files.items()]
    files += targets
    return with_manifest(files, plan.graph.name, version, inputs)


def _runtime_path(path: str) -> str:
    """Place a file of the runtime package; the types of its compiled core stand where a type checker looks for them."""
    return f"runtime/{path}" if path == _CORE_TYPES else f"runtime/doraflow_runtime/{path}"
