"""Writes the JSON schemas of this folder from the parser's models: `python -m schema.write`."""

from __future__ import annotations

from pathlib import Path

from doraflow.editor.schema import Kind, schema_text

FILES = {kind: Path(__file__).with_name(f"{kind}.schema.json") for kind in Kind}

if __name__ == "__main__":
    for kind, path in FILES.items():
        path.write_text(schema_text(kind), encoding="utf-8")
