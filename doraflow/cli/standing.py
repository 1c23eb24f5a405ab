"""A build that is told from the cache: what is kept of it, and what must hold so that nothing is to be done.

Its findings are told as they were; that nothing was written is told anew.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from doraflow.build.standing import StandingFile, standing_files, still_standing
from doraflow.cli.entries import Entry, store
from doraflow.cli.overheard import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doraflow.cli.overheard import Said
    from doraflow.codegen.fileset import FileSet
    from doraflow.disk import Record
    from doraflow.ir import BuildStep


@dataclass(frozen=True, slots=True)
class StandingSteps:
    """The build steps of a build: the dataflow's folder, where doit keeps its state, and what decided each step."""

    folder: Path
    state: Path
    steps: Sequence[BuildStep]
    digests: dict[str, str | None] = field(default_factory=dict)


def keep_build(
    key: str, record: Record, said: Said, files: FileSet, out: Path, steps: StandingSteps | None, *, writes: bool
) -> None:
    """Keep a build that went well; `writes` tells that it says how many files it wrote."""
    standing = standing_files(files.files, out)
    made = _table_of(steps)
    if not record.is_steady or standing is None or made is None:
        return
    build: dict[str, object] = {"out": str(out), "files": _rows(standing), "steps": made, "writes": writes}
    store(key, Entry({"code": 0, "answers": record.answers, "build": build}, said.texts()))


def recall_build(key: str, entry: Entry) -> int | None:
    """Say what the build would say if it were done again; None if there is something to do."""
    match entry.table["build"]:
        case {"out": str(out), "files": [*rows], "steps": {**steps}, "writes": bool(writes)}:
            before = [_file(row) for row in rows]
            standing = still_standing(before, Path(out))
            if standing is None or not _are_decided(steps):
                return None
            if standing != before:
                build = {"out": out, "files": _rows(standing), "steps": steps, "writes": writes}
                store(key, replace(entry, table={**entry.table, "build": build}))
            _tell(steps)
            done = f"{out}: 0 files written, {len(standing)} unchanged, 0 removed\n" if writes else ""
            say(entry.texts[0], done + entry.texts[1])
            return 0
    return None


def _file(row: object) -> StandingFile:
    match row:
        case {"path": str(path), "digest": str(digest), "executable": bool(executable), "stamp": stamp}:
            inode, size, changed, touched = stamp if isinstance(stamp, list) else (0, 0, 0, 0)
            return StandingFile(path, digest, executable, (inode, size, changed, touched) if stamp else None)
    raise ValueError("no file of a bundle")


def _rows(files: Sequence[StandingFile]) -> list[dict[str, object]]:
    return [asdict(file) for file in files]


def _table_of(standing: StandingSteps | None) -> dict[str, object] | None:
    """Write down what decides the steps; None if one of them is to run in any case."""
    if standing is None or not standing.steps:
        return {}
    rows = [_row(step, standing) for step in standing.steps]
    stamp = _stamp(standing.state)
    if stamp is None or any(row is None for row in rows):
        return None
    return {"folder": str(standing.folder), "state": str(standing.state), "stamp": stamp, "steps": rows}


def _row(step: BuildStep, standing: StandingSteps) -> dict[str, object] | None:
    digest = standing.digests.get(step.owner)
    if digest is None:
        return None
    from doraflow.build.digests import environment_digest

    return {
        "owner": step.owner,
        "commands": list(step.commands),
        "folder": step.working_directory,
        "env": step.env,
        "environment": environment_digest(step),
        "sources": digest,
    }


def _are_decided(table: Mapping[object, object]) -> bool:
    """Tell whether every step would be found unchanged: by its surroundings, what it reads, and doit's own notes."""
    match table:
        case {"folder": str(folder), "state": str(state), "stamp": stamp, "steps": [*rows]}:
            return _stamp(Path(state)) == stamp and all(_is_decided(row, Path(folder)) for row in rows)
    return not table


def _is_decided(row: object, folder: Path) -> bool:
    from doraflow.build.digests import environment_digest, sources_digest

    match row:
        case {"environment": environment, "sources": sources}:
            step = _step(row)
            return (environment_digest(step), sources_digest(step, folder)) == (environment, sources)
    return False


def _tell(table: Mapping[object, object]) -> None:
    """Tell of every step as if it had been looked at."""
    rows = table.get("steps")
    if isinstance(rows, list):
        from doraflow.cli.progress import Progress

        progress = Progress()
        for row in rows:
            progress.notice(_step(row), "unchanged")


def _step(row: object) -> BuildStep:
    from doraflow.diagnostics import Span
    from doraflow.ir import BuildStep

    match row:
        case {"owner": str(owner), "commands": [*commands], "folder": str(folder), "env": {**env}}:
            given = {str(name): str(value) for name, value in env.items()}
            return BuildStep(owner, tuple(map(str, commands)), Span("", 1, 1, 1, 1), folder, given)
    raise ValueError("no build step")


def _stamp(state: Path) -> list[int] | None:
    """Stamp doit's notes: whoever runs a step writes to them."""
    try:
        found = (state / "steps.db").stat()
    except OSError:
        return None
    return [found.st_ino, found.st_size, found.st_mtime_ns]
