"""Ignore comments: where they are found, for which line they are, and what is told of malformed ones."""

from __future__ import annotations

import pytest

from doraflow.diagnostics import Sink
from doraflow.policy.comments import ignore_comments


def read(text: str) -> tuple[list[tuple[str, int | None]], list[str]]:
    sink = Sink()
    found = ignore_comments(text, "flow.yml", sink)
    return [(each.code, each.line) for each in found], [f"{item.span}: {item.message}" for item in sink.diagnostics()]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: b  # doraflow: ignore[DF207]\n", [("DF207", 1)]),
        ("a: b  # doraflow: ignore[DF0302]\n", [("DF302", 1)]),
        ("a: b  # doraflow: ignore[DF207, df404]\n", [("DF207", 1), ("DF404", 1)]),
        ("a: b  #doraflow:ignore[DF207] as the viewer is optional\n", [("DF207", 1)]),
        ("a: b  # legacy # doraflow: ignore[DF207]\n", [("DF207", 1)]),
        ("# doraflow: ignore[DF207]\na: b\n", [("DF207", 2)]),
        ("  # doraflow: ignore[DF207]\r\n  # and this\r\na: b\r\n", [("DF207", 3)]),
        ("a: b\n# doraflow: ignore[DF207]\n# doraflow: ignore[DF404]\nc: d\n", [("DF207", 4), ("DF404", 4)]),
        ("# a flow\n\n# doraflow: ignore-file[DF207]\na: b\n", [("DF207", None)]),
        ("a: |  # doraflow: ignore[DF207]\n  # doraflow: ignore[DF404]\n", [("DF207", 1)]),
        ("a: |\n  x\n# doraflow: ignore[DF404]\nb: c\n", [("DF404", 4)]),
        ("a: '# doraflow: ignore[DF207]'\n", []),
        ('a: "x\n  # doraflow: ignore[DF207]\n  y"\n', []),
        ("a: b#doraflow: ignore[DF207]\n", []),
        ("a: [b, # doraflow: ignore[DF207]\n  c]\n", [("DF207", 1)]),
        ("# nothing here\na: b\n", []),
    ],
)
def test_comments_are_found_where_yaml_has_comments(text: str, found: list[tuple[str, int | None]]) -> None:
    assert read(text) == (found, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b # doraflow: ignore\n", "flow.yml:1:6: this comment ignores nothing: it is not in the form that is read"),
        ("# doraflow: ignore[]\n", "flow.yml:1:1: this comment ignores nothing: it is not in the form that is read"),
        (
            "# doraflow: ingore[DF207]\n",
            "flow.yml:1:1: this comment ignores nothing: it is not in the form that is read",
        ),
        (
            "# doraflow: ignore[DF207\n",
            "flow.yml:1:1: this comment ignores nothing: it is not in the form that is read",
        ),
        ("# doraflow: ignore[DF299]\n", "flow.yml:1:20: there is no code `DF299`, so nothing is ignored for it"),
        (
            "a: b\n# doraflow: ignore-file[DF207]\n",
            "flow.yml:2:1: `ignore-file` has no effect here: it is read above the first line that is no comment",
        ),
    ],
)
def test_a_malformed_comment_is_told(text: str, message: str) -> None:
    assert read(text) == ([], [message])


def test_what_stands_before_a_syntax_error_is_read() -> None:
    assert read("a: b # doraflow: ignore[DF207]\nc: [\n") == ([("DF207", 1)], [])


def test_many_comments_on_end_are_read_in_linear_time() -> None:
    text = "# doraflow: ignore[DF207]\n" * 20_000 + "a: b\n"
    found, _ = read(text)
    assert found == [("DF207", 20_001)] * 20_000
