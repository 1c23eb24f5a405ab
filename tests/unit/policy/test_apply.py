"""Comments and settings at work: what a check tells in the end, and what a build still refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doraflow.explanations.pages import WRONG, page
from doraflow.pipeline import Options, check, generate, plan
from doraflow.policy.gravity import FATAL, JUDGEMENTS

if TYPE_CHECKING:
    from pathlib import Path

    from doraflow.pipeline import Compilation

UNREAD = """nodes:
  - id: camera
    path: camera.py
    inputs: {tick: dora/timer/hz/1}
    outputs: [image, depth]
  - id: viewer
    path: viewer.py
    inputs: {image: camera/image}
"""
MISTYPED = """nodes:
  - id: a
    path: a.py
    inputs: {tick: dora/timer/hz/1}
    outputs: [x]
    output_types: {x: std/media/v1/Image}
  - id: b
    path: a.py
    inputs: {x: a/x}
    input_types: {x: std/core/v1/String}
"""


def checked(folder: Path, text: str, settings: str = "", *, strict: bool = False) -> Compilation:
    (folder / ".git").mkdir(exist_ok=True)
    (folder / "flow.yml").write_text(text)
    if settings:
        (folder / "doraflow.toml").write_text(settings)
    return check(folder / "flow.yml", Options(strict, check_sources=False))


def told(made: Compilation) -> list[str]:
    return [f"{item.severity}[{item.code}]" for item in made.diagnostics()]


def test_a_comment_ignores_a_finding_on_its_line(tmp_path: Path) -> None:
    made = checked(tmp_path, UNREAD.replace("depth]", "depth]  # doraflow: ignore[DF0207]"))
    assert told(made) == []
    assert [(item.diagnostic.code, item.comment.line) for item in made.ignored] == [("DF207", 5)]


def test_a_comment_above_and_one_for_the_file_do_as_well(tmp_path: Path) -> None:
    above = UNREAD.replace("    outputs:", "    # doraflow: ignore[DF207]\n    outputs:")
    assert told(checked(tmp_path, above)) == []
    assert told(checked(tmp_path, "# doraflow: ignore-file[DF207]\n" + UNREAD)) == []


def test_a_comment_that_ignores_nothing_is_told_unless_an_error_hides_findings(tmp_path: Path) -> None:
    idle = UNREAD.replace("camera.py", "camera.py  # doraflow: ignore[DF404]")
    assert told(checked(tmp_path, idle)) == ["warning[DF014]", "note[DF207]"]
    assert told(checked(tmp_path, idle.replace("hz/1", "hz/x"))) == ["error[DF107]", "note[DF207]"]


def test_a_comment_about_sources_is_not_idle_where_they_are_not_looked_for(tmp_path: Path) -> None:
    quiet = UNREAD.replace("camera.py", "camera.py  # doraflow: ignore[DF601]")
    assert told(checked(tmp_path, quiet)) == ["note[DF207]"]


def test_an_error_that_leaves_no_bundle_cannot_be_ignored(tmp_path: Path) -> None:
    made = checked(tmp_path, UNREAD.replace("hz/1}", "hz/x}  # doraflow: ignore[DF107]"))
    assert told(made) == ["error[DF107]", "warning[DF015]", "note[DF207]"]


def test_a_judgement_can_be_ignored_and_the_bundle_is_made(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    made = checked(tmp_path, MISTYPED.replace("String}", "String}  # doraflow: ignore[DF302]"))
    assert told(made) == []
    assert plan(made) is not None
    assert generate(made) is not None


@pytest.mark.parametrize(
    ("settings", "strict", "expected"),
    [
        ("", False, ["note[DF207]"]),
        ('severity = {DF207 = "off"}', False, []),
        ('severity = {DF207 = "warning"}', False, ["warning[DF207]"]),
        ('severity = {DF207 = "error"}', False, ["error[DF207]"]),
        ('strict = true\nseverity = {DF207 = "warning"}', False, ["error[DF207]"]),
        ('strict = false\nseverity = {DF207 = "warning"}', True, ["error[DF207]"]),
        ("strict = true", False, ["note[DF207]"]),
    ],
)
def test_settings_say_how_grave_findings_are(tmp_path: Path, settings: str, strict: bool, expected: list[str]) -> None:
    made = checked(tmp_path, UNREAD, settings, strict=strict)
    assert told(made) == expected
    assert made.sink.has_errors is any(item.startswith("error") for item in expected)


def test_a_judgement_can_be_made_a_note_also_under_strict(tmp_path: Path) -> None:
    assert told(checked(tmp_path, MISTYPED, 'severity = {DF302 = "note"}', strict=True)) == ["note[DF302]"]


def test_an_error_that_leaves_no_bundle_is_told_in_spite_of_the_settings(tmp_path: Path) -> None:
    made = checked(tmp_path, UNREAD.replace("hz/1", "hz/x"), 'severity = {DF107 = "off"}')
    assert sorted(told(made)) == ["error[DF025]", "error[DF107]", "note[DF207]"]


def test_what_cannot_be_run_is_refused_by_a_build_even_if_a_check_is_silent(tmp_path: Path) -> None:
    url = "nodes:\n  - id: a\n    path: https://host/a\n    inputs: {tick: dora/timer/hz/1}\n"
    for text, settings in (
        (url.replace("id: a", "id: a  # doraflow: ignore[DF902]"), ""),
        (url, 'severity = {DF902 = "off"}'),
    ):
        made = checked(tmp_path, text, settings)
        assert told(made) == []
        assert plan(made) is None
        assert told(made) == ["error[DF902]"]


def test_no_code_is_both_fatal_and_a_judgement() -> None:
    assert frozenset() == FATAL & JUDGEMENTS


@pytest.mark.parametrize("code", sorted(FATAL))
def test_a_fatal_code_is_an_error_wherever_it_is_shown(code: str) -> None:
    shown = page(code)
    assert shown is not None
    assert f"error[{code}]" in shown.body


@pytest.mark.parametrize("code", sorted(JUDGEMENTS))
def test_a_bundle_can_be_made_in_spite_of_a_judgement(code: str, tmp_path: Path) -> None:
    shown = page(code)
    assert shown is not None
    (tmp_path / ".git").mkdir()
    for name, text in shown.example(WRONG).files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "doraflow.toml").write_text(f'severity = {{{code} = "off"}}')
    made = check(tmp_path / "dataflow.yml", Options(check_sources=False))
    assert told(made) == []
    for node in made.graph.nodes if made.graph else ():
        if node.path:
            (tmp_path / node.path).touch()
    assert plan(made) is not None
    assert generate(made) is not None
