"""The decision: every node's machine, with the reason in words, and the nodes that no machine can take.

Pure; `doraflow.analysis.place` tells the findings, and `doraflow plan` shows the reasons.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from doraflow.analysis.placement.assign import Item, Room, assign
from doraflow.analysis.placement.demand import demand, described, machines
from doraflow.analysis.placement.traffic import flows
from doraflow.ir import DEFAULT_HOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from doraflow.analysis.placement.assign import Assignment
    from doraflow.analysis.placement.demand import Demand
    from doraflow.analysis.placement.traffic import Flow
    from doraflow.ir import Graph, Host, Node


_NAMED = "named in `deploy`"
_PINNED = "pinned in the lock"


@dataclass(frozen=True, slots=True)
class Placed:
    """A node, its machine, and why it is that one."""

    node: str
    host: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A node that no machine can take: the machines that could if they were empty, none where it asks for too much."""

    node: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """A node that is not on the machine that the lock has for it, and why."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Where every node runs, in the order of the file; a refused node is placed on its first candidate all the same."""

    placed: tuple[Placed, ...]
    refused: tuple[Refused, ...]
    moved: tuple[Moved, ...] = ()


def decide(graph: Graph) -> Decision:
    """Choose a machine for every node of a graph whose types are resolved."""
    if not graph.hosts:
        return Decision(
            tuple(Placed(node.id, node.machine or DEFAULT_HOST, _unlisted(node)) for node in graph.nodes), ()
        )
    names = machines(graph)
    hosts = {host.name: host for host in graph.hosts}
    park = _Park(names, hosts)
    choices = {node.id: _choices(node, park, graph) for node in graph.nodes}
    items = [_item(node, choices[node.id] or names[:1], graph) for node in graph.nodes]
    weighed = flows(graph) if any(not item.is_fixed and len(item.choices) > 1 for item in items) else ()
    rooms = {name: _room(hosts.get(name)) for name in dict.fromkeys([*names, *(i.choices[0] for i in items)])}
    made, cramped = _assigned(items, rooms, _between(weighed))
    fallback = {item.name: item.choices[0] for item in items}
    where = {node.id: made.machine.get(node.id, fallback[node.id]) for node in graph.nodes}
    beyond = {name for name, found in choices.items() if not found}
    refused = [Refused(node.id, choices[node.id]) for node in graph.nodes if node.id in {*made.refused, *beyond}]
    moved = tuple(_moved(graph, where, hosts, cramped))
    kept = graph.pins.keys() - {each.node for each in moved}
    pulls = _pulls(weighed, where)
    room_left = _room_left(items, where, rooms)
    placed = [
        Placed(
            node.id,
            where[node.id],
            _given(node, choices[node.id], is_kept=node.id in kept)
            or _weighed(node, where[node.id], choices[node.id], pulls.get(node.id, {}), room_left),
        )
        for node in graph.nodes
    ]
    return Decision(tuple(placed), tuple(refused), moved)


def _assigned(
    items: Sequence[Item], rooms: Mapping[str, Room], traffic: Mapping[tuple[str, str], float]
) -> tuple[Assignment, str | None]:
    """Place every node, with those of the lock where they were.

    If that leaves nodes without room that a new placement has room for, place all anew, and name the first of them.
    """
    made = assign(items, rooms, traffic)
    if made.refused and any(item.before is not None for item in items):
        anew = assign([replace(item, before=None) for item in items], rooms, traffic)
        if len(anew.refused) < len(made.refused):
            return anew, made.refused[0]
    return made, None


def _moved(graph: Graph, where: Mapping[str, str], hosts: Mapping[str, Host], cramped: str | None) -> Iterator[Moved]:
    """List the nodes that are not where the lock has them; `cramped` would have no room if they were."""
    for node in graph.nodes if graph.pins else ():
        pin = graph.pins.get(node.id)
        if pin is None or pin.is_firm or node.machine is not None or where[node.id] == pin.host:
            continue
        host = hosts.get(pin.host)
        unmet = "" if host is None else demand(node).unmet(host)
        if host is None:
            yield Moved(node.id, f"the inventory has no machine `{pin.host}`")
        elif unmet:
            yield Moved(node.id, f"`{pin.host}` {unmet}")
        elif cramped is not None and cramped != node.id:
            yield Moved(node.id, f"with all nodes where the lock has them, no machine has room for `{cramped}`")
        else:
            yield Moved(node.id, f"`{pin.host}` has no room left for it")


def links_between_machines(graph: Graph) -> dict[tuple[str, str], tuple[Flow, ...]]:
    """Group the edges of a placed graph that lead from one machine to another by the two, in the order of the file."""
    where = {node.id: node.host for node in graph.nodes}
    links: dict[tuple[str, str], tuple[Flow, ...]] = {}
    for flow in flows(graph):
        pair = where[flow.edge.producer], where[flow.edge.consumer]
        if pair[0] != pair[1]:
            links[pair] = (*links.get(pair, ()), flow)
    return links


def _choices(node: Node, park: _Park, graph: Graph) -> tuple[str, ...]:
    """List the machines that could take a node; one that names its machine, or has a firm pin, has no other."""
    if node.machine is not None:
        return (node.machine,)
    pin = graph.pins.get(node.id)
    return (pin.host,) if pin is not None and pin.is_firm and park.has(pin.host) else park.for_demand(demand(node))


