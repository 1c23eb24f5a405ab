"""The model as the definition of the language."""

import json
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from doraflow.diagnostics import Sink
from doraflow.parser.compose import compose
from doraflow.parser.keys import Keys
from doraflow.parser.model import Dataflow, Inventory, ModuleFile, Node
from doraflow.parser.owners import known_keys
from doraflow.parser.read import read_model


def kinds(base: type[Keys]) -> Iterator[type[Keys]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


@pytest.mark.parametrize("kind", sorted(kinds(Keys), key=repr))
def test_every_key_has_a_description_that_is_a_sentence(kind: type[Keys]) -> None:
    for name, field in kind.model_fields.items():
        assert field.description, f"{kind.__name__}.{name}"
        assert field.description.endswith(".")


@pytest.mark.parametrize("kind", [Dataflow, ModuleFile, Inventory])
def test_a_json_schema_comes_out_of_the_model(kind: type[Keys]) -> None:
    schema = json.dumps(kind.model_json_schema())
    assert '"additionalProperties": false' in schema


def test_the_json_schema_allows_short_and_long_forms() -> None:
    node = Dataflow.model_json_schema()["$defs"]["Node"]["properties"]
    (forms,) = (value["anyOf"] for value in node["inputs"]["patternProperties"].values())
    assert forms == [{"type": "string"}, {"$ref": "#/$defs/InputOptions"}]
    assert node["shared_memory_pool_size"]["anyOf"][0]["type"] == ["number", "string"]


def test_a_model_does_not_change() -> None:
    node = Node.model_validate({"id": "a", "path": "a.py"})
    with pytest.raises(ValidationError):
        node.id = "b"


def test_a_node_lists_its_own_keys_first() -> None:
    keys = known_keys(Node)
    assert keys[:4] == ["id", "name", "description", "path"]
    assert len(keys) == len(set(keys)) == len(Node.model_fields)


@pytest.mark.parametrize("key", ["strict_types", "exit_when_nodes_finish", "health_check_interval", "env", "deploy"])
def test_a_key_of_the_dataflow_without_a_value_counts_as_not_given(key: str) -> None:
    sink = Sink()
    tree = compose(f"{key}:\nnodes: [{{id: a, path: a.py}}]\n", "f.yml", sink)
    assert tree is not None
    assert read_model(Dataflow, tree, sink) is not None
    assert sink.found == []
