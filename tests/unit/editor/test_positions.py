"""Places counted as an editor counts them, in every encoding and with every line end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doraflow.diagnostics import Span
from doraflow.editor.positions import UTF_8, UTF_16, UTF_32, Place, Text, edited
from doraflow.parser.text import Lines

TEXTS = st.text(alphabet="ab:\n\r\u2028é😀\x0c", max_size=30)
ENCODINGS = st.sampled_from([UTF_8, UTF_16, UTF_32])


@pytest.mark.parametrize(
    ("encoding", "units"),
    [(UTF_8, 4 + 2 + 1), (UTF_16, 2 + 1 + 1), (UTF_32, 3)],
)
def test_columns_count_code_units(encoding: str, units: int) -> None:
    text = Text("k: v\n😀éx: y\n", encoding)
    assert text.range_of(Span("f", 2, 4, 2, 5)) == ((1, units), (1, units + 1))
    assert text.place((1, units)) == Place(2, 4)


def test_a_position_inside_a_character_is_taken_behind_it() -> None:
    assert Text("😀x", UTF_16).place((0, 1)) == Place(1, 2)


def test_positions_beyond_the_end_are_the_end() -> None:
    text = Text("ab\r\ncd")
    assert [text.offset(position) for position in ((0, 99), (1, 99), (9, 0))] == [2, 6, 6]


def test_a_lone_carriage_return_ends_a_line_for_the_editor_alone() -> None:
    text = Text("a: 1\rb: 2\nc")
    assert text.place((1, 0)) == Place(1, 6)
    assert text.range_of(Span("f", 2, 1, 2, 2)) == ((2, 0), (2, 1))


def test_other_separators_end_no_line() -> None:
    assert Text("a\u2028b\x0cc\nd").place((1, 1)) == Place(2, 2)


def test_a_byte_order_mark_is_no_column() -> None:
    text = Text("\ufeffnodes:")
    assert text.range_of(Span("f", 1, 1, 1, 6)) == ((0, 1), (0, 6))
    assert text.place((0, 1)) == Place(1, 1)


def test_a_span_of_an_older_text_stays_inside() -> None:
    assert Text("ab\nc").range_of(Span("f", 1, 9, 7, 3)) == ((0, 2), (1, 1))


@given(TEXTS, ENCODINGS)
def test_every_offset_has_a_position_that_leads_back(text: str, encoding: str) -> None:
    lines = Text(text, encoding)
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] == "\r\n":
            continue
        assert lines.offset(lines.position(offset)) == offset


@given(TEXTS, ENCODINGS, st.data())
def test_spans_of_the_compiler_are_where_its_text_is(text: str, encoding: str, data: st.DataObject) -> None:
    text = text.removeprefix("\ufeff")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    if any(text[at - 1 : at + 1] == "\r\n" for at in (start, end)):
        return
    lines = Text(text, encoding)
    places = lines.range_of(Lines(text, "f").span(start, end))
    assert tuple(lines.offset(place) for place in places) == (start, end)


def test_edits_are_carried_out_in_their_order() -> None:
    changes = [(((0, 0), (0, 1)), "x😀"), (((0, 3), (0, 4)), "y"), (((0, 4), (0, 4)), "\nz")]
    assert edited("ab", changes) == "x😀y\nz"


def test_an_edit_without_a_range_is_the_whole_text() -> None:
    assert edited("ab", [(None, "new")]) == "new"


@given(TEXTS, TEXTS, st.data())
def test_an_edit_changes_what_it_marks_and_nothing_else(text: str, new: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    if any(text[at - 1 : at + 1] == "\r\n" for at in (start, end)):
        return
    lines = Text(text)
    assert edited(text, [((lines.position(start), lines.position(end)), new)]) == text[:start] + new + text[end:]
