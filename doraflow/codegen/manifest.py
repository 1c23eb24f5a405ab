"""MANIFEST.json: every file of the bundle with its digest, so that changed, missing and orphaned files can be told.

The one place in a bundle where doraflow's version stands. `plan` is the digest of what all hosts have to agree on:
launchers of another build are refused by it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from doraflow_runtime.contract import CONTRACT_VERSION

from doraflow.codegen.fileset import FileSet, GeneratedFile, digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = "MANIFEST.json"
_SHARED = ("wiring/", "dataflow.resolved.yml")


def with_manifest(files: list[GeneratedFile], dataflow: str, version: str, inputs: Mapping[str, bytes]) -> FileSet:
    """Add the manifest to the files; `inputs` are the files that the compiler read, by relative name."""
    table = {
        "dataflow": dataflow,
        "contract": CONTRACT_VERSION,
        "doraflow": version,
        "plan": _plan_digest(files),
        "inputs": {name: digest_of(inputs[name]) for name in sorted(inputs)},
        "files": {
            file.path: {"sha256": digest_of(file.content), "mode": "755" if file.executable else "644"}
            for file in FileSet.of(files).files
        },
    }
    text = json.dumps(table, indent=2, ensure_ascii=False)
    return FileSet.of([*files, GeneratedFile(MANIFEST, f"{text}\n".encode())])


def _plan_digest(files: list[GeneratedFile]) -> str:
    """Digest what the hosts have in common: the wiring of all of them, and the dataflow with every default."""
    shared = sorted((file.path, digest_of(file.content)) for file in files if file.path.startswith(_SHARED))
    return digest_of("".join(f"{path}\0{digest}\0" for path, digest in shared).encode())
