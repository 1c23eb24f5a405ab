"""Log settings of nodes and operators: what they come to, and those that lead nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.contract import LogRules

from doraflow.analysis.logs import carries_log, log_rules

if TYPE_CHECKING:
    from tests.unit.analysis.conftest import Check

NODE = "nodes:\n  - id: a\n    path: a.py\n    outputs: [lines, records]\n    {keys}\n"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("name: A", LogRules()),
        ("send_stdout_as: lines", LogRules(lines_to="lines")),
        ("send_logs_as: records", LogRules(records_to="records")),
        ("min_log_level: WARN", LogRules(lowest="warn")),
        ("max_log_size: 1.5KB", LogRules(largest_file=1536)),
        ("max_log_size: 50MB\n    max_rotated_files: 9", LogRules(largest_file=50 * 2**20, kept_files=9)),
    ],
)
def test_the_rules_are_those_of_the_node(check: Check, keys: str, expected: LogRules) -> None:
    assert log_rules(check(NODE.format(keys=keys)).graph.nodes[0]) == expected


def test_the_settings_of_an_operator_are_those_of_its_node(check: Check) -> None:
    text = (
        "nodes:\n  - id: a\n    operators:\n"
        "      - {id: one, python: one.py, outputs: [x], send_stdout_as: x}\n"
        "      - {id: two, python: two.py, outputs: [x], min_log_level: info}\n"
    )
    node = check(text).graph.nodes[0]
    assert log_rules(node) == LogRules(lines_to="one/x", lowest="info")
    assert [carries_log(node, output) for output in ("one/x", "two/x")] == [True, False]


@pytest.mark.parametrize(
    ("text", "told", "mend"),
    [
        (
            NODE.format(keys="send_stdout_as: line"),
            (
                "warning DF850 5:5 `send_stdout_as` of `a` names the output `line`, which it does not have: "
                "nobody can read it"
            ),
            "write `send_stdout_as: lines`",
        ),
        (
            "nodes:\n  - id: a\n    operators: [{id: b, python: b.py, send_logs_as: far}]\n",
            (
                "warning DF850 3:39 `send_logs_as` of `a/b` names the output `far`, which it does not have: "
                "nobody can read it"
            ),
            "add `far` to the outputs of `a/b`",
        ),
        (
            NODE.format(keys="max_rotated_files: 3"),
            (
                "warning DF851 5:5 `max_rotated_files` of `a` has no effect without `max_log_size`: "
                "its log is one file that grows"
            ),
            "add `max_log_size: 50MB`, or remove `max_rotated_files`",
        ),
        (
            NODE.format(keys="inputs: {own: dora/logs/info/a}"),
            "warning DF851 5:19 `own` of `a` reads its own log, which no node is told of: nothing arrives",
            "remove the input, or read the log of another node",
        ),
    ],
)
def test_a_setting_that_leads_nowhere_is_a_warning(check: Check, text: str, told: str, mend: str) -> None:
    checked = check(text)
    assert [line for line in checked.told if "DF85" in line] == [told]
    assert checked.only(told.split()[1]).help == mend
