"""Which failures of a run follow from others: a node fails when what feeds it has failed, and its own readers after it.

Pure: findings and times in, findings out. That one follows from another is never certain, and said so.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from doraflow_runtime.launcher.findings import Finding

SLACK = 1.0
"""Seconds by which a reader may end before its sender: it hears of the end when that begins, not when it is over."""


def told(
    findings: Sequence[Finding],
    failed: Mapping[str, float],
    producers_of: Callable[[str], Iterable[str]],
    homes: Mapping[str, str] = MappingProxyType({}),
) -> list[Finding]:
    """Say of each failure from which other it may follow; such findings come behind those that stand for themselves.

    `failed` says when nodes failed, in seconds of one clock, `homes` which of them belong to other hosts.
    """
    causes = _causes(failed, producers_of)
    named = [_with_cause(finding, causes.get(finding.node, ""), homes) for finding in findings]
    return sorted(named, key=lambda finding: bool(finding.cause))


def _causes(failed: Mapping[str, float], producers_of: Callable[[str], Iterable[str]]) -> dict[str, str]:
    """Find for each node that failed after one that feeds it the node with which that began."""
    readers: dict[str, list[str]] = {node: [] for node in failed}
    fed = set()
    for node, at in failed.items():
        for producer in producers_of(node):
            if producer != node and failed.get(producer, at + 2 * SLACK) <= at + SLACK:
                readers[producer].append(node)
                fed.add(node)
    first = [node for node in failed if node not in fed]  # of a circle nobody knows where it began
    causes: dict[str, str] = {}
    waiting = deque((node, node) for node in first)
    while waiting:
        node, cause = waiting.popleft()
        for reader in readers[node]:
            if reader not in causes:
                causes[reader] = cause
                waiting.append((reader, cause))
    return causes


def _with_cause(finding: Finding, cause: str, homes: Mapping[str, str]) -> Finding:
    if not cause:
        return finding
    where = f" on host `{homes[cause]}`" if cause in homes else ""
    note = f"(what feeds it had failed, beginning with `{cause}`{where}: this may follow from that)"
    return replace(finding, notes=(*finding.notes, note), cause=cause)
