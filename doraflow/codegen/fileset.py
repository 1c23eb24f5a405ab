"""The result of code generation: an ordered map of relative path to content, made without touching the disk."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    """A file of the bundle. `path` is relative, with forward slashes; `executable` sets mode 0755 instead of 0644."""

    path: str
    content: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class FileSet:
    """The files of a bundle, sorted by path, each path once.

    >>> FileSet.of([GeneratedFile("b", b""), GeneratedFile("a", b"")]).paths()
    ('a', 'b')
    """

    files: tuple[GeneratedFile, ...]

    @staticmethod
    def of(files: list[GeneratedFile]) -> FileSet:
        """Sort `files` by path. Raises ValueError if two share a path: one would overwrite the other."""
        ordered = tuple(sorted(files, key=lambda file: file.path))
        for before, after in itertools.pairwise(ordered):
            if before.path == after.path:
                raise ValueError(f"two generated files are called {before.path}")
        return FileSet(ordered)

    def paths(self) -> tuple[str, ...]:
        """The paths in order."""
        return tuple(file.path for file in self.files)


def digest_of(content: bytes) -> str:
    """Digest a content, as manifests write it."""
    return hashlib.sha256(content).hexdigest()
