"""What a run says of itself and of its nodes, asked for once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow_runtime.control.client import Client, RefusedError
from doraflow_runtime.control.messages import AskMetrics, AskStatus, Metrics, Status

from doraflow.operate.asking import findings_of_control

if TYPE_CHECKING:
    from doraflow_runtime.control.registry import FoundRun

    from doraflow.diagnostics import Sink


def survey(run: FoundRun, timeout: float, sink: Sink) -> tuple[Status, Metrics | None] | None:
    """Ask how a run stands and what its nodes measure; None after a finding.

    A run that measures nothing is told without metrics.
    """
    with findings_of_control(sink), Client(run.directory, timeout) as client:
        try:
            measured = client.ask(AskMetrics())
        except RefusedError:
            measured = None
        status = client.ask(AskStatus())
        if isinstance(status, Status):
            return status, measured if isinstance(measured, Metrics) else None
    return None
