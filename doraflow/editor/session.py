"""The open files of an editor and the dataflows they belong to, compiled again whenever the typing rests.

One dataflow is compiled at a time, in a thread of its own, and what a newer edit has overtaken is dropped. Nothing here
knows the protocol; findings go out through a callback.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from doraflow.editor.roots import kind_of_text, roots_of
from doraflow.editor.snapshot import take_snapshot
from doraflow.parser.text import LARGEST_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from doraflow.diagnostics import Diagnostic
    from doraflow.editor.schema import Kind
    from doraflow.editor.snapshot import Snapshot

    Tell: TypeAlias = Callable[[str, list[Diagnostic], Snapshot | None], None]
    """Takes a file, all its findings, and a snapshot whose texts their places are in."""

DEBOUNCE_S = 0.15
LONGEST_WAIT_S = 10.0

log = logging.getLogger(__name__)


class Session:
    """All that is open. Not thread-safe: it lives on the event loop."""

    def __init__(self, tell: Tell) -> None:
        self.texts: dict[str, str] = {}
        self._tell = tell
        self._kinds: dict[str, Kind | None] = {}
        self._roots: dict[str, tuple[str, ...]] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._wanted: dict[str, int] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._told: set[str] = set()
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="compile")

    def update(self, file: str, text: str) -> None:
        """Take the text of a file that was opened or changed, and compile what it belongs to."""
        kind = kind_of_text(text)
        is_new = file not in self.texts or self._kinds[file] != kind
        self.texts[file] = text
        self._kinds[file] = kind
        if is_new:
            self._assign(file)
        affected = self._rooted_above(file) if is_new else self._reading(file)
        self._refresh_all({*self._roots[file], *affected})

    def close(self, file: str) -> None:
        """Let go of a file; dataflows that are still open see what is on the disk instead."""
        for known in (self.texts, self._kinds, self._roots):
            known.pop(file, None)
        self._forget_unheld()
        self._tell_all()
        self._refresh_all(self._rooted_above(file))

    def disk_changed(self, files: Iterable[str]) -> None:
        """Compile again what may read any of these files."""
        self._refresh_all({root for file in files for root in self._rooted_above(file)})

    def snapshot(self, file: str) -> Snapshot | None:
        """Give the last state of the dataflow that a file belongs to, which may be older than the text."""
        known = (self._snapshots.get(root) for root in self._roots.get(file, ()))
        return next((each for each in known if each is not None), None)

    async def current(self, file: str) -> Snapshot | None:
        """Give the state of the dataflow that a file belongs to, once it is that of the text."""
        tasks = [self._tasks[root] for root in self._roots.get(file, ()) if root in self._tasks]
        if tasks:
            await asyncio.wait(tasks[:1], timeout=LONGEST_WAIT_S)
        return self.snapshot(file)

    def stop(self) -> None:
        """Begin nothing more."""
        for task in self._tasks.values():
            task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _held(self) -> list[str]:
        """List the dataflows that open files belong to, each once."""
        return list(dict.fromkeys(root for roots in self._roots.values() for root in roots))

    def _rooted_above(self, file: str) -> list[str]:
        """List the dataflows whose folder holds a file: only they can read it."""
        return [root for root in self._held() if Path(file).is_relative_to(Path(root).parent)]

    def _reading(self, file: str) -> list[str]:
        """List the dataflows that read a file, or that may, as they could not be read themselves."""
        above = self._rooted_above(file)
        return [root for root in above if (known := self._snapshots.get(root)) is None or known.reads(file)]

    def _refresh_all(self, roots: Iterable[str]) -> None:
        for root in sorted(roots):
            self._wanted[root] = self._wanted.get(root, 0) + 1
            if root not in self._tasks:
                self._tasks[root] = asyncio.create_task(self._refresh(root))

    async def _refresh(self, root: str) -> None:
        """Compile a dataflow when the typing rests, and again until no edit came in between."""
        try:
            done = -1
            while done != self._wanted[root]:
                wanted = self._wanted[root]
                await asyncio.sleep(DEBOUNCE_S)
                if wanted == self._wanted[root]:
                    await self._compile(root, wanted)
                    done = wanted
        except Exception:
            log.exception("compiling %s failed", root)
        finally:
            if self._tasks.get(root) is asyncio.current_task():
                del self._tasks[root]

    async def _compile(self, root: str, wanted: int) -> None:
        loop = asyncio.get_running_loop()
        snapshot = await loop.run_in_executor(self._pool, take_snapshot, Path(root), self._unsaved(root))
        if wanted == self._wanted.get(root) and root in self._held():
            self._snapshots[root] = snapshot
            self._reassign(root, snapshot)
            self._tell_all()

    def _assign(self, file: str) -> None:
        """Find the dataflows that a file belongs to."""
        self._roots[file] = tuple(root.as_posix() for root in roots_of(Path(file), self.texts))
        self._forget_unheld()

    def _reassign(self, root: str, snapshot: Snapshot) -> None:
        """Give a dataflow the open modules that it includes now; find others for those that it lets go."""
        for file, roots in list(self._roots.items()):
            if file in snapshot.modules and root not in roots:
                self._roots[file] = (root, *(each for each in roots if each != file))
            elif root in roots and not snapshot.reads(file):
                self._assign(file)
                self._refresh_all(each for each in self._roots[file] if each not in self._snapshots)
        self._forget_unheld()

    def _unsaved(self, root: str) -> dict[str, str]:
        """Gather the open texts that a dataflow may read; what is too large is left to the disk."""
        folder = Path(root).parent
        return {
            file: text
            for file, text in self.texts.items()
            if Path(file).is_relative_to(folder) and len(text) <= LARGEST_FILE
        }

    def _forget_unheld(self) -> None:
        held = set(self._held())
        for root in [*self._snapshots, *self._tasks]:
            if root not in held:
                self._snapshots.pop(root, None)
                if root in self._tasks:
                    self._tasks.pop(root).cancel()

    def _tell_all(self) -> None:
        """Tell the findings of every file: those that are open, and modules of dataflows that are."""
        found: dict[str, dict[Diagnostic, None]] = {file: {} for file in [*self.texts, *sorted(self._told)]}
        read_by: dict[str, Snapshot] = {}
        for root, snapshot in self._snapshots.items():
            for finding in snapshot.made.diagnostics():
                file = finding.span.file if finding.span is not None else root
                if file in self.texts or (root in self.texts and file != root):
                    found.setdefault(file, {})[finding] = None
                    read_by[file] = snapshot
        for file, findings in found.items():
            self._tell(file, list(findings), read_by.get(file))
        self._told = {file for file, findings in found.items() if findings}
