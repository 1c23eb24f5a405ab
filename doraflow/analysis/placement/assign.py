"""The choice of a machine for every node: constraints first, then as little traffic between machines as can be found.

Least traffic under capacities is a hard problem (multiway cut with knapsacks), so this is a heuristic, and its answer
depends on nothing but the problem: nodes are taken in the order of how much ties them to what is placed, each goes
where most of its traffic is, and then nodes move, alone or two at a time, as long as that saves traffic. The search
begins in several ways, and the best end counts. Pure.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOST_SWEEPS = 8
MOST_TRIED = 1000
MOST_STARTS = 16
"""Nodes and machines up to which the search also begins with everything on one machine, for each machine."""
MOST_SWAPPED = 64
"""Free nodes up to which pairs are tried: there are as many pairs as the square of that."""

_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Item:
    """A node to place: what it takes of a machine, and the machines that it may stand on, best first.

    One that is fixed has one machine and stays there, also if it is refused since there is no room. One that has been
    on a machine before is put there again, and stays, if there is room.
    """

    name: str
    choices: tuple[str, ...]
    cores: int = 0
    memory: int = 0
    is_fixed: bool = False
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """What a machine has; None is without a bound."""

    cores: int | None = None
    memory: int | None = None


@dataclass(slots=True)
class Assignment:
    """The machine of each node, and the nodes for which none had room left; those have no machine, unless fixed."""

    machine: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)


def assign(items: Sequence[Item], rooms: Mapping[str, Room], traffic: Mapping[tuple[str, str], float]) -> Assignment:
    """Place every item; `traffic` is bytes a second between two of them, in either direction.

    >>> pair = [Item("camera", ("arm",), is_fixed=True), Item("detector", ("gpu", "arm"))]
    >>> assign(pair, {"arm": Room(), "gpu": Room()}, {("camera", "detector"): 1e6}).machine
    {'camera': 'arm', 'detector': 'arm'}
    """
    near = _neighbours(traffic)
    attempts = [_Work.place_all, _Work.place_largest_first]
    if len(items) <= MOST_TRIED and len(rooms) <= MOST_STARTS:
        attempts += [partial(_Work.place_on, machine=machine) for machine in rooms]
    best = _attempt(attempts[0], items, rooms, near)
    if any(len(item.choices) > 1 and item.name not in best.kept for item in items):
        for attempt in attempts[1:]:
            best = min(best, _attempt(attempt, items, rooms, near), key=_Work.cost)
    return best.made


def _attempt(
    attempt: Callable[[_Work], None],
    items: Sequence[Item],
    rooms: Mapping[str, Room],
    near: dict[str, dict[str, float]],
) -> _Work:
    work = _Work(items, rooms, near)
    work.place_fixed()
    attempt(work)
    work.improve()
    return work


def _neighbours(traffic: Mapping[tuple[str, str], float]) -> dict[str, dict[str, float]]:
    near: dict[str, dict[str, float]] = {}
    for (one, other), weight in traffic.items():
        if one != other:
            for name, friend in ((one, other), (other, one)):
                at = near.setdefault(name, {})
                at[friend] = at.get(friend, 0.0) + weight
    return near


class _Work:
    """One attempt."""

    def __init__(self, items: Sequence[Item], rooms: Mapping[str, Room], near: dict[str, dict[str, float]]) -> None:
        self.items = {item.name: item for item in items}
        self.near = near
        self.made = Assignment()
        self.kept: set[str] = set()
        self._rooms = rooms
        self._cores = dict.fromkeys(rooms, 0)
        self._memory = dict.fromkeys(rooms, 0)
        self._known: dict[int, dict[str, int]] = {}

    def place_fixed(self) -> None:
        """Put down what has no choice, then what was placed before, each in the order of the file."""
        for item in self.items.values():
            if item.is_fixed:
                if not self._has_room(item, item.choices[0]):
                    self.made.refused.append(item.name)
                self._put(item, item.choices[0])
        for item in self.items.values():
            if not item.is_fixed and item.before is not None and self._has_room(item, item.before):
                self._put(item, item.before)
                self.kept.add(item.name)

    def place_all(self) -> None:
        """Place the rest: always the one that has most traffic with what is placed; without any, the next in order."""
        order = {name: at for at, name in enumerate(self.items)}
        pull = {
            name: sum(weight for friend, weight in self.near.get(name, {}).items() if friend in self.made.machine)
            for name in self.items
            if name not in self.made.machine
        }
        queue = [(-weight, order[name], name) for name, weight in pull.items()]
        heapq.heapify(queue)
        while queue:
            weight, _, name = heapq.heappop(queue)
            if name not in pull or -weight < pull[name]:
                continue  # placed, or it has been put in again with more
            del pull[name]
            if not self._place(self.items[name]):
                continue
            for friend, more in self.near.get(name, {}).items():
                if friend in pull:
                    pull[friend] += more
                    heapq.heappush(queue, (-pull[friend], order[friend], friend))

    def place_largest_first(self) -> None:
        """Place the rest by how much room it takes, the largest first: what packs best."""
        free = [item for item in self.items.values() if item.name not in self.made.machine]
        for item in sorted(free, key=lambda item: (len(item.choices), -item.cores, -item.memory)):
            self._place(item)

    def place_on(self, machine: str) -> None:
        """Place the rest on one machine, as far as it goes."""
        free = [item for item in self.items.values() if item.name not in self.made.machine]
        for item in free:
            if machine in item.choices and self._has_room(item, machine):
                self._put(item, machine)
        self.place_all()

    def cost(self) -> tuple[int, float]:
        """Count what has no place, and the traffic between machines."""
        where = self.made.machine
        cut = sum(
            weight
            for name, friends in self.near.items()
            for friend, weight in friends.items()
            if where.get(name) != where.get(friend)
        )
        return len(self.made.refused), cut / 2

    def improve(self) -> None:
        """Move nodes, and let pairs change places, as long as that saves traffic."""
        placed = [item for item in self.items.values() if item.name in self.made.machine]
        free = [item for item in placed if len(item.choices) > 1 and item.name not in self.kept]
        for _ in range(MOST_SWEEPS):
            moved = [item for item in free if self._move(item)]
            if len(free) <= MOST_SWAPPED and not moved:
                moved = [one for at, one in enumerate(free) for other in free[at + 1 :] if self._swap(one, other)]
            if not moved:
                return

    # ---- single steps

    def _place(self, item: Item) -> bool:
        machine = self._best(item, self._pulls(item.name))
        if machine is None:
            machine = next((name for name in item.choices if self._has_room(item, name)), None)
        if machine is None:
            self.made.refused.append(item.name)
            return False
        self._put(item, machine)
        return True

    def _best(self, item: Item, pulls: Mapping[str, float]) -> str | None:
        """Choose the machine with room that pulls most, the first of equals; None if none that pulls has room."""
        known = self._ranks(item.choices)
        fitting = [machine for machine in pulls if machine in known and self._has_room(item, machine)]
        return min(fitting, key=lambda machine: (-pulls[machine], known[machine]), default=None)

    def _ranks(self, choices: tuple[str, ...]) -> dict[str, int]:
        """Number machines; nodes that ask for the same share one list of choices."""
        known = self._known.get(id(choices))
        if known is None:
            known = self._known[id(choices)] = {machine: at for at, machine in enumerate(choices)}
        return known

    def _move(self, item: Item) -> bool:
        here = self.made.machine[item.name]
        pulls = self._pulls(item.name)
        kept = pulls.pop(here, 0.0)
        best = self._best(item, pulls)
        if best is None or pulls[best] <= kept + _NOTHING:
            return False
        self._take(item)
        self._put(item, best)
        return True

    def _swap(self, one: Item, other: Item) -> bool:
        here, there = self.made.machine[one.name], self.made.machine[other.name]
        if here == there or there not in one.choices or here not in other.choices:
            return False
        pulls, others = self._pulls(one.name), self._pulls(other.name)
        between = self.near.get(one.name, {}).get(other.name, 0.0)  # stays between machines, and both sides count it
        saved = pulls.get(there, 0.0) - pulls.get(here, 0.0) + others.get(here, 0.0) - others.get(there, 0.0)
        if saved - 2 * between <= _NOTHING:
            return False
        self._take(one)
        self._take(other)
        fits = self._has_room(one, there) and self._has_room(other, here)
        self._put(one, there if fits else here)
        self._put(other, here if fits else there)
        return fits

    def _pulls(self, name: str) -> dict[str, float]:
        """Add up the traffic of a node with each machine."""
        pulls: dict[str, float] = {}
        for friend, weight in self.near.get(name, {}).items():
            machine = self.made.machine.get(friend)
            if machine is not None:
                pulls[machine] = pulls.get(machine, 0.0) + weight
        return pulls

    def _has_room(self, item: Item, machine: str) -> bool:
        room = self._rooms[machine]
        enough_cores = room.cores is None or not item.cores or self._cores[machine] + item.cores <= room.cores
        enough_memory = room.memory is None or not item.memory or self._memory[machine] + item.memory <= room.memory
        return enough_cores and enough_memory

    def _put(self, item: Item, machine: str) -> None:
        self.made.machine[item.name] = machine
        self._cores[machine] += item.cores
        self._memory[machine] += item.memory

    def _take(self, item: Item) -> None:
        machine = self.made.machine.pop(item.name)
        self._cores[machine] -= item.cores
        self._memory[machine] -= item.memory
