"""Old dialects: each construct is read as its modern form, and told once. Cases are folders of tests/data/dialects."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Findings, Project

CASES = Path(__file__).parents[2] / "data" / "dialects"


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_an_old_construct_means_its_modern_form(case: str, project: Project, found: Findings) -> None:
    old, modern, notes = ((CASES / case / name).read_text() for name in ("old.yml", "modern.yml", "notes.txt"))
    document, findings = project({"dataflow.yml": old})
    wanted, clean = project({"dataflow.yml": modern})
    assert clean == ()
    assert document is not None
    assert wanted is not None
    assert document.dataflow == wanted.dataflow
    assert {finding.severity.value for finding in findings} == {"note"}
    assert found(old) == notes.splitlines()


def test_a_construct_is_told_once_with_the_other_places(project: Project) -> None:
    nodes = "".join(f"  - {{id: n{number}, custom: {{source: a}}}}\n" for number in range(6))
    _, [found] = project({"dataflow.yml": f"nodes:\n{nodes}"})
    assert [label.span.line for label in found.related] == [3, 4, 5]
    assert found.notes == ("and at 2 more places of this file",)
    assert found.help is not None
    assert found.help.startswith(
        "move its keys up into the node, with `path` for `source` and `run`, and `env` for `envs`; "
        "`doraflow migrate --in-place "
    )


def test_modules_may_be_old_too(project: Project) -> None:
    document, [found] = project(
        {
            "dataflow.yml": "nodes:\n  - {id: m, module: m.yml}\n",
            "m.yml": "module: {name: m}\nnodes:\n  - {id: a, custom: {source: a.py}}\n",
        }
    )
    assert document is not None
    assert document.nodes[0].node.path == "a.py"
    assert (found.code, found.span and found.span.line) == ("DF113", 3)


NO_KEY = "a node has no key"
MISTAKES = {
    "{id: a, path: a, env: [{A: 1}]}": "DF103 2:27-35 `env` is a list, expected a map",
    "{id: a, path: a, custom: {source: b}}": f"DF101 2:22-28 {NO_KEY} `custom`",
    "{id: a, custom: {source: b, outputs: [x]}, outputs: [y]}": f"DF101 2:13-19 {NO_KEY} `custom`",
    "{id: a, custom: {python: b}}": f"DF101 2:22-28 {NO_KEY} `python`",
    "{id: a, custom: {source: b, run: c}}": f"DF101 2:22-28 {NO_KEY} `source`",
    "{id: a, path: a, deploy: {}, _unstable_deploy: {}}": f"DF101 2:34-50 {NO_KEY} `_unstable_deploy`",
}


@pytest.mark.parametrize("node", MISTAKES)
def test_what_was_never_right_is_still_a_fault(node: str, found: Findings) -> None:
    assert MISTAKES[node] in found(f"nodes:\n  - {node}\n")


def test_the_output_of_a_sole_operator_may_be_named_by_its_default_id(found: Findings) -> None:
    operator = "  - {id: a, operator: {python: a.py, outputs: [x]}}\n"
    assert found(f"nodes:\n{operator}  - {{id: b, path: b, inputs: {{x: a/op/x}}}}\n") == []


FOREIGN = {
    "  - {id: a, node: dm-timer, config: {x: 1}, outputs: [x]}\n  - {id: b, node: c, inputs: {x: a/x}}\n": (
        "DF130 2:13-17 this is a dataflow of dora-manager: `node` names a package that only `dm` can resolve"
    ),
    "  - {id: a, path: a, inputs: {t: adora/timer/secs/1, u: {source: adora/logs}}}\n"
    "  - {id: b, operator: {python: c, inputs: {t: adora/timer/hz/2}}}\n": (
        "DF130 2:34-52 `adora/timer/secs/1` is a source of adora, a fork of dora: this is a dataflow of another tool"
    ),
}


@pytest.mark.parametrize("nodes", FOREIGN)
def test_a_dialect_of_another_tool_is_named_once(nodes: str, found: Findings) -> None:
    assert found(f"nodes:\n{nodes}") == [FOREIGN[nodes]]
