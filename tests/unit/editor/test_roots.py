"""Which dataflow an open file belongs to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from doraflow.editor.roots import kind_of_text, roots_of
from doraflow.editor.schema import Kind

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """\
module:
  name: nav
  inputs: [goal, front]
  inputs_optional: [map]
  outputs: [way]
nodes:
  - id: planner
    path: p.py
    args: --speed $PARAM_SPEED --mode ${_param.mode}
    inputs: {g: _mod/goal, i: _mod/front, m: _mod/map}
    outputs: [way]
"""


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("nodes:\n", Kind.DATAFLOW),
        ("# a\nname: x\nnodes: []", Kind.DATAFLOW),
        ("{nodes: []}", Kind.DATAFLOW),
        (MODULE, Kind.MODULE),
        ("module: {name: m}\nnodes: []", Kind.MODULE),
        ("hosts:\n  pi: {}", Kind.INVENTORY),
        ("services:\n  web:\n    nodes: 3\n", None),
        ("nodes:\n  - id: a\n    module: nav.yml\n", Kind.DATAFLOW),
        ("", None),
    ],
)
def test_the_keys_at_the_top_tell_the_kind(text: str, kind: Kind | None) -> None:
    assert kind_of_text(text) is kind


def test_a_dataflow_is_its_own_root_and_a_foreign_file_has_none(tmp_path: Path) -> None:
    flow, other = tmp_path / "a.yml", tmp_path / "compose.yml"
    texts = {flow.as_posix(): "nodes: []", other.as_posix(): "services: {}"}
    assert roots_of(flow, texts) == [flow]
    assert roots_of(other, texts) == []


def test_a_module_belongs_to_the_dataflows_that_include_it(tmp_path: Path) -> None:
    module = tmp_path / "modules/nav.yml"
    module.parent.mkdir()
    texts = {
        module.as_posix(): MODULE,
        (tmp_path / "open.yml").as_posix(): "nodes:\n- {id: n, module: modules/nav.yml}",
    }
    (tmp_path / "saved.yml").write_text("nodes:\n  - id: n\n    module: modules/nav.yml\n")
    (tmp_path / "open.yml").write_text("nodes: []")
    (tmp_path / "other.yml").write_text("nodes:\n  - id: n\n    path: nav.yml\n    # module: modules/nav.yml\n")
    assert roots_of(module, texts) == [tmp_path / "open.yml", tmp_path / "saved.yml"]


def test_a_long_line_of_modules_is_searched_once(tmp_path: Path) -> None:
    module, other = tmp_path / "part.yml", tmp_path / "flow.yml"
    module.write_text("module:\nnodes: []\n")
    other.write_text("nodes: [" + "module: " * 100_000 + "]\n")
    began = time.process_time()
    assert roots_of(module, {module.as_posix(): module.read_text()}) == [module]
    assert time.process_time() - began < 2


def test_the_search_ends_at_the_repository_and_a_module_that_nothing_includes_is_its_own_root(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / ".git").mkdir(parents=True)
    (tmp_path / "outside.yml").write_text("nodes:\n  - id: n\n    module: repository/nav.yml\n")
    module = repository / "nav.yml"
    assert roots_of(module, {module.as_posix(): MODULE}) == [module]


def test_a_type_file_belongs_to_the_dataflows_beside_its_folder(tmp_path: Path) -> None:
    own = tmp_path / "types/robot/v1.yml"
    (tmp_path / "a.yml").write_text("nodes: []")
    (tmp_path / "b.yml").write_text("services: {}")
    assert roots_of(own, {own.as_posix(): "types:\n  A: {arrow: Float64}\n"}) == [tmp_path / "a.yml"]
