"""Pins: a node stays where the lock has it, as long as that is possible."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from doraflow.analysis.placement.assign import Item, Room, assign


def test_what_was_placed_before_stays_also_where_traffic_pulls_it_away() -> None:
    items = [Item("camera", ("arm",), is_fixed=True), Item("detector", ("arm", "gpu"), before="gpu")]
    assert assign(items, {"arm": Room(), "gpu": Room()}, {("camera", "detector"): 1e9}).machine == {
        "camera": "arm",
        "detector": "gpu",
    }


def test_what_has_no_room_left_where_it_was_goes_elsewhere_and_moves_no_other() -> None:
    items = [Item(name, ("a", "b"), cores=2, before="a") for name in "xyz"]
    made = assign(items, {"a": Room(cores=4), "b": Room(cores=4)}, {("y", "z"): 1e9})
    assert made.machine == {"x": "a", "y": "a", "z": "b"}


def test_a_node_that_is_fixed_comes_before_one_that_was_there() -> None:
    items = [Item("old", ("a", "b"), cores=1, before="a"), Item("new", ("a",), cores=1, is_fixed=True)]
    assert assign(items, {"a": Room(cores=1), "b": Room(cores=1)}, {}).machine == {"new": "a", "old": "b"}


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=8),
    st.dictionaries(st.tuples(st.integers(0, 7), st.integers(0, 7)), st.floats(0, 1e6), max_size=12),
    st.integers(2, 8),
)
def test_a_placement_that_is_given_back_stays_as_it_is(
    cores: list[int], weights: dict[tuple[int, int], float], room: int
) -> None:
    names = {f"n{at}" for at in range(len(cores))}
    traffic = {(f"n{one}", f"n{two}"): weight for (one, two), weight in weights.items()}
    traffic = {pair: weight for pair, weight in traffic.items() if set(pair) <= names}
    rooms = {"a": Room(cores=room), "b": Room(cores=room), "c": Room(cores=room)}
    items = [Item(f"n{at}", tuple(rooms), cores=count) for at, count in enumerate(cores)]
    made = assign(items, rooms, {})
    again = [Item(item.name, item.choices, item.cores, before=made.machine.get(item.name)) for item in items]
    kept = assign(again, rooms, traffic).machine
    assert {name: kept[name] for name in made.machine} == made.machine
