from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from doraflow.analysis.placement.assign import Item, Room, assign

ANYWHERE = ("arm", "gpu")
OPEN = {"arm": Room(), "gpu": Room()}


def test_a_node_goes_where_most_of_its_traffic_is() -> None:
    items = [
        Item("camera", ("arm",), is_fixed=True),
        Item("planner", ("gpu",), is_fixed=True),
        Item("detector", ANYWHERE),
    ]
    traffic = {("camera", "detector"): 100.0, ("detector", "planner"): 5.0}
    assert assign(items, OPEN, traffic).machine["detector"] == "arm"
    assert assign(items, OPEN, {**traffic, ("planner", "detector"): 200.0}).machine["detector"] == "gpu"


def test_without_traffic_the_first_machine_with_room_is_taken() -> None:
    rooms = {"arm": Room(cores=2), "gpu": Room(cores=8)}
    items = [Item("a", ANYWHERE, cores=2), Item("b", ANYWHERE, cores=2), Item("c", ANYWHERE)]
    assert assign(items, rooms, {}).machine == {"a": "arm", "b": "gpu", "c": "arm"}


def test_what_belongs_together_moves_together_off_a_small_machine() -> None:
    rooms = {"arm": Room(cores=3), "gpu": Room(cores=4)}
    items = [Item("a", ANYWHERE, cores=2), Item("b", ANYWHERE, cores=2)]
    assert assign(items, rooms, {("a", "b"): 1.0}).machine == {"a": "gpu", "b": "gpu"}


def test_large_nodes_are_placed_first_where_the_order_of_the_file_would_not_fit() -> None:
    rooms = {"arm": Room(cores=4), "gpu": Room(cores=4)}
    items = [Item("a", ANYWHERE, cores=1), Item("b", ANYWHERE, cores=1), Item("c", ANYWHERE, cores=3)]
    items.append(Item("d", ANYWHERE, cores=3))
    made = assign(items, rooms, {("a", "b"): 1.0})
    assert not made.refused
    assert sorted(made.machine) == ["a", "b", "c", "d"]


def test_a_node_for_which_no_room_is_left_is_refused() -> None:
    rooms = {"arm": Room(cores=4, memory=100), "gpu": Room(cores=4, memory=10)}
    items = [Item("a", ANYWHERE, cores=4), Item("b", ANYWHERE, cores=4), Item("c", ANYWHERE, memory=200)]
    made = assign([*items, Item("d", ANYWHERE, cores=1)], rooms, {})
    assert made.refused == ["c", "d"]


def test_two_nodes_change_places_where_neither_can_move_alone() -> None:
    rooms = {"arm": Room(cores=1), "gpu": Room(cores=1)}
    items = [
        Item("x", ("arm",), is_fixed=True),
        Item("y", ("gpu",), is_fixed=True),
        Item("a", ANYWHERE, cores=1),
        Item("b", ANYWHERE, cores=1),
    ]
    traffic = {("x", "b"): 9.0, ("y", "a"): 9.0, ("x", "a"): 10.0}
    assert assign(items, rooms, traffic).machine == {"x": "arm", "y": "gpu", "a": "gpu", "b": "arm"}


MACHINES = ("m0", "m1", "m2")
names = st.integers(0, 6).map(lambda number: f"n{number}")
problems = st.tuples(
    st.lists(st.tuples(st.sets(st.sampled_from(MACHINES), min_size=1), st.integers(0, 3)), min_size=1, max_size=7),
    st.dictionaries(st.tuples(names, names), st.integers(1, 100).map(float), max_size=12),
    st.lists(st.one_of(st.none(), st.integers(2, 8)), min_size=3, max_size=3),
)


def items_of(asked: list[tuple[set[str], int]]) -> list[Item]:
    return [
        Item(f"n{at}", tuple(sorted(choices)), cores, is_fixed=len(choices) == 1 and cores == 0)
        for at, (choices, cores) in enumerate(asked)
    ]


def crossing(machine: dict[str, str], traffic: dict[tuple[str, str], float]) -> float:
    return sum(weight for (one, other), weight in traffic.items() if machine[one] != machine[other])


@settings(max_examples=300, deadline=None)
@given(problems)
def test_constraints_hold_and_no_single_move_would_save_traffic(
    problem: tuple[list[tuple[set[str], int]], dict[tuple[str, str], float], list[int | None]],
) -> None:
    asked, weights, cores = problem
    items = items_of(asked)
    known = {item.name for item in items}
    traffic = {pair: weight for pair, weight in weights.items() if set(pair) <= known}
    rooms = {name: Room(cores=count) for name, count in zip(MACHINES, cores, strict=True)}
    made = assign(items, rooms, traffic)
    assert sorted({*made.machine, *made.refused}) == sorted(known)
    used = dict.fromkeys(MACHINES, 0)
    for item in items:
        if item.name in made.machine:
            assert made.machine[item.name] in item.choices
            used[made.machine[item.name]] += item.cores
    for name, room in rooms.items():
        assert room.cores is None or used[name] <= room.cores
    if made.refused:
        return
    cost = crossing(made.machine, traffic)
    for item, machine in itertools.product(items, MACHINES):
        room = rooms[machine].cores
        if machine in item.choices and (room is None or used[machine] + item.cores <= room):
            assert crossing({**made.machine, item.name: machine}, traffic) >= cost - 1e-6


@settings(max_examples=200, deadline=None)
@given(problems)
def test_on_machines_without_bounds_it_is_as_good_as_one_machine_for_all(
    problem: tuple[list[tuple[set[str], int]], dict[tuple[str, str], float], list[int | None]],
) -> None:
    items = items_of(problem[0])
    known = {item.name for item in items}
    traffic = {pair: weight for pair, weight in problem[1].items() if set(pair) <= known}
    made = assign(items, {name: Room() for name in MACHINES}, traffic)
    assert not made.refused
    for machine in MACHINES:
        together = {item.name: machine if machine in item.choices else item.choices[0] for item in items}
        if all(len(item.choices) == 1 or machine in item.choices for item in items):
            assert crossing(made.machine, traffic) <= crossing(together, traffic) + 1e-6