class _Park:
    """The machines that nodes may be placed on. What was found for a demand is kept: most nodes ask for the same."""

    def __init__(self, names: tuple[str, ...], hosts: Mapping[str, Host]) -> None:
        self._names = names
        self._all = frozenset(names)
        self._hosts = hosts
        self._found: dict[Demand, tuple[str, ...]] = {}
        self._carrying: dict[tuple[str, str], list[str]] = {}
        for name in names:
            for label in hosts[name].labels.items() if name in hosts else ():
                self._carrying.setdefault(label, []).append(name)

    def has(self, name: str) -> bool:
        """Tell whether nodes may be placed on a machine of this name."""
        return name in self._all

    def for_demand(self, wanted: Demand) -> tuple[str, ...]:
        """List the machines that could take a node if they were empty."""
        if self._names == (DEFAULT_HOST,) and DEFAULT_HOST not in self._hosts:
            return self._names  # nothing is known of any machine, so that labels and sizes choose nothing
        if wanted not in self._found:
            names = self._carrying.get(wanted.labels[0], []) if wanted.labels else self._names
            self._found[wanted] = tuple(name for name in names if self._fits(wanted, name))
        return self._found[wanted]

    def _fits(self, wanted: Demand, name: str) -> bool:
        return wanted.fits(self._hosts[name]) if name in self._hosts else not wanted.labels


def _item(node: Node, choices: tuple[str, ...], graph: Graph) -> Item:
    wanted = demand(node)
    pin = graph.pins.get(node.id)
    is_firm = pin is not None and pin.is_firm and choices == (pin.host,)
    before = pin.host if pin is not None and node.machine is None and pin.host in choices else None
    return Item(node.id, choices, wanted.cores, wanted.memory, node.machine is not None or is_firm, before)


def _room(host: Host | None) -> Room:
    return Room(host.cores, host.memory) if host is not None else Room()


def _between(weighed: tuple[Flow, ...]) -> dict[tuple[str, str], float]:
    traffic: dict[tuple[str, str], float] = {}
    for flow in weighed:
        pair = flow.edge.producer, flow.edge.consumer
        traffic[pair] = traffic.get(pair, 0.0) + flow.bytes_per_second
    return traffic


@dataclass(frozen=True, slots=True)
class _Pull:
    """The traffic of a node with all that is on one machine, in bytes a second, and with whom there it has most."""

    total: float
    friend: str
    most: float


def _pulls(weighed: tuple[Flow, ...], where: Mapping[str, str]) -> dict[str, dict[str, _Pull]]:
    """Find for each node how strongly it is tied to each machine."""
    near: dict[str, dict[str, float]] = {}
    for flow in weighed:
        one, other = flow.edge.producer, flow.edge.consumer
        if one != other:
            for name, friend in ((one, other), (other, one)):
                at = near.setdefault(name, {})
                at[friend] = at.get(friend, 0.0) + flow.bytes_per_second
    pulls: dict[str, dict[str, _Pull]] = {}
    for name, friends in near.items():
        at_machine = pulls.setdefault(name, {})
        for friend, amount in friends.items():
            machine = where[friend]
            known = at_machine.get(machine, _Pull(0.0, friend, 0.0))
            closest = (friend, amount) if amount > known.most else (known.friend, known.most)
            at_machine[machine] = _Pull(known.total + amount, *closest)
    return pulls


def _room_left(items: Sequence[Item], where: Mapping[str, str], rooms: Mapping[str, Room]) -> dict[str, Room]:
    """Say what each machine has left when every node is placed."""
    cores = dict.fromkeys(rooms, 0)
    memory = dict.fromkeys(rooms, 0)
    for item in items:
        cores[where[item.name]] += item.cores
        memory[where[item.name]] += item.memory
    return {
        name: Room(
            None if room.cores is None else room.cores - cores[name],
            None if room.memory is None else room.memory - memory[name],
        )
        for name, room in rooms.items()
    }


def _unlisted(node: Node) -> str:
    return _NAMED if node.machine is not None else "no inventory"


def _given(node: Node, choices: tuple[str, ...], *, is_kept: bool) -> str:
    """Give the reason why nothing was left to choose for a node; empty if there was."""
    if node.machine is not None:
        return _NAMED
    if is_kept:
        return _PINNED
    wanted = demand(node)
    if len(choices) == 1 and not wanted.is_nothing:
        return f"no other machine has {described(wanted)}"
    return "the only machine" if len(choices) == 1 else ""


def _weighed(
    node: Node, host: str, choices: tuple[str, ...], pulls: Mapping[str, _Pull], room_left: Mapping[str, Room]
) -> str:
    """Give the reason by traffic, and if a node is not where most of its traffic is, why not."""
    here = pulls.get(host)
    reason = "" if here is None else f"beside `{here.friend}`: {rate(here.most)} stays on one machine"
    if not pulls:
        return "no traffic with other nodes: any machine with room will do"
    machine, away = max(pulls.items(), key=lambda entry: entry[1].total)
    if machine == host or (here is not None and here.total >= away.total):
        return reason
    if machine not in choices:
        hindrance = f"`{machine}`, where `{away.friend}` is, cannot take it"
    elif not _has_room(room_left[machine], demand(node)):
        hindrance = f"`{machine}`, where `{away.friend}` is, has no room left"
    else:
        hindrance = f"away from `{away.friend}` on `{machine}`, which saves traffic of other nodes"
    return f"{hindrance}; {reason}" if reason else hindrance


def _has_room(left: Room, wanted: Demand) -> bool:
    enough_cores = left.cores is None or left.cores >= wanted.cores
    return enough_cores and (left.memory is None or left.memory >= wanted.memory)


def rate(bytes_per_second: float) -> str:
    """Write a traffic for people.

    >>> rate(27.648e6), rate(950.0)
    ('27.6 MB/s', '950 B/s')
    """
    for unit in ("B/s", "kB/s", "MB/s"):
        if bytes_per_second < 1000:
            return f"{bytes_per_second:.3g} {unit}"
        bytes_per_second /= 1000
    return f"{bytes_per_second:.3g} GB/s"
