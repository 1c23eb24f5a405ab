"""`doraflow expand` beside dora's own expansion of the same real dataflows: one graph, key by key.

dora writes what the file says, and this writes every default, so both are read back and brought to one form first.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from doraflow.analysis.command_line import split_words
from doraflow.codegen.resolved import resolved_text
from doraflow.diagnostics import Sink, Span
from doraflow.ir import Timer
from doraflow.parser.compose import compose
from doraflow.parser.scalars import resolve
from doraflow.parser.sources import parse_source
from doraflow.parser.syntax import MappingNode, ScalarNode, SequenceNode, SyntaxNode
from doraflow.pipeline import Options, check

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "dora"
PLACE = Span("x.yml", 1, 1, 1, 2)
SIZES = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real dataflows is not beside the repository")

# What dora accepts and this does not, each with the reason.
REFUSED = {
    "dora-rs__dora__tests__fixtures__type-mismatch.yml": "a type conflict is a warning in dora and an error here",
}

AS_WRITTEN = (
    *("path", "hub", "git", "branch", "tag", "rev", "ros2", "path_sha256", "name", "description", "cpu_affinity"),
    *("min_log_level", "max_rotated_files", "send_logs_as", "send_stdout_as", "shared_memory_pool_size"),
    *("restart_delay", "max_restart_delay", "restart_window", "health_check_timeout", "finish_grace_secs", "pattern"),
)
TYPES = ("input_types", "output_types", "output_framing", "output_metadata")

Table = dict[str, Any]


def expansions() -> dict[str, str]:
    """Give what dora printed for `expand`, by file, for the files that it accepts."""
    if not CORPUS.is_dir():
        return {}
    with (CORPUS / "MANIFEST.csv").open(encoding="utf-8", newline="") as stream:
        accepted = {row["path"] for row in csv.DictReader(stream) if row["dora_1_1_verdict"] == "accept"}
    with (CORPUS / "EXPECTED.jsonl").open(encoding="utf-8") as stream:
        answers = [json.loads(line) for line in stream]
    return {
        answer["path"]: answer["expand"]["stdout"]
        for answer in answers
        if answer["path"] in accepted and answer["expand"]["exit"] == 0
    }


THEIRS = expansions()


def read(text: str) -> Table:
    """Read YAML as the compiler does."""
    tree = compose(text, "x.yml", Sink())
    assert tree is not None
    made = plain(tree)
    assert isinstance(made, dict)
    return made


def plain(node: SyntaxNode, key: str = "") -> object:
    if isinstance(node, MappingNode):
        return {entry.key.text: plain(entry.value, "$" if key == "env" else entry.key.text) for entry in node.entries}
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.items]
    return variable(node) if key == "$" else node.value


def variable(node: ScalarNode) -> object:
    """Give a variable's value; dora takes a quoted number for a number, so `"1.0"` is `1` to it."""
    number = resolve(node.text)
    return float(number) if isinstance(number, int | float) and not isinstance(number, bool) else str(node.text)


def source(text: str, sole: dict[str, str]) -> object:
    """Give what an input reads; an output of a node's one operator is named in full."""
    read_source = parse_source(text, PLACE, Sink())
    if isinstance(read_source, Timer):
        return read_source.interval_ns
    node, _, port = text.partition("/")
    return f"{node}/{sole[node]}/{port}" if node in sole and not port.startswith(f"{sole[node]}/") else text


def ports(holder: Table, sole: dict[str, str]) -> Table:
    inputs = {}
    for name, value in (holder.get("inputs") or {}).items():
        options = value if isinstance(value, dict) else {"source": value}
        inputs[name] = (
            source(options["source"], sole),
            options.get("queue_size") or 10,
            options.get("queue_policy") or "drop_oldest",
            options.get("input_timeout"),
        )
    named = {key: holder.get(key) or {} for key in TYPES}
    return {"inputs": inputs, "outputs": sorted(holder.get("outputs") or []), **named}


def operator(body: Table, sole: dict[str, str]) -> Table:
    python = body.get("python")
    python = {"source": python} if isinstance(python, str) else python
    return {
        "id": body.get("id") or "op",
        "python": python and {key: value for key, value in python.items() if value},
        "shared-library": body.get("shared-library"),
        "wasm": body.get("wasm"),
        "build": commands(body),
        **ports(body, sole),
    }


def commands(holder: Table) -> list[str]:
    return [line.strip() for line in (holder.get("build") or "").splitlines() if line.strip()]


def operators(node: Table) -> list[Table]:
    return node.get("operators") or ([node["operator"]] if node.get("operator") else [])


def size(text: object) -> object:
    if not isinstance(text, str):
        return text
    digits = text.rstrip("KMGB")
    return int(digits) * SIZES[text[len(digits) :]]


def form(node: Table, env: Table, sole: dict[str, str]) -> Table:
    """Bring a node to the form that is compared."""
    words = split_words(node.get("args") or "")
    assert words is not None
    deploy = node.get("deploy") or {}
    return {
        **{key: node.get(key) for key in AS_WRITTEN},
        "restart_policy": node.get("restart_policy") or "never",
        "max_restarts": node.get("max_restarts") or 0,
        "max_log_size": size(node.get("max_log_size")),
        "operators": [operator(body, sole) for body in operators(node)],
        "env": {**env, **(node.get("env") or {})},
        "args": [word.text for word in words] if node.get("path") != "shell" else node.get("args"),
        "build": commands(node),
        "machine": deploy.get("machine") or "local",
        "working_dir": deploy.get("working_dir") or ".",
        "labels": deploy.get("labels") or {},
        "distribute": deploy.get("distribute") or "local",
        **ports(node, sole),
    }


def dataflow(text: str) -> Table:
    """Bring a dataflow to the form that is compared."""
    table = read(text)
    sole = {node["id"]: node["operator"].get("id") or "op" for node in table["nodes"] if node.get("operator")}
    env = table.get("env") or {}
    return {
        "health_check_interval": table.get("health_check_interval"),
        "exit_when_nodes_finish": table.get("exit_when_nodes_finish") or False,
        "strict_types": table.get("strict_types") or False,
        "debug": table.get("debug") or {"enable_debug_inspection": False},
        "type_rules": table.get("type_rules") or [],
        "nodes": {node["id"]: form(node, env, sole) for node in table["nodes"]},
    }


@pytest.mark.parametrize("path", THEIRS)
def test_a_dataflow_expands_as_dora_expands_it(path: str) -> None:
    made = check(CORPUS / path, Options(check_sources=False))
    if path in REFUSED:
        assert made.sink.has_errors
        return
    assert made.graph is not None
    assert not made.sink.has_errors
    ours, theirs = dataflow(resolved_text(made.graph)), dataflow(THEIRS[path])
    assert list(ours["nodes"]) == list(theirs["nodes"])
    for name, node in theirs["nodes"].items():
        assert ours["nodes"][name] == node, name
    assert ours == theirs


def test_all_real_dataflows_are_compared() -> None:
    assert len(THEIRS) > 300
    assert set(REFUSED) <= set(THEIRS)
