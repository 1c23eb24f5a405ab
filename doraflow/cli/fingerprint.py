"""What a result depends on beside the dataflow: the command with its options, the compiler itself, and the terminal.

The compiler's files count by their stamps, so that an edit of the compiler is seen at once; nothing heavy is imported.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_OWN = ("doraflow", "doraflow_runtime")
_LIBRARIES = ("pydantic", "pydantic_core", "yaml", "networkx", "jinja2", "doit", "typer", "rich")
_TERMINAL = ("TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
_UNICODE = ("utf-8", "utf8")


def key_of(arguments: Sequence[str]) -> str | None:
    """Make the key of a command line's result; None where it is not written as Unicode, and is not to be kept."""
    streams = (sys.stdout, sys.stderr)
    if any((stream.encoding or "").lower() not in _UNICODE for stream in streams):
        return None
    facts = {
        "arguments": list(arguments),
        "folder": str(Path.cwd()),
        "version": [__version__, sys.version, sys.executable],
        "compiler": [stamp for name in (*_OWN, *_LIBRARIES) for stamp in _stamps(name)],
        "terminal": [
            [[stream.isatty(), stream.errors] for stream in streams],
            [os.environ.get(name) for name in _TERMINAL],
        ],
    }
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _stamps(package: str) -> Iterator[list[str | int]]:
    """Stamp all files of a package of ours; of a library its first file, which every installation writes anew."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return
    if package not in _OWN:
        yield _stamp(package, os.stat(spec.origin))  # noqa: PTH116 - some 200 files at every start
        return
    for place in spec.submodule_search_locations or ():
        yield from _below(place)


def _below(folder: str) -> Iterator[list[str | int]]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _below(entry.path)
        else:
            yield _stamp(entry.path, entry.stat())


def _stamp(name: str, status: os.stat_result) -> list[str | int]:
    return [name, status.st_size, status.st_mtime_ns, status.st_ino]
