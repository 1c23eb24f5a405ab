"""Strategies for dataflows: valid ones with all that the language has, and valid ones with one reference misspelt.

A dataflow is drawn as plain data, so that mutations can change it before it is written. The module file that some nodes
include lies beside it: see `MODULE_FILE`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import yaml
from hypothesis import strategies as st

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Map: TypeAlias = "dict[str, Value]"

MODULE_FILE = "nav.yml"
MODULE_TEXT = """\
module: {name: nav, inputs: [goal], inputs_optional: [map], outputs: [path]}
build: make nav
nodes:
  - id: planner
    path: planner.py
    args: --speed $PARAM_SPEED
    inputs: {goal: _mod/goal, map: _mod/map}
    outputs: [path]
"""
TYPES = ("std/media/v1/Image", "std/core/v1/Float32", "std/core/v1/String", "std/math/v1/Pose")
MACHINES = ("robot", "base")

_IDS = st.from_regex(r"[a-z][a-z0-9]{2,6}(?:[_-][a-z0-9]{1,4})?", fullmatch=True).filter(
    lambda name: name not in ("dora", "null", "true", "false")
)
_WORDS = st.sampled_from(
    ["a", "--device 0", "'left eye'", "on", "012", "1:30", "~", "null", "# no comment", "é", "x y"]
)
_TIMERS = st.sampled_from(["dora/timer/millis/33", "dora/timer/secs/1", "dora/timer/hz/7.5", "dora/timer/micros/500"])
_VARIABLES = st.sampled_from(["RATE", "DEVICE", "MODE", "HOME_OF_IT"])
_SETTINGS: dict[str, st.SearchStrategy[Value]] = {
    "args": _WORDS,
    "name": _WORDS,
    "description": _WORDS,
    "env": st.dictionaries(_VARIABLES, st.one_of(st.booleans(), st.integers(-9, 99), _WORDS), min_size=1, max_size=3),
    "build": st.sampled_from(["make", "make one\nmake two\n"]),
    "restart_policy": st.sampled_from(["never", "on-failure", "always"]),
    "max_restarts": st.integers(0, 5),
    "restart_delay": st.sampled_from([0, 0.5, 2]),
    "min_log_level": st.sampled_from(["info", "WARN", "stdout"]),
    "shared_memory_pool_size": st.sampled_from([1024, "64MB", "1.5 GB"]),
    "finish_grace_secs": st.integers(0, 9),
}


@dataclass(frozen=True)
class Sent:
    """An output that can be read: its reference, and its type if it has one."""

    reference: str
    type_name: str | None = None


@dataclass(frozen=True)
class Misspelt:
    """A dataflow with one reference to nothing, and where that stands."""

    text: str
    reference: str
    node: int
    port: str


def written(flow: Map) -> str:
    """Write a dataflow as YAML, keys in their order."""
    return yaml.safe_dump(flow, sort_keys=False, allow_unicode=True, width=120)


@st.composite
def valid_flows(draw: st.DrawFn, most: int = 5) -> Map:
    """Draw a dataflow without an error; warnings and notes it may well have."""
    names = draw(st.lists(_IDS, min_size=1, max_size=most, unique=True))
    sent: list[Sent] = []
    nodes: list[Value] = [draw(_nodes(name, sent)) for name in names]
    flow: Map = {}
    if draw(st.booleans()):
        flow["name"] = draw(_IDS)
    if draw(st.booleans()):
        flow["env"] = {draw(_VARIABLES): draw(_WORDS)}
    if draw(st.booleans()):
        flow["hosts"] = {machine: {"address": f"10.0.0.{place}"} for place, machine in enumerate(MACHINES, 1)}
        for node in nodes:
            if isinstance(node, dict) and "module" not in node and draw(st.booleans()):
                node["deploy"] = {"machine": draw(st.sampled_from(MACHINES))}
    flow["nodes"] = nodes
    if draw(st.booleans()):
        flow["profiles"] = {"lab": {"env": {"RATE": 5}, "nodes": {}}}
    return flow


@st.composite
def misspelt_flows(draw: st.DrawFn) -> Misspelt:
    """Draw a valid dataflow and misspell the node of one of its references."""
    flow = draw(valid_flows())
    nodes = flow["nodes"]
    assert isinstance(nodes, list)
    source: Map = {"id": "watched", "path": "watched.py", "outputs": ["seen"]}
    reader: Map = {"id": "watching", "path": "watching.py", "inputs": {"first": "watched/seen"}}
    wrong = draw(
        st.sampled_from(["wathced/seen", "watched_/seen", "Watched/seen", "nobody/seen", "watched/sen", "watched/x"])
    )
    inputs = reader["inputs"]
    assert isinstance(inputs, dict)
    inputs["second"] = {"queue_size": 2, "source": wrong} if draw(st.booleans()) else wrong
    place = draw(st.integers(0, len(nodes)))
    nodes[place:place] = [source, reader] if draw(st.booleans()) else [reader, source]
    return Misspelt(written(flow), wrong, nodes.index(reader), "second")


@st.composite
def _nodes(draw: st.DrawFn, name: str, sent: list[Sent]) -> Map:
    """Draw a node that reads from those before it, and add what it sends."""
    kind = draw(st.sampled_from(["path", "path", "path", "operator", "operators", "module"]))
    if kind == "module" and sent:
        goal = draw(st.sampled_from(sent)).reference
        sent.append(Sent(f"{name}/path"))
        return {
            "id": name,
            "module": MODULE_FILE,
            "inputs": {"goal": goal},
            "params": {"speed": draw(st.integers(0, 9))},
        }
    settings = draw(st.fixed_dictionaries({}, optional=_SETTINGS))
    if kind == "operator":
        settings = {key: value for key, value in settings.items() if key in ("name", "env", "description")}
        return {"id": name, **settings, "operator": {"python": "op.py", **draw(_ports(name, sent))}}
    if kind == "operators":
        first: Map = {"id": "one", "python": {"source": "one.py"}, **draw(_ports(f"{name}/one", sent))}
        second: Map = {"id": "two", "python": "two.py", **draw(_ports(f"{name}/two", sent))}
        return {"id": name, "operators": [first, second]}
    return {
        "id": name,
        "path": draw(st.sampled_from(["a.py", "nodes/b.py", "bin/c"])),
        **settings,
        **draw(_ports(name, sent)),
    }


@st.composite
def _ports(draw: st.DrawFn, owner: str, sent: list[Sent]) -> Map:
    ports: Map = {}
    types: Map = {}
    inputs: Map = {}
    for number in range(draw(st.integers(0, 3))):
        read = draw(st.sampled_from(sent)) if sent and draw(st.booleans()) else Sent(draw(_TIMERS))
        inputs[f"in{number}"] = draw(_inputs(read.reference))
        if read.type_name is not None and draw(st.booleans()):
            types[f"in{number}"] = read.type_name
    names = draw(st.lists(st.sampled_from(["image", "depth", "left/raw", "out.1"]), max_size=3, unique=True))
    typed: Map = {name: draw(st.sampled_from(TYPES)) for name in names if draw(st.booleans())}
    ports.update({"inputs": inputs} if inputs else {})
    ports.update({"input_types": types} if types else {})
    ports.update({"outputs": list(names)} if names else {})
    ports.update({"output_types": typed} if typed else {})
    sent += [Sent(f"{owner}/{name}", str(typed[name]) if name in typed else None) for name in names]
    return ports


@st.composite
def _inputs(draw: st.DrawFn, source: str) -> Value:
    if draw(st.booleans()):
        return source
    options: Map = {"source": source}
    if draw(st.booleans()):
        options["queue_size"] = draw(st.integers(1, 20))
    if draw(st.booleans()):
        options["queue_policy"] = draw(st.sampled_from(["drop_oldest", "backpressure"]))
    if draw(st.booleans()):
        options["input_timeout"] = draw(st.sampled_from([1, 2.5, 30]))
    return options
