"""The explanation pages: every code has one, every example does what the page says, and docs/ shows the same."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from pathlib import Path

import pytest

from doraflow.codes import CODES
from doraflow.explanations.pages import KEYS, RIGHT, WRONG, page
from tests.commands import doraflow

ROOT = Path(__file__).resolve().parents[2]
_SPEC = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs/generate.py")
assert _SPEC is not None
assert _SPEC.loader is not None
generate = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = generate
_SPEC.loader.exec_module(generate)

PAGES = {code: found for code in CODES if (found := page(code)) is not None}
NOT_RUN = [code for code, told in PAGES.items() if "not-run" in told.settings]
RUN = [code for code in PAGES if code not in NOT_RUN]


def run(command: str, folder: str) -> str:
    """Run a command of an example: as `doit docs` does, but quicker."""
    program, *words = shlex.split(command)
    if program != "doraflow" or words[0] == "check":
        return str(generate.run_command(command, folder))
    return doraflow(*words, cwd=Path(folder), env=generate.surroundings(folder), timeout=60.0).stderr


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_page(code: str) -> None:
    assert code in PAGES, f"{code} has no page: write doraflow/explanations/{code}.md, the format is in CONTRIBUTING.md"


def test_every_page_is_of_a_code() -> None:
    files = sorted((ROOT / "doraflow/explanations").glob("*.md"))
    assert [file.stem for file in files if file.stem not in CODES] == []


@pytest.mark.parametrize("code", PAGES)
def test_a_page_tells_the_meaning_the_reason_and_both_examples(code: str) -> None:
    told = PAGES[code]
    assert set(told.settings) <= set(KEYS), f"front matter knows {KEYS}"
    assert len(told.summary) > 40, "the text before the first heading tells what the code means"
    for heading in ("Why it matters", WRONG, RIGHT):
        assert told.section(heading).strip(), f"{code}.md lacks `## {heading}`"
    assert told.example(WRONG).printed, "run `doit docs`: it writes what the wrong example prints"


@pytest.mark.parametrize("code", RUN)
def test_the_wrong_example_gives_this_code_alone_and_as_printed(code: str) -> None:
    told = PAGES[code]
    said = generate.act(told, WRONG, run)
    besides = told.settings.get("also", "").split()
    assert sorted(generate.codes(said)) == sorted([code, *besides]), said
    assert said == told.example(WRONG).printed, "a message has changed: run `doit docs` and review the difference"


@pytest.mark.parametrize("code", RUN)
def test_the_right_example_is_free_of_this_code_and_of_errors(code: str) -> None:
    said = generate.act(PAGES[code], RIGHT, run)
    assert code not in generate.codes(said), said
    assert "error[" not in said


@pytest.mark.parametrize("code", NOT_RUN)
def test_a_page_whose_example_is_not_run_says_where_the_code_is_raised(code: str) -> None:
    settings = PAGES[code].settings
    file, _, words = settings["said-in"].partition(" ")
    text = (ROOT / file).read_text()
    assert f'"{code}"' in text, f"{file} does not raise {code}"
    assert words in text, f"{file} does not say `{words}`"
    assert words in PAGES[code].example(WRONG).printed


def test_docs_has_every_page_and_no_other() -> None:
    wanted = generate.pages()
    found = {path: path.read_text() for path in (ROOT / "docs/diagnostics").glob("*.md")}
    assert sorted(found) == sorted(wanted), "run `doit docs`"
    assert [path.name for path in wanted if found[path] != wanted[path]] == [], "run `doit docs`"
    assert all(f"[{code}]({code}.md)" in wanted[generate.DIAGNOSTICS / "index.md"] for code in PAGES)
