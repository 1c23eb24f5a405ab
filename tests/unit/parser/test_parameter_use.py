"""Parameters of modules that are missing, misspelt, or of no use, and those that a program may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

PASSED_ON = "so the reference to it is passed on as it stands"


def flow(params: str) -> str:
    return f"nodes:\n  - id: m\n    module: sub/m.yml\n    params: {{{params}}}\n"


def module(*nodes: str) -> str:
    return "module: {name: filter}\nnodes:\n" + "".join(f"  - {{{node}}}\n" for node in nodes)


TOLD = {
    "misspelt in the dataflow": (
        "sped: 1",
        "id: a, path: x, args: -s $PARAM_SPEED",
        f"4:14 the module `filter` has no parameter `sped`, and gets none for `speed`, {PASSED_ON}",
        "write `speed`",
    ),
    "in another case": (
        "Speed: 1",
        "id: a, path: x, args: '-s ${_param.speed}'",
        f"4:14 the module `filter` has no parameter `Speed`, and gets none for `speed`, {PASSED_ON}",
        "write `speed`",
    ),
    "missing in the environment": (
        "",
        "id: a, path: x, env: {S: $PARAM_SPEED}",
        f"3:31 `m` gives no parameter `speed`, {PASSED_ON}",
        "add `speed: …` to the `params` of `m`",
    ),
    "missing in a build step": (
        "",
        "id: a, path: x, build: make $PARAM_SPEED",
        f"3:29 `m` gives no parameter `speed`, {PASSED_ON}",
        "add `speed: …` to the `params` of `m`",
    ),
    "unused beside another": (
        "speed: 1, colour: red",
        "id: a, path: x, args: $PARAM_SPEED",
        "4:24 nothing in the module `filter` uses the parameter `colour`: its parameters are `speed`",
        "remove `colour`, or refer to it inside the module as `$PARAM_COLOUR` in the `args` of a node",
    ),
    "unused by programs that can be read": (
        "colour: red",
        "id: a, path: plain.py",
        "4:14 nothing in the module `filter` uses the parameter `colour`: it has no parameters",
        "remove `colour`, or refer to it inside the module as `$PARAM_COLOUR` in the `args` of a node",
    ),
}


@pytest.mark.parametrize(("params", "node", "expected", "mend"), TOLD.values(), ids=list(TOLD))
def test_each_is_told_once_with_its_place(params: str, node: str, expected: str, mend: str, project: Project) -> None:
    _, found = project({"dataflow.yml": flow(params), "sub/m.yml": module(node), "sub/plain.py": "print()\n"})
    told = [
        (
            finding.code,
            finding.severity.value,
            f"{finding.span.line}:{finding.span.column} {finding.message}",
            finding.help,
        )
        for finding in found
        if finding.span is not None
    ]
    assert told == [("DF122", "warning", expected, mend)]


def test_a_parameter_that_several_nodes_miss_is_told_once_with_the_other_places(project: Project) -> None:
    nodes = [f"id: n{number}, path: x, args: $PARAM_SPEED" for number in range(3)]
    _, (found,) = project({"dataflow.yml": flow(""), "sub/m.yml": module(*nodes)})
    assert found.span is not None
    assert found.span.line == 3
    assert [(label.span.line, label.text) for label in found.related] == [
        (3, "the module `m` is included here"),
        (4, "and here"),
        (5, "and here"),
    ]


@pytest.mark.parametrize(
    ("params", "nodes", "source"),
    [
        ("colour: red", ["id: a, path: x"], ""),
        ("colour: red", ["id: a, path: a.py"], 'os.environ["PARAM_COLOUR"]'),
        ("colour: red", ["id: a, path: a.py"], 'os.environ[f"PARAM_{name}"]'),
        ("colour: red, speed: 1", ["id: a, path: a.py, args: $PARAM_SPEED"], 'os.getenv("PARAM_COLOUR")'),
        ("colour: red", ["id: a, path: absent.py"], ""),
        ("Speed: 1", ["id: a, path: x, args: $PARAM_SPEED"], ""),
        ("colour: red", ["id: a, operator: {python: a.py}"], "os.environ['PARAM_COLOUR']"),
    ],
)
def test_what_a_program_may_read_is_not_told(params: str, nodes: list[str], source: str, project: Project) -> None:
    _, found = project({"dataflow.yml": flow(params), "sub/m.yml": module(*nodes), "sub/a.py": source})
    assert [finding for finding in found if finding.code == "DF122"] == []


def test_what_reaches_the_nodes_of_a_nested_module_is_not_told(project: Project) -> None:
    inner = module("id: b, path: plain.py")
    outer = module("id: a, module: inner.yml", "id: c, path: x, args: $PARAM_SPEED")
    _, found = project({"dataflow.yml": flow("speed: 1, colour: red"), "sub/m.yml": outer, "sub/inner.yml": inner})
    assert found == ()
