"""Sources: found, missed with the nearest name, and collected with what they import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doraflow.analysis.lower import lower
from doraflow.build.imports import imported_files
from doraflow.build.sources import check_sources, collect_sources
from doraflow.diagnostics import Sink, Span
from doraflow.ir import Graph, Node

if TYPE_CHECKING:
    from pathlib import Path

SPAN = Span("f.yml", 1, 1, 1, 2)


def graph(*nodes: Node) -> Graph:
    return Graph("test", "f.yml", nodes, ())


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
