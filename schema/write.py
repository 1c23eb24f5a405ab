"""Writes the JSON schemas of this folder from the parser's models: `python -m schema.write`."""

from __future__ import annotations

from pathlib import Path

from doraflow.editor.schema import Kind, schema_text
from doraflow.printed import schemas

FILES = {kind: Path(__file__).with_name(f"{kind}.schema.json") for kind in Kind}
OUTPUTS = {name: Path(__file__).parent / "output" / schemas.file_of(name) for name in schemas.COMMANDS}

if __name__ == "__main__":
    for kind, path in FILES.items():
        path.write_text(schema_text(kind), encoding="utf-8")
    for command, path in OUTPUTS.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(schemas.schema_text(command), encoding="utf-8")
