"""Reading files as text."""

from pathlib import Path

import pytest

from doraflow.diagnostics import Sink, Span
from doraflow.parser.text import Lines, read


def outcome(path: Path, largest: int = 1000) -> tuple[str | None, list[tuple[str, str, Span | None]]]:
    sink = Sink()
    text = read(path, "flow.yml", sink, largest)
    return text, [(found.code, found.message, found.span) for found in sink.found]


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "flow.yml"
    path.write_bytes(b"\xef\xbb\xbfnodes: []\r\n")
    assert outcome(path) == ("nodes: []\r\n", [])


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    assert outcome(tmp_path / "absent")[1] == [
        ("DF001", "`flow.yml` cannot be read: there is no such file", None),
    ]
    assert outcome(tmp_path)[1] == [("DF001", "`flow.yml` cannot be read: it is a folder", None)]


@pytest.mark.parametrize(
    ("content", "message", "span"),
    [
        (b"a: b\nc: \xff\n", "byte 0xFF is not UTF-8 text", Span("flow.yml", 2, 4, 2, 5)),
        ("é: ".encode() + b"\xe9", "byte 0xE9 is not UTF-8 text", Span("flow.yml", 1, 4, 1, 5)),
        ("a: b".encode("utf-16"), "`flow.yml` is UTF-16, expected UTF-8", Span("flow.yml", 1, 1, 1, 1)),
    ],
)
def test_text_that_is_not_utf_8_is_refused_at_its_first_bad_byte(
    tmp_path: Path, content: bytes, message: str, span: Span
) -> None:
    path = tmp_path / "flow.yml"
    path.write_bytes(content)
    assert outcome(path) == (None, [("DF002", message, span)])


def test_a_file_above_the_bound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flow.yml"
    path.write_bytes(b"#" * (2**20 + 1))
    assert outcome(path, 2**20)[1] == [
        ("DF003", "`flow.yml` is larger than 1 MiB, the bound for a dataflow file", None),
    ]
    path.write_bytes(b"#" * 2**20)
    assert outcome(path, 2**20)[0] == "#" * 2**20


def test_a_device_that_never_ends_is_refused() -> None:
    assert outcome(Path("/dev/zero"), 2**20)[1][0][0] == "DF003"


def test_offsets_become_lines_and_columns() -> None:
    lines = Lines("ab\ncd\n", "f")
    assert lines.span(0, 2) == Span("f", 1, 1, 1, 3)
    assert lines.span(1, 4) == Span("f", 1, 2, 2, 2)
    assert lines.span(3, 5) == Span("f", 2, 1, 2, 3)
    assert lines.span(6, 9) == Span("f", 3, 1, 3, 1)
    assert lines.line_start(4) == 3
