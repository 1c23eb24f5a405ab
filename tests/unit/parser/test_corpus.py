"""Real dataflows, and files with one planted fault each, as far as the parser judges them.

The corpus stands beside the repository; without it these tests are skipped.
"""

import csv
import json
from functools import cache
from pathlib import Path

import pytest

from doraflow.diagnostics import Severity, Sink, Span
from doraflow.parser.load import load
from doraflow.parser.sources import parse_source
from doraflow.parser.wiring import source_span

CORPUS = Path(__file__).parents[4] / "shared" / "corpus"

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real dataflows is not beside the repository")

# Faults that other stages find: names, types, loops, sources.
OTHER_STAGES = {
    "02-unknown-output.yml",
    "04-duplicate-output.yml",
    "07-input-to-own-output.yml",
    "08-no-source.yml",
    "23-absolute-path-traversal.yml",
    "25-type-conflict.yml",
    "31-args-shell-metacharacters.yml",
}


@cache
def rows(folder: str) -> list[dict[str, str]]:
    manifest = CORPUS / folder / "MANIFEST.csv"
    if not manifest.is_file():
        return []
    with manifest.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@cache
def accepted_by_dora() -> frozenset[str]:
    with (CORPUS / "dora" / "EXPECTED.jsonl").open(encoding="utf-8") as stream:
        answers = [json.loads(line) for line in stream]
    return frozenset(answer["path"] for answer in answers if answer["validate"]["exit"] == 0)


def errors(path: Path) -> list[str]:
    """Load a file and read the sources of its inputs, as the next stage does."""
    sink = Sink()
    document = load(path, sink)
    for declared in document.nodes if document is not None else ():
        operators = [declared.node.operator, *(declared.node.operators or ())]
        for holder in (declared.node, *(operator for operator in operators if operator is not None)):
            for options in holder.inputs.values():
                parse_source(options.source, declared.syntax.span, sink)
    assert document is not None or sink.has_errors
    return [f"{found.span}: {found.message}" for found in sink.found if found.severity is Severity.ERROR]


def test_every_real_dataflow_is_loaded_or_refused_with_a_place() -> None:
    for row in rows("dora"):
        sink = Sink()
        load(CORPUS / "dora" / row["path"], sink)
        for found in sink.found:
            assert isinstance(found.span, Span), row["path"]


def test_what_dora_accepts_is_accepted() -> None:
    refused = {path: errors(CORPUS / "dora" / path) for path in sorted(accepted_by_dora())}
    assert {path: found for path, found in refused.items() if found} == {}
    assert len(refused) > 350


@pytest.mark.parametrize(
    "row", [row for row in rows("negatives") if row["path"] not in OTHER_STAGES], ids=lambda row: row["path"]
)
def test_a_planted_fault_is_found_at_its_place(row: dict[str, str]) -> None:
    sink = Sink()
    document = load(CORPUS / "negatives" / row["path"], sink)
    if row["path"].startswith(("11-", "12-")):
        assert document is not None
        source = document.nodes[0].node.inputs["tick"].source
        parse_source(source, source_span(document.nodes[0].syntax, "tick"), sink)
    [found] = sink.diagnostics()
    assert found.span is not None
    assert (found.severity, found.span.line, found.span.column) == (
        row["expected_severity"],
        int(row["expected_line"]),
        int(row["expected_column"]),
    )
    assert row["expected_mention"] in found.message


@pytest.mark.parametrize("path", sorted(OTHER_STAGES))
def test_a_fault_of_a_later_stage_is_none_of_the_parser(path: str) -> None:
    assert errors(CORPUS / "negatives" / path) == []


def test_the_corpus_is_whole() -> None:
    assert len(rows("dora")) > 600
    assert len(rows("negatives")) == 32
