"""The failures of a run as they come in, and in the end the findings that tell of them.

What is a failure is judged elsewhere; the words are those of `report`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from doraflow_runtime.launcher import consequences, report
from doraflow_runtime.launcher.commands import refused_by_system

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from doraflow_runtime.launcher.commands import Command
    from doraflow_runtime.launcher.endings import Ending
    from doraflow_runtime.launcher.findings import Finding
    from doraflow_runtime.launcher.members import Member
    from doraflow_runtime.launcher.node_logs import NodeLogs


class Failures:
    """Collects failures; `stopped_for` is the node for whose failure the run is being stopped, if any."""

    __slots__ = ("_errors", "_failed", "_far", "_far_stop", "_grace", "_homes", "_logs", "findings", "stopped_for")

    def __init__(self, logs: NodeLogs, grace: float) -> None:
        self.findings: list[Finding] = []
        self.stopped_for = ""
        self._logs = logs
        self._grace = grace
        self._failed: dict[str, float] = {}
        self._errors: dict[str, str] = {}
        self._homes: dict[str, str] = {}
        self._far: dict[tuple[str, str], int] = {}
        self._far_stop: Finding | None = None

    def add(self, member: Member, ending: Ending, reason: str = "") -> None:
        """Note that a node has failed; `reason` says why it is not started again, if its policy asks for that."""
        last, log = tuple(member.output.last), self._logs.file(member.node)
        circumstances = report.Circumstances(self.stopped_for, self._grace, reason)
        self._failed[member.node] = time.monotonic()
        self.findings.append(report.failure(member.process, ending, last, log, circumstances))
        self._errors[member.node] = self.findings[-1].message.removeprefix(f"`{member.node}` ")

    def add_late(self, member: Member, timeout: float) -> None:
        """Note that a node has not joined within `timeout` seconds."""
        self.findings.append(report.not_ready(member.process, timeout, self._logs.file(member.node)))

    def add_refused(self, command: Command, error: OSError) -> None:
        """Note that the system would not start a process."""
        self.findings.append(refused_by_system(command, error))
        self._errors[command.process.node] = f"cannot be executed: {error.strerror}"

    def add_far(self, host: str, node: str, error: str) -> None:
        """Note that a node of another host has failed; each time that it does so again, the last one is told."""
        finding = report.far_failure(host, node, error)
        place = self._far.setdefault((host, node), len(self.findings))
        self.findings[place : place + 1] = [finding]
        self._failed.setdefault(node, time.monotonic())
        self._homes[node] = host

    def add_host(self, finding: Finding) -> None:
        """Note that another host did not come."""
        self.findings.append(finding)

    def add_far_stop(self, host: str, node: str, reason: str) -> None:
        """Note that the dataflow was stopped for a failure on another host: of `node`, if that is named."""
        self._far_stop = report.far_stop(host, node, reason)

    @property
    def errors(self) -> Mapping[str, str]:
        """How the nodes of this host failed, by node."""
        return self._errors

    def explain(self, producers_of: Callable[[str], Iterable[str]]) -> None:
        """Say in each finding from which other it may follow, now that all are there."""
        stop = self._far_stop
        if stop is not None and not any(finding.node == stop.node for finding in self.findings if stop.node):
            self.findings.insert(0, stop)
        self.findings = consequences.told(self.findings, self._failed, producers_of, self._homes)
