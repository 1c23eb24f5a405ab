"""Scripts that several nodes run, compiled once by the warm process.

A script is compiled here only if that goes without a word: what there is to be told of it is told by each node.
"""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType

    from doraflow_runtime.warm.request import Request


class SharedCode:
    """The scripts that were compiled so far, as long as their files stay as they were."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, ...], CodeType | None]] = {}

    def compile(self, requests: Sequence[Request]) -> dict[str, CodeType | None]:
        """Give the code of each script that several of these nodes run, by its path; None is for one without."""
        counts = Counter(request.arguments[1] for request in requests)
        return {path: self._code(path) for path, count in counts.items() if count > 1 and path.startswith("/")}

    def _code(self, path: str) -> CodeType | None:
        try:
            found = Path(path).stat()
        except OSError:
            return None
        state = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        known = self._known.get(path)
        if known is None or known[0] != state:
            known = self._known[path] = state, _compile(path)
        return known[1]


def _compile(path: str) -> CodeType | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
    except Exception:  # noqa: BLE001 - whatever it is, the node meets it again and shows it
        return None
