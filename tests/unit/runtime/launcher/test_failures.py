"""Failures of other hosts as they are collected: one finding for each node, however often it fails."""

from __future__ import annotations

from typing import Any

from doraflow_runtime.launcher.failures import Failures


def test_a_far_node_that_fails_again_and_again_has_one_finding_the_last() -> None:
    logs: Any = None
    failures = Failures(logs, 5.0)
    for code in range(100):
        failures.add_far("gpu", "camera", f"failed with exit code {code}")
        failures.add_far("base", "arm", f"failed with exit code {code}")
    failures.explain(lambda _node: ())
    assert [finding.message for finding in failures.findings] == [
        "`camera` on host `gpu` failed with exit code 99",
        "`arm` on host `base` failed with exit code 99",
    ]
