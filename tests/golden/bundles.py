"""Golden cases: a folder with `dataflow.yml` and `expected/`, the bundle without the vendored runtime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from doraflow.analysis.lower import lower
from doraflow.build.sources import collect_sources
from doraflow.codegen.bundle import generate
from doraflow.pipeline import Options, check
from doraflow.target_registry import find_targets, target_files, target_names

if TYPE_CHECKING:
    from doraflow.codegen.fileset import FileSet

ROOT = Path(__file__).parent
CASES = tuple(sorted(path.parent.name for path in ROOT.glob("*/dataflow.yml")))

WITH_TARGETS = ("awkward_names", "fleet")
"""The cases whose bundles hold the files of every target."""


def bundle_of(case: str, root: Path = ROOT) -> FileSet:
    """Generate the bundle of a case in the folder `root`. Raises AssertionError if its dataflow has errors."""
    source = root / case / "dataflow.yml"
    made = check(source, Options())
    assert made.graph is not None, made.diagnostics()
    assert not made.sink.has_errors, made.diagnostics()
    planned = lower(made.graph)
    inputs = {"dataflow.yml": source.read_bytes()}
    targets = find_targets(target_names() if case in WITH_TARGETS else (), made.sink)
    extra = target_files(targets, planned, made.sink)
    assert not made.sink.has_errors, made.diagnostics()
    return generate(planned, collect_sources(planned, source.parent), {}, inputs, version="0", targets=extra)


def expected_files(case: str) -> dict[str, tuple[bytes, bool]]:
    """Read the files that a case expects, with whether each is executable."""
    folder = ROOT / case / "expected"
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
