"""Rules that join several keys of a node."""

from collections.abc import Callable

import pytest

from doraflow.diagnostics import Diagnostic

Project = Callable[[dict[str, str]], tuple[object, tuple[Diagnostic, ...]]]

NO_IMPLEMENTATION = (
    "has no implementation: none of `path`, `operator`, `operators`, `module`, `ros2` and `hub` is given"
)

CASES = {
    "  - id: a\n    outputs: [x]\n": [f"DF110 2:5 the node `a` {NO_IMPLEMENTATION}"],
    "  - id: a\n    path:\n": ["DF110 3:5 the node `a` has no implementation: `path` is empty"],
    "  - id: a\n    operator:\n      outputs: [x]\n": [
        "DF110 4:7 this operator has no implementation: none of `python`, `shared-library` and `wasm` is given"
    ],
    "  - id: a\n    path: x\n    operator: {python: y}\n": [
        "DF109 4:5 `path` and `operator` exclude one another: a node has one implementation <- 3:5"
    ],
    "  - id: a\n    operators: [{id: o, python: y}]\n    operator: {python: y}\n    hub: z\n": [
        "DF109 4:5 `operators` and `operator` exclude one another: a node has one implementation <- 3:5",
        "DF109 5:5 `operators` and `hub` exclude one another: a node has one implementation <- 3:5",
    ],
    "  - id: a\n    operator:\n      python: y\n      shared-library: z\n": [
        "DF109 5:7 `python` and `shared-library` exclude one another: an operator has one implementation <- 4:7"
    ],
    "  - id: a\n    operator: {python: y}\n    inputs: {x: b/c}\n    git: z\n": [
        "DF109 4:5 `inputs` has no effect beside `operator` <- 3:5",
        "DF109 5:5 `git` has no effect beside `operator` <- 3:5",
    ],
    "  - id: a\n    path: x\n    params: {b: c}\n": ["DF109 4:5 `params` has no effect beside `path` <- 3:5"],
    "  - id: a\n    path: x\n    git: u\n    branch: b\n    rev: c\n": [
        "DF111 6:5 `branch` and `rev` pin the git source twice <- 5:5"
    ],
    "  - id: a\n    path: x\n    tag: t\n": ["DF111 4:5 `tag` pins a git source, and the node has no `git`"],
    "  - id: a\n    path: x\n    env: {LD_PRELOAD: x, DORA_ZENOH_CONNECT: y, OK: z}\n": [
        "DF114 4:11 `LD_PRELOAD` is reserved, so this value is dropped",
        "DF114 4:26 `DORA_ZENOH_CONNECT` is reserved, so this value is dropped",
    ],
    '  - id: a\n    path: x\n    env: {"A=B": x, "": y, "A B": z}\n': [
        "DF114 4:11 `A=B` cannot be the name of an environment variable: it holds `=`, white space or a NUL character",
        "DF114 4:21 `` cannot be the name of an environment variable: it is empty",
        "DF114 4:28 `A B` cannot be the name of an environment variable: it holds `=`, white space or a NUL character",
    ],
    "  - id: a\n    ros2: {namespace: /x}\n": [
        "DF110 3:11 this bridge bridges nothing: none of `topic`, `topics`, `service` and `action` is given"
    ],
    "  - id: a\n    ros2:\n      topic: /x\n      service: /y\n": [
        "DF102 4:7 `topic` needs `message_type` beside it",
        "DF109 5:7 `topic` and `service` exclude one another: a bridge has one subject <- 4:7",
    ],
    "  - id: a\n    ros2: {action: /x, action_type: a/Y, transport: {kind: zenoh}}\n": [
        "DF102 3:12 `action` needs `role` beside it",
        "DF102 3:60 `kind: zenoh` needs `compatibility` beside it",
    ],
}


@pytest.mark.parametrize(("nodes", "expected"), CASES.items())
def test_keys_that_do_not_go_together_are_told_with_both_places(
    project: Project, nodes: str, expected: list[str]
) -> None:
    _, found = project({"dataflow.yml": "nodes:\n" + nodes})
    assert [told(diagnostic) for diagnostic in found] == expected


def test_reserved_names_are_a_warning_and_malformed_ones_an_error(project: Project) -> None:
    text = 'nodes: [{id: a, path: a.py}]\nenv: {LD_PRELOAD: x, "A=B": y}\n'
    _, found = project({"dataflow.yml": text})
    assert [(diagnostic.code, diagnostic.severity) for diagnostic in found] == [
        ("DF114", "warning"),
        ("DF114", "error"),
    ]


@pytest.mark.parametrize(
    "node",
    [
        "{id: a, path: x.py, args: -v, build: make, env: {A: b}, git: u, rev: c, cpu_affinity: [0]}",
        "{id: a, path: dynamic, restart_policy: always, send_stdout_as: out, outputs: [out]}",
        "{id: a, operator: {python: x, wasm: ~}, env: {A: b}, deploy: {machine: m}, cpu_affinity: [1]}",
        "{id: a, operators: [{id: o, shared-library: x, build: make}]}",
        "{id: a, hub: x@1, inputs: {x: b/c}}",
        "{id: a, ros2: {topics: [{topic: /x, message_type: a/Y, output: z}]}, outputs: [z], restart_policy: never}",
    ],
)
def test_keys_that_go_together_are_let_through(project: Project, node: str) -> None:
    _, found = project({"dataflow.yml": f"nodes:\n  - {node}\n"})
    assert found == ()


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ("{id: a, operator: {python: x}, inputs: {b: c/d}}", "move `inputs` into `operator`"),
        ("{id: a, operator: {python: x}, git: y}", "remove `git`"),
        ("{id: a, path: x, wasm: y}", None),
        ("{id: a, path: x, hub: y}", "remove `path` or `hub`"),
    ],
)
def test_the_help_says_where_a_key_belongs(project: Project, node: str, expected: str | None) -> None:
    _, [found] = project({"dataflow.yml": f"nodes:\n  - {node}\n"})
    if expected is not None:
        assert found.help == expected
    else:
        assert found.code == "DF101"


def told(diagnostic: Diagnostic) -> str:
    """Write a finding with the places of its labels."""
    span = diagnostic.span
    assert span is not None
    labels = "".join(f" <- {label.span.line}:{label.span.column}" for label in diagnostic.related)
    return f"{diagnostic.code} {span.line}:{span.column} {diagnostic.message}{labels}"
