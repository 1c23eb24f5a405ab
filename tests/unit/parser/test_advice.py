"""Keys of other tools: what is to be written for them, and what is not told besides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Project

NODE = "nodes:\n  - id: a\n    path: a.py\n"

ADVICE = {
    NODE + "    rate: 30\n": "write `tick: dora/timer/hz/30` under `inputs`",
    NODE + "    period: 20\n": "write `tick: dora/timer/millis/20` under `inputs`",
    NODE + "    timer: 5 secs\n": "write `tick: dora/timer/secs/5` under `inputs`",
    NODE + "    dependencies: [numpy, pyarrow]\n": "write `build: pip install numpy pyarrow`",
    NODE + "    queue_size: 3\n": "write it in an input: `NAME: {source: NODE/OUTPUT, queue_size: 3}`",
    NODE + "    topic: /scan\n": "write `ros2: {topic: /scan, message_type: …}`",
    NODE + "    inputs: {t: {timer: 50ms}}\n": "write `source: dora/timer/millis/50`",
    NODE + "edges: [{from: b.x, to: a.y}]\n": (
        "remove it, and write each connection under `inputs` of its reader: `y: b/x`"
    ),
    NODE + "links: 7\n": "remove it, and write each connection under `inputs` of its reader: `NAME: NODE/OUTPUT`",
    NODE + "includes: [{a: b}]\n": "name each module file in a node: `- id: NAME` with `module: …` below",
    "graph:\n  nodes: []\n": "take the line `graph:` away, and move what stands below it to the left",
    "nodes:\n  - {name: a, path: a.py}\n": "write `id: a` in the place of `name: a`",
    "nodes:\n  - {name: a b, path: a.py}\n": "add `id: …`",
    "id: a\npath: a.py\n": "write `nodes:`, and below it `- id: a` with the other keys of the node aligned with `id`",
    "nodes:\nid: a\npath: a.py\ninputs: {}\n": (
        "write `nodes:`, and below it `- id: a` with the other keys of the node aligned with `id`"
    ),
}


@pytest.mark.parametrize("text", ADVICE)
def test_a_key_of_another_tool_is_one_finding_with_the_edit(text: str, project: Project) -> None:
    _, found = project({"dataflow.yml": text})
    assert [finding.help for finding in found] == [ADVICE[text]]


def test_what_is_read_under_another_key_is_judged_there(project: Project) -> None:
    _, found = project({"dataflow.yml": "Nodes:\n  - Id: a\n    Path: a.py\n    colour: red\n"})
    assert [str(finding.span).rpartition("/")[2] + f" {finding.message}" for finding in found] == [
        "dataflow.yml:1:1 a dataflow has no key `Nodes`",
        "dataflow.yml:2:5 a node has no key `Id`",
        "dataflow.yml:3:5 a node has no key `Path`",
        "dataflow.yml:4:5 a node has no key `colour`",
    ]
