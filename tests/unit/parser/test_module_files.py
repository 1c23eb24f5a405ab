"""The files of modules: where they lie, how deep they nest, and what is said of wrong ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.parser.modules import CHAIN, flow_with, nodes, told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.parser.modules import Project


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("/etc/passwd", "the path `/etc/passwd` is absolute, and a module lies in the dataflow's folder"),
        ("../m.yml", "the path `../m.yml` leads out of the dataflow's folder"),
        ("a/../../m.yml", "the path `a/../../m.yml` leads out of the dataflow's folder"),
    ],
)
def test_modules_lie_in_the_folder_of_the_dataflow(project: Project, line: str, message: str) -> None:
    document, found = project({"dataflow.yml": flow_with(line)})
    assert document is not None
    assert (document.nodes, document.missing) == ((), {"m"})
    assert told(found) == [f"DF120 dataflow.yml:3:13 {message}"]


def test_a_link_that_leads_out_of_the_folder_is_refused(project: Project, tmp_path: Path) -> None:
    (tmp_path / "flow").mkdir()
    (tmp_path / "outside.yml").write_text(CHAIN)
    (tmp_path / "flow" / "link.yml").symlink_to(tmp_path / "outside.yml")
    document, found = project({"flow/dataflow.yml": flow_with("link.yml")})
    assert nodes(document) == {}
    assert told(found) == ["DF120 dataflow.yml:3:13 the path `link.yml` leads out of the dataflow's folder"]


def test_a_missing_module_file_is_told_with_a_near_one(project: Project) -> None:
    document, [found] = project({"dataflow.yml": flow_with("modules/chian.yml"), "modules/chain.yml": CHAIN})
    assert nodes(document) == {}
    assert found.message.startswith("there is no module file `")
    assert found.message.endswith("/modules/chian.yml`")
    assert found.help == "write `modules/chain.yml`"


def test_a_missing_module_brings_no_second_finding(project: Project) -> None:
    flow = flow_with("absent.yml", "  - {id: sink, path: s.py, inputs: {x: m/clean}}\n")
    assert [found.code for found in project({"dataflow.yml": flow})[1]] == ["DF120"]


def test_a_module_that_includes_itself_is_drawn(project: Project) -> None:
    one = "module: {name: one}\nnodes:\n  - {id: b, module: two.yml}\n"
    two = "module: {name: two}\nnodes:\n  - {id: a, module: one.yml}\n"
    document, found = project({"dataflow.yml": flow_with("one.yml"), "one.yml": one, "two.yml": two})
    assert document is not None
    assert document.missing == {"m.b.a"}
    assert told(found) == [
        "DF120 two.yml:3:21 the module includes itself: one.yml -> two.yml -> one.yml <- dataflow.yml:3:13"
    ]


def test_modules_nest_eight_deep_and_no_deeper(project: Project) -> None:
    def files(depth: int) -> dict[str, str]:
        inner = {
            f"m{level}.yml": f"module: {{name: m}}\nnodes:\n  - {{id: n, module: m{level + 1}.yml}}\n"
            for level in range(1, depth)
        }
        leaf = "module: {name: m}\nnodes:\n  - {id: n, path: x.py}\n"
        return {"dataflow.yml": flow_with("m1.yml"), **inner, f"m{depth}.yml": leaf}

    document, found = project(files(8))
    assert found == ()
    assert list(nodes(document)) == ["m" + ".n" * 8]
    document, [too_deep] = project(files(9))
    assert nodes(document) == {}
    assert too_deep.message == (
        "modules nest more than 8 deep: " + " -> ".join(f"m{level}.yml" for level in range(1, 10))
    )


def test_faults_inside_a_module_file_are_told_there(project: Project) -> None:
    module = "module: {name: m, input: [x]}\nnodes:\n  - id: a/b\n    path: x\n"
    document, found = project({"dataflow.yml": flow_with("m.yml"), "m.yml": module})
    assert document is not None
    assert (document.missing, document.nameless) == ({"m.a/b"}, False)
    assert told(found) == [
        "DF101 m.yml:1:19 a module header has no key `input`",
        "DF105 m.yml:3:9 `a/b` is not a node id: it holds `/`, which separates a node from its output",
    ]


def test_an_expansion_without_bound_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doraflow.parser.modules.MOST_NODES", 50)
    wide = "module: {name: m}\nnodes:\n"
    middle = wide + "".join(f"  - {{id: n{number}, module: leaf.yml}}\n" for number in range(10))
    leaf = wide + "".join(f"  - {{id: n{number}, path: x}}\n" for number in range(10))
    document, found = project({"dataflow.yml": flow_with("middle.yml"), "middle.yml": middle, "leaf.yml": leaf})
    assert len(nodes(document)) == 40
    assert {diagnostic.message for diagnostic in found} == {"the modules expand to more than 50 nodes"}
