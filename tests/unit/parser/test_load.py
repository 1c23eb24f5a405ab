"""The front door: from a path to a document."""

from collections.abc import Callable
from pathlib import Path

import pytest

from doraflow.diagnostics import Diagnostic, Sink
from doraflow.parser.document import Document
from doraflow.parser.load import dataflow_name, load

Project = Callable[[dict[str, str]], tuple[Document | None, tuple[Diagnostic, ...]]]

FLOW = "nodes:\n  - {id: a, path: a.py}\n"


@pytest.mark.parametrize(
    ("given", "path", "name"),
    [
        (None, "examples/vision/dataflow.yml", "vision"),
        (None, "examples/vision/other.yml", "other"),
        (None, "examples/My Robot-2/dataflow.yaml", "my_robot_2"),
        (None, "x/vision.dataflow.yml", "vision_dataflow"),
        ("Night Shift", "x/flow.yml", "night_shift"),
        ("3d", "x/flow.yml", "flow_3d"),
        ("---", "x/flow.yml", "flow"),
        (None, "x/---.yml", "dataflow"),
        (None, "x/été.yml", "t"),
    ],
)
def test_a_dataflow_has_a_name_that_is_an_identifier(given: str | None, path: str, name: str) -> None:
    assert dataflow_name(given, Path(path)) == name


def test_a_document_tells_where_it_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "dataflow.yml").write_text(FLOW)
    monkeypatch.chdir(tmp_path)
    document = load(Path("flows/dataflow.yml"), Sink())
    assert document is not None
    assert (document.name, document.source, document.file) == ("flows", "dataflow.yml", "flows/dataflow.yml")
    assert document.folder == Path("flows")
    assert document.texts == {"flows/dataflow.yml": FLOW}
    assert str(document.nodes[0].syntax.span) == "flows/dataflow.yml:2:5"
    assert document.nodes[0].node is document.dataflow.nodes[0]


def test_files_beside_the_dataflow_are_shown_by_a_path_of_the_same_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.yml").write_text("module: {name: m}\nnodes: []\n")
    (tmp_path / "flow.yml").write_text("nodes:\n  - {id: m, module: ./m.yml}\n")
    monkeypatch.chdir(tmp_path)
    for given, shown in ((Path("flow.yml"), "m.yml"), (tmp_path / "flow.yml", (tmp_path / "m.yml").as_posix())):
        texts: dict[str, str] = {}
        assert load(given, Sink(), texts=texts) is not None
        assert list(texts) == [given.as_posix(), shown]


def test_texts_are_kept_even_where_there_is_no_document(tmp_path: Path) -> None:
    path = tmp_path / "flow.yml"
    path.write_text("nodes: [\n")
    texts: dict[str, str] = {}
    assert load(path, Sink(), texts=texts) is None
    assert texts == {path.as_posix(): "nodes: [\n"}


def test_a_document_is_given_although_keys_exclude_one_another(project: Project) -> None:
    document, [found] = project({"flow.yml": "nodes:\n  - {id: a, path: a.py, operator: {python: b.py}}\n"})
    assert found.code == "DF109"
    assert document is not None


def test_type_files_are_read_with_their_prefix(project: Project) -> None:
    files = {
        "flow.yml": FLOW,
        "types/robot/sensors/v1.yml": "types: {Scan: {arrow: Float32}}\n",
        "types/a.yml": "types: {}\n",
        "types/readme.md": "not a type file",
        "types/robot/broken.yml": "types: [\n",
    }
    document, found = project(files)
    assert document is not None
    assert [file.prefix for file in document.type_files] == ["a", "robot/sensors/v1"]
    assert document.type_files[1].syntax.get("types") is not None
    assert [(diagnostic.code, diagnostic.span and Path(diagnostic.span.file).name) for diagnostic in found] == [
        ("DF004", "broken.yml")
    ]


def test_reserved_variables_are_taken_out_of_every_environment(project: Project) -> None:
    flow = "env: {LD_PRELOAD: x, A: b}\nnodes:\n  - {id: a, path: a.py, env: {DORA_NODE_CONFIG: x, C: d}}\n"
    document, found = project({"flow.yml": flow})
    assert [diagnostic.code for diagnostic in found] == ["DF114", "DF114"]
    assert document is not None
    assert document.dataflow.env == {"A": "b"}
    assert document.nodes[0].node.env == {"C": "d"}


def test_an_inventory_adds_hosts_and_wins_over_the_dataflow(tmp_path: Path) -> None:
    (tmp_path / "flow.yml").write_text(FLOW + "hosts:\n  arm: {cores: 4, address: old}\n")
    inventory = tmp_path / "hosts.yml"
    inventory.write_text("hosts:\n  arm: {address: 10.0.0.2}\n  gpu: {memory: 8GB, labels: {cuda: 12}}\n")
    sink = Sink()
    document = load(tmp_path / "flow.yml", sink, inventory)
    assert sink.found == []
    assert document is not None
    hosts = document.dataflow.hosts
    assert list(hosts) == ["arm", "gpu"]
    assert (hosts["arm"].address, hosts["arm"].cores) == ("10.0.0.2", 4)
    assert (hosts["gpu"].memory, hosts["gpu"].labels) == (8 * 2**30, {"cuda": "12"})
    assert document.inventory is not None
    assert document.inventory.key_span("gpu") is not None
    assert inventory.as_posix() in document.texts


def test_a_broken_inventory_is_told_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "flow.yml").write_text(FLOW)
    inventory = tmp_path / "hosts.yml"
    inventory.write_text("host:\n  arm: {address: x}\n")
    sink = Sink()
    assert load(tmp_path / "flow.yml", sink, inventory) is not None
    assert [(found.code, found.message) for found in sink.diagnostics()] == [
        ("DF101", "an inventory has no key `host`"),
    ]


def test_a_module_file_is_read_by_itself_with_its_inputs_open(project: Project) -> None:
    module = (
        "module: {name: chain, inputs: [raw], inputs_optional: [mask], outputs: [clean]}\nnodes:\n"
        "  - {id: a, path: a.py, inputs: {x: _mod/raw, y: _mod/mask, t: dora/timer/secs/1}, outputs: [b]}\n"
        "  - {id: inner, module: inner.yml, inputs: {x: a/b}}\n"
    )
    inner = "module: {name: inner, inputs: [x], outputs: [clean]}\nnodes: [{id: c, path: c.py, outputs: [clean]}]\n"
    document, found = project({"chain.yml": module, "inner.yml": inner})
    assert found == ()
    assert document is not None
    assert [declared.node.id for declared in document.nodes] == ["a", "inner.c"]
    assert list(document.nodes[0].node.inputs) == ["t"]
    assert document.exports == {"inner.c/clean"}


def test_faults_of_a_module_file_by_itself_are_told(project: Project) -> None:
    module = (
        "module: {name: chain, inputs: [raw], outputs: [clean]}\nnodes:\n"
        "  - {id: a, path: a.py, inputs: {x: _mod/row}, outputs: [b]}\n"
    )
    _, found = project({"chain.yml": module})
    assert [(each.code, each.message) for each in found] == [
        ("DF121", "no node inside the module `chain` produces its output `clean`"),
        ("DF121", "`_mod/row` names no input of the module `chain`: its inputs are `raw`"),
    ]


def test_loading_the_same_file_twice_gives_the_same_document(project: Project) -> None:
    assert project({"flow.yml": FLOW})[0] == project({"flow.yml": FLOW})[0]
