"""Questions to the file system, each with a record of what was asked and answered.

Whatever a compilation wants to know of the disk it asks here: its result holds as long as every question would be
answered as before, which is what the result cache goes by. Writing is not for this module.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LARGEST_READ = 64 * 2**20
LONGEST_PATH = 4_096
"""What Linux takes for a path; the file system is not asked about a longer one, part by part."""

Answers: TypeAlias = "Mapping[str, Mapping[str, str]]"
"""By kind of question and place: a short text that tells equal answers from different ones."""


@dataclass(slots=True)
class Record:
    """What was asked and answered. `is_steady` tells that asking again makes sense: no pipe, nothing that changed."""

    answers: dict[str, dict[str, str]] = field(default_factory=dict)
    is_steady: bool = True

    def note(self, kind: str, place: str, answer: str) -> None:
        """Keep an answer; another one to the same question means that the disk changed meanwhile."""
        if self.answers.setdefault(kind, {}).setdefault(place, answer) != answer:
            self.is_steady = False


_RECORD: ContextVar[Record | None] = ContextVar("record", default=None)


@contextmanager
def recorded() -> Iterator[Record]:
    """Record every question of the block."""
    record = Record()
    token = _RECORD.set(record)
    try:
        yield record
    finally:
        _RECORD.reset(token)


def still_hold(answers: Answers) -> bool:
    """Ask everything again, and tell whether all answers are as they were."""
    return all(
        _QUESTIONS[kind](place) == answer for kind, places in answers.items() for place, answer in places.items()
    )


def read(path: Path, most: int = LARGEST_READ) -> bytes:
    """Read a file, at most `most` bytes. Raises OSError."""
    record = _RECORD.get()
    try:
        with path.open("rb") as stream:
            content = stream.read(most)
            is_file = record is None or stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except OSError as error:
        _note("content", path, _failed(error))
        raise
    if record is not None:
        _note("content", path, hashlib.sha256(content).hexdigest())
        record.is_steady &= is_file and len(content) < min(most, LARGEST_READ)
    return content


def is_file(path: Path) -> bool:
    """Tell whether there is a file, links followed."""
    return _yes(_noted("file", path))


def is_folder(path: Path) -> bool:
    """Tell whether there is a folder, links followed."""
    return _yes(_noted("folder", path))


def exists(path: Path) -> bool:
    """Tell whether there is anything, links followed."""
    return _yes(_noted("anything", path))


def size(path: Path) -> int:
    """Give the size of a file in bytes. Raises OSError if there is none."""
    return _stated(path)[1]


def is_executable(path: Path) -> bool:
    """Tell whether the owner of a file may execute it. Raises OSError if there is none."""
    return bool(_stated(path)[0])


def files_in(folder: Path) -> list[str]:
    """List the files of a folder by name, sorted; none if it cannot be read."""
    return _lines(_noted("files", folder))


def files_below(folder: Path) -> list[str]:
    """List the files of a folder and of all in it by relative path, sorted; none if there is no such folder."""
    return _lines(_noted("all files", folder))


def resolved(path: Path) -> Path:
    """Make a path absolute, with all links followed."""
    return Path(_noted("resolved", path))


def has_command(name: str) -> bool:
    """Tell whether nodes and build steps find a program of this name."""
    return _yes(_noted("command", name))


def search_path() -> str:
    """Give the PATH of nodes and build steps: the scripts of the interpreter that runs doraflow come first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _stated(path: Path) -> tuple[int, int]:
    answer = _noted("mode and size", path)
    if answer.startswith(_FAILED):
        number = int(answer.removeprefix(_FAILED))
        raise OSError(number, os.strerror(number), str(path))
    mode, _, length = answer.partition(" ")
    return int(mode), int(length)


def _noted(kind: str, place: Path | str) -> str:
    answer = _QUESTIONS[kind](str(place))
    _note(kind, place, answer)
    return answer


def _note(kind: str, place: Path | str, answer: str) -> None:
    record = _RECORD.get()
    if record is not None:
        record.note(kind, str(place), answer)


_FAILED = "error "


def _failed(error: OSError) -> str:
    return f"{_FAILED}{error.errno}"


def _yes(answer: str) -> bool:
    return answer == "yes"


def _lines(answer: str) -> list[str]:
    return answer.split("\0") if answer else []


def _answer(*, holds: bool) -> str:
    return "yes" if holds else "no"


def _stat(place: str) -> os.stat_result | OSError:
    try:
        return os.stat(place)  # noqa: PTH116 - a dataflow may name 50,000 files, and a Path costs more than the question
    except OSError as error:
        return error
    except ValueError as error:  # a NUL character, or half of a pair
        return OSError(errno.EINVAL, str(error))


def _ask_kind(place: str, is_kind: Callable[[int], bool]) -> str:
    found = _stat(place)
    return _answer(holds=isinstance(found, os.stat_result) and is_kind(found.st_mode))


def _ask_mode_and_size(place: str) -> str:
    found = _stat(place)
    return _failed(found) if isinstance(found, OSError) else f"{found.st_mode & 0o100} {found.st_size}"


def _ask_content(place: str) -> str:
    if _ask_kind(place, stat.S_ISREG) == _answer(holds=False):  # a pipe is not to be waited for
        found = _stat(place)
        return _failed(found) if isinstance(found, OSError) else "no file"
    try:
        with Path(place).open("rb") as stream:
            return hashlib.sha256(stream.read(LARGEST_READ)).hexdigest()
    except OSError as error:
        return _failed(error)


def _ask_files(place: str) -> str:
    try:
        with os.scandir(place) as entries:
            return "\0".join(sorted(entry.name for entry in entries if entry.is_file()))
    except (OSError, ValueError):
        return ""


def _ask_all_files(place: str) -> str:
    folder = Path(place)
    return "\0".join(sorted(path.relative_to(folder).as_posix() for path in folder.glob("**/*") if path.is_file()))


def _ask_resolved(place: str) -> str:
    if len(place) > LONGEST_PATH:
        return os.path.normpath(place)
    try:
        return os.path.realpath(place)
    except ValueError:
        return place


_QUESTIONS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "content": _ask_content,
        "file": partial(_ask_kind, is_kind=stat.S_ISREG),
        "folder": partial(_ask_kind, is_kind=stat.S_ISDIR),
        "anything": partial(_ask_kind, is_kind=lambda _: True),
        "mode and size": _ask_mode_and_size,
        "files": _ask_files,
        "all files": _ask_all_files,
        "resolved": _ask_resolved,
        "command": lambda place: _answer(holds=shutil.which(place, path=search_path()) is not None),
    }
)
