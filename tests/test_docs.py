"""The documentation: what it shows is what happens."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from doraflow.codes import CODES
from tests.commands import doraflow

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)
PAGES += sorted((ROOT / "examples").glob("*/README.md"))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


def test_the_readme_shows_the_hello_example_as_it_is() -> None:
    readme = ROOT / "README.md"
    assert blocks(readme, "yaml") == [(ROOT / "examples/hello/dataflow.yml").read_text()]
    talker, listener = blocks(readme, "python")
    for block, name in ((talker, "talker"), (listener, "listener")):
        script = (ROOT / f"examples/hello/{name}.py").read_text()
        assert script.endswith("\n\n" + block), name


def test_the_readme_shows_a_finding_as_it_is_told(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples/hello", tmp_path / "hello")
    flow = tmp_path / "hello/dataflow.yml"
    flow.write_text(flow.read_text().replace("talker/line", "talker/lines"))
    done = doraflow("check", "hello/dataflow.yml", cwd=tmp_path)
    assert done.returncode == 1
    assert blocks(ROOT / "README.md", "text") == [done.stderr]


def test_the_readme_tests_with_the_command_that_ci_runs() -> None:
    script = (ROOT / ".ci/run").read_text()
    setup, test = re.findall(
        r"(?m)^python3 -m venv \.venv && (.+) && \.venv/bin/(pytest.+)$", (ROOT / "README.md").read_text()
    )[0]
    assert setup.removeprefix(".venv/bin/") in script.replace("--quiet ", "")
    assert test in script


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@functools.cache
def help_of(command: str) -> str:
    done = doraflow(*command.split(), "--help", env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist_with_the_options_that_are_shown(page: Path) -> None:
    for line in "\n".join(blocks(page, "console")).splitlines():
        for command in re.findall(r"(?:^|&& |/)doraflow ((?:keys |new )?\w+)([^&\n]*)", line):
            shown = help_of(command[0])
            for option in re.findall(r"(?<=\s)--?[a-z-]+", command[1]):
                assert option in shown, f"{command[0]} {option}"
            for file in re.findall(r"\S+\.yml", command[1]):
                # The examples of diagnostics name files of their own, and are run by tests/explanations.
                assert page.parent.name == "diagnostics" or (ROOT / file).exists(), file


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_snippets_compile(page: Path) -> None:
    for block in blocks(page, "python"):
        compile(block, str(page), "exec")


@pytest.mark.parametrize("block", blocks(ROOT / "docs/language.md", "yaml"))
def test_the_language_page_shows_dataflows_without_findings(block: str, tmp_path: Path) -> None:
    (tmp_path / "dataflow.yml").write_text(block)
    done = doraflow("check", "dataflow.yml", "--no-sources", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    told = [finding["code"] for finding in json.loads(done.stdout)["diagnostics"] if finding["severity"] != "note"]
    # The page shows what a later version will carry out too.
    assert set(told) <= ({"DF901"} if "communication:" in block else set()), done.stdout


def test_the_page_on_dora_names_modules_and_codes_that_exist() -> None:
    text = (ROOT / "docs/dora-compatibility.md").read_text()
    cells = re.findall(r"`(parser|analysis)/(\w+\.py)`((?:, `\w+\.py`)*)", text)
    files = [f"{folder}/{file}" for folder, first, rest in cells for file in [first, *re.findall(r"`(.+?)`", rest)]]
    assert len(files) > 50
    assert [file for file in files if not (ROOT / "doraflow" / file).is_file()] == []
    assert [code for code in re.findall(r"DF\d{3}", text) if code not in CODES] == []


def test_no_page_names_a_place_of_this_machine() -> None:
    for page in PAGES:
        assert str(ROOT) not in page.read_text()
        assert "/root/" not in page.read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_that_are_shown_can_be_read(page: Path) -> None:
    for block in blocks(page, "json"):
        json.loads(block)
    for block in blocks(page, "toml"):
        tomllib.loads(block)


def test_the_page_of_findings_shows_comments_and_settings_that_work(tmp_path: Path) -> None:
    page = ROOT / "docs/findings.md"
    (tmp_path / ".git").mkdir()
    (tmp_path / "dataflow.yml").write_text(blocks(page, "yaml")[0])
    (tmp_path / "doraflow.toml").write_text(blocks(page, "toml")[0])
    done = doraflow("check", "dataflow.yml", "--no-sources", cwd=tmp_path)
    assert done.stderr == "dataflow.yml: 2 nodes, no findings\n"


def test_design_decisions_are_numbered_one_by_one() -> None:
    pages = sorted((ROOT / "docs" / "design").glob("*.md"))
    assert [page.name.partition("-")[0] for page in pages] == [f"{number:03}" for number in range(1, len(pages) + 1)]
    for number, page in enumerate(pages, 1):
        assert page.read_text().startswith(f"# {number}. ")
