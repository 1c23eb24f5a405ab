"""Sources: found, missed with the nearest name, and collected with what they import."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doraflow.analysis.lower import lower
from doraflow.build.imports import imported_files
from doraflow.build.sources import check_paths, check_sources, collect_sources
from doraflow.diagnostics import Sink, Span
from doraflow.ir import BuildStep, Graph, Node, Operator

if TYPE_CHECKING:
    from pathlib import Path

SPAN = Span("f.yml", 1, 1, 1, 2)


def graph(*nodes: Node) -> Graph:
    return Graph("test", "f.yml", nodes, (), file="f.yml")


def test_a_missing_script_is_told_with_the_nearest_file(tmp_path: Path) -> None:
    (tmp_path / "camera.py").touch()
    sink = Sink()
    check_sources(graph(Node("a", "python", SPAN, path="camra.py", path_span=SPAN)), tmp_path, sink)
    (finding,) = sink.found
    assert (finding.code, finding.message) == ("DF601", "there is no file `camra.py`, so `a` cannot run")
    assert finding.help == "to use the closest file, write `camera.py`"


def test_a_command_of_the_environment_counts_as_there(tmp_path: Path) -> None:
    sink = Sink()
    check_sources(graph(Node("a", "executable", SPAN, path="python", path_span=SPAN)), tmp_path, sink)
    assert not sink.found
    check_sources(graph(Node("a", "executable", SPAN, path="no-such-program", path_span=SPAN)), tmp_path, sink)
    assert sink.found[0].message == "there is no file and no command `no-such-program`, so `a` cannot run"


def test_a_path_that_the_host_completes_is_not_missed(tmp_path: Path) -> None:
    sink = Sink()
    check_sources(graph(Node("a", "executable", SPAN, path="$HOME/bin/a", path_span=SPAN)), tmp_path, sink)
    assert not sink.found


def test_imports_are_followed_beside_the_script_and_nowhere_else(tmp_path: Path) -> None:
    files = {
        "nodes/main.py": "import json, helper\nfrom package.inner import thing\nfrom . import absent\n",
        "nodes/helper.py": "import deeper\n",
        "nodes/deeper.py": "import main\n",
        "nodes/package/__init__.py": "from .other import x\n",
        "nodes/package/inner.py": "from .. import nothing\n",
        "nodes/package/other.py": "",
        "nodes/unused.py": "",
        "json.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert sorted(imported_files(tmp_path, ["nodes/main.py"])) == [
        "nodes/deeper.py",
        "nodes/helper.py",
        "nodes/package/__init__.py",
        "nodes/package/inner.py",
        "nodes/package/other.py",
    ]


def test_a_script_with_a_syntax_error_is_carried_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def (")
    plan = lower(graph(Node("a", "python", SPAN, path="./bad.py", path_span=SPAN)))
    assert [file.path for file in collect_sources(plan, tmp_path)] == ["bad.py"]


def outside(*nodes: Node) -> list[str]:
    sink = Sink()
    check_paths(graph(*nodes), sink)
    return [f"{finding.code} {finding.span} {finding.message}" for finding in sink.found]


PLACE = Span("f.yml", 7, 1, 7, 2)
OUTSIDE = "what lies there is not put into the bundle, and every host needs it in that place"


def test_a_working_directory_outside_the_project_is_told_once_at_its_place() -> None:
    operators = tuple(Operator(name, "python", f"{name}.py", SPAN, SPAN) for name in ("one", "two"))
    node = Node("a", "operators", SPAN, operators=operators, working_directory="/srv", working_directory_span=PLACE)
    assert outside(node) == [f"DF602 f.yml:7:1 the working directory `/srv` of `a` is an absolute path: {OUTSIDE}"]


def test_a_build_in_a_working_directory_outside_is_told_with_that() -> None:
    build = BuildStep("a", ("make",), SPAN, "../other")
    node = Node("a", "executable", SPAN, path="a", working_directory="../other", builds=(build,))
    (line,) = outside(node)
    assert line.endswith(f"is a path out of the dataflow's folder: {OUTSIDE}, and its build commands run there")


def test_a_path_outside_is_told_beside_a_working_directory_that_holds_other_things() -> None:
    node = Node("a", "python", SPAN, path="/opt/a.py", path_span=SPAN, working_directory="/srv")
    (line,) = outside(node)
    assert line.startswith("DF602 f.yml:1:1 `/opt/a.py` of `a` is an absolute path")


def test_a_working_directory_in_which_nothing_of_the_project_lies_is_fine() -> None:
    assert outside(Node("a", "shell", SPAN, path="shell", args=("date",), working_directory="/srv")) == []
    assert outside(Node("a", "python", SPAN, path="a.py", working_directory="nodes")) == []


def test_a_link_out_of_the_project_is_told_with_where_it_leads(tmp_path: Path) -> None:
    project, other = tmp_path / "project", tmp_path / "projects"
    (project / "nodes").mkdir(parents=True)
    other.mkdir()
    (other / "far.py").touch()
    (project / "near.py").touch()
    (project / "a.py").symlink_to(other / "far.py")
    (project / "b.py").symlink_to(project / "near.py")
    (project / "lib").symlink_to(other)
    sink = Sink()
    names = ("a.py", "b.py", "near.py", "lib/far.py")
    nodes = [Node(name, "python", SPAN, path=name, path_span=replace(SPAN, line=at)) for at, name in enumerate(names)]
    check_sources(graph(*nodes), project, sink)
    target = (other / "far.py").resolve()
    assert [finding.message for finding in sink.found] == [
        f"`{name}` of `{name}` is a link to `{target}`, outside the project: the bundle gets a copy of what is there, "
        "and from another copy of the project it may come out different"
        for name in ("a.py", "lib/far.py")
    ]
    assert {finding.code for finding in sink.found} == {"DF602"}


def test_a_project_that_is_reached_by_a_link_is_inside_itself(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "a.py").touch()
    (tmp_path / "link").symlink_to(tmp_path / "project")
    sink = Sink()
    check_sources(graph(Node("a", "python", SPAN, path="a.py", path_span=SPAN)), tmp_path / "link", sink)
    assert sink.found == []


ZENOH_FILES = {
    "zenoh.json5": [],
    "/etc/zenoh.json5": [],
    "other.json5": ["`other.json5`, the configuration of zenoh, is not there, so no host would have it"],
    "../zenoh.json5": [
        "`../zenoh.json5`, the configuration of zenoh, leads out of the dataflow's folder, so no host would have it"
    ],
}


@pytest.mark.parametrize("path", ZENOH_FILES)
def test_a_configuration_of_zenoh_has_to_be_there_for_the_bundle(path: str, tmp_path: Path) -> None:
    (tmp_path / "zenoh.json5").write_text("{}")
    remote = {"transport": "zenoh", "config": path}
    made = replace(graph(), settings={"communication": {"remote": remote}})
    sink = Sink()
    check_sources(made, tmp_path, sink)
    assert [(finding.code, finding.message) for finding in sink.found] == [
        ("DF521", text) for text in ZENOH_FILES[path]
    ]
    collected = [file.path for file in collect_sources(lower(made), tmp_path)]
    assert collected == (["zenoh.json5"] if path == "zenoh.json5" else [])
