"""Reading the log of a run: all nodes' records in the order of their time, streaming, while it grows and afterwards.

The order of each node's records is kept as it wrote them, also where its program set the time itself. Memory stays the
same however long a log is. What is printed is not decided here.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from doraflow_runtime.contract import LOG_LEVELS

from doraflow.logs.files import LogCursor, end_of, lines_backwards

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from doraflow.logs.files import Place
    from doraflow.logs.folders import LoggedRun
    from doraflow.logs.query import Query
    from doraflow.logs.records import LogRecord

    Ends: TypeAlias = Mapping[str, Place | None]

Group: TypeAlias = Literal["node", "level"]


def ends_of(run: LoggedRun) -> dict[str, Place | None]:
    """Say where the log of each node ends now."""
    return {node: end_of(path) for node, path in run.files().items()}


def read(run: LoggedRun, query: Query, ends: Ends) -> Iterator[LogRecord]:
    """Give the wanted records up to `ends`, by their time."""
    paths = run.files()
    cursors = [(LogCursor(paths[node]), ends[node]) for node in ends if _is_wanted(node, query) and node in paths]
    try:
        yield from _merged([_timed(cursor.lines(end), query) for cursor, end in cursors])
    finally:
        for cursor, _ in cursors:
            cursor.close()


def read_last(run: LoggedRun, query: Query, count: int, ends: Ends) -> list[LogRecord]:
    """Give the last `count` wanted records before `ends`, by their time; only the ends of the files are read."""
    paths = run.files()
    streams = [
        _timed(_last_lines(paths[node], query, count, ends[node]), query)
        for node in ends
        if _is_wanted(node, query) and node in paths
    ]
    return list(_merged(streams))[-count:] if count else []


def read_grouped(run: LoggedRun, query: Query, group: Group, ends: Ends) -> Iterator[tuple[str, Iterator[LogRecord]]]:
    """Give the wanted records in groups, each by time: the log is read once for each, so that none is held."""
    if group == "node":
        for node in ends:
            if _is_wanted(node, query):
                yield node, read(run, replace(query, nodes=(node,)), ends)
    else:
        for level in LOG_LEVELS:
            yield level, read(run, replace(query, only=level), ends)


class LogFollower:
    """Gives what was written since the last look; nodes that begin to write later are found by themselves."""

    def __init__(self, run: LoggedRun, query: Query, ends: Ends) -> None:
        """Begin at `ends`."""
        self._run = run
        self._query = query
        self._ends = ends
        self._cursors: dict[str, LogCursor] = {}

    def new(self) -> Iterator[LogRecord]:
        """Give the wanted records that are new, by their time."""
        for node, path in self._run.files().items():
            if node not in self._cursors and _is_wanted(node, self._query):
                self._cursors[node] = LogCursor(path, self._ends.get(node))
        return _merged([_timed(cursor.lines(), self._query) for cursor in self._cursors.values()])

    def close(self) -> None:
        """Let go of all files."""
        for cursor in self._cursors.values():
            cursor.close()


def _last_lines(path: Path, query: Query, count: int, end: Place | None) -> list[bytes]:
    wanted = (line for line in lines_backwards(path, end) if query.wanted(line) is not None)
    return list(itertools.islice(wanted, count))[::-1]


def _is_wanted(node: str, query: Query) -> bool:
    return not query.nodes or node in query.nodes


def _timed(lines: Iterable[bytes], query: Query) -> Iterator[tuple[str, LogRecord]]:
    """Pair each wanted record with a time that never goes back."""
    latest = ""
    for line in lines:
        record = query.wanted(line)
        if record is not None:
            latest = max(latest, record.timestamp)
            yield latest, record


def _merged(streams: Iterable[Iterator[tuple[str, LogRecord]]]) -> Iterator[LogRecord]:
    for _, record in heapq.merge(*streams, key=lambda pair: pair[0]):
        yield record
