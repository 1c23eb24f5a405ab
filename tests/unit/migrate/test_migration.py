"""Old files rewritten: the exact text, the same meaning, nothing lost, on small cases and on real files."""

from __future__ import annotations

import csv
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from doraflow.diagnostics import Sink
from doraflow.ir import serialize
from doraflow.migrate import round_trip
from doraflow.migrate.migration import Migration, migrate
from doraflow.pipeline import Options, check

DATA = Path(__file__).parents[2] / "data" / "dialects"
CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "dora"

NODE = "nodes:\n  - id: a\n    "


def migrated(text: str) -> Migration:
    found = migrate(text, "f.yml", Sink())
    assert found is not None
    return found


@pytest.mark.parametrize("case", sorted(path.name for path in DATA.iterdir()))
def test_comments_order_and_quotes_are_kept(case: str) -> None:
    assert migrated((DATA / case / "old.yml").read_text()).text == (DATA / case / "modern.yml").read_text()


@pytest.mark.parametrize("case", sorted(path.name for path in DATA.iterdir()))
def test_a_modern_file_stays_as_it_is(case: str) -> None:
    text = (DATA / case / "modern.yml").read_text()
    assert migrated(text) == Migration(text)


TEXTS = {
    NODE + "custom: !!map {source: a}\n": NODE + "path: a\n",
    NODE + "? custom\n    : source: a\n": NODE + "path: a\n",
    NODE + "custom:\n        source: |\n          a\n        args: >-\n          -x\n          -y\n": NODE
    + "path: |\n        a\n    args: >-\n        -x\n        -y\n",
    "%YAML 1.2\n---\n" + NODE + "custom: {source: a}\n": "%YAML 1.2\n---\n" + NODE + "path: a\n",
    "\ufeff" + NODE.replace("\n", "\r\n") + "custom: {source: a}\r\n": "\ufeff"
    + NODE.replace("\n", "\r\n")
    + "path: a\r\n",
    NODE + "custom: {source: a}": NODE + "path: a",
    NODE + "custom: {run: 'a: b # c'}\n": NODE + "path: 'a:'\n    args: 'b # c'\n",
    NODE + "custom:\n    # only\n      source: a\n    # after\n": NODE + "# only\n    path: a\n    # after\n",
    NODE + "custom: &x {source: a}\n  - id: b\n    custom: *x\n    args: 010\n": NODE
    + "path: a\n  - id: b\n    path: a\n    args: 010\n",
    NODE + "path: x\n    env:\n      A:\n        __dora_env: B # why\n\n      C: True\n": NODE
    + "path: x\n    env:\n      A: $B # why\n\n      C: True\n",
    NODE + "custom: {}\n": NODE.rstrip(" "),
    "{nodes: [{id: a, custom: {source: b}}]}\n": "{nodes: [{id: a, path: b}]}\n",
    NODE + "path: a\n    inputs: {t: adora/timer/secs/1}\n": NODE + "path: a\n    inputs: {t: dora/timer/secs/1}\n",
}


@pytest.mark.parametrize("old", TEXTS)
def test_odd_layouts_are_rewritten_too(old: str) -> None:
    assert migrated(old).text == TEXTS[old]


def test_each_construct_is_counted() -> None:
    nodes = "".join(f"  - {{id: n{number}, custom: {{source: a}}}}\n" for number in range(3))
    assert migrated(f"daemon_config: x\nnodes:\n{nodes}").constructs == (
        ("`daemon_config` in this form is of no use any more: the links are chosen when the dataflow is built", 1),
        ("`custom` is an old spelling: the keys of a node stand in the node itself", 3),
    )


@pytest.mark.parametrize(
    ("text", "code"), [("nodes: [\n", "DF004"), ("nodes:\n  - {id: a, node: timer, config: {}}\n", "DF130")]
)
def test_what_cannot_be_rewritten_is_told(text: str, code: str) -> None:
    sink = Sink()
    assert migrate(text, "f.yml", sink) is None
    assert [found.code for found in sink.found] == [code]


@pytest.mark.parametrize("result", [None, "nodes: []\n", "nodes: [\n", NODE + "path: b\n"])
def test_a_text_that_means_something_else_is_never_given(result: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(round_trip, "rewritten", lambda *_: result)
    sink = Sink()
    assert migrate(NODE + "custom: {source: a}\n", "f.yml", sink) is None
    assert [(found.code, str(found.span)) for found in sink.found] == [("DF131", "f.yml:3:5")]


@pytest.mark.parametrize("profile", ["robot", "bench"])
def test_a_profile_of_an_old_file_means_the_same(profile: str, tmp_path: Path) -> None:
    graphs = []
    for name in ("old", "modern"):
        file = tmp_path / name / "flow.yml"
        file.parent.mkdir()
        file.write_text((DATA / "profiles" / f"{name}.yml").read_text())
        made = check(file, Options(check_sources=False, profile=profile))
        assert not made.sink.has_errors
        assert made.graph is not None
        graphs.append(serialize(made.graph))
    assert graphs[0] == graphs[1]
    assert "camera" in graphs[0]


@cache
def old_files() -> dict[str, Migration]:
    if not CORPUS.is_dir():
        return {}
    with (CORPUS / "MANIFEST.csv").open(encoding="utf-8", newline="") as stream:
        paths = [row["path"] for row in csv.DictReader(stream)]
    found = {path: migrate((CORPUS / path).read_bytes().decode(), path, Sink()) for path in paths}
    return {path: each for path, each in found.items() if each is not None and each.constructs}


needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpus of real dataflows is not beside the repository"
)


@needs_corpus
def test_no_comment_of_a_real_file_is_lost() -> None:
    def comments(text: str) -> Counter[str]:
        return Counter(line.partition("#")[2].strip() for line in text.splitlines() if "#" in line)

    assert len(old_files()) > 150
    for path, found in old_files().items():
        assert comments((CORPUS / path).read_bytes().decode()) == comments(found.text), path


@needs_corpus
def test_a_real_file_means_the_same_and_has_the_same_findings(tmp_path: Path) -> None:
    for path, found in old_files().items():
        fresh = tmp_path / Path(path).name
        fresh.write_text(found.text, encoding="utf-8", newline="")
        before, after = check(CORPUS / path, Options(check_sources=False)), check(fresh, Options(check_sources=False))
        kept = Counter(each.message for each in before.diagnostics() if each.code not in ("DF113", "DF130"))
        assert Counter(each.message for each in after.diagnostics()) == kept, path
        if before.graph is not None:
            assert after.graph is not None
            assert _without_name(serialize(after.graph)) == _without_name(serialize(before.graph)), path
        assert migrate(found.text, path, Sink()) == Migration(found.text), path


def _without_name(text: str) -> str:
    return text.partition("\n")[2]
