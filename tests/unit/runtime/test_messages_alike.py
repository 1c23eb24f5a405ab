"""Messages that are like the one before, and messages that are not: each event is of its own message alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from conftest import Run

SMALL, LARGE = 3, 5000


def arrays() -> list[pa.Array]:
    """Runs of one shape, then another shape, type or place; some lie in slots."""
    made = []
    for number in range(60):
        length = LARGE if number % 20 >= 12 else SMALL + number % 20 // 8
        kind = pa.int16() if number % 10 < 7 else pa.float64()
        made.append(pa.array([number] * length, kind))
    made += [pa.array([], pa.int16()), pa.array([1, None], pa.int16()), pa.array(["a"]), pa.array([True, False])]
    return made


def test_each_event_has_its_own_values_for_as_long_as_it_is_kept(run: Run) -> None:
    run.pair(200)
    a, b = run.join("a", "b")
    kept = []
    for number, array in enumerate(arrays()):
        a.send_output("out", array, {"number": number} if number % 3 else None)
        event = b.next(5)
        assert event is not None
        kept.append(event)
    for number, (event, array) in enumerate(zip(kept, arrays(), strict=True)):
        assert (event.type, event.id) == ("INPUT", "in")
        assert event.value is not None
        event.value.validate(full=True)
        assert event.value.equals(array)
        assert event.metadata.parameters == ({"number": number} if number % 3 else {})
    moments = [event.metadata.sent_ns for event in kept]
    assert moments == sorted(moments)
    assert len(set(moments)) > 1


def test_messages_that_are_let_go_at_once_lie_in_a_few_slots(run: Run) -> None:
    run.pair()
    a, b = run.join("a", "b")
    places = set()
    for number in range(40):
        a.send_output("out", pa.array([number] * LARGE, pa.int16()))
        event = b.next(5)
        assert event is not None
        assert event.value is not None
        assert event.value[LARGE - 1].as_py() == number
        places.add(event.value.buffers()[1].address)
        del event
    assert len(places) <= 8


def test_a_flood_of_several_types_keeps_its_order(run: Run) -> None:
    run.pair(400)
    a, b = run.join("a", "b")
    kinds = [pa.uint8(), pa.int32(), pa.string(), pa.float32()]
    sent = [pa.array([number % 100] * (1 + number % 5)).cast(kinds[number % 4]) for number in range(300)]
    for array in sent:
        a.send_output("out", array)
    for array in sent:
        event = b.next(5)
        assert event is not None
        assert event.value is not None
        assert event.value.equals(array)
