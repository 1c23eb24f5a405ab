"""Plans for the tests of targets, compiled from texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.lower import lower
from doraflow.diagnostics import Sink
from doraflow.pipeline import Options, check

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doraflow.ir import Plan

LOCAL = "nodes:\n  - {id: a, path: a.py, inputs: {tick: dora/timer/hz/1}}\n"
TWO = """\
name: pair
hosts:
  Robot.1: {address: 10.0.0.2, labels: {kind: edge}, cores: 4, memory: 2GB}
  desk: {address: 10.0.0.3}
nodes:
  - {id: camera, path: a.py, inputs: {tick: dora/timer/hz/1}, outputs: [image], deploy: {machine: Robot.1}}
  - {id: viewer, path: a.py, inputs: {image: camera/image}, deploy: {machine: desk}}
"""


def plan_of(text: str, folder: Path, name: str = "flow.yml") -> Plan:
    """Plan the dataflow of a text; its links between machines are planned whether this version can run them or not."""
    (folder / name).write_text(text)
    made = check(folder / name, Options(check_sources=False))
    assert made.graph is not None, made.diagnostics()
    return lower(made.graph)


def told(check: Callable[[Plan, Sink], None], plan: Plan) -> list[str]:
    """Say what a check of a plan finds, one line a finding."""
    sink = Sink()
    check(plan, sink)
    return [f"{found.severity} {found.code}: {found.message}" for found in sink.diagnostics()]
