"""MANIFEST.json: every file of the bundle with its digest, so that changed, missing and orphaned files can be told.

The one place in a bundle where doraflow's version stands.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from doraflow_runtime.contract import CONTRACT_VERSION

from doraflow.codegen.fileset import FileSet, GeneratedFile, digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = "MANIFEST.json"


def with_manifest(files: list[GeneratedFile], dataflow: str, version: str, inputs: Mapping[str, bytes]) -> FileSet:
    """Add the manifest to the files; `inputs` are the files that the compiler read, by relative name."""
    table = {
        "dataflow": dataflow,
        "contract": CONTRACT_VERSION,
        "doraflow": version,
        "inputs": {name: digest_of(inputs[name]) for name in sorted(inputs)},
        "files": {
            file.path: {"sha256": digest_of(file.content), "mode": "755" if file.executable else "644"}
            for file in FileSet.of(files).files
        },
    }
    text = json.dumps(table, indent=2, ensure_ascii=False)
    return FileSet.of([*files, GeneratedFile(MANIFEST, f"{text}\n".encode())])
