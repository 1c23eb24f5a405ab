"""The resolved dataflow: itself a dataflow, with the same graph."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doraflow.codegen.resolved import resolved_text
from doraflow.ir import serialize
from doraflow.pipeline import Options, check

if TYPE_CHECKING:
    from pathlib import Path

FLOWS = {
    "plain": "nodes:\n  - {id: a, path: a.py, outputs: [x]}\n  - {id: b, path: b.py, inputs: {x: a/x}}\n",
    "texts that YAML could misread": (
        "nodes:\n  - id: 'on'\n    path: a.py\n    args: --rate '1:30' 012 'a b'\n"
        "    env: {A: 'yes', B: '0o17', C: 1e3, D: '', E: 'null', F: '# no comment', G: \"a\\nb\", H: é}\n"
    ),
    "queues and types": (
        "nodes:\n  - {id: a, path: a.py, outputs: [x], output_types: {x: std/core/v1/Float32}}\n"
        "  - id: b\n    path: b.py\n    inputs: {x: {source: a/x, queue_size: 3, queue_policy: backpressure}}\n"
    ),
    "operators": (
        "nodes:\n  - {id: s, path: a.py, outputs: [x]}\n  - id: r\n    operators:\n"
        "      - {id: one, python: one.py, inputs: {x: s/x}, outputs: [y], build: make}\n"
        "      - {id: two, python: {source: two.py, conda_env: e}, inputs: {y: r/one/y}, min_log_level: warn}\n"
    ),
    "settings": (
        "exit_when_nodes_finish: true\ntype_rules: [{from: std/core/v1/Int8, to: std/core/v1/Int16}]\n"
        "hosts: {robot: {address: 10.0.0.1, labels: {gpu: 'true'}}}\nnodes:\n  - id: a\n    path: ./bin/a\n"
        "    restart_policy: on-failure\n    max_restarts: 3\n    cpu_affinity: [0, 1]\n"
        "    deploy: {machine: robot, labels: {gpu: 'true'}}\n    build: |\n      make\n      make install\n"
    ),
}


@pytest.mark.parametrize("name", FLOWS)
def test_the_resolved_file_means_the_same(name: str, tmp_path: Path) -> None:
    (tmp_path / "flow.yml").write_text(FLOWS[name])
    first = check(tmp_path / "flow.yml", Options(check_sources=False))
    assert first.graph is not None, first.diagnostics()
    text = resolved_text(first.graph)
    (tmp_path / "flat.yml").write_text(text)
    second = check(tmp_path / "flat.yml", Options(check_sources=False))
    assert second.graph is not None, second.diagnostics()
    assert not second.sink.has_errors, second.diagnostics()
    assert serialize(second.graph) == serialize(first.graph)
    assert resolved_text(replace(second.graph, source="flow.yml")) == text
    for before, after in zip(first.graph.nodes, second.graph.nodes, strict=True):
        assert (after.args, after.env, after.settings, after.cpu_affinity) == (
            before.args,
            before.env,
            before.settings,
            before.cpu_affinity,
        )
        assert [step.commands for step in after.builds] == [step.commands for step in before.builds]
