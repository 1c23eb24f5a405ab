"""Real dataflows, and files with one planted fault each, as far as the analysis judges them.

The corpus stands beside the repository; without it these tests are skipped.
"""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from doraflow.analysis.graph import build_graph
from doraflow.analysis.lower import lower
from doraflow.analysis.passes import analyse
from doraflow.analysis.user_types import read_library
from doraflow.diagnostics import Sink
from doraflow.ir import Graph, Timer
from doraflow.parser.load import load

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus"
MANIFEST = "MANIFEST.csv"

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real dataflows is not beside the repository")

# What dora accepts and the analysis refuses, each for a reason.
REFUSED = {
    "dora-rs__dora__tests__fixtures__type-mismatch.yml": "a type conflict is a warning in dora and an error here",
}

# Planted faults that this stage finds, of the corpus' negatives.
NEGATIVES = {
    "02-unknown-output.yml": "DF204",
    "04-duplicate-output.yml": "DF202",
    "07-input-to-own-output.yml": "DF403",
    "08-no-source.yml": "DF404",
    "25-type-conflict.yml": "DF302",
    "31-args-shell-metacharacters.yml": "DF603",
}


def rows(folder: str) -> list[dict[str, str]]:
    manifest = CORPUS / folder / MANIFEST
    if not manifest.is_file():
        return []
    with manifest.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


ACCEPTED = [row["path"] for row in rows("dora") if row["dora_1_1_verdict"] == "accept"]
REJECTED = [row["path"] for row in rows("dora") if row["dora_1_1_verdict"] != "accept"]


def drawn_by_dora() -> dict[str, str]:
    with (CORPUS / "dora" / "EXPECTED.jsonl").open(encoding="utf-8") as stream:
        answers = [json.loads(line) for line in stream]
    return {
        answer["path"]: answer["graph_mermaid"]["stdout"]
        for answer in answers
        if answer.get("graph_mermaid", {}).get("exit") == 0
    }


def analysed(path: Path) -> tuple[Graph | None, list[str]]:
    """Give the graph of a file, and the errors that this stage finds in it."""
    sink = Sink()
    document = load(path, sink)
    if document is None:
        return None, []
    read = len(sink.found)
    graph = build_graph(document, sink)
    assert graph is not None
    graph = analyse(graph, read_library(document.type_files, sink), sink)
    return graph, [f"{finding.code} {finding.message}" for finding in sink.found[read:] if finding.severity == "error"]


@pytest.mark.parametrize("path", ACCEPTED)
def test_what_dora_accepts_has_no_error_and_can_be_lowered(path: str) -> None:
    graph, errors = analysed(CORPUS / "dora" / path)
    if path in REFUSED:
        assert errors
        return
    assert errors == []
    if graph is not None:
        lower(graph)


@pytest.mark.parametrize("path", REJECTED)
def test_what_dora_rejects_is_analysed_as_far_as_it_can_be_read(path: str) -> None:
    graph, _ = analysed(CORPUS / "dora" / path)
    if graph is not None:
        lower(graph)


def edges_of_dora(mermaid: str) -> set[tuple[str, str, str]]:
    """Read the arrows of dora's picture as producer, text without the type in brackets, and consumer."""
    arrows = re.findall(r"^  (\S+) -- (.+) --> (\S+)$", mermaid, re.MULTILINE)
    return {(start, re.sub(r" \[\w+\]", "", text), end) for start, text, end in arrows if not start.startswith("dora/")}


def edges_of(graph: Graph) -> set[tuple[str, str, str]]:
    drawn = set()
    for edge in graph.edges:
        divided = [node.id for node in graph.nodes if node.operators]
        start, output = edge.producer, edge.output
        end, entry = edge.consumer, edge.input
        if start in divided:
            operator, _, output = output.partition("/")
            start = f"{start}/{operator}"
        if end in divided:
            operator, _, entry = entry.partition("/")
            end = f"{end}/{operator}"
        drawn.add((start, output if output == entry else f"{output} as {entry}", end))
    return drawn


def test_the_edges_are_those_that_dora_draws() -> None:
    compared = 0
    for path, mermaid in drawn_by_dora().items():
        graph, _ = analysed(CORPUS / "dora" / path) if path in ACCEPTED else (None, [])
        if graph is not None:
            assert edges_of(graph) == edges_of_dora(mermaid), path
            compared += len(graph.edges)
    assert compared > 1000


@pytest.mark.parametrize(
    "row", [row for row in rows("negatives") if row["path"] in NEGATIVES], ids=lambda row: str(row["path"])
)
def test_a_planted_fault_is_found_once_at_its_place(row: dict[str, str]) -> None:
    sink = Sink()
    document = load(CORPUS / "negatives" / row["path"], sink)
    assert document is not None
    graph = build_graph(document, sink)
    assert graph is not None
    analyse(graph, read_library(document.type_files, sink), sink)
    told = [finding for finding in sink.diagnostics() if finding.severity != "note"]
    assert [(finding.code, finding.severity) for finding in told] == [
        (NEGATIVES[row["path"]], row["expected_severity"])
    ]
    span = told[0].span
    assert span is not None
    assert (str(span.line), str(span.column)) == (row["expected_line"], row["expected_column"])
    assert row["expected_mention"] in told[0].message


def test_every_negative_of_this_stage_is_in_the_corpus() -> None:
    assert {row["path"] for row in rows("negatives")} >= set(NEGATIVES)


def test_timers_are_never_edges() -> None:
    graph, _ = analysed(CORPUS / "dora" / ACCEPTED[0])
    assert graph is not None
    assert any(isinstance(port.source, Timer) for node in graph.nodes for port in node.inputs)
    assert all(edge.producer != "dora" for edge in graph.edges)
