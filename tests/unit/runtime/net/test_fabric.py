"""The parts of the zenoh transport by themselves: names of keys, the mailbox, the writer, a line and its tokens."""

from __future__ import annotations

import doctest
import threading
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("zenoh", reason="eclipse-zenoh is not installed")

from doraflow_runtime.contract import Fabric
from doraflow_runtime.net.fabric import keys
from doraflow_runtime.net.fabric.line import TAG_BYTES, ZenohLine
from doraflow_runtime.net.fabric.mailbox import Mailbox
from doraflow_runtime.net.fabric.session import configuration
from doraflow_runtime.net.fabric.writer import Letter, Room, Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE = 30


def test_the_examples_hold() -> None:
    assert doctest.testmod(keys).failed == 0


def test_a_mailbox_rings_once_until_it_is_empty_and_takes_no_more_than_it_has_room_for() -> None:
    rings: list[int] = []
    box: Mailbox[int] = Mailbox(lambda: rings.append(1), 2)
    assert [box.post(number) for number in range(3)] == [True, True, False]
    assert (len(rings), box.take(), box.take(), box.take()) == (1, 0, 1, None)
    assert box.post(4)
    assert len(rings) == 2


def letter(number: int) -> Letter:
    return Letter(bytes([number]), b"")


def test_a_writer_puts_in_order_and_ends_after_what_waits() -> None:
    put: list[Letter] = []
    writer = Writer(put.append)
    for number in range(100):
        writer.write(letter(number))
    writer.close()
    writer.write(letter(0))
    writer.join(PATIENCE)
    assert put == [letter(number) for number in range(100)]


def test_a_writer_outlives_a_put_that_meets_a_publisher_which_is_just_undeclared() -> None:
    put: list[Letter] = []

    def refuse_once(each: Letter) -> None:
        if not put:
            put.append(letter(9))
            raise RuntimeError("Already mutably borrowed")
        put.append(each)

    writer = Writer(refuse_once)
    for number in range(2):
        writer.write(letter(number))
    writer.close()
    writer.join(PATIENCE)
    assert put == [letter(9), letter(1)]


def test_a_writer_that_is_held_up_keeps_the_newest_and_is_not_waited_for() -> None:
    is_putting, may_go_on = threading.Event(), threading.Event()
    put: list[Letter] = []

    def hold(each: Letter) -> None:
        is_putting.set()
        may_go_on.wait(PATIENCE)
        put.append(each)

    writer = Writer(hold, room=Room(2, 1000))
    writer.write(letter(0))
    assert is_putting.wait(PATIENCE)
    assert [writer.write(letter(number)) for number in range(1, 6)] == [0, 0, 1, 1, 1]
    writer.close()
    writer.join(0.01)  # what is not put by then is dropped
    may_go_on.set()
    writer.join(PATIENCE)
    assert put == [letter(0)]


@pytest.mark.parametrize(
    ("sizes", "dropped", "put"),
    [
        ([40, 40, 20], [0, 0, 0], [40, 40, 20]),
        ([40, 40, 21], [0, 0, 1], [40, 21]),
        ([40, 40, 100], [0, 0, 2], [100]),
        ([101, 102, 3], [0, 1, 1], [3]),
    ],
)
def test_a_writer_that_is_held_up_keeps_so_many_bytes_or_one_letter(
    sizes: list[int], dropped: list[int], put: list[int]
) -> None:
    is_putting, may_go_on = threading.Event(), threading.Event()
    seen: list[int] = []

    def hold(each: Letter) -> None:
        is_putting.set()
        may_go_on.wait(PATIENCE)
        seen.append(len(each.payload))

    writer = Writer(hold, room=Room(16, 100))
    writer.write(letter(0))
    assert is_putting.wait(PATIENCE)
    assert [writer.write(Letter(bytes(size), b"")) for size in sizes] == dropped
    may_go_on.set()
    writer.close()
    writer.join(PATIENCE)
    assert seen == [1, *put]


def test_a_writer_reminds_of_an_answer_that_does_not_come() -> None:
    reminded = threading.Event()
    writer = Writer(lambda each: None, remind=reminded.set)
    writer.write(letter(0))
    writer.expect(0.01)
    assert reminded.wait(PATIENCE)
    writer.close()
    writer.join(PATIENCE)


def test_sessions_leave_no_shared_memory_behind_a_node_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "zenoh.json5").write_text("{transport: {shared_memory: {enabled: true}}}")
    for config in ("", "zenoh.json5"):
        made = configuration(Fabric(mode="peer", config=config), tmp_path)
        assert made.get_json("transport/shared_memory/enabled") == "false"


class NoSession:
    """In the place of a session: one that is never open."""

    def when_open(self, act: Callable[[object], None]) -> None:
        """Never do it."""


def test_every_process_of_the_reader_and_every_silence_begins_a_new_connection() -> None:
    line = ZenohLine(NoSession(), ("flow", "a", "b"), b"12345678", lambda: None)  # type: ignore[arg-type]
    sent: list[Letter] = []
    line.writer.write = sent.append  # type: ignore[method-assign]
    assert list(line.news()) == []
    line.put(b"to nobody")
    for change, news in (
        (("one", "here"), ["up"]),
        (("one", "silent"), ["cut", "up"]),
        (("two", "here"), ["cut", "up"]),
        (("one", "gone"), []),
        (("one", "silent"), []),
        (("two", "gone"), ["cut"]),
        (("two", "here"), ["up"]),
    ):
        line._changes.post(change)  # type: ignore[arg-type]
        assert list(line.news()) == news
        line.put(b"x", b"beside")
    numbers = [each.attachment[8:TAG_BYTES] for each in sent]
    assert numbers == [number.to_bytes(4, "little") for number in (1, 2, 3, 3, 3, 4)]
    assert {each.payload for each in sent} == {b"beside"}
    assert {each.attachment[TAG_BYTES:] for each in sent} == {b"x"}


def test_the_old_process_of_a_reader_may_go_after_its_new_one_has_come() -> None:
    line = ZenohLine(NoSession(), ("flow", "a", "b"), b"12345678", lambda: None)  # type: ignore[arg-type]
    for change, news in (
        (("new", "here"), ["up"]),
        (("old", "here"), ["cut", "up"]),
        (("old", "gone"), ["cut", "up"]),
        (("new", "silent"), ["cut", "up"]),
        (("new", "gone"), ["cut"]),
    ):
        line._changes.post(change)  # type: ignore[arg-type]
        assert list(line.news()) == news


def test_answers_on_an_earlier_connection_are_passed_over_and_those_before_an_end_come_first() -> None:
    line = ZenohLine(NoSession(), ("flow", "a", "b"), b"12345678", lambda: None)  # type: ignore[arg-type]
    line._changes.post(("one", "here"))
    assert list(line.news()) == ["up"]
    line._answers.post((b"12345678\x00\x00\x00\x00", b"old"))
    line._answers.post((b"12345678\x01\x00\x00\x00", b"new"))
    line._changes.post(("one", "gone"))
    assert list(line.news()) == []
    assert (line.receive(), line.receive()) == (b"new", None)
    assert list(line.news()) == ["cut"]
