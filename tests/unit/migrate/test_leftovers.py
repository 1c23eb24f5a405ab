"""What cannot be rewritten is told where it stands, and then nothing is written at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from doraflow.cli.main import app
from doraflow.diagnostics import Sink
from doraflow.migrate.migration import migrate

if TYPE_CHECKING:
    from pathlib import Path

NODE = "nodes:\n  - id: a\n    "
OLD = "is an old spelling that cannot be rewritten:"
LOST = "stands beside it, and one of the two would be lost"

LEFT = {
    NODE + "path: a.py\n    custom: {source: b.py}\n": (
        f"4:5 `custom` {OLD} `path` {LOST}",
        "remove `custom`, or remove `path` and run `doraflow migrate` again",
    ),
    NODE + "custom: a.py\n": (f"3:5 `custom` {OLD} it is a text, expected a map", "write a map below `custom:`"),
    NODE + "custom: {source: b.py, outputs: [x]}\n    outputs: [y]\n": (
        f"3:5 `custom` {OLD} `outputs` in it and `outputs` beside it are the same key",
        "remove one of the two, then run `doraflow migrate` again",
    ),
    NODE + "path: a.py\n    env: {A: b}\n    envs: {C: d}\n": (
        f"5:5 `envs` {OLD} `env` {LOST}",
        "put what holds under `env`, and remove `envs`",
    ),
    NODE + "custom: {source: a.py, env: [{A: 1}, {A: 2}]}\n": (
        f"3:28 `env` {OLD} it is a list in which `A` stands twice",
        "remove one `A`, then run `doraflow migrate` again",
    ),
    NODE + "run: a.py -x\n    args: -y\n": (
        f"3:5 `run` {OLD} `args` {LOST}",
        "write `path` and `args` in the place of `run` and `args`",
    ),
    NODE + "operators: [{id: o, shared_library: a, shared-library: b}]\n": (
        f"3:25 `shared_library` {OLD} `shared-library` {LOST}",
        "put what holds under `shared-library`, and remove `shared_library`",
    ),
    NODE + "path: a.py\nsources:\n  - {id: b, run: b.py, output: x}\n": (
        f"4:1 `sources` {OLD} `nodes` {LOST}",
        "move the entries of `sources` to `nodes`, each with its `path`, `inputs` and `outputs`",
    ),
    "operators:\n  - {id: a, python: a.py}\n": (
        f"1:1 `operators` {OLD} its entries are operators of today, which stand in a node",
        "write `nodes:`, and move all keys of each entry but its `id` below a key `operator:` of its own",
    ),
    "communication: {local: uds, zenoh: {prefix: x}}\n" + NODE + "path: a.py\n": (
        f"1:29 `zenoh` {OLD} `communication` holds keys of today too",
        "remove `zenoh`: the links are chosen when the dataflow is built",
    ),
    NODE + "path: a.py\nprofiles:\n  x:\n    deploy: {machine: a}\n    _unstable_deploy: {machine: b}\n": (
        f"7:5 `_unstable_deploy` {OLD} `deploy` {LOST}",
        "put what holds under `deploy`, and remove `_unstable_deploy`",
    ),
    NODE + "path: a.py\nprofiles: {x: {nodes: {a: {path: b.py, custom: {source: c.py}}}}}\n": (
        f"4:40 `custom` {OLD} `path` {LOST}",
        "remove `custom`, or remove `path` and run `doraflow migrate` again",
    ),
}


@pytest.mark.parametrize("text", LEFT)
def test_what_is_left_is_told_with_its_reason_and_mend(text: str) -> None:
    sink = Sink()
    assert migrate(text, "f.yml", sink) is None
    told = [
        (f"{found.span.line}:{found.span.column} {found.message}", found.help) for found in sink.found if found.span
    ]
    assert told == [LEFT[text]]
    assert {found.code for found in sink.found} == {"DF131"}


def test_a_file_of_which_a_part_cannot_be_rewritten_stays_as_it_is(tmp_path: Path) -> None:
    text = NODE + "custom: {source: a.py}\n  - id: b\n    path: b.py\n    custom: {source: c.py}\n"
    file = tmp_path / "flow.yml"
    file.write_text(text)
    for option in ("--in-place", "--check"):
        made = CliRunner().invoke(app, ["migrate", str(file), option])
        assert made.exit_code == 1
        assert made.stdout == ""
        assert f"{file}:6:5" in made.stderr
        assert f"`custom` {OLD} `path` {LOST}" in made.stderr
        assert made.stderr.endswith(f"{file}: nothing is written\n")
        assert file.read_text() == text
