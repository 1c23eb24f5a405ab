"""Real files that dora 1.1 rejects: the old ones are read, the foreign ones named, the faulty ones told.

The corpus stands beside the repository; without it these tests are skipped.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from doraflow.pipeline import Options, check

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "dora"
OLD = re.compile(
    r"unknown field `(custom|communication|_unstable_\w+|envs|run|sources|operators|daemon_config)`"
    r"|env: invalid type: sequence|__dora_env|shared_library"
)

# What is wrong with an old file beside its age, by the codes that tell it: names, ports and sources that were never
# right, and keys that no version of dora has had.
REAL_FAULTS = {"DF103", "DF106", "DF110", "DF202", "DF203", "DF204", "DF205"}
NEVER_A_KEY = {
    "dora-rs__dora-openloong-examples__openloong-dora-workflow__dataflow@50985cb.yml": "edges",
    "dora-rs__dora-openloong-examples__openloong-dora-workflow__test_data@50985cb.yml": "edges",
    "dora-rs__adora__docs__plan-soft-realtime.md__L148.yml": "cpu_affinity",
    "dora-rs__dora__examples__python-dataflow__dataflow@7ae7d6f.yaml": "python",
    "dora-rs__dora__examples__python-dataflow__dataflow@a38dda4.yml": "queue_size",
}

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real dataflows is not beside the repository")


def rows() -> list[dict[str, str]]:
    if not CORPUS.is_dir():
        return []
    with (CORPUS / "MANIFEST.csv").open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["dora_1_1_verdict"] == "reject"]


def told(path: str, severity: str) -> list[tuple[str, str]]:
    made = check(CORPUS / path, Options(check_sources=False))
    return [(found.code, found.message) for found in made.diagnostics() if found.severity == severity]


def errors(path: str) -> list[tuple[str, str]]:
    return told(path, "error")


def is_noted_as_old(path: str) -> bool:
    return "DF113" in [code for code, _ in told(path, "note")]


FOREIGN = ("dora-manager", "adora-fork")


@pytest.mark.parametrize(
    "path", [row["path"] for row in rows() if OLD.search(row["error_line"]) and row["dialect"] not in FOREIGN]
)
def test_an_old_file_is_read_or_faulty_for_another_reason(path: str) -> None:
    found = errors(path)
    unknown = [message for code, message in found if code == "DF101"]
    assert [message for message in unknown if f"`{NEVER_A_KEY.get(path)}`" not in message] == []
    assert {code for code, _ in found} <= REAL_FAULTS | {"DF101"}


def test_most_old_files_are_accepted_with_notes() -> None:
    old = [row["path"] for row in rows() if OLD.search(row["error_line"]) and row["dialect"] not in FOREIGN]
    accepted = [path for path in old if not errors(path)]
    assert len(old) > 130
    assert len(accepted) / len(old) > 0.8
    for path in accepted:
        assert "DF113" in [found.code for found in check(CORPUS / path, Options(check_sources=False)).diagnostics()], (
            path
        )


@pytest.mark.parametrize("row", [row for row in rows() if row["dialect"] in FOREIGN], ids=lambda row: row["path"])
def test_a_foreign_file_gets_one_error_that_names_its_tool(row: dict[str, str]) -> None:
    found = [message for code, message in errors(row["path"]) if code == "DF130"]
    tool = "dora-manager" if row["dialect"] == "dora-manager" else "adora"
    assert len(found) == 1
    assert f"of {tool}" in found[0]


def test_every_other_rejected_file_has_a_reason() -> None:
    """Hub packages cannot be looked up here, and decimal numbers are taken in `env`, which dora refuses."""
    beyond = re.compile(r"not found in the index|package contract|untagged enum EnvValue")
    others = [row for row in rows() if not OLD.search(row["error_line"]) and row["dialect"] not in FOREIGN]
    accepted = [row["path"] for row in others if not beyond.search(row["error_line"]) and not errors(row["path"])]
    assert [path for path in accepted if not is_noted_as_old(path)] == []
