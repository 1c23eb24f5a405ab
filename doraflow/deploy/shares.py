"""What of a bundle goes to which host: its launcher, its wiring, the sources of its nodes, and what all need."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow_runtime.bundles.contents import SIGNATURE

from doraflow.analysis.lower import named_sources
from doraflow.build.digests import source_files
from doraflow.build.sources import collect_sources
from doraflow.codegen.fileset import FileSet, GeneratedFile, digest_of
from doraflow.codegen.manifest import MANIFEST
from doraflow.codegen.requirements import requirements_file

if TYPE_CHECKING:
    from doraflow.ir import BuildStep, Node, Plan
    from doraflow.signing.secret_keys import SecretKey

_PICTURES = ("graph.mmd", "graph.html")
_SOURCES = "nodes/"


@dataclass(frozen=True, slots=True)
class Share:
    """A host's part of a version: its files, and the build steps that are run there."""

    host: str
    version: str
    files: tuple[GeneratedFile, ...]
    steps: tuple[BuildStep, ...] = ()

    def table(self) -> list[dict[str, object]]:
        """List the files as the host is told of them."""
        return [
            {
                "path": file.path,
                "sha256": digest_of(file.content),
                "size": len(file.content),
                "executable": file.executable,
            }
            for file in self.files
        ]


def is_built_there(node: Node) -> bool:
    """Tell whether a node's `build:` commands run on its host: where `distribute: local` is written."""
    return node.deployment.get("distribute") == "local"


def steps_here(plan: Plan) -> tuple[BuildStep, ...]:
    """List the build steps that run on this machine, whose results are then copied."""
    inner = [step for node in plan.graph.nodes if not is_built_there(node) for step in node.builds]
    return (*plan.graph.builds, *inner)


def version_of(files: FileSet, plan: Plan, folder: Path) -> str:
    """Name the version, the same on every host: the beginning of a digest of all that any of them may get.

    That is the whole bundle's manifest, and what the build steps on hosts read beside it. Raises OSError.
    """
    digest = hashlib.sha256(_manifest_of(files).content)
    steps = tuple(step for node in plan.graph.nodes if is_built_there(node) for step in node.builds)
    for file in _read_for_steps(steps, folder):
        digest.update(f"{file.path}\0{digest_of(file.content)}\0".encode())
    return digest.hexdigest()[:16]


def share_of(files: FileSet, plan: Plan, host: str, folder: Path, version: str) -> Share:
    """Select a host's part of a bundle. `folder` is the dataflow's; raises OSError if a source cannot be read."""
    nodes = tuple(node for node in plan.graph.nodes if node.host == host)
    own = replace(plan, graph=replace(plan.graph, nodes=nodes))
    own = replace(own, sources=named_sources(own.graph))
    sources = {f"{_SOURCES}{file.path}": file for file in collect_sources(own, folder)}
    steps = tuple(step for node in nodes if is_built_there(node) for step in node.builds)
    others = {other.host for other in plan.hosts} - {host}
    foreign = {path for other in others for path in (f"launch_{other}.py", f"wiring/{other}.json")}
    kept = [
        file
        for file in files.files
        if file.path not in foreign
        and file.path not in (*_PICTURES, MANIFEST, "requirements.txt")
        and (not file.path.startswith(_SOURCES) or file.path in sources)
    ]
    kept.append(requirements_file(own, {file.path: file.content for file in sources.values()}))
    known = {file.path for file in kept}
    kept += [file for file in _read_for_steps(steps, folder) if file.path not in known]
    return Share(host, version, FileSet.of([*kept, _manifest(files, kept)]).files, steps)


def signed(share: Share, key: SecretKey) -> Share:
    """Add a signature of the host's own manifest. Its comment holds no time: the same share is signed alike again."""
    manifest = next(file for file in share.files if file.path == MANIFEST)
    comment = f"host:{share.host}\tversion:{share.version}\thashed"
    signature = GeneratedFile(SIGNATURE, key.sign(manifest.content, comment).encode())
    return replace(share, files=FileSet.of([*share.files, signature]).files)


def _read_for_steps(steps: tuple[BuildStep, ...], folder: Path) -> list[GeneratedFile]:
    """Read what build steps on the host will read, as far as it lies in the project."""
    found: dict[str, GeneratedFile] = {}
    for step in steps:
        for name in source_files(step, folder) or ():
            path = Path(os.path.relpath(name, folder)).as_posix()
            if not path.startswith("../"):
                executable = os.access(name, os.X_OK)
                found[path] = GeneratedFile(f"{_SOURCES}{path}", Path(name).read_bytes(), executable)
    return list(found.values())


def _manifest(files: FileSet, kept: list[GeneratedFile]) -> GeneratedFile:
    """Write the manifest again for what the host gets: its launcher compares every file with it."""
    table = json.loads(_manifest_of(files).content)
    table["files"] = {
        file.path: {"sha256": digest_of(file.content), "mode": "755" if file.executable else "644"}
        for file in sorted(kept, key=lambda file: file.path)
    }
    return GeneratedFile(MANIFEST, f"{json.dumps(table, indent=2, ensure_ascii=False)}\n".encode())


def _manifest_of(files: FileSet) -> GeneratedFile:
    return next(file for file in files.files if file.path == MANIFEST)
