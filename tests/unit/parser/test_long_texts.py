"""Texts of a length that nobody writes, in places where a search once took longer than the text is long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from doraflow_runtime.launcher.environment import expand_path

from doraflow.analysis.path_variables import begins_with_variable
from doraflow.diagnostics import Sink, Span
from doraflow.parser.compose import compose
from doraflow.parser.dialects.modernise import may_be_old
from doraflow.parser.parameters import References, fill_in
from doraflow.parser.suggest import MOST_COMPARED, MOST_STEPS, Choices, nearest
from doraflow.parser.syntax import ScalarNode

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 2.0


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    begin = time.process_time()
    yield
    assert time.process_time() - begin < SECONDS


def test_blank_lines_after_env_are_passed_once() -> None:
    assert not may_be_old("env:" + "\n" * 100_000 + "  A: 1")
    assert may_be_old("env:" + "\n" * 100_000 + "  - A: 1")


def test_a_reference_without_an_end_is_no_reference() -> None:
    text = "${_param." * 50_000
    assert fill_in(text, {"a": "1"}) == text
    assert fill_in(text + "a}", {"a": "1"}) == text.removesuffix("${_param.") + "1"
    found = References({})
    found.add(ScalarNode(text, text, Span("f.yml", 1, 1, 1, 2), plain=True))
    assert found.spans == {}


def test_a_path_of_open_references_is_read_once() -> None:
    assert not begins_with_variable("${HOME:-" * 50_000)
    assert expand_path("${HOME:-" * 50_000, {}) == "${HOME:-" * 50_000


def test_a_name_that_nobody_misspells_is_near_to_nothing() -> None:
    long = "ab" * 200_000
    assert nearest(long, [long + "c", "ab"]) == []
    assert nearest("camra", [long, "camera"]) == ["camera"]
    others = tuple(f"n{number}" for number in range(MOST_COMPARED))
    assert Choices((long, "camera", *others)).near("camra") == ["camera"]


def test_who_misspells_everything_is_told_of_single_edits_only() -> None:
    choices = Choices(tuple(f"{'abcd' * 10}{number}" for number in range(300)))
    assert choices.near("abcd" * 10 + "xy7")[0] == "abcd" * 10 + "7"
    for number in range(MOST_STEPS // (300 * 40 * 40) + 1):
        choices.near(f"{'abcd' * 10}y{number}x")
    assert choices.near("abcd" * 10 + "xy7") == []
    assert choices.near("abcd" * 10 + "x7")[0] == "abcd" * 10 + "7"


def test_a_few_directives_are_read_and_a_mass_of_them_is_told_at_the_first_too_many() -> None:
    few, many = Sink(), Sink()
    directives = "".join(f"%TAG !a{number}! tag:x,2000:\n" for number in range(65))
    assert compose(f"# old\n\n{directives[: directives.rindex('%')]}---\nnodes: []\n", "f.yml", few) is not None
    assert compose(f"# old\n\n{directives}---\nnodes: []\n", "f.yml", many) is None
    assert few.diagnostics() == ()
    (finding,) = many.diagnostics()
    assert finding.message == "more than 64 directives stand before the dataflow, which needs none"
    assert (finding.code, finding.help, str(finding.span)) == (
        "DF004",
        "remove the lines that begin with `%`",
        "f.yml:67:1",
    )
