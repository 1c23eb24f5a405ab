"""The sink: what it keeps, what it counts, and the order in which it gives findings."""

from __future__ import annotations

from doraflow.diagnostics import MOST_OF_A_KIND, Severity, Sink, Span


def place(line: int) -> Span:
    return Span("flow.yml", line, 1, line, 2)


def test_of_one_kind_the_first_are_kept_and_the_others_counted() -> None:
    sink = Sink()
    for line in range(1, MOST_OF_A_KIND + 4):
        sink.error("DF203", f"fault {line}", place(line))
    found = sink.diagnostics()
    assert len(found) == MOST_OF_A_KIND
    assert found[-1].message == f"fault {MOST_OF_A_KIND}"
    assert found[-1].notes == ("and at least 3 more `DF203` like this",)
    assert all(not each.notes for each in found[:-1])


def test_many_warnings_of_a_code_leave_room_for_its_errors() -> None:
    sink = Sink()
    for line in range(1, MOST_OF_A_KIND + 2):
        sink.warning("DF203", "a warning", place(line))
    sink.error("DF203", "an error", place(1))
    assert sink.has_errors
    assert sink.left_out == {("DF203", Severity.WARNING): 1}


def test_what_another_sink_left_out_is_counted() -> None:
    sink, other = Sink(), Sink()
    sink.note("DF207", "a note", place(1))
    other.leave_out("DF207", Severity.NOTE, 7)
    sink.take_over(other)
    assert sink.diagnostics()[0].notes == ("and at least 7 more `DF207` like this",)
