"""The JSON schemas: current, complete, and of one mind with the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from doraflow.diagnostics import Sink
from doraflow.editor.schema import Kind, schema, schema_text
from doraflow.parser.compose import compose
from doraflow.parser.syntax import MappingNode, SequenceNode
from doraflow.pipeline import Options, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doraflow.parser.syntax import SyntaxNode

ROOT = Path(__file__).parents[3]
CORPUS = ROOT.parent / "shared" / "corpus"
MODEL_FAULTS = {"DF101", "DF102", "DF103", "DF104", "DF105", "DF108", "DF112"}

with_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpus of real dataflows is not beside the repository"
)


def plain(node: SyntaxNode) -> object:
    if isinstance(node, MappingNode):
        return {entry.key.text: plain(entry.value) for entry in node.entries}
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.items]
    return node.value


def faults(text: str, kind: Kind = Kind.DATAFLOW) -> list[str]:
    tree = compose(text, "x.yml", Sink())
    assert tree is not None, text
    return [error.json_path for error in Draft202012Validator(schema(kind)).iter_errors(plain(tree))]


def properties(made: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for part in (made, *made.get("$defs", {}).values()):
        for key, value in part.get("properties", {}).items():
            yield key, value if "description" in value else made["$defs"][value["$ref"].rpartition("/")[2]]


@pytest.mark.parametrize("kind", Kind)
def test_the_committed_schema_is_current(kind: Kind) -> None:
    assert (ROOT / f"schema/{kind}.schema.json").read_text() == schema_text(kind), "run `doit schema`"


@pytest.mark.parametrize("kind", Kind)
def test_a_schema_is_one_itself(kind: Kind) -> None:
    made = json.loads(schema_text(kind))
    Draft202012Validator.check_schema(made)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert made["$id"] == f"urn:doraflow:{kind}"
    assert made["title"].startswith("doraflow ")


@pytest.mark.parametrize("kind", Kind)
def test_every_key_is_described(kind: Kind) -> None:
    described = list(properties(schema(kind)))
    assert described
    assert [key for key, value in described if not value.get("description", "").endswith(".")] == []


VALID = [
    "nodes:",
    "nodes: [{id: a, path: a.py, outputs: , inputs: {x: b/y}}]",
    "nodes: [{id: a, path: 5}]",
    "nodes: [{id: a, inputs: {x: {source: b/y, queue_size: 3, queue_policy: backpressure}}}]",
    "nodes: [{id: a, operator: {python: op.py}}]",
    "nodes: [{id: a, operator: {python: {source: op.py, conda_env: c}}}]",
    "nodes: [{id: a, min_log_level: INFO, max_log_size: 64MB, shared_memory_pool_size: 5}]",
    "nodes: [{id: a, env: {A: 1, B: true, C: x}, inputs: }]",
    "{nodes: [{id: a}], profiles: {p: {nodes: {a: {env: {A: ~}, inputs: {x: {queue_size: 1}, y: b/z, z: ~}}}}}}",
    "{nodes: [{id: a}], profiles: {p: {hosts: {h: {cores: 2}}, nodes: {a: {operators: {o: {python: x}}}}}}}",
    "{nodes: [], communication: {local: shm, remote: {port_range: 1-2}}, default_data_format: avro}",
]
INVALID = [
    ("nodes: [{path: a.py}]", "$.nodes[0]"),
    ("nodes: [{id: dora}]", "$.nodes[0].id"),
    ("nodes: [{id: a/b}]", "$.nodes[0].id"),
    ("nodes: [{id: a, ouputs: [x]}]", "$.nodes[0]"),
    ("nodes: [{id: a, outputs: x}]", "$.nodes[0].outputs"),
    ("nodes: [{id: a, outputs: [/x]}]", "$.nodes[0].outputs[0]"),
    ("nodes: [{id: a, inputs: {/x: b/y}}]", "$.nodes[0].inputs"),
    ("nodes: [{id: a, inputs: {x: {source: b/y, queue_size: 0}}}]", "$.nodes[0].inputs.x"),
    ("nodes: [{id: a, restart_policy: sometimes}]", "$.nodes[0].restart_policy"),
    ("nodes: [{id: a, max_restarts: 4294967296}]", "$.nodes[0].max_restarts"),
    ("nodes: [{id: a, finish_grace_secs: .inf}]", "$.nodes[0].finish_grace_secs"),
    ("nodes: [{id: a, max_log_size: 5 lines}]", "$.nodes[0].max_log_size"),
    ("{nodes: [], profiles: {p: {nodes: {a: {pth: x}}}}}", "$.profiles.p.nodes.a"),
    ("{nodes: [], communication: {local: zeromq}}", "$.communication"),
    ("{}", "$"),
]


@pytest.mark.parametrize("text", VALID)
def test_both_forms_of_what_has_two_are_valid(text: str) -> None:
    assert faults(text) == []


@pytest.mark.parametrize(("text", "place"), INVALID)
def test_a_fault_of_one_value_is_found_at_its_place(text: str, place: str) -> None:
    assert faults(text) == [place]


OLD = [
    "nodes: [{id: a, custom: {source: a.py, outputs: [x]}}]",
    "nodes: [{id: a, run: a.py}]",
    "nodes: [{id: a, path: a.py, _unstable_deploy: {machine: m}, envs: {A: b}}]",
    "nodes: [{id: a, operator: {shared_library: a, outputs: [x]}}]",
    "nodes: [{id: a, operators: [{id: o, shared_library: a, outputs: [x]}]}]",
    "{nodes: [{id: a, path: a.py}], _unstable_deploy: {machine: m}, _unstable_debug: {}}",
    "{nodes: [{id: a, path: a.py}], debug: {publish_all_messages_to_zenoh: true}, daemon_config: zenoh}",
]


@pytest.mark.parametrize("text", OLD)
def test_old_spellings_are_valid_where_they_are_accepted(text: str, tmp_path: Path) -> None:
    made = check(tmp_path / "a.yml", Options(check_sources=False, unsaved={(tmp_path / "a.yml").as_posix(): text}))
    assert "DF113" in {finding.code for finding in made.diagnostics()}
    assert not made.sink.has_errors, made.diagnostics()
    assert faults(text) == []


def test_old_spellings_are_marked() -> None:
    marked = {key: value for key, value in properties(schema(Kind.DATAFLOW)) if value.get("deprecated")}
    assert marked["custom"]["description"] == (
        "An old spelling: move the keys that the node lacks up into it, `source` as `path`, and remove `custom`."
    )
    assert {key for key in marked if not any(key in text for text in OLD)} == set()


def test_modules_and_inventories_have_schemas_of_their_own() -> None:
    assert faults("{module: {name: m, inputs: [a]}, nodes: [{id: a, path: x}]}", Kind.MODULE) == []
    assert faults("{module: {inputs: [a]}, nodes: []}", Kind.MODULE) == ["$.module"]
    assert faults("{hosts: {pi: {address: 10.0.0.2}}}", Kind.INVENTORY) == []
    assert faults("{hosts: {pi: {adress: 10.0.0.2}}}", Kind.INVENTORY) == ["$.hosts.pi"]


@with_corpus
def test_what_doraflow_accepts_of_the_corpus_is_valid() -> None:
    judges = {kind: Draft202012Validator(schema(kind)) for kind in Kind}
    accepted = 0
    for path in sorted((CORPUS / "dora").glob("*.yml")):
        made = check(path, Options(check_sources=False))
        if made.document is None or made.sink.has_errors:
            continue
        accepted += 1
        judge = judges[Kind.MODULE if made.document.syntax.get("module") else Kind.DATAFLOW]
        assert [error.message for error in judge.iter_errors(plain(made.document.syntax))] == [], path.name
    assert accepted > 300


@with_corpus
def test_the_negatives_that_the_models_refuse_are_not_valid() -> None:
    judge = Draft202012Validator(schema(Kind.DATAFLOW))
    refused = 0
    for path in sorted((CORPUS / "negatives").glob("*.yml")):
        made = check(path, Options(check_sources=False))
        tree = compose(path.read_text(), "x.yml", Sink())
        codes = {finding.code for finding in made.diagnostics() if finding.severity == "error"}
        if tree is not None and codes & MODEL_FAULTS:
            refused += 1
            assert not judge.is_valid(plain(tree)), path.name
    assert refused > 10
