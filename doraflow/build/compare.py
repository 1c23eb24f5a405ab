"""A bundle on disk against the one that would be written: what changed, what is missing, what is left over."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from doraflow.build.ownership import owned_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doraflow.codegen.fileset import FileSet, GeneratedFile
    from doraflow.diagnostics import Sink

LONGEST_DIFF = 200
LARGEST_TEXT = 1024 * 1024


def compare(files: FileSet, out: Path, sink: Sink) -> list[str]:
    """Describe the differences, line by line; none if the folder holds just this bundle. Nothing is written.

    Text files differ by a unified diff from what is there to what is wanted. A difference is also a finding, DF702.
    """
    lines: list[str] = []
    try:
        for file in files.files:
            lines += _difference(file, out / file.path)
        owned = owned_files(out) or set()
    except OSError as error:
        sink.error("DF702", f"`{out}` cannot be read: {(error.strerror or str(error)).lower()}")
        return lines
    lines += [f"left over: {path}" for path in sorted(owned - set(files.paths())) if (out / path).exists()]
    if lines:
        sink.error(
            "DF702",
            f"the bundle in `{out}` is not what the dataflow gives now",
            help=f"run `doraflow build` with `-o {out}`, and commit what changes",
        )
    return lines


def _difference(file: GeneratedFile, place: Path) -> list[str]:
    if not place.is_file():
        return [f"missing: {file.path}"]
    found = place.read_bytes()
    if found == file.content:
        is_executable = bool(place.stat().st_mode & 0o100)
        return [] if is_executable == file.executable else [f"another mode: {file.path}"]
    try:
        before, after = _lines(found), _lines(file.content)
    except ValueError:
        return [f"changed: {file.path}"]
    diff = list(difflib.unified_diff(before, after, f"found/{file.path}", f"wanted/{file.path}", lineterm=""))
    left = len(diff) - LONGEST_DIFF
    return diff if left <= 0 else [*diff[:LONGEST_DIFF], f"… {left} more lines of {file.path}"]


def _lines(content: bytes) -> list[str]:
    """Split text so that no two contents give the same lines. Raises ValueError for what is no text to be read."""
    if len(content) > LARGEST_TEXT or b"\0" in content:
        raise ValueError("not a text to be compared by line")
    return list(_marked(content.decode().split("\n")))


def _marked(lines: list[str]) -> Iterator[str]:
    yield from (line.replace("\r", "␍") for line in lines[:-1])
    if lines[-1]:
        yield lines[-1].replace("\r", "␍") + " (no newline at the end)"
