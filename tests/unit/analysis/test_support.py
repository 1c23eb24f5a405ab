from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doraflow.analysis.support import UNRUNNABLE, check_support
from doraflow.diagnostics import Sink
from tests.unit.analysis.graphs import graph_of

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check


@pytest.mark.parametrize(
    "key", ["restart_policy: always", "startup_timeout: 3", "health_check_timeout: 3", "finish_grace_secs: 3"]
)
def test_what_a_launcher_does_with_processes_has_no_effect_on_one_started_by_hand(check: Check, key: str) -> None:
    name = key.partition(":")[0]
    checked = check(f"nodes:\n  - id: a\n    path: dynamic\n    outputs: [x]\n    {key}\n")
    consequence = "the process of a dynamic node is started by hand"
    assert checked.told == [f"warning DF901 5:5 `{name}` of `a` has no effect in this version: {consequence}"]
    assert checked.only("DF901").help == f"to be rid of this warning, remove `{name}`"


@pytest.mark.parametrize(
    "keys",
    [
        "restart_policy: never",
        "restart_policy: always\n    max_restarts: 3\n    restart_delay: 1\n    restart_window: 9",
        "health_check_timeout: 3",
        "startup_timeout: 3\n    finish_grace_secs: 3",
        "inputs: {t: dora/timer/hz/1}",
        "inputs: {t: {source: dora/timer/hz/1, input_timeout: 2}}",
        "name: Camera\n    description: looks",
        "cpu_affinity: [0]",
        "spawn: fork",
        "spawn: exec",
        "spin_us: 50",
        "send_stdout_as: x",
        "send_logs_as: x",
        "min_log_level: warn",
        "max_log_size: 1MB\n    max_rotated_files: 2",
        "inputs: {l: dora/logs/info}",
        "shared_memory_pool_size: 1MB",
        "shared_memory_ready: 1MB",
        "huge_pages: true",
        "deploy: {machine: robot, distribute: local}",
        "deploy: {machine: robot, distribute: scp}",
        "pattern: service-server\n    inputs: {x: dora/timer/secs/1}",
        "output_framing: {x: raw}",
        "output_metadata: {x: [request_id]}",
    ],
)
def test_what_has_an_effect_or_says_what_happens_anyway_is_no_finding(check: Check, keys: str) -> None:
    assert check(f"nodes:\n  - id: a\n    path: a.py\n    outputs: [x]\n    {keys}\n").told == []


def test_a_program_cannot_be_forked(check: Check) -> None:
    checked = check("nodes:\n  - {id: a, path: ./a, spawn: fork}\n  - {id: b, path: ./b, spawn: exec}\n")
    assert checked.told == [
        "warning DF901 2:24 `spawn` of `a` has no effect in this version: only Python nodes are forked"
    ]


def test_only_a_python_node_can_be_told_how_to_wait(check: Check) -> None:
    checked = check("nodes:\n  - {id: a, path: ./a, spin_us: 50}\n  - {id: b, path: ./b, spin_us: 0}\n")
    assert checked.told == [
        "warning DF901 2:24 `spin_us` of `a` has no effect in this version: only Python nodes wait in this way"
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "debug: {enable_debug_inspection: true}\nnodes: [{id: a, path: a.py}]\n",
            "DF901 1:1 `debug` has no effect in this version: messages cannot be inspected from outside",
        ),
        (
            "nodes:\n  - {id: a, path: a.py, deploy: {labels: {gpu: a100}}}\n",
            "DF901 2:34 `labels` of `a` choose no machine: none is listed under `hosts`",
        ),
        (
            "nodes:\n  - {id: a, path: a.py, outputs: [x], output_framing: {x: arrow-ipc}}\n",
            "DF901 2:35 `output_framing` of `a/x` has no effect in this version: messages travel as plain buffers",
        ),
        (
            "nodes:\n  - {id: a, operator: {python: {source: a.py, conda_env: b}}}\n",
            "DF901 2:41 `conda_env` of `a` has no effect in this version: operators run in the launcher's own Python",
        ),
        (
            "default_data_format: avro\nnodes:\n  - {id: a, path: a.py}\n",
            "DF901 1:1 `default_data_format` has no effect in this version: messages travel as Arrow",
        ),
        (
            "nodes:\n  - {id: a, path: a.py, data_format: capnp}\n",
            "DF901 2:25 `data_format` of `a` has no effect in this version: messages travel as Arrow",
        ),
        (
            "nodes:\n  - {id: a, path: https://host/a}\n",
            "DF902 2:10 `a` is a program to be downloaded, which this version does not do",
        ),
        (
            "nodes:\n  - {id: a, hub: b}\n",
            "DF902 2:10 `a` is a package of the hub, which this version cannot fetch",
        ),
        (
            "nodes:\n  - {id: a, ros2: {topic: /t, message_type: a/B}, outputs: [x]}\n",
            "DF902 2:10 `a` is a bridge to ROS 2, which this version cannot run",
        ),
        (
            "nodes:\n  - {id: a, path: a, git: https://host/a.git}\n",
            "DF902 2:10 `a` is built from a git repository, which this version cannot fetch",
        ),
        (
            "nodes:\n  - {id: a, operator: {shared-library: x}}\n",
            "DF902 2:40 the operator of `a` is a shared library, and this version runs Python operators only",
        ),
        (
            "nodes:\n  - {id: a, operators: [{id: b, wasm: x}]}\n",
            "DF902 2:39 the operator `a/b` is a WebAssembly module, and this version runs Python operators only",
        ),
    ],
)
def test_what_this_version_cannot_do_is_one_warning(check: Check, text: str, told: str) -> None:
    assert check(text).told == [f"warning {told}"]


def test_what_cannot_run_has_the_code_that_a_build_refuses() -> None:
    assert UNRUNNABLE == "DF902"


def test_a_log_that_is_read_on_another_host_is_told_of(check: Check) -> None:
    checked = check(
        """\
nodes:
  - {id: a, path: a.py, outputs: [log, x], send_logs_as: log, deploy: {machine: one}}
  - {id: b, path: b.py, inputs: {log: a/log, x: a/x}, deploy: {machine: two}}
"""
    )
    assert checked.told == [
        (
            "warning DF902 3:39 `a/log` carries a log, and `b` on `two` cannot read it: logs do not leave their host, "
            "`one`, in this version"
        )
    ]


def test_more_edges_than_a_wiring_table_can_number_are_an_error() -> None:
    sink = Sink()
    check_support(graph_of("ab", [("a", "b")] * 65_536), sink)
    assert [(finding.code, finding.severity, finding.message) for finding in sink.found] == [
        ("DF104", "error", "the dataflow has 65536 edges, and at most 65535 can be numbered")
    ]
