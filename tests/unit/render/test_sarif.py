"""Diagnostics as SARIF: valid by the official schema, and every property where the standard wants it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from doraflow.diagnostics import Diagnostic, Label, Severity, Span
from doraflow.pipeline import Options, check
from doraflow.policy.apply import Ignored
from doraflow.render import render_sarif
from doraflow.render.sarif import artifact_uri

FILE = "perception.yml"
FINDING = Diagnostic(
    "DF204",
    Severity.ERROR,
    "`camera` has no output `imgae`",
    Span(FILE, 6, 14, 6, 26),
    label="read by `detector`",
    related=(Label(Span(FILE, 2, 9, 2, 15), "declares `image`"),),
    notes=("a note",),
    help="to read the closest output, write `camera/image`",
    replacement="camera/image",
)
SCHEMA = json.loads((Path(__file__).parents[2] / "data/sarif-schema-2.1.0.json").read_text())
NEGATIVES = Path(__file__).resolve().parents[4] / "shared/corpus/negatives"
FOLDER = Path("/work")


def log_of(*findings: Diagnostic, ignored: tuple[Ignored, ...] = ()) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(render_sarif(findings, ignored, folder=FOLDER))
    jsonschema.validate(log, SCHEMA, jsonschema.Draft4Validator)
    return log


def run_of(*findings: Diagnostic, ignored: tuple[Ignored, ...] = ()) -> dict[str, Any]:
    (run,) = log_of(*findings, ignored=ignored)["runs"]
    assert isinstance(run, dict)
    return run


def test_the_schema_can_refuse() -> None:
    log = log_of(FINDING)
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(log, SCHEMA, jsonschema.Draft4Validator)


def test_a_result_has_its_rule_place_related_places_and_fix() -> None:
    artifact = {"uri": "perception.yml", "index": 0}
    region = {"startLine": 6, "startColumn": 14, "endLine": 6, "endColumn": 26}
    assert run_of(FINDING)["results"] == [
        {
            "ruleId": "DF204",
            "ruleIndex": 0,
            "level": "error",
            "message": {
                "text": "`camera` has no output `imgae`\n\nnote: a note"
                "\n\nhint: to read the closest output, write `camera/image`"
            },
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": artifact, "region": region},
                    "message": {"text": "read by `detector`"},
                }
            ],
            "relatedLocations": [
                {
                    "id": 0,
                    "physicalLocation": {
                        "artifactLocation": artifact,
                        "region": {"startLine": 2, "startColumn": 9, "endLine": 2, "endColumn": 15},
                    },
                    "message": {"text": "declares `image`"},
                }
            ],
            "fixes": [
                {
                    "description": {"text": "to read the closest output, write `camera/image`"},
                    "artifactChanges": [
                        {
                            "artifactLocation": artifact,
                            "replacements": [{"deletedRegion": region, "insertedContent": {"text": "camera/image"}}],
                        }
                    ],
                }
            ],
        }
    ]


def test_rules_are_told_once_with_their_page() -> None:
    run = run_of(FINDING, FINDING)
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["id"] == "DF204"
    assert rule["shortDescription"] == {"text": "an unknown output"}
    assert rule["fullDescription"]["text"].startswith("An input names a node that exists")
    assert "## Why it matters" in rule["help"]["markdown"]
    assert rule["properties"] == {"page": "docs/diagnostics/DF204.md"}
    assert [result["ruleIndex"] for result in run["results"]] == [0, 0]


def test_columns_are_said_to_count_characters_and_not_utf_16() -> None:
    assert run_of()["columnKind"] == "unicodeCodePoints"


@pytest.mark.parametrize(
    ("severity", "level"), [(Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.NOTE, "note")]
)
def test_levels_are_the_severities(severity: Severity, level: str) -> None:
    (result,) = run_of(Diagnostic("DF701", severity, "m"))["results"]
    assert result["level"] == level
    assert "locations" not in result


def test_an_ignored_finding_is_there_as_suppressed_in_the_source() -> None:
    run = run_of(ignored=(Ignored(FINDING, Span(FILE, 6, 30, 6, 50)),))
    (result,) = run["results"]
    (suppression,) = result["suppressions"]
    assert suppression["kind"] == "inSource"
    assert suppression["location"]["physicalLocation"]["region"]["startColumn"] == 30


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("flow.yml", "flow.yml"),
        ("./my flows/a#b?.yml", "my%20flows/a%23b%3F.yml"),
        ("a:b.yml", "a%3Ab.yml"),
        ("../flow.yml", "../flow.yml"),
        ("/work/sub/flow.yml", "sub/flow.yml"),
        ("/other/flow.yml", "file:///other/flow.yml"),
        ("日本.yml", "%E6%97%A5%E6%9C%AC.yml"),
        ("\udcff.yml", "%FF.yml"),
    ],
)
def test_files_are_relative_uris_and_percent_encoded(file: str, uri: str) -> None:
    assert artifact_uri(file, FOLDER) == uri


def test_what_sarif_reads_as_a_placeholder_or_a_link_is_escaped() -> None:
    (result,) = run_of(Diagnostic("DF103", Severity.ERROR, "`{x}` and `[a](b)` and `[c]`"))["results"]
    assert result["message"]["text"] == "`{{x}}` and `\\[a](b)` and `[c]`"


@pytest.mark.skipif(not NEGATIVES.is_dir(), reason="the corpus of faulty dataflows is not beside the repository")
def test_logs_of_real_findings_are_valid() -> None:
    files = [*sorted(NEGATIVES.glob("*.yml")), *sorted(NEGATIVES.glob("*/dataflow.yml"))]
    assert files
    for file in files:
        assert log_of(*check(file, Options(check_sources=False)).diagnostics())["runs"][0]["results"]
